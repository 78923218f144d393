//! Reading one, and reading pages in the one order or the other.

use std::iter::Peekable;

use redb::{Database, ReadableDatabase};

use super::format::{BY_TYPE, READINGS};
use super::{engine_fault, record};
use crate::domain::{DataType, ListQuery, Order, Page, Reading, ReadingId, UserId};
use crate::store::StoreError;
use crate::store::page_builder::PageBuilder;

pub(super) fn list(database: &Database, query: &ListQuery) -> Result<Page, StoreError> {
    if query.ids().is_empty() {
        return Ok(Page::default());
    }
    if query.data_types.is_all() {
        list_all(database, query)
    } else {
        list_some_types(database, query)
    }
}

fn list_all(database: &Database, query: &ListQuery) -> Result<Page, StoreError> {
    let transaction = database.begin_read().map_err(engine_fault)?;
    let table = transaction.open_table(READINGS).map_err(engine_fault)?;
    let bounds = query.ids().bytes();
    let first = record::key(&query.user_id, bounds.start());
    let last = record::key(&query.user_id, bounds.end());
    let entries = table
        .range(first.as_slice()..=last.as_slice())
        .map_err(engine_fault)?;
    let mut page = PageBuilder::of(query);
    for entry in in_order(entries, query.order) {
        let (key, value) = entry.map_err(engine_fault)?;
        let id = record::id_of_key(key.value())?;
        let reading = record::decode(&query.user_id, id, value.value(), page.last_taken())?;
        page.look_at(reading);
        if page.is_done() {
            return Ok(page.so_far());
        }
    }
    Ok(page.at_the_end())
}

/// Walks through the orders of all wanted types side by side.
fn list_some_types(database: &Database, query: &ListQuery) -> Result<Page, StoreError> {
    let transaction = database.begin_read().map_err(engine_fault)?;
    let table = transaction.open_table(READINGS).map_err(engine_fault)?;
    let by_type = transaction.open_table(BY_TYPE).map_err(engine_fault)?;
    let bounds = query.ids().bytes();
    let ids_of = |data_type: &DataType| {
        let first = record::type_key(&query.user_id, data_type, bounds.start());
        let last = record::type_key(&query.user_id, data_type, bounds.end());
        let entries = by_type
            .range(first.as_slice()..=last.as_slice())
            .map_err(engine_fault)?;
        let ids = in_order(entries, query.order).map(|entry| {
            let (key, _) = entry.map_err(engine_fault)?;
            record::id_of_key(key.value())
        });
        Ok::<_, StoreError>(ids.peekable())
    };
    let named = query.data_types.as_slice().iter();
    let mut types = named.map(ids_of).collect::<Result<Vec<_>, _>>()?;
    let mut page = PageBuilder::of(query);
    while let Some(id) = next_of(&mut types, query.order)? {
        let key = record::key(&query.user_id, id.as_bytes());
        match table.get(key.as_slice()).map_err(engine_fault)? {
            Some(value) => {
                let taken = page.last_taken();
                page.look_at(record::decode(&query.user_id, id, value.value(), taken)?);
            }
            // What is left of a record that was deleted though unreadable.
            None => page.pass_over(1, Some(id)),
        }
        if page.is_done() {
            return Ok(page.so_far());
        }
    }
    Ok(page.at_the_end())
}

/// The next id of all the walks, each of which is in this order.
fn next_of<I>(walks: &mut [Peekable<I>], order: Order) -> Result<Option<ReadingId>, StoreError>
where
    I: Iterator<Item = Result<ReadingId, StoreError>>,
{
    let mut foremost: Option<(ReadingId, usize)> = None;
    for (index, walk) in walks.iter_mut().enumerate() {
        let id = match walk.peek() {
            None => continue,
            Some(Ok(id)) => *id,
            Some(Err(error)) => return Err(error.clone()),
        };
        let is_before = |other: ReadingId| match order {
            Order::Asc => id < other,
            Order::Desc => id > other,
        };
        if foremost.is_none_or(|(other, _)| is_before(other)) {
            foremost = Some((id, index));
        }
    }
    Ok(foremost.map(|(id, index)| {
        walks[index].next();
        id
    }))
}

fn in_order<T>(
    mut entries: impl DoubleEndedIterator<Item = T>,
    order: Order,
) -> impl Iterator<Item = T> {
    std::iter::from_fn(move || match order {
        Order::Asc => entries.next(),
        Order::Desc => entries.next_back(),
    })
}

/// The reading under this id; `None` when the user has none such.
pub(super) fn get(
    database: &Database,
    user_id: &UserId,
    id: ReadingId,
) -> Result<Option<Reading>, StoreError> {
    let transaction = database.begin_read().map_err(engine_fault)?;
    let table = transaction.open_table(READINGS).map_err(engine_fault)?;
    let key = record::key(user_id, id.as_bytes());
    let held = table.get(key.as_slice()).map_err(engine_fault)?;
    held.map(|value| record::decode(user_id, id, value.value(), None))
        .transpose()
}
