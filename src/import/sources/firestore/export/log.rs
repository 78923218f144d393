//! The container of an export's files: `LevelDB`'s log
//! (<https://github.com/google/leveldb/blob/main/doc/log_format.md>).
//!
//! A file is blocks of 32 KiB. In a block each fragment has a header of seven
//! bytes: masked CRC-32C of type and data, length, type. A record is one
//! fragment, or a first, any middle and a last one over as many blocks. Where
//! a fragment is damaged, nothing tells where the next begins: the rest of its
//! block is lost, with any record that goes on from there, and reading goes on
//! with the next block.

use std::io::{self, Read};

const BLOCK_BYTES: usize = 32 * 1024;
const HEADER_BYTES: usize = 7;

/// The longest record that is read. A document has at most 1 MiB as Firestore
/// counts; an export repeats an array's name with each of its elements.
pub const MAX_RECORD_BYTES: usize = 16 * 1024 * 1024;

/// A whole record with sound checksums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// Where its first fragment begins, in bytes from the file's beginning.
    pub offset: u64,
    /// Its data.
    pub bytes: Vec<u8>,
}

/// What is wrong in a log, and where.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The checksum does not fit; the rest of the block is passed over.
    #[error("a checksum does not fit, so the rest of its 32 KiB is lost")]
    Checksum,
    /// A fragment that goes past its block; the rest of the block is passed
    /// over.
    #[error("a length goes past the end of its block, so the rest of its 32 KiB is lost")]
    Length,
    /// A fragment of no known type; the rest of the block is passed over.
    #[error("a record fragment is of an unknown type, so the rest of its 32 KiB is lost")]
    Type,
    /// A record that goes on without having begun, or ends without having
    /// ended.
    #[error("a record lacks its beginning or its end")]
    Fragments,
    /// A record longer than [`MAX_RECORD_BYTES`]; it is passed over.
    #[error("a record is longer than {MAX_RECORD_BYTES} bytes")]
    TooLong,
    /// The file ends within a record.
    #[error("the file ends within a record: it was cut off")]
    CutOff,
    /// The operating system gives no more of the file.
    #[error("cannot be read: {0}")]
    Read(#[source] io::Error),
}

/// The records of a log in memory.
pub fn decode_log(
    bytes: &[u8],
) -> impl Iterator<Item = Result<LogRecord, (u64, LogError)>> + use<'_> {
    LogReader::new(bytes)
}

/// Reads a log block by block.
pub(super) struct LogReader<R> {
    source: R,
    block: Vec<u8>,
    /// Where in the file the block begins.
    block_offset: u64,
    /// What of the block was read.
    at: usize,
    state: State,
    record: Option<LogRecord>,
}

#[derive(PartialEq, Eq)]
enum State {
    Sound,
    /// Passing over what is left of a record whose damage was told.
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
            at: 0,
            state: State::Sound,
            record: None,
        }
    }

    fn offset(&self) -> u64 {
        self.block_offset + u64_from(self.at)
    }

    /// Reads the next block, or says that there is none.
    fn next_block(&mut self) -> io::Result<bool> {
        self.block_offset += u64_from(self.block.len());
        self.block.clear();
        self.at = 0;
        let mut block = self.source.by_ref().take(u64_from(BLOCK_BYTES));
        Ok(block.read_to_end(&mut self.block)? > 0)
    }

    /// Passes over what is left of the block, and with it over the record.
    fn lose(&mut self, fault: LogError) -> Result<LogRecord, (u64, LogError)> {
        let offset = self.record.take().map_or(self.offset(), |it| it.offset);
        self.at = self.block.len();
        self.state = State::Recovering;
        Err((offset, fault))
    }

    /// The end of the file: within a record or not.
    fn end(&mut self) -> Option<Result<LogRecord, (u64, LogError)>> {
        self.state = State::Done;
        self.record
            .take()
            .map(|record| Err((record.offset, LogError::CutOff)))
    }

    /// Takes the next fragment of the block; nothing when it has no more.
    fn fragment(&mut self) -> Result<Option<(Fragment, u64, usize)>, LogError> {
        let rest = self.block.get(self.at..).unwrap_or_default();
        let is_last_block = self.block.len() < BLOCK_BYTES;
        let Some((header, data)) = rest.split_first_chunk::<HEADER_BYTES>() else {
            if is_last_block && rest.iter().any(|byte| *byte != 0) {
                return Err(LogError::CutOff);
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
                if is_last_block && self.at + HEADER_BYTES + length <= BLOCK_BYTES {
                    LogError::CutOff
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
        self.at += HEADER_BYTES + length;
        Ok(Some((fragment, offset, length)))
    }

    /// Adds a fragment to its record. Gives the record when it is whole.
    fn add(
        &mut self,
        fragment: &Fragment,
        offset: u64,
        length: usize,
    ) -> Option<Result<LogRecord, (u64, LogError)>> {
        let data = self.block.get(self.at - length..self.at);
        let data = data.unwrap_or_default();
        match (fragment, &mut self.record) {
            (Fragment::Full | Fragment::First, record) => {
                let bytes = data.to_owned();
                let begun = LogRecord { offset, bytes };
                self.state = State::Sound;
                let interrupted = record.replace(begun);
                if let Some(interrupted) = interrupted {
                    // The fragment is taken again, as one that interrupts nothing.
                    self.record = None;
                    self.at -= HEADER_BYTES + length;
                    return Some(Err((interrupted.offset, LogError::Fragments)));
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
                let is_known = self.state == State::Recovering;
                self.state = State::Recovering;
                (!is_known).then_some(Err((offset, LogError::Fragments)))
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
                    if let Some(outcome) = self.add(&fragment, offset, length) {
                        return Some(outcome);
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
                Err(fault) => return Some(self.lose(fault)),
            }
        }
        None
    }
}

/// Keeps a checksum from being taken for part of the data that holds it.
fn mask(checksum: u32) -> u32 {
    checksum.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// No platform has a longer `usize`.
fn u64_from(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
