//! Storing many readings in one call.

use std::collections::HashMap;

use super::error::StoreError;
use super::reading_store::{BatchPutStatus, DistinctReadings, ReadingStore};
use crate::domain::{Reading, ReadingId, RecordVersion, UserId};

/// Stores `readings` as if they were put one after another, and returns one result per
/// reading, in their order.
///
/// Readings with the same user and id are folded before they are written: the highest
/// version wins, and lower ones are reported as superseded. On an error it is unknown
/// whether the reading is stored; it is safe to put it again.
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

/// Readings of a batch, folded by user and id.
struct Folded {
    distinct: DistinctReadings,
    /// For each of `distinct`, the reading of the batch that it is.
    winners: Vec<Winner>,
    /// For each reading of the batch, the index in `distinct` of the one that
    /// represents it, and its own version.
    indices: Vec<(usize, Option<RecordVersion>)>,
}

/// A reading that represents all those with its id.
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
