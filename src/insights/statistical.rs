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
                observations,
                complete,
            } => describe(&observations, complete),
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

/// Observations that may be compared: of one data type, in one unit.
type Series<'a> = BTreeMap<(&'a str, Option<&'a str>), Vec<&'a Observation>>;

/// Describes each series of `observations`, which come newest first.
fn describe(observations: &[Observation], complete: bool) -> Insight {
    let mut series = Series::new();
    for observation in observations {
        let unit = observation.unit.as_ref().map(|unit| unit.as_str());
        series
            .entry((observation.data_type.as_str(), unit))
            .or_default()
            .push(observation);
    }
    let mut facts = Facts::default();
    let mut counted = 0;
    let mut days = BTreeSet::new();
    let mut findings = Vec::with_capacity(series.len());
    for ((metric, unit), observations) in series {
        let month = last_days(observations[0].at, MONTH_DAYS);
        let within: Vec<&Observation> = within(&observations, month).collect();
        counted += within.len();
        days.extend(within.iter().map(|observation| day(observation.at)));
        findings.extend(facts.finding(metric, unit, month, &within));
    }
    let mut sentences: Vec<&str> = findings
        .iter()
        .map(|finding| finding.text.as_str())
        .collect();
    let left_out = format!(
        "Only the newest {} readings were looked at; there are older ones.",
        observations.len()
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
    /// What is to be said of one series, whose observations within `month` these
    /// are, newest first; `None` if there are none.
    fn finding(
        &mut self,
        metric: &str,
        unit: Option<&str>,
        month: Window,
        observations: &[&Observation],
    ) -> Option<Finding> {
        let week = last_days(month.end, WEEK_DAYS);
        let week_before = last_days(week.start, WEEK_DAYS);
        let figures = Figures {
            month: summary(observations, month)?,
            last: observations.first()?.value.get(),
            week: summary(observations, week)?,
            week_before: summary(observations, week_before),
        };
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
        let Summary {
            count,
            min,
            mean,
            max,
        } = figures.month;
        state(Statistic::Count, month, count as f64, count);
        state(Statistic::Min, month, min, count);
        state(Statistic::Mean, month, mean, count);
        state(Statistic::Max, month, max, count);
        state(Statistic::Last, month, figures.last, 1);
        state(Statistic::Mean, week, figures.week.mean, figures.week.count);
        if let Some(earlier) = figures.week_before {
            state(Statistic::Mean, week_before, earlier.mean, earlier.count);
        }
        Some(Finding {
            text: figures.in_words(metric, unit, month.end),
            facts,
        })
    }
}

/// The numbers of one series.
struct Figures {
    month: Summary,
    last: f64,
    /// Never empty, as the newest observation lies in it.
    week: Summary,
    week_before: Option<Summary>,
}

impl Figures {
    /// Two sentences that hold each of the numbers.
    fn in_words(&self, metric: &str, unit: Option<&str>, newest: Timestamp) -> String {
        let unit = unit.map(|unit| format!(" {unit}")).unwrap_or_default();
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
        format!(
            "{metric}: {} in the 30 days up to {} (UTC), from {} to {}{unit}, mean {}{unit}, last {}{unit}. \
             The last 7 days have {}; the 7 days before have {}.",
            readings_in_words(count),
            day(newest),
            number(min),
            number(max),
            number(mean),
            number(self.last),
            mean_of(self.week),
            self.week_before.map_or_else(|| "none".to_owned(), mean_of),
        )
    }
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
