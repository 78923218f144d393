use jiff::{SignedDuration, Timestamp};

use super::fact::{Period, TimeWindow, WindowLength};
use super::observation::Observation;

/// Span of time whose readings were all read.
#[derive(Debug, Clone, Copy)]
pub struct ObservedSpan {
    /// Every later reading was read.
    after: Timestamp,
}

impl ObservedSpan {
    /// Creates the span of `observations`, newest first. `complete` is true if
    /// they are all readings of the user.
    pub fn new(observations: &[Observation], complete: bool) -> Self {
        Self {
            after: match observations.last() {
                // Other readings of the oldest millisecond may not have been read.
                Some(oldest) if !complete => end_of_millisecond(oldest.at),
                _ => Timestamp::MIN,
            },
        }
    }

    /// Returns the window of this length that ends at `end`, clipped to the
    /// observed span. Returns `None` if a shorter window covers as much, or if
    /// nothing in it was read.
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

/// Returns the last instant of the millisecond that contains `instant`, which
/// must be 1970 or later.
fn end_of_millisecond(instant: Timestamp) -> Timestamp {
    let elapsed = instant.subsec_nanosecond() % 1_000_000;
    instant
        .checked_add(SignedDuration::from_nanos(i64::from(999_999 - elapsed)))
        .unwrap_or(instant)
}
