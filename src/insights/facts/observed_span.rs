use jiff::{SignedDuration, Timestamp};

use super::fact::{Period, TimeWindow, WindowLength};
use super::observation::Observation;

/// How far back readings were looked at.
#[derive(Debug, Clone, Copy)]
pub struct ObservedSpan {
    /// Every reading after this was.
    after: Timestamp,
}

impl ObservedSpan {
    /// Of `observations`, newest first, which are all there are if `complete`.
    pub fn new(observations: &[Observation], complete: bool) -> Self {
        Self {
            after: match observations.last() {
                // Others of the oldest millisecond may not have been looked at.
                Some(oldest) if !complete => end_of_millisecond(oldest.at),
                _ => Timestamp::MIN,
            },
        }
    }

    /// The window this long up to `end`, as far as it was looked at; `None` if
    /// a shorter one says as much or nothing of it was.
    pub fn window(self, end: Timestamp, span: WindowLength) -> Option<(Period, TimeWindow)> {
        let start = span.before(end);
        if start >= self.after {
            Some((Period::UpToNewest(span), TimeWindow { start, end }))
        } else if span == WindowLength::Month && self.after < end {
            let start = self.after;
            Some((Period::Clipped, TimeWindow { start, end }))
        } else {
            None
        }
    }
}

/// The last instant of the millisecond in which `instant` lies, 1970 or later.
fn end_of_millisecond(instant: Timestamp) -> Timestamp {
    let into_it = instant.subsec_nanosecond() % 1_000_000;
    instant
        .checked_add(SignedDuration::from_nanos(i64::from(999_999 - into_it)))
        .unwrap_or(instant)
}
