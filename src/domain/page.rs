use jiff::Timestamp;

use super::{
    DataType, MeasurementTime, Reading, ReadingId, ReadingIdRange, UserId, ValidationError,
};

/// In which order of measurement time readings are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Oldest first.
    Asc,
    /// Newest first.
    #[default]
    Desc,
}

/// From `start`, included, to `end`, not included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// The earliest instant within; absent: from the beginning.
    pub start: Option<Timestamp>,
    /// The first instant past it; absent: without end.
    pub end: Option<Timestamp>,
}

impl TimeRange {
    /// Whether `time` lies within, to the nanosecond.
    pub fn contains(&self, time: &MeasurementTime) -> bool {
        let instant = time.instant();
        self.start.is_none_or(|start| instant >= start) && self.end.is_none_or(|end| instant < end)
    }
}

/// How many readings a page may hold: 1 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u16);

impl PageSize {
    /// The largest page.
    pub const MAX: Self = Self(1_000);

    /// The size as a number.
    pub fn get(self) -> usize {
        usize::from(self.0)
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self(50)
    }
}

impl TryFrom<u16> for PageSize {
    type Error = ValidationError;

    fn try_from(size: u16) -> Result<Self, ValidationError> {
        if (1..=Self::MAX.0).contains(&size) {
            Ok(Self(size))
        } else {
            Err(ValidationError::new(
                "must be a whole number from 1 to 1000",
            ))
        }
    }
}

/// Of which data types readings are wanted: of all, or of up to
/// [`Self::MAX_LEN`] named ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DataTypes(Vec<DataType>);

impl DataTypes {
    /// The most that can be named, as a store may look for each by itself.
    pub const MAX_LEN: usize = 20;

    /// Those named, in order and each once; empty where all are wanted.
    pub fn as_slice(&self) -> &[DataType] {
        &self.0
    }

    /// Whether readings of all types are wanted.
    pub fn is_all(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether readings of `data_type` are wanted.
    pub fn contains(&self, data_type: &DataType) -> bool {
        self.is_all() || self.0.binary_search(data_type).is_ok()
    }
}

/// The named ones; naming none wants all.
impl TryFrom<Vec<DataType>> for DataTypes {
    type Error = ValidationError;

    fn try_from(mut named: Vec<DataType>) -> Result<Self, ValidationError> {
        named.sort_unstable();
        named.dedup();
        if named.len() <= Self::MAX_LEN {
            Ok(Self(named))
        } else {
            Err(ValidationError::new(
                "must not name more than 20 data types",
            ))
        }
    }
}

/// Which of a user's readings to list.
#[derive(Debug, Clone)]
pub struct ListQuery {
    /// Whose.
    pub user_id: UserId,
    /// Of which data types.
    pub data_types: DataTypes,
    /// Measured when.
    pub range: TimeRange,
    /// In which order.
    pub order: Order,
    /// Where the page before ended ([`Page::next`]); this one begins behind it.
    pub after: Option<ReadingId>,
    /// At most how many.
    pub limit: PageSize,
}

impl ListQuery {
    /// The ids among which the page lies. Those of the first and the last
    /// millisecond may still be out of [`Self::range`].
    pub fn ids(&self) -> ReadingIdRange {
        let all = ReadingIdRange::between(self.range.start, self.range.end);
        match (self.after, self.order) {
            (None, _) => all,
            (Some(last), Order::Asc) => all.after(last),
            (Some(last), Order::Desc) => all.before(last),
        }
    }

    /// Whether `reading` is of a wanted type and time, the user aside.
    pub fn matches(&self, reading: &Reading) -> bool {
        self.data_types.contains(&reading.measurement.data_type)
            && self.range.contains(&reading.measurement.timestamp)
    }
}

/// A page of readings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// The readings, in the order asked for.
    pub readings: Vec<Reading>,
    /// What the next page begins behind; there exactly when more readings
    /// match, or when the store has looked at so many that do not match that it
    /// stopped before it knew. Then a page may hold fewer than its limit, as it
    /// may where metadata are large.
    pub next: Option<ReadingId>,
}

impl Page {
    /// The page of at most `limit` among `readings`, of which one more than
    /// `limit` were looked for.
    pub fn from_lookahead(mut readings: Vec<Reading>, limit: PageSize) -> Self {
        let has_more = readings.len() > limit.get();
        readings.truncate(limit.get());
        let next = readings.last().filter(|_| has_more).map(|last| last.id);
        Self { readings, next }
    }
}
