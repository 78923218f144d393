use clarity_backend::domain::{
    DataTypes, ListQuery, Measurement, Order, ReadingId, TimeRange, UserId,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::samples::{client_record, instant, measurement, page_size, user};

const MOMENTS: [&str; 6] = [
    "2024-01-15T10:29:59.999999999Z",
    "2024-01-15T10:30:00Z",
    "2024-01-15T10:30:00.000000001Z",
    "2024-01-15T10:30:00.000999999Z",
    "2024-01-15T10:30:00.001Z",
    "2024-01-16T10:30:00Z",
];

/// One is a prefix of the other.
const TYPES: [&str; 3] = ["a", "a.b", "b"];

/// Users of a sequence, one of whose ids is a prefix of another's.
pub struct Users([UserId; 2]);

impl Users {
    pub fn of_sequence(number: u32) -> Self {
        Self([user(&format!("u{number}")), user(&format!("u{number}.b"))])
    }

    pub fn id(&self, index: usize) -> UserId {
        self.0[index].clone()
    }
}

#[derive(Debug, Clone)]
pub enum Operation {
    Put(Sample),
    PutBatch(Vec<Sample>),
    Get(Sample),
    Delete(Sample),
    /// Erases this user.
    Erase(usize),
    List(Listing),
    /// Closes and reopens the store.
    Reopen,
}

/// A measurement out of few, so that a sequence often repeats them.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    user: usize,
    data_type: usize,
    moment: usize,
    value: u8,
    version: Option<u64>,
}

#[derive(Debug, Clone)]
pub struct Listing {
    user: usize,
    data_types: Vec<usize>,
    start: Option<usize>,
    end: Option<usize>,
    descending: bool,
    after: Option<Sample>,
    limit: u16,
}

pub fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        32 => sample().prop_map(Operation::Put),
        24 => vec(sample(), 1..12).prop_map(Operation::PutBatch),
        8 => sample().prop_map(Operation::Get),
        8 => sample().prop_map(Operation::Delete),
        4 => (0..2_usize).prop_map(Operation::Erase),
        32 => listing().prop_map(Operation::List),
        1 => Just(Operation::Reopen),
    ]
}

fn sample() -> impl Strategy<Value = Sample> {
    (
        0..2_usize,
        0..TYPES.len(),
        0..MOMENTS.len(),
        0..2_u8,
        prop::option::of(0..3_u64),
    )
        .prop_map(|(user, data_type, moment, value, version)| Sample {
            user,
            data_type,
            moment,
            value,
            version,
        })
}

fn listing() -> impl Strategy<Value = Listing> {
    (
        0..2_usize,
        vec(0..TYPES.len(), 0..3),
        prop::option::of(0..MOMENTS.len()),
        prop::option::of(0..MOMENTS.len()),
        any::<bool>(),
        prop::option::of(sample()),
        1..8_u16,
    )
        .prop_map(
            |(user, data_types, start, end, descending, after, limit)| Listing {
                user,
                data_types,
                start,
                end,
                descending,
                after,
                limit,
            },
        )
}

impl Sample {
    pub fn measurement(self, users: &Users) -> Measurement {
        Measurement {
            data_type: TYPES[self.data_type].parse().unwrap(),
            value: f64::from(self.value).try_into().unwrap(),
            client_record: self
                .version
                .and_then(|version| client_record("sample-1", version)),
            ..measurement(users.id(self.user).as_str(), MOMENTS[self.moment])
        }
    }

    pub fn key(self, users: &Users) -> (UserId, ReadingId) {
        let measurement = self.measurement(users);
        (users.id(self.user), measurement.reading_id())
    }
}

impl Listing {
    pub fn query(&self, users: &Users) -> ListQuery {
        let bound = |moment: Option<usize>| moment.map(|index| instant(MOMENTS[index]));
        let data_type = |index: &usize| TYPES[*index].parse().unwrap();
        let data_types: Vec<_> = self.data_types.iter().map(data_type).collect();
        ListQuery {
            user_id: users.id(self.user),
            data_types: DataTypes::try_from(data_types).unwrap(),
            range: TimeRange {
                start: bound(self.start),
                end: bound(self.end),
            },
            order: if self.descending {
                Order::Desc
            } else {
                Order::Asc
            },
            after: self.after.map(|sample| sample.key(users).1),
            limit: page_size(self.limit),
        }
    }
}
