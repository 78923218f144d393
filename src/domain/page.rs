use jiff::Timestamp;

use super::{Invalid, MeasurementTime, Reading, ReadingId, ReadingIdRange, UserId};

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
    pub const LARGEST: Self = Self(1_000);

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
    type Error = Invalid;

    fn try_from(size: u16) -> Result<Self, Invalid> {
        if (1..=Self::LARGEST.0).contains(&size) {
            Ok(Self(size))
        } else {
            Err(Invalid::because("must be a whole number from 1 to 1000"))
        }
    }
}

/// Which of a user's readings to list.
#[derive(Debug, Clone)]
pub struct ListQuery {
    /// Whose.
    pub user_id: UserId,
    /// Measured when.
    pub range: TimeRange,
    /// In which order.
    pub order: Order,
    /// The last reading of the page before; this page begins behind it.
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
}

/// A page of readings.
#[derive(Debug, Clone)]
pub struct Page {
    /// The readings, in the order asked for.
    pub readings: Vec<Reading>,
    /// Whether more readings match behind the last of these.
    pub has_more: bool,
}

impl Page {
    /// The page of at most `limit` among `readings`, of which one more than
    /// `limit` were looked for.
    pub fn of_limit_and_one(mut readings: Vec<Reading>, limit: PageSize) -> Self {
        let has_more = readings.len() > limit.get();
        readings.truncate(limit.get());
        Self { readings, has_more }
    }
}
