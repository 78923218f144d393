use jiff::Timestamp;

use super::fact::{FactIds, WindowLength};
use super::fact_builder::FactBuilder;
use super::metric_summary::MetricSummary;
use super::observed_span::ObservedSpan;
use super::series::{Choice, Series};
use super::window_facts::within;

/// Computes what there is to say of `series`; `None` if nothing of it was
/// looked at.
///
/// `needs_resting` tells whether the resting heart rate is to be estimated
/// from a heart rate.
pub fn describe(
    series: &Series<'_>,
    seen: ObservedSpan,
    now: Timestamp,
    needs_resting: bool,
    ids: &mut FactIds,
) -> Option<MetricSummary> {
    let newest = *series
        .observations
        .first()
        .or_else(|| series.suspects.first())?;
    let today = newest.offset.to_datetime(now).date();
    let mut facts = FactBuilder {
        series,
        today,
        ids,
        facts: Vec::new(),
    };
    let (period, month) = seen.window(newest.at, WindowLength::Month)?;
    let in_month = within(&series.observations, month);
    facts.windows(seen, newest);
    facts.suspects(period, month);
    facts.days(period, month, in_month);
    facts.sums_of_days(month, in_month);
    if series
        .metric
        .is_some_and(|metric| metric.name == "heart_rate")
        && needs_resting
    {
        facts.resting(period, month, in_month);
    }
    Some(MetricSummary {
        data_type: series.data_type.to_owned(),
        metric: series.metric,
        unit: series.unit.map(str::to_owned),
        newest: (newest.at, newest.date()),
        today,
        days: in_month
            .iter()
            .map(|observation| observation.date())
            .collect(),
        readings: in_month.len(),
        choice: series.choice.map(in_words),
        facts: facts.facts,
    })
}

/// Which of several series was taken.
fn in_words(choice: Choice<'_>) -> String {
    let granularity = choice
        .granularity
        .map(|text| format!("granularity \"{text}\""));
    let source = choice.source.map(|text| format!("source \"{text}\""));
    let labels: Vec<String> = granularity.into_iter().chain(source).collect();
    let taken = if labels.is_empty() {
        "the readings that name no source".to_owned()
    } else {
        format!("the readings of {}", labels.join(" and "))
    };
    let others = if choice.others == 1 {
        "1 other series is".to_owned()
    } else {
        format!("{} other series are", choice.others)
    };
    format!("{taken} are used; {others} left out rather than added up")
}
