//! Values of fields.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// Maximum depth of nested maps and arrays. Firestore itself allows 20 levels
/// (<https://firebase.google.com/docs/firestore/quotas>); an array in a map
/// counts twice here.
pub const MAX_DEPTH: usize = 40;

/// Value of any Firestore type.
///
/// A vector is a map, as in the REST API: `__type__` is `__vector__`, and `value`
/// is the array of its numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// A boolean.
    Boolean(bool),
    /// An integer.
    Integer(i64),
    /// A double, including NaN and the infinities.
    Double(f64),
    /// A timestamp with microsecond precision.
    Timestamp(Timestamp),
    /// Text.
    String(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A reference to a document by its full name
    /// (`projects/P/databases/D/documents/users/u1`), or by its path alone
    /// (`users/u1`) from sources that omit its database.
    Reference(String),
    /// A geographical point.
    GeoPoint(GeoPoint),
    /// An array.
    Array(Vec<Value>),
    /// A map; Firestore does not preserve the order of its entries.
    Map(BTreeMap<String, Value>),
}

/// Geographical point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeoPoint {
    /// Degrees north of the equator.
    pub latitude: f64,
    /// Degrees east of Greenwich.
    pub longitude: f64,
}
