use async_trait::async_trait;

use super::advice;
use super::analysis::Description;
use super::answer::{Finding, Insight, InsightSource, InsightStatus, Recommendation};
use super::brief::Brief;
use super::fact::{Fact, Span, Statistic};
use super::intent::{Figure, Intent};
use super::wording::{capitalised, sentence, value, when};
use super::{Deltas, InsightProvider};

/// Answers with the statistics that fit the question, without any model.
#[derive(Debug, Default)]
pub struct StatisticalProvider;

#[async_trait]
impl InsightProvider for StatisticalProvider {
    async fn answer(&self, brief: &Brief, _deltas: &Deltas) -> Insight {
        answer(brief, InsightStatus::Complete)
    }
}

/// At most how many sentences an answer has.
const MOST_SENTENCES: usize = 5;
/// At most how many things one could do are named.
const MOST_RECOMMENDATIONS: usize = 3;

/// The answer that statistics give, which came about as `status` says, unless
/// something had to be left out.
pub fn answer(brief: &Brief, status: InsightStatus) -> Insight {
    let mut findings = findings(brief);
    findings.truncate(MOST_SENTENCES - usize::from(brief.note.is_some()));
    let status = match status {
        InsightStatus::Complete if brief.is_partial => InsightStatus::Partial,
        status => status,
    };
    let recommendations = recommendations(brief, &findings);
    Insight::compose(
        brief,
        findings,
        recommendations,
        status,
        InsightSource::Statistics,
    )
}

fn findings(brief: &Brief) -> Vec<Finding> {
    let [first, others @ ..] = brief.descriptions.as_slice() else {
        return Vec::new();
    };
    let figures = if brief.intent.yesterday && brief.intent.figures.is_empty() {
        &vec![Figure::Total]
    } else {
        &brief.intent.figures
    };
    if figures.is_empty() {
        let mut findings: Vec<Finding> = brief
            .descriptions
            .iter()
            .flat_map(|description| overview(description, brief.intent.span))
            .collect();
        if others.is_empty() && first.readings > 0 {
            findings.extend(details(first));
        }
        return findings;
    }
    let mut findings: Vec<Finding> = brief
        .descriptions
        .iter()
        .flat_map(|description| {
            let asked = asked_for(description, figures, &brief.intent);
            if asked.is_empty() {
                overview(description, brief.intent.span)
                    .into_iter()
                    .collect()
            } else {
                asked
            }
        })
        .collect();
    let is_count = |fact: &Fact| fact.statistic == Statistic::Count;
    if !findings
        .iter()
        .any(|finding| finding.facts.iter().any(is_count))
    {
        findings.extend(rests_on(first, brief.intent.span));
    }
    findings
}

/// A sentence for each of the figures that are there.
fn asked_for(description: &Description, figures: &[Figure], intent: &Intent) -> Vec<Finding> {
    let span = description.longest_up_to(intent.span.unwrap_or(Span::Month));
    let mut facts: Vec<&Fact> = Vec::new();
    for figure in figures {
        for statistic in statistics_of(*figure, description.adds_up(), span) {
            let fact = if *figure == Figure::Latest && description.adds_up() {
                description.sum_of(description.newest.1)
            } else if intent.yesterday && description.adds_up() {
                description.sum_of_yesterday()
            } else {
                // Where there is none of the span asked for, one that says so
                // of another.
                std::iter::once(span)
                    .chain(Span::ALL)
                    .find_map(|span| description.fact(*statistic, span))
            };
            facts.extend(fact);
        }
    }
    facts
        .into_iter()
        .map(|fact| Finding::new(sentence(fact, description), vec![fact.clone()]))
        .collect()
}

/// Which statistics answer what was asked for.
fn statistics_of(figure: Figure, adds_up: bool, span: Span) -> &'static [Statistic] {
    match figure {
        Figure::Mean if adds_up && span == Span::Day => &[Statistic::Sum],
        Figure::Mean if adds_up => &[Statistic::DailyMean],
        Figure::Mean => &[Statistic::Mean],
        Figure::Median if adds_up => &[Statistic::BaselineMedian],
        Figure::Median => &[Statistic::Median],
        Figure::Lowest if adds_up && span != Span::Day => &[Statistic::DailyMin],
        Figure::Lowest => &[Statistic::Min],
        Figure::Highest if adds_up && span != Span::Day => &[Statistic::DailyMax],
        Figure::Highest => &[Statistic::Max],
        Figure::Latest if adds_up => &[Statistic::Sum],
        Figure::Latest => &[Statistic::Last],
        Figure::Total if adds_up => &[Statistic::Sum],
        Figure::Total => &[Statistic::Mean],
        Figure::Count => &[Statistic::Count],
        Figure::Trend => &[Statistic::TrendPerDay],
        Figure::TimeInRange => &[
            Statistic::TimeInRange,
            Statistic::TimeLow,
            Statistic::TimeHigh,
            Statistic::GlucoseManagementIndicator,
        ],
        Figure::Variability => &[
            Statistic::CoefficientOfVariation,
            Statistic::DailyDeviation,
            Statistic::BaselineSpread,
        ],
        Figure::Outliers => &[Statistic::Outliers, Statistic::BaselineMedian],
        Figure::Weekends => &[Statistic::WeekdayMean, Statistic::WeekendMean],
    }
}

/// The middle, the extremes and the newest in one sentence.
fn overview(description: &Description, span: Option<Span>) -> Option<Finding> {
    let span = description.longest_up_to(span.unwrap_or(Span::Month));
    let label = capitalised(&description.label());
    // No day is over yet.
    if let (true, None, Some(sum)) = (
        description.adds_up(),
        description.fact(Statistic::DailyMean, Span::Month),
        description.sum_of(description.newest.1),
    ) {
        return Some(finding(sentence(sum, description), &[sum]));
    }
    let fact = |statistic| description.fact(statistic, span);
    if let (true, Some(mean), Some(least), Some(greatest)) = (
        description.adds_up(),
        fact(Statistic::DailyMean),
        fact(Statistic::DailyMin),
        fact(Statistic::DailyMax),
    ) {
        let text = format!(
            "{label}: {} a day on average, from {} to {} a day, {}.",
            value(mean),
            value(least),
            value(greatest),
            when(mean, description),
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
            when(mean, description),
        );
        return Some(finding(text, &[count, least, mean, greatest, last]));
    }
    let suspect = fact(Statistic::Suspect)?;
    Some(finding(sentence(suspect, description), &[suspect]))
}

/// What else there is to say of the only thing asked about.
fn details(description: &Description) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (statistic, span) in [
        (Statistic::Suspect, Span::Month),
        (Statistic::TimeInRange, Span::Month),
        (Statistic::TimeInRange, Span::Week),
        (Statistic::RestingEstimate, Span::Month),
        (Statistic::TrendPerDay, Span::Month),
        (Statistic::DailyDeviation, Span::Month),
        (Statistic::Outliers, Span::Month),
    ] {
        let said = |finding: &Finding| finding.facts.iter().any(|fact| fact.statistic == statistic);
        if let Some(fact) = description.fact(statistic, span)
            && !findings.iter().any(said)
        {
            findings.push(finding(sentence(fact, description), &[fact]));
        }
    }
    let week = if description.adds_up() {
        Statistic::DailyMean
    } else {
        Statistic::Mean
    };
    if let (Some(month), Some(week)) = (
        description.fact(week, Span::Month),
        description.fact(week, Span::Week),
    ) && month.n > week.n
    {
        findings.insert(0, finding(sentence(week, description), &[week]));
    }
    findings.extend(rests_on(description, None));
    findings
}

/// How many readings, on how many days.
fn rests_on(description: &Description, span: Option<Span>) -> Option<Finding> {
    let span = description.longest_up_to(span.unwrap_or(Span::Month));
    let count = description.fact(Statistic::Count, span)?;
    let days = description.fact(Statistic::Days, span)?;
    let (are, readings) = match count.n {
        1 => ("is", "reading"),
        _ => ("are", "readings"),
    };
    let text = format!(
        "For {} there {are} {} {readings} on {} {}.",
        description.label(),
        value(count),
        value(days),
        when(count, description)
    );
    Some(finding(text, &[count, days]))
}

fn finding(text: String, facts: &[&Fact]) -> Finding {
    Finding::new(text, facts.iter().map(|fact| (*fact).clone()).collect())
}

/// What is said of data types that are not in the vocabulary, whose names are
/// not sent to a model.
pub fn not_sent(brief: &Brief) -> Vec<Finding> {
    let unknown = brief
        .descriptions
        .iter()
        .filter(|description| description.metric.is_none());
    unknown
        .filter_map(|description| overview(description, brief.intent.span))
        .collect()
}

/// One thing to do for each data type that was spoken of.
pub fn recommendations(brief: &Brief, findings: &[Finding]) -> Vec<Recommendation> {
    let mut recommendations: Vec<Recommendation> = Vec::new();
    for description in &brief.descriptions {
        let Some(advice) = advice::about(description.name()) else {
            continue;
        };
        let fact = findings
            .iter()
            .flat_map(|finding| &finding.facts)
            .find(|fact| fact.metric == description.data_type);
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
    recommendations.truncate(MOST_RECOMMENDATIONS);
    recommendations
}
