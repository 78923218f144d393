use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::domain::{DataType, Measurement, Reading, ReadingId, ReadingValue, Unit};

/// Readings that an answer may use.
#[derive(Debug)]
pub enum Evidence {
    /// The client asked that no readings be used.
    Withheld,
    /// The user's newest readings.
    Readings {
        /// The readings, newest first.
        observations: Vec<Observation>,
        /// True if these are all readings of the user.
        complete: bool,
    },
}

impl Evidence {
    /// Creates evidence from a user's newest readings. `complete` is true if the
    /// user has no older ones.
    pub fn newest(mut observations: Vec<Observation>, complete: bool) -> Self {
        // A store returns readings of one millisecond in any order.
        observations.sort_by_key(|observation| std::cmp::Reverse(observation.at));
        Self::Readings {
            observations,
            complete,
        }
    }
}

/// Part of a reading that answers use. It is much smaller than the reading,
/// so that many fit in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Id of the reading.
    pub id: ReadingId,
    /// The data type.
    pub data_type: DataType,
    /// The unit, if the reading or its metadata names one.
    pub unit: Option<Unit>,
    /// The measured value.
    pub value: ReadingValue,
    /// Time of the measurement.
    pub at: Timestamp,
    /// UTC offset of the measurement, which defines its local day.
    pub offset: Offset,
    /// Time span of the measurement, from `metadata.granularity`.
    pub granularity: Option<Box<str>>,
    /// Device or app that measured it, from `metadata.source`.
    pub source: Option<Box<str>>,
}

impl Observation {
    /// Returns the local date of the measurement.
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

/// Maximum length of a client's label in an answer.
const MAX_LABEL_CHARS: usize = 40;

/// Returns a client's text in a form that fits in a sentence: without control
/// characters, and truncated.
fn label(text: &str) -> Box<str> {
    text.chars()
        .filter(|character| !character.is_control())
        .take(MAX_LABEL_CHARS)
        .collect::<String>()
        .into_boxed_str()
}
