//! Clarity's own documents in Firestore.
//!
//! They have three shapes, all in collections named `health_data`:
//!
//! * A: `metric_data` is one metric; a document per metric;
//! * B: `metrics` is an array of metrics; a document per upload;
//! * C: `data_type` or `type` with `value` and any other members; in the oldest
//!   documents, values under their own names: `heart_rate`, `steps`.
//!
//! A metric has up to eight values in each of up to four blocks (`metric`), and
//! each value becomes a reading in the unit of the vocabulary (`fields`). All
//! other members of the metric become metadata, except those that describe the
//! upload only (`processing_id`, `metric_index`, `expires_at`), so that a metric
//! stored in two shapes is one reading.

mod fields;
mod flat;
mod metric;
mod upload;

use self::metric::ClarityMetric;
use self::upload::{Parts, Upload};
use super::values::{text, time};
use crate::import::raw_reading::ImportContext;
use crate::import::record::Rejection;
use crate::import::sources::firestore::{Document, Fields, Value};

/// The collection of Clarity's readings.
const COLLECTION: &str = "health_data";

/// Returns the readings of one of Clarity's documents; `None` for a document of
/// another collection.
pub fn readings(document: &Document, context: &ImportContext) -> Option<Parts> {
    (document.collection() == COLLECTION).then(|| from_fields(&document.fields, context))
}

fn from_fields(fields: &Fields, context: &ImportContext) -> Parts {
    let upload = Upload {
        user_id: text(fields.get("user_id")),
        source: text(fields.get("upload_source")),
        created_at: time(fields.get("created_at").or(fields.get("received_at"))),
    };
    let readings_of = |metric: &Value| match metric {
        Value::Map(metric) => ClarityMetric::new(&upload, metric).readings(context),
        _ => vec![Err(Rejection::new("the metric", "must be a map"))],
    };
    match (fields.get("metric_data"), fields.get("metrics")) {
        (Some(metric), _) if *metric != Value::Null => readings_of(metric),
        (_, Some(Value::Array(metrics))) if !metrics.is_empty() => {
            metrics.iter().flat_map(readings_of).collect()
        }
        (_, Some(metrics)) if *metrics != Value::Null => {
            let reason = "must be an array of at least one metric";
            vec![Err(Rejection::new("metrics", reason))]
        }
        _ => flat::readings(fields, context),
    }
}
