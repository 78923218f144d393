//! How the documents of other collections become readings.

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

/// What a file in TOML says of collections:
///
/// ```toml
/// [[collection]]
/// path = "users/*/vitals"        # or only the collection's name: "vitals"
/// user = { document_of = "users" }
/// type = { is = "heart_rate" }   # or the name of a field: "kind"
/// value = "reading.bpm"          # a field in a map
/// time = "measured_at"           # a timestamp, or text in RFC 3339
/// time_unit = "ms"               # of times that are numbers: "s" or "ms"
/// unit = { is = "/min" }
/// ```
///
/// A collection may be there several times, once for each value of its
/// documents. What else a document holds goes into the metadata.
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

/// Where a text comes from.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Term {
    /// A field.
    Field(String),
    /// What is the same for all.
    Constant(Constant),
    /// The id of the document in this collection, in which the collection is.
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

/// Why a map cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// The file cannot be read.
    #[error("cannot read the map {}", path.display())]
    Unreadable {
        /// Where it is.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// It is not a map.
    #[error("{} is not a map of collections", path.display())]
    Malformed {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<toml::de::Error>,
    },
}

impl Mapping {
    /// Reads a map.
    ///
    /// # Errors
    /// When it cannot be read or is none.
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

    /// The readings of a document; `None` where its collection is not mapped.
    pub(in crate::import) fn readings(
        &self,
        document: &Document,
        context: &ImportContext,
    ) -> Option<Vec<Result<Reading, Rejection>>> {
        let mapped: Vec<&Collection> = self
            .collections
            .iter()
            .filter(|collection| collection.holds(document))
            .collect();
        let told: Vec<&str> = mapped
            .iter()
            .flat_map(|collection| collection.told())
            .collect();
        let readings = mapped
            .iter()
            .map(|collection| collection.reading(document, &told, context));
        let readings: Vec<_> = readings.collect();
        (!readings.is_empty()).then_some(readings)
    }
}

impl Collection {
    fn holds(&self, document: &Document) -> bool {
        let mut wanted = self.path.split('/').rev();
        // The document's own id is not of the collection's path.
        let mut segments = document.path.split('/').rev().skip(1);
        let is_whole = self.path.contains('/');
        wanted.all(|wanted| {
            let segment = segments.next();
            segment.is_some_and(|segment| wanted == "*" || wanted == segment)
        }) && (!is_whole || segments.next().is_none())
    }

    /// The fields that are told in another way than in the metadata.
    fn told(&self) -> impl Iterator<Item = &str> {
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
        told: &[&str],
        context: &ImportContext,
    ) -> Result<Reading, Rejection> {
        let value = number(&self.value, field(document, &self.value))?
            .ok_or_else(|| Rejection::because(self.value.clone(), "is missing"))?;
        let mut metadata = MetadataBuilder::default();
        metadata.add_all(&document.fields, told);
        let metadata = metadata
            .finish()
            .map_err(|reason| Rejection::of("metadata", reason))?;
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
        .check(context)
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
    /// A number with a fraction in microseconds, which is as exact as a double
    /// of this century's seconds is, and as Firestore's own times are.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "what is out of range is no time either"
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

/// A field by its name, or by the names of the maps that it is in, with dots
/// between.
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
