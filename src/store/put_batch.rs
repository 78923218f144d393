//! Many readings at once.

use std::collections::HashMap;

use super::{ReadingStore, StoreError};
use crate::domain::{Reading, ReadingId, RecordVersion, UserId};

/// What became of a reading given to [`put_batch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchPutStatus {
    /// It is held, and was not before.
    Stored,
    /// It has been held since an earlier time; or another of the same batch
    /// takes its distinct_index with the same version.
    Unchanged,
    /// A higher version of the client's record is held.
    Superseded,
}

/// Keeps `readings` as if they were put one after another, and tells what
/// became of each, in their order, once all have been dealt with.
///
/// Readings of one id are folded first: of a client's record the highest
/// version counts, and the others are told whether they are superseded by what
/// is held in the end. An error says that it is not known whether the reading
/// is held; putting it again is safe.
pub async fn put_batch(
    store: &dyn ReadingStore,
    readings: Vec<Reading>,
) -> Vec<Result<BatchPutStatus, StoreError>> {
    let Folded {
        distinct,
        winners,
        indices,
    } = Folded::new(readings);
    let outcomes = store.put_many(distinct).await;
    indices
        .into_iter()
        .enumerate()
        .map(|(index, (distinct_index, version))| {
            let winner = &winners[distinct_index];
            outcomes[distinct_index].clone().map(|status| match status {
                _ if version < winner.version => BatchPutStatus::Superseded,
                BatchPutStatus::Stored if index != winner.index => BatchPutStatus::Unchanged,
                status => status,
            })
        })
        .collect()
}

/// Readings of which no two have the same user and id.
#[derive(Debug)]
pub struct DistinctReadings(Vec<Reading>);

impl DistinctReadings {
    /// The readings themselves.
    pub fn into_vec(self) -> Vec<Reading> {
        self.0
    }
}

/// Readings folded so that none has the id of another.
struct Folded {
    distinct: DistinctReadings,
    /// Which reading given each of `distinct` is.
    winners: Vec<Winner>,
    /// For each reading given, which of `distinct` stands for it, and its own
    /// version.
    indices: Vec<(usize, Option<RecordVersion>)>,
}

/// A reading that stands for all those of its id.
struct Winner {
    index: usize,
    version: Option<RecordVersion>,
}

impl Folded {
    fn new(readings: Vec<Reading>) -> Self {
        let mut distinct: Vec<Reading> = Vec::with_capacity(readings.len());
        let mut winners: Vec<Winner> = Vec::with_capacity(readings.len());
        let mut indices = Vec::with_capacity(readings.len());
        let mut index_by_key: HashMap<(UserId, ReadingId), usize> =
            HashMap::with_capacity(readings.len());
        for (index, reading) in readings.into_iter().enumerate() {
            let version = reading.version();
            let key = (reading.measurement.user_id.clone(), reading.id);
            let distinct_index = *index_by_key.entry(key).or_insert(distinct.len());
            match distinct.get_mut(distinct_index) {
                None => {
                    distinct.push(reading);
                    winners.push(Winner { index, version });
                }
                Some(first) if reading.replaces(first) => {
                    *first = reading;
                    winners[distinct_index] = Winner { index, version };
                }
                Some(_) => {}
            }
            indices.push((distinct_index, version));
        }
        Self {
            distinct: DistinctReadings(distinct),
            winners,
            indices,
        }
    }
}
