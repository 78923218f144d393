//! The values of a document's fields.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// How deep maps and arrays may lie in one another. Firestore itself allows
/// 20 levels (<https://firebase.google.com/docs/firestore/quotas>); an array
/// inside a map counts for both.
pub const MAX_DEPTH: usize = 40;

/// A value of any of Firestore's types.
///
/// A vector is a map as the REST API shows it: `__type__` is `__vector__` and
/// `value` the array of its numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Any number, also NaN and the infinities.
    Double(f64),
    /// An instant, to the microsecond.
    Timestamp(Timestamp),
    /// Text.
    String(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Another document: its full name
    /// (`projects/P/databases/D/documents/users/u1`), or its path alone
    /// (`users/u1`) from sources that do not tell its database.
    Reference(String),
    /// A place on earth.
    GeoPoint(GeoPoint),
    /// Values in their order.
    Array(Vec<Value>),
    /// Values by name; Firestore keeps no order of them.
    Map(BTreeMap<String, Value>),
}

/// A place on earth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeoPoint {
    /// In degrees, north of the equator.
    pub latitude: f64,
    /// In degrees, east of Greenwich.
    pub longitude: f64,
}
