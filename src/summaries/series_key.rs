use std::borrow::Cow;

use crate::domain::vocabulary;
use crate::domain::{Measurement, Unit};

/// The most characters of a granularity that tell it from others.
const MAX_GRANULARITY_CHARS: usize = 64;

/// What tells readings of one data type from others that must not be added to
/// them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SeriesKey<'a> {
    /// Over how long each was measured, as `metadata.granularity` has it: its
    /// text, or the JSON of anything else.
    pub(super) granularity: Option<Cow<'a, str>>,
    /// The unit that the reading names, itself or as `metadata.unit`; else that
    /// of the vocabulary, which also stands for its other spellings.
    pub(super) unit: Option<Cow<'a, str>>,
}

impl<'a> SeriesKey<'a> {
    pub(super) fn from_measurement(measurement: &'a Measurement) -> Self {
        let tags = measurement.metadata.tags();
        let own_unit = measurement.unit.as_ref().map(|unit| unit.as_str().into());
        let usual_unit = vocabulary::find(measurement.data_type.as_str())
            .map(|metric| Cow::Borrowed(metric.unit.as_str()));
        let is_unit = |text: &Cow<'_, str>| text.parse::<Unit>().is_ok();
        let named_unit = own_unit.or_else(|| tags.unit.filter(is_unit));
        Self {
            granularity: tags.granularity.map(cut),
            unit: match (named_unit, usual_unit) {
                (Some(named), Some(usual)) if !vocabulary::same_unit(&named, &usual) => Some(named),
                (named, usual) => usual.or(named),
            },
        }
    }
}

fn cut(text: Cow<'_, str>) -> Cow<'_, str> {
    match text.char_indices().nth(MAX_GRANULARITY_CHARS) {
        None => text,
        Some((end, _)) => text[..end].to_owned().into(),
    }
}
