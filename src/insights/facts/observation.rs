use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use crate::domain::{DataType, Measurement, Reading, ReadingId, ReadingValue, Unit};

/// Readings that an answer may use.
#[derive(Debug)]
pub enum Evidence {
    /// The client asked that no readings be used.
    Withheld,
    /// The user's newest readings.
    Readings {
        /// The readings up to now, newest first.
        observations: Vec<Observation>,
        /// Readings dated later than now, newest first. No statistic includes them, so
        /// that a wrong date does not move the windows.
        ahead: Vec<Observation>,
        /// True if these are all readings of the user.
        complete: bool,
    },
}

impl Evidence {
    /// Creates evidence from a user's newest readings as of `now`. `complete` is true
    /// if the user has no older ones.
    pub fn newest(mut observations: Vec<Observation>, complete: bool, now: Timestamp) -> Self {
        // A store returns readings of one millisecond in any order.
        observations.sort_by_key(|observation| std::cmp::Reverse(observation.at));
        let is_ahead =
            |observation: &Observation| observation.at.duration_since(now) > MAX_CLOCK_DIFFERENCE;
        let first = observations.partition_point(is_ahead);
        let up_to_now = observations.split_off(first);
        Self::Readings {
            observations: up_to_now,
            ahead: observations,
            complete,
        }
    }
}

/// Maximum difference of a device's clock from this one for its newest reading to
/// count as measured now. Devices set their clock from the network, so that more is a
/// wrong date or time zone.
const MAX_CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_mins(5);

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
            granularity: tags.granularity.as_deref().map(truncated),
            source: tags.source.as_deref().map(truncated),
        }
    }
}

/// Maximum length of a tag that distinguishes series, to bound memory.
const MAX_TAG_CHARS: usize = 40;

/// Returns a client's tag, truncated.
fn truncated(text: &str) -> Box<str> {
    text.chars()
        .take(MAX_TAG_CHARS)
        .collect::<String>()
        .into_boxed_str()
}
