//! Metrics in the embedded metric format (EMF), which `CloudWatch` extracts from
//! log lines.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Label, Metadata, Recorder, SharedString, Unit,
};
use metrics_util::registry::{AtomicStorage, Registry};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::histogram::{BucketedDistribution, Values};
use super::names::{self, MetricDefinition};
use crate::telemetry::settings::TelemetrySettings;

/// Namespace of the metrics in `CloudWatch`.
const NAMESPACE: &str = "Clarity";

/// Maximum number of metrics in a document, by the specification.
const MAX_METRICS: usize = 100;

/// Recorder that aggregates metrics until they are rendered.
pub struct EmfRecorder {
    registry: Registry<Key, AtomicStorage>,
    environment: &'static str,
    /// Metrics that `CloudWatch` gets, by name.
    metrics: HashMap<&'static str, &'static MetricDefinition>,
    /// Aggregated histogram samples.
    distributions: Mutex<HashMap<Key, BucketedDistribution>>,
}

/// Names and values of the dimensions of a document.
type Dimensions = Vec<(String, String)>;

/// Metric value in a document.
struct Entry {
    name: &'static str,
    unit: &'static str,
    value: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    name: &'static str,
    unit: &'static str,
}

impl EmfRecorder {
    pub fn new(settings: &TelemetrySettings) -> Self {
        let sent = names::ALL
            .iter()
            .filter(|metric| metric.cloudwatch.is_some());
        Self {
            registry: Registry::atomic(),
            environment: settings.environment,
            metrics: sent.map(|metric| (metric.name, metric)).collect(),
            distributions: Mutex::default(),
        }
    }

    /// Returns the key with only the labels that are dimensions; `None` if
    /// `CloudWatch` does not get the metric.
    fn key(&self, key: &Key) -> Option<Key> {
        let dimensions = self.metrics.get(key.name())?.cloudwatch?;
        let labels = key
            .labels()
            .filter(|label| dimensions.contains(&label.key()));
        let labels: Vec<Label> = labels.cloned().collect();
        Some(Key::from_parts(key.name().to_owned(), labels))
    }

    /// Aggregates the recorded histogram samples, to bound their memory.
    pub fn aggregate(&self) {
        let mut distributions = self
            .distributions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.registry.visit_histograms(|key, recorded| {
            if let Some(distribution) = distributions.get_mut(key) {
                distribution.record(recorded);
            } else {
                let mut distribution = BucketedDistribution::default();
                distribution.record(recorded);
                distributions.insert(key.clone(), distribution);
            }
        });
    }

    /// Renders what was recorded since the last call, a document per line.
    pub fn render(&self, since_1970: Duration) -> String {
        let mut documents: BTreeMap<Dimensions, Vec<Entry>> = BTreeMap::new();
        let mut add = |key: &Key, value: Value| {
            if let Some(metric) = self.metrics.get(key.name()) {
                let entry = Entry {
                    name: metric.name,
                    unit: metric.kind.unit(),
                    value,
                };
                documents.entry(dimensions(key)).or_default().push(entry);
            }
        };
        self.registry.visit_counters(|key, counter| {
            // CloudWatch sums increments.
            let increment = counter.swap(0, Ordering::Relaxed);
            add(key, increment.into());
        });
        self.registry.visit_gauges(|key, gauge| {
            add(key, f64::from_bits(gauge.load(Ordering::Relaxed)).into());
        });
        self.aggregate();
        let mut distributions = self
            .distributions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for (key, distribution) in &mut *distributions {
            if let Some(values) = distribution.drain() {
                add(
                    key,
                    serde_json::to_value::<Values>(values).unwrap_or_default(),
                );
            }
        }
        let mut lines = String::new();
        for (dimensions, mut entries) in documents {
            entries.sort_by_key(|entry| entry.name);
            for entries in entries.chunks(MAX_METRICS) {
                lines.push_str(&self.document(&dimensions, entries, since_1970).to_string());
                lines.push('\n');
            }
        }
        lines
    }

    fn document(&self, dimensions: &Dimensions, entries: &[Entry], since_1970: Duration) -> Value {
        let names = dimensions.iter().map(|(name, _)| name.as_str());
        let names: Vec<&str> = std::iter::once("environment").chain(names).collect();
        let metrics = entries.iter().map(|entry| Definition {
            name: entry.name,
            unit: entry.unit,
        });
        let mut document = Map::from_iter([
            (
                "_aws".to_owned(),
                json!({
                    "Timestamp": u64::try_from(since_1970.as_millis()).unwrap_or_default(),
                    "CloudWatchMetrics": [{
                        "Namespace": NAMESPACE,
                        "Dimensions": [names],
                        "Metrics": metrics.collect::<Vec<_>>(),
                    }]
                }),
            ),
            ("environment".to_owned(), self.environment.into()),
        ]);
        for (name, value) in dimensions {
            document.insert(name.clone(), value.as_str().into());
        }
        for entry in entries {
            document.insert(entry.name.to_owned(), entry.value.clone());
        }
        Value::Object(document)
    }
}

fn dimensions(key: &Key) -> Dimensions {
    let labels = key.labels();
    labels
        .map(|label| (label.key().to_owned(), label.value().to_owned()))
        .collect()
}

impl Recorder for EmfRecorder {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let counter = |counter: &Arc<AtomicU64>| Counter::from_arc(Arc::clone(counter));
        match self.key(key) {
            Some(key) => self.registry.get_or_create_counter(&key, counter),
            None => Counter::noop(),
        }
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let gauge = |gauge: &Arc<AtomicU64>| Gauge::from_arc(Arc::clone(gauge));
        match self.key(key) {
            Some(key) => self.registry.get_or_create_gauge(&key, gauge),
            None => Gauge::noop(),
        }
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        match self.key(key) {
            Some(key) => self.registry.get_or_create_histogram(&key, |histogram| {
                Histogram::from_arc(Arc::clone(histogram))
            }),
            None => Histogram::noop(),
        }
    }
}
