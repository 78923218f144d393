use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{
    DataCoverage, Evidence, Fact, Finding, Insight, InsightProvider, InsightSource, InsightStatus,
    Observation, Question, Statistic, Window,
};
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
            Evidence::Readings { observations, .. } if observations.is_empty() => nothing_to_say(
                "There is nothing to go on: no readings are stored for this user yet.",
            ),
            Evidence::Readings {
                mut observations,
                complete,
            } => {
                // Within a millisecond they come in no order of time.
                observations.sort_by_key(|observation| Reverse(observation.at));
                describe(&observations, complete)
            }
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

/// At most how many data types an answer describes.
const MOST_SERIES: usize = 50;

/// Observations that may be compared, newest first: of one data type, in one
/// unit.
struct Series<'a> {
    metric: &'a str,
    unit: Option<&'a str>,
    observations: Vec<&'a Observation>,
}

/// The series of `observations` in the order of their names.
fn series(observations: &[Observation]) -> Vec<Series<'_>> {
    let mut series: BTreeMap<_, Vec<&Observation>> = BTreeMap::new();
    for observation in observations {
        let unit = observation.unit.as_ref().map(|unit| unit.as_str());
        let key = (observation.data_type.as_str(), unit);
        series.entry(key).or_default().push(observation);
    }
    series
        .into_iter()
        .map(|((metric, unit), observations)| Series {
            metric,
            unit,
            observations,
        })
        .collect()
}

/// Describes each series of `observations`, which come newest first.
fn describe(observations: &[Observation], complete: bool) -> Insight {
    let seen = Seen {
        // Others of the oldest millisecond may not have been looked at.
        after: match observations.last() {
            Some(oldest) if !complete => end_of_millisecond(oldest.at),
            _ => Timestamp::MIN,
        },
    };
    let mut series = series(observations);
    let left_out = series.len().saturating_sub(MOST_SERIES);
    series.sort_by_key(|series| Reverse(series.observations.len()));
    series.truncate(MOST_SERIES);
    series.sort_by_key(|series| (series.metric, series.unit));

    let mut facts = Facts::default();
    let mut coverage = DataCoverage::default();
    let mut days = BTreeSet::new();
    let mut findings = Vec::with_capacity(series.len());
    for series in &series {
        let month = seen.last_days(series.observations[0].at, MONTH_DAYS);
        for observation in within(&series.observations, month.window) {
            coverage.readings += 1;
            days.insert(day(observation.at));
        }
        findings.extend(facts.finding(series, month, seen));
    }
    coverage.days = days.len();

    let mut sentences: Vec<String> = findings
        .iter()
        .map(|finding| finding.text.clone())
        .collect();
    if !complete {
        sentences.push(format!(
            "Only the newest {} were looked at; older ones, and data types that have only older ones, are left out.",
            readings_in_words(observations.len())
        ));
    }
    if left_out > 0 {
        sentences.push(format!(
            "The {MOST_SERIES} data types with the most readings are described; {left_out} more are left out."
        ));
    }
    Insight {
        text: sentences.join(" "),
        status: if complete && left_out == 0 {
            InsightStatus::Complete
        } else {
            InsightStatus::Partial
        },
        source: InsightSource::Statistics,
        findings,
        data_coverage: coverage,
    }
}

/// How far back readings were looked at.
#[derive(Clone, Copy)]
struct Seen {
    /// Every reading after this was.
    after: Timestamp,
}

/// What was looked at of a period.
#[derive(Clone, Copy)]
struct Period {
    window: Window,
    /// Whether that is all of it.
    is_whole: bool,
}

impl Seen {
    /// The `days` of 24 hours up to `end`, as far as they were looked at.
    fn last_days(self, end: Timestamp, days: i64) -> Period {
        let start = end
            .checked_sub(SignedDuration::from_hours(24 * days))
            .unwrap_or(Timestamp::MIN);
        Period {
            window: Window {
                start: start.max(self.after),
                end,
            },
            is_whole: start >= self.after,
        }
    }
}

/// Hands out facts under ids of their own.
#[derive(Default)]
struct Facts {
    given: usize,
}

impl Facts {
    /// What is to be said of one series; `None` if nothing of its `month` was
    /// looked at.
    fn finding(&mut self, series: &Series<'_>, month: Period, seen: Seen) -> Option<Finding> {
        let observations = &series.observations;
        let week = seen.last_days(month.window.end, WEEK_DAYS);
        let week_before = seen.last_days(week.window.start, WEEK_DAYS);
        let figures = Figures {
            month: summary(observations, month.window)?,
            last: observations[0].value.get(),
            week: summary(observations, week.window).filter(|_| week.is_whole),
            week_before: week_before
                .is_whole
                .then(|| summary(observations, week_before.window)),
        };
        let mut facts = Vec::new();
        let mut state = |statistic, window, value, n| {
            self.given += 1;
            facts.push(Fact {
                fact_id: format!("f{}", self.given),
                metric: series.metric.to_owned(),
                statistic,
                window,
                value,
                unit: series
                    .unit
                    .filter(|_| statistic != Statistic::Count)
                    .map(str::to_owned),
                n,
            });
        };
        let Summary {
            count,
            min,
            mean,
            max,
        } = figures.month;
        state(Statistic::Count, month.window, count as f64, count);
        state(Statistic::Min, month.window, min, count);
        state(Statistic::Mean, month.window, mean, count);
        state(Statistic::Max, month.window, max, count);
        state(Statistic::Last, month.window, figures.last, 1);
        for (period, summary) in [
            (week, figures.week),
            (week_before, figures.week_before.flatten()),
        ] {
            if let Some(Summary { mean, count, .. }) = summary {
                state(Statistic::Mean, period.window, mean, count);
            }
        }
        Some(Finding {
            text: figures.in_words(series, month),
            facts,
        })
    }
}

/// The numbers of one series.
struct Figures {
    month: Summary,
    last: f64,
    /// Of the last 7 days; absent if they were not looked at whole.
    week: Option<Summary>,
    /// Of the 7 days before, which may be empty; absent if they were not looked
    /// at whole.
    week_before: Option<Option<Summary>>,
}

impl Figures {
    /// One or two sentences that hold each of the numbers.
    fn in_words(&self, series: &Series<'_>, month: Period) -> String {
        let metric = series.metric;
        let unit = series
            .unit
            .map(|unit| format!(" {unit}"))
            .unwrap_or_default();
        let mean_of = |summary: Summary| {
            format!(
                "a mean of {}{unit} from {}",
                number(summary.mean),
                readings_in_words(summary.count)
            )
        };
        let Summary {
            count,
            min,
            mean,
            max,
        } = self.month;
        let period = if month.is_whole {
            "in the 30 days".to_owned()
        } else {
            format!("after {}", month.window.start)
        };
        let figures = format!(
            "{metric}: {} {period} up to {} (UTC), from {} to {}{unit}, mean {}{unit}, last {}{unit}.",
            readings_in_words(count),
            day(month.window.end),
            number(min),
            number(max),
            number(mean),
            number(self.last),
        );
        let Some(week) = self.week else {
            return figures;
        };
        let before = match self.week_before {
            Some(Some(summary)) => format!("have {}", mean_of(summary)),
            Some(None) => "have none".to_owned(),
            None => "were not looked at whole".to_owned(),
        };
        format!(
            "{figures} The last 7 days have {}; the 7 days before {before}.",
            mean_of(week)
        )
    }
}

/// The last instant of the millisecond in which `instant` lies, 1970 or later.
fn end_of_millisecond(instant: Timestamp) -> Timestamp {
    let into_it = instant.subsec_nanosecond() % 1_000_000;
    instant
        .checked_add(SignedDuration::from_nanos(i64::from(999_999 - into_it)))
        .unwrap_or(instant)
}

/// The day in UTC.
fn day(instant: Timestamp) -> Date {
    instant.to_zoned(TimeZone::UTC).date()
}

/// Those observations that lie in `window`.
fn within<'a, 'b>(
    observations: &'b [&'a Observation],
    window: Window,
) -> impl Iterator<Item = &'a Observation> + 'b {
    observations
        .iter()
        .copied()
        .filter(move |observation| observation.at > window.start && observation.at <= window.end)
}

/// What the observations in `window` amount to.
fn summary(observations: &[&Observation], window: Window) -> Option<Summary> {
    Summary::of(within(observations, window).map(|observation| observation.value.get()))
}

fn readings_in_words(count: usize) -> String {
    if count == 1 {
        "1 reading".to_owned()
    } else {
        format!("{count} readings")
    }
}

/// A number as one reads it: with two decimals, below 1 with three digits that
/// count, and with an exponent where it would else be a row of digits or zeros.
fn number(number: f64) -> String {
    let decimals = match number.abs() {
        0.0 => return "0".to_owned(),
        1.0..1e9 => 2,
        0.1..1.0 => 3,
        0.01..0.1 => 4,
        0.001..0.01 => 5,
        _ => return format!("{number:.2e}"),
    };
    let text = format!("{number:.decimals$}");
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
            (0.0149, "0.0149"),
            (0.005_123, "0.00512"),
            (0.999_999, "1"),
            (0.0001, "1.00e-4"),
            (1e12, "1.00e12"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
