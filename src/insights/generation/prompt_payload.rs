use serde::Serialize;

use crate::insights::answer::recommendations;
use crate::insights::context::AnalysisContext;
use crate::insights::facts::{Fact, Period, Statistic};
use crate::statistics::{Direction, Strength};

/// What leaves the service: the question and the facts, and nothing that tells
/// whose they are. Facts go by their ids and by periods relative to the newest
/// reading; what a client wrote into metadata is not in it.
#[derive(Serialize)]
struct Outbound<'a> {
    question: &'a str,
    facts: Vec<OutboundFact<'a>>,
    /// How old the newest reading of each metric is.
    newest: Vec<Newest<'a>>,
    missing: &'a [String],
    advice: Vec<OutboundAdvice>,
}

#[derive(Serialize)]
struct OutboundAdvice {
    id: &'static str,
    text: &'static str,
}

#[derive(Serialize)]
struct OutboundFact<'a> {
    id: &'a str,
    metric: &'a str,
    statistic: Statistic,
    period: String,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'a str>,
    n: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<Direction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strength: Option<Strength>,
}

#[derive(Serialize)]
struct Newest<'a> {
    metric: &'a str,
    days_ago: i64,
}

/// The user's turn: the question and the facts as one JSON text.
pub fn user_turn(context: &AnalysisContext) -> Result<String, serde_json::Error> {
    let outbound = Outbound {
        question: context.question.redacted(),
        facts: context.sent_facts().map(OutboundFact::of).collect(),
        newest: context
            .summaries
            .iter()
            .filter(|summary| summary.metric.is_some())
            .map(|summary| Newest {
                metric: &summary.data_type,
                days_ago: context.days_ago(summary.newest.0),
            })
            .collect(),
        missing: &context.missing,
        advice: recommendations::suitable(context)
            .into_iter()
            .map(|advice| OutboundAdvice {
                id: advice.id,
                text: advice.text,
            })
            .collect(),
    };
    serde_json::to_string(&outbound)
}

impl<'a> OutboundFact<'a> {
    fn of(fact: &'a Fact) -> Self {
        Self {
            id: &fact.fact_id,
            metric: &fact.metric,
            statistic: fact.statistic,
            period: period(fact.period),
            value: rounded(fact.value),
            unit: fact.unit.as_deref(),
            n: fact.n,
            direction: fact.trend.map(|(direction, _)| direction),
            strength: fact.trend.map(|(_, strength)| strength),
        }
    }
}

fn period(period: Period) -> String {
    match period {
        Period::UpToNewest(span) => format!("last {}", span.in_words()),
        Period::Clipped => "most recent readings".to_owned(),
        Period::LocalDay {
            before_newest: 0, ..
        } => "newest day".to_owned(),
        Period::LocalDay { before_newest, .. } => {
            format!("{before_newest} days before the newest day")
        }
    }
}

/// To two decimals, or three digits below 1, as answers show numbers.
fn rounded(value: f64) -> f64 {
    crate::insights::answer::render::number(value)
        .parse()
        .unwrap_or(value)
}
