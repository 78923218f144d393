use std::io::Cursor;

use clarity_backend::domain::Reading;
use clarity_backend::import::apple_health::{AppleHealth, ExportOptions};
use clarity_backend::import::{RecordContent, SourceError};

use crate::apple_health_export::{self, Written};

pub fn options() -> ExportOptions {
    ExportOptions::new(
        "jane".parse().unwrap(),
        "2026-01-01T00:00:00Z".parse().unwrap(),
    )
}

/// Returns an export of at least `least` bytes.
pub fn export(least: u64, seed: u64) -> (Vec<u8>, Written) {
    let mut xml = Vec::new();
    let written = apple_health_export::write(&mut xml, least, seed).unwrap();
    (xml, written)
}

/// Returns an export with these elements.
pub fn around(elements: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<HealthData>\n{elements}\n</HealthData>\n")
}

/// Content of an element.
#[derive(Debug, PartialEq)]
pub enum Item {
    Readings(Vec<Reading>),
    Rejected(String),
    Other(String),
}

impl From<RecordContent> for Item {
    fn from(content: RecordContent) -> Self {
        let parts = match content {
            RecordContent::Readings(parts) => parts,
            RecordContent::Other(name) => return Self::Other(name.into_owned()),
        };
        match parts.into_iter().collect() {
            Ok(readings) => Self::Readings(readings),
            Err(rejection) => Self::Rejected(format!("{rejection}")),
        }
    }
}

/// The items read, with their offsets, and the error that ended reading.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    pub items: Vec<(u64, Item)>,
    /// Offset and problem.
    pub error: Option<(u64, String)>,
}

impl Outcome {
    pub fn from_export(export: Result<AppleHealth, SourceError>) -> Self {
        let mut outcome = Self {
            items: Vec::new(),
            error: None,
        };
        let all = match export {
            Ok(export) => export,
            Err(error) => {
                outcome.error = Some(located(error));
                return outcome;
            }
        };
        for item in all {
            assert!(outcome.error.is_none(), "nothing follows an error");
            match item {
                Ok(record) => outcome
                    .items
                    .push((record.location.offset, record.content.into())),
                Err(error) => outcome.error = Some(located(error)),
            }
        }
        outcome
    }

    pub fn reason(&self) -> &str {
        &self.error.as_ref().expect("an error").1
    }
}

fn located(error: SourceError) -> (u64, String) {
    (error.location.offset, error.problem.into_owned())
}

pub fn read(xml: impl Into<Vec<u8>>) -> Outcome {
    read_with(xml, &options())
}

pub fn read_with(xml: impl Into<Vec<u8>>, options: &ExportOptions) -> Outcome {
    let source = Cursor::new(xml.into());
    Outcome::from_export(AppleHealth::read("export.xml", source, None, options))
}

/// Returns the only item of an export with this element.
pub fn item(element: &str) -> Item {
    let outcome = read(around(element));
    assert_eq!(outcome.error, None);
    let [(_, item)] = <[_; 1]>::try_from(outcome.items).unwrap();
    item
}
