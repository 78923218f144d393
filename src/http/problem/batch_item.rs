use serde::Serialize;
use utoipa::ToSchema;

use super::validation::FieldError;

/// What became of one reading of a batch.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BatchItemResult {
    /// Its place in the request, from 0.
    #[schema(example = 0)]
    pub index: usize,
    /// What became of it.
    pub result: BatchItemStatus,
    /// Its id, unless it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Uuid, example = "018d0cab-c440-85d0-a3ae-7ec39b0fdb2e")]
    pub data_id: Option<String>,
    /// If it was rejected: each rule that it breaks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// What became of one reading of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BatchItemStatus {
    /// It is held, now or since an earlier time.
    Stored,
    /// A higher version of the client's record is held.
    Superseded,
    /// It does not fit the model.
    Rejected,
    /// Only in the answer 503 or 500: it is not known to be held.
    Failed,
}
