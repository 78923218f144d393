use super::days::{Days, days_between, just_before};
use super::fact::{Period, Statistic, TimeWindow};
use super::fact_builder::FactBuilder;
use super::observation::Observation;
use crate::domain::vocabulary::DailyAggregation;
use crate::statistics::{Baseline, Summary, Trend, standard_deviation};

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

impl FactBuilder<'_, '_> {
    /// What is said of days, each of which counts once.
    pub fn days(&mut self, period: Period, month: TimeWindow, observations: &[&Observation]) {
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

    pub fn trend(&mut self, period: Period, days: &Days<'_>) {
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
    pub fn sums_of_days(&mut self, month: TimeWindow, observations: &[&Observation]) {
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
}
