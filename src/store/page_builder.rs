use std::error::Error as _;

use super::error::StoreError;
use crate::domain::{ListQuery, Order, Page, Reading, ReadingId, UnreadableReading};

/// Maximum number of non-matching readings that a page skips: those that share the
/// millisecond of a bound of the range and, in a store without an index by type, those
/// of other types.
const MAX_SKIPPED: usize = 10_000;

/// Maximum number of unreadable readings that a page skips, so that it stays short in a
/// store that reads no more than the page needs.
const MAX_UNREADABLE: usize = 100;

/// Bytes of metadata after which a page accepts no more readings. A page of the largest
/// readings would otherwise take 16 MB.
const MAX_METADATA_BYTES: usize = 4 * 1024 * 1024;

/// Usual page length, for which memory is allocated up front.
const TYPICAL_LEN: usize = 50;

/// Builds a page from readings in the order of the query.
pub(super) struct PageBuilder<'a> {
    query: &'a ListQuery,
    readings: Vec<Reading>,
    metadata_bytes: usize,
    /// A matching reading did not fit.
    is_full: bool,
    skipped: usize,
    unreadable: Vec<UnreadableReading>,
    /// Last reading that was pushed or skipped.
    last: Option<ReadingId>,
}

impl<'a> PageBuilder<'a> {
    pub(super) fn new(query: &'a ListQuery) -> Self {
        Self {
            query,
            readings: Vec::with_capacity(query.limit.get().min(TYPICAL_LEN) + 1),
            metadata_bytes: 0,
            is_full: false,
            skipped: 0,
            unreadable: Vec::new(),
            last: None,
        }
    }

    /// Returns the last reading on the page.
    pub(super) fn last_reading(&self) -> Option<&Reading> {
        self.readings.last()
    }

    /// Adds the next stored reading if it matches and fits, or skips it if it cannot be
    /// decoded.
    pub(super) fn push(&mut self, id: ReadingId, decoded: Result<Reading, StoreError>) {
        if self.is_full {
            return;
        }
        match decoded {
            Ok(reading) => self.push_reading(reading),
            Err(error) => {
                let cause = error.source().map(ToString::to_string);
                self.last = Some(id);
                self.unreadable.push(UnreadableReading {
                    id,
                    reason: cause.unwrap_or_else(|| error.to_string()),
                });
            }
        }
    }

    fn push_reading(&mut self, reading: Reading) {
        let matches = self.query.matches(&reading);
        if matches && self.metadata_bytes >= MAX_METADATA_BYTES {
            self.is_full = true;
            return;
        }
        self.last = Some(reading.id);
        if matches {
            self.metadata_bytes += reading.measurement.metadata.as_str().len();
            self.readings.push(reading);
        } else {
            self.skipped += 1;
        }
    }

    /// Skips `count` readings that do not match. `last` is the id of the last one, if
    /// known.
    pub(super) fn skip(&mut self, count: usize, last: Option<ReadingId>) {
        if self.is_full {
            return;
        }
        self.skipped += count;
        self.last = last.or(self.last);
    }

    /// Returns the number of readings missing to the limit and one more, which shows
    /// that there is a next page.
    pub(super) fn missing(&self) -> usize {
        (self.query.limit.get() + 1).saturating_sub(self.readings.len())
    }

    /// Returns the number of unreadable readings that were skipped. A store that adds it
    /// to the number that it reads next passes many of them in few steps.
    pub(super) fn unreadable(&self) -> usize {
        self.unreadable.len()
    }

    /// Returns `true` if no more readings are to be pushed.
    pub(super) fn is_done(&self) -> bool {
        self.missing() == 0
            || self.is_full
            || self.unreadable.len() >= MAX_UNREADABLE
            || self.skipped >= MAX_SKIPPED && self.last.is_some()
    }

    /// Returns the page after all readings in the range were pushed.
    pub(super) fn finish(self) -> Page {
        let page = Page::from_lookahead(self.readings, self.query.limit);
        let mut unreadable = self.unreadable;
        if let Some(next) = page.next {
            // The next page meets the others again.
            unreadable.retain(|skipped| match self.query.order {
                Order::Asc => skipped.id <= next,
                Order::Desc => skipped.id >= next,
            });
        }
        Page {
            next: page.next.or(self.last.filter(|_| self.is_full)),
            unreadable,
            ..page
        }
    }

    /// Returns the page while more readings may follow.
    pub(super) fn finish_partial(self) -> Page {
        let last = self.last;
        let page = self.finish();
        Page {
            next: page.next.or(last),
            ..page
        }
    }
}
