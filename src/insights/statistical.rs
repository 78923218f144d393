use async_trait::async_trait;

use super::answer::recommendations;
use super::answer::render::{sentence, value, when};
use super::answer::{Finding, Insight, InsightSource, InsightStatus, Recommendation};
use super::context::AnalysisContext;
use super::facts::{Fact, MetricSummary, Statistic, WindowLength};
use super::question::{Intent, RequestedStatistic};
use super::text::capitalize;
use super::{DeltaSink, InsightProvider};

/// Provider that answers with the statistics that the question asks for, without
/// a model.
#[derive(Debug, Default)]
pub struct StatisticalProvider;

#[async_trait]
impl InsightProvider for StatisticalProvider {
    async fn answer(&self, context: &AnalysisContext, _deltas: &DeltaSink) -> Insight {
        answer(context, InsightStatus::Complete)
    }
}

/// Maximum number of sentences in an answer.
const MAX_SENTENCES: usize = 5;
/// Maximum number of recommendations in an answer.
const MAX_RECOMMENDATIONS: usize = 3;

/// Answers from statistics, with `status`. `Complete` becomes `Partial` if
/// something had to be left out.
pub fn answer(context: &AnalysisContext, status: InsightStatus) -> Insight {
    let mut findings = findings(context);
    findings.truncate(MAX_SENTENCES - usize::from(context.note.is_some()));
    let status = match status {
        InsightStatus::Complete if context.is_partial => InsightStatus::Partial,
        status => status,
    };
    let recommendations = recommendations(context, &findings);
    Insight::compose(
        context,
        findings,
        recommendations,
        status,
        InsightSource::Statistics,
    )
}

fn findings(context: &AnalysisContext) -> Vec<Finding> {
    let [first, others @ ..] = context.summaries.as_slice() else {
        return Vec::new();
    };
    let statistics = if context.intent.is_yesterday && context.intent.statistics.is_empty() {
        &vec![RequestedStatistic::Total]
    } else {
        &context.intent.statistics
    };
    if statistics.is_empty() {
        let mut findings: Vec<Finding> = context
            .summaries
            .iter()
            .flat_map(|summary| overview(summary, context.intent.span))
            .collect();
        if others.is_empty() && first.readings > 0 {
            findings.extend(details(first));
        }
        return findings;
    }
    let mut findings: Vec<Finding> = context
        .summaries
        .iter()
        .flat_map(|summary| {
            let requested = requested_findings(summary, statistics, &context.intent);
            if requested.is_empty() {
                overview(summary, context.intent.span).into_iter().collect()
            } else {
                requested
            }
        })
        .collect();
    let is_count = |fact: &Fact| fact.statistic == Statistic::Count;
    if !findings
        .iter()
        .any(|finding| finding.facts.iter().any(is_count))
    {
        findings.extend(reading_counts(first, context.intent.span));
    }
    findings
}

/// Returns a sentence for each requested statistic that was computed.
fn requested_findings(
    summary: &MetricSummary,
    statistics: &[RequestedStatistic],
    intent: &Intent,
) -> Vec<Finding> {
    let span = summary.longest_window_within(intent.span.unwrap_or(WindowLength::Month));
    let mut facts: Vec<&Fact> = Vec::new();
    for requested in statistics {
        for statistic in statistics_of(*requested, summary.is_cumulative(), span) {
            let fact = if *requested == RequestedStatistic::Latest && summary.is_cumulative() {
                summary.sum_of(summary.newest.1)
            } else if intent.is_yesterday && summary.is_cumulative() {
                summary.sum_of_yesterday()
            } else {
                // Without a fact for the requested window, use another one,
                // which its sentence names.
                std::iter::once(span)
                    .chain(WindowLength::ALL)
                    .find_map(|span| summary.fact(*statistic, span))
            };
            facts.extend(fact);
        }
    }
    facts
        .into_iter()
        .map(|fact| Finding::new(sentence(fact, summary), vec![fact.clone()]))
        .collect()
}

/// Returns the statistics that answer a requested one.
fn statistics_of(
    requested: RequestedStatistic,
    is_cumulative: bool,
    span: WindowLength,
) -> &'static [Statistic] {
    match requested {
        RequestedStatistic::Mean if is_cumulative && span == WindowLength::Day => &[Statistic::Sum],
        RequestedStatistic::Mean if is_cumulative => &[Statistic::DailyMean],
        RequestedStatistic::Mean => &[Statistic::Mean],
        RequestedStatistic::Median if is_cumulative => &[Statistic::BaselineMedian],
        RequestedStatistic::Median => &[Statistic::Median],
        RequestedStatistic::Lowest if is_cumulative && span != WindowLength::Day => {
            &[Statistic::DailyMin]
        }
        RequestedStatistic::Lowest => &[Statistic::Min],
        RequestedStatistic::Highest if is_cumulative && span != WindowLength::Day => {
            &[Statistic::DailyMax]
        }
        RequestedStatistic::Highest => &[Statistic::Max],
        RequestedStatistic::Latest if is_cumulative => &[Statistic::Sum],
        RequestedStatistic::Latest => &[Statistic::Last],
        RequestedStatistic::Total if is_cumulative => &[Statistic::Sum],
        RequestedStatistic::Total => &[Statistic::Mean],
        RequestedStatistic::Count => &[Statistic::Count],
        RequestedStatistic::Trend => &[Statistic::TrendPerDay],
        RequestedStatistic::TimeInRange => &[
            Statistic::TimeInRange,
            Statistic::TimeLow,
            Statistic::TimeHigh,
            Statistic::GlucoseManagementIndicator,
        ],
        RequestedStatistic::Variability => &[
            Statistic::CoefficientOfVariation,
            Statistic::DailyDeviation,
            Statistic::BaselineSpread,
        ],
        RequestedStatistic::Outliers => &[Statistic::Outliers, Statistic::BaselineMedian],
        RequestedStatistic::Weekends => &[Statistic::WeekdayMean, Statistic::WeekendMean],
    }
}

/// Returns the mean, the extremes and the newest value in one sentence.
fn overview(summary: &MetricSummary, span: Option<WindowLength>) -> Option<Finding> {
    let span = summary.longest_window_within(span.unwrap_or(WindowLength::Month));
    let label = capitalize(&summary.label.to_string());
    // No day is complete yet.
    if let (true, None, Some(sum)) = (
        summary.is_cumulative(),
        summary.fact(Statistic::DailyMean, WindowLength::Month),
        summary.sum_of(summary.newest.1),
    ) {
        return Some(finding(sentence(sum, summary), &[sum]));
    }
    let fact = |statistic| summary.fact(statistic, span);
    if let (true, Some(mean), Some(least), Some(greatest)) = (
        summary.is_cumulative(),
        fact(Statistic::DailyMean),
        fact(Statistic::DailyMin),
        fact(Statistic::DailyMax),
    ) {
        let text = format!(
            "{label}: {} a day on average, from {} to {} a day, {}.",
            value(mean),
            value(least),
            value(greatest),
            when(mean, summary),
        );
        return Some(finding(text, &[mean, least, greatest]));
    }
    if let (Some(count), Some(least), Some(mean), Some(greatest), Some(last)) = (
        fact(Statistic::Count),
        fact(Statistic::Min),
        fact(Statistic::Mean),
        fact(Statistic::Max),
        fact(Statistic::Last),
    ) {
        let readings = if count.n == 1 { "reading" } else { "readings" };
        let text = format!(
            "{label}: mean {}, from {} to {}, last {}, from {} {readings} {}.",
            value(mean),
            value(least),
            value(greatest),
            value(last),
            value(count),
            when(mean, summary),
        );
        return Some(finding(text, &[count, least, mean, greatest, last]));
    }
    let suspect = fact(Statistic::Suspect)?;
    Some(finding(sentence(suspect, summary), &[suspect]))
}

/// Returns further facts about the only data type of the question.
fn details(summary: &MetricSummary) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (statistic, span) in [
        (Statistic::Suspect, WindowLength::Month),
        (Statistic::TimeInRange, WindowLength::Month),
        (Statistic::TimeInRange, WindowLength::Week),
        (Statistic::RestingEstimate, WindowLength::Month),
        (Statistic::TrendPerDay, WindowLength::Month),
        (Statistic::DailyDeviation, WindowLength::Month),
        (Statistic::Outliers, WindowLength::Month),
    ] {
        let is_stated =
            |finding: &Finding| finding.facts.iter().any(|fact| fact.statistic == statistic);
        if let Some(fact) = summary.fact(statistic, span)
            && !findings.iter().any(is_stated)
        {
            findings.push(finding(sentence(fact, summary), &[fact]));
        }
    }
    let week = if summary.is_cumulative() {
        Statistic::DailyMean
    } else {
        Statistic::Mean
    };
    if let (Some(month), Some(week)) = (
        summary.fact(week, WindowLength::Month),
        summary.fact(week, WindowLength::Week),
    ) && month.n > week.n
    {
        findings.insert(0, finding(sentence(week, summary), &[week]));
    }
    findings.extend(reading_counts(summary, None));
    findings
}

/// Returns the number of readings and of days with readings.
fn reading_counts(summary: &MetricSummary, span: Option<WindowLength>) -> Option<Finding> {
    let span = summary.longest_window_within(span.unwrap_or(WindowLength::Month));
    let count = summary.fact(Statistic::Count, span)?;
    let days = summary.fact(Statistic::Days, span)?;
    let (are, readings) = match count.n {
        1 => ("is", "reading"),
        _ => ("are", "readings"),
    };
    let text = format!(
        "For {} there {are} {} {readings} on {} {}.",
        summary.label,
        value(count),
        value(days),
        when(count, summary)
    );
    Some(finding(text, &[count, days]))
}

fn finding(text: String, facts: &[&Fact]) -> Finding {
    Finding::new(text, facts.iter().map(|fact| (*fact).clone()).collect())
}

/// Returns findings about data types that are not in the vocabulary, since their
/// names are not sent to a model.
pub fn findings_outside_vocabulary(context: &AnalysisContext) -> Vec<Finding> {
    let unknown = context
        .summaries
        .iter()
        .filter(|summary| summary.metric.is_none());
    unknown
        .filter_map(|summary| overview(summary, context.intent.span))
        .collect()
}

/// Returns one recommendation for each data type with a finding.
pub fn recommendations(context: &AnalysisContext, findings: &[Finding]) -> Vec<Recommendation> {
    let mut recommendations: Vec<Recommendation> = Vec::new();
    for summary in &context.summaries {
        let Some(advice) = summary.metric.and_then(recommendations::for_metric) else {
            continue;
        };
        let fact = findings
            .iter()
            .flat_map(|finding| &finding.facts)
            .find(|fact| fact.metric.0 == summary.metric);
        if let Some(fact) = fact
            && recommendations
                .iter()
                .all(|known| known.text != advice.text)
        {
            recommendations.push(Recommendation {
                text: advice.text.to_owned(),
                based_on: vec![fact.fact_id.clone()],
            });
        }
    }
    recommendations.truncate(MAX_RECOMMENDATIONS);
    recommendations
}
