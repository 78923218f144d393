use super::render::value;
use super::{
    Confidence, ConfidenceLevel, DataCoverage, Finding, Insight, InsightSource, InsightStatus,
    Safety, VerificationReport,
};
use crate::domain::EmergencyNumber;
use crate::insights::facts::{
    Fact, FactIds, FactMetric, Period, Statistic, TimeWindow, WindowLength,
};
use crate::insights::safety::{FlaggedReading, RedFlag, disclaimer};
use crate::insights::text::capitalize;

/// Returns an answer that only advises the user to seek help. Its disclaimer names the
/// `emergency` number.
pub fn answer(flag: RedFlag, emergency: EmergencyNumber) -> Insight {
    let (reason, findings) = match flag.reading {
        Some(reading) => (
            "the latest reading calls for help now",
            vec![finding(reading)],
        ),
        None => ("the question calls for help now", Vec::new()),
    };
    Insight {
        text: flag.kind.advice().to_owned(),
        answer_id: uuid::Uuid::new_v4(),
        status: InsightStatus::Escalated,
        source: InsightSource::Statistics,
        data_coverage: DataCoverage {
            readings: findings.len(),
            days: findings.len(),
            missing: Vec::new(),
        },
        verification: VerificationReport {
            numbers_checked: findings.len(),
            numbers_unsupported: 0,
        },
        findings,
        recommendations: Vec::new(),
        confidence: Confidence {
            level: ConfidenceLevel::Low,
            reasons: vec![format!("{reason}, so nothing else was looked at")],
        },
        safety: Safety {
            escalation: Some(flag.kind.as_str()),
            disclaimer: disclaimer(emergency),
        },
        model: None,
        usage: None,
    }
}

/// Returns a finding about the reading that caused the escalation.
fn finding(reading: FlaggedReading) -> Finding {
    let fact = Fact {
        fact_id: FactIds::default().next(),
        metric: FactMetric(Some(reading.metric)),
        statistic: Statistic::Last,
        window: TimeWindow {
            start: WindowLength::Day.before(reading.at),
            end: reading.at,
        },
        value: reading.value,
        unit: reading.unit,
        n: 1,
        reading_ids: vec![reading.id],
        period: Period::UpToNewest(WindowLength::Day),
        trend: None,
    };
    let text = format!(
        "{}: the last reading is {}, of {}.",
        capitalize(reading.metric.label().as_str()),
        value(&fact),
        reading.date
    );
    Finding::new(text, vec![fact])
}
