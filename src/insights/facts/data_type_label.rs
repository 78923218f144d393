use std::fmt;

use crate::domain::vocabulary::{Label, Metric};

/// Name of a data type in sentences: the vocabulary's, or a neutral one. The client's
/// name of an unknown data type could be any text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataTypeLabel {
    label: Label,
    is_known: bool,
}

impl DataTypeLabel {
    /// Returns the label of a data type in the vocabulary.
    pub fn known(metric: &'static Metric) -> Self {
        Self {
            label: metric.label(),
            is_known: true,
        }
    }

    /// Returns the label of the unknown data type at this position among `count` in an
    /// answer.
    pub fn unknown(position: usize, count: usize) -> Self {
        const ORDINALS: [Label; 4] = [
            Label::new("the first other data type"),
            Label::new("the second other data type"),
            Label::new("the third other data type"),
            Label::new("the fourth other data type"),
        ];
        const SOLE: Label = Label::new("another data type");
        let label = ORDINALS.get(position).filter(|_| count > 1).cloned();
        Self {
            label: label.unwrap_or(SOLE),
            is_known: false,
        }
    }

    /// Returns the name of a value: "heart rate", "value of another data type".
    pub fn of_value(&self) -> String {
        if self.is_known {
            self.label.to_string()
        } else {
            format!("value of {}", self.label)
        }
    }

    /// Returns the name of readings: "heart rate readings", "readings of another data
    /// type".
    pub fn of_readings(&self) -> String {
        self.joined("readings")
    }

    /// Returns the name of a reading: "heart rate reading", "reading of another data
    /// type".
    pub fn of_reading(&self) -> String {
        self.joined("reading")
    }

    fn joined(&self, noun: &str) -> String {
        if self.is_known {
            format!("{} {noun}", self.label)
        } else {
            format!("{noun} of {}", self.label)
        }
    }
}

impl fmt::Display for DataTypeLabel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.label.fmt(formatter)
    }
}
