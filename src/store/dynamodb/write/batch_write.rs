//! `BatchWriteItem`, repeated until everything is processed or a deadline passes.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemOutput;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::{Instant, sleep};

use crate::domain::Reading;
use crate::store::StoreError;
use crate::store::dynamodb::error::ErrorMapper;
use crate::store::dynamodb::schema::{AttributeMap, DATA_ID, USER_ID};

/// Limit of `BatchWriteItem`:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>.
pub(super) const MAX_REQUESTS: usize = 25;

/// First and longest delay before unprocessed requests are sent again, jitter excluded.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(25), Duration::from_secs(1));

pub(super) fn put(item: AttributeMap) -> Result<WriteRequest, StoreError> {
    let put = PutRequest::builder().set_item(Some(item)).build();
    let put = put.map_err(StoreError::unavailable)?;
    Ok(WriteRequest::builder().put_request(put).build())
}

/// Number of retries of a call that was throttled as a whole. A call that was processed
/// in part is repeated without such a limit.
const MAX_RETRIES: usize = 4;

/// Delays between retries of a call that is throttled as a whole.
pub(super) fn short_backoff() -> impl Iterator<Item = Duration> {
    backoff().take(MAX_RETRIES)
}

/// Exponential delays with jitter, without end.
pub(super) fn backoff() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_min_delay(BACKOFF.0)
        .with_max_delay(BACKOFF.1)
        .without_max_times()
        .with_jitter()
        .build()
}

/// Waits before a throttled call is retried.
///
/// # Errors
/// Returns `error` if it is not a throttling error, or if no retry is left before
/// `deadline`.
pub(super) async fn backoff_or_fail(
    error: StoreError,
    backoff: &mut impl Iterator<Item = Duration>,
    deadline: Instant,
) -> Result<(), StoreError> {
    match backoff.next() {
        Some(wait)
            if matches!(error, StoreError::Throttled(_)) && Instant::now() + wait <= deadline =>
        {
            sleep(wait).await;
            Ok(())
        }
        _ => Err(error),
    }
}

/// Requests that were not processed, and the reason.
pub(super) struct PartialBatch {
    pub(super) requests: Vec<WriteRequest>,
    pub(super) error: StoreError,
}

impl PartialBatch {
    /// Returns `true` if the put of `reading` was not processed.
    pub(super) fn contains(&self, reading: &Reading) -> bool {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let user_id = text(reading.measurement.user_id.as_str());
        let id = text(&reading.id.to_string());
        self.requests
            .iter()
            .any(|request| key_of(request) == Some([&user_id, &id]))
    }
}

/// Returns the requests of `sent` that were not processed.
///
/// # Errors
/// If the response lacks them or contains others. Then any request may be unprocessed.
fn unprocessed(
    sent: &[WriteRequest],
    response: BatchWriteItemOutput,
) -> Result<Vec<WriteRequest>, StoreError> {
    let invalid =
        || StoreError::unavailable("the response of BatchWriteItem has no valid UnprocessedItems");
    // DynamoDB always sends the map, empty if nothing is left.
    let left = response.unprocessed_items.ok_or_else(invalid)?;
    let left: Vec<WriteRequest> = left.into_values().flatten().collect();
    let was_sent =
        |left| key_of(left).is_some() && sent.iter().any(|sent| key_of(sent) == key_of(left));
    left.iter()
        .all(was_sent)
        .then_some(left)
        .ok_or_else(invalid)
}

/// Returns the key of the item that a request puts.
fn key_of(request: &WriteRequest) -> Option<[&AttributeValue; 2]> {
    let item = request.put_request().map(PutRequest::item)?;
    Some([item.get(USER_ID)?, item.get(DATA_ID)?])
}

/// Sends up to [`MAX_REQUESTS`] requests, and repeats unprocessed ones until
/// `deadline`.
pub(super) async fn send(
    client: &Client,
    table: &str,
    errors: &ErrorMapper,
    mut requests: Vec<WriteRequest>,
    deadline: Instant,
) -> Result<(), PartialBatch> {
    let (mut backoff, mut short_backoff) = (backoff(), short_backoff());
    loop {
        let sent = client
            .batch_write_item()
            .request_items(table, requests.clone())
            .send()
            .await;
        let retry = match sent {
            Ok(response) => match unprocessed(&requests, response) {
                Ok(left) if left.is_empty() => return Ok(()),
                Ok(left) => {
                    requests = left;
                    let left = "BatchWriteItem left requests unprocessed until the deadline";
                    backoff_or_fail(StoreError::throttled(left), &mut backoff, deadline).await
                }
                Err(error) => Err(error),
            },
            Err(error) => {
                let error = errors.classify("BatchWriteItem", error);
                backoff_or_fail(error, &mut short_backoff, deadline).await
            }
        };
        if let Err(error) = retry {
            return Err(PartialBatch { requests, error });
        }
    }
}
