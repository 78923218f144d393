use jiff::Timestamp;

use super::data_type_label::DataTypeLabel;
use super::fact::{FactIds, WindowLength};
use super::fact_builder::FactBuilder;
use super::metric_summary::MetricSummary;
use super::observed_span::ObservedSpan;
use super::series::{Series, SeriesChoice, SeriesUnit};
use super::window_facts::within;
use crate::domain::vocabulary::{granularity_label, source_label};

/// Computes the facts of `series`; `None` if no window of it was read.
///
/// `needs_resting` is true if the resting heart rate is to be estimated from the
/// heart rate. `label` names the data type in sentences.
pub fn summarize(
    series: &Series<'_>,
    observed: ObservedSpan,
    now: Timestamp,
    needs_resting: bool,
    label: DataTypeLabel,
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
    let (period, month) = observed.window(newest.at, WindowLength::Month)?;
    let in_month = within(&series.observations, month);
    facts.add_window_facts(observed, newest);
    facts.add_suspects(period, month);
    facts.add_daily_facts(period, month, in_month);
    facts.add_sums_by_day(month, in_month);
    if series
        .metric
        .is_some_and(|metric| metric.name == "heart_rate")
        && needs_resting
    {
        facts.add_resting_estimate(period, month, in_month);
    }
    Some(MetricSummary {
        metric: series.metric,
        label,
        has_unknown_unit: matches!(series.unit, SeriesUnit::Unknown(_)),
        newest: (newest.at, newest.date()),
        today,
        days: in_month
            .iter()
            .map(|observation| observation.date())
            .collect(),
        readings: in_month.len(),
        choice: series.choice.map(render_choice),
        facts: facts.facts,
    })
}

/// Describes the series that was selected among several.
fn render_choice(choice: SeriesChoice<'_>) -> String {
    let granularity = choice
        .granularity
        .map(|text| match granularity_label(text) {
            Some(label) => format!("granularity \"{label}\""),
            None => "one granularity".to_owned(),
        });
    let source = choice.source.map(|text| match source_label(text) {
        Some(label) => format!("source \"{label}\""),
        None => "one source".to_owned(),
    });
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
