use super::days::{Days, days_between, just_before};
use super::fact::{Period, Statistic, TimeWindow};
use super::fact_builder::FactBuilder;
use super::observation::Observation;
use crate::domain::vocabulary::DailyAggregation;
use crate::statistics::{Baseline, Summary, Trend, standard_deviation};

/// Minimum number of days for outliers.
const MIN_DAYS_FOR_OUTLIERS: usize = 7;
/// Minimum number of days for a trend.
const MIN_DAYS_FOR_TREND: usize = 10;
/// Minimum share of days with readings for a trend.
const MIN_TREND_COVERAGE: f64 = 0.5;
/// Minimum number of weekdays, and of weekend days, for comparing them.
const MIN_DAYS_FOR_WEEKENDS: usize = 2;
/// Maximum number of local days whose sums are facts.
const MAX_DAILY_SUMS: usize = 7;

impl FactBuilder<'_, '_> {
    /// Adds the facts about daily values.
    pub fn add_daily_facts(
        &mut self,
        period: Period,
        month: TimeWindow,
        observations: &[&Observation],
    ) {
        let Some(days) = self.whole_days(month, observations) else {
            return;
        };
        let observations = days.observations.as_slice();
        let at = (period, days.window);
        let numbers = days.numbers();
        if numbers.len() >= MIN_DAYS_FOR_OUTLIERS
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
        if weekdays.len().min(weekends.len()) >= MIN_DAYS_FOR_WEEKENDS {
            for (statistic, is_weekend, numbers) in [
                (Statistic::WeekdayMean, false, weekdays),
                (Statistic::WeekendMean, true, weekends),
            ] {
                if let Some(Summary { mean, .. }) = Summary::from_values(numbers) {
                    self.push(statistic, at, mean, &days.observations_of(is_weekend));
                }
            }
        }
        self.add_trend(period, &days);
    }

    /// Adds the trend, if enough days have readings.
    pub fn add_trend(&mut self, period: Period, days: &Days<'_>) {
        let (Some((first, _)), Some((last, _))) = (days.values.first(), days.values.last()) else {
            return;
        };
        let possible = f64::from(days_between(*first, *last) + 1);
        let covered = days.values.len() as f64 / possible;
        if days.values.len() < MIN_DAYS_FOR_TREND || covered < MIN_TREND_COVERAGE {
            return;
        }
        if let Some(trend) = Trend::from_points(&days.points()) {
            let at = (period, days.window);
            self.push(Statistic::TrendPerDay, at, trend.slope, &days.observations)
                .trend = Some((trend.direction(), trend.strength()));
        }
    }

    /// Adds the sums of the newest local days.
    pub fn add_sums_by_day(&mut self, month: TimeWindow, observations: &[&Observation]) {
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
        for (date, sum) in days.values.iter().rev().take(MAX_DAILY_SUMS) {
            let of_day: Vec<&Observation> = days
                .observations
                .iter()
                .copied()
                .filter(|observation| observation.date() == *date)
                .collect();
            let Some(last) = of_day.first() else { continue };
            // The earliest start of the day, if its readings have several UTC offsets.
            let starts = of_day
                .iter()
                .map(|observation| just_before(*date, observation.offset));
            let window = TimeWindow {
                start: starts.min().unwrap_or(month.start),
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
