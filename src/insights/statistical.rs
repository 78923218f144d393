use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{
    DataCoverage, Evidence, Fact, Finding, Insight, InsightProvider, InsightSource, InsightStatus,
    Question, Statistic, Window,
};
use crate::domain::Reading;
use crate::statistics::Summary;

const MONTH_DAYS: i64 = 30;
const WEEK_DAYS: i64 = 7;

/// Answers with statistics of every data type, without any model.
///
/// It computes each number it names and leaves it to the reader which of them
/// bear on the question.
#[derive(Debug, Default)]
pub struct StatisticalProvider;

#[async_trait]
impl InsightProvider for StatisticalProvider {
    async fn answer(&self, _question: Question, evidence: Evidence) -> Insight {
        match evidence {
            Evidence::Withheld => nothing_to_say(
                "There is nothing to go on: the question asked for no readings to be looked at.",
            ),
            Evidence::Readings { readings, .. } if readings.is_empty() => nothing_to_say(
                "There is nothing to go on: no readings are stored for this user yet.",
            ),
            Evidence::Readings { readings, complete } => describe(&readings, complete),
        }
    }
}

fn nothing_to_say(text: &str) -> Insight {
    Insight {
        text: text.to_owned(),
        status: InsightStatus::Complete,
        source: InsightSource::Statistics,
        findings: Vec::new(),
        data_coverage: DataCoverage::default(),
    }
}

/// Readings that may be compared: of one data type, in one unit.
type Series<'a> = BTreeMap<(&'a str, Option<&'a str>), Vec<&'a Reading>>;

/// Describes each series of `readings`, which come newest first.
fn describe(readings: &[Reading], complete: bool) -> Insight {
    let mut series = Series::new();
    for reading in readings {
        let measurement = &reading.measurement;
        let unit = measurement.unit.as_ref().map(|unit| unit.as_str());
        series
            .entry((measurement.data_type.as_str(), unit))
            .or_default()
            .push(reading);
    }
    let mut facts = Facts::default();
    let mut counted = 0;
    let mut days = BTreeSet::new();
    let mut findings = Vec::with_capacity(series.len());
    for ((metric, unit), readings) in series {
        let newest = instant(readings[0]);
        let month = last_days(newest, MONTH_DAYS);
        let within: Vec<&Reading> = within(&readings, month).collect();
        counted += within.len();
        days.extend(within.iter().map(|reading| day(instant(reading))));
        findings.extend(facts.finding(metric, unit, month, &within));
    }
    let mut sentences: Vec<&str> = findings
        .iter()
        .map(|finding| finding.text.as_str())
        .collect();
    let left_out = format!(
        "Only the newest {} readings were looked at; there are older ones.",
        readings.len()
    );
    if !complete {
        sentences.push(&left_out);
    }
    Insight {
        text: sentences.join(" "),
        status: if complete {
            InsightStatus::Complete
        } else {
            InsightStatus::Partial
        },
        source: InsightSource::Statistics,
        findings,
        data_coverage: DataCoverage {
            readings: counted,
            days: days.len(),
        },
    }
}

/// Hands out facts under ids of their own.
#[derive(Default)]
struct Facts {
    given: usize,
}

impl Facts {
    /// What is to be said of one series, whose readings within `month` these
    /// are, newest first; `None` if there are none.
    fn finding(
        &mut self,
        metric: &str,
        unit: Option<&str>,
        month: Window,
        readings: &[&Reading],
    ) -> Option<Finding> {
        let last = readings.first()?.measurement.value.get();
        let summary = Summary::of(readings.iter().map(|reading| value(reading)))?;
        let week = last_days(month.end, WEEK_DAYS);
        let week_before = last_days(week.start, WEEK_DAYS);
        let mean_of = |window| Summary::of(within(readings, window).map(value));
        let (this_week, week_earlier) = (mean_of(week), mean_of(week_before));

        let mut facts = Vec::new();
        let mut state = |statistic, window, value, n| {
            self.given += 1;
            facts.push(Fact {
                fact_id: format!("f{}", self.given),
                metric: metric.to_owned(),
                statistic,
                window,
                value,
                unit: unit
                    .filter(|_| statistic != Statistic::Count)
                    .map(str::to_owned),
                n,
            });
        };
        let count = summary.count;
        state(Statistic::Count, month, count as f64, count);
        state(Statistic::Min, month, summary.min, count);
        state(Statistic::Mean, month, summary.mean, count);
        state(Statistic::Max, month, summary.max, count);
        state(Statistic::Last, month, last, 1);
        for (window, summary) in [(week, this_week), (week_before, week_earlier)] {
            if let Some(summary) = summary {
                state(Statistic::Mean, window, summary.mean, summary.count);
            }
        }

        let unit = unit.map(|unit| format!(" {unit}")).unwrap_or_default();
        let mean_from = |summary: Summary| {
            format!(
                "a mean of {}{unit} from {}",
                number(summary.mean),
                readings_in_words(summary.count)
            )
        };
        let comparison = match (this_week, week_earlier) {
            (Some(this), Some(earlier)) => format!(
                " The last 7 days have {}; the 7 days before have {}.",
                mean_from(this),
                mean_from(earlier)
            ),
            (Some(this), None) => format!(
                " The last 7 days have {}; the 7 days before have none.",
                mean_from(this)
            ),
            // The newest reading always lies in the last 7 days.
            (None, _) => String::new(),
        };
        Some(Finding {
            text: format!(
                "{metric}: {} in the 30 days up to {} (UTC), from {} to {}{unit}, mean {}{unit}, last {}{unit}.{comparison}",
                readings_in_words(count),
                day(month.end),
                number(summary.min),
                number(summary.max),
                number(summary.mean),
                number(last),
            ),
            facts,
        })
    }
}

fn instant(reading: &Reading) -> Timestamp {
    reading.measurement.timestamp.instant()
}

fn value(reading: &Reading) -> f64 {
    reading.measurement.value.get()
}

/// The day in UTC.
fn day(instant: Timestamp) -> Date {
    instant.to_zoned(TimeZone::UTC).date()
}

/// The `days` of 24 hours up to `end`.
fn last_days(end: Timestamp, days: i64) -> Window {
    let start = end
        .checked_sub(SignedDuration::from_hours(24 * days))
        .unwrap_or(Timestamp::MIN);
    Window { start, end }
}

fn within<'a, 'b>(
    readings: &'b [&'a Reading],
    window: Window,
) -> impl Iterator<Item = &'a Reading> + 'b {
    readings
        .iter()
        .copied()
        .filter(move |reading| instant(reading) > window.start && instant(reading) <= window.end)
}

fn readings_in_words(count: usize) -> String {
    if count == 1 {
        "1 reading".to_owned()
    } else {
        format!("{count} readings")
    }
}

/// A number as one reads it: two decimals at most, and an exponent where it
/// would else be a row of digits or zeros.
fn number(number: f64) -> String {
    let magnitude = number.abs();
    if magnitude != 0.0 && !(0.005..1e9).contains(&magnitude) {
        return format!("{number:.2e}");
    }
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_written_as_one_reads_them() {
        for (value, text) in [
            (72.0, "72"),
            (72.5, "72.5"),
            (92.416_666, "92.42"),
            (-0.25, "-0.25"),
            (0.0, "0"),
            (100.0, "100"),
            (0.001, "1.00e-3"),
            (1e12, "1.00e12"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
