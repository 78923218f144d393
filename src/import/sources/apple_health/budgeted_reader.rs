use std::io::{self, BufRead, Read};

use super::error::ExportError;

/// A reader that gives out no more bytes than a purse has until that is filled
/// again, so that a parser that gathers bytes up to the end of a tag cannot
/// gather a whole file.
pub struct BudgetedReader {
    source: Box<dyn BufRead + Send>,
    purse: usize,
    filling: usize,
}

impl BudgetedReader {
    /// Gives out at most `filling` bytes of `source` at a time.
    pub fn new(source: Box<dyn BufRead + Send>, filling: usize) -> Self {
        Self {
            source,
            purse: filling,
            filling,
        }
    }

    /// Fills the purse.
    pub fn refill(&mut self) {
        self.purse = self.filling;
    }
}

impl BufRead for BudgetedReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let bytes = self.source.fill_buf()?;
        if self.purse == 0 && !bytes.is_empty() {
            return Err(
                ExportError("a tag, comment or text is longer than any of Apple Health's").into(),
            );
        }
        Ok(bytes.get(..self.purse).unwrap_or(bytes))
    }

    fn consume(&mut self, count: usize) {
        self.purse = self.purse.saturating_sub(count);
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
