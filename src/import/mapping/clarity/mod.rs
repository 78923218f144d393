//! The documents that Clarity kept in Firestore.
//!
//! They come in three shapes, all in collections named `health_data`:
//!
//! * A: `metric_data` holds one metric, one document for each;
//! * B: `metrics` holds several, one document for each upload;
//! * C: `data_type` or `type` with `value` and any further members; or, older
//!   still, values under their own names: `heart_rate`, `steps`.
//!
//! A metric has up to eight values in up to four blocks (`metric`), each of
//! which becomes a reading in the unit of the vocabulary (`fields`). What
//! else is known of the metric goes into the metadata; what only tells of the
//! upload (`processing_id`, `metric_index`, `expires_at`) does not, so that a
//! metric that is there in two shapes is one reading.

mod fields;
mod flat;
mod metric;
mod upload;

use self::metric::Metric;
use self::upload::{Parts, Upload};
use crate::import::mapping::values::{text, time};
use crate::import::raw_reading::ImportContext;
use crate::import::record::Rejection;
use crate::import::sources::firestore::{Document, Fields, Value};

/// The collection of Clarity's readings.
const COLLECTION: &str = "health_data";

/// The readings of one of Clarity's documents; `None` for one of another
/// collection.
pub fn readings(document: &Document, context: &ImportContext) -> Option<Parts> {
    (document.collection() == COLLECTION).then(|| of_fields(&document.fields, context))
}

fn of_fields(fields: &Fields, context: &ImportContext) -> Parts {
    let upload = Upload {
        user_id: text(fields.get("user_id")),
        source: text(fields.get("upload_source")),
        created_at: time(fields.get("created_at").or(fields.get("received_at"))),
    };
    let metric = |metric: &Value| match metric {
        Value::Map(metric) => Metric::new(&upload, metric).readings(context),
        _ => vec![Err(Rejection::because("the metric", "must be a map"))],
    };
    match (fields.get("metric_data"), fields.get("metrics")) {
        (Some(one), _) if *one != Value::Null => metric(one),
        (_, Some(Value::Array(metrics))) if !metrics.is_empty() => {
            metrics.iter().flat_map(metric).collect()
        }
        (_, Some(metrics)) if *metrics != Value::Null => {
            let reason = "must be an array of at least one metric";
            vec![Err(Rejection::because("metrics", reason))]
        }
        _ => flat::readings(fields, context),
    }
}
