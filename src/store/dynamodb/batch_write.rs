//! `BatchWriteItem`, until everything is processed or time is over.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemOutput;
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, PutRequest, WriteRequest};
use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::{Instant, sleep};

use super::error::Faults;
use super::schema::{AttributeMap, DATA_ID, USER_ID};
use crate::domain::Reading;
use crate::store::StoreError;

/// The most requests in one call.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>
pub(super) const MOST: usize = 25;

/// The wait before what was left unprocessed is sent again, with jitter on top:
/// the first, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(25), Duration::from_secs(1));

pub(super) fn put(item: AttributeMap) -> Result<WriteRequest, StoreError> {
    let put = PutRequest::builder().set_item(Some(item)).build();
    let put = put.map_err(StoreError::unavailable)?;
    Ok(WriteRequest::builder().put_request(put).build())
}

pub(super) fn delete(key: AttributeMap) -> Result<WriteRequest, StoreError> {
    let delete = DeleteRequest::builder().set_key(Some(key)).build();
    let delete = delete.map_err(StoreError::unavailable)?;
    Ok(WriteRequest::builder().delete_request(delete).build())
}

/// How often a call is repeated that was throttled as a whole. What is left
/// unprocessed of one that got something through is sent again without such a
/// limit.
const MOST_REPETITIONS: usize = 4;

/// Waits between repetitions of a call that is throttled as a whole.
pub(super) fn few_waits() -> impl Iterator<Item = Duration> {
    waits().take(MOST_REPETITIONS)
}

/// Waits between repetitions, each longer than the one before up to a limit.
pub(super) fn waits() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_min_delay(WAITS.0)
        .with_max_delay(WAITS.1)
        .without_max_times()
        .with_jitter()
        .build()
}

/// Waits until what was throttled is to be sent again.
///
/// # Errors
/// `error`, if it is another one, or if `deadline` or the last of `waits` comes
/// first.
pub(super) async fn wait_after(
    error: StoreError,
    waits: &mut impl Iterator<Item = Duration>,
    deadline: Instant,
) -> Result<(), StoreError> {
    match waits.next() {
        Some(wait)
            if matches!(error, StoreError::Throttled(_)) && Instant::now() + wait <= deadline =>
        {
            sleep(wait).await;
            Ok(())
        }
        _ => Err(error),
    }
}

/// What was not written, and why.
pub(super) struct Incomplete {
    pub(super) requests: Vec<WriteRequest>,
    pub(super) error: StoreError,
}

impl Incomplete {
    /// Whether the put of `reading` is among what was not written.
    pub(super) fn holds(&self, reading: &Reading) -> bool {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let user_id = text(reading.measurement.user_id.as_str());
        let id = text(&reading.id.to_string());
        self.requests
            .iter()
            .any(|request| key_of(request) == Some([&user_id, &id]))
    }
}

/// Which of the requests `sent` the answer left unprocessed.
///
/// # Errors
/// When it does not tell, or names others, so that all may be unprocessed.
fn unprocessed(
    sent: &[WriteRequest],
    answer: BatchWriteItemOutput,
) -> Result<Vec<WriteRequest>, StoreError> {
    let not_told =
        || StoreError::unavailable("BatchWriteItem did not tell what it left unprocessed");
    // Where nothing is left, DynamoDB gives an empty map.
    let left = answer.unprocessed_items.ok_or_else(not_told)?;
    let left: Vec<WriteRequest> = left.into_values().flatten().collect();
    let is_sent =
        |left| key_of(left).is_some() && sent.iter().any(|sent| key_of(sent) == key_of(left));
    left.iter()
        .all(is_sent)
        .then_some(left)
        .ok_or_else(not_told)
}

/// What a request puts or deletes.
fn key_of(request: &WriteRequest) -> Option<[&AttributeValue; 2]> {
    let put = request.put_request().map(PutRequest::item);
    let item = put.or(request.delete_request().map(DeleteRequest::key))?;
    Some([item.get(USER_ID)?, item.get(DATA_ID)?])
}

/// Sends up to [`MOST`] requests, and again what DynamoDB left unprocessed,
/// until `deadline`. Of a call that was throttled all is unprocessed.
pub(super) async fn send(
    client: &Client,
    table: &str,
    faults: &Faults,
    mut requests: Vec<WriteRequest>,
    deadline: Instant,
) -> Result<(), Incomplete> {
    let (mut waits, mut few_waits) = (waits(), few_waits());
    loop {
        let sent = client
            .batch_write_item()
            .request_items(table, requests.clone())
            .send()
            .await;
        let waited = match sent {
            Ok(answer) => match unprocessed(&requests, answer) {
                Ok(left) if left.is_empty() => return Ok(()),
                Ok(left) => {
                    requests = left;
                    let left = "BatchWriteItem left some unprocessed until the end";
                    wait_after(StoreError::throttled(left), &mut waits, deadline).await
                }
                Err(error) => Err(error),
            },
            Err(error) => {
                let error = faults.classify("BatchWriteItem", error);
                wait_after(error, &mut few_waits, deadline).await
            }
        };
        if let Err(error) = waited {
            return Err(Incomplete { requests, error });
        }
    }
}
