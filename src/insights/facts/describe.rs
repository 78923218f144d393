use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::analysis::{MetricSummary, ObservedSpan};
use super::days::{Days, days_between, just_before};
use super::fact::{Fact, FactIds, Period, Span, Statistic, TimeWindow};
use super::observation::Observation;
use super::series::{Choice, Series};
use crate::domain::vocabulary::{DailyAggregation, convert};
use crate::statistics::{
    Baseline, Distribution, GlucoseControl, Summary, Trend, median, standard_deviation,
};

/// Fewer values have no meaningful tenth.
const FEWEST_FOR_PERCENTILES: usize = 10;
/// Fewer days have no outliers.
const FEWEST_DAYS_FOR_OUTLIERS: usize = 7;
/// Fewer days have no trend.
const FEWEST_DAYS_FOR_TREND: usize = 10;
/// The share of days that must have readings for a trend.
const COVERAGE_FOR_TREND: f64 = 0.5;
/// Fewer days on either side say nothing of weekends.
const FEWEST_DAYS_FOR_WEEKENDS: usize = 2;
/// How many local days have their sums named.
const DAYS_WITH_SUMS: usize = 7;
/// Glucose read more rarely is not from a continuous monitor.
const SLOWEST_MONITOR: SignedDuration = SignedDuration::from_mins(15);
/// A shorter time says nothing of how glucose is kept within bounds.
const SHORTEST_FOR_SHARES: SignedDuration = SignedDuration::from_hours(24);
/// A shorter time says too little of what three months would average to.
const SHORTEST_FOR_INDICATOR: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Fewer readings in half an hour have no meaningful median.
const FEWEST_FOR_RESTING: usize = 3;

/// Computes what there is to say of `series`; `None` if nothing of it was
/// looked at.
///
/// `needs_resting` tells whether the resting heart rate is to be estimated
/// from a heart rate.
pub fn describe(
    series: &Series<'_>,
    seen: ObservedSpan,
    now: Timestamp,
    needs_resting: bool,
    ids: &mut FactIds,
) -> Option<MetricSummary> {
    let newest = *series
        .observations
        .first()
        .or_else(|| series.suspects.first())?;
    let today = newest.offset.to_datetime(now).date();
    let mut facts = Facts {
        series,
        today,
        ids,
        facts: Vec::new(),
    };
    let (period, month) = seen.window(newest.at, Span::Month)?;
    let in_month = within(&series.observations, month);
    facts.windows(seen, newest);
    facts.suspects(period, month);
    facts.days(period, month, in_month);
    facts.sums_of_days(month, in_month);
    if series
        .metric
        .is_some_and(|metric| metric.name == "heart_rate")
        && needs_resting
    {
        facts.resting(period, month, in_month);
    }
    Some(MetricSummary {
        data_type: series.data_type.to_owned(),
        metric: series.metric,
        unit: series.unit.map(str::to_owned),
        newest: (newest.at, newest.date()),
        today,
        days: in_month
            .iter()
            .map(|observation| observation.date())
            .collect(),
        readings: in_month.len(),
        choice: series.choice.map(in_words),
        facts: facts.facts,
    })
}

/// Gathers the facts of one series.
struct Facts<'a, 'b> {
    series: &'a Series<'b>,
    /// The local day that may not be over.
    today: Date,
    ids: &'a mut FactIds,
    facts: Vec<Fact>,
}

impl Facts<'_, '_> {
    fn push(
        &mut self,
        statistic: Statistic,
        (period, window): (Period, TimeWindow),
        value: f64,
        rests_on: &[&Observation],
    ) -> &mut Fact {
        let unit = match statistic {
            Statistic::Count | Statistic::Suspect | Statistic::Outliers => None,
            Statistic::Days => Some("d".to_owned()),
            Statistic::LongestGap => Some("h".to_owned()),
            Statistic::TrendPerDay => self.series.unit.map(|unit| format!("{unit}/d")),
            Statistic::TimeInRange
            | Statistic::TimeVeryLow
            | Statistic::TimeLow
            | Statistic::TimeHigh
            | Statistic::TimeVeryHigh
            | Statistic::CoefficientOfVariation
            | Statistic::GlucoseManagementIndicator => Some("%".to_owned()),
            _ => self.series.unit.map(str::to_owned),
        };
        self.facts.push(Fact {
            fact_id: self.ids.next(),
            metric: self.series.data_type.to_owned(),
            statistic,
            window,
            value,
            unit,
            n: rests_on.len(),
            reading_ids: rests_on
                .iter()
                .take(Fact::MAX_READING_IDS)
                .map(|observation| observation.id)
                .collect(),
            period,
            trend: None,
        });
        let last = self.facts.len() - 1;
        &mut self.facts[last]
    }

    /// What is said of each window alike.
    fn windows(&mut self, seen: ObservedSpan, newest: &Observation) {
        for span in Span::ALL {
            let Some((period, window)) = seen.window(newest.at, span) else {
                continue;
            };
            let observations = within(&self.series.observations, window);
            self.window((period, window), observations);
            self.glucose((period, window), observations);
        }
    }

    fn window(&mut self, period: (Period, TimeWindow), observations: &[&Observation]) {
        let values = || {
            observations
                .iter()
                .map(|observation| observation.value.get())
        };
        let (Some(summary), Some(distribution)) = (
            Summary::from_values(values()),
            Distribution::from_values(values()),
        ) else {
            return;
        };
        let days: BTreeSet<_> = observations
            .iter()
            .map(|observation| observation.date())
            .collect();
        self.push(Statistic::Count, period, summary.count as f64, observations);
        self.push(Statistic::Days, period, days.len() as f64, observations);
        let gaps = observations
            .windows(2)
            .map(|pair| pair[0].at.duration_since(pair[1].at));
        if let Some(gap) = gaps.max() {
            let hours = gap.as_secs_f64() / 3_600.0;
            self.push(Statistic::LongestGap, period, hours, observations);
        }
        for (statistic, value) in [(Statistic::Min, summary.min), (Statistic::Max, summary.max)] {
            let holder = observations
                .iter()
                .position(|observation| observation.value.get() == value);
            let holder = holder.map_or(observations, |at| &observations[at..=at]);
            self.push(statistic, period, value, holder).n = summary.count;
        }
        self.push(Statistic::Mean, period, summary.mean, observations);
        self.push(Statistic::Median, period, distribution.median, observations);
        if summary.count >= FEWEST_FOR_PERCENTILES {
            self.push(Statistic::P10, period, distribution.p10, observations);
            self.push(Statistic::P90, period, distribution.p90, observations);
        }
        self.push(
            Statistic::Last,
            period,
            observations[0].value.get(),
            &observations[..1],
        );
        if self.aggregation() == DailyAggregation::Sum {
            self.push(Statistic::Sum, period, values().sum(), observations);
            self.sums(period, observations);
        }
    }

    /// The mean and the extremes of the sums of whole local days.
    fn sums(&mut self, (period, window): (Period, TimeWindow), observations: &[&Observation]) {
        if period == Period::UpToNewest(Span::Day) {
            return;
        }
        let Some(days) = self.whole_days(window, observations) else {
            return;
        };
        let Some(summary) = Summary::from_values(days.numbers()) else {
            return;
        };
        for (statistic, value) in [
            (Statistic::DailyMean, summary.mean),
            (Statistic::DailyMin, summary.min),
            (Statistic::DailyMax, summary.max),
        ] {
            self.push(statistic, (period, days.window), value, &days.observations);
        }
    }

    /// What cannot be true and was left out.
    fn suspects(&mut self, period: Period, window: TimeWindow) {
        let suspects: Vec<&Observation> = self
            .series
            .suspects
            .iter()
            .copied()
            .filter(|suspect| suspect.at > window.start)
            .collect();
        // The newest of all readings may be one of them.
        let end = suspects.iter().map(|suspect| suspect.at).max();
        let window = TimeWindow {
            end: end.map_or(window.end, |end| end.max(window.end)),
            ..window
        };
        if !suspects.is_empty() {
            let value = suspects.len() as f64;
            self.push(Statistic::Suspect, (period, window), value, &suspects);
        }
    }

    /// What is said of days, each of which counts once.
    fn days(&mut self, period: Period, month: TimeWindow, observations: &[&Observation]) {
        let Some(days) = self.whole_days(month, observations) else {
            return;
        };
        let observations = days.observations.as_slice();
        let at = (period, days.window);
        let numbers = days.numbers();
        if numbers.len() >= FEWEST_DAYS_FOR_OUTLIERS
            && let Some(baseline) = Baseline::from_values(&numbers)
        {
            let outliers = numbers
                .iter()
                .filter(|number| baseline.is_outlier(**number));
            let outliers = outliers.count() as f64;
            self.push(Statistic::BaselineMedian, at, baseline.median, observations);
            self.push(Statistic::BaselineSpread, at, baseline.spread, observations);
            self.push(Statistic::Outliers, at, outliers, observations);
        }
        if self
            .series
            .metric
            .is_some_and(|metric| metric.name == "sleep_duration")
            && let Some(deviation) = standard_deviation(&numbers)
        {
            self.push(Statistic::DailyDeviation, at, deviation, observations);
        }
        let (weekdays, weekends) = (days.numbers_of(false), days.numbers_of(true));
        if weekdays.len().min(weekends.len()) >= FEWEST_DAYS_FOR_WEEKENDS {
            for (statistic, is_weekend, numbers) in [
                (Statistic::WeekdayMean, false, weekdays),
                (Statistic::WeekendMean, true, weekends),
            ] {
                if let Some(Summary { mean, .. }) = Summary::from_values(numbers) {
                    self.push(statistic, at, mean, &days.observations_of(is_weekend));
                }
            }
        }
        self.trend(period, &days);
    }

    fn trend(&mut self, period: Period, days: &Days<'_>) {
        let (Some((first, _)), Some((last, _))) = (days.values.first(), days.values.last()) else {
            return;
        };
        let possible = f64::from(days_between(*first, *last) + 1);
        let covered = days.values.len() as f64 / possible;
        if days.values.len() < FEWEST_DAYS_FOR_TREND || covered < COVERAGE_FOR_TREND {
            return;
        }
        if let Some(trend) = Trend::from_points(&days.points()) {
            let at = (period, days.window);
            self.push(Statistic::TrendPerDay, at, trend.slope, &days.observations)
                .trend = Some((trend.direction(), trend.strength()));
        }
    }

    /// The sums of the newest local days.
    fn sums_of_days(&mut self, month: TimeWindow, observations: &[&Observation]) {
        let Some(newest) = observations.first() else {
            return;
        };
        if self.aggregation() != DailyAggregation::Sum {
            return;
        }
        let Some(days) = Days::between(month.start, None, observations, DailyAggregation::Sum)
        else {
            return;
        };
        for (date, sum) in days.values.iter().rev().take(DAYS_WITH_SUMS) {
            let of_day: Vec<&Observation> = days
                .observations
                .iter()
                .copied()
                .filter(|observation| observation.date() == *date)
                .collect();
            let Some(last) = of_day.first() else { continue };
            // By whichever of the day's clocks it began first.
            let beginnings = of_day
                .iter()
                .map(|observation| just_before(*date, observation.offset));
            let window = TimeWindow {
                start: beginnings.min().unwrap_or(month.start),
                end: last.at,
            };
            let period = Period::LocalDay {
                date: *date,
                before_newest: days_between(*date, newest.date()),
            };
            self.push(Statistic::Sum, (period, window), *sum, &of_day);
        }
    }

    /// Time in range and what goes with it, where a continuous monitor was worn
    /// for long enough.
    fn glucose(&mut self, period: (Period, TimeWindow), observations: &[&Observation]) {
        let Some(metric) = self
            .series
            .metric
            .filter(|metric| metric.name == "blood_glucose")
        else {
            return;
        };
        let length = period.1.end.duration_since(period.1.start);
        if length < SHORTEST_FOR_SHARES {
            return;
        }
        let values: Option<Vec<f64>> = observations
            .iter()
            .map(|observation| convert(observation.value.get(), self.series.unit?, &metric.unit))
            .collect();
        let Some(control) = values
            .filter(|_| is_covered(observations, period.1))
            .and_then(|values| GlucoseControl::from_values(&values))
        else {
            return;
        };
        for (statistic, value) in [
            (Statistic::TimeInRange, control.in_range),
            (Statistic::TimeVeryLow, control.very_low),
            (Statistic::TimeLow, control.low),
            (Statistic::TimeHigh, control.high),
            (Statistic::TimeVeryHigh, control.very_high),
            (
                Statistic::CoefficientOfVariation,
                control.coefficient_of_variation,
            ),
        ] {
            self.push(statistic, period, value, observations);
        }
        if length >= SHORTEST_FOR_INDICATOR {
            let value = control.management_indicator;
            self.push(
                Statistic::GlucoseManagementIndicator,
                period,
                value,
                observations,
            );
        }
    }

    /// The lowest median heart rate of the half hours that begin on the hour
    /// or half past.
    fn resting(&mut self, period: Period, month: TimeWindow, observations: &[&Observation]) {
        const HALF_AN_HOUR: i64 = 1_800;
        let half_hour = |observation: &Observation| observation.at.as_second() / HALF_AN_HOUR;
        let lowest = observations
            .chunk_by(|one, other| half_hour(one) == half_hour(other))
            .filter(|readings| readings.len() >= FEWEST_FOR_RESTING)
            .filter_map(|readings| {
                let values = readings.iter().map(|observation| observation.value.get());
                Some((median(values)?, readings))
            })
            .min_by(|(one, _), (other, _)| one.total_cmp(other));
        if let Some((resting, readings)) = lowest {
            self.push(
                Statistic::RestingEstimate,
                (period, month),
                resting,
                readings,
            );
        }
    }

    /// The days that are over, of what adds up; else also the one that may not
    /// be over.
    fn whole_days<'o>(
        &self,
        window: TimeWindow,
        observations: &[&'o Observation],
    ) -> Option<Days<'o>> {
        let aggregation = self.aggregation();
        // Last night's sleep is whole, unlike today's steps.
        let goes_on = aggregation == DailyAggregation::Sum
            && self.series.metric.is_some_and(|metric| !metric.is_sleep());
        let end = goes_on.then_some(self.today);
        Days::between(window.start, end, observations, aggregation)
            .filter(|days| !days.values.is_empty())
    }

    fn aggregation(&self) -> DailyAggregation {
        self.series
            .metric
            .map_or(DailyAggregation::Mean, |metric| metric.daily)
    }
}

/// Whether readings are there for most of the window, judged by how often they
/// come.
fn is_covered(observations: &[&Observation], window: TimeWindow) -> bool {
    let gaps = observations
        .windows(2)
        .map(|pair| pair[0].at.duration_since(pair[1].at).as_secs_f64());
    let Some(cadence) = median(gaps) else {
        return false;
    };
    if cadence <= 0.0 || cadence > SLOWEST_MONITOR.as_secs_f64() {
        return false;
    }
    let expected = window.end.duration_since(window.start).as_secs_f64() / cadence;
    observations.len() as f64 / expected >= GlucoseControl::SUFFICIENT_COVERAGE
}

/// Those of `observations`, newest first, that lie in a window up to the newest.
fn within<'a, 'b>(
    observations: &'a [&'b Observation],
    window: TimeWindow,
) -> &'a [&'b Observation] {
    let inside = observations.partition_point(|observation| observation.at > window.start);
    &observations[..inside]
}

/// Which of several series was taken.
fn in_words(choice: Choice<'_>) -> String {
    let granularity = choice
        .granularity
        .map(|text| format!("granularity \"{text}\""));
    let source = choice.source.map(|text| format!("source \"{text}\""));
    let labels: Vec<String> = granularity.into_iter().chain(source).collect();
    let taken = if labels.is_empty() {
        "the readings that name no source".to_owned()
    } else {
        format!("the readings of {}", labels.join(" and "))
    };
    let others = if choice.others == 1 {
        "1 other series is".to_owned()
    } else {
        format!("{} other series are", choice.others)
    };
    format!("{taken} are used; {others} left out rather than added up")
}
