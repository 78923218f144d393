use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::fact::TimeWindow;
use super::observation::Observation;
use crate::domain::vocabulary::DailyAggregation;
use crate::statistics::{Summary, median};

/// What one number stands for each of some local days, in their order.
pub struct Days<'a> {
    pub values: Vec<(Date, f64)>,
    /// From the beginning of the first to the newest reading.
    pub window: TimeWindow,
    /// What the numbers rest on, newest first.
    pub observations: Vec<&'a Observation>,
}

impl<'a> Days<'a> {
    /// The days after that in which `start` lies, of which the beginning may be
    /// missing, and before `end`, of which the rest may be still to come.
    /// `observations` come newest first.
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
        // Where clocks changed, a reading can be of the first day by its own
        // clock and lie before it by the newest, or the other way round.
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

    /// The numbers alone.
    pub fn numbers(&self) -> Vec<f64> {
        self.values.iter().map(|(_, value)| *value).collect()
    }

    /// The numbers of Saturdays and Sundays, or of the other days.
    pub fn numbers_of(&self, weekend: bool) -> Vec<f64> {
        self.values
            .iter()
            .filter(|(date, _)| is_weekend(*date) == weekend)
            .map(|(_, value)| *value)
            .collect()
    }

    /// What those numbers rest on.
    pub fn observations_of(&self, weekend: bool) -> Vec<&'a Observation> {
        let observations = self.observations.iter().copied();
        observations
            .filter(|observation| is_weekend(observation.date()) == weekend)
            .collect()
    }

    /// The numbers with how many days after the first each lies.
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

/// The number that stands for the values of one day, which come newest first.
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

/// The last instant before the local day `date`.
pub fn just_before(date: Date, offset: Offset) -> Timestamp {
    offset
        .to_timestamp(date.to_datetime(jiff::civil::Time::midnight()))
        .and_then(|midnight| midnight.checked_sub(SignedDuration::from_nanos(1)))
        .unwrap_or(Timestamp::MIN)
}

/// How many days `later` is after `earlier`.
pub fn days_between(earlier: Date, later: Date) -> i32 {
    // Two dates are less than 20,000 years apart, which an i32 holds in days.
    earlier.until(later).map_or(0, |span| span.get_days())
}

fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}
