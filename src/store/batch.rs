//! Many readings at once.

use std::collections::HashMap;

use super::{PutOutcome, ReadingStore, StoreError};
use crate::domain::{Reading, ReadingId, RecordVersion, UserId};

/// What became of a reading given to [`put_batch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is held, now or since an earlier time; or another of the same batch
    /// that takes its place with the same version.
    Stored,
    /// A higher version of the client's record is held.
    Superseded,
}

impl From<&PutOutcome> for Kept {
    fn from(outcome: &PutOutcome) -> Self {
        match outcome {
            PutOutcome::Stored(_) => Self::Stored,
            PutOutcome::Superseded(_) => Self::Superseded,
        }
    }
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
) -> Vec<Result<Kept, StoreError>> {
    let Folded {
        distinct,
        versions,
        places,
    } = Folded::of(readings);
    let outcomes = store.put_all(distinct).await;
    places
        .into_iter()
        .map(|(place, version)| {
            outcomes[place].clone().map(|kept| {
                if version < versions[place] {
                    Kept::Superseded
                } else {
                    kept
                }
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
    /// The version of each of `distinct`.
    versions: Vec<Option<RecordVersion>>,
    /// For each reading given, which of `distinct` stands for it, and its own
    /// version.
    places: Vec<(usize, Option<RecordVersion>)>,
}

impl Folded {
    fn of(readings: Vec<Reading>) -> Self {
        let mut distinct: Vec<Reading> = Vec::with_capacity(readings.len());
        let mut places = Vec::with_capacity(readings.len());
        let mut place_of: HashMap<(UserId, ReadingId), usize> =
            HashMap::with_capacity(readings.len());
        for reading in readings {
            let version = reading.version();
            let key = (reading.measurement.user_id.clone(), reading.id);
            let place = *place_of.entry(key).or_insert(distinct.len());
            match distinct.get_mut(place) {
                None => distinct.push(reading),
                Some(first) if reading.replaces(first) => *first = reading,
                Some(_) => {}
            }
            places.push((place, version));
        }
        Self {
            versions: distinct.iter().map(Reading::version).collect(),
            distinct: DistinctReadings(distinct),
            places,
        }
    }
}
