//! Asking for a page, whose readings are made straight of the text that DynamoDB
//! answers.
//!
//! The SDK would make a map of owned texts of each item first, which costs more
//! than all else about a page. So its deserializer is left what it is good for,
//! refusals, and what is found is read here.

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

use super::attribute::{Attribute, Attributes};
use super::item::{self, Item};
use crate::domain::{Reading, ReadingId};
use crate::store::StoreError;

/// What a query found.
#[derive(Default)]
pub(super) struct QueryAnswer {
    pub(super) items: Vec<QueriedItem>,
    /// How many items the query's filter left out.
    pub(super) left_out: usize,
    /// Where to go on, unless this is the end.
    pub(super) resume: Option<Item>,
}

/// An item that a query found.
pub(super) enum QueriedItem {
    /// A reading, or what should be one.
    Reading {
        reading: Result<Reading, StoreError>,
        /// Whether it has the key of the index by type.
        is_indexed: bool,
    },
    /// What this service did not write.
    Foreign,
}

/// Asks `query`.
pub(super) async fn of(
    query: QueryFluentBuilder,
) -> Result<QueryAnswer, SdkError<QueryError, HttpResponse>> {
    let found = Slot::default();
    query
        .customize()
        .interceptor(ReadReadings(found.clone()))
        .send()
        .await?;
    Ok(found.take())
}

/// Where what was read is handed over: the SDK's own output has no place for it.
#[derive(Clone, Default)]
struct Slot(Arc<Mutex<QueryAnswer>>);

impl Slot {
    fn put(&self, answer: QueryAnswer) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }

    fn take(&self) -> QueryAnswer {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Slot(…)")
    }
}

/// Puts our deserializer in the place of the SDK's.
#[derive(Debug)]
struct ReadReadings(Slot);

impl Intercept for ReadReadings {
    fn name(&self) -> &'static str {
        "ReadReadings"
    }

    fn modify_before_serialization(
        &self,
        _: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let ours = SharedResponseDeserializer::new(ReadingsDeserializer(self.0.clone()));
        config.interceptor_state().store_put(ours);
        Ok(())
    }
}

#[derive(Debug)]
struct ReadingsDeserializer(Slot);

impl DeserializeResponse for ReadingsDeserializer {
    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        config: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Error>> {
        if !response.status().is_success() {
            return refusal(response, config);
        }
        let body = response.body().bytes().unwrap_or_default();
        let answer: Body<'_> = serde_json::from_slice(body).map_err(|error| {
            OrchestratorError::operation(Error::erase(QueryError::unhandled(error)))
        })?;
        self.0.put(answer.into());
        Ok(Output::erase(QueryOutput::builder().build()))
    }
}

/// What the SDK makes of a refusal.
fn refusal(
    response: &HttpResponse,
    config: &ConfigBag,
) -> Result<Output, OrchestratorError<Error>> {
    let mut of_sdk = ConfigBag::base();
    if let Some(layer) = Query::new().config() {
        of_sdk.push_shared_layer(layer);
    }
    match of_sdk.load::<SharedResponseDeserializer>() {
        Some(of_sdk) => of_sdk.deserialize_nonstreaming_with_config(response, config),
        None => Err(OrchestratorError::other("the SDK has no deserializer")),
    }
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html#API_Query_ResponseSyntax>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    #[serde(borrow)]
    items: Option<Vec<Attributes<'a>>>,
    count: Option<usize>,
    scanned_count: Option<usize>,
    #[serde(borrow)]
    last_evaluated_key: Option<HashMap<String, Attribute<'a>>>,
}

impl From<Body<'_>> for QueryAnswer {
    fn from(body: Body<'_>) -> Self {
        let [scanned, found] = [body.scanned_count, body.count].map(Option::unwrap_or_default);
        let items = body.items.unwrap_or_default();
        let key = body.last_evaluated_key.filter(|key| !key.is_empty());
        Self {
            items: items.into_iter().map(QueriedItem::from).collect(),
            left_out: scanned.saturating_sub(found),
            resume: key.map(|key| key.into_iter().filter_map(part_of_key).collect()),
        }
    }
}

/// An attribute of a key, which are all texts here.
fn part_of_key((name, value): (String, Attribute<'_>)) -> Option<(String, AttributeValue)> {
    match value {
        Attribute::Text(text) => Some((name, AttributeValue::S(text.into_owned()))),
        _ => None,
    }
}

impl From<Attributes<'_>> for QueriedItem {
    fn from(item: Attributes<'_>) -> Self {
        let is_reading = match &item.data_id {
            Some(Attribute::Text(id)) => id.parse::<ReadingId>().is_ok(),
            _ => false,
        };
        if is_reading {
            Self::Reading {
                is_indexed: item.type_key.is_some(),
                reading: item::decode(item),
            }
        } else {
            Self::Foreign
        }
    }
}
