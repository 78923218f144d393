//! Reads: single readings, and pages by id or by type.

use std::iter::Peekable;

use redb::{Database, ReadableDatabase};

use super::format::{BY_TYPE, READINGS};
use super::{engine_error::engine_error, record};
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
    let transaction = database.begin_read().map_err(engine_error)?;
    let table = transaction.open_table(READINGS).map_err(engine_error)?;
    let bounds = query.ids().bytes();
    let first = record::key(&query.user_id, bounds.start());
    let last = record::key(&query.user_id, bounds.end());
    let entries = table
        .range(first.as_slice()..=last.as_slice())
        .map_err(engine_error)?;
    let mut page = PageBuilder::new(query);
    for entry in in_order(entries, query.order) {
        let (key, value) = entry.map_err(engine_error)?;
        let id = record::id_of_key(key.value())?;
        let reading = record::decode(&query.user_id, id, value.value(), page.last_reading());
        page.push(id, reading);
        if page.is_done() {
            return Ok(page.finish_partial());
        }
    }
    Ok(page.finish())
}

/// Merges the index entries of all wanted types.
fn list_some_types(database: &Database, query: &ListQuery) -> Result<Page, StoreError> {
    let transaction = database.begin_read().map_err(engine_error)?;
    let table = transaction.open_table(READINGS).map_err(engine_error)?;
    let by_type = transaction.open_table(BY_TYPE).map_err(engine_error)?;
    let bounds = query.ids().bytes();
    let ids_of = |data_type: &DataType| {
        let first = record::type_key(&query.user_id, data_type, bounds.start());
        let last = record::type_key(&query.user_id, data_type, bounds.end());
        let entries = by_type
            .range(first.as_slice()..=last.as_slice())
            .map_err(engine_error)?;
        let ids = in_order(entries, query.order).map(|entry| {
            let (key, _) = entry.map_err(engine_error)?;
            record::id_of_key(key.value())
        });
        Ok::<_, StoreError>(ids.peekable())
    };
    let data_types = query.data_types.as_slice().iter();
    let mut types = data_types.map(ids_of).collect::<Result<Vec<_>, _>>()?;
    let mut page = PageBuilder::new(query);
    while let Some(id) = next_id(&mut types, query.order)? {
        let key = record::key(&query.user_id, id.as_bytes());
        match table.get(key.as_slice()).map_err(engine_error)? {
            Some(value) => {
                let taken = page.last_reading();
                let reading = record::decode(&query.user_id, id, value.value(), taken);
                page.push(id, reading);
            }
            // An index entry of a record that was deleted while it was unreadable.
            None => page.skip(1, Some(id)),
        }
        if page.is_done() {
            return Ok(page.finish_partial());
        }
    }
    Ok(page.finish())
}

/// Returns the next id in `order` among all scans, each of which is in that order.
fn next_id<I>(scans: &mut [Peekable<I>], order: Order) -> Result<Option<ReadingId>, StoreError>
where
    I: Iterator<Item = Result<ReadingId, StoreError>>,
{
    let mut next: Option<(ReadingId, usize)> = None;
    for (index, scan) in scans.iter_mut().enumerate() {
        let id = match scan.peek() {
            None => continue,
            Some(Ok(id)) => *id,
            Some(Err(error)) => return Err(error.clone()),
        };
        let is_before = |other: ReadingId| match order {
            Order::Asc => id < other,
            Order::Desc => id > other,
        };
        if next.is_none_or(|(other, _)| is_before(other)) {
            next = Some((id, index));
        }
    }
    Ok(next.map(|(id, index)| {
        scans[index].next();
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

/// Returns the reading with this id, or `None` if the user has none.
pub(super) fn get(
    database: &Database,
    user_id: &UserId,
    id: ReadingId,
) -> Result<Option<Reading>, StoreError> {
    let transaction = database.begin_read().map_err(engine_error)?;
    let table = transaction.open_table(READINGS).map_err(engine_error)?;
    let key = record::key(user_id, id.as_bytes());
    let stored = table.get(key.as_slice()).map_err(engine_error)?;
    stored
        .map(|value| record::decode(user_id, id, value.value(), None))
        .transpose()
}
