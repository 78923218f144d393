use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::fact::TimeWindow;
use super::observation::Observation;
use crate::domain::vocabulary::DailyAggregation;
use crate::statistics::{Summary, median};

/// Daily values: one aggregate per local day, oldest first.
pub struct Days<'a> {
    /// Date and value of each day.
    pub values: Vec<(Date, f64)>,
    /// From the start of the first day to the newest reading.
    pub window: TimeWindow,
    /// The readings behind the values, newest first.
    pub observations: Vec<&'a Observation>,
}

impl<'a> Days<'a> {
    /// Aggregates the days after that of `start`, whose first readings may be
    /// missing, and before `end`, whose last readings may be missing.
    /// `observations` are ordered newest first.
    pub fn between(
        start: Timestamp,
        end: Option<Date>,
        observations: &[&'a Observation],
        aggregation: DailyAggregation,
    ) -> Option<Self> {
        let newest = observations.first()?;
        let first = newest.offset.to_datetime(start).date().tomorrow().ok()?;
        let window = TimeWindow {
            start: just_before(first, newest.offset),
            end: end.map_or(newest.at, |end| {
                newest.at.min(just_before(end, newest.offset))
            }),
        };
        // Where the UTC offset changed, a reading can belong to the first day by
        // its own offset but not by that of the newest reading, or vice versa.
        let observations: Vec<&Observation> = observations
            .iter()
            .copied()
            .filter(|observation| window.contains(observation.at))
            .filter(|observation| {
                let date = observation.date();
                date >= first && end.is_none_or(|end| date < end)
            })
            .collect();
        let mut days: BTreeMap<Date, Vec<f64>> = BTreeMap::new();
        for observation in &observations {
            let values = days.entry(observation.date()).or_default();
            values.push(observation.value.get());
        }
        let values = days
            .into_iter()
            .filter_map(|(date, values)| Some((date, aggregate(&values, aggregation)?)))
            .collect();
        Some(Self {
            values,
            window,
            observations,
        })
    }

    /// Returns the values without their dates.
    pub fn numbers(&self) -> Vec<f64> {
        self.values.iter().map(|(_, value)| *value).collect()
    }

    /// Returns the values of weekends, or of weekdays.
    pub fn numbers_of(&self, weekend: bool) -> Vec<f64> {
        self.values
            .iter()
            .filter(|(date, _)| is_weekend(*date) == weekend)
            .map(|(_, value)| *value)
            .collect()
    }

    /// Returns the readings of weekends, or of weekdays.
    pub fn observations_of(&self, weekend: bool) -> Vec<&'a Observation> {
        let observations = self.observations.iter().copied();
        observations
            .filter(|observation| is_weekend(observation.date()) == weekend)
            .collect()
    }

    /// Returns the values with their distance from the first day, in days.
    pub fn points(&self) -> Vec<(f64, f64)> {
        let Some((first, _)) = self.values.first() else {
            return Vec::new();
        };
        self.values
            .iter()
            .map(|(date, value)| (f64::from(days_between(*first, *date)), *value))
            .collect()
    }
}

/// Aggregates the values of one day, ordered newest first.
fn aggregate(values: &[f64], aggregation: DailyAggregation) -> Option<f64> {
    match aggregation {
        DailyAggregation::Sum => Some(values.iter().sum()),
        DailyAggregation::Mean => {
            Summary::from_values(values.iter().copied()).map(|summary| summary.mean)
        }
        DailyAggregation::Median => median(values.iter().copied()),
        DailyAggregation::Last => values.first().copied(),
    }
}

/// Returns the last instant before the local day `date`.
pub fn just_before(date: Date, offset: Offset) -> Timestamp {
    offset
        .to_timestamp(date.to_datetime(jiff::civil::Time::midnight()))
        .and_then(|midnight| midnight.checked_sub(SignedDuration::from_nanos(1)))
        .unwrap_or(Timestamp::MIN)
}

/// Returns the number of days from `earlier` to `later`.
pub fn days_between(earlier: Date, later: Date) -> i32 {
    // Two dates are less than 20,000 years apart, which fits an i32 in days.
    earlier.until(later).map_or(0, |span| span.get_days())
}

fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}
