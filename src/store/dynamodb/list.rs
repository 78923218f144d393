//! Reading pages: of all types from the table, of some types from the index,
//! or where there is none from the table with a filter.

use std::cmp::Ordering;
use std::collections::VecDeque;

use aws_sdk_dynamodb::operation::query::QueryError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;

use super::DynamoDbStore;
use super::item;
use super::query_response::{self, RawItem};
use super::schema::{AttributeMap, DATA_ID, DATA_TYPE, TYPE_INDEX, TYPE_KEY, USER_ID};
use crate::domain::{DataType, ListQuery, Order, Page, Reading};
use crate::store::StoreError;
use crate::store::page_builder::PageBuilder;

/// How many answers of at most 1 MB each a page may take where a filter leaves
/// most of them out.
const MOST_FILTERED_ANSWERS: usize = 4;

/// How many items such an answer looks through at least.
const FEWEST_FILTERED: usize = 256;

pub(super) async fn list(store: &DynamoDbStore, query: &ListQuery) -> Result<Page, StoreError> {
    if query.ids().is_empty() {
        Ok(Page::default())
    } else if query.data_types.is_all() {
        list_all(store, query).await
    } else if store.type_index.is_there(store).await {
        match list_by_index(store, query).await? {
            Some(page) => Ok(page),
            None => list_filtered(store, query).await,
        }
    } else {
        list_filtered(store, query).await
    }
}

async fn list_all(store: &DynamoDbStore, query: &ListQuery) -> Result<Page, StoreError> {
    let mut page = PageBuilder::of(query);
    let mut resume = None;
    // One answer holds at most 1 MB, so a page may take several.
    loop {
        let request = of_table(store, query)
            .limit(as_limit(page.missing()))
            .set_exclusive_start_key(resume);
        let page_read = query_response::send(request, store.fast_query_parser)
            .await
            .map_err(|error| store.faults.classify("Query", error))?;
        for item in page_read.items {
            look_at(store, &mut page, item)?;
        }
        resume = page_read.exclusive_start_key;
        if resume.is_none() {
            return Ok(page.at_the_end());
        }
        if page.is_done() {
            return Ok(page.so_far());
        }
    }
}

/// Lets DynamoDB leave out the other types, within bounds, as it reads them
/// all the same.
async fn list_filtered(store: &DynamoDbStore, query: &ListQuery) -> Result<Page, StoreError> {
    let mut page = PageBuilder::of(query);
    let mut resume = None;
    let names: Vec<String> = (0..query.data_types.as_slice().len())
        .map(|index| format!(":type{index}"))
        .collect();
    let filter = format!("{DATA_TYPE} IN ({})", names.join(", "));
    let mut look_through = (page.missing() * 2).max(FEWEST_FILTERED);
    for answers in 1.. {
        let mut request = of_table(store, query).filter_expression(&filter);
        for (name, data_type) in names.iter().zip(query.data_types.as_slice()) {
            request = request.expression_attribute_values(name, text(data_type.as_str()));
        }
        request = request
            .limit(as_limit(look_through))
            .set_exclusive_start_key(resume);
        let page_read = query_response::send(request, store.fast_query_parser)
            .await
            .map_err(|error| store.faults.classify("Query", error))?;
        let left_out = page_read.filtered_out;
        for item in page_read.items {
            look_at(store, &mut page, item)?;
        }
        resume = page_read.exclusive_start_key;
        let last = resume.as_ref().and_then(item::reading_id);
        page.pass_over(left_out, last);
        if resume.is_none() {
            return Ok(page.at_the_end());
        }
        if page.is_done() || answers >= MOST_FILTERED_ANSWERS && last.is_some() {
            break;
        }
        look_through *= 4;
    }
    Ok(page.so_far())
}

/// Walks through the wanted types side by side; `None` where the index has gone
/// meanwhile.
async fn list_by_index(
    store: &DynamoDbStore,
    query: &ListQuery,
) -> Result<Option<Page>, StoreError> {
    let named = query.data_types.as_slice();
    let mut page = PageBuilder::of(query);
    // The more types, the fewer of each are in a page.
    let at_once = (page.missing() * 2)
        .div_ceil(named.len())
        .min(page.missing());
    let mut walks: Vec<Walk<'_>> = named.iter().map(Walk::of).collect();
    loop {
        let refills = walks
            .iter_mut()
            .filter(|walk| walk.readings.is_empty() && !walk.is_over)
            .map(|walk| walk.refill(store, query, at_once));
        match try_join_all(refills).await {
            Ok(_) => {}
            Err(Refused::NoIndex) => {
                store.type_index.has_gone();
                return Ok(None);
            }
            Err(Refused::Store(error)) => return Err(error),
        }
        // Up to where one of them has to be read on.
        while walks
            .iter()
            .all(|walk| walk.is_over || !walk.readings.is_empty())
        {
            let foremost = walks
                .iter_mut()
                .filter(|walk| !walk.readings.is_empty())
                .min_by(|one, other| one.compare(other, query.order));
            let Some(reading) = foremost.and_then(|walk| walk.readings.pop_front()) else {
                return Ok(Some(page.at_the_end()));
            };
            page.look_at(reading);
            if page.is_done() {
                return Ok(Some(page.so_far()));
            }
        }
    }
}

/// One type's readings, in the order of the query.
struct Walk<'a> {
    data_type: &'a DataType,
    readings: VecDeque<Reading>,
    resume: Option<AttributeMap>,
    is_over: bool,
}

enum Refused {
    NoIndex,
    Store(StoreError),
}

impl<'a> Walk<'a> {
    fn of(data_type: &'a DataType) -> Self {
        Self {
            data_type,
            readings: VecDeque::new(),
            resume: None,
            is_over: false,
        }
    }

    fn compare(&self, other: &Self, order: Order) -> Ordering {
        let first_id = |walk: &Self| walk.readings.front().map(|reading| reading.id);
        let ascending = first_id(self).cmp(&first_id(other));
        match order {
            Order::Asc => ascending,
            Order::Desc => ascending.reverse(),
        }
    }

    /// Reads up to `at_once` more, at least one unless it is over.
    async fn refill(
        &mut self,
        store: &DynamoDbStore,
        query: &ListQuery,
        at_once: usize,
    ) -> Result<(), Refused> {
        while self.readings.is_empty() && !self.is_over {
            let request = of_index(store, query, self.data_type)
                .limit(as_limit(at_once))
                .set_exclusive_start_key(self.resume.take());
            let page_read = query_response::send(request, store.fast_query_parser)
                .await
                .map_err(|error| {
                    if error.as_service_error().is_some_and(is_about_the_index) {
                        Refused::NoIndex
                    } else {
                        Refused::Store(store.faults.classify("Query", error))
                    }
                })?;
            for item in page_read.items {
                if let RawItem::Reading { reading, .. } = item {
                    self.readings.push_back(reading.map_err(Refused::Store)?);
                }
            }
            self.resume = page_read.exclusive_start_key;
            self.is_over = self.resume.is_none();
        }
        Ok(())
    }
}

/// Whether DynamoDB says that there is no such index (any more).
fn is_about_the_index(error: &QueryError) -> bool {
    error.meta().code() == Some("ValidationException")
        && error
            .meta()
            .message()
            .is_some_and(|message| message.contains("index"))
}

/// Takes an item for a page, if it is a reading.
fn look_at(
    store: &DynamoDbStore,
    page: &mut PageBuilder<'_>,
    item: RawItem,
) -> Result<(), StoreError> {
    match item {
        RawItem::Reading {
            reading,
            is_indexed,
        } => {
            if !is_indexed {
                store.tell_of_unindexed();
            }
            page.look_at(reading?);
        }
        RawItem::Foreign => {
            tracing::warn!("an item that this service did not write was passed over");
            page.pass_over(1, None);
        }
    }
    Ok(())
}

/// The consistent query of a user's readings in the table.
fn of_table(store: &DynamoDbStore, query: &ListQuery) -> QueryFluentBuilder {
    in_range(store, query, USER_ID, query.user_id.as_str().to_owned()).consistent_read(true)
}

/// The query of a user's readings of one type in the index, which DynamoDB
/// brings up to date a moment after the table.
fn of_index(store: &DynamoDbStore, query: &ListQuery, data_type: &DataType) -> QueryFluentBuilder {
    in_range(
        store,
        query,
        TYPE_KEY,
        item::type_key(&query.user_id, data_type),
    )
    .index_name(TYPE_INDEX)
}

fn in_range(
    store: &DynamoDbStore,
    query: &ListQuery,
    partition: &str,
    value: String,
) -> QueryFluentBuilder {
    let (first, last) = query.ids().texts();
    store
        .client
        .query()
        .table_name(&store.table)
        .key_condition_expression(format!(
            "{partition} = :partition AND {DATA_ID} BETWEEN :first AND :last"
        ))
        .expression_attribute_values(":partition", AttributeValue::S(value))
        .expression_attribute_values(":first", AttributeValue::S(first))
        .expression_attribute_values(":last", AttributeValue::S(last))
        .scan_index_forward(query.order == Order::Asc)
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn as_limit(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
