//! Attempts at DynamoDB that arrive after they were given up, and after later
//! operations: they change nothing back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clarity_backend::store::{DynamoDbStore, DynamoDbTimeouts};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{TestApp, example_with, table_settings};
use crate::support::dynamodb_local::DynamoDbLocal;
use crate::support::faulty_dynamodb::{FaultyDynamoDb, HeldAttempt};

/// Maximum time for which a restored reading may remain; the service checks every
/// second.
const MAX_CHECK_TIME: Duration = Duration::from_secs(10);

/// Longer than in production, as DynamoDB Local is slow on a busy machine.
const TIMEOUTS: DynamoDbTimeouts = DynamoDbTimeouts {
    connect: Duration::from_secs(1),
    attempt: Duration::from_secs(1),
    operation: Duration::from_secs(4),
    batch: Duration::from_secs(10),
};

const USER: &str = "/api/v1/data/user123";

/// A kind of request that puts readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Put {
    Single,
    ClientRecord,
    Batch,
    Coalesced,
}

const PUTS: [Put; 4] = [Put::Single, Put::ClientRecord, Put::Batch, Put::Coalesced];

impl Put {
    fn readings(self) -> Vec<Value> {
        let record = json!({"client_record_id": "r", "client_record_version": 1});
        match self {
            Self::Single => vec![example_with(json!({}))],
            Self::ClientRecord => vec![example_with(record)],
            Self::Batch | Self::Coalesced => (1..=30)
                .map(|value| example_with(json!({"value": value})))
                .collect(),
        }
    }

    fn operation(self) -> &'static str {
        match self {
            Self::Single | Self::ClientRecord => "PutItem",
            Self::Batch | Self::Coalesced => "BatchWriteItem",
        }
    }
}

/// An app over a DynamoDB that holds attempts.
struct Scenario {
    app: TestApp,
    dynamodb: FaultyDynamoDb,
}

impl Scenario {
    async fn new() -> Self {
        let dynamodb = FaultyDynamoDb::start(DynamoDbLocal::shared().endpoint()).await;
        let settings = table_settings(&dynamodb.endpoint());
        let store = DynamoDbStore::connect_with(settings, TIMEOUTS).await;
        store.create_table_if_missing().await.unwrap();
        Self {
            app: TestApp::start_with_store(Arc::new(store), None).await,
            dynamodb,
        }
    }

    /// Puts the readings, whatever is stored, until all are acknowledged.
    async fn put(&self, put: Put) {
        let until_stored = async |path: &'static str, body: Value| {
            while self.app.post_raw(path, body.to_string()).await.status != 200 {}
        };
        let readings = put.readings();
        match put {
            Put::Batch => until_stored("/api/v1/data/batch", json!({"readings": readings})).await,
            _ => {
                let puts = readings
                    .into_iter()
                    .map(|reading| until_stored("/api/v1/data", reading));
                join_all(puts).await;
            }
        }
    }

    /// Puts the readings; the first attempt is held, and another one succeeds.
    async fn put_with_late_attempt(&self, put: Put) -> HeldAttempt {
        let held = self.dynamodb.hold(put.operation(), 0);
        self.put(put).await;
        assert_eq!(self.count().await, put.readings().len());
        held
    }

    async fn list(&self, query: &str) -> Vec<Value> {
        loop {
            let page = self.app.get(&format!("{USER}?limit=1000{query}")).await;
            match page.status.as_u16() {
                200 => return page.body["data"].as_array().unwrap().clone(),
                status => assert_eq!(status, 503, "{}", page.body),
            }
        }
    }

    async fn count(&self) -> usize {
        self.list("").await.len()
    }

    /// Deletes all readings one by one.
    async fn delete_each(&self) {
        for reading in self.list("").await {
            self.delete(&reading).await;
        }
        assert_eq!(self.count().await, 0);
    }

    async fn delete(&self, reading: &Value) {
        let path = format!("{USER}/{}", reading["data_id"].as_str().unwrap());
        while self.app.delete(&path).await.status == 503 {}
    }

    async fn erase(&self) {
        while self.app.delete(USER).await.status != 200 {}
        assert_eq!(self.count().await, 0);
    }

    /// Waits until nothing is listed, of any type or of one.
    async fn expect_nothing(&self) {
        let start = Instant::now();
        while !self.list("").await.is_empty()
            || !self.list("&data_type=heart_rate").await.is_empty()
        {
            assert!(start.elapsed() < MAX_CHECK_TIME, "a reading is back");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Checks that these readings stay, past two rounds of checks.
    async fn expect_to_stay(&self, count: usize) {
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(2_500) {
            assert_eq!(self.count().await, count);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn late_put_does_not_undo_an_erasure() {
    for put in PUTS {
        let scenario = Scenario::new().await;
        let late = scenario.put_with_late_attempt(put).await;
        scenario.erase().await;
        late.release().await;
        scenario.expect_nothing().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn late_put_does_not_undo_a_deletion() {
    for put in PUTS {
        let scenario = Scenario::new().await;
        let late = scenario.put_with_late_attempt(put).await;
        scenario.delete_each().await;
        late.release().await;
        scenario.expect_nothing().await;
    }
}

/// Readings that were put again after an erasure are newer than the late attempt.
#[tokio::test(flavor = "multi_thread")]
async fn readings_put_after_an_erasure_stay() {
    for put in [Put::Single, Put::ClientRecord] {
        let scenario = Scenario::new().await;
        let late = scenario.put_with_late_attempt(put).await;
        scenario.erase().await;
        scenario.put(put).await;
        late.release().await;
        scenario.expect_to_stay(1).await;
    }
}

/// A batch has no conditions. Once a check has seen that the readings were put again, an
/// older put that replaces them does not make them disappear.
#[tokio::test(flavor = "multi_thread")]
async fn readings_put_after_a_deletion_stay() {
    for put in PUTS {
        let scenario = Scenario::new().await;
        let late = scenario.put_with_late_attempt(put).await;
        scenario.delete_each().await;
        scenario.put(put).await;
        let count = put.readings().len();
        scenario.expect_to_stay(count).await;
        late.release().await;
        scenario.expect_to_stay(count).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn late_deletion_does_not_delete_a_later_put() {
    for put in PUTS {
        let scenario = Scenario::new().await;
        scenario.put(put).await;
        let reading = scenario.list("").await.remove(0);
        let late = scenario.dynamodb.hold("DeleteItem", 0);
        scenario.delete(&reading).await;
        scenario.put(put).await;
        late.release().await;
        scenario.expect_to_stay(put.readings().len()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn late_erasure_does_not_delete_a_later_put() {
    for put in PUTS {
        let scenario = Scenario::new().await;
        scenario.put(put).await;
        let late = scenario.dynamodb.hold("DeleteItem", 0);
        scenario.erase().await;
        scenario.put(put).await;
        late.release().await;
        scenario.expect_to_stay(put.readings().len()).await;
    }
}

/// Of one version, the write that was acknowledged last remains.
#[tokio::test(flavor = "multi_thread")]
async fn late_put_does_not_replace_a_later_one_of_its_version() {
    let scenario = Scenario::new().await;
    let put = async |version: u32, value: u32| {
        let record = json!({
            "client_record_id": "r", "client_record_version": version, "value": value
        });
        let response = scenario.app.post(&example_with(record)).await;
        assert_eq!(response.status, 200, "{}", response.body);
    };
    let value = async || scenario.list("").await[0]["value"].clone();
    put(1, 1).await;
    // The first attempt at the condition of a higher version passes.
    let late = scenario.dynamodb.hold("PutItem", 1);
    put(1, 2).await;
    assert_eq!(value().await, 2.0);
    put(1, 3).await;
    late.release().await;
    assert_eq!(value().await, 3.0);
    // Nor one of a higher version.
    let late = scenario.dynamodb.hold("PutItem", 0);
    put(2, 4).await;
    put(3, 5).await;
    late.release().await;
    assert_eq!(value().await, 5.0);
}
