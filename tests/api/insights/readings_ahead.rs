//! Readings dated in the future.

use serde_json::json;

use super::{ask, store, values};
use crate::support::app::TestApp;

// The clock of the tests is at noon of 1 June; a reading may be a day ahead of it.
const TOMORROW: &str = "2024-06-02T11:00:00Z";

#[tokio::test]
async fn reading_dated_ahead_hides_no_dangerous_one() {
    for (data_type, value) in [("steps", 10.0), ("blood_oxygen", 98.0)] {
        let app = TestApp::start().await;
        let oxygen = json!({"data_type": "blood_oxygen", "unit": "%", "value": 70.0, "timestamp": "2024-06-01T08:00:00Z"});
        let ahead =
            json!({"data_type": data_type, "unit": null, "value": value, "timestamp": TOMORROW});
        store(&app, [oxygen]).await;
        assert_eq!(ask(&app, "How am I?").await["status"], "escalated");
        store(&app, [ahead]).await;
        let answer = ask(&app, "How am I?").await;
        assert_eq!(answer["safety"]["escalation"], "low_oxygen", "{data_type}");
    }
}

/// The clock of the device may be wrong, the value right.
#[tokio::test]
async fn dangerous_reading_dated_ahead_is_escalated() {
    let app = TestApp::start().await;
    let oxygen = |value: f64, at: &str| json!({"data_type": "blood_oxygen", "unit": "%", "value": value, "timestamp": at});
    store(
        &app,
        [oxygen(98.0, "2024-06-01T08:00:00Z"), oxygen(70.0, TOMORROW)],
    )
    .await;
    assert_eq!(ask(&app, "How am I?").await["status"], "escalated");
}

#[tokio::test]
async fn readings_dated_ahead_do_not_move_the_windows() {
    let app = TestApp::start().await;
    let reading = |value: f64, at: &str| json!({"value": value, "timestamp": at, "unit": "/min"});
    let readings = [
        reading(60.0, "2024-05-31T12:30:00Z"),
        reading(80.0, "2024-06-01T11:00:00Z"),
    ];
    store(&app, readings).await;
    let query = "My average heart rate in the last 24 hours?";
    assert_eq!(
        values(&ask(&app, query).await, "heart_rate", "mean"),
        [70.0]
    );
    store(&app, [reading(200.0, TOMORROW)]).await;
    let answer = ask(&app, query).await;
    assert_eq!(values(&answer, "heart_rate", "mean"), [70.0]);
    let text = answer["insight"].as_str().unwrap();
    assert!(
        text.contains("1 reading is dated in the future and left out"),
        "{text}"
    );
}

/// A device's clock may be a little ahead.
#[tokio::test]
async fn small_difference_of_clocks_is_tolerated() {
    let app = TestApp::start().await;
    store(
        &app,
        [json!({"value": 66.0, "timestamp": "2024-06-01T12:04:00Z"})],
    )
    .await;
    let answer = ask(&app, "heart rate").await;
    assert_eq!(values(&answer, "heart_rate", "last"), [66.0]);
}
