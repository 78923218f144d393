use super::render::value;
use super::{
    Confidence, ConfidenceLevel, DataCoverage, Finding, Insight, InsightSource, InsightStatus,
    Safety, VerificationReport,
};
use crate::domain::vocabulary;
use crate::insights::facts::{
    Fact, FactIds, Observation, Period, Statistic, TimeWindow, WindowLength,
};
use crate::insights::safety::{DISCLAIMER, RedFlag};
use crate::insights::text::{capitalize, spoken_name};

/// Returns an answer that only advises the user to seek help.
pub fn answer(flag: RedFlag) -> Insight {
    let (reason, findings) = match &flag.observation {
        Some(observation) => (
            "the latest reading calls for help now",
            vec![finding(observation)],
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
            disclaimer: DISCLAIMER,
        },
        model: None,
        usage: None,
    }
}

/// Returns a finding about the reading that caused the escalation.
fn finding(observation: &Observation) -> Finding {
    let metric = observation.data_type.as_str();
    let fact = Fact {
        fact_id: FactIds::default().next(),
        metric: metric.to_owned(),
        statistic: Statistic::Last,
        window: TimeWindow {
            start: WindowLength::Day.before(observation.at),
            end: observation.at,
        },
        value: observation.value.get(),
        unit: match (&observation.unit, vocabulary::find(metric)) {
            (Some(unit), _) => Some(unit.as_str().to_owned()),
            (None, metric) => metric.map(|metric| metric.unit.clone()),
        },
        n: 1,
        reading_ids: vec![observation.id],
        period: Period::UpToNewest(WindowLength::Day),
        trend: None,
    };
    let label = spoken_name(metric);
    let text = format!(
        "{}: the last reading is {}, of {}.",
        capitalize(&label),
        value(&fact),
        observation.date()
    );
    Finding::new(text, vec![fact])
}
