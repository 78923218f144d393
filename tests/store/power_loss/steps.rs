//! Steps of a run; each is one commit.

use clarity_backend::domain::{Measurement, Reading, UserId};
use clarity_backend::store::{ReadingStore, StoreError, put_batch};

use crate::model::Map;
use crate::samples::{client_record, reading, series, user};

pub const USERS: [&str; 3] = ["someone", "someone.b", "other"];
pub const TYPES: [&str; 2] = ["heart_rate", "steps"];

/// Number of distinct readings of a user in [`mixed`].
const READINGS: u32 = 120;

/// Requests of a step, sent concurrently.
pub type Step = Vec<Write>;

#[derive(Debug, Clone)]
pub enum Write {
    Put(Reading),
    Batch(Vec<Reading>),
    Delete(Reading),
    Erase(UserId),
}

impl Write {
    pub async fn send(&self, store: &dyn ReadingStore) -> Result<(), StoreError> {
        match self.clone() {
            Self::Put(reading) => store.put(reading).await.map(drop),
            Self::Batch(readings) => {
                let outcomes = put_batch(store, readings).await;
                outcomes.into_iter().try_for_each(|kept| kept.map(drop))
            }
            Self::Delete(reading) => {
                let user_id = &reading.measurement.user_id;
                store.delete(user_id, reading.id).await.map(drop)
            }
            Self::Erase(user_id) => store.erase_part(&user_id).await.map(drop),
        }
    }

    pub fn apply(&self, map: &mut Map) {
        match self.clone() {
            Self::Put(reading) => {
                map.put(reading);
            }
            Self::Batch(readings) => {
                map.put_batch(readings);
            }
            Self::Delete(reading) => {
                map.delete(&reading.measurement.user_id, reading.id);
            }
            Self::Erase(user_id) => {
                map.erase_user(&user_id);
            }
        }
    }

    fn is_erasure(&self) -> bool {
        matches!(self, Self::Erase(_))
    }

    /// Returns the number of readings it contains.
    pub fn size(&self) -> usize {
        match self {
            Self::Batch(readings) => readings.len(),
            _ => 1,
        }
    }
}

/// Single puts.
pub fn single_puts(count: u32) -> Vec<Step> {
    let puts = series(USERS[0], count).into_iter();
    puts.map(|reading| vec![Write::Put(reading)]).collect()
}

/// A reproducible mix of puts, batches, deletions and erasures, single and in groups.
pub fn mixed(count: usize) -> Vec<Step> {
    let mut random = fastrand::Rng::with_seed(13);
    let readings: Vec<_> = USERS.into_iter().flat_map(readings_of).collect();
    let step = |_| {
        let together = match random.bool() {
            true => random.usize(2..8),
            false => 1,
        };
        let mut step: Step = (0..together)
            .map(|_| write(&readings, &mut random))
            .collect();
        // An erasure ends a commit.
        if let Some(last) = step.iter().position(Write::is_erasure) {
            step.truncate(last + 1);
        }
        step
    };
    (0..count).map(step).collect()
}

fn write(readings: &[Reading], random: &mut fastrand::Rng) -> Write {
    let any = |random: &mut fastrand::Rng| readings[random.usize(..readings.len())].clone();
    match random.u32(..100) {
        0..50 => Write::Put(any(random)),
        50..75 => {
            let size = random.usize(1..30);
            Write::Batch((0..size).map(|_| any(random)).collect())
        }
        75..98 => Write::Delete(any(random)),
        _ => Write::Erase(any(random).measurement.user_id),
    }
}

/// Readings of two types, every third in two versions of a client record.
fn readings_of(user_id: &str) -> Vec<Reading> {
    let of_type = |(index, one): (usize, Reading)| Measurement {
        data_type: TYPES[index % 2].parse().unwrap(),
        user_id: user(user_id),
        ..one.measurement
    };
    let measurements = series(user_id, READINGS)
        .into_iter()
        .enumerate()
        .map(of_type);
    let versions = |(index, one): (usize, Measurement)| match index % 3 {
        0 => [1, 2]
            .map(|version| Measurement {
                client_record: client_record("record", version),
                value: (version as f64).try_into().unwrap(),
                ..one.clone()
            })
            .to_vec(),
        _ => vec![one],
    };
    let all = measurements.enumerate().flat_map(versions);
    all.map(reading).collect()
}
