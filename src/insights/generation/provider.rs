use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use moka::future::Cache;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::Instant;

use super::draft::Draft;
use super::prompt_payload::user_turn;
use super::rendered::Phrased;
use super::streaming_renderer::Live;
use super::system_instruction::{INSTRUCTION, SCHEMA};
use crate::insights::answer::{Insight, InsightStatus, Model, ModelUsage, Verification};
use crate::insights::context::AnalysisContext;
use crate::insights::gemini::{
    FinishReason, GeminiClient, GeminiError, GeminiErrorKind, Prompt, Reply, Role, Turn,
};
use crate::insights::provider::{DeltaSink, InsightProvider};
use crate::insights::statistical;
use crate::insights::verification::DraftViolation;
use crate::telemetry::metrics::names;

/// Has Gemini choose among the facts and phrase them; answers with statistics
/// when Gemini fails, or says what the facts do not.
pub struct GeminiProvider {
    client: GeminiClient,
    deadline: Duration,
    phrased: Cache<[u8; 32], Arc<Phrased>>,
}

/// At most so many answers are remembered, each a few kilobytes.
const MOST_REMEMBERED: u64 = 1_000;

/// What is added where Gemini will not speak of something.
const IF_UNSAFE: &str = "If you feel unwell or unsafe, please talk to somebody you trust or call \
    your local emergency number (112 in Europe, 911 in North America).";

/// Why there is nothing to tell of Gemini's.
#[derive(Debug, Clone)]
enum NotPhrased {
    /// It did not answer.
    Failed { usage: ModelUsage, is_blocked: bool },
    /// What it said is not borne out.
    Unverified {
        usage: ModelUsage,
        verification: Verification,
    },
    /// It broke off after this was told.
    BrokenOff(Arc<Phrased>),
}

/// One question to Gemini.
struct Call<'a> {
    context: &'a AnalysisContext,
    prompt: Prompt,
    started: Instant,
    deadline: Instant,
}

impl GeminiProvider {
    /// Asks through `client`, for at most `deadline`; what it said is
    /// remembered for `remembered`.
    pub fn new(client: GeminiClient, deadline: Duration, remembered: Duration) -> Self {
        Self {
            client,
            deadline,
            phrased: Cache::builder()
                .max_capacity(MOST_REMEMBERED)
                .time_to_live(remembered)
                .build(),
        }
    }

    /// Has the context phrased as a whole.
    async fn phrase(&self, call: Call<'_>) -> Result<Phrased, NotPhrased> {
        match self.client.generate(&call.prompt, call.deadline).await {
            Ok(reply) => self.check(call, reply).await,
            Err(failure) => Err(call.failed(&failure)),
        }
    }

    /// Lets `reply` pass, or asks once more and lets that pass.
    async fn check(&self, mut call: Call<'_>, reply: Reply) -> Result<Phrased, NotPhrased> {
        let mut verification = Verification::default();
        let usage = ModelUsage::from(&reply);
        let faults = match read(&reply, call.context, &mut verification) {
            Ok(draft) => return Ok(phrased(draft, verification, &reply, usage)),
            Err(faults) => faults,
        };
        call.prompt.turns.push(Turn {
            role: Role::Model,
            text: reply.text,
        });
        call.prompt.turns.push(Turn {
            role: Role::User,
            text: repair(&faults),
        });
        let started = Instant::now();
        let reply = match self.client.generate(&call.prompt, call.deadline).await {
            Ok(reply) => reply,
            Err(failure) => {
                return Err(NotPhrased::Unverified {
                    usage: usage.and(spent(&failure, started)),
                    verification,
                });
            }
        };
        let usage = usage.and(ModelUsage::from(&reply));
        match read(&reply, call.context, &mut verification) {
            Ok(draft) => Ok(phrased(draft, verification, &reply, usage)),
            Err(_) => Err(NotPhrased::Unverified {
                usage,
                verification,
            }),
        }
    }

    /// Has the context phrased, and tells it to `deltas` while it comes.
    async fn phrase_live(&self, call: Call<'_>, deltas: &DeltaSink) -> Result<Phrased, NotPhrased> {
        let (sender, mut sentences) = unbounded_channel();
        let mut live = Live::new(call.context, sender);
        let ask = async {
            let reply = self
                .client
                .stream(&call.prompt, call.deadline, &mut live)
                .await;
            // The last of the text: without a sender the telling ends.
            let Live {
                told, verification, ..
            } = live;
            (reply, told, verification)
        };
        let tell = async {
            let mut separator = "";
            while let Some(sentence) = sentences.recv().await {
                deltas.send(&format!("{separator}{sentence}")).await;
                separator = " ";
            }
        };
        let ((reply, findings, verification), ()) = tokio::join!(ask, tell);
        match reply {
            Ok(reply) if findings.is_empty() => self.check(call, reply).await,
            Ok(reply) => {
                let draft: Option<Draft> = serde_json::from_str(&reply.text).ok();
                let draft = Draft {
                    findings,
                    recommendations: draft.map_or_else(Vec::new, |draft| draft.recommendations),
                };
                let usage = ModelUsage::from(&reply);
                Ok(phrased(draft, verification, &reply, usage))
            }
            Err(failure) if findings.is_empty() => Err(call.failed(&failure)),
            Err(failure) => Err(NotPhrased::BrokenOff(Arc::new(Phrased {
                draft: Draft {
                    findings,
                    recommendations: Vec::new(),
                },
                verification,
                model: None,
                usage: Some(spent(&failure, call.started)),
            }))),
        }
    }

    /// The statistics' answer, and what asking took.
    fn fall_back(context: &AnalysisContext, reason: &NotPhrased) -> Insight {
        let mut insight = statistical::answer(context, InsightStatus::Fallback);
        match reason {
            NotPhrased::Failed { usage, is_blocked } => {
                insight.usage = Some(*usage);
                if *is_blocked {
                    insight.text = format!("{} {IF_UNSAFE}", insight.text);
                }
            }
            NotPhrased::Unverified {
                usage,
                verification,
            } => {
                insight.usage = Some(*usage);
                insight.verification.numbers_checked += verification.numbers_checked;
                insight.verification.numbers_unsupported = verification.numbers_unsupported;
            }
            NotPhrased::BrokenOff(phrased) => insight.usage = phrased.usage,
        }
        insight
    }
}

#[async_trait]
impl InsightProvider for GeminiProvider {
    async fn answer(&self, context: &AnalysisContext, deltas: &DeltaSink) -> Insight {
        let complete = if context.is_partial {
            InsightStatus::Partial
        } else {
            InsightStatus::Complete
        };
        let turn = match user_turn(context) {
            Ok(turn) if context.is_withheld || context.sent_facts().next().is_some() => turn,
            // Nothing to phrase, or nothing that could be sent.
            _ => return statistical::answer(context, InsightStatus::Complete),
        };
        let key: [u8; 32] = Sha256::digest(&turn).into();
        let started = Instant::now();
        let call = Call {
            context,
            prompt: prompt(turn),
            started,
            deadline: started + self.deadline,
        };
        let is_asked = AtomicBool::new(false);
        // Whoever asks the same at the same moment waits for this call.
        let phrased = self.phrased.try_get_with(key, async {
            is_asked.store(true, Ordering::Relaxed);
            let phrased = if deltas.is_enabled() {
                self.phrase_live(call, deltas).await
            } else {
                self.phrase(call).await
            };
            phrased.map(Arc::new)
        });
        let phrased = phrased.await;
        let is_asked = is_asked.load(Ordering::Relaxed);
        let result = if is_asked { "miss" } else { "hit" };
        metrics::counter!(names::INSIGHT_CACHE_LOOKUPS.name, "result" => result).increment(1);
        match phrased {
            Ok(phrased) if is_asked => phrased.told(context, complete),
            Ok(phrased) => phrased.remembered().told(context, complete),
            Err(reason) => match &*reason {
                NotPhrased::BrokenOff(phrased) if is_asked => {
                    phrased.told(context, InsightStatus::Partial)
                }
                reason => {
                    let mut insight = Self::fall_back(context, reason);
                    // Who only waited spent nothing.
                    insight.usage = insight.usage.filter(|_| is_asked);
                    insight
                }
            },
        }
    }
}

impl Call<'_> {
    fn failed(&self, failure: &GeminiError) -> NotPhrased {
        NotPhrased::Failed {
            usage: spent(failure, self.started),
            is_blocked: matches!(
                failure.kind,
                GeminiErrorKind::Blocked(_)
                    | GeminiErrorKind::Finished(
                        FinishReason::Safety | FinishReason::ProhibitedContent
                    )
            ),
        }
    }
}

fn prompt(turn: String) -> Prompt {
    Prompt {
        system_instruction: INSTRUCTION.clone(),
        turns: vec![Turn {
            role: Role::User,
            text: turn,
        }],
        response_schema: SCHEMA.clone(),
    }
}

/// The reply as a draft of which every finding may be told.
fn read(
    reply: &Reply,
    context: &AnalysisContext,
    verification: &mut Verification,
) -> Result<Draft, Vec<DraftViolation>> {
    let faults = match serde_json::from_str::<Draft>(&reply.text).map(Draft::tidied) {
        Ok(draft) => {
            let faults = draft.faults(context, verification);
            if faults.is_empty() {
                return Ok(draft);
            }
            faults
        }
        Err(_) => vec![DraftViolation::NotADraft],
    };
    let names: Vec<String> = faults.iter().map(|fault| format!("{fault:?}")).collect();
    tracing::warn!(
        event = "gemini_failed",
        code = "unverified",
        faults = names.join(","),
        "Gemini's answer does not fit the facts"
    );
    Err(faults)
}

fn phrased(draft: Draft, verification: Verification, reply: &Reply, usage: ModelUsage) -> Phrased {
    Phrased {
        draft,
        verification,
        model: Some(Model::from(reply)),
        usage: Some(usage),
    }
}

/// Asks for a better answer.
fn repair(faults: &[DraftViolation]) -> String {
    let mut faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    faults.sort_unstable();
    faults.dedup();
    format!(
        "That answer cannot be used, because of a sentence: {}. Write the whole JSON object once \
         more by the rules.",
        faults.join("; ")
    )
}

/// What a call took that failed.
fn spent(failure: &GeminiError, started: Instant) -> ModelUsage {
    ModelUsage {
        prompt_tokens: None,
        output_tokens: None,
        thought_tokens: None,
        cached_tokens: None,
        attempts: failure.attempts,
        latency_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}
