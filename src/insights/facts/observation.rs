use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::domain::{DataType, Measurement, Reading, ReadingId, ReadingValue, Unit};

/// What an answer may rest on.
#[derive(Debug)]
pub enum Evidence {
    /// The asker wants no readings to be looked at.
    Withheld,
    /// A user's newest readings.
    Readings {
        /// Newest first.
        observations: Vec<Observation>,
        /// Whether the user has no older ones.
        complete: bool,
    },
}

impl Evidence {
    /// A user's newest readings, of which there are no older ones if
    /// `complete`.
    pub fn newest(mut observations: Vec<Observation>, complete: bool) -> Self {
        // Within a millisecond a store gives them in no order of time.
        observations.sort_by_key(|observation| std::cmp::Reverse(observation.at));
        Self::Readings {
            observations,
            complete,
        }
    }
}

/// What an answer needs of a reading, which is much less than all of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Which reading it is of.
    pub id: ReadingId,
    /// What was measured.
    pub data_type: DataType,
    /// In which unit, if the reading names one, itself or in its metadata.
    pub unit: Option<Unit>,
    /// The number.
    pub value: ReadingValue,
    /// When it was measured.
    pub at: Timestamp,
    /// By which clock: local days are its days.
    pub offset: Offset,
    /// Over how long it was measured, as `metadata.granularity` has it.
    pub granularity: Option<Box<str>>,
    /// By what it was measured, as `metadata.source` has it.
    pub source: Option<Box<str>>,
}

impl Observation {
    /// The local day on which it was measured.
    pub fn date(&self) -> Date {
        self.offset.to_datetime(self.at).date()
    }
}

impl From<Reading> for Observation {
    fn from(reading: Reading) -> Self {
        let Measurement {
            data_type,
            unit,
            value,
            timestamp,
            metadata,
            ..
        } = reading.measurement;
        let tags = metadata.tags();
        Self {
            id: reading.id,
            data_type,
            unit: unit.or_else(|| tags.unit?.parse().ok()),
            value,
            at: timestamp.instant(),
            offset: timestamp.offset(),
            granularity: tags.granularity.as_deref().map(label),
            source: tags.source.as_deref().map(label),
        }
    }
}

/// The most characters of a series' label that an answer repeats.
const LONGEST_LABEL: usize = 40;

/// A text of the client's own as far as it can be shown in a sentence.
fn label(text: &str) -> Box<str> {
    text.chars()
        .filter(|character| !character.is_control())
        .take(LONGEST_LABEL)
        .collect::<String>()
        .into_boxed_str()
}
