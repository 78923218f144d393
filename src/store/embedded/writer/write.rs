use redb::{ReadableTable, Table, WriteTransaction};

use super::Caller;
use crate::domain::{Reading, ReadingId, UserId};
use crate::store::embedded::format::{BY_TYPE, READINGS};
use crate::store::embedded::{engine_fault, record};
use crate::store::{self, BatchPutStatus, Erasure, PutResult, StoreError};

/// How much one part of an erasure deletes: other writes of the same commit
/// wait for it.
const ERASED_AT_ONCE: usize = 10_000;

/// The tables of a transaction.
pub(super) struct Tables<'a> {
    readings: Table<'a, &'static [u8], &'static [u8]>,
    by_type: Table<'a, &'static [u8], ()>,
}

impl<'a> Tables<'a> {
    pub(super) fn of(transaction: &'a WriteTransaction) -> Result<Self, StoreError> {
        Ok(Self {
            readings: transaction.open_table(READINGS).map_err(engine_fault)?,
            by_type: transaction.open_table(BY_TYPE).map_err(engine_fault)?,
        })
    }

    /// Deletes what is held under the key, in both orders, and tells whether
    /// there was anything.
    fn remove(&mut self, key: &[u8]) -> Result<bool, StoreError> {
        let Some(held) = self.readings.remove(key).map_err(engine_fault)? else {
            return Ok(false);
        };
        // An unreadable record does not tell its type; lists pass over what is
        // left of it in the order by type.
        if let Ok(type_key) = record::type_key_of_entry(key, held.value()) {
            self.by_type
                .remove(type_key.as_slice())
                .map_err(engine_fault)?;
        }
        Ok(true)
    }
}

/// A write, what became of it, and whom to tell.
pub(super) enum Write {
    Put(Box<Put>, Caller<PutResult>),
    PutAll(Vec<Put>, Caller<Vec<Result<BatchPutStatus, StoreError>>>),
    Delete {
        key: Vec<u8>,
        existed: bool,
        caller: Caller<bool>,
    },
    ErasePart {
        user_id: UserId,
        done: Erasure,
        caller: Caller<Erasure>,
    },
}

impl Write {
    pub(super) fn delete(user_id: &UserId, id: ReadingId, caller: Caller<bool>) -> Self {
        Self::Delete {
            key: record::key(user_id, id.as_bytes()),
            existed: false,
            caller,
        }
    }

    pub(super) fn erase_part(user_id: &UserId, caller: Caller<Erasure>) -> Self {
        Self::ErasePart {
            user_id: user_id.clone(),
            done: Erasure {
                deleted: 0,
                complete: false,
            },
            caller,
        }
    }

    /// How many readings it may touch.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Put(..) | Self::Delete { .. } => 1,
            Self::PutAll(puts, _) => puts.len(),
            Self::ErasePart { .. } => ERASED_AT_ONCE,
        }
    }

    /// About how much memory it has.
    pub(super) fn bytes(&self) -> usize {
        let besides = match self {
            Self::Put(put, _) => put.bytes(),
            Self::PutAll(puts, _) => puts.iter().map(Put::bytes).sum(),
            Self::Delete { key, .. } => key.len(),
            Self::ErasePart { user_id, .. } => user_id.as_str().len(),
        };
        size_of::<Self>() + besides
    }

    /// Whether its caller is still there.
    pub(super) fn is_waited_for(&self) -> bool {
        !match self {
            Self::Put(_, caller) => caller.is_closed(),
            Self::PutAll(_, caller) => caller.is_closed(),
            Self::Delete { caller, .. } => caller.is_closed(),
            Self::ErasePart { caller, .. } => caller.is_closed(),
        }
    }

    pub(super) fn apply(&mut self, tables: &mut Tables<'_>) -> Result<(), StoreError> {
        match self {
            Self::Put(put, _) => put.apply(tables)?,
            Self::PutAll(puts, _) => {
                for put in puts {
                    put.apply(tables)?;
                }
            }
            Self::Delete { key, existed, .. } => *existed = tables.remove(key)?,
            Self::ErasePart { user_id, done, .. } => *done = erase_part(user_id, tables)?,
        }
        Ok(())
    }

    /// Tells the caller, who may have gone away.
    pub(super) fn answer(self, committed: &Result<(), StoreError>) {
        match self {
            Self::Put(put, caller) => {
                let outcome = committed.clone().and_then(|()| put.done());
                let _ = caller.send(outcome.map(|(reading, put)| put.outcome(reading)));
            }
            Self::PutAll(puts, caller) => {
                let outcomes = puts.into_iter().map(|put| {
                    let (reading, put) = put.done()?;
                    Ok(put.kept(&reading))
                });
                let _ = caller.send(committed.clone().map(|()| outcomes.collect()));
            }
            Self::Delete {
                existed, caller, ..
            } => {
                let _ = caller.send(committed.clone().map(|()| existed));
            }
            Self::ErasePart { done, caller, .. } => {
                let _ = caller.send(committed.clone().map(|()| done));
            }
        }
    }
}

/// A reading to put.
pub(super) struct Put {
    key: Vec<u8>,
    type_key: Vec<u8>,
    value: Vec<u8>,
    reading: Reading,
    /// The held reading that stands against this one.
    held: Result<Option<Reading>, StoreError>,
}

impl Put {
    pub(super) fn of(reading: Reading) -> Result<Self, StoreError> {
        let measurement = &reading.measurement;
        let (user_id, id) = (&measurement.user_id, reading.id.as_bytes());
        Ok(Self {
            key: record::key(user_id, id),
            type_key: record::type_key(user_id, &measurement.data_type, id),
            value: record::encode(&reading)?,
            reading,
            held: Ok(None),
        })
    }

    /// The texts of the reading take about as much as its value.
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.key.len() + self.type_key.len() + 2 * self.value.len()
    }

    fn apply(&mut self, tables: &mut Tables<'_>) -> Result<(), StoreError> {
        let found = tables
            .readings
            .get(self.key.as_slice())
            .map_err(engine_fault)?
            .map(|found| {
                let user_id = &self.reading.measurement.user_id;
                record::decode(user_id, self.reading.id, found.value(), None)
            });
        let is_new = found.is_none();
        self.held = found
            .transpose()
            .map(|found| found.filter(|found| !self.reading.replaces(found)));
        if let Ok(None) = self.held {
            tables
                .readings
                .insert(self.key.as_slice(), self.value.as_slice())
                .map_err(engine_fault)?;
            // The id rests on the type too, so one that replaces has the same.
            if is_new {
                tables
                    .by_type
                    .insert(self.type_key.as_slice(), ())
                    .map_err(engine_fault)?;
            }
        }
        Ok(())
    }

    /// The reading, and what was done with it.
    fn done(self) -> Result<(Reading, store::Put), StoreError> {
        let put = self.held?.map_or(store::Put::Written, store::Put::Stands);
        Ok((self.reading, put))
    }
}

fn erase_part(user_id: &UserId, tables: &mut Tables<'_>) -> Result<Erasure, StoreError> {
    let found = some_keys(&tables.readings, user_id)?;
    for key in &found {
        tables.remove(key)?;
    }
    // What unreadable records have left, once there is nothing else.
    let left = match found.is_empty() {
        true => some_keys(&tables.by_type, user_id)?,
        false => Vec::new(),
    };
    for key in &left {
        tables
            .by_type
            .remove(key.as_slice())
            .map_err(engine_fault)?;
    }
    Ok(Erasure {
        deleted: found.len() as u64,
        complete: found.is_empty() && left.is_empty(),
    })
}

/// Some keys of what is held of the user in a table, if there are any.
fn some_keys<V: redb::Value + 'static>(
    table: &impl ReadableTable<&'static [u8], V>,
    user_id: &UserId,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let keys = record::keys_of(user_id);
    table
        .range(keys.start.as_slice()..keys.end.as_slice())
        .map_err(engine_fault)?
        .take(ERASED_AT_ONCE)
        .map(|entry| {
            let (key, _) = entry.map_err(engine_fault)?;
            Ok(key.value().to_vec())
        })
        .collect()
}
