//! The service while DynamoDB fails, and afterwards: it lives, says so when it
//! can do nothing, does not add to the fault, recovers by itself, and loses
//! nothing that it acknowledged.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use clarity_backend::store::{DynamoDbSettings, DynamoDbStore};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{Answer, TestApp, example_with, settings_at, store_at_settings};
use crate::support::dynamodb_local::DynamoDbLocal;
use crate::support::faulty_dynamodb::{Fault, FaultyDynamoDb};

/// How long a fault lasts.
const LASTING: Duration = Duration::from_secs(3);
/// Within which the service must work again when the fault is over.
const RECOVERY: Duration = Duration::from_secs(5);
/// How many attempts a request may cost when none succeeds.
const MOST_ATTEMPTS: f64 = 1.3;
/// Readings of one batch.
const BATCH: u32 = 60;

/// The app, with the timeouts of production, over a DynamoDB that can fail.
struct Setting {
    app: TestApp,
    /// Another one over the same table, where nothing fails.
    direct: TestApp,
    dynamodb: FaultyDynamoDb,
    next: AtomicU32,
}

/// What a fault did to those who wrote.
#[derive(Default)]
struct Written {
    sent: usize,
    acknowledged: Vec<u32>,
    refused: usize,
}

/// How many readings each request has.
#[derive(Clone, Copy)]
enum Requests {
    Single,
    Batches,
}

impl Requests {
    /// How many write at once: of batches as many as are served at once on one
    /// core.
    fn writers(self) -> usize {
        match self {
            Self::Single => 16,
            Self::Batches => 2,
        }
    }
}

impl Setting {
    async fn new() -> Self {
        let local = DynamoDbLocal::shared().endpoint();
        let dynamodb = FaultyDynamoDb::start(local).await;
        let settings = settings_at(&dynamodb.endpoint());
        let patient = store_at_settings(DynamoDbSettings {
            endpoint: Some(local.to_owned()),
            ..settings.clone()
        });
        let patient = patient.await;
        patient.create_table_if_missing().await.unwrap();
        let store = DynamoDbStore::connect(settings).await;
        Self {
            direct: TestApp::over(Arc::new(patient), None).await,
            app: TestApp::over(Arc::new(store), None).await,
            dynamodb,
            next: AtomicU32::new(0),
        }
    }

    /// Lets many write while the fault lasts, and looks that the service lives.
    async fn endure(&self, fault: Fault, lasting: Duration, requests: Requests) -> Written {
        let first = self.recover().await;
        self.dynamodb.set_fault(fault);
        let over = AtomicBool::new(false);
        let writers = (0..requests.writers()).map(|_| self.write_until(&over, requests));
        let watch = async {
            let start = Instant::now();
            while start.elapsed() < lasting {
                assert_eq!(self.app.get("/health").await.status, 200);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            over.store(true, Ordering::SeqCst);
        };
        let (written, ()) = tokio::join!(join_all(writers), watch);
        let mut sum = Written::default();
        sum.acknowledged.push(first);
        for one in written {
            sum.sent += one.sent;
            sum.refused += one.refused;
            sum.acknowledged.extend(one.acknowledged);
        }
        sum
    }

    async fn write_until(&self, over: &AtomicBool, requests: Requests) -> Written {
        let mut written = Written::default();
        while !over.load(Ordering::SeqCst) {
            let values = self.values(requests);
            written.sent += 1;
            let (answer, stored) = self.write(&values).await;
            match answer.status.as_u16() {
                200 => assert_eq!(stored, values),
                503 => {
                    assert!(answer.headers.contains_key("retry-after"));
                    answer.expect_problem(503, "store_unavailable");
                    written.refused += 1;
                }
                other => panic!("{other}: {}", answer.body),
            }
            written.acknowledged.extend(stored);
        }
        written
    }

    fn values(&self, requests: Requests) -> Vec<u32> {
        let count = match requests {
            Requests::Single => 1,
            Requests::Batches => BATCH,
        };
        let first = self.next.fetch_add(count, Ordering::SeqCst);
        (first..first + count).collect()
    }

    /// Writes readings of these values; gives also which are said to be stored.
    async fn write(&self, values: &[u32]) -> (Answer, Vec<u32>) {
        let reading = |value: &u32| example_with(json!({"value": value}));
        if let [value] = values {
            let answer = self.app.post(&reading(value)).await;
            let stored = match answer.status.as_u16() {
                200 => vec![*value],
                _ => Vec::new(),
            };
            return (answer, stored);
        }
        let batch = json!({"readings": values.iter().map(reading).collect::<Vec<_>>()});
        let answer = self.app.post_raw("/api/v1/data/batch", batch.to_string());
        let answer = answer.await;
        let results = answer.body["results"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let is_stored = |result: &&Value| result["result"] == "stored";
        let place = |result: &Value| usize::try_from(result["index"].as_u64().unwrap()).unwrap();
        let stored = results.iter().filter(is_stored).map(place);
        let stored = stored.map(|place| values[place]).collect();
        (answer, stored)
    }

    /// Ends the fault, and writes until that succeeds; gives what was written.
    async fn recover(&self) -> u32 {
        self.dynamodb.set_fault(Fault::None);
        let end = Instant::now();
        loop {
            let values = self.values(Requests::Single);
            let (answer, _) = self.write(&values).await;
            if answer.status == 200 {
                println!("works again after {:?}", end.elapsed());
                return values[0];
            }
            assert!(end.elapsed() < RECOVERY, "it does not recover");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Looks that it recovers, is ready, and holds all that is acknowledged and
    /// nothing that was not sent.
    async fn verify(&self, mut written: Written) {
        written.acknowledged.push(self.recover().await);
        let ready = async { self.app.get("/health/ready").await.status == 200 };
        if !ready.await {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let ready = self.app.get("/health/ready").await;
            assert_eq!(ready.status, 200);
        }
        let mut held = BTreeSet::new();
        let mut path = "/api/v1/data/user123?limit=1000".to_owned();
        loop {
            let page = self.direct.get(&path).await.expect(200.try_into().unwrap());
            for reading in page["data"].as_array().unwrap() {
                let value = reading["value"].as_f64().unwrap().to_string();
                let value: u64 = value.parse().unwrap();
                assert!(held.insert(value), "{value} is there twice");
            }
            let Some(cursor) = page["next_cursor"].as_str() else {
                break;
            };
            path = format!("/api/v1/data/user123?limit=1000&cursor={cursor}");
        }
        for value in &written.acknowledged {
            assert!(held.contains(&u64::from(*value)), "{value} is lost");
        }
        let sent = u64::from(self.next.load(Ordering::SeqCst));
        assert!(held.last().is_none_or(|last| *last < sent));
        println!(
            "{} requests, {} refused, {} readings acknowledged, 0 lost",
            written.sent,
            written.refused,
            written.acknowledged.len()
        );
    }

    /// As [`Self::endure`], where no request succeeds: looks also how often
    /// DynamoDB was asked.
    async fn endure_outage(&self, fault: Fault, lasting: Duration) -> Written {
        let first = self.recover().await;
        let before = self.dynamodb.puts();
        let mut written = self.endure(fault, lasting, Requests::Single).await;
        // The one that looked whether all works came before the fault.
        let attempts = self.dynamodb.puts() - before - 1;
        let ratio = attempts as f64 / written.sent as f64;
        println!(
            "{attempts} attempts of {} requests: {ratio:.2} each",
            written.sent
        );
        assert_eq!(written.refused, written.sent);
        assert!(ratio <= MOST_ATTEMPTS, "{ratio} attempts a request");
        assert_eq!(self.app.get("/health/ready").await.status, 503);
        written.acknowledged.push(first);
        written
    }
}

/// The flag for the full 60 s: `CLARITY_TEST_OUTAGE_SECONDS=60`.
fn outage() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "set by whoever runs the tests")]
    let seconds = std::env::var("CLARITY_TEST_OUTAGE_SECONDS");
    seconds.map_or(LASTING, |seconds| {
        Duration::from_secs(seconds.parse().unwrap())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn unresponsive_dynamodb_loses_no_acknowledged_reading() {
    let setting = Setting::new().await;
    let written = setting.endure_outage(Fault::BlackHole, outage()).await;
    setting.verify(written).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn internal_errors_lose_no_acknowledged_reading() {
    let setting = Setting::new().await;
    let written = setting.endure_outage(Fault::InternalErrors, LASTING).await;
    setting.verify(written).await;
}

/// Of half of the requests the answer alone is lost: repeating them is safe.
#[tokio::test(flavor = "multi_thread")]
async fn reset_connections_lose_no_acknowledged_reading() {
    let setting = Setting::new().await;
    let written = setting.endure_outage(Fault::Resets, LASTING).await;
    setting.verify(written).await;
}

/// Most requests get through by being repeated.
#[tokio::test(flavor = "multi_thread")]
async fn partial_throttling_is_absorbed_by_retries() {
    for requests in [Requests::Single, Requests::Batches] {
        let setting = Setting::new().await;
        let written = setting.endure(Fault::Throttling, LASTING, requests).await;
        assert!(
            written.refused * 5 < written.sent,
            "{} of {} refused",
            written.refused,
            written.sent
        );
        setting.verify(written).await;
    }
}

/// What DynamoDB does not take is not sent to it again and again.
#[tokio::test(flavor = "multi_thread")]
async fn full_throttling_is_not_amplified() {
    let setting = Setting::new().await;
    let written = setting.endure_outage(Fault::FullThrottling, LASTING).await;
    let before = setting.dynamodb.requests();
    let values: Vec<u32> = (0..1_000)
        .map(|_| setting.values(Requests::Single)[0])
        .collect();
    let (answer, stored) = setting.write(&values).await;
    answer.expect_problem(503, "store_unavailable");
    assert!(stored.is_empty());
    let attempts = setting.dynamodb.requests() - before;
    println!("{attempts} attempts of a batch of 1,000");
    // Without a fault it takes 50.
    assert!(attempts <= 65, "{attempts}");
    setting.verify(written).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unprocessed_batch_items_are_retried() {
    let setting = Setting::new().await;
    let written = setting.endure(Fault::Unprocessed, LASTING, Requests::Batches);
    let written = written.await;
    assert!(
        written.refused * 5 < written.sent,
        "nearly all are stored whole"
    );
    setting.verify(written).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_responses_lose_no_acknowledged_reading() {
    let setting = Setting::new().await;
    // Slow, but in time; then too slow for an attempt.
    for time in [100, 800] {
        let fault = Fault::Slow(Duration::from_millis(time));
        let written = setting.endure(fault, LASTING, Requests::Single).await;
        setting.verify(written).await;
    }
}

/// Nothing that passes by itself: clients are not told to try again.
#[tokio::test]
async fn dynamodb_rejections_are_internal_errors() {
    let setting = Setting::new().await;
    for code in ["AccessDeniedException", "ValidationException"] {
        setting.dynamodb.set_fault(Fault::Refusal(code));
        let (answer, _) = setting.write(&[1]).await;
        assert!(!answer.headers.contains_key("retry-after"));
        answer.expect_problem(500, "internal_error");
    }
    setting.verify(Written::default()).await;
}
