//! Summaries of all sample readings, compared with statistics computed here
//! without the service's code or its time zone data.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use serde_json::Value;

use crate::sample_data::batches::{FILES, send_in_batches};
use crate::sample_data::single_readings::read_samples;
use crate::support::app::TestApp;

/// Data type, granularity, unit, and start of the day in Unix seconds.
type Cell = (String, Option<String>, Option<String>, i64);

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Start and end of summer time in Athens by year: 01:00 UTC on the last Sundays
/// of March and October (Directive 2000/84/EC).
const SUMMER_TIMES: [(i64, i64); 9] = [
    (1_396_141_200, 1_414_285_200), // 2014-03-30, 2014-10-26
    (1_427_590_800, 1_445_734_800), // 2015-03-29, 2015-10-25
    (1_459_040_400, 1_477_789_200), // 2016-03-27, 2016-10-30
    (1_490_490_000, 1_509_238_800), // 2017-03-26, 2017-10-29
    (1_521_939_600, 1_540_688_400), // 2018-03-25, 2018-10-28
    (1_553_994_000, 1_572_138_000), // 2019-03-31, 2019-10-27
    (1_585_443_600, 1_603_587_600), // 2020-03-29, 2020-10-25
    (1_616_893_200, 1_635_642_000), // 2021-03-28, 2021-10-31
    (1_648_342_800, 1_667_091_600), // 2022-03-27, 2022-10-30
];

fn athens_offset(second: i64) -> i64 {
    let is_summer = |(from, to): &(i64, i64)| (*from..*to).contains(&second);
    if SUMMER_TIMES.iter().any(is_summer) {
        3 * HOUR
    } else {
        2 * HOUR
    }
}

fn utc_offset(_: i64) -> i64 {
    0
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(sample_data), ignore = "../shared/data is missing")]
async fn daily_summaries_match_independent_computation() {
    let app = TestApp::start().await;
    let readings: Vec<Value> = FILES.into_iter().flat_map(read_samples).collect();
    send_in_batches(&app, &readings).await;
    let mut users: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for reading in &readings {
        let user_id = reading["user_id"].as_str().unwrap();
        users.entry(user_id).or_default().push(reading);
    }
    let zones = [
        ("UTC", utc_offset as fn(i64) -> i64),
        ("Europe/Athens", athens_offset),
    ];
    let mut long_days = 0;
    for (user_id, readings) in users {
        for (zone, offset) in zones {
            let path = format!(
                "/api/v1/data/{user_id}/summary?start=2010-01-01T00:00:00Z&end=2023-01-01T00:00:00Z&tz={zone}"
            );
            let response = app.get(&path).await.expect(StatusCode::OK);
            long_days += compare(&response, group_by_day(&readings, offset), user_id);
        }
    }
    assert!(long_days > 0, "2021-10-31 in Athens has 25 hours");
}

fn second(timestamp: &str) -> i64 {
    timestamp.parse::<jiff::Timestamp>().unwrap().as_second()
}

/// Returns the instants and values of each series by local day.
fn group_by_day(readings: &[&Value], offset: fn(i64) -> i64) -> BTreeMap<Cell, Vec<(i64, f64)>> {
    let mut days: BTreeMap<Cell, Vec<(i64, f64)>> = BTreeMap::new();
    for reading in readings {
        let second = second(reading["timestamp"].as_str().unwrap());
        let text = |member: &Value| member.as_str().map(str::to_owned);
        let day = (second + offset(second)).div_euclid(DAY) * DAY;
        let data_type = text(&reading["data_type"]).unwrap();
        let unit = text(&reading["metadata"]["unit"]);
        // The vocabulary supplies missing units and normalizes spellings.
        let unit = match data_type.as_str() {
            "mood" => Some("{score}".to_owned()),
            "steps" => Some("{steps}".to_owned()),
            _ => unit,
        };
        let granularity = text(&reading["metadata"]["granularity"]);
        let cell = (data_type, granularity, unit, day);
        let value = reading["value"].as_f64().unwrap();
        days.entry(cell).or_default().push((second, value));
    }
    days
}

/// Compares summaries, and returns the number of days with 25 hours.
fn compare(
    response: &Value,
    mut expected: BTreeMap<Cell, Vec<(i64, f64)>>,
    user_id: &str,
) -> usize {
    let mut long_days = 0;
    for series in response["summaries"].as_array().unwrap() {
        let text = |name: &str| series[name].as_str().map(str::to_owned);
        let data_type = text("data_type").unwrap();
        for bucket in series["buckets"].as_array().unwrap() {
            let start = bucket["start"].as_str().unwrap();
            // The local date, encoded as midnight UTC.
            let day = second(&format!("{}T00:00:00Z", &start[..10]));
            let cell = (data_type.clone(), text("granularity"), text("unit"), day);
            let values = expected.remove(&cell);
            let values = values.unwrap_or_else(|| panic!("{user_id} has no {cell:?}"));
            compare_bucket(bucket, values, &cell);
            let end = bucket["end"].as_str().unwrap();
            if second(end) - second(start) == 25 * HOUR {
                assert_eq!(start, "2021-10-31T00:00:00+03:00");
                assert_eq!(end, "2021-11-01T00:00:00+02:00");
                long_days += 1;
            }
        }
    }
    assert!(
        expected.is_empty(),
        "{user_id}: {:?}",
        expected.keys().next()
    );
    long_days
}

const CUMULATIVE_TYPES: [&str; 5] = [
    "total_energy",
    "distance",
    "steps",
    "sleep_duration",
    "sleep_awake",
];

fn compare_bucket(bucket: &Value, mut values: Vec<(i64, f64)>, cell: &Cell) {
    let assert_near = |name: &str, expected: f64| {
        let found = bucket[name].as_f64().unwrap();
        let error = (found - expected).abs();
        assert!(
            error <= 1e-9 * expected.abs().max(1.0),
            "{name} of {cell:?}: {found}, not {expected}"
        );
    };
    values.sort_by_key(|(second, _)| *second);
    let count = values.len();
    assert_eq!(bucket["count"], count, "{cell:?}");
    let sum: f64 = values.iter().map(|(_, value)| value).sum();
    assert_near("mean", sum / count as f64);
    if CUMULATIVE_TYPES.contains(&cell.0.as_str()) {
        assert_near("sum", sum);
    } else {
        assert!(bucket.get("sum").is_none(), "{cell:?}");
    }
    // Of several readings in one second, any may be the first or the last.
    let values_at = |second: i64| -> Vec<f64> {
        let values = values.iter().filter(|(other, _)| *other == second);
        values.map(|(_, value)| *value).collect()
    };
    let assert_one_of = |name: &str, values: Vec<f64>| {
        let found = bucket[name].as_f64().unwrap();
        assert!(values.contains(&found), "{name} of {cell:?}");
    };
    assert_one_of("first", values_at(values[0].0));
    assert_one_of("last", values_at(values[count - 1].0));
    let mut values: Vec<f64> = values.iter().map(|(_, value)| *value).collect();
    values.sort_by(f64::total_cmp);
    assert_near("min", values[0]);
    assert_near("max", values[count - 1]);
    assert_near(
        "median",
        (values[(count - 1) / 2] + values[count / 2]) / 2.0,
    );
    assert_eq!(bucket["median_method"], "exact");
}
