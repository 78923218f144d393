use serde::Serialize;
use utoipa::ToSchema;

use super::validation::FieldError;

/// Result of one reading of a batch.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BatchItemResult {
    /// Position of the reading in the request, from 0.
    #[schema(example = 0)]
    pub index: usize,
    /// Status of the reading.
    pub result: BatchItemStatus,
    /// Id of the reading; absent if it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Uuid, example = "018d0cab-c440-85d0-a3ae-7ec39b0fdb2e")]
    pub data_id: Option<String>,
    /// Violated rules, if the reading was rejected.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// Status of one reading of a batch: `stored` (durable, now or by an earlier
/// request), `superseded` (a higher version of the client record is stored),
/// `rejected` (invalid, see `errors`), or `failed` (only in 500 and 503
/// responses: its outcome is unknown).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BatchItemStatus {
    /// Stored, now or by an earlier request.
    Stored,
    /// A higher version of the client record is stored.
    Superseded,
    /// Violates the rules of a reading.
    Rejected,
    /// Outcome unknown, as the store failed. Only in 500 and 503 responses.
    Failed,
}
