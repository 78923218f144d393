//! Grouping of readings into series, and facts about them.

use serde_json::{Value, json};

use super::{ask, store, values};
use crate::support::app::TestApp;

#[tokio::test]
async fn each_type_has_its_own_period_and_one_unit() {
    let app = TestApp::start().await;
    let readings = [
        ("blood_glucose", 90.0, "mg/dL", "2024-05-01T00:00:00Z"),
        ("blood_glucose", 5.0, "mmol/L", "2024-05-02T00:00:00Z"),
        ("weight", 80.0, "kg", "2020-01-01T00:00:00Z"),
    ];
    let readings = readings.map(|(data_type, value, unit, at)| {
        json!({"data_type": data_type, "value": value, "unit": unit, "timestamp": at})
    });
    store(&app, readings).await;
    let answer = ask(&app, "How am I doing?").await;
    // In the unit of the newest reading: 90 mg/dL is 4.9957 mmol/L.
    assert_eq!(values(&answer, "blood_glucose", "max"), [5.0]);
    let least = values(&answer, "blood_glucose", "min")[0];
    assert!((least - 90.0 / 18.015_6).abs() < 1e-9);
    let text = answer["insight"].as_str().unwrap();
    assert!(text.contains("mmol/L") && !text.contains("mg/dL"), "{text}");
    assert!(text.contains("up to 2020-01-01"), "{text}");
    assert_eq!(answer["findings"].as_array().unwrap().len(), 2);
}

/// Readings of a device that is no longer worn do not describe the present.
#[tokio::test]
async fn ended_series_is_not_selected() {
    let app = TestApp::start().await;
    let reading = |day: i8, value: i32, source: &str| {
        json!({
            "value": value,
            "timestamp": format!("2024-05-{day:02}T12:00:00Z"),
            "metadata": {"source": source},
        })
    };
    let old = (3..=21).map(|day| reading(day, 60, "phone"));
    let new = (26..=31).map(|day| reading(day, 90, "apple_watch"));
    store(&app, old.chain(new)).await;
    let answer = ask(&app, "What is my latest heart rate?").await;
    assert_eq!(values(&answer, "heart_rate", "last"), [90.0]);
    let text = answer["insight"].as_str().unwrap();
    assert!(text.contains("source \"Apple Watch\""), "{text}");
    assert_eq!(answer["data_coverage"]["missing"], json!([]));
}

/// The current day must not count as a day with few steps.
#[tokio::test]
async fn incomplete_day_is_not_compared() {
    let app = TestApp::start().await;
    // The clock of the test is at noon of 1 June.
    let days = [
        ("2024-05-29", 8_000),
        ("2024-05-30", 9_000),
        ("2024-05-31", 10_000),
        ("2024-06-01", 40),
    ];
    let readings = days.map(|(day, steps)| {
        json!({"data_type": "steps", "value": steps, "timestamp": format!("{day}T07:00:00Z")})
    });
    store(&app, readings).await;
    let answer = ask(&app, "fewest steps on a day, and the average?").await;
    assert_eq!(values(&answer, "steps", "daily_min"), [8_000.0]);
    assert_eq!(values(&answer, "steps", "daily_mean"), [9_000.0]);
    let answer = ask(&app, "How many steps did I take yesterday?").await;
    assert_eq!(values(&answer, "steps", "sum"), [10_000.0]);
    let answer = ask(&app, "What are my steps right now?").await;
    assert_eq!(values(&answer, "steps", "sum"), [40.0]);
    // Without another day, the answer states the current one.
    let app = TestApp::start().await;
    let today = json!({"data_type": "steps", "value": 40, "timestamp": "2024-06-01T07:00:00Z"});
    store(&app, [today]).await;
    let answer = ask(&app, "How are my steps?").await;
    assert_eq!(values(&answer, "steps", "sum"), [40.0]);
    // The day before is reported as missing.
    let answer = ask(&app, "How many steps did I take yesterday?").await;
    assert_eq!(
        answer["data_coverage"]["missing"],
        json!(["statistics of the period that was asked for"])
    );
}

#[tokio::test]
async fn unsupported_period_is_reported() {
    let app = TestApp::start().await;
    store(&app, [json!({"timestamp": "2024-05-31T12:00:00Z"})]).await;
    for period in [
        "last 365 days",
        "last hour",
        "year 2021",
        "past 10 days",
        "last 12 weeks",
    ] {
        let answer = ask(&app, &format!("My average heart rate in the {period}?")).await;
        let text = answer["insight"].as_str().unwrap();
        assert!(
            text.contains("Only the 24 hours, 7 days"),
            "{period}: {text}"
        );
    }
    for period in ["last 7 days", "past week", "last 24 hours", "last 30 days"] {
        let answer = ask(&app, &format!("My average heart rate in the {period}?")).await;
        assert_eq!(answer["data_coverage"]["missing"], json!([]), "{period}");
    }
    let answer = ask(&app, "My average heart rate in the last 2 weeks?").await;
    let text = answer["insight"].as_str().unwrap();
    assert!(
        text.contains("Only the 24 hours, 7 days and 30 days"),
        "{text}"
    );
    assert_eq!(
        answer["data_coverage"]["missing"],
        json!(["statistics of the period that was asked for"])
    );
}

/// A reading without a unit has the unit of the vocabulary.
#[tokio::test]
async fn spellings_of_a_unit_form_one_series() {
    let app = TestApp::start().await;
    let units = [json!("bpm"), json!("/min"), json!(null), json!("count/min")];
    let readings = units.into_iter().enumerate().map(|(at, unit)| {
        let mut reading =
            json!({"timestamp": format!("2024-05-31T0{at}:00:00Z"), "value": 60 + at});
        if !unit.is_null() {
            reading["unit"] = unit;
        }
        reading
    });
    store(&app, readings).await;
    let answer = ask(&app, "heart rate").await;
    assert_eq!(values(&answer, "heart_rate", "mean"), [61.5]);
    assert_eq!(answer["findings"][0]["facts"][0]["value"], 4.0);
}

fn steps(day: i8, hour: i8, value: i32, metadata: Value) -> Value {
    json!({
        "data_type": "steps",
        "value": value,
        "timestamp": format!("2024-05-{day:02}T{hour:02}:00:00Z"),
        "metadata": metadata,
    })
}

/// A phone and a watch count the same steps, and daily totals repeat the hourly
/// ones.
#[tokio::test]
async fn overlapping_series_are_not_added_up() {
    let app = TestApp::start().await;
    let watch_hours = json!({"source": "watch", "granularity": "hour"});
    let watch_days = json!({"source": "watch", "granularity": "day"});
    let phone_hours = json!({"source": "phone", "granularity": "hour"});
    let mut readings = Vec::new();
    for day in [29, 30, 31] {
        readings.push(steps(day, 8, 1_000, watch_hours.clone()));
        readings.push(steps(day, 9, 2_000, watch_hours.clone()));
        readings.push(steps(day, 0, 3_000, watch_days.clone()));
        readings.push(steps(day, 8, 900, phone_hours.clone()));
    }
    store(&app, readings).await;
    let answer = ask(&app, "How many steps in the last 7 days?").await;
    assert_eq!(values(&answer, "steps", "sum"), [9_000.0]);
    let text = answer["insight"].as_str().unwrap();
    assert!(
        text.contains(
            "Of steps, the readings of granularity \"hour\" and source \"watch\" are used; \
             2 other series are left out rather than added up."
        ),
        "{text}"
    );
}

/// A granularity may also be a number of seconds.
#[tokio::test]
async fn numeric_granularities_are_distinguished() {
    let app = TestApp::start().await;
    let (hours, days) = (
        json!({"granularity": 3_600}),
        json!({"granularity": 86_400}),
    );
    let mut readings = Vec::new();
    for day in [29, 30, 31] {
        readings.push(steps(day, 8, 1_000, hours.clone()));
        readings.push(steps(day, 9, 2_000, hours.clone()));
        readings.push(steps(day, 0, 3_000, days.clone()));
    }
    store(&app, readings).await;
    let answer = ask(&app, "How many steps in the last 7 days?").await;
    assert_eq!(values(&answer, "steps", "sum"), [9_000.0]);
}

#[tokio::test]
async fn implausible_values_are_counted_and_excluded() {
    let app = TestApp::start().await;
    let readings = [(60, 8), (62, 9), (900, 10), (0, 11)].map(|(value, hour)| {
        json!({"value": value, "timestamp": format!("2024-05-31T{hour:02}:00:00Z")})
    });
    store(&app, readings).await;
    let answer = ask(&app, "heart rate").await;
    assert_eq!(values(&answer, "heart_rate", "mean"), [61.0]);
    assert_eq!(values(&answer, "heart_rate", "last"), [62.0]);
    assert_eq!(values(&answer, "heart_rate", "suspect"), [2.0]);
    let text = answer["insight"].as_str().unwrap();
    assert!(text.contains("cannot be true and are left out"), "{text}");
}

#[tokio::test]
async fn type_with_only_implausible_values_is_reported() {
    let app = TestApp::start().await;
    store(
        &app,
        [json!({"value": 900, "timestamp": "2024-05-31T08:00:00Z"})],
    )
    .await;
    let answer = ask(&app, "heart rate").await;
    assert_eq!(
        answer["insight"],
        "1 of the heart rate readings in the 30 days up to 2024-05-31 cannot be true and is \
         left out."
    );
}

/// Local days follow the UTC offsets of the readings.
#[tokio::test]
async fn sums_are_computed_by_local_day() {
    let app = TestApp::start().await;
    let readings = [
        // 30 May in Auckland, 29 May in UTC.
        (100, "2024-05-30T00:30:00+12:00"),
        (200, "2024-05-30T23:30:00+12:00"),
        (400, "2024-05-31T00:30:00+12:00"),
    ];
    let readings =
        readings.map(|(value, at)| json!({"data_type": "steps", "value": value, "timestamp": at}));
    store(&app, readings).await;
    let answer = ask(&app, "What are my latest steps?").await;
    assert_eq!(values(&answer, "steps", "sum"), [400.0]);
    let answer = ask(&app, "most steps on a day").await;
    assert_eq!(values(&answer, "steps", "daily_max"), [400.0]);
    let answer = ask(&app, "lowest steps on a day").await;
    assert_eq!(values(&answer, "steps", "daily_min"), [300.0]);
}

fn daily(values: impl IntoIterator<Item = (i8, f64)>) -> Vec<Value> {
    values
        .into_iter()
        .map(|(day, value)| {
            json!({"value": value, "timestamp": format!("2024-05-{day:02}T12:00:00Z")})
        })
        .collect()
}

#[tokio::test]
async fn trend_has_a_direction_and_a_strength() {
    let app = TestApp::start().await;
    store(
        &app,
        daily((2..=31).map(|day| (day, 60.0 + 0.5 * f64::from(day)))),
    )
    .await;
    let answer = ask(&app, "Is my heart rate rising?").await;
    assert_eq!(values(&answer, "heart_rate", "trend_per_day"), [0.5]);
    let finding = &answer["findings"][0];
    assert_eq!(finding["direction"], "rising");
    assert_eq!(finding["strength"], "strong");
    assert_eq!(finding["facts"][0]["unit"], "/min/d");
    assert_eq!(
        finding["text"],
        "Heart rate is strongly rising, by 0.5 /min a day in the 30 days up to 2024-05-31."
    );
    assert_eq!(answer["confidence"]["level"], "high");
}

/// Neither nine days nor every third day have a trend.
#[tokio::test]
async fn trend_needs_enough_days() {
    for days in [
        (23..=31).collect::<Vec<i8>>(),
        (2..=31).step_by(3).collect(),
    ] {
        let app = TestApp::start().await;
        store(
            &app,
            daily(days.iter().map(|day| (*day, f64::from(*day) + 40.0))),
        )
        .await;
        let answer = ask(&app, "What is the trend of my heart rate?").await;
        assert_eq!(values(&answer, "heart_rate", "trend_per_day"), [0.0; 0]);
    }
}

/// Ten consecutive days are enough.
#[tokio::test]
async fn ten_days_have_a_trend() {
    let app = TestApp::start().await;
    store(
        &app,
        daily((22..=31).map(|day| (day, f64::from(day) + 40.0))),
    )
    .await;
    let answer = ask(&app, "What is the trend of my heart rate?").await;
    assert_eq!(values(&answer, "heart_rate", "trend_per_day"), [1.0]);
}

#[tokio::test]
async fn outliers_and_weekends_are_reported() {
    let app = TestApp::start().await;
    // 1 May 2024 is a Wednesday; 25 and 26 May are a weekend.
    let values_of_days = (18..=31).map(|day| {
        let usual = 60.0 + f64::from(day % 3);
        (day, if day == 29 { 120.0 } else { usual })
    });
    store(&app, daily(values_of_days)).await;
    let answer = ask(&app, "Was any heart rate unusual?").await;
    assert_eq!(values(&answer, "heart_rate", "outliers"), [1.0]);
    assert_eq!(values(&answer, "heart_rate", "baseline_median"), [61.0]);
    let answer = ask(&app, "heart rate on weekends").await;
    // 18, 19, 25 and 26 May: 60, 61, 61, 62.
    assert_eq!(values(&answer, "heart_rate", "weekend_mean"), [61.0]);
    let weekend = super::facts(&answer);
    let weekend = weekend
        .iter()
        .find(|fact| fact["statistic"] == "weekend_mean");
    assert_eq!(weekend.unwrap()["n"], 4);
}

#[tokio::test]
async fn time_in_range_needs_continuous_readings() {
    let app = TestApp::start().await;
    let end: jiff::Timestamp = "2024-05-31T12:00:00Z".parse().unwrap();
    let readings = (0..10_i64).map(|number| {
        let at = end - jiff::SignedDuration::from_mins(5 * number);
        json!({"data_type": "blood_glucose", "value": 100, "timestamp": at.to_string()})
    });
    store(&app, readings).await;
    let answer = ask(&app, "How long was my glucose in range?").await;
    assert_eq!(values(&answer, "blood_glucose", "time_in_range"), [0.0; 0]);
}

#[tokio::test]
async fn resting_heart_rate_is_estimated_if_it_is_not_measured() {
    let app = TestApp::start().await;
    let readings = (0..12).map(|number: i32| {
        let (hour, minute) = (2 + number / 6, 10 * (number % 6));
        // The lowest values are in the second half of the first hour.
        let value = if (3..6).contains(&number) {
            50 + number
        } else {
            70
        };
        json!({"value": value, "timestamp": format!("2024-05-31T{hour:02}:{minute:02}:00Z")})
    });
    store(&app, readings).await;
    let answer = ask(&app, "heart rate").await;
    assert_eq!(values(&answer, "heart_rate", "resting_estimate"), [54.0]);
    let measured = json!({"data_type": "resting_heart_rate", "value": 55});
    store(&app, [measured]).await;
    let answer = ask(&app, "heart rate").await;
    assert_eq!(values(&answer, "heart_rate", "resting_estimate"), [0.0; 0]);
}
