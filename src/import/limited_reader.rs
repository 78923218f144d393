//! A reader with a limit, for parsers that buffer what they read.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

/// Reader that fails with [`ErrorKind::QuotaExceeded`] once it has returned more
/// bytes than its limit.
pub struct LimitedReader<R> {
    source: R,
    remaining: u64,
    problem: &'static str,
}

impl<R> LimitedReader<R> {
    /// Limits `source` to `limit` bytes; the error beyond them says `problem`.
    pub fn new(source: R, limit: u64, problem: &'static str) -> Self {
        Self {
            source,
            remaining: limit,
            problem,
        }
    }

    /// Allows `limit` bytes from here on.
    pub fn reset(&mut self, limit: u64) {
        self.remaining = limit;
    }
}

impl<R: Read> Read for LimitedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.remaining = self
            .remaining
            .checked_sub(count as u64)
            .ok_or_else(|| io::Error::new(ErrorKind::QuotaExceeded, self.problem))?;
        Ok(count)
    }
}

impl<R: Seek> Seek for LimitedReader<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.source.seek(to)
    }
}
