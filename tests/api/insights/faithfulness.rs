//! Numbers in answers about real readings, asked over HTTP and compared with a
//! reference implementation.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use clarity_backend::domain::{Measurement, MeasurementTime, Metadata, Reading, ReadingValue};
use clarity_backend::store::{EmbeddedStore, ReadingStore};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use jiff::tz::Offset;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::reference::{Daily, Expected, Point, SECOND, direction, expected, newest_day};
use crate::support::app::{NOW, TestApp};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/");
const WEARER: &str = "lifesnaps-621e337667b776a240ce78ab";
const WINDOWS: [(i128, &str); 3] = [(1, "24 hours"), (7, "7 days"), (30, "30 days")];
const STATISTICS: [&str; 7] = [
    "average", "lowest", "highest", "latest", "total", "median", "trend",
];

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(sample_data), ignore = "left out: ../shared/data is not here")]
async fn answers_about_many_types_match_the_reference() {
    let types = [
        "heart_rate",
        "resting_heart_rate",
        "sleeping_heart_rate",
        "hrv_rmssd",
        "blood_oxygen",
        "respiratory_rate",
        "skin_temperature",
        "sleep_efficiency",
        "vo2_max",
        "stress",
        "steps",
        "distance",
        "total_energy",
        "sleep_duration",
        "light_activity_time",
    ];
    let lines = lines("lifesnaps_daily.jsonl", WEARER, |_| true);
    assert_eq!(check(&lines, &types).await, 315);
}

/// The same instants belong to other local days at other UTC offsets.
#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(sample_data), ignore = "left out: ../shared/data is not here")]
async fn answers_in_other_time_zones_match_the_reference() {
    let types = ["steps", "sleep_duration", "resting_heart_rate"];
    let lines = lines("lifesnaps_daily.jsonl", WEARER, |data_type| {
        types.contains(&data_type)
    });
    let (west, east) = (-8 * 3_600, 5 * 3_600 + 1_800);
    // Alternating offsets put two readings on one day and none on the next.
    for zones in [[west, west], [east, east], [east, west], [west, east]] {
        let mut by_type: BTreeMap<String, usize> = BTreeMap::new();
        let moved: Vec<Value> = lines
            .iter()
            .map(|line| {
                let turn = by_type.entry(line["data_type"].to_string()).or_default();
                *turn += 1;
                restamped(line, zones[*turn % 2])
            })
            .collect();
        assert_eq!(check(&moved, &types).await, 63);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(sample_data), ignore = "left out: ../shared/data is not here")]
async fn answers_with_missing_days_match_the_reference() {
    let types = ["steps", "heart_rate", "sleep_duration"];
    let lines = lines("lifesnaps_daily.jsonl", WEARER, |data_type| {
        types.contains(&data_type)
    });
    // With two thirds of the days there is a trend; with one in five there is none.
    for (of, kept) in [(3, 2), (5, 1)] {
        let left: Vec<Value> = lines
            .iter()
            .filter(|line| instant(line).0.div_euclid(86_400 * SECOND) % of < kept)
            .cloned()
            .collect();
        assert!(left.len() < lines.len());
        assert_eq!(check(&left, &types).await, 63);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(sample_data), ignore = "left out: ../shared/data is not here")]
async fn answers_about_continuous_glucose_match_the_reference() {
    for user in ["hall-1636-69-001", "hall-2133-027", "hall-2133-039"] {
        let lines = lines("hall_cgm.jsonl", user, |_| true);
        assert_eq!(check(&lines, &["blood_glucose"]).await, 21);
    }
    let lines = lines("hall_cgm.jsonl", "hall-2133-039", |_| true);
    let moved: Vec<Value> = lines.iter().map(|line| restamped(line, 19_800)).collect();
    assert_eq!(check(&moved, &["blood_glucose"]).await, 21);
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(sample_data), ignore = "left out: ../shared/data is not here")]
async fn answers_about_frequent_heart_rate_match_the_reference() {
    let lines = lines("fitbit_hr_seconds.jsonl", "fitbit-2022484408", |_| true);
    assert_eq!(check(&lines, &["heart_rate"]).await, 21);
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(sample_data), ignore = "left out: ../shared/data is not here")]
async fn answers_about_an_export_in_local_time_match_the_reference() {
    let lines = lines("apple_sample.jsonl", "apple-tdda", |_| true);
    assert_eq!(check(&lines, &["steps", "distance"]).await, 42);
}

/// Returns the lines of one user in a file, for the wanted types.
fn lines(file: &str, user: &str, wanted: impl Fn(&str) -> bool) -> Vec<Value> {
    std::fs::read_to_string(format!("{DATA}{file}"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["user_id"] == user && wanted(line["data_type"].as_str().unwrap()))
        .collect()
}

/// Returns the instant of a line in nanoseconds, and its UTC offset in seconds.
fn instant(line: &Value) -> (i128, i128) {
    let text = line["timestamp"].as_str().unwrap();
    let at: Timestamp = text.parse().unwrap();
    let offset = match &text[19..] {
        "Z" => 0,
        "+01:00" => 3_600,
        "-08:00" => -28_800,
        "+05:30" => 19_800,
        other => panic!("no offset known as {other}"),
    };
    (at.as_nanosecond(), offset)
}

/// Returns the line with the same instant at another UTC offset.
fn restamped(line: &Value, offset: i32) -> Value {
    let (at, _) = instant(line);
    let at = Timestamp::from_nanosecond(at).unwrap();
    let offset = Offset::from_seconds(offset).unwrap();
    let mut line = line.clone();
    line["timestamp"] = json!(at.display_with_offset(offset).to_string());
    line
}

const VOCABULARY: &str = include_str!("../../../src/domain/vocabulary/vocabulary.csv");

/// Stores the lines, asks for each statistic of each type over each window,
/// checks the answers and returns their count.
async fn check(lines: &[Value], types: &[&str]) -> usize {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(directory.path()).unwrap();
    let mut readings = Vec::new();
    let mut points: BTreeMap<&str, Vec<Point>> = BTreeMap::new();
    for line in lines {
        let reading = reading(line);
        let data_type = line["data_type"].as_str().unwrap();
        let (at, offset) = instant(line);
        let value = line["value"].as_f64().unwrap();
        let (least, greatest, _) = vocabulary(data_type);
        if (least..=greatest).contains(&value) {
            let id = reading.id.to_string();
            points.entry(data_type).or_default().push(Point {
                id,
                at,
                offset,
                value,
            });
        }
        readings.push(reading);
    }
    stream::iter(readings)
        .for_each_concurrent(256, async |reading| {
            store.put(reading).await.unwrap();
        })
        .await;
    let app = TestApp::start_with_store(Arc::new(store), Some(directory)).await;
    let user = lines[0]["user_id"].as_str().unwrap();
    let mut asked = HashSet::new();
    for data_type in types {
        let points = points.get_mut(data_type).unwrap();
        points.sort_by_key(|point| std::cmp::Reverse(point.at));
        let unit = unit(lines, data_type);
        for (length, span) in WINDOWS {
            for requested in STATISTICS {
                let name = data_type.replace('_', " ");
                let query = format!("What is the {requested} of my {name} over the last {span}?");
                let question = json!({"user_id": user, "query": query});
                let answer = app.post_raw("/api/v1/insights", question.to_string()).await;
                let answer = answer.expect(StatusCode::OK);
                AskedQuestion {
                    query: &query,
                    data_type,
                    points,
                    unit: &unit,
                }
                .check(&answer, requested, length);
                assert!(asked.insert(query));
            }
        }
    }
    asked.len()
}

fn reading(line: &Value) -> Reading {
    let text = |member: &str| line[member].as_str().unwrap();
    let measurement = Measurement {
        user_id: text("user_id").parse().unwrap(),
        data_type: text("data_type").parse().unwrap(),
        value: ReadingValue::try_from(line["value"].as_f64().unwrap()).unwrap(),
        timestamp: MeasurementTime::parse_any(text("timestamp")).unwrap(),
        unit: None,
        metadata: Metadata::parse(&line["metadata"].to_string()).unwrap(),
        client_record: None,
    };
    Reading::accept(measurement, NOW.parse().unwrap())
}

/// Returns whether the vocabulary has the data type.
fn is_known(data_type: &str) -> bool {
    VOCABULARY
        .lines()
        .any(|line| line.split(',').next() == Some(data_type))
}

/// Returns the plausible range of a type and its daily aggregation.
fn vocabulary(data_type: &str) -> (f64, f64, Daily) {
    let row = VOCABULARY
        .lines()
        .map(|line| line.split(',').collect::<Vec<_>>())
        .find(|row| row[0] == data_type);
    let Some(row) = row else {
        return (f64::NEG_INFINITY, f64::INFINITY, Daily::Mean);
    };
    let daily = match row[8].split('+').next().unwrap() {
        "sum" => Daily::Sum,
        "median" => Daily::Median,
        "avg" => Daily::Mean,
        _ => Daily::Last,
    };
    let bound = |column: usize, absent: f64| row[column].parse().unwrap_or(absent);
    (bound(6, f64::NEG_INFINITY), bound(7, f64::INFINITY), daily)
}

/// Returns the unit of the lines, in the spelling of the vocabulary.
fn unit(lines: &[Value], data_type: &str) -> String {
    let line = lines.iter().find(|line| line["data_type"] == data_type);
    match line.unwrap()["metadata"]["unit"].as_str().unwrap() {
        "count" | "{count}" => "{steps}".to_owned(),
        unit => unit.to_owned(),
    }
}

/// Question and the readings behind its answer.
struct AskedQuestion<'a> {
    query: &'a str,
    data_type: &'a str,
    points: &'a [Point],
    unit: &'a str,
}

impl AskedQuestion<'_> {
    /// Checks that the answer states the requested statistic, and only correct facts.
    #[track_caller]
    fn check(&self, answer: &Value, requested: &str, length: i128) {
        let (_, _, daily) = vocabulary(self.data_type);
        let (statistic, length) = statistic(requested, length, daily);
        let due = match statistic {
            "sum" if requested == "latest" => newest_day(self.points),
            statistic => expected(self.points, statistic, length, daily),
        };
        let mut answered = false;
        let findings = answer["findings"].as_array().unwrap();
        for finding in findings {
            let facts = finding["facts"].as_array().unwrap();
            self.check_text(finding["text"].as_str().unwrap(), facts);
            for fact in facts {
                let is_due = fact["statistic"] == statistic
                    && due.as_ref().is_some_and(|due| self.is(fact, due));
                if statistic == "trend_per_day"
                    && is_due
                    && let Some(due) = &due
                {
                    let text = finding["text"].as_str().unwrap();
                    let direction = direction(due, daily);
                    assert!(text.contains(direction), "{}: {text}", self.query);
                }
                answered |= is_due;
                assert!(
                    is_due || self.is_right(fact, daily),
                    "{}: {fact}",
                    self.query
                );
            }
        }
        let statistics: Vec<&Value> = findings
            .iter()
            .flat_map(|finding| finding["facts"].as_array().unwrap())
            .map(|fact| &fact["statistic"])
            .collect();
        match (due, statistic) {
            (Some(_), _) => assert!(answered, "{}: no {statistic} in {answer}", self.query),
            (None, "trend_per_day") => {
                assert!(!statistics.contains(&&json!(statistic)), "{}", self.query);
            }
            (None, _) => {}
        }
    }

    /// Returns true if the fact matches the reference over some window.
    fn is_right(&self, fact: &Value, daily: Daily) -> bool {
        let statistic = fact["statistic"].as_str().unwrap();
        WINDOWS.iter().any(|(length, _)| {
            expected(self.points, statistic, *length, daily).is_some_and(|due| self.is(fact, &due))
        })
    }

    /// Returns true if the fact equals the expected one.
    fn is(&self, fact: &Value, due: &Expected<'_>) -> bool {
        let statistic = fact["statistic"].as_str().unwrap();
        let unit = match statistic {
            "count" => Value::Null,
            "days" => json!("d"),
            "trend_per_day" => json!(format!("{}/d", self.unit)),
            _ => json!(self.unit),
        };
        let n = if statistic == "last" {
            1
        } else {
            due.readings.len()
        };
        let bound = |name: &str| {
            let bound: Timestamp = fact["window"][name].as_str().unwrap().parse().unwrap();
            bound.as_nanosecond()
        };
        let ids: Vec<&str> = fact["reading_ids"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| id.as_str().unwrap())
            .collect();
        let newest: Vec<&str> = due
            .readings
            .iter()
            .take(20)
            .map(|point| &*point.id)
            .collect();
        let rests = match statistic {
            "last" => ids == newest[..1],
            "min" | "max" => {
                ids.len() == 1
                    && due
                        .readings
                        .iter()
                        .any(|point| point.id == ids[0] && point.value == due.value)
            }
            _ => ids == newest,
        };
        // A data type that is not in the vocabulary is not named.
        let metric = if is_known(self.data_type) {
            self.data_type
        } else {
            "other"
        };
        fact["metric"] == metric
            && (fact["value"].as_f64().unwrap() - due.value).abs()
                <= 1e-9 * due.value.abs().max(1.0)
            && fact["unit"] == unit
            && fact["n"] == n
            && (bound("start"), bound("end")) == (due.start, due.end)
            && rests
    }

    /// Checks that each number in a sentence is the rounded value of one of its
    /// facts.
    #[track_caller]
    fn check_text(&self, text: &str, facts: &[Value]) {
        let words: Vec<&str> = text
            .split_whitespace()
            .map(|word| word.trim_matches([',', ';', '.', ':']))
            .collect();
        for (at, word) in words.iter().enumerate() {
            let Ok(number) = word.parse::<f64>() else {
                continue;
            };
            let phrase = words[at..]
                .iter()
                .take(2)
                .copied()
                .collect::<Vec<_>>()
                .join(" ");
            if at > 0 && words[at - 1] == "the" && WINDOWS.iter().any(|(_, span)| *span == phrase) {
                continue;
            }
            let decimals = word
                .split_once('.')
                .map_or(0, |(_, decimals)| decimals.len());
            let half = 0.5 / 10_f64.powi(i32::try_from(decimals).unwrap()) + 1e-9;
            let shown = facts.iter().any(|fact| {
                let value = fact["value"].as_f64().unwrap();
                (number - value).abs() <= half || (number - value.abs()).abs() <= half
            });
            assert!(shown, "{}: {word} in {text:?}", self.query);
        }
    }
}

/// Returns the statistic that answers a question, and its window in days.
fn statistic(requested: &str, length: i128, daily: Daily) -> (&'static str, i128) {
    let adds_up = daily == Daily::Sum;
    let by_days = adds_up && length > 1;
    let statistic = match requested {
        "average" if by_days => "daily_mean",
        "average" | "latest" | "total" if adds_up => "sum",
        "average" => "mean",
        "lowest" if by_days => "daily_min",
        "lowest" => "min",
        "highest" if by_days => "daily_max",
        "highest" => "max",
        "latest" => "last",
        "total" => "count",
        "median" if adds_up => return ("baseline_median", 30),
        "median" => "median",
        // A trend needs more days than a week has.
        _ => return ("trend_per_day", 30),
    };
    (statistic, length)
}
