//! Summaries by local calendar periods.

use std::sync::Arc;

use jiff::Timestamp;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::app::{TestApp, example_with};
use crate::support::faulty_store::FaultyStore;

async fn store_all(app: &TestApp, readings: &[Value]) {
    for batch in readings.chunks(5_000) {
        let body = json!({"readings": batch}).to_string();
        let response = app.post_raw("/api/v1/data/batch", body).await;
        assert_eq!(response.expect(StatusCode::OK)["stored"], batch.len());
    }
}

async fn summary(app: &TestApp, query: &str) -> Value {
    let path = format!("/api/v1/data/user123/summary?{query}");
    app.get(&path).await.expect(StatusCode::OK)
}

/// Returns a reading of one step.
fn step(timestamp: &str) -> Value {
    example_with(json!({
        "data_type": "steps", "value": 1, "timestamp": timestamp, "metadata": {}
    }))
}

fn counts(series: &Value) -> Vec<(String, u64)> {
    let buckets = series["buckets"].as_array().unwrap().iter();
    buckets
        .map(|bucket| {
            let start = bucket["start"].as_str().unwrap().to_owned();
            (start, bucket["count"].as_u64().unwrap())
        })
        .collect()
}

async fn check_statistics(app: &TestApp) {
    let reading = |value: f64, timestamp: &str| {
        example_with(json!({"data_type": "steps", "value": value, "timestamp": timestamp}))
    };
    let readings = [
        reading(30.0, "2024-01-15T23:59:59.999Z"),
        reading(10.0, "2024-01-15T00:00:00Z"),
        reading(5.0, "2024-01-15T12:00:00Z"),
        reading(7.0, "2024-01-17T12:00:00Z"),
    ];
    store_all(app, &readings).await;
    let range = "start=2024-01-15T00:00:00Z&end=2024-01-20T00:00:00Z";
    let response = summary(app, range).await;
    assert_eq!(
        response,
        json!({
            "success": true,
            "user_id": "user123",
            "start": "2024-01-15T00:00:00Z",
            "end": "2024-01-20T00:00:00Z",
            "bucket": "day",
            "tz": "UTC",
            "summaries": [{
                "data_type": "steps",
                "granularity": null,
                "unit": "{steps}",
                "count": 4,
                "buckets": [
                    {
                        "start": "2024-01-15T00:00:00Z", "end": "2024-01-16T00:00:00Z",
                        "count": 3, "min": 5.0, "max": 30.0, "mean": 15.0, "median": 10.0,
                        "median_method": "exact", "sum": 45.0, "first": 10.0, "last": 30.0
                    },
                    {
                        "start": "2024-01-17T00:00:00Z", "end": "2024-01-18T00:00:00Z",
                        "count": 1, "min": 7.0, "max": 7.0, "mean": 7.0, "median": 7.0,
                        "median_method": "exact", "sum": 7.0, "first": 7.0, "last": 7.0
                    }
                ],
                "coverage": {"days_with_data": 2, "days": 5, "share": 0.4},
                "baseline": null,
                "baseline_reason": "needs at least 7 whole days with data, and there are 2",
                "trend": null,
                "trend_reason": "needs at least 10 whole days with data, and there are 2"
            }]
        })
    );
}

#[tokio::test]
async fn daily_statistics_match_readings() {
    check_statistics(&TestApp::start().await).await;
}

#[tokio::test]
async fn daily_statistics_match_readings_on_dynamodb() {
    check_statistics(&TestApp::start_on_dynamodb().await).await;
}

#[tokio::test]
async fn days_have_25_or_23_hours_at_clock_changes() {
    let app = TestApp::start().await;
    let mut readings = Vec::new();
    for day in [
        "2021-10-30",
        "2021-10-31",
        "2021-11-01",
        "2022-03-26",
        "2022-03-27",
    ] {
        readings.extend((0..24).map(|hour| step(&format!("{day}T{hour:02}:00:00Z"))));
    }
    store_all(&app, &readings).await;
    let in_athens = |rest: &str| format!("tz=Europe/Athens&{rest}");
    let autumn = in_athens("start=2021-10-30T21:00:00Z&end=2021-11-01T21:00:00Z");
    let response = summary(&app, &autumn).await;
    assert_eq!(response["tz"], "Europe/Athens");
    let steps = &response["summaries"][0];
    assert_eq!(
        counts(steps),
        [
            ("2021-10-31T00:00:00+03:00".to_owned(), 25),
            ("2021-11-01T00:00:00+02:00".to_owned(), 23)
        ]
    );
    assert_eq!(steps["buckets"][0]["end"], "2021-11-01T00:00:00+02:00");
    assert_eq!(steps["buckets"][0]["sum"], 25.0);
    let spring = in_athens("start=2022-03-26T22:00:00Z&end=2022-03-27T21:00:00Z");
    let response = summary(&app, &spring).await;
    assert_eq!(
        counts(&response["summaries"][0]),
        [("2022-03-27T00:00:00+02:00".to_owned(), 23)]
    );
    assert_eq!(response["summaries"][0]["coverage"]["days"], 1);

    // The hour from three to four occurs twice.
    let night = in_athens("start=2021-10-30T23:00:00Z&end=2021-10-31T03:00:00Z&bucket=hour");
    let response = summary(&app, &night).await;
    assert_eq!(
        counts(&response["summaries"][0]),
        [
            ("2021-10-31T02:00:00+03:00".to_owned(), 1),
            ("2021-10-31T03:00:00+03:00".to_owned(), 1),
            ("2021-10-31T03:00:00+02:00".to_owned(), 1),
            ("2021-10-31T04:00:00+02:00".to_owned(), 1)
        ]
    );
}

#[tokio::test]
async fn buckets_can_be_weeks_or_months() {
    let app = TestApp::start().await;
    let days = [
        "2024-01-31",
        "2024-02-01",
        "2024-02-04",
        "2024-02-05",
        "2024-03-01",
    ];
    let readings = days.map(|day| step(&format!("{day}T12:00:00Z")));
    store_all(&app, &readings).await;
    let range = "start=2024-01-01T00:00:00Z&end=2024-04-01T00:00:00Z";
    let weeks = summary(&app, &format!("{range}&bucket=week")).await;
    let midnight = |day: &str| format!("{day}T00:00:00Z");
    assert_eq!(
        counts(&weeks["summaries"][0]),
        [
            (midnight("2024-01-29"), 3),
            (midnight("2024-02-05"), 1),
            (midnight("2024-02-26"), 1)
        ]
    );
    let months = summary(&app, &format!("{range}&bucket=month")).await;
    assert_eq!(
        counts(&months["summaries"][0]),
        [
            (midnight("2024-01-01"), 1),
            (midnight("2024-02-01"), 3),
            (midnight("2024-03-01"), 1)
        ]
    );
}

#[tokio::test]
async fn series_are_separated_by_granularity_and_unit() {
    let app = TestApp::start().await;
    let reading = |data_type: &str, value: f64, metadata: Value, unit: Option<&str>| {
        let mut reading = example_with(json!({
            "data_type": data_type, "value": value, "metadata": metadata
        }));
        if let Some(unit) = unit {
            reading["unit"] = json!(unit);
        }
        reading
    };
    let readings = [
        reading("steps", 8_000.0, json!({"granularity": "day"}), None),
        reading("steps", 40.0, json!({"granularity": "minute"}), None),
        reading(
            "steps",
            60.0,
            json!({"granularity": "minute", "source": "phone"}),
            None,
        ),
        reading("blood_glucose", 100.0, json!({"unit": "mg/dL"}), None),
        reading(
            "blood_glucose",
            5.5,
            json!({"unit": "mg/dL"}),
            Some("mmol/L"),
        ),
        reading("flights_climbed", 1.0, json!({}), None),
        reading("flights_climbed", 2.0, json!({}), Some("floors")),
        reading("flights_climbed", 3.0, json!({"unit": "flights"}), None),
        reading("mysteries", 1.0, json!({}), Some("count")),
        reading("mysteries", 1.0, json!({}), Some("{count}")),
        reading("distance", 9.0, json!({"granularity": 86_400}), None),
        reading("distance", 4.0, json!({"granularity": 60}), None),
        reading("distance", 5.0, json!({"granularity": 60}), None),
        reading("weirdness", 1.0, json!({"granularity": true}), None),
        reading("weirdness", 2.0, json!({"granularity": null}), None),
    ];
    store_all(&app, &readings).await;
    let range = "start=2024-01-15T00:00:00Z&end=2024-01-16T00:00:00Z";
    let response = summary(&app, range).await;
    let rows: Vec<Value> = response["summaries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|series| {
            json!([
                series["data_type"],
                series["granularity"],
                series["unit"],
                series["count"],
                series["buckets"][0].get("sum")
            ])
        })
        .collect();
    assert_eq!(
        rows,
        [
            json!(["blood_glucose", null, "mg/dL", 1, null]),
            json!(["blood_glucose", null, "mmol/L", 1, null]),
            json!(["distance", "60", "m", 2, 9.0]),
            json!(["distance", "86400", "m", 1, 9.0]),
            json!(["flights_climbed", null, "{flights}", 3, 6.0]),
            json!(["mysteries", null, "count", 1, null]),
            json!(["mysteries", null, "{count}", 1, null]),
            json!(["steps", "day", "{steps}", 1, 8_000.0]),
            json!(["steps", "minute", "{steps}", 2, 100.0]),
            json!(["weirdness", null, null, 1, null]),
            json!(["weirdness", "true", null, 1, null]),
        ]
    );
    let response = summary(&app, &format!("{range}&data_type=steps")).await;
    assert_eq!(response["summaries"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn default_range_is_the_last_30_local_days() {
    let app = TestApp::start().await;
    // The test clock reads noon UTC on June 1, which is midnight in Auckland.
    let readings = [
        "2024-05-02T23:59:59Z",
        "2024-05-03T00:00:00Z",
        "2024-06-01T11:00:00Z",
    ];
    store_all(&app, &readings.map(step)).await;
    let response = summary(&app, "").await;
    assert_eq!(response["start"], "2024-05-03T00:00:00Z");
    assert_eq!(response["end"], "2024-06-02T00:00:00Z");
    assert_eq!(response["summaries"][0]["count"], 2);
    assert_eq!(response["summaries"][0]["coverage"]["days"], 30);
    let response = summary(&app, "tz=Pacific/Auckland").await;
    assert_eq!(response["end"], "2024-06-03T00:00:00+12:00");
    let response = summary(&app, "end=2024-05-10T00:00:00Z").await;
    assert_eq!(response["start"], "2024-04-10T00:00:00Z");
    let unknown = app.get("/api/v1/data/nobody/summary").await;
    assert_eq!(unknown.expect(StatusCode::OK)["summaries"], json!([]));
}

#[tokio::test]
async fn summary_includes_baseline_and_trend() {
    let app = TestApp::start().await;
    // Two readings a day, with daily sums of 100, 110, 120, …
    let readings: Vec<Value> = (0..14)
        .flat_map(|day| {
            let sum = 100.0 + 10.0 * f64::from(day);
            [(8, 40.0), (20, sum - 40.0)].map(|(hour, value)| {
                let timestamp = format!("2024-05-{:02}T{hour:02}:00:00Z", day + 10);
                example_with(json!({
                    "data_type": "steps", "value": value, "timestamp": timestamp
                }))
            })
        })
        .collect();
    store_all(&app, &readings).await;
    for bucket in ["hour", "day", "month"] {
        let response = summary(&app, &format!("bucket={bucket}")).await;
        let steps = &response["summaries"][0];
        assert_eq!(
            steps["baseline"],
            json!({"median": 165.0, "mad": 35.0, "days": 14})
        );
        assert_eq!(
            steps["trend"],
            json!({
                "slope_per_day": 10.0, "direction": "rising", "strength": "strong", "days": 14
            })
        );
        assert!(steps.get("trend_reason").is_none());
    }
}

/// Today and a day cut by the range have partial sums, but their means are valid.
#[tokio::test]
async fn cumulative_baseline_uses_whole_days_only() {
    let app = TestApp::start().await;
    // The test clock reads noon on June 1.
    let days = (19..=31).map(|day| format!("2024-05-{day}"));
    let mut readings = Vec::new();
    for day in days.chain(["2024-06-01".to_owned()]) {
        let hours = if day == "2024-06-01" { 0..1 } else { 0..24 };
        for hour in hours {
            for data_type in ["steps", "heart_rate"] {
                readings.push(example_with(json!({
                    "data_type": data_type, "value": 100,
                    "timestamp": format!("{day}T{hour:02}:30:00Z")
                })));
            }
        }
    }
    store_all(&app, &readings).await;
    let days_of = |response: &Value, index: usize| {
        let series = &response["summaries"][index];
        let baseline = &series["baseline"];
        (
            series["data_type"].as_str().unwrap().to_owned(),
            series["coverage"]["days_with_data"].clone(),
            baseline["days"].clone(),
            baseline["median"].clone(),
            baseline["mad"].clone(),
        )
    };
    let steps = |with_data: u32, days: u32| {
        let name = "steps".to_owned();
        (
            name,
            json!(with_data),
            json!(days),
            json!(2_400.0),
            json!(0.0),
        )
    };
    let heart_rate = |with_data: u32| {
        let name = "heart_rate".to_owned();
        let days = json!(with_data);
        (name, days.clone(), days, json!(100.0), json!(0.0))
    };
    for (range, with_data, whole) in [
        ("", 14, 13),
        ("start=2024-05-19T12:00:00Z", 14, 12),
        (
            "start=2024-05-19T12:00:00Z&end=2024-05-30T23:00:00Z",
            12,
            10,
        ),
        (
            "start=2024-05-19T00:00:00Z&end=2024-05-31T00:00:00Z",
            12,
            12,
        ),
    ] {
        let response = summary(&app, range).await;
        assert_eq!(days_of(&response, 0), heart_rate(with_data), "{range}");
        assert_eq!(days_of(&response, 1), steps(with_data, whole), "{range}");
    }
    let response = summary(&app, "start=2024-05-25T00:30:00Z&data_type=steps").await;
    assert_eq!(
        response["summaries"][0]["baseline_reason"],
        "needs at least 7 whole days with data, and there are 6"
    );
}

#[tokio::test]
async fn median_of_many_readings_is_estimated_and_marked() {
    let app = TestApp::start().await;
    let readings: Vec<Value> = (0..10_001)
        .map(|index| {
            example_with(json!({"value": 50.0 + f64::from(index) / 100.0, "metadata": {}}))
        })
        .collect();
    store_all(&app, &readings[..10_000]).await;
    let range = "start=2024-01-15T00:00:00Z&end=2024-01-16T00:00:00Z";
    let response = summary(&app, range).await;
    let bucket = &response["summaries"][0]["buckets"][0];
    assert_eq!(bucket["median_method"], "exact");
    assert!((bucket["median"].as_f64().unwrap() - 99.995).abs() < 1e-9);
    store_all(&app, &readings[10_000..]).await;
    let response = summary(&app, range).await;
    let bucket = &response["summaries"][0]["buckets"][0];
    assert_eq!(bucket["median_method"], "sketch");
    assert!((bucket["median"].as_f64().unwrap() - 100.0).abs() <= 1.0);
    assert_eq!(bucket["count"], 10_001);
}

#[tokio::test]
async fn invalid_and_oversized_summaries_are_rejected() {
    let app = TestApp::start().await;
    for (query, pointer) in [
        ("tz=Europe/Atlantis", "/tz"),
        ("tz=", "/tz"),
        ("tz=%2B02:00", "/tz"),
        ("bucket=year", "/bucket"),
        ("bucket=day&bucket=day", "/bucket"),
        ("limit=1", "/limit"),
        ("start=yesterday", "/start"),
    ] {
        app.get(&format!("/api/v1/data/user123/summary?{query}"))
            .await
            .expect_field_errors(&[pointer]);
    }
    let many = (0..101).map(|index| example_with(json!({"data_type": format!("t{index}")})));
    store_all(&app, &many.collect::<Vec<_>>()).await;
    app.get("/api/v1/data/user123/summary?start=2024-01-01T00:00:00Z")
        .await
        .expect_field_errors(&["/data_type"]);
    let hours = (0..=20_000).map(|hour| {
        let timestamp = Timestamp::from_second(1_600_000_000 + 3_600 * hour).unwrap();
        example_with(json!({"user_id": "hours", "timestamp": timestamp.to_string()}))
    });
    store_all(&app, &hours.collect::<Vec<_>>()).await;
    app.get("/api/v1/data/hours/summary?start=2020-01-01T00:00:00Z&bucket=hour")
        .await
        .expect_field_errors(&["/bucket"]);
}

#[tokio::test]
async fn store_failure_returns_no_partial_summary() {
    let (faulty, directory) = FaultyStore::new();
    let faulty = Arc::new(faulty);
    let app = TestApp::start_with_store(faulty.clone(), Some(directory)).await;
    let readings: Vec<Value> = (0..1_500)
        .map(|value| example_with(json!({"value": value})))
        .collect();
    store_all(&app, &readings).await;
    let path = "/api/v1/data/user123/summary?start=2024-01-01T00:00:00Z";
    faulty.fail_after_pages(1);
    app.get(path).await.expect_problem(503, "store_unavailable");
    faulty.clear_faults();
    let response = app.get(path).await.expect(StatusCode::OK);
    assert_eq!(response["summaries"][0]["count"], 1_500);
}

#[tokio::test]
async fn slow_summary_times_out() {
    let (faulty, directory) = FaultyStore::new();
    let faulty = Arc::new(faulty);
    let app = TestApp::start_with_store(faulty.clone(), Some(directory)).await;
    let readings: Vec<Value> = (0..1_001)
        .map(|value| example_with(json!({"value": value})))
        .collect();
    store_all(&app, &readings).await;
    // One of two pages takes 30 s, and the summary times out after 25 s. The
    // paused clock advances whenever all tasks are idle.
    faulty.slow_down_reads();
    tokio::time::pause();
    let path = "/api/v1/data/user123/summary?start=2024-01-01T00:00:00Z";
    app.get(path).await.expect_problem(504, "deadline_exceeded");
}
