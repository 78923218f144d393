//! Pages of readings: of all types from the table, of some types from the index or,
//! without an index, from the table with a filter.

use std::cmp::Ordering;
use std::collections::VecDeque;

use aws_sdk_dynamodb::operation::query::QueryError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;

use super::item;
use super::query_response::{self, RawItem};
use super::schema::{AttributeMap, DATA_ID, DATA_TYPE, TYPE_INDEX, TYPE_KEY, USER_ID};
use super::table_client::TableClient;
use super::type_index::TypeIndex;
use crate::domain::{DataType, ListQuery, Order, Page, Reading, ReadingId};
use crate::store::StoreError;
use crate::store::page_builder::PageBuilder;

/// Maximum number of `Query` responses, of up to 1 MB each, for a page with a filter,
/// which may exclude most items.
const MAX_FILTERED_PAGES: usize = 4;

/// Minimum number of items that each of them scans.
const MIN_SCAN_ITEMS: usize = 256;

pub(super) async fn list(
    table: &TableClient,
    type_index: &TypeIndex,
    query: &ListQuery,
) -> Result<Page, StoreError> {
    if query.ids().is_empty() {
        Ok(Page::default())
    } else if query.data_types.is_all() {
        list_all(table, query).await
    } else if type_index.is_available(table).await {
        match list_by_index(table, type_index, query).await? {
            Some(page) => Ok(page),
            None => list_filtered(table, query).await,
        }
    } else {
        list_filtered(table, query).await
    }
}

async fn list_all(table: &TableClient, query: &ListQuery) -> Result<Page, StoreError> {
    let mut page = PageBuilder::new(query);
    let mut start_key = None;
    // A response holds at most 1 MB, so a page may take several.
    loop {
        let request = table_query(table, query)
            .limit(to_limit(page.missing() + page.unreadable()))
            .set_exclusive_start_key(start_key);
        let response = query_response::send(request, table.fast_query_parser)
            .await
            .map_err(|error| table.errors.classify("Query", error))?;
        for item in response.items {
            push_item(table, &mut page, item);
        }
        start_key = response.exclusive_start_key;
        if start_key.is_none() {
            return Ok(page.finish());
        }
        if page.is_done() {
            return Ok(page.finish_partial());
        }
    }
}

/// Filters by type in DynamoDB, within bounds, as it reads and bills excluded items
/// too.
async fn list_filtered(table: &TableClient, query: &ListQuery) -> Result<Page, StoreError> {
    let mut page = PageBuilder::new(query);
    let mut start_key = None;
    let names: Vec<String> = (0..query.data_types.as_slice().len())
        .map(|index| format!(":type{index}"))
        .collect();
    let filter = format!("{DATA_TYPE} IN ({})", names.join(", "));
    let mut scan_limit = (page.missing() * 2).max(MIN_SCAN_ITEMS);
    for pages in 1.. {
        let mut request = table_query(table, query).filter_expression(&filter);
        for (name, data_type) in names.iter().zip(query.data_types.as_slice()) {
            request = request.expression_attribute_values(name, text(data_type.as_str()));
        }
        request = request
            .limit(to_limit(scan_limit))
            .set_exclusive_start_key(start_key);
        let response = query_response::send(request, table.fast_query_parser)
            .await
            .map_err(|error| table.errors.classify("Query", error))?;
        let filtered_out = response.filtered_out;
        for item in response.items {
            push_item(table, &mut page, item);
        }
        start_key = response.exclusive_start_key;
        let last = start_key.as_ref().and_then(item::reading_id);
        page.skip(filtered_out, last);
        if start_key.is_none() {
            return Ok(page.finish());
        }
        if page.is_done() || pages >= MAX_FILTERED_PAGES && last.is_some() {
            break;
        }
        scan_limit *= 4;
    }
    Ok(page.finish_partial())
}

/// Merges the wanted types from the index. Returns `None` if the index was removed.
async fn list_by_index(
    table: &TableClient,
    type_index: &TypeIndex,
    query: &ListQuery,
) -> Result<Option<Page>, StoreError> {
    let data_types = query.data_types.as_slice();
    let mut page = PageBuilder::new(query);
    // The more types, the fewer readings of each fit the page.
    let per_type = (page.missing() * 2)
        .div_ceil(data_types.len())
        .min(page.missing());
    let mut scans: Vec<TypeScan<'_>> = data_types.iter().map(TypeScan::new).collect();
    loop {
        let fetches = scans
            .iter_mut()
            .filter(|scan| scan.readings.is_empty() && !scan.is_finished)
            .map(|scan| scan.fetch_more(table, query, per_type + page.unreadable()));
        match try_join_all(fetches).await {
            Ok(_) => {}
            Err(ScanError::NoIndex) => {
                type_index.mark_missing();
                return Ok(None);
            }
            Err(ScanError::Store(error)) => return Err(error),
        }
        // Merge until one type has to be read further.
        while scans
            .iter()
            .all(|scan| scan.is_finished || !scan.readings.is_empty())
        {
            let next = scans
                .iter_mut()
                .filter(|scan| !scan.readings.is_empty())
                .min_by(|one, other| one.compare(other, query.order));
            let Some((id, reading)) = next.and_then(|scan| scan.readings.pop_front()) else {
                return Ok(Some(page.finish()));
            };
            page.push(id, reading);
            if page.is_done() {
                return Ok(Some(page.finish_partial()));
            }
        }
    }
}

/// Readings of one type, in the order of the query.
struct TypeScan<'a> {
    data_type: &'a DataType,
    readings: VecDeque<(ReadingId, Result<Reading, StoreError>)>,
    start_key: Option<AttributeMap>,
    is_finished: bool,
}

enum ScanError {
    NoIndex,
    Store(StoreError),
}

impl<'a> TypeScan<'a> {
    fn new(data_type: &'a DataType) -> Self {
        Self {
            data_type,
            readings: VecDeque::new(),
            start_key: None,
            is_finished: false,
        }
    }

    fn compare(&self, other: &Self, order: Order) -> Ordering {
        let first_id = |scan: &Self| scan.readings.front().map(|(id, _)| *id);
        let ascending = first_id(self).cmp(&first_id(other));
        match order {
            Order::Asc => ascending,
            Order::Desc => ascending.reverse(),
        }
    }

    /// Reads up to `per_type` more readings, at least one unless the scan is finished.
    async fn fetch_more(
        &mut self,
        table: &TableClient,
        query: &ListQuery,
        per_type: usize,
    ) -> Result<(), ScanError> {
        while self.readings.is_empty() && !self.is_finished {
            let request = index_query(table, query, self.data_type)
                .limit(to_limit(per_type))
                .set_exclusive_start_key(self.start_key.take());
            let response = query_response::send(request, table.fast_query_parser)
                .await
                .map_err(|error| {
                    if error.as_service_error().is_some_and(is_missing_index) {
                        ScanError::NoIndex
                    } else {
                        ScanError::Store(table.errors.classify("Query", error))
                    }
                })?;
            for item in response.items {
                if let RawItem::Reading { id, reading, .. } = item {
                    self.readings.push_back((id, reading));
                }
            }
            self.start_key = response.exclusive_start_key;
            self.is_finished = self.start_key.is_none();
        }
        Ok(())
    }
}

/// Returns `true` if the query failed for lack of the index.
fn is_missing_index(error: &QueryError) -> bool {
    error.meta().code() == Some("ValidationException")
        && error
            .meta()
            .message()
            .is_some_and(|message| message.contains("index"))
}

/// Adds an item to the page, if it is a reading.
fn push_item(table: &TableClient, page: &mut PageBuilder<'_>, item: RawItem) {
    match item {
        RawItem::Reading {
            id,
            reading,
            is_indexed,
        } => {
            if !is_indexed {
                table.warn_missing_index_keys();
            }
            page.push(id, reading);
        }
        RawItem::Foreign => {
            tracing::warn!("skipped an item that this service did not write");
            page.skip(1, None);
        }
    }
}

/// Consistent query of a user's readings in the table.
fn table_query(table: &TableClient, query: &ListQuery) -> QueryFluentBuilder {
    range_query(table, query, USER_ID, query.user_id.as_str().to_owned()).consistent_read(true)
}

/// Query of a user's readings of one type in the index, which DynamoDB updates
/// asynchronously.
fn index_query(table: &TableClient, query: &ListQuery, data_type: &DataType) -> QueryFluentBuilder {
    range_query(
        table,
        query,
        TYPE_KEY,
        item::type_key(&query.user_id, data_type),
    )
    .index_name(TYPE_INDEX)
}

fn range_query(
    table: &TableClient,
    query: &ListQuery,
    partition: &str,
    value: String,
) -> QueryFluentBuilder {
    let (first, last) = query.ids().texts();
    table
        .client
        .query()
        .table_name(&table.table)
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

fn to_limit(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
