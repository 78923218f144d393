use jiff::Timestamp;

use super::{
    DataType, MeasurementTime, Reading, ReadingId, ReadingIdRange, UserId, ValidationError,
};

/// Order of a list by measurement time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Oldest first.
    Asc,
    /// Newest first.
    #[default]
    Desc,
}

/// Half-open time range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// First instant in the range; unbounded if absent.
    pub start: Option<Timestamp>,
    /// First instant after the range; unbounded if absent.
    pub end: Option<Timestamp>,
}

impl TimeRange {
    /// Returns `true` if `time` is in the range, to the nanosecond.
    pub fn contains(&self, time: &MeasurementTime) -> bool {
        let instant = time.instant();
        self.start.is_none_or(|start| instant >= start) && self.end.is_none_or(|end| instant < end)
    }
}

/// Maximum number of readings on a page: 1 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u16);

impl PageSize {
    /// The largest page size.
    pub const MAX: Self = Self(1_000);

    /// Returns the size as a number.
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

/// Filter by data type: all, or up to [`Self::MAX_LEN`] of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DataTypes(Vec<DataType>);

impl DataTypes {
    /// Maximum number of types, as a store may query each separately.
    pub const MAX_LEN: usize = 20;

    /// Returns the types, sorted and unique; empty for all.
    pub fn as_slice(&self) -> &[DataType] {
        &self.0
    }

    /// Returns `true` if all types match.
    pub fn is_all(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns `true` if `data_type` matches.
    pub fn contains(&self, data_type: &DataType) -> bool {
        self.is_all() || self.0.binary_search(data_type).is_ok()
    }
}

/// Filters by the given types; an empty list matches all.
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

/// Query for a page of a user's readings.
#[derive(Debug, Clone)]
pub struct ListQuery {
    /// User whose readings are listed.
    pub user_id: UserId,
    /// Data types to list.
    pub data_types: DataTypes,
    /// Measurement times to list.
    pub range: TimeRange,
    /// Order of the page.
    pub order: Order,
    /// End of the previous page ([`Page::next`]), after which this one starts.
    pub after: Option<ReadingId>,
    /// Maximum number of readings.
    pub limit: PageSize,
}

impl ListQuery {
    /// Returns the ids among which the page lies. Readings of the first and last
    /// millisecond may be outside of [`Self::range`].
    pub fn ids(&self) -> ReadingIdRange {
        let all = ReadingIdRange::between(self.range.start, self.range.end);
        match (self.after, self.order) {
            (None, _) => all,
            (Some(last), Order::Asc) => all.after(last),
            (Some(last), Order::Desc) => all.before(last),
        }
    }

    /// Returns `true` if the type and time of `reading` match. Does not check the user.
    pub fn matches(&self, reading: &Reading) -> bool {
        self.data_types.contains(&reading.measurement.data_type)
            && self.range.contains(&reading.measurement.timestamp)
    }
}

/// A page of readings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// The readings, in the order of the query.
    pub readings: Vec<Reading>,
    /// Last id of this page, after which the next one starts. Present if more readings
    /// match, or if the store stopped after many readings that do not match. Then the
    /// page may have fewer readings than its limit, as it also may if metadata is
    /// large.
    pub next: Option<ReadingId>,
    /// Stored readings between those of the page that cannot be decoded.
    pub unreadable: Vec<UnreadableReading>,
}

/// Stored reading that cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableReading {
    /// Its id.
    pub id: ReadingId,
    /// Reason, without any stored value.
    pub reason: String,
}

impl Page {
    /// Creates a page from up to `limit` readings and one more, which only shows that
    /// there is a next page.
    pub fn from_lookahead(mut readings: Vec<Reading>, limit: PageSize) -> Self {
        let has_more = readings.len() > limit.get();
        readings.truncate(limit.get());
        let next = readings.last().filter(|_| has_more).map(|last| last.id);
        Self {
            readings,
            next,
            unreadable: Vec::new(),
        }
    }
}
