//! Storing many readings at once.

use std::borrow::Cow;
use std::fmt;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::json_response::answer;
use super::reading_json::NewReading;
use crate::domain::{Measurement, Reading, UserId};
use crate::http::access::{Permission, WriteData};
use crate::http::extract::{FromJson, Json, object};
use crate::http::openapi::BatchProblems;
use crate::http::overload::MAX_BATCH_BODY_BYTES;
use crate::http::problem::{ApiError, BatchItemResult, BatchItemStatus, Faults};
use crate::http::state::AppState;
use crate::store::{BatchPutStatus, StoreError, put_batch};

/// The most readings in a batch.
const MOST: usize = 5_000;

/// Store up to 5,000 readings.
///
/// Each is taken or rejected by itself. When this answers 200, all that are
/// `stored` are durable. Sending the whole batch again is safe and changes
/// nothing: after a 503, whose `results` tell how far it came, do so. Of a
/// client's record that comes more than once the highest version counts.
#[utoipa::path(
    post, path = "/data/batch", tag = "readings", operation_id = "create_readings",
    security(("api_key" = ["data:write"]), ("token" = ["data:write"])),
    request_body(
        content = NewBatch, description = "The readings, of any users; up to 8 MiB.",
        example = json!({
            "readings": [
                {"user_id": "user123", "data_type": "heart_rate", "value": 72, "timestamp": "2024-01-15T10:30:00Z"},
                {"user_id": "user123", "data_type": "steps", "value": 61, "timestamp": "2024-01-15T10:31:00Z"}
            ]
        })
    ),
    responses((status = 200, description = "What became of each.", body = BatchResponse), BatchProblems)
)]
pub async fn create(
    _: Permission<WriteData>,
    State(state): State<AppState>,
    Json(Batch { taken_in, .. }): Json<Batch>,
) -> Result<Response, ApiError> {
    let mut results = Results::with_capacity(taken_in.len());
    let mut readings = Vec::with_capacity(taken_in.len());
    for reading in taken_in {
        match reading {
            Ok(reading) => {
                results.await_outcome(&reading);
                readings.push(reading);
            }
            Err(faults) => results.reject(faults),
        }
    }
    let outcomes = put_batch(&*state.store, readings).await;
    answer(&BatchResponse::from(results.complete(outcomes)?))
}

/// The readings of a batch, or what is wrong with each. Their ids are made where
/// they are read, as 5,000 would keep other requests waiting.
pub struct Batch {
    taken_in: Vec<Result<Reading, Faults>>,
    /// Whose those are that are rejected, where they tell: nobody tries others'
    /// ids unseen.
    rejected_of: Vec<UserId>,
}

/// All that matters of a rejected reading.
#[derive(Deserialize)]
struct Whose<'a> {
    #[serde(borrow)]
    user_id: Cow<'a, str>,
}

/// A batch of readings. Members that are not named here are refused.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBatch<'a> {
    /// The readings.
    #[serde(borrow)]
    #[schema(value_type = Vec<NewReading>, required, min_items = 1, max_items = 5000)]
    readings: Option<&'a RawValue>,
}

impl FromJson for Batch {
    const MAX_BODY_BYTES: usize = MAX_BATCH_BODY_BYTES;
    const BRINGS: u64 = 1;

    fn from_json(json: &[u8], now: Timestamp) -> Result<Self, ApiError> {
        let NewBatch { readings } = object(json)?;
        let fault = |detail| ApiError::Invalid(Faults::one("/readings", detail));
        let readings = readings.ok_or_else(|| fault("is required"))?;
        let Elements(readings) = serde_json::from_str(readings.get())
            .map_err(|_| fault("must be an array of 1 to 5000 readings"))?;
        if readings.is_empty() {
            return Err(fault("must hold at least one reading"));
        }
        let mut rejected_of = Vec::new();
        let read = |(index, reading): (usize, &RawValue)| {
            let text = reading.get();
            let measurement = Measurement::from_json(text.as_bytes(), now);
            let reading = measurement.map(|measurement| Reading::accept(measurement, now));
            reading.map_err(|error| {
                rejected_of.extend(whose(text));
                let faults = match error {
                    ApiError::Invalid(faults) => faults,
                    // What is JSON as part of the whole may still hold text that is
                    // none.
                    _ => Faults::one("", "must be a JSON object with valid Unicode"),
                };
                faults.below(&format!("/readings/{index}"))
            })
        };
        let taken_in = readings.into_iter().enumerate().map(read).collect();
        Ok(Self {
            taken_in,
            rejected_of,
        })
    }

    fn users(&self) -> impl Iterator<Item = &UserId> {
        let good = self.taken_in.iter().flatten();
        let good = good.map(|reading| &reading.measurement.user_id);
        good.chain(&self.rejected_of)
    }
}

/// Whose a reading is that is rejected for something else.
fn whose(reading: &str) -> Option<UserId> {
    let Whose { user_id } = serde_json::from_str(reading).ok()?;
    user_id.parse().ok()
}

/// The elements of an array of at most [`MOST`]; of a longer one no more are
/// read.
struct Elements<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Elements<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ElementsVisitor;

        impl<'de> Visitor<'de> for ElementsVisitor {
            type Value = Elements<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "an array of up to {MOST} elements")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = array.next_element()? {
                    if elements.len() == MOST {
                        return Err(serde::de::Error::invalid_length(MOST + 1, &self));
                    }
                    elements.push(element);
                }
                Ok(Elements(elements))
            }
        }

        deserializer.deserialize_seq(ElementsVisitor)
    }
}

/// The results of a batch while it is being stored.
struct Results {
    results: Vec<BatchItemResult>,
    /// Those that wait for the store, in the order in which it gets them.
    waiting: Vec<usize>,
}

impl Results {
    fn with_capacity(count: usize) -> Self {
        Self {
            results: Vec::with_capacity(count),
            waiting: Vec::with_capacity(count),
        }
    }

    fn await_outcome(&mut self, reading: &Reading) {
        let index = self.results.len();
        self.waiting.push(index);
        self.results.push(BatchItemResult {
            index,
            result: BatchItemStatus::Failed,
            data_id: Some(reading.id.to_string()),
            errors: Vec::new(),
        });
    }

    fn reject(&mut self, faults: Faults) {
        self.results.push(BatchItemResult {
            index: self.results.len(),
            result: BatchItemStatus::Rejected,
            data_id: None,
            errors: faults.into_list(),
        });
    }

    /// The results with what the store answered.
    fn complete(
        mut self,
        outcomes: Vec<Result<BatchPutStatus, StoreError>>,
    ) -> Result<Vec<BatchItemResult>, ApiError> {
        let mut failure: Option<StoreError> = None;
        for (index, outcome) in self.waiting.into_iter().zip(outcomes) {
            match outcome {
                Ok(BatchPutStatus::Stored | BatchPutStatus::Unchanged) => {
                    self.results[index].result = BatchItemStatus::Stored
                }
                Ok(BatchPutStatus::Superseded) => {
                    self.results[index].result = BatchItemStatus::Superseded
                }
                // Rather one that may pass: then it is worth sending again.
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

/// What became of a batch.
#[derive(Serialize, ToSchema)]
struct BatchResponse {
    /// Always `true`.
    #[schema(example = true)]
    success: bool,
    /// How many are held.
    #[schema(example = 2)]
    stored: usize,
    /// Of how many a higher version is held.
    #[schema(example = 0)]
    superseded: usize,
    /// How many do not fit the model.
    #[schema(example = 0)]
    rejected: usize,
    /// What became of each, in the order of the request.
    results: Vec<BatchItemResult>,
}

impl From<Vec<BatchItemResult>> for BatchResponse {
    fn from(results: Vec<BatchItemResult>) -> Self {
        let count = |outcome| {
            let of_it = results.iter().filter(|result| result.result == outcome);
            of_it.count()
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
