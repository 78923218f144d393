use std::borrow::Cow;

use crate::domain::vocabulary;
use crate::domain::{Measurement, Unit};

/// Maximum length of a granularity. Longer ones are truncated, to bound memory.
const MAX_GRANULARITY_CHARS: usize = 64;

/// Key that separates readings of one data type which must not be aggregated
/// together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SeriesKey<'a> {
    /// Time span of each reading, from `metadata.granularity`: its text, or the
    /// JSON of a value of another type.
    pub(super) granularity: Option<Cow<'a, str>>,
    /// The unit of the reading or of `metadata.unit`, otherwise that of the
    /// vocabulary. Other spellings of the vocabulary's unit map to it.
    pub(super) unit: Option<Cow<'a, str>>,
}

impl<'a> SeriesKey<'a> {
    pub(super) fn from_measurement(measurement: &'a Measurement) -> Self {
        let tags = measurement.metadata.tags();
        let reading_unit = measurement.unit.as_ref().map(|unit| unit.as_str().into());
        let default_unit = vocabulary::find(measurement.data_type.as_str())
            .map(|metric| Cow::Borrowed(metric.unit.as_str()));
        let is_unit = |text: &Cow<'_, str>| text.parse::<Unit>().is_ok();
        let named_unit = reading_unit.or_else(|| tags.unit.filter(is_unit));
        Self {
            granularity: tags.granularity.map(truncate),
            unit: match (named_unit, default_unit) {
                (Some(named), Some(default)) if !vocabulary::same_unit(&named, &default) => {
                    Some(named)
                }
                (named, default) => default.or(named),
            },
        }
    }
}

fn truncate(text: Cow<'_, str>) -> Cow<'_, str> {
    match text.char_indices().nth(MAX_GRANULARITY_CHARS) {
        None => text,
        Some((end, _)) => text[..end].to_owned().into(),
    }
}
