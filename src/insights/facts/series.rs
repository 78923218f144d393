use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::fact::WindowLength;
use super::observation::Observation;
use crate::domain::Unit;
use crate::domain::vocabulary::{self, Label, Metric};

/// Observations that may be compared and added up: of one data type, unit,
/// granularity and source.
pub struct Series<'a> {
    /// The data type under its name in the vocabulary, or else the client's.
    pub data_type: &'a str,
    /// The data type in the vocabulary, if it is known there.
    pub metric: Option<&'static Metric>,
    /// The unit.
    pub unit: SeriesUnit<'a>,
    /// Plausible observations, newest first.
    pub observations: Vec<&'a Observation>,
    /// Implausible observations, newest first.
    pub suspects: Vec<&'a Observation>,
    /// The selection, if there were several series.
    pub choice: Option<SeriesChoice<'a>>,
}

/// Unit of a series. Readings in different units are different series, known or not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SeriesUnit<'a> {
    /// The readings name no unit.
    Unnamed,
    /// A unit of the vocabulary.
    Known(Label),
    /// A client's text.
    Unknown(&'a str),
}

impl SeriesUnit<'_> {
    /// Returns the name of the unit in answers.
    pub fn label(&self) -> Option<&Label> {
        match self {
            Self::Known(label) => Some(label),
            Self::Unnamed | Self::Unknown(_) => None,
        }
    }
}

/// Selection of one among several series of a data type.
#[derive(Clone, Copy)]
pub struct SeriesChoice<'a> {
    /// Granularity of the selected series.
    pub granularity: Option<&'a str>,
    /// Source of the selected series.
    pub source: Option<&'a str>,
    /// Number of the other series.
    pub others: usize,
}

/// Granularity, source and the client's name of the data type, which distinguish series
/// of one data type and unit.
type Key<'a> = (Option<&'a str>, Option<&'a str>, &'a str);

/// Groups `observations`, newest first, into one series for each data type and
/// unit, ordered by name.
pub fn group_into_series(observations: &[Observation]) -> Vec<Series<'_>> {
    let mut of_types: BTreeMap<_, (_, Vec<&Observation>)> = BTreeMap::new();
    for observation in observations {
        let data_type = observation.data_type.as_str();
        let metric = vocabulary::find(data_type);
        let name = metric.map_or(data_type, |metric| metric.name.as_str());
        let (_, of_type) = of_types.entry(name).or_insert((metric, Vec::new()));
        of_type.push(observation);
    }
    let mut all = Vec::with_capacity(of_types.len());
    for (data_type, (metric, observations)) in of_types {
        let mut in_units: BTreeMap<_, Vec<&Observation>> = BTreeMap::new();
        for observation in observations {
            let unit = unit_of(observation, metric);
            in_units.entry(unit).or_default().push(observation);
        }
        all.extend(
            in_units
                .into_iter()
                .map(|(unit, observations)| select_series(data_type, metric, unit, observations)),
        );
    }
    all
}

/// Returns the unit of an observation: its own, or else its metric's. Other
/// spellings of the metric's unit map to it.
fn unit_of<'a>(observation: &'a Observation, metric: Option<&'static Metric>) -> SeriesUnit<'a> {
    let unit = observation.unit.as_ref().map(Unit::as_str);
    match (unit, metric) {
        (Some(unit), Some(metric)) if vocabulary::same_unit(unit, &metric.unit) => {
            SeriesUnit::Known(Label::new(&metric.unit))
        }
        (Some(unit), _) => {
            vocabulary::unit_label(unit).map_or(SeriesUnit::Unknown(unit), SeriesUnit::Known)
        }
        (None, Some(metric)) => SeriesUnit::Known(Label::new(&metric.unit)),
        (None, None) => SeriesUnit::Unnamed,
    }
}

/// Maximum age of the newest reading of a series, relative to the newest of all
/// series, for the series to be current.
const MAX_LAG: SignedDuration = SignedDuration::from_hours(48);

/// Selects the current series that covers the most of the newest 30 days. Among
/// equals it selects the one with the most readings.
fn select_series<'a>(
    data_type: &'a str,
    metric: Option<&'static Metric>,
    unit: SeriesUnit<'a>,
    observations: Vec<&'a Observation>,
) -> Series<'a> {
    let (mut plausible, mut suspects): (Vec<_>, Vec<_>) =
        observations
            .into_iter()
            .partition(|observation| match (metric, unit.label()) {
                (Some(metric), Some(unit)) => {
                    metric.is_plausible(observation.value.get(), unit.as_str())
                }
                _ => true,
            });
    let mut tallies: BTreeMap<Key<'a>, (bool, BTreeSet<_>, usize)> = BTreeMap::new();
    if let Some(newest) = plausible.first() {
        let start = WindowLength::Month.before(newest.at);
        for observation in &plausible {
            // Newest first, so that this is the newest of its series.
            let is_current = newest.at.duration_since(observation.at) <= MAX_LAG;
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
            .map(|(granularity, source, _)| SeriesChoice {
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
        observation.data_type.as_str(),
    )
}
