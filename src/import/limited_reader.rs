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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_beyond_the_limit_fail_until_it_is_reset() {
        let mut reader = LimitedReader::new(&b"0123456789"[..], 4, "too long");
        let mut buffer = [0; 4];
        assert_eq!(reader.read(&mut buffer).unwrap(), 4);
        let error = reader.read(&mut buffer).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::QuotaExceeded);
        assert_eq!(error.to_string(), "too long");
        reader.reset(4);
        assert_eq!(reader.read(&mut buffer).unwrap(), 2);
    }
}
