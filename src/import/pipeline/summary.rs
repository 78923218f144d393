//! The outcome of every record and the counts of all.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::{Reading, ReadingId, vocabulary};
use crate::import::record::Rejection;
use crate::import::source_location::{SourceLocation, printable};

/// Outcome of a record: the smallest of the outcomes of its readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Part of it is not a valid reading.
    Rejected,
    /// New readings were stored; in a dry run, would be stored.
    Stored,
    /// All its readings existed already.
    Duplicate,
    /// It has no readings.
    Other,
}

/// A processed record, and a line of the report.
#[derive(Debug, Serialize)]
pub struct RecordOutcome {
    /// Its position in the source.
    #[serde(flatten)]
    pub location: SourceLocation,
    /// Its name in the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Box<str>>,
    /// Its outcome.
    pub outcome: Outcome,
    /// Its kind, if it has no readings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Box<str>>,
    /// The outcome of each of its readings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub readings: Vec<ReadingOutcome>,
}

/// A processed reading.
#[derive(Debug, Default, Serialize)]
pub struct ReadingOutcome {
    /// Its id, unless it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_id: Option<String>,
    /// Its outcome; none while it is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// True if a higher version of its client record exists.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub superseded: bool,
    /// True if its value is outside the range plausible for a living person; it
    /// is stored nevertheless.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub implausible: bool,
    /// Reason of a rejection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// True if its legacy row was deleted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub old_deleted: bool,
}

impl RecordOutcome {
    /// Returns the name of the legacy row from which its only reading was made.
    pub(super) fn migrated_row(&self) -> Option<&str> {
        let is_reading = self.readings.iter().any(|it| it.data_id.is_some());
        self.record.as_deref().filter(|_| is_reading)
    }
}

impl ReadingOutcome {
    /// Returns the outcome of a reading that is not stored yet.
    pub fn pending(id: ReadingId, is_implausible: bool) -> Self {
        Self {
            data_id: Some(id.to_string()),
            implausible: is_implausible,
            ..Self::default()
        }
    }

    /// Returns the outcome of a rejected reading.
    pub fn rejected(rejection: &Rejection) -> Self {
        Self {
            outcome: Some(Outcome::Rejected),
            reason: Some(rejection.to_string()),
            ..Self::default()
        }
    }
}

/// Returns whether the value of a reading is outside the range plausible for a
/// living person.
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

/// Number of records and readings by outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportSummary {
    /// Records with a rejected part.
    pub rejected: u64,
    /// Records with stored readings.
    pub stored: u64,
    /// Records whose readings all existed already.
    pub duplicate: u64,
    /// Records without readings, by kind.
    pub other: BTreeMap<Box<str>, u64>,
    /// Source errors.
    pub damaged: u64,
    /// The readings of all records.
    pub readings: ReadingCounts,
}

/// Number of readings by outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadingCounts {
    /// Rejected readings.
    pub rejected: u64,
    /// Readings that were new.
    pub stored: u64,
    /// Readings that existed already.
    pub duplicate: u64,
    /// Readings among [`Self::duplicate`] of which a higher version exists.
    pub superseded: u64,
    /// Readings with an implausible value that were not rejected.
    pub implausible: u64,
    /// Readings whose legacy rows were deleted.
    pub old_deleted: u64,
}

impl ImportSummary {
    /// Maximum number of kinds that are counted separately, as a source can have
    /// any number of them.
    const MAX_KINDS: usize = 1_000;

    /// Returns the number of all records.
    pub fn records(&self) -> u64 {
        self.rejected + self.stored + self.duplicate + self.others()
    }

    /// Returns the number of records without readings.
    pub fn others(&self) -> u64 {
        self.other.values().sum()
    }

    pub(super) fn record(&mut self, record: &RecordOutcome) {
        match record.outcome {
            Outcome::Rejected => self.rejected += 1,
            Outcome::Stored => self.stored += 1,
            Outcome::Duplicate => self.duplicate += 1,
            Outcome::Other => {
                let kind = record.kind.as_deref().unwrap_or_default();
                if let Some(count) = self.other.get_mut(kind) {
                    *count += 1;
                } else if self.other.len() < Self::MAX_KINDS {
                    self.other.insert(kind.into(), 1);
                } else {
                    *self.other.entry("other kinds".into()).or_default() += 1;
                }
            }
        }
        for reading in &record.readings {
            self.readings.record(reading);
        }
    }
}

impl ReadingCounts {
    fn record(&mut self, reading: &ReadingOutcome) {
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

    /// Returns the number of all readings.
    pub fn total(&self) -> u64 {
        self.rejected + self.stored + self.duplicate
    }
}

/// The summary that the command prints.
impl fmt::Display for ImportSummary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, count: u64| writeln!(formatter, "  {name:<28}{count:>14}");
        let readings = &self.readings;
        line("records", self.records())?;
        line("  stored", self.stored)?;
        line("  duplicate", self.duplicate)?;
        line("  rejected", self.rejected)?;
        line("  other", self.others())?;
        for (kind, count) in &self.other {
            line(&format!("    {}", printable(kind)), *count)?;
        }
        line("readings", readings.total())?;
        line("  stored", readings.stored)?;
        line("  duplicate", readings.duplicate)?;
        if readings.superseded > 0 {
            line("    superseded", readings.superseded)?;
        }
        line("  rejected", readings.rejected)?;
        line("implausible (stored)", readings.implausible)?;
        if readings.old_deleted > 0 {
            line("legacy rows deleted", readings.old_deleted)?;
        }
        line("source errors", self.damaged)
    }
}
