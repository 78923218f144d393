use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::fact::WindowLength;
use super::observation::Observation;
use crate::domain::vocabulary::{self, Metric};

/// Observations that may be compared and added up: of one data type, in one
/// unit, of one granularity and from one source.
pub struct Series<'a> {
    pub data_type: &'a str,
    pub metric: Option<&'static Metric>,
    pub unit: Option<&'a str>,
    /// Newest first, those that may be true.
    pub observations: Vec<&'a Observation>,
    /// Newest first, those that cannot.
    pub suspects: Vec<&'a Observation>,
    /// Which of several series this is; `None` where there is one.
    pub choice: Option<Choice<'a>>,
}

/// Which of several series of one data type was taken.
#[derive(Clone, Copy)]
pub struct Choice<'a> {
    pub granularity: Option<&'a str>,
    pub source: Option<&'a str>,
    /// How many others there are.
    pub others: usize,
}

/// What tells series of one data type and unit apart.
type Key<'a> = (Option<&'a str>, Option<&'a str>);

/// The series of `observations`, which come newest first: one for each data
/// type and unit, in the order of their names.
pub fn series(observations: &[Observation]) -> Vec<Series<'_>> {
    let mut of_types: BTreeMap<_, Vec<&Observation>> = BTreeMap::new();
    for observation in observations {
        let data_type = observation.data_type.as_str();
        of_types.entry(data_type).or_default().push(observation);
    }
    let mut all = Vec::with_capacity(of_types.len());
    for (data_type, observations) in of_types {
        let metric = vocabulary::find(data_type);
        let mut in_units: BTreeMap<_, Vec<&Observation>> = BTreeMap::new();
        for observation in observations {
            let unit = unit_of(observation, metric);
            in_units.entry(unit).or_default().push(observation);
        }
        all.extend(
            in_units
                .into_iter()
                .map(|(unit, observations)| one_of(data_type, metric, unit, observations)),
        );
    }
    all
}

/// The unit of an observation: its own, or else its metric's; one of several
/// spellings of the metric's is the metric's.
fn unit_of<'a>(observation: &'a Observation, metric: Option<&'static Metric>) -> Option<&'a str> {
    match (observation.unit.as_ref(), metric) {
        (Some(unit), Some(metric)) if vocabulary::same_unit(unit.as_str(), &metric.unit) => {
            Some(&metric.unit)
        }
        (Some(unit), _) => Some(unit.as_str()),
        (None, metric) => metric.map(|metric| metric.unit.as_str()),
    }
}

/// Series that lag this much behind another are not what is measured now.
const LAG: SignedDuration = SignedDuration::from_hours(48);

/// Takes the series that covers the most days of the newest 30, of those that go
/// on up to now; of those that cover as many, the one with the most readings.
fn one_of<'a>(
    data_type: &'a str,
    metric: Option<&'static Metric>,
    unit: Option<&'a str>,
    observations: Vec<&'a Observation>,
) -> Series<'a> {
    let (mut plausible, mut suspects): (Vec<_>, Vec<_>) =
        observations
            .into_iter()
            .partition(|observation| match (metric, unit) {
                (Some(metric), Some(unit)) => metric.is_plausible(observation.value.get(), unit),
                _ => true,
            });
    let mut tallies: BTreeMap<Key<'a>, (bool, BTreeSet<_>, usize)> = BTreeMap::new();
    if let Some(newest) = plausible.first() {
        let start = WindowLength::Month.before(newest.at);
        for observation in &plausible {
            // They come newest first, so this is the newest of its series.
            let is_current = newest.at.duration_since(observation.at) <= LAG;
            let (current, days, readings) =
                tallies
                    .entry(key(observation))
                    .or_insert((is_current, BTreeSet::new(), 0));
            if *current && observation.at > start {
                days.insert(observation.date());
                *readings += 1;
            }
        }
    }
    let best = tallies
        .iter()
        .max_by_key(|(key, (_, days, readings))| (days.len(), *readings, Reverse(**key)))
        .map(|(key, _)| *key);
    if let Some(best) = best {
        plausible.retain(|observation| key(observation) == best);
        suspects.retain(|observation| key(observation) == best);
    }
    let others = tallies.len().saturating_sub(1);
    Series {
        data_type,
        metric,
        unit,
        observations: plausible,
        suspects,
        choice: best
            .filter(|_| others > 0)
            .map(|(granularity, source)| Choice {
                granularity,
                source,
                others,
            }),
    }
}

fn key(observation: &Observation) -> Key<'_> {
    (
        observation.granularity.as_deref(),
        observation.source.as_deref(),
    )
}
