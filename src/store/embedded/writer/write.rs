use redb::{ReadableTable, Table, WriteTransaction};
use tokio::sync::oneshot;

use crate::domain::{Reading, ReadingId, UserId};
use crate::store::embedded::engine_error::engine_error;
use crate::store::embedded::format::{BY_TYPE, READINGS};
use crate::store::embedded::record;
use crate::store::reading_store::WriteOutcome;
use crate::store::{BatchPutStatus, Erasure, PutResult, StoreError};

/// Channel to the caller of a write.
pub(super) type Responder<T> = oneshot::Sender<Result<T, StoreError>>;

/// Number of records that one part of an erasure deletes. Other writes of the same
/// commit wait for it.
const ERASE_BATCH: usize = 10_000;

/// Tables of a transaction.
pub(super) struct Tables<'a> {
    readings: Table<'a, &'static [u8], &'static [u8]>,
    by_type: Table<'a, &'static [u8], ()>,
}

impl<'a> Tables<'a> {
    pub(super) fn open(transaction: &'a WriteTransaction) -> Result<Self, StoreError> {
        Ok(Self {
            readings: transaction.open_table(READINGS).map_err(engine_error)?,
            by_type: transaction.open_table(BY_TYPE).map_err(engine_error)?,
        })
    }

    /// Deletes a record and its index entry, and returns `true` if it existed.
    fn remove(&mut self, key: &[u8]) -> Result<bool, StoreError> {
        let Some(stored) = self.readings.remove(key).map_err(engine_error)? else {
            return Ok(false);
        };
        // The type of an unreadable record is unknown. Lists skip the index entry that
        // remains.
        if let Ok(type_key) = record::type_key_of_entry(key, stored.value()) {
            self.by_type
                .remove(type_key.as_slice())
                .map_err(engine_error)?;
        }
        Ok(true)
    }
}

/// A write, its result, and the channel for the response.
pub(super) enum Write {
    Put(Box<PutRequest>, Responder<PutResult>),
    PutMany(
        Vec<PutRequest>,
        Responder<Vec<Result<BatchPutStatus, StoreError>>>,
    ),
    Delete {
        key: Vec<u8>,
        existed: bool,
        responder: Responder<bool>,
    },
    ErasePart {
        user_id: UserId,
        done: Erasure,
        responder: Responder<Erasure>,
    },
}

impl Write {
    pub(super) fn delete(user_id: &UserId, id: ReadingId, responder: Responder<bool>) -> Self {
        Self::Delete {
            key: record::key(user_id, id.as_bytes()),
            existed: false,
            responder,
        }
    }

    pub(super) fn erase_part(user_id: &UserId, responder: Responder<Erasure>) -> Self {
        Self::ErasePart {
            user_id: user_id.clone(),
            done: Erasure {
                deleted: 0,
                complete: false,
            },
            responder,
        }
    }

    /// Returns the number of records that the write may touch.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Put(..) | Self::Delete { .. } => 1,
            Self::PutMany(puts, _) => puts.len(),
            Self::ErasePart { .. } => ERASE_BATCH,
        }
    }

    /// Returns the approximate memory use in bytes.
    pub(super) fn bytes(&self) -> usize {
        let payload = match self {
            Self::Put(put, _) => put.bytes(),
            Self::PutMany(puts, _) => puts.iter().map(PutRequest::bytes).sum(),
            Self::Delete { key, .. } => key.len(),
            Self::ErasePart { user_id, .. } => user_id.as_str().len(),
        };
        size_of::<Self>() + payload
    }

    /// Returns `true` if a caller waits for the result.
    pub(super) fn has_waiter(&self) -> bool {
        !match self {
            Self::Put(_, responder) => responder.is_closed(),
            Self::PutMany(_, responder) => responder.is_closed(),
            Self::Delete { responder, .. } => responder.is_closed(),
            Self::ErasePart { responder, .. } => responder.is_closed(),
        }
    }

    pub(super) fn apply(&mut self, tables: &mut Tables<'_>) -> Result<(), StoreError> {
        match self {
            Self::Put(put, _) => put.apply(tables)?,
            Self::PutMany(puts, _) => {
                for put in puts {
                    put.apply(tables)?;
                }
            }
            Self::Delete { key, existed, .. } => *existed = tables.remove(key)?,
            Self::ErasePart { user_id, done, .. } => *done = erase_part(user_id, tables)?,
        }
        Ok(())
    }

    /// Sends the result to the caller, if it still waits.
    pub(super) fn respond(self, committed: &Result<(), StoreError>) {
        match self {
            Self::Put(put, responder) => {
                let outcome = committed.clone().and_then(|()| put.into_outcome());
                let _ = responder.send(outcome.map(|(reading, put)| put.into_result(reading)));
            }
            Self::PutMany(puts, responder) => {
                let outcomes = puts.into_iter().map(|put| {
                    let (reading, put) = put.into_outcome()?;
                    Ok(put.status(&reading))
                });
                let _ = responder.send(committed.clone().map(|()| outcomes.collect()));
            }
            Self::Delete {
                existed, responder, ..
            } => {
                let _ = responder.send(committed.clone().map(|()| existed));
            }
            Self::ErasePart {
                done, responder, ..
            } => {
                let _ = responder.send(committed.clone().map(|()| done));
            }
        }
    }
}

/// A reading to put.
pub(super) struct PutRequest {
    key: Vec<u8>,
    type_key: Vec<u8>,
    value: Vec<u8>,
    reading: Reading,
    /// The existing reading that this one does not replace.
    stored: Result<Option<Reading>, StoreError>,
}

impl PutRequest {
    pub(super) fn new(reading: Reading) -> Result<Self, StoreError> {
        let measurement = &reading.measurement;
        let (user_id, id) = (&measurement.user_id, reading.id.as_bytes());
        Ok(Self {
            key: record::key(user_id, id),
            type_key: record::type_key(user_id, &measurement.data_type, id),
            value: record::encode(&reading)?,
            reading,
            stored: Ok(None),
        })
    }

    /// The strings of the reading take about as much memory as its value.
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.key.len() + self.type_key.len() + 2 * self.value.len()
    }

    fn apply(&mut self, tables: &mut Tables<'_>) -> Result<(), StoreError> {
        let found = tables
            .readings
            .get(self.key.as_slice())
            .map_err(engine_error)?
            .map(|found| {
                let user_id = &self.reading.measurement.user_id;
                record::decode(user_id, self.reading.id, found.value(), None)
            });
        let is_new = found.is_none();
        self.stored = found
            .transpose()
            .map(|found| found.filter(|found| !self.reading.replaces(found)));
        if let Ok(None) = self.stored {
            tables
                .readings
                .insert(self.key.as_slice(), self.value.as_slice())
                .map_err(engine_error)?;
            // The id depends on the type, so a replacement has the same index key.
            if is_new {
                tables
                    .by_type
                    .insert(self.type_key.as_slice(), ())
                    .map_err(engine_error)?;
            }
        }
        Ok(())
    }

    /// Returns the reading and the outcome of writing it.
    fn into_outcome(self) -> Result<(Reading, WriteOutcome), StoreError> {
        let put = self
            .stored?
            .map_or(WriteOutcome::Written, WriteOutcome::Existing);
        Ok((self.reading, put))
    }
}

fn erase_part(user_id: &UserId, tables: &mut Tables<'_>) -> Result<Erasure, StoreError> {
    let found = first_keys(&tables.readings, user_id)?;
    for key in &found {
        tables.remove(key)?;
    }
    // Index entries of unreadable records, once all records are deleted.
    let left = match found.is_empty() {
        true => first_keys(&tables.by_type, user_id)?,
        false => Vec::new(),
    };
    for key in &left {
        tables
            .by_type
            .remove(key.as_slice())
            .map_err(engine_error)?;
    }
    Ok(Erasure {
        deleted: found.len() as u64,
        complete: found.is_empty() && left.is_empty(),
    })
}

/// Returns the first keys of a user in a table.
fn first_keys<V: redb::Value + 'static>(
    table: &impl ReadableTable<&'static [u8], V>,
    user_id: &UserId,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let keys = record::user_key_range(user_id);
    table
        .range(keys.start.as_slice()..keys.end.as_slice())
        .map_err(engine_error)?
        .take(ERASE_BATCH)
        .map(|entry| {
            let (key, _) = entry.map_err(engine_error)?;
            Ok(key.value().to_vec())
        })
        .collect()
}
