//! `Query` requests whose responses are parsed straight into readings.
//!
//! The SDK's deserializer builds a map of owned strings for each item, which costs
//! more than everything else about a page. [`FastQueryInterceptor`] replaces it for
//! successful responses; error responses still go to the SDK's. The interceptor relies
//! on runtime traits that a minor release of the SDK may change, so
//! [`DynamoDbSettings::fast_query_parser`](super::DynamoDbSettings::fast_query_parser)
//! can switch it off.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::interceptors::BeforeSerializationInterceptorContextMut;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::{BoxError, SdkError};
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::query::{Query, QueryError, QueryOutput};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::interceptors::context::{Error, Output};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_plugin::RuntimePlugin as _;
use aws_smithy_runtime_api::client::ser_de::{DeserializeResponse, SharedResponseDeserializer};
use serde::Deserialize;

use super::attribute::{Attribute, ItemAttributes};
use super::item;
use super::schema::AttributeMap;
use crate::domain::{Reading, ReadingId};
use crate::store::StoreError;

/// One page of query results.
#[derive(Default)]
pub(super) struct QueryPage {
    pub(super) items: Vec<RawItem>,
    /// Number of items that the filter expression excluded.
    pub(super) filtered_out: usize,
    /// `ExclusiveStartKey` of the next page, if there is one.
    pub(super) exclusive_start_key: Option<AttributeMap>,
}

/// An item of a query result.
pub(super) enum RawItem {
    /// An item with a reading's sort key, or the error in decoding it.
    Reading {
        id: ReadingId,
        reading: Result<Reading, StoreError>,
        /// Has the key of the index by type.
        is_indexed: bool,
    },
    /// An item that another program wrote.
    Foreign,
}

/// Sends `query`, and parses its response with the SDK's parser or ours.
pub(super) async fn send(
    query: QueryFluentBuilder,
    use_fast_parser: bool,
) -> Result<QueryPage, SdkError<QueryError, HttpResponse>> {
    if !use_fast_parser {
        return query.send().await.map(QueryPage::from);
    }
    let slot = ResponseSlot::default();
    query
        .customize()
        .interceptor(FastQueryInterceptor(slot.clone()))
        .send()
        .await?;
    Ok(slot.take())
}

/// Hands the parsed page from the deserializer to [`send`], as the SDK's output type
/// has no room for it.
#[derive(Clone, Default)]
struct ResponseSlot(Arc<Mutex<QueryPage>>);

impl ResponseSlot {
    fn put(&self, page: QueryPage) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = page;
    }

    fn take(&self) -> QueryPage {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for ResponseSlot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ResponseSlot(…)")
    }
}

/// Replaces the SDK's deserializer of `Query` with [`FastQueryDeserializer`].
#[derive(Debug)]
struct FastQueryInterceptor(ResponseSlot);

impl Intercept for FastQueryInterceptor {
    fn name(&self) -> &'static str {
        "FastQueryInterceptor"
    }

    fn modify_before_serialization(
        &self,
        _: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let ours = SharedResponseDeserializer::new(FastQueryDeserializer(self.0.clone()));
        config.interceptor_state().store_put(ours);
        Ok(())
    }
}

#[derive(Debug)]
struct FastQueryDeserializer(ResponseSlot);

impl DeserializeResponse for FastQueryDeserializer {
    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        config: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Error>> {
        if !response.status().is_success() {
            return parse_error(response, config);
        }
        let body = response.body().bytes().unwrap_or_default();
        let body: QueryBody<'_> = serde_json::from_slice(body).map_err(|error| {
            OrchestratorError::operation(Error::erase(QueryError::unhandled(error)))
        })?;
        self.0.put(body.into());
        Ok(Output::erase(QueryOutput::builder().build()))
    }
}

/// Parses an error response with the SDK's deserializer.
fn parse_error(
    response: &HttpResponse,
    config: &ConfigBag,
) -> Result<Output, OrchestratorError<Error>> {
    let mut sdk_config = ConfigBag::base();
    if let Some(layer) = Query::new().config() {
        sdk_config.push_shared_layer(layer);
    }
    match sdk_config.load::<SharedResponseDeserializer>() {
        Some(sdk) => sdk.deserialize_nonstreaming_with_config(response, config),
        None => Err(OrchestratorError::other("the SDK has no deserializer")),
    }
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html#API_Query_ResponseSyntax>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct QueryBody<'a> {
    #[serde(borrow)]
    items: Option<Vec<ItemAttributes<'a>>>,
    count: Option<usize>,
    scanned_count: Option<usize>,
    #[serde(borrow)]
    last_evaluated_key: Option<HashMap<String, Attribute<'a>>>,
}

impl From<QueryBody<'_>> for QueryPage {
    fn from(body: QueryBody<'_>) -> Self {
        let [scanned, matched] = [body.scanned_count, body.count].map(Option::unwrap_or_default);
        let items = body.items.unwrap_or_default();
        let key = body.last_evaluated_key.filter(|key| !key.is_empty());
        Self {
            items: items.into_iter().map(RawItem::from).collect(),
            filtered_out: scanned.saturating_sub(matched),
            exclusive_start_key: key.map(|key| key.into_iter().filter_map(key_attribute).collect()),
        }
    }
}

/// Converts an attribute of a key. All key attributes of the table and its index are
/// strings.
fn key_attribute((name, value): (String, Attribute<'_>)) -> Option<(String, AttributeValue)> {
    match value {
        Attribute::Text(text) => Some((name, AttributeValue::S(text.into_owned()))),
        _ => None,
    }
}

impl From<QueryOutput> for QueryPage {
    fn from(output: QueryOutput) -> Self {
        let items = output.items.unwrap_or_default();
        let filtered_out = output.scanned_count.saturating_sub(output.count);
        Self {
            items: items
                .iter()
                .map(|item| RawItem::from(ItemAttributes::from(item)))
                .collect(),
            filtered_out: usize::try_from(filtered_out).unwrap_or_default(),
            exclusive_start_key: output.last_evaluated_key.filter(|key| !key.is_empty()),
        }
    }
}

impl From<ItemAttributes<'_>> for RawItem {
    fn from(item: ItemAttributes<'_>) -> Self {
        let id = match &item.data_id {
            Some(Attribute::Text(id)) => id.parse().ok(),
            _ => None,
        };
        match id {
            Some(id) => Self::Reading {
                id,
                is_indexed: item.type_key.is_some(),
                reading: item::decode(item),
            },
            None => Self::Foreign,
        }
    }
}
