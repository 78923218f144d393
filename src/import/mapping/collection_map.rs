//! A mapping file: user-defined conversion of collections to readings.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;

use super::metadata::MetadataBuilder;
use super::values::{number, time};
use crate::domain::Reading;
use crate::import::raw_reading::{ImportContext, RawReading};
use crate::import::record::Rejection;
use crate::import::sources::firestore::{Document, Value};

/// Mapping of collections to readings, from a TOML file:
///
/// ```toml
/// [[collection]]
/// path = "users/*/vitals"        # or the collection's name alone: "vitals"
/// user = { document_of = "users" }
/// type = { is = "heart_rate" }   # or a field: "kind"
/// value = "reading.bpm"          # a field in a map
/// time = "measured_at"           # a timestamp, or RFC 3339 text
/// time_unit = "ms"               # for numeric times: "s" or "ms"
/// unit = { is = "/min" }
/// ```
///
/// A collection may be listed several times, once for each value of its
/// documents. All other fields of a document become metadata.
///
/// The `Debug` form of the types in this file is hashed into checkpoints: a
/// renamed type or field makes existing checkpoints unusable.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    #[serde(default, rename = "collection")]
    collections: Vec<Collection>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Collection {
    path: String,
    user: Term,
    #[serde(rename = "type")]
    data_type: Term,
    value: String,
    time: String,
    time_unit: Option<TimeUnit>,
    unit: Option<Term>,
}

/// Origin of a text.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Term {
    /// A field of the document.
    Field(String),
    /// The same text for all documents.
    Constant(Constant),
    /// The id of the ancestor document in this collection.
    Ancestor(Ancestor),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Constant {
    is: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ancestor {
    document_of: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum TimeUnit {
    #[serde(rename = "s")]
    Seconds,
    #[serde(rename = "ms")]
    Milliseconds,
}

/// Error of reading a mapping file.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// The file cannot be read.
    #[error("cannot read the mapping file {}", path.display())]
    Unreadable {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file is not a valid mapping.
    #[error("{} is not a valid mapping file", path.display())]
    Malformed {
        /// The path of the file.
        path: PathBuf,
        /// The error of the TOML parser.
        source: Box<toml::de::Error>,
    },
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// The file cannot be read or is invalid.
    pub fn read(path: &Path) -> Result<Self, MappingError> {
        let text = fs::read_to_string(path).map_err(|source| MappingError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        toml::from_str(&text).map_err(|source| MappingError::Malformed {
            path: path.to_owned(),
            source: Box::new(source),
        })
    }

    /// Returns the readings of a document; `None` if its collection is not mapped.
    pub(in crate::import) fn readings(
        &self,
        document: &Document,
        context: &ImportContext,
    ) -> Option<Vec<Result<Reading, Rejection>>> {
        let mapped: Vec<&Collection> = self
            .collections
            .iter()
            .filter(|collection| collection.matches(document))
            .collect();
        let consumed: Vec<&str> = mapped
            .iter()
            .flat_map(|collection| collection.consumed_fields())
            .collect();
        let readings = mapped
            .iter()
            .map(|collection| collection.reading(document, &consumed, context));
        let readings: Vec<_> = readings.collect();
        (!readings.is_empty()).then_some(readings)
    }
}

impl Collection {
    fn matches(&self, document: &Document) -> bool {
        let mut pattern = self.path.split('/').rev();
        // Skips the document's own id.
        let mut segments = document.path.split('/').rev().skip(1);
        let is_full_path = self.path.contains('/');
        pattern.all(|pattern| {
            let segment = segments.next();
            segment.is_some_and(|segment| pattern == "*" || pattern == segment)
        }) && (!is_full_path || segments.next().is_none())
    }

    /// Returns the fields that do not become metadata.
    fn consumed_fields(&self) -> impl Iterator<Item = &str> {
        let terms = [Some(&self.user), Some(&self.data_type), self.unit.as_ref()];
        let fields = terms.into_iter().flatten().filter_map(|term| match term {
            Term::Field(field) => Some(field.as_str()),
            _ => None,
        });
        fields.chain([self.value.as_str(), self.time.as_str()])
    }

    fn reading(
        &self,
        document: &Document,
        consumed: &[&str],
        context: &ImportContext,
    ) -> Result<Reading, Rejection> {
        let value = number(&self.value, field(document, &self.value))?
            .ok_or_else(|| Rejection::new(self.value.clone(), "is missing"))?;
        let mut metadata = MetadataBuilder::default();
        metadata.add_all(&document.fields, consumed);
        let metadata = metadata
            .finish()
            .map_err(|reason| Rejection::from_validation("metadata", reason))?;
        let user_id = self.user.text(document);
        let data_type = self.data_type.text(document);
        let timestamp = self.time(document);
        let unit = self.unit.as_ref().and_then(|unit| unit.text(document));
        RawReading {
            user_id: user_id.as_deref(),
            data_type: data_type.as_deref(),
            value: Some(&value.to_string()),
            timestamp: timestamp.as_deref(),
            unit: unit.as_deref(),
            metadata: Some(metadata.as_str()),
            ..RawReading::default()
        }
        .validate(context)
    }

    fn time(&self, document: &Document) -> Option<String> {
        let value = field(document, &self.time);
        let instant = match (value, self.time_unit) {
            (Some(Value::Integer(whole)), Some(TimeUnit::Seconds)) => {
                Timestamp::from_second(*whole)
            }
            (Some(Value::Integer(whole)), Some(TimeUnit::Milliseconds)) => {
                Timestamp::from_millisecond(*whole)
            }
            (Some(Value::Double(number)), Some(unit)) => {
                Timestamp::from_microsecond(unit.microseconds(*number))
            }
            _ => return time(value),
        };
        instant.ok().map(|instant| instant.to_string())
    }
}

impl TimeUnit {
    /// Converts a fractional number to microseconds: the precision of a double of
    /// present-day seconds, and of Firestore's timestamps.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "an out-of-range number saturates to an invalid time"
    )]
    fn microseconds(self, number: f64) -> i64 {
        let factor = match self {
            Self::Seconds => 1e6,
            Self::Milliseconds => 1e3,
        };
        (number * factor).round() as i64
    }
}

impl Term {
    fn text(&self, document: &Document) -> Option<String> {
        match self {
            Self::Constant(Constant { is }) => Some(is.clone()),
            Self::Field(name) => match field(document, name)? {
                Value::String(text) => Some(text.clone()),
                Value::Integer(integer) => Some(integer.to_string()),
                Value::Reference(name) => name.rsplit('/').next().map(str::to_owned),
                _ => None,
            },
            Self::Ancestor(Ancestor { document_of }) => {
                let mut segments = document.path.split('/');
                segments.find(|segment| segment == document_of)?;
                segments.next().map(str::to_owned)
            }
        }
    }
}

/// Returns a field by its name, or by a dotted path through maps.
fn field<'a>(document: &'a Document, name: &str) -> Option<&'a Value> {
    if let Some(value) = document.fields.get(name) {
        return Some(value);
    }
    let mut names = name.split('.');
    let first = document.fields.get(names.next()?)?;
    names.try_fold(first, |value, name| match value {
        Value::Map(members) => members.get(name),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The `Debug` form is part of the identity of a checkpoint.
    #[test]
    fn debug_form_is_stable() {
        let text = "[[collection]]\n\
                    path = \"a\"\n\
                    user = { document_of = \"users\" }\n\
                    type = { is = \"heart_rate\" }\n\
                    value = \"bpm\"\n\
                    time = \"t\"\n\
                    time_unit = \"ms\"\n\
                    unit = \"u\"\n";
        let mapping: Mapping = toml::from_str(text).unwrap();
        assert_eq!(
            format!("{mapping:?}"),
            "Mapping { collections: [Collection { path: \"a\", \
             user: Ancestor(Ancestor { document_of: \"users\" }), \
             data_type: Constant(Constant { is: \"heart_rate\" }), value: \"bpm\", \
             time: \"t\", time_unit: Some(Milliseconds), unit: Some(Field(\"u\")) }] }"
        );
    }
}
