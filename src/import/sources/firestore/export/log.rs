//! The container format of an export's files: `LevelDB`'s log
//! (<https://github.com/google/leveldb/blob/main/doc/log_format.md>).
//!
//! A file consists of blocks of 32 KiB, and a block of fragments. A fragment has
//! a header of seven bytes: masked CRC-32C of type and data, length, type. A
//! record is one full fragment, or a first, any number of middle and a last
//! fragment in consecutive blocks. After a corrupt fragment the start of the next
//! one is unknown: the rest of the block is skipped, with any record that
//! continues from it, and reading resumes with the next block.

use std::io::{self, Read};

const BLOCK_BYTES: usize = 32 * 1024;
const HEADER_BYTES: usize = 7;

/// Maximum length of a record. A document has at most 1 MiB as Firestore counts,
/// but an export repeats the name of an array with each of its elements.
pub const MAX_RECORD_BYTES: usize = 16 * 1024 * 1024;

/// Complete record with valid checksums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// Offset of its first fragment in the file.
    pub offset: u64,
    /// Its data.
    pub bytes: Vec<u8>,
}

/// Corruption of a log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A checksum does not match; the rest of the block is skipped.
    #[error("a checksum does not match; the rest of its 32 KiB block is skipped")]
    Checksum,
    /// A fragment exceeds its block; the rest of the block is skipped.
    #[error("a length exceeds its block; the rest of its 32 KiB block is skipped")]
    Length,
    /// A fragment has an unknown type; the rest of the block is skipped.
    #[error("a fragment has an unknown type; the rest of its 32 KiB block is skipped")]
    Type,
    /// A record lacks its first or last fragment.
    #[error("a record lacks its first or last fragment")]
    Incomplete,
    /// A record is longer than [`MAX_RECORD_BYTES`]; it is skipped.
    #[error("a record is longer than {MAX_RECORD_BYTES} bytes")]
    TooLong,
    /// The file ends within a record.
    #[error("the file is truncated within a record")]
    Truncated,
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Read(#[source] io::Error),
}

/// Returns the records of a log in memory.
pub fn decode_log(
    bytes: &[u8],
) -> impl Iterator<Item = Result<LogRecord, (u64, LogError)>> + use<'_> {
    LogReader::new(bytes)
}

/// Reader of a log, one block at a time.
pub(super) struct LogReader<R> {
    source: R,
    block: Vec<u8>,
    /// Offset of the block in the file.
    block_offset: u64,
    /// Bytes of the block that were read.
    position: usize,
    state: State,
    record: Option<LogRecord>,
}

#[derive(PartialEq, Eq)]
enum State {
    Valid,
    /// Skipping the rest of a record whose corruption was reported.
    Recovering,
    Done,
}

enum Fragment {
    Full,
    First,
    Middle,
    Last,
}

impl<R: Read> LogReader<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            block: Vec::new(),
            block_offset: 0,
            position: 0,
            state: State::Valid,
            record: None,
        }
    }

    fn offset(&self) -> u64 {
        self.block_offset + u64_from(self.position)
    }

    /// Reads the next block. Returns false at the end of the file.
    fn next_block(&mut self) -> io::Result<bool> {
        self.block_offset += u64_from(self.block.len());
        self.block.clear();
        self.position = 0;
        let mut block = self.source.by_ref().take(u64_from(BLOCK_BYTES));
        Ok(block.read_to_end(&mut self.block)? > 0)
    }

    /// Skips the rest of the block, and with it the current record.
    fn skip_block(&mut self, error: LogError) -> Result<LogRecord, (u64, LogError)> {
        let offset = self.record.take().map_or(self.offset(), |it| it.offset);
        self.position = self.block.len();
        self.state = State::Recovering;
        Err((offset, error))
    }

    /// Handles the end of the file, which may be within a record.
    fn end(&mut self) -> Option<Result<LogRecord, (u64, LogError)>> {
        self.state = State::Done;
        self.record
            .take()
            .map(|record| Err((record.offset, LogError::Truncated)))
    }

    /// Returns the next fragment of the block with its offset and length; `None` at
    /// the end of the block.
    fn fragment(&mut self) -> Result<Option<(Fragment, u64, usize)>, LogError> {
        let rest = self.block.get(self.position..).unwrap_or_default();
        let is_last_block = self.block.len() < BLOCK_BYTES;
        let Some((header, data)) = rest.split_first_chunk::<HEADER_BYTES>() else {
            if is_last_block && rest.iter().any(|byte| *byte != 0) {
                return Err(LogError::Truncated);
            }
            return Ok(None);
        };
        let [c0, c1, c2, c3, l0, l1, kind] = *header;
        let length = usize::from(u16::from_le_bytes([l0, l1]));
        if kind == 0 && rest.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let Some(data) = data.get(..length) else {
            return Err(
                if is_last_block && self.position + HEADER_BYTES + length <= BLOCK_BYTES {
                    LogError::Truncated
                } else {
                    LogError::Length
                },
            );
        };
        let checksum = crc32c::crc32c_append(crc32c::crc32c(&[kind]), data);
        if mask(checksum) != u32::from_le_bytes([c0, c1, c2, c3]) {
            return Err(LogError::Checksum);
        }
        let fragment = match kind {
            1 => Fragment::Full,
            2 => Fragment::First,
            3 => Fragment::Middle,
            4 => Fragment::Last,
            _ => return Err(LogError::Type),
        };
        let offset = self.offset();
        self.position += HEADER_BYTES + length;
        Ok(Some((fragment, offset, length)))
    }

    /// Adds a fragment to its record. Returns the record when it is complete.
    fn add(
        &mut self,
        fragment: &Fragment,
        offset: u64,
        length: usize,
    ) -> Option<Result<LogRecord, (u64, LogError)>> {
        let data = self.block.get(self.position - length..self.position);
        let data = data.unwrap_or_default();
        match (fragment, &mut self.record) {
            (Fragment::Full | Fragment::First, record) => {
                let bytes = data.to_owned();
                let started = LogRecord { offset, bytes };
                self.state = State::Valid;
                let interrupted = record.replace(started);
                if let Some(interrupted) = interrupted {
                    // The fragment is read again, then without a record to interrupt.
                    self.record = None;
                    self.position -= HEADER_BYTES + length;
                    return Some(Err((interrupted.offset, LogError::Incomplete)));
                }
                match fragment {
                    Fragment::Full => self.record.take().map(Ok),
                    _ => None,
                }
            }
            (Fragment::Middle | Fragment::Last, Some(record)) => {
                if record.bytes.len() + length > MAX_RECORD_BYTES {
                    let offset = record.offset;
                    self.record = None;
                    self.state = State::Recovering;
                    return Some(Err((offset, LogError::TooLong)));
                }
                record.bytes.extend_from_slice(data);
                match fragment {
                    Fragment::Last => self.record.take().map(Ok),
                    _ => None,
                }
            }
            (Fragment::Middle | Fragment::Last, None) => {
                let was_reported = self.state == State::Recovering;
                self.state = State::Recovering;
                (!was_reported).then_some(Err((offset, LogError::Incomplete)))
            }
        }
    }
}

impl<R: Read> Iterator for LogReader<R> {
    type Item = Result<LogRecord, (u64, LogError)>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.state != State::Done {
            match self.fragment() {
                Ok(Some((fragment, offset, length))) => {
                    if let Some(result) = self.add(&fragment, offset, length) {
                        return Some(result);
                    }
                }
                Ok(None) => match self.next_block() {
                    Ok(true) => {}
                    Ok(false) => return self.end(),
                    Err(error) => {
                        self.state = State::Done;
                        return Some(Err((self.offset(), LogError::Read(error))));
                    }
                },
                Err(error) => return Some(self.skip_block(error)),
            }
        }
        None
    }
}

/// Masks a checksum, as the format requires: the CRC of data that contains CRCs
/// is problematic.
fn mask(checksum: u32) -> u32 {
    checksum.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Converts without loss: no platform has a longer `usize`.
fn u64_from(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
