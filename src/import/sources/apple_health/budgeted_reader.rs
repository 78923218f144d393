use std::io::{self, BufRead, Read};

use super::error::ExportError;

/// Buffered reader with a byte budget that the caller refills, so that a parser
/// that buffers up to the end of a tag cannot buffer a whole file.
///
/// Unlike [`LimitedReader`](crate::import::limited_reader::LimitedReader), it
/// returns the bytes within the budget before it fails.
pub struct BudgetedReader {
    source: Box<dyn BufRead + Send>,
    remaining: usize,
    budget: usize,
}

impl BudgetedReader {
    /// Returns a reader of `source` with a full budget.
    pub fn new(source: Box<dyn BufRead + Send>, budget: usize) -> Self {
        Self {
            source,
            remaining: budget,
            budget,
        }
    }

    /// Restores the full budget.
    pub fn refill(&mut self) {
        self.remaining = self.budget;
    }
}

impl BufRead for BudgetedReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let bytes = self.source.fill_buf()?;
        if self.remaining == 0 && !bytes.is_empty() {
            return Err(
                ExportError("a tag, comment or text is longer than in any real export").into(),
            );
        }
        Ok(bytes.get(..self.remaining).unwrap_or(bytes))
    }

    fn consume(&mut self, count: usize) {
        self.remaining = self.remaining.saturating_sub(count);
        self.source.consume(count);
    }
}

impl Read for BudgetedReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}
