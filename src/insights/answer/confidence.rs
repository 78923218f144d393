use std::collections::BTreeSet;

use super::{Confidence, ConfidenceLevel, DataCoverage};
use crate::insights::context::AnalysisContext;
use crate::insights::facts::MetricSummary;

impl AnalysisContext {
    /// Returns the amount of data behind an answer.
    pub fn coverage(&self) -> DataCoverage {
        let days: BTreeSet<_> = self
            .summaries
            .iter()
            .flat_map(|summary| &summary.days)
            .collect();
        DataCoverage {
            readings: self.summaries.iter().map(|summary| summary.readings).sum(),
            days: days.len(),
            missing: self.missing.clone(),
        }
    }

    /// Returns the confidence in an answer: the lowest of its data types.
    pub fn confidence(&self) -> Confidence {
        let mut reasons = Vec::new();
        let levels = self
            .summaries
            .iter()
            .map(|summary| self.confidence_in(summary, &mut reasons));
        let level = levels.min().unwrap_or(ConfidenceLevel::Low);
        if self.summaries.is_empty() {
            reasons.push("there are no readings to go on".to_owned());
        }
        Confidence { level, reasons }
    }

    fn confidence_in(&self, summary: &MetricSummary, reasons: &mut Vec<String>) -> ConfidenceLevel {
        const DAYS_FOR_HIGH: usize = 21;
        const DAYS_FOR_MEDIUM: usize = 7;
        let label = &summary.label;
        let days = summary.days.len();
        let mut level = match days {
            DAYS_FOR_HIGH.. => ConfidenceLevel::High,
            DAYS_FOR_MEDIUM.. => ConfidenceLevel::Medium,
            _ => ConfidenceLevel::Low,
        };
        if level < ConfidenceLevel::High {
            reasons.push(format!("{label} has readings on {days} of 30 days"));
        }
        if summary.is_stale(self.now) {
            reasons.push(format!(
                "the newest {} is more than a week old",
                label.of_reading()
            ));
            level = ConfidenceLevel::Low;
        }
        level
    }
}
