//! Conversion of Firestore documents to readings.

pub mod clarity;
mod collection_map;
mod metadata;
mod values;

pub use self::collection_map::{Mapping, MappingError};
