//! The table of the Python service.
//!
//! Its rows have `value` as a string and the sort key
//! `<data_type>_<8 hex>_<epoch seconds>`, which readings of this service do not:
//! both may be in one table.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::value::RawValue;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use crate::domain::Reading;
use crate::import::pipeline::batch_channel::{BatchReceiver, BatchSender, ReceiverDropped};
use crate::import::pipeline::retry::{backoff, backoff_or_fail};
use crate::import::raw_reading::{ImportContext, RawReading};
use crate::import::record::{RecordContent, Rejection, SourceRecord};
use crate::import::source_location::{SourceError, SourceLocation};
use crate::store::{LegacyRow, LegacyTable, LegacyValue, Segment};
use crate::telemetry::error_chain;

/// Parallelism and rate of a scan.
#[derive(Debug, Clone, Copy)]
pub struct ScanOptions {
    /// Number of segments that are scanned in parallel.
    pub segments: u16,
    /// Maximum read units per second.
    pub max_read_units: Option<u32>,
}

/// Scans the rows of a table.
pub fn scan(
    table: &Arc<LegacyTable>,
    options: ScanOptions,
    context: &ImportContext,
) -> BatchReceiver {
    let (sender, receiver) = BatchReceiver::channel();
    let limiter = Arc::new(ReadRateLimiter::new(options.max_read_units));
    let others = (1..options.segments).map(|_| sender.clone_sender());
    let senders: Vec<BatchSender> = others.collect();
    for (index, sender) in (0..).zip(senders.into_iter().chain([sender])) {
        let reader = SegmentReader {
            table: Arc::clone(table),
            segment: Segment {
                index,
                total: options.segments,
            },
            limiter: Arc::clone(&limiter),
            // A page takes about one read unit per row.
            limit: options
                .max_read_units
                .map(|units| u16::try_from(units).unwrap_or(u16::MAX).max(25)),
            context: context.clone(),
            sender,
        };
        tokio::spawn(reader.run());
    }
    receiver
}

struct SegmentReader {
    table: Arc<LegacyTable>,
    segment: Segment,
    limiter: Arc<ReadRateLimiter>,
    limit: Option<u16>,
    context: ImportContext,
    sender: BatchSender,
}

impl SegmentReader {
    async fn run(mut self) {
        // A dropped receiver has reported its reason itself.
        let _ = self.read_pages().await;
    }

    async fn read_pages(&mut self) -> Result<(), ReceiverDropped> {
        let mut next = None;
        let table = format!("table {}", self.table.name());
        loop {
            self.limiter.wait().await;
            let mut backoff = backoff();
            let never = AtomicBool::new(false);
            let page = loop {
                let page = self.table.page(self.segment, next.clone(), self.limit);
                match page.await {
                    Ok(page) => break page,
                    Err(error) => {
                        if let Err(error) = backoff_or_fail(error, &mut backoff, &never).await {
                            let problem =
                                format!("cannot be read further: {}", error_chain(&error));
                            let location = SourceLocation::new(table, 0);
                            return self.sender.abort(SourceError::new(location, problem)).await;
                        }
                    }
                }
            };
            self.limiter.consume(page.read_units).await;
            for row in page.rows {
                let record = to_record(&table, row, &self.context);
                self.sender.push(Ok(record)).await?;
            }
            for _ in 0..page.readings {
                let record = SourceRecord {
                    location: SourceLocation::new(table.as_str(), 0),
                    name: None,
                    content: RecordContent::Other("readings of this service".into()),
                };
                self.sender.push(Ok(record)).await?;
            }
            match page.next {
                Some(start) => next = Some(start),
                None => return self.sender.finish().await,
            }
        }
    }
}

/// Limits the read units consumed per second.
struct ReadRateLimiter {
    units_per_second: Option<u32>,
    /// Time from which the rate allows the next read.
    next_read: Mutex<Instant>,
}

impl ReadRateLimiter {
    fn new(units_per_second: Option<u32>) -> Self {
        Self {
            units_per_second,
            next_read: Mutex::new(Instant::now()),
        }
    }

    async fn wait(&self) {
        if self.units_per_second.is_some() {
            let next_read = *self.next_read.lock().await;
            sleep_until(next_read).await;
        }
    }

    async fn consume(&self, units: f64) {
        if let Some(units_per_second) = self.units_per_second {
            let mut next_read = self.next_read.lock().await;
            let seconds = units / f64::from(units_per_second.max(1));
            let from = (*next_read).max(Instant::now());
            *next_read = from + Duration::from_secs_f64(seconds.max(0.0));
        }
    }
}

fn to_record(table: &str, row: LegacyRow, context: &ImportContext) -> SourceRecord {
    SourceRecord {
        location: SourceLocation::new(table, 0),
        content: RecordContent::Readings(vec![to_reading(&row, context)]),
        name: Some(format!("{}/{}", row.user_id, row.data_id).into()),
    }
}

fn to_reading(row: &LegacyRow, context: &ImportContext) -> Result<Reading, Rejection> {
    let text = |name: &str| match row.attributes.get(name) {
        Some(LegacyValue::Text(text)) => Some(text.as_str()),
        Some(LegacyValue::Json(json)) => json.as_deref(),
        None => None,
    };
    let epoch = row.data_id.rsplit('_').next();
    let epoch = epoch
        .and_then(|epoch| epoch.parse::<i64>().ok())
        .and_then(|epoch| Timestamp::from_second(epoch).ok())
        .map(|instant| instant.to_string());
    let metadata = metadata(row)?;
    RawReading {
        user_id: Some(&row.user_id),
        data_type: text("data_type"),
        value: text("value"),
        timestamp: text("timestamp").or(epoch.as_deref()),
        unit: text("unit"),
        metadata: Some(&metadata),
        created_at: text("created_at"),
        ..RawReading::default()
    }
    .validate(context)
}

/// Returns the metadata of a row and its unknown attributes as JSON.
fn metadata(row: &LegacyRow) -> Result<String, Rejection> {
    const READING_ATTRIBUTES: [&str; 5] = ["data_type", "value", "timestamp", "unit", "created_at"];
    let mut members: BTreeMap<String, Box<RawValue>> = BTreeMap::new();
    let unsupported = |name: &str| {
        let reason = "has a type that metadata cannot have";
        Rejection::new(format!("the attribute {name}"), reason)
    };
    let own = match row.attributes.get("metadata") {
        Some(LegacyValue::Json(json)) => json.as_deref(),
        Some(LegacyValue::Text(text)) => Some(text.as_str()),
        None => None,
    };
    let own = own.and_then(|json| serde_json::from_str::<BTreeMap<_, _>>(json).ok());
    let is_object = own.is_some();
    members.extend(own.unwrap_or_default());
    for (name, value) in &row.attributes {
        if READING_ATTRIBUTES.contains(&name.as_str()) || name == "metadata" && is_object {
            continue;
        }
        let json = match value {
            LegacyValue::Text(text) => serde_json::to_string(text).ok(),
            LegacyValue::Json(json) => json.clone(),
        };
        let json = json.and_then(|json| RawValue::from_string(json).ok());
        let json = json.ok_or_else(|| unsupported(name))?;
        if name != "metadata" || json.get() != "null" {
            members.entry(name.clone()).or_insert(json);
        }
    }
    serde_json::to_string(&members).map_err(|_| unsupported("metadata"))
}
