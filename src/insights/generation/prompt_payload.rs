use serde::Serialize;

use crate::domain::vocabulary::Label;
use crate::insights::answer::recommendations;
use crate::insights::context::AnalysisContext;
use crate::insights::facts::{Fact, Period, Statistic};
use crate::statistics::{Direction, Strength};

/// Data that leaves the service: the redacted question and the facts, without
/// anything that identifies the user. Facts have request-local ids and periods
/// relative to the newest reading. Metadata written by clients is not included.
#[derive(Serialize)]
struct PromptPayload<'a> {
    question: &'a str,
    facts: Vec<PayloadFact<'a>>,
    /// Age of the newest reading of each metric.
    newest: Vec<NewestReading>,
    missing: &'a [String],
    advice: Vec<PayloadAdvice>,
}

#[derive(Serialize)]
struct PayloadAdvice {
    id: &'static str,
    text: &'static str,
}

#[derive(Serialize)]
struct PayloadFact<'a> {
    id: &'a str,
    metric: &'static str,
    statistic: Statistic,
    period: String,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'a Label>,
    n: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<Direction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strength: Option<Strength>,
}

#[derive(Serialize)]
struct NewestReading {
    metric: &'static str,
    days_ago: i64,
}

/// Returns the text of the user's message: question and facts as JSON.
///
/// # Errors
///
/// If a fact cannot be serialized.
pub fn prompt_payload(context: &AnalysisContext) -> Result<String, serde_json::Error> {
    let redacted_question = context.question.redacted();
    let payload = PromptPayload {
        question: redacted_question,
        facts: context.sent_facts().map(PayloadFact::new).collect(),
        newest: context
            .summaries
            .iter()
            .filter_map(|summary| {
                Some(NewestReading {
                    metric: &summary.metric?.name,
                    days_ago: context.days_ago(summary.newest.0),
                })
            })
            .collect(),
        missing: &context.missing,
        advice: recommendations::suitable(context)
            .into_iter()
            .map(|advice| PayloadAdvice {
                id: advice.id,
                text: advice.text,
            })
            .collect(),
    };
    serde_json::to_string(&payload)
}

impl<'a> PayloadFact<'a> {
    fn new(fact: &'a Fact) -> Self {
        Self {
            id: &fact.fact_id,
            metric: fact.metric.name(),
            statistic: fact.statistic,
            period: period(fact.period),
            value: rounded(fact.value),
            unit: fact.unit.as_ref(),
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

/// Rounds to two decimals, or to three digits below 1, as in answers.
fn rounded(value: f64) -> f64 {
    crate::insights::answer::render::number(value)
        .parse()
        .unwrap_or(value)
}
