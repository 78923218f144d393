//! The rows of the Python service's table.
//!
//! They hold `value` as a string and are sorted by
//! `<data_type>_<8 hex>_<epoch seconds>`, which readings of this service are
//! not: both may be in one table.

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
use crate::import::record::{Content, Record, Rejection};
use crate::import::source_location::{SourceError, SourceLocation};
use crate::store::{LegacyRow, LegacyTable, LegacyValue, Segment, StoreError};

/// How a table is read.
#[derive(Debug, Clone, Copy)]
pub struct ScanOptions {
    /// In how many segments at once.
    pub segments: u16,
    /// At most how many read units a second.
    pub max_read_units: Option<u32>,
}

/// Reads the rows of a table, several segments at once.
pub fn feed(table: &Arc<LegacyTable>, pace: ScanOptions, context: &ImportContext) -> BatchReceiver {
    let (feeder, feed) = BatchReceiver::channel();
    let allowance = Arc::new(ReadRateLimiter::of(pace.max_read_units));
    let others = (1..pace.segments).map(|_| feeder.another());
    let feeders: Vec<BatchSender> = others.collect();
    for (index, feeder) in (0..).zip(feeders.into_iter().chain([feeder])) {
        let reader = SegmentReader {
            table: Arc::clone(table),
            segment: Segment {
                index,
                total: pace.segments,
            },
            allowance: Arc::clone(&allowance),
            // Such a page takes about one read unit for each row.
            limit: pace
                .max_read_units
                .map(|units| u16::try_from(units).unwrap_or(u16::MAX).max(25)),
            context: context.clone(),
            feeder,
        };
        tokio::spawn(reader.read());
    }
    feed
}

struct SegmentReader {
    table: Arc<LegacyTable>,
    segment: Segment,
    allowance: Arc<ReadRateLimiter>,
    limit: Option<u16>,
    context: ImportContext,
    feeder: BatchSender,
}

impl SegmentReader {
    /// Reads the segment to its end, or until nobody wants more.
    async fn read(mut self) {
        // Whoever does not want more has said why.
        let _ = self.read_pages().await;
    }

    async fn read_pages(&mut self) -> Result<(), ReceiverDropped> {
        let mut next = None;
        let table = format!("table {}", self.table.name());
        loop {
            self.allowance.wait().await;
            let mut backoff = backoff();
            let never = AtomicBool::new(false);
            let page = loop {
                let page = self.table.page(self.segment, next.clone(), self.limit);
                match page.await {
                    Ok(page) => break page,
                    Err(error) => {
                        if let Err(error) = backoff_or_fail(error, &mut backoff, &never).await {
                            let problem = format!("cannot be read on: {}", chain(&error));
                            let damage = SourceError::new(SourceLocation::new(table, 0), problem);
                            return self.feeder.break_off(damage).await;
                        }
                    }
                }
            };
            self.allowance.take(page.read_units).await;
            for row in page.rows {
                let found = record(&table, row, &self.context);
                self.feeder.push(Ok(found)).await?;
            }
            for _ in 0..page.readings {
                let found = Record {
                    place: SourceLocation::new(table.as_str(), 0),
                    name: None,
                    content: Content::Other("readings of this service".into()),
                };
                self.feeder.push(Ok(found)).await?;
            }
            match page.next {
                Some(start) => next = Some(start),
                None => return self.feeder.finish().await,
            }
        }
    }
}

/// An error and what caused it.
fn chain(error: &StoreError) -> String {
    let source = std::error::Error::source(error).map(ToString::to_string);
    [Some(error.to_string()), source]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(": ")
}

/// Read units that may be taken from now on.
struct ReadRateLimiter {
    most: Option<u32>,
    /// When what has been taken is made up for.
    free: Mutex<Instant>,
}

impl ReadRateLimiter {
    fn of(most: Option<u32>) -> Self {
        Self {
            most,
            free: Mutex::new(Instant::now()),
        }
    }

    async fn wait(&self) {
        if self.most.is_some() {
            let free = *self.free.lock().await;
            sleep_until(free).await;
        }
    }

    async fn take(&self, units: f64) {
        if let Some(most) = self.most {
            let mut free = self.free.lock().await;
            let seconds = units / f64::from(most.max(1));
            *free = (*free).max(Instant::now()) + Duration::from_secs_f64(seconds.max(0.0));
        }
    }
}

/// The reading in a row.
fn record(table: &str, row: LegacyRow, context: &ImportContext) -> Record {
    Record {
        place: SourceLocation::new(table, 0),
        content: Content::Readings(vec![reading(&row, context)]),
        name: Some(format!("{}/{}", row.user_id, row.data_id).into()),
    }
}

fn reading(row: &LegacyRow, context: &ImportContext) -> Result<Reading, Rejection> {
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
    .check(context)
}

/// What the row says apart from the reading itself, as JSON.
fn metadata(row: &LegacyRow) -> Result<String, Rejection> {
    const TOLD: [&str; 5] = ["data_type", "value", "timestamp", "unit", "created_at"];
    let mut members: BTreeMap<String, Box<RawValue>> = BTreeMap::new();
    let unreadable = |name: &str| {
        let reason = "is of a type that metadata do not have";
        Rejection::because(format!("the attribute {name}"), reason)
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
        if TOLD.contains(&name.as_str()) || name == "metadata" && is_object {
            continue;
        }
        let json = match value {
            LegacyValue::Text(text) => serde_json::to_string(text).ok(),
            LegacyValue::Json(json) => json.clone(),
        };
        let json = json.and_then(|json| RawValue::from_string(json).ok());
        let json = json.ok_or_else(|| unreadable(name))?;
        if name != "metadata" || json.get() != "null" {
            members.entry(name.clone()).or_insert(json);
        }
    }
    serde_json::to_string(&members).map_err(|_| unreadable("metadata"))
}
