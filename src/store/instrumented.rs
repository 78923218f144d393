//! Metrics and spans of store operations.

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument as _, Span, info_span};

use super::{BatchPutStatus, DistinctReadings, Erasure, PutResult, ReadingStore, StoreError};
use crate::domain::{ListQuery, Page, Reading, ReadingId, UnreadableReading, UserId};
use crate::telemetry::metrics::names;

/// Wraps a store, and records a count, a duration and a span of each operation.
pub struct InstrumentedStore {
    store: Arc<dyn ReadingStore>,
}

impl InstrumentedStore {
    /// Wraps `store`.
    pub fn new(store: Arc<dyn ReadingStore>) -> Self {
        Self { store }
    }
}

/// An operation in progress. It is recorded when dropped: as interrupted, unless it has
/// finished.
struct OperationRecorder {
    name: &'static str,
    started_at: Instant,
    outcome: &'static str,
    span: Span,
}

impl OperationRecorder {
    /// Runs `future`, and records the outcome that `outcome` finds in its result.
    async fn measure<T>(
        name: &'static str,
        future: impl Future<Output = T>,
        outcome: impl FnOnce(&T) -> &'static str,
    ) -> T {
        let span = info_span!(
            "store",
            otel.name = name,
            otel.kind = "client",
            otel.status_code = Empty,
            db.operation.name = name,
            outcome = Empty,
        );
        let mut operation = Self {
            name,
            started_at: Instant::now(),
            outcome: "interrupted",
            span: span.clone(),
        };
        let result = future.instrument(span).await;
        operation.outcome = outcome(&result);
        result
    }
}

impl Drop for OperationRecorder {
    fn drop(&mut self) {
        self.span.record("outcome", self.outcome);
        if self.outcome != OK {
            self.span.record("otel.status_code", "ERROR");
        }
        metrics::counter!(
            names::STORE_OPERATIONS.name, "operation" => self.name, "outcome" => self.outcome
        )
        .increment(1);
        metrics::histogram!(
            names::STORE_OPERATION_DURATION.name, "operation" => self.name
        )
        .record(self.started_at.elapsed());
    }
}

const OK: &str = "ok";

fn outcome<T>(result: &Result<T, StoreError>) -> &'static str {
    result.as_ref().map_or_else(StoreError::kind, |_| OK)
}

/// Returns the outcome of the first reading that failed.
fn batch_outcome(results: &[Result<BatchPutStatus, StoreError>]) -> &'static str {
    let failed = results.iter().find(|result| result.is_err());
    failed.map_or(OK, outcome)
}

const STORED: &str = "stored";
const SUPERSEDED: &str = "superseded";

fn count_readings(result: &'static str, readings: usize) {
    if readings > 0 {
        let counter = metrics::counter!(names::READINGS_STORED.name, "result" => result);
        counter.increment(readings as u64);
    }
}

/// Counts the unreadable readings of a page, and logs them in one line: without their
/// ids, which contain times of measurement.
fn report_unreadable(unreadable: &[UnreadableReading]) {
    if let Some(first) = unreadable.first() {
        let counter = metrics::counter!(names::READINGS_UNREADABLE.name);
        counter.increment(unreadable.len() as u64);
        tracing::error!(
            count = unreadable.len(),
            reason = first.reason,
            "skipped unreadable readings"
        );
    }
}

#[async_trait]
impl ReadingStore for InstrumentedStore {
    async fn put(&self, reading: Reading) -> Result<PutResult, StoreError> {
        let put = OperationRecorder::measure("put", self.store.put(reading), outcome).await;
        match &put {
            Ok(PutResult::Stored(_)) => count_readings(STORED, 1),
            Ok(PutResult::Superseded(_)) => count_readings(SUPERSEDED, 1),
            Err(_) => {}
        }
        put
    }

    async fn put_many(
        &self,
        readings: DistinctReadings,
    ) -> Vec<Result<BatchPutStatus, StoreError>> {
        let future = self.store.put_many(readings);
        let results = OperationRecorder::measure("put_all", future, |all| batch_outcome(all)).await;
        #[expect(
            clippy::cast_precision_loss,
            reason = "a batch has at most 5,000 readings"
        )]
        metrics::histogram!(names::BATCH_READINGS.name).record(results.len() as f64);
        let stored = results.iter().flatten().count();
        let is_superseded = |stored: &&BatchPutStatus| **stored == BatchPutStatus::Superseded;
        let superseded = results.iter().flatten().filter(is_superseded).count();
        count_readings(STORED, stored - superseded);
        count_readings(SUPERSEDED, superseded);
        results
    }

    async fn get(&self, user_id: &UserId, id: ReadingId) -> Result<Option<Reading>, StoreError> {
        OperationRecorder::measure("get", self.store.get(user_id, id), outcome).await
    }

    async fn delete(&self, user_id: &UserId, id: ReadingId) -> Result<bool, StoreError> {
        OperationRecorder::measure("delete", self.store.delete(user_id, id), outcome).await
    }

    async fn erase_part(&self, user_id: &UserId) -> Result<Erasure, StoreError> {
        OperationRecorder::measure("erase_part", self.store.erase_part(user_id), outcome).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        let listed = OperationRecorder::measure("list", self.store.list(query), outcome).await;
        if let Ok(page) = &listed {
            report_unreadable(&page.unreadable);
        }
        listed
    }

    async fn check(&self) -> Result<(), StoreError> {
        OperationRecorder::measure("check", self.store.check(), outcome).await
    }
}
