//! Batches of readings.

use std::borrow::Cow;
use std::fmt;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::json_response::leased_json_response;
use super::reading_json::NewReading;
use crate::domain::{Measurement, Reading, UserId};
use crate::http::access::{Authorized, WriteData};
use crate::http::extract::{Json, RequestBody, parse_object};
use crate::http::openapi::BatchErrors;
use crate::http::overload::{AdmissionTicket, MAX_BATCH_BODY_BYTES};
use crate::http::problem::{ApiError, BatchItemResult, BatchItemStatus, ValidationErrors};
use crate::http::state::AppState;
use crate::store::{BatchPutStatus, StoreError};

/// Maximum number of readings in a batch.
const MAX_READINGS: usize = 5_000;

/// Create up to 5,000 readings
///
/// Readings are accepted or rejected independently. With 200, all readings with
/// the status `stored` are durable. Sending the whole batch again is idempotent:
/// do so after a 503, whose `results` report the progress so far. If a client
/// record appears more than once, its highest version wins.
#[utoipa::path(
    post, path = "/data/batch", tag = "readings", operation_id = "create_readings",
    security(("api_key" = ["data:write"]), ("token" = ["data:write"])),
    request_body(
        content = NewBatch, description = "Readings of one or more users, at most 8 MiB.",
        example = json!({
            "readings": [
                {"user_id": "user123", "data_type": "heart_rate", "value": 72, "timestamp": "2024-01-15T10:30:00Z"},
                {"user_id": "user123", "data_type": "steps", "value": 61, "timestamp": "2024-01-15T10:31:00Z"}
            ]
        })
    ),
    responses((status = 200, description = "Result of each reading.", body = BatchResponse), BatchErrors)
)]
pub async fn create(
    _: Authorized<WriteData>,
    State(state): State<AppState>,
    ticket: AdmissionTicket,
    Json { value, memory }: Json<Batch>,
) -> Result<Response, ApiError> {
    let parsed = value.parsed;
    let mut results = BatchResultBuilder::with_capacity(parsed.len());
    let mut readings = Vec::with_capacity(parsed.len());
    for reading in parsed {
        match reading {
            Ok(reading) => {
                results.pending(&reading);
                readings.push(reading);
            }
            Err(errors) => results.reject(errors),
        }
    }
    let outcomes = state.store.put_batch(readings).await;
    let response = BatchResponse::from(results.complete(outcomes)?);
    let json = serde_json::to_vec(&response).map_err(ApiError::Serialization)?;
    let response = leased_json_response(json, &state.admission, &ticket).await;
    drop(memory);
    response
}

/// Parsed readings of a batch, or the errors of each. Ids are derived while
/// parsing, off the runtime's threads, as 5,000 of them would delay other
/// requests.
pub struct Batch {
    parsed: Vec<Result<Reading, ValidationErrors>>,
    /// Owners of rejected readings, when parseable, so that probing other users'
    /// ids is still audited.
    rejected_owners: Vec<UserId>,
}

/// The part of a rejected reading that matters for the audit.
#[derive(Deserialize)]
struct OwnerOnly<'a> {
    #[serde(borrow)]
    user_id: Cow<'a, str>,
}

/// Batch of readings. Unknown members are rejected.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBatch<'a> {
    /// Readings to create, of one or more users.
    #[serde(borrow)]
    #[schema(value_type = Vec<NewReading>, required, min_items = 1, max_items = 5000)]
    readings: Option<&'a RawValue>,
}

impl RequestBody for Batch {
    const MAX_BODY_BYTES: usize = MAX_BATCH_BODY_BYTES;
    const READINGS_PER_USER: u64 = 1;

    fn parse(json: &[u8], now: Timestamp) -> Result<Self, ApiError> {
        let NewBatch { readings } = parse_object(json)?;
        let invalid = |detail| ApiError::Invalid(ValidationErrors::single("/readings", detail));
        let readings = readings.ok_or_else(|| invalid("is required"))?;
        let BoundedArray(readings) = serde_json::from_str(readings.get())
            .map_err(|_| invalid("must be an array of 1 to 5000 readings"))?;
        if readings.is_empty() {
            return Err(invalid("must contain at least one reading"));
        }
        let mut rejected_owners = Vec::new();
        let read = |(index, reading): (usize, &RawValue)| {
            let text = reading.get();
            let measurement = Measurement::parse(text.as_bytes(), now);
            let reading = measurement.map(|measurement| Reading::accept(measurement, now));
            reading.map_err(|error| {
                rejected_owners.extend(owner_of(text));
                let errors = match error {
                    ApiError::Invalid(errors) => errors,
                    // Valid JSON within the batch, but not by itself, such as
                    // lone surrogates in a string.
                    _ => ValidationErrors::single("", "must be a JSON object with valid Unicode"),
                };
                errors.nested_under(&format!("/readings/{index}"))
            })
        };
        let parsed = readings.into_iter().enumerate().map(read).collect();
        Ok(Self {
            parsed,
            rejected_owners,
        })
    }

    fn users(&self) -> impl Iterator<Item = &UserId> {
        let good = self.parsed.iter().flatten();
        let good = good.map(|reading| &reading.measurement.user_id);
        good.chain(&self.rejected_owners)
    }
}

/// Returns the owner of a rejected reading, if it is valid.
fn owner_of(reading: &str) -> Option<UserId> {
    let OwnerOnly { user_id } = serde_json::from_str(reading).ok()?;
    user_id.parse().ok()
}

/// Elements of an array of at most [`MAX_READINGS`]; parsing stops beyond that.
struct BoundedArray<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for BoundedArray<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BoundedArrayVisitor;

        impl<'de> Visitor<'de> for BoundedArrayVisitor {
            type Value = BoundedArray<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "an array of up to {MAX_READINGS} elements")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = array.next_element()? {
                    if elements.len() == MAX_READINGS {
                        return Err(serde::de::Error::invalid_length(MAX_READINGS + 1, &self));
                    }
                    elements.push(element);
                }
                Ok(BoundedArray(elements))
            }
        }

        deserializer.deserialize_seq(BoundedArrayVisitor)
    }
}

/// Builder of a batch's results, in request order.
struct BatchResultBuilder {
    results: Vec<BatchItemResult>,
    /// Positions of the readings given to the store, in that order.
    pending_indices: Vec<usize>,
}

impl BatchResultBuilder {
    fn with_capacity(count: usize) -> Self {
        Self {
            results: Vec::with_capacity(count),
            pending_indices: Vec::with_capacity(count),
        }
    }

    fn pending(&mut self, reading: &Reading) {
        let index = self.results.len();
        self.pending_indices.push(index);
        self.results.push(BatchItemResult {
            index,
            result: BatchItemStatus::Failed,
            data_id: Some(reading.id.to_string()),
            errors: Vec::new(),
        });
    }

    fn reject(&mut self, errors: ValidationErrors) {
        self.results.push(BatchItemResult {
            index: self.results.len(),
            result: BatchItemStatus::Rejected,
            data_id: None,
            errors: errors.into_vec(),
        });
    }

    /// Adds the store's results.
    fn complete(
        mut self,
        outcomes: Vec<Result<BatchPutStatus, StoreError>>,
    ) -> Result<Vec<BatchItemResult>, ApiError> {
        let mut failure: Option<StoreError> = None;
        for (index, outcome) in self.pending_indices.into_iter().zip(outcomes) {
            match outcome {
                Ok(BatchPutStatus::Stored | BatchPutStatus::Unchanged) => {
                    self.results[index].result = BatchItemStatus::Stored
                }
                Ok(BatchPutStatus::Superseded) => {
                    self.results[index].result = BatchItemStatus::Superseded
                }
                // Prefer a retryable error, so that the client sends the batch
                // again.
                Err(error) if failure.as_ref().is_none_or(|first| !first.is_retryable()) => {
                    failure = Some(error);
                }
                Err(_) => {}
            }
        }
        match failure {
            None => Ok(self.results),
            Some(source) => Err(ApiError::BatchInterrupted {
                source,
                results: self.results,
            }),
        }
    }
}

/// Results of a batch.
#[derive(Serialize, ToSchema)]
struct BatchResponse {
    /// Always `true` in this response.
    #[schema(example = true)]
    success: bool,
    /// Number of readings that are stored, now or by an earlier request.
    #[schema(example = 2)]
    stored: usize,
    /// Number of readings of which a higher version of the client record is
    /// stored.
    #[schema(example = 0)]
    superseded: usize,
    /// Number of invalid readings.
    #[schema(example = 0)]
    rejected: usize,
    /// Result of each reading, in request order.
    results: Vec<BatchItemResult>,
}

impl From<Vec<BatchItemResult>> for BatchResponse {
    fn from(results: Vec<BatchItemResult>) -> Self {
        let count = |outcome| {
            let matching = results.iter().filter(|result| result.result == outcome);
            matching.count()
        };
        Self {
            success: true,
            stored: count(BatchItemStatus::Stored),
            superseded: count(BatchItemStatus::Superseded),
            rejected: count(BatchItemStatus::Rejected),
            results,
        }
    }
}
