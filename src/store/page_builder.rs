use crate::domain::{ListQuery, Page, Reading, ReadingId};

/// How many readings that do not match a page may pass over: those that share
/// the millisecond of a bound of the range, and, where a store has no order by
/// type, those of other types.
const MAX_SKIPPED: usize = 10_000;

/// After how many bytes of metadata a page takes no more readings: as many of
/// the largest size as a page may hold would take 16 MB.
const MAX_METADATA_BYTES: usize = 4 * 1024 * 1024;

/// For how many readings, and the one after them, a page has room from the
/// beginning.
const TYPICAL_LEN: usize = 50;

/// A page as it is being gathered, in the order of the query.
pub(super) struct PageBuilder<'a> {
    query: &'a ListQuery,
    readings: Vec<Reading>,
    metadata_bytes: usize,
    /// Whether there is another reading, for which no room was left.
    is_full: bool,
    skipped: usize,
    /// The last reading looked at, whether it matches or not.
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
            last: None,
        }
    }

    /// The last of the readings on it.
    pub(super) fn last_reading(&self) -> Option<&Reading> {
        self.readings.last()
    }

    /// Takes the next reading if it matches and there is room.
    pub(super) fn push(&mut self, reading: Reading) {
        if self.is_full {
            return;
        }
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

    /// Notes that `count` readings that do not match have been passed over, the
    /// last of which has this id if it has one.
    pub(super) fn skip(&mut self, count: usize, last: Option<ReadingId>) {
        if self.is_full {
            return;
        }
        self.skipped += count;
        self.last = last.or(self.last);
    }

    /// How many readings are still missing to the page and one more.
    pub(super) fn missing(&self) -> usize {
        (self.query.limit.get() + 1).saturating_sub(self.readings.len())
    }

    /// Whether no more is to be looked at.
    pub(super) fn is_done(&self) -> bool {
        self.missing() == 0 || self.is_full || self.skipped >= MAX_SKIPPED && self.last.is_some()
    }

    /// The page, when there is nothing more to look at.
    pub(super) fn finish(self) -> Page {
        let page = Page::from_lookahead(self.readings, self.query.limit);
        Page {
            next: page.next.or(self.last.filter(|_| self.is_full)),
            ..page
        }
    }

    /// The page, when there may be more to look at.
    pub(super) fn finish_partial(self) -> Page {
        let last = self.last;
        let page = self.finish();
        Page {
            next: page.next.or(last),
            ..page
        }
    }
}
