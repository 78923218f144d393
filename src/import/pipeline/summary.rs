//! What became of each record, and how many of each there are.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::{Reading, ReadingId, vocabulary};
use crate::import::record::Rejection;
use crate::import::source_location::{SourceLocation, printable};

/// What became of a record: the first of these that any part of it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A part of it is no reading that the service could take.
    Rejected,
    /// Readings of it are held that were not before; in a dry run, could be.
    Stored,
    /// All its readings were held before.
    Duplicate,
    /// It is something else than readings.
    Other,
}

/// A record that has been dealt with; also a line of the report.
#[derive(Debug, Serialize)]
pub struct RecordOutcome {
    /// Where it stands.
    #[serde(flatten)]
    pub place: SourceLocation,
    /// What the source calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Box<str>>,
    /// What became of it.
    pub outcome: Outcome,
    /// What it is, where it is no reading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Box<str>>,
    /// What became of each of its readings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub readings: Vec<ReadingOutcome>,
}

/// A reading that has been dealt with.
#[derive(Debug, Default, Serialize)]
pub struct ReadingOutcome {
    /// Its id, unless it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_id: Option<String>,
    /// What became of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Whether it was left because a higher version of the record is held.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub superseded: bool,
    /// Whether its value cannot be true of a living person; it is stored.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub implausible: bool,
    /// Why it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether the row that it was made of is deleted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub old_deleted: bool,
}

impl RecordOutcome {
    /// The name of the row that its only reading was made of.
    pub(super) fn moved_row(&self) -> Option<&str> {
        let is_reading = self.readings.iter().any(|it| it.data_id.is_some());
        self.record.as_deref().filter(|_| is_reading)
    }
}

impl ReadingOutcome {
    /// A reading whose fate is not known yet.
    pub fn of(id: ReadingId, is_implausible: bool) -> Self {
        Self {
            data_id: Some(id.to_string()),
            implausible: is_implausible,
            ..Self::default()
        }
    }

    /// What was rejected.
    pub fn rejected(rejection: &Rejection) -> Self {
        Self {
            outcome: Some(Outcome::Rejected),
            reason: Some(rejection.to_string()),
            ..Self::default()
        }
    }
}

/// Whether the value of a reading cannot be true of a living person.
pub(super) fn is_implausible(reading: &Reading) -> bool {
    let measurement = &reading.measurement;
    let Some(metric) = vocabulary::find(measurement.data_type.as_str()) else {
        return false;
    };
    let value = measurement.value.get();
    match &measurement.unit {
        Some(unit) => !metric.is_plausible(value, unit.as_str()),
        None => {
            let tags = measurement.metadata.tags();
            !metric.is_plausible(value, tags.unit.as_deref().unwrap_or(&metric.unit))
        }
    }
}

/// How many records and readings there were, by what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportSummary {
    /// Records of which a part was rejected.
    pub rejected: u64,
    /// Records of which readings were stored.
    pub stored: u64,
    /// Records whose readings were all held before.
    pub duplicate: u64,
    /// Records that are something else, by what they are.
    pub other: BTreeMap<Box<str>, u64>,
    /// Places of the source that cannot be read.
    pub damaged: u64,
    /// The readings of all these.
    pub readings: ReadingCounts,
}

/// How many readings there were, by what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadingCounts {
    /// Those that were rejected.
    pub rejected: u64,
    /// Those that are held and were not before.
    pub stored: u64,
    /// Those that were held before.
    pub duplicate: u64,
    /// Those of [`Self::duplicate`] of which a higher version is held.
    pub superseded: u64,
    /// Those not rejected whose value cannot be true of a living person.
    pub implausible: u64,
    /// Those of which the old rows were deleted.
    pub old_deleted: u64,
}

impl ImportSummary {
    /// How many kinds of other records are told apart, as a source may name as
    /// many as it likes.
    const MOST_KINDS: usize = 1_000;

    /// All records.
    pub fn records(&self) -> u64 {
        self.rejected + self.stored + self.duplicate + self.others()
    }

    /// Records that are something else than readings.
    pub fn others(&self) -> u64 {
        self.other.values().sum()
    }

    pub(super) fn note(&mut self, done: &RecordOutcome) {
        match done.outcome {
            Outcome::Rejected => self.rejected += 1,
            Outcome::Stored => self.stored += 1,
            Outcome::Duplicate => self.duplicate += 1,
            Outcome::Other => {
                let kind = done.kind.as_deref().unwrap_or_default();
                if let Some(count) = self.other.get_mut(kind) {
                    *count += 1;
                } else if self.other.len() < Self::MOST_KINDS {
                    self.other.insert(kind.into(), 1);
                } else {
                    *self.other.entry("of yet other kinds".into()).or_default() += 1;
                }
            }
        }
        for reading in &done.readings {
            self.readings.note(reading);
        }
    }
}

impl ReadingCounts {
    fn note(&mut self, reading: &ReadingOutcome) {
        match reading.outcome {
            Some(Outcome::Rejected) => self.rejected += 1,
            Some(Outcome::Stored) => self.stored += 1,
            Some(Outcome::Duplicate) => self.duplicate += 1,
            Some(Outcome::Other) | None => {}
        }
        self.superseded += u64::from(reading.superseded);
        self.implausible += u64::from(reading.implausible);
        self.old_deleted += u64::from(reading.old_deleted);
    }

    /// All readings.
    pub fn all(&self) -> u64 {
        self.rejected + self.stored + self.duplicate
    }
}

/// What a person reads in the end.
impl fmt::Display for ImportSummary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, count: u64| writeln!(formatter, "  {name:<28}{count:>14}");
        let readings = &self.readings;
        line("records", self.records())?;
        line("  stored", self.stored)?;
        line("  duplicate", self.duplicate)?;
        line("  rejected", self.rejected)?;
        line("  something else", self.others())?;
        for (kind, count) in &self.other {
            line(&format!("    {}", printable(kind)), *count)?;
        }
        line("readings", readings.all())?;
        line("  stored", readings.stored)?;
        line("  duplicate", readings.duplicate)?;
        if readings.superseded > 0 {
            line("    of lower versions", readings.superseded)?;
        }
        line("  rejected", readings.rejected)?;
        line("implausible, stored as well", readings.implausible)?;
        if readings.old_deleted > 0 {
            line("old rows deleted", readings.old_deleted)?;
        }
        line("places that are damaged", self.damaged)
    }
}
