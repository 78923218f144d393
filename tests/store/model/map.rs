use std::collections::BTreeMap;

use clarity_backend::domain::{ListQuery, Order, Reading, ReadingId, UserId};
use clarity_backend::store::{BatchPutStatus, PutResult};

/// Reference model of a store.
#[derive(Default)]
pub struct Map(BTreeMap<(String, ReadingId), Reading>);

fn key(user_id: &UserId, id: ReadingId) -> (String, ReadingId) {
    (user_id.as_str().to_owned(), id)
}

fn key_of(reading: &Reading) -> (String, ReadingId) {
    key(&reading.measurement.user_id, reading.id)
}

impl Map {
    pub fn get(&self, user_id: &UserId, id: ReadingId) -> Option<&Reading> {
        self.0.get(&key(user_id, id))
    }

    pub fn put(&mut self, reading: Reading) -> PutResult {
        if let Some(stored) = self.0.get(&key_of(&reading)) {
            if reading.version() < stored.version() {
                return PutResult::Superseded(stored.clone());
            }
            if reading.measurement == stored.measurement {
                return PutResult::Stored(stored.clone());
            }
        }
        self.0.insert(key_of(&reading), reading.clone());
        PutResult::Stored(reading)
    }

    /// Among readings with one id, the last of the highest version wins.
    pub fn put_batch(&mut self, readings: Vec<Reading>) -> Vec<BatchPutStatus> {
        let mut last_of_highest: BTreeMap<_, usize> = BTreeMap::new();
        for (index, reading) in readings.iter().enumerate() {
            let best = last_of_highest.entry(key_of(reading)).or_insert(index);
            let other = &readings[*best];
            if reading.version() > other.version()
                || reading.version() == other.version() && reading.measurement != other.measurement
            {
                *best = index;
            }
        }
        let before = self.0.clone();
        for index in last_of_highest.values() {
            self.put(readings[*index].clone());
        }
        let kept = |(index, reading): (usize, &Reading)| {
            let key = key_of(reading);
            if reading.version() < self.0[&key].version() {
                BatchPutStatus::Superseded
            } else if last_of_highest[&key] == index && before.get(&key) != self.0.get(&key) {
                BatchPutStatus::Stored
            } else {
                BatchPutStatus::Unchanged
            }
        };
        readings.iter().enumerate().map(kept).collect()
    }

    pub fn delete(&mut self, user_id: &UserId, id: ReadingId) -> bool {
        self.0.remove(&key(user_id, id)).is_some()
    }

    pub fn erase_user(&mut self, user_id: &UserId) -> u64 {
        let before = self.0.len();
        self.0.retain(|(user, _), _| user != user_id.as_str());
        (before - self.0.len()) as u64
    }

    /// Returns the page and its end.
    pub fn list(&self, query: &ListQuery) -> (Vec<Reading>, Option<ReadingId>) {
        let mut readings: Vec<&Reading> = self
            .0
            .iter()
            .filter(|((user, id), reading)| {
                let instant = reading.measurement.timestamp.instant();
                let named = query.data_types.as_slice();
                user == query.user_id.as_str()
                    && (named.is_empty() || named.contains(&reading.measurement.data_type))
                    && query.range.start.is_none_or(|start| start <= instant)
                    && query.range.end.is_none_or(|end| instant < end)
                    && query.after.is_none_or(|after| match query.order {
                        Order::Asc => *id > after,
                        Order::Desc => *id < after,
                    })
            })
            .map(|(_, reading)| reading)
            .collect();
        if query.order == Order::Desc {
            readings.reverse();
        }
        let limit = query.limit.get();
        let has_more = readings.len() > limit;
        readings.truncate(limit);
        let next = readings.last().filter(|_| has_more).map(|last| last.id);
        (readings.into_iter().cloned().collect(), next)
    }
}
