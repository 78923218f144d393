use super::fields::{ACTIVITY, BIOMETRIC, Field, MENTAL, SLEEP, STAGES, stage};
use super::upload::{Parts, Upload};
use crate::domain::Reading;
use crate::import::mapping::metadata::MetadataBuilder;
use crate::import::mapping::values::{number, time};
use crate::import::raw_reading::{ImportContext, RawReading};
use crate::import::record::Rejection;
use crate::import::sources::firestore::{Fields, Value};

/// Metric of a document, with up to eight values in each of up to four blocks.
pub struct ClarityMetric<'a> {
    upload: &'a Upload,
    metric: &'a Fields,
    metadata: MetadataBuilder,
}

/// Members of a metric that do not become metadata as they are.
const CONSUMED_FIELDS: &[&str] = &[
    "biometric_data",
    "sleep_data",
    "activity_data",
    "mental_health_data",
    "device_id",
    "metadata",
    "created_at",
];

/// Block of a metric.
struct MetricBlock<'a> {
    values: &'a Fields,
    known: &'static [Field],
    /// The time of the measurement.
    time: Option<String>,
    metadata: MetadataBuilder,
}

/// Value of a known field.
struct MatchedField<'a> {
    data_type: &'static str,
    /// The number and its unit in the vocabulary.
    value: (f64, &'static str),
    time: Option<&'a str>,
    metadata: MetadataBuilder,
}

impl<'a> ClarityMetric<'a> {
    pub fn new(upload: &'a Upload, metric: &'a Fields) -> Self {
        let mut metadata = MetadataBuilder::default();
        if let Some(Value::Map(own)) = metric.get("metadata") {
            metadata.add_all(own, &[]);
        }
        metadata.add_text("source", upload.source.as_deref());
        metadata.add("device", metric.get("device_id"));
        metadata.add_all(metric, CONSUMED_FIELDS);
        Self {
            upload,
            metric,
            metadata,
        }
    }

    /// Returns a reading for each value.
    pub fn readings(&self, context: &ImportContext) -> Parts {
        let created_at = time(self.metric.get("created_at"));
        let mut parts = Parts::new();
        if let Some(values) = self.block("biometric_data", &mut parts) {
            let block = MetricBlock {
                values,
                known: BIOMETRIC,
                time: created_at.clone(),
                metadata: self.metadata.clone(),
            };
            self.add(block, context, &mut parts);
        }
        if let Some(values) = self.block("activity_data", &mut parts) {
            let block = MetricBlock {
                values,
                known: ACTIVITY,
                time: time(values.get("timestamp")).or_else(|| created_at.clone()),
                metadata: self.metadata.clone(),
            };
            self.add(block, context, &mut parts);
        }
        if let Some(values) = self.block("sleep_data", &mut parts) {
            self.add_sleep(values, created_at.clone(), context, &mut parts);
        }
        if let Some(values) = self.block("mental_health_data", &mut parts) {
            let block = MetricBlock {
                values,
                known: MENTAL,
                time: time(values.get("timestamp")).or(created_at),
                metadata: self.metadata.clone(),
            };
            self.add(block, context, &mut parts);
        }
        if parts.is_empty() {
            let reason = "has no value in a known block";
            parts.push(Err(Rejection::new("the metric", reason)));
        }
        parts
    }

    fn block(&self, name: &'static str, parts: &mut Parts) -> Option<&'a Fields> {
        match self.metric.get(name) {
            Some(Value::Map(values)) => Some(values),
            None | Some(Value::Null) => None,
            Some(_) => {
                parts.push(Err(Rejection::new(name, "must be a map")));
                None
            }
        }
    }

    fn add_sleep(
        &self,
        values: &Fields,
        created_at: Option<String>,
        context: &ImportContext,
        parts: &mut Parts,
    ) {
        let start = time(values.get("sleep_start"));
        let mut metadata = self.metadata.clone();
        metadata.add_text("start", start.as_deref());
        // The time of a sleep measurement is its end.
        let time = time(values.get("sleep_end")).or(start).or(created_at);
        if let Some(Value::Map(stages)) = values.get("sleep_stages") {
            let stages = stages.iter();
            let stages: Fields = stages
                .map(|(name, value)| (stage(name).into_owned(), value.clone()))
                .collect();
            let block = MetricBlock {
                values: &stages,
                known: STAGES,
                time: time.clone(),
                metadata: metadata.clone(),
            };
            self.add(block, context, parts);
        } else {
            metadata.add("sleep_stages", values.get("sleep_stages"));
        }
        let block = MetricBlock {
            values,
            known: SLEEP,
            time,
            metadata,
        };
        self.add(block, context, parts);
    }

    /// Adds a reading for each value of a block.
    fn add(&self, block: MetricBlock<'_>, context: &ImportContext, parts: &mut Parts) {
        const TIMES: [&str; 4] = ["timestamp", "sleep_start", "sleep_end", "sleep_stages"];
        let mut metadata = block.metadata;
        let is_known = |name: &str| block.known.iter().any(|field| field.name == name);
        for (name, value) in block.values {
            if !is_known(name) && !TIMES.contains(&name.as_str()) {
                metadata.add(name, Some(value));
            }
        }
        let has_value = |name: &str| {
            let value = block.values.get(name);
            value.is_some_and(|value| *value != Value::Null)
        };
        for field in block.known {
            let value = match number(field.name, block.values.get(field.name)) {
                Ok(Some(value)) => value,
                Ok(None) => continue,
                Err(rejection) => {
                    parts.push(Err(rejection));
                    continue;
                }
            };
            // A duration that has two fields must not be counted twice.
            let is_repeated = field.name == "active_minutes" && has_value("exercise_minutes");
            let data_type = match is_repeated {
                true => "active_time",
                false => field.data_type,
            };
            let mut metadata = metadata.clone();
            metadata.add_text("scale", field.scale);
            let matched = MatchedField {
                data_type,
                value: field.to_vocabulary(value),
                time: block.time.as_deref(),
                metadata,
            };
            parts.push(self.reading(matched, context));
        }
    }

    fn reading(
        &self,
        matched: MatchedField<'_>,
        context: &ImportContext,
    ) -> Result<Reading, Rejection> {
        let metadata = matched
            .metadata
            .finish()
            .map_err(|reason| Rejection::from_validation("metadata", reason))?;
        let (value, unit) = matched.value;
        RawReading {
            user_id: self.upload.user_id.as_deref(),
            data_type: Some(matched.data_type),
            value: Some(&value.to_string()),
            timestamp: matched.time,
            unit: Some(unit),
            metadata: Some(metadata.as_str()),
            created_at: self.upload.created_at.as_deref(),
            ..RawReading::default()
        }
        .validate(context)
    }
}
