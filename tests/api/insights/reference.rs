//! Reference implementation of the statistics, computed directly from their
//! definitions and independent of the service's code.

use std::collections::BTreeMap;

/// Reading of a line of the source.
#[derive(Clone)]
pub struct Point {
    pub id: String,
    /// Nanoseconds since 1970.
    pub at: i128,
    /// UTC offset in seconds.
    pub offset: i128,
    pub value: f64,
}

pub const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * SECOND;

impl Point {
    /// Returns the local day, in days since 1970.
    fn day(&self) -> i128 {
        local_day(self.at, self.offset)
    }
}

fn local_day(at: i128, offset: i128) -> i128 {
    (at + offset * SECOND).div_euclid(DAY)
}

/// Aggregation of a day's values.
#[derive(Clone, Copy, PartialEq)]
pub enum Daily {
    Sum,
    Median,
    Last,
    Mean,
}

/// Expected value, window and readings of a statistic.
pub struct Expected<'a> {
    pub value: f64,
    /// The bounds of the window; `start` is exclusive.
    pub start: i128,
    pub end: i128,
    /// Newest first.
    pub readings: Vec<&'a Point>,
}

/// Returns the named statistic of `points`, newest first, over `length` days up
/// to the newest, or `None` if there must be none.
pub fn expected<'a>(
    points: &'a [Point],
    statistic: &str,
    length: i128,
    daily: Daily,
) -> Option<Expected<'a>> {
    let newest = points.first()?;
    let (end, mut start) = (newest.at, newest.at - length * DAY);
    let first_whole_day = local_day(start, newest.offset) + 1;
    let of_days = statistic.starts_with("daily_")
        || ["trend_per_day", "baseline_median"].contains(&statistic);
    if of_days {
        start = first_whole_day * DAY - newest.offset * SECOND - 1;
    }
    let readings: Vec<&Point> = points
        .iter()
        .filter(|point| {
            if of_days {
                // By its own UTC offset and by that of the newest reading.
                point.day() >= first_whole_day && point.at > start
            } else {
                point.at > start
            }
        })
        .collect();
    let values: Vec<f64> = readings.iter().map(|point| point.value).collect();
    let mut by_day: BTreeMap<i128, Vec<f64>> = BTreeMap::new();
    for point in &readings {
        by_day.entry(point.day()).or_default().push(point.value);
    }
    let days: Vec<(f64, f64)> = by_day
        .iter()
        .map(|(day, values)| ((*day - first_whole_day) as f64, aggregate(values, daily)))
        .collect();
    let numbers: Vec<f64> = days.iter().map(|(_, number)| *number).collect();
    let value = match statistic {
        "count" => values.len() as f64,
        "days" => days.len() as f64,
        "min" => min(&values),
        "max" => max(&values),
        "mean" => mean(&values),
        "median" => median(&values),
        "last" => newest.value,
        "sum" => values.iter().sum(),
        "daily_mean" => mean(&numbers),
        "daily_min" => min(&numbers),
        "daily_max" => max(&numbers),
        // A baseline needs at min 7 days.
        "baseline_median" if numbers.len() < 7 => return None,
        "baseline_median" => median(&numbers),
        "trend_per_day" => slope(&days)?,
        other => panic!("no reference for {other}"),
    };
    Some(Expected {
        value,
        start,
        end,
        readings,
    })
}

/// Returns the sum of the newest local day.
pub fn newest_day(points: &[Point]) -> Option<Expected<'_>> {
    let newest = points.first()?;
    let day = newest.day();
    let readings: Vec<&Point> = points.iter().filter(|point| point.day() == day).collect();
    let midnights = readings
        .iter()
        .map(|point| day * DAY - point.offset * SECOND);
    Some(Expected {
        start: midnights.min()? - 1,
        value: readings.iter().map(|point| point.value).sum(),
        end: newest.at,
        readings,
    })
}

/// Returns the direction of the trend `due` by the Mann-Kendall test at the 5 %
/// level. A median slope of 0 is no trend.
pub fn direction(due: &Expected<'_>, daily: Daily) -> &'static str {
    let mut by_day: BTreeMap<i128, Vec<f64>> = BTreeMap::new();
    for point in &due.readings {
        by_day.entry(point.day()).or_default().push(point.value);
    }
    let numbers: Vec<f64> = by_day
        .values()
        .map(|values| aggregate(values, daily))
        .collect();
    let mut concordance = 0.0;
    for (at, earlier) in numbers.iter().enumerate() {
        for later in &numbers[at + 1..] {
            concordance += f64::from(i8::from(later > earlier) - i8::from(later < earlier));
        }
    }
    let term = |count: f64| count * (count - 1.0) * (2.0 * count + 5.0);
    let mut distinct = numbers.clone();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    let ties: f64 = distinct
        .iter()
        .map(|value| term(numbers.iter().filter(|number| *number == value).count() as f64))
        .sum();
    let variance = (term(numbers.len() as f64) - ties) / 18.0;
    let z = (concordance.abs() - 1.0) / variance.sqrt();
    if z < 1.959_964 || due.value == 0.0 {
        "no clear trend"
    } else if concordance > 0.0 {
        "rising"
    } else {
        "falling"
    }
}

/// Returns Sen's slope, or `None` for fewer than ten days or if more than half of
/// the days are missing.
fn slope(days: &[(f64, f64)]) -> Option<f64> {
    let (first, last) = (days.first()?, days.last()?);
    let covered = days.len() as f64 / (last.0 - first.0 + 1.0);
    if days.len() < 10 || covered < 0.5 || days.iter().all(|day| day.1 == first.1) {
        return None;
    }
    let mut slopes = Vec::new();
    for (at, earlier) in days.iter().enumerate() {
        for later in &days[at + 1..] {
            slopes.push((later.1 - earlier.1) / (later.0 - earlier.0));
        }
    }
    Some(median(&slopes))
}

fn aggregate(values: &[f64], daily: Daily) -> f64 {
    match daily {
        Daily::Sum => values.iter().sum(),
        Daily::Median => median(values),
        Daily::Last => values[0],
        Daily::Mean => mean(values),
    }
}

fn min(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn max(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[half]
    } else {
        f64::midpoint(sorted[half - 1], sorted[half])
    }
}
