//! Faults of DynamoDB: the service stays alive, reports failures, does not
//! amplify the load, recovers by itself, and loses no acknowledged reading.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use clarity_backend::store::{DynamoDbSettings, DynamoDbStore};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{ApiResponse, TestApp, connect_store_with, example_with, table_settings};
use crate::support::dynamodb_local::DynamoDbLocal;
use crate::support::faulty_dynamodb::{Fault, FaultyDynamoDb};

const FAULT_DURATION: Duration = Duration::from_secs(3);
/// Maximum time from the end of a fault to the first successful write.
const MAX_RECOVERY_TIME: Duration = Duration::from_secs(5);
/// Bound on retries while every attempt fails, so that they do not add load.
const MAX_ATTEMPTS_PER_REQUEST: f64 = 1.3;
/// Readings per batch.
const BATCH_LEN: u32 = 60;

/// An app with production timeouts over a DynamoDB with injected faults.
struct Scenario {
    app: TestApp,
    /// An app over the same table without faults.
    direct: TestApp,
    dynamodb: FaultyDynamoDb,
    next: AtomicU32,
}

/// Requests and readings written during a fault.
#[derive(Default)]
struct WriteStats {
    sent: usize,
    acknowledged: Vec<u32>,
    rejected: usize,
}

#[derive(Clone, Copy)]
enum RequestKind {
    Single,
    Batches,
}

impl RequestKind {
    /// Number of concurrent writers; of batches, as many as one core serves at once.
    fn writers(self) -> usize {
        match self {
            Self::Single => 16,
            Self::Batches => 2,
        }
    }
}

impl Scenario {
    async fn new() -> Self {
        let local = DynamoDbLocal::shared().endpoint();
        let dynamodb = FaultyDynamoDb::start(local).await;
        let settings = table_settings(&dynamodb.endpoint());
        let direct_store = connect_store_with(DynamoDbSettings {
            endpoint: Some(local.to_owned()),
            ..settings.clone()
        });
        let direct_store = direct_store.await;
        direct_store.create_table_if_missing().await.unwrap();
        let store = DynamoDbStore::connect(settings).await;
        Self {
            direct: TestApp::start_with_store(Arc::new(direct_store), None).await,
            app: TestApp::start_with_store(Arc::new(store), None).await,
            dynamodb,
            next: AtomicU32::new(0),
        }
    }

    /// Writes concurrently during the fault, and checks that the service stays alive.
    async fn write_during(
        &self,
        fault: Fault,
        duration: Duration,
        requests: RequestKind,
    ) -> WriteStats {
        let first = self.recover().await;
        self.dynamodb.set_fault(fault);
        let fault_ended = AtomicBool::new(false);
        let writers = (0..requests.writers()).map(|_| self.write_until(&fault_ended, requests));
        let watch = async {
            let start = Instant::now();
            while start.elapsed() < duration {
                assert_eq!(self.app.get("/health").await.status, 200);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            fault_ended.store(true, Ordering::SeqCst);
        };
        let (written, ()) = tokio::join!(join_all(writers), watch);
        let mut sum = WriteStats::default();
        sum.acknowledged.push(first);
        for one in written {
            sum.sent += one.sent;
            sum.rejected += one.rejected;
            sum.acknowledged.extend(one.acknowledged);
        }
        sum
    }

    async fn write_until(&self, fault_ended: &AtomicBool, requests: RequestKind) -> WriteStats {
        let mut written = WriteStats::default();
        while !fault_ended.load(Ordering::SeqCst) {
            let values = self.values(requests);
            written.sent += 1;
            let (response, stored) = self.write(&values).await;
            match response.status.as_u16() {
                200 => assert_eq!(stored, values),
                503 => {
                    assert!(response.headers.contains_key("retry-after"));
                    response.expect_problem(503, "store_unavailable");
                    written.rejected += 1;
                }
                other => panic!("{other}: {}", response.body),
            }
            written.acknowledged.extend(stored);
        }
        written
    }

    fn values(&self, requests: RequestKind) -> Vec<u32> {
        let count = match requests {
            RequestKind::Single => 1,
            RequestKind::Batches => BATCH_LEN,
        };
        let first = self.next.fetch_add(count, Ordering::SeqCst);
        (first..first + count).collect()
    }

    /// Writes readings with these values. Returns the acknowledged ones too.
    async fn write(&self, values: &[u32]) -> (ApiResponse, Vec<u32>) {
        let reading = |value: &u32| example_with(json!({"value": value}));
        if let [value] = values {
            let response = self.app.post(&reading(value)).await;
            let stored = match response.status.as_u16() {
                200 => vec![*value],
                _ => Vec::new(),
            };
            return (response, stored);
        }
        let batch = json!({"readings": values.iter().map(reading).collect::<Vec<_>>()});
        let response = self.app.post_raw("/api/v1/data/batch", batch.to_string());
        let response = response.await;
        let results = response.body["results"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let is_stored = |result: &&Value| result["result"] == "stored";
        let position = |result: &Value| usize::try_from(result["index"].as_u64().unwrap()).unwrap();
        let stored = results.iter().filter(is_stored).map(position);
        let stored = stored.map(|position| values[position]).collect();
        (response, stored)
    }

    /// Ends the fault and retries a write until it succeeds. Returns its value.
    async fn recover(&self) -> u32 {
        self.dynamodb.set_fault(Fault::None);
        let end = Instant::now();
        loop {
            let values = self.values(RequestKind::Single);
            let (response, _) = self.write(&values).await;
            if response.status == 200 {
                println!("recovered after {:?}", end.elapsed());
                return values[0];
            }
            assert!(end.elapsed() < MAX_RECOVERY_TIME, "no recovery in time");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Checks that the service recovers, becomes ready, and stores all acknowledged
    /// readings once and none that was not sent.
    async fn verify(&self, mut written: WriteStats) {
        written.acknowledged.push(self.recover().await);
        let ready = async { self.app.get("/health/ready").await.status == 200 };
        if !ready.await {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let ready = self.app.get("/health/ready").await;
            assert_eq!(ready.status, 200);
        }
        let mut stored = BTreeSet::new();
        let mut path = "/api/v1/data/user123?limit=1000".to_owned();
        loop {
            let page = self.direct.get(&path).await.expect(200.try_into().unwrap());
            for reading in page["data"].as_array().unwrap() {
                let value = reading["value"].as_f64().unwrap().to_string();
                let value: u64 = value.parse().unwrap();
                assert!(stored.insert(value), "{value} is stored twice");
            }
            let Some(cursor) = page["next_cursor"].as_str() else {
                break;
            };
            path = format!("/api/v1/data/user123?limit=1000&cursor={cursor}");
        }
        for value in &written.acknowledged {
            assert!(stored.contains(&u64::from(*value)), "{value} is lost");
        }
        let sent = u64::from(self.next.load(Ordering::SeqCst));
        assert!(stored.last().is_none_or(|last| *last < sent));
        println!(
            "{} requests, {} rejected, {} readings acknowledged, 0 lost",
            written.sent,
            written.rejected,
            written.acknowledged.len()
        );
    }

    /// Does the same as [`Self::write_during`] for a fault that lets no request
    /// succeed, and checks the number of attempts.
    async fn write_during_outage(&self, fault: Fault, duration: Duration) -> WriteStats {
        let first = self.recover().await;
        let before = self.dynamodb.puts();
        let mut written = self
            .write_during(fault, duration, RequestKind::Single)
            .await;
        // One attempt was the successful write before the fault.
        let attempts = self.dynamodb.puts() - before - 1;
        let ratio = attempts as f64 / written.sent as f64;
        println!(
            "{attempts} attempts for {} requests: {ratio:.2} each",
            written.sent
        );
        assert_eq!(written.rejected, written.sent);
        assert!(
            ratio <= MAX_ATTEMPTS_PER_REQUEST,
            "{ratio} attempts per request"
        );
        assert_eq!(self.app.get("/health/ready").await.status, 503);
        written.acknowledged.push(first);
        written
    }
}

/// Returns the duration of the outage; `CLARITY_TEST_OUTAGE_SECONDS=60` makes it
/// a minute.
fn outage() -> Duration {
    #[expect(
        clippy::disallowed_methods,
        reason = "test setting, not a setting of the service"
    )]
    let seconds = std::env::var("CLARITY_TEST_OUTAGE_SECONDS");
    seconds.map_or(FAULT_DURATION, |seconds| {
        Duration::from_secs(seconds.parse().unwrap())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn unresponsive_dynamodb_loses_no_acknowledged_reading() {
    let scenario = Scenario::new().await;
    let written = scenario
        .write_during_outage(Fault::NoResponse, outage())
        .await;
    scenario.verify(written).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn internal_errors_lose_no_acknowledged_reading() {
    let scenario = Scenario::new().await;
    let written = scenario
        .write_during_outage(Fault::InternalErrors, FAULT_DURATION)
        .await;
    scenario.verify(written).await;
}

/// Half of the requests lose only the response, which makes retries duplicates.
#[tokio::test(flavor = "multi_thread")]
async fn reset_connections_lose_no_acknowledged_reading() {
    let scenario = Scenario::new().await;
    let written = scenario
        .write_during_outage(Fault::ConnectionResets, FAULT_DURATION)
        .await;
    scenario.verify(written).await;
}

/// Three in ten attempts are throttled.
#[tokio::test(flavor = "multi_thread")]
async fn partial_throttling_is_absorbed_by_retries() {
    for requests in [RequestKind::Single, RequestKind::Batches] {
        let scenario = Scenario::new().await;
        let written = scenario
            .write_during(Fault::PartialThrottling, FAULT_DURATION, requests)
            .await;
        assert!(
            written.rejected * 5 < written.sent,
            "{} of {} rejected",
            written.rejected,
            written.sent
        );
        scenario.verify(written).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn full_throttling_is_not_amplified() {
    let scenario = Scenario::new().await;
    let written = scenario
        .write_during_outage(Fault::FullThrottling, FAULT_DURATION)
        .await;
    let before = scenario.dynamodb.requests();
    let values: Vec<u32> = (0..1_000)
        .map(|_| scenario.values(RequestKind::Single)[0])
        .collect();
    let (response, stored) = scenario.write(&values).await;
    response.expect_problem(503, "store_unavailable");
    assert!(stored.is_empty());
    let attempts = scenario.dynamodb.requests() - before;
    println!("{attempts} attempts for a batch of 1,000");
    // Without a fault it takes 50 attempts.
    assert!(attempts <= 65, "{attempts}");
    scenario.verify(written).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unprocessed_batch_items_are_retried() {
    let scenario = Scenario::new().await;
    let written = scenario.write_during(
        Fault::UnprocessedItems,
        FAULT_DURATION,
        RequestKind::Batches,
    );
    let written = written.await;
    assert!(
        written.rejected * 5 < written.sent,
        "at least four of five batches succeed"
    );
    scenario.verify(written).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_responses_lose_no_acknowledged_reading() {
    let scenario = Scenario::new().await;
    // First below, then above the timeout of an attempt.
    for time in [100, 800] {
        let fault = Fault::Slow(Duration::from_millis(time));
        let written = scenario
            .write_during(fault, FAULT_DURATION, RequestKind::Single)
            .await;
        scenario.verify(written).await;
    }
}

/// These rejections are permanent, so clients are not asked to retry.
#[tokio::test]
async fn dynamodb_rejections_are_internal_errors() {
    let scenario = Scenario::new().await;
    for code in ["AccessDeniedException", "ValidationException"] {
        scenario.dynamodb.set_fault(Fault::Rejection(code));
        let (response, _) = scenario.write(&[1]).await;
        assert!(!response.headers.contains_key("retry-after"));
        response.expect_problem(500, "internal_error");
    }
    scenario.verify(WriteStats::default()).await;
}
