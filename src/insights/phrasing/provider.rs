use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use moka::future::Cache;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::Instant;

use super::draft::{Checked, Draft, recommendations};
use super::instruction::{INSTRUCTION, SCHEMA};
use super::live::Live;
use super::outbound::user_turn;
use super::phrased::Phrased;
use crate::insights::answer::{Insight, InsightStatus, Model, ModelUsage, Verification};
use crate::insights::brief::Brief;
use crate::insights::gemini::{GeminiClient, GeminiFailure, Prompt, Reply, Role, Turn};
use crate::insights::provider::{Deltas, InsightProvider};
use crate::insights::statistical;
use crate::insights::verification::Fault;

/// Has Gemini choose among the facts and phrase them; answers with statistics
/// when Gemini fails, or says what the facts do not.
pub struct GeminiProvider {
    client: GeminiClient,
    deadline: Duration,
    phrased: Cache<[u8; 32], Arc<Phrased>>,
}

/// At most so many answers are remembered, each a few kilobytes.
const MOST_REMEMBERED: u64 = 1_000;

/// Why there is nothing to tell of Gemini's.
#[derive(Debug, Clone)]
enum NotPhrased {
    /// It did not answer.
    Failed(ModelUsage),
    /// What it said is not borne out.
    Unverified {
        usage: ModelUsage,
        verification: Verification,
    },
    /// It broke off after this was told.
    BrokenOff(Arc<Phrased>),
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

    /// Phrases the brief, whose facts are in `turn`, as a whole.
    async fn phrase(&self, brief: &Brief, turn: String) -> Result<Phrased, NotPhrased> {
        let started = Instant::now();
        let deadline = started + self.deadline;
        let prompt = prompt(turn);
        let reply = match self.client.generate(&prompt, deadline).await {
            Ok(reply) => reply,
            Err(failure) => return Err(NotPhrased::Failed(spent(&failure, started))),
        };
        self.check(brief, prompt, reply, deadline).await
    }

    /// Lets `reply` pass, or asks once more and lets that pass.
    async fn check(
        &self,
        brief: &Brief,
        mut prompt: Prompt,
        reply: Reply,
        deadline: Instant,
    ) -> Result<Phrased, NotPhrased> {
        let (first, usage) = (read(&reply, brief), ModelUsage::from(&reply));
        if first.faults.is_empty() {
            return Ok(Phrased::new(first, Model::from(&reply), usage));
        }
        failed(&first.faults);
        prompt.turns.push(Turn {
            role: Role::Model,
            text: reply.text,
        });
        prompt.turns.push(Turn {
            role: Role::User,
            text: repair(&first.faults),
        });
        let unverified = |usage, verification| NotPhrased::Unverified {
            usage,
            verification,
        };
        let reply = match self.client.generate(&prompt, deadline).await {
            Ok(reply) => reply,
            Err(_) => return Err(unverified(usage, first.verification)),
        };
        let usage = usage.and(ModelUsage::from(&reply));
        let mut second = read(&reply, brief);
        second.verification.numbers_checked += first.verification.numbers_checked;
        second.verification.numbers_unsupported += first.verification.numbers_unsupported;
        if second.faults.is_empty() {
            return Ok(Phrased::new(second, Model::from(&reply), usage));
        }
        failed(&second.faults);
        Err(unverified(usage, second.verification))
    }

    /// Phrases the brief, and tells it to `deltas` while it comes.
    async fn phrase_live(
        &self,
        brief: &Brief,
        turn: String,
        deltas: &Deltas,
    ) -> Result<Phrased, NotPhrased> {
        let started = Instant::now();
        let deadline = started + self.deadline;
        let prompt = prompt(turn);
        let (sender, mut sentences) = unbounded_channel();
        let mut live = Live::new(brief, sender);
        let ask = async {
            let reply = self.client.stream(&prompt, deadline, &mut live).await;
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
        let ((reply, told, mut verification), ()) = tokio::join!(ask, tell);
        match reply {
            Ok(reply) if told.is_empty() => {
                let phrased = self.check(brief, prompt, reply, deadline).await?;
                tell_whole(&phrased, brief, deltas).await;
                Ok(phrased)
            }
            Ok(reply) => {
                let draft: Option<Draft> = serde_json::from_str(&reply.text).ok();
                let drafts = draft.map_or_else(Vec::new, |draft| draft.recommendations);
                Ok(Phrased {
                    findings: told,
                    recommendations: recommendations(drafts, brief, &mut verification),
                    verification,
                    model: Some(Model::from(&reply)),
                    usage: Some(ModelUsage::from(&reply)),
                })
            }
            Err(failure) if told.is_empty() => Err(NotPhrased::Failed(spent(&failure, started))),
            Err(failure) => Err(NotPhrased::BrokenOff(Arc::new(Phrased {
                findings: told,
                recommendations: Vec::new(),
                verification,
                model: None,
                usage: Some(spent(&failure, started)),
            }))),
        }
    }

    /// The statistics' answer, and what asking took.
    fn fall_back(brief: &Brief, reason: &NotPhrased) -> Insight {
        let mut insight = statistical::answer(brief, InsightStatus::Fallback);
        match reason {
            NotPhrased::Failed(usage) => insight.usage = Some(*usage),
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
    async fn answer(&self, brief: &Brief, deltas: &Deltas) -> Insight {
        let turn = match user_turn(brief) {
            Ok(turn) if brief.is_withheld || brief.facts().next().is_some() => turn,
            // Nothing to phrase, or nothing that could be sent.
            _ => {
                return tell_statistics(
                    statistical::answer(brief, InsightStatus::Complete),
                    deltas,
                )
                .await;
            }
        };
        let key: [u8; 32] = Sha256::digest(&turn).into();
        let is_told = AtomicBool::new(false);
        // Whoever asks the same at the same moment waits for this call.
        let phrased = self.phrased.try_get_with(key, async {
            if deltas.are_wanted() {
                let phrased = self.phrase_live(brief, turn, deltas).await;
                is_told.store(
                    matches!(phrased, Ok(_) | Err(NotPhrased::BrokenOff(_))),
                    Ordering::Relaxed,
                );
                phrased.map(Arc::new)
            } else {
                self.phrase(brief, turn).await.map(Arc::new)
            }
        });
        let phrased = phrased.await;
        let is_told = is_told.load(Ordering::Relaxed);
        let insight = match phrased {
            Ok(phrased) => {
                if !is_told {
                    tell_whole(&phrased, brief, deltas).await;
                }
                let status = if brief.is_partial {
                    InsightStatus::Partial
                } else {
                    InsightStatus::Complete
                };
                phrased.told(brief, status)
            }
            Err(reason) => match &*reason {
                NotPhrased::BrokenOff(phrased) if is_told => {
                    phrased.told(brief, InsightStatus::Partial)
                }
                reason => return tell_statistics(Self::fall_back(brief, reason), deltas).await,
            },
        };
        if let Some(note) = &brief.note {
            deltas.send(&format!(" {note}")).await;
        }
        insight
    }
}

/// Tells the findings of what is phrased already.
async fn tell_whole(phrased: &Phrased, brief: &Brief, deltas: &Deltas) {
    let findings = phrased
        .findings
        .iter()
        .flat_map(|told| told.findings(brief));
    let sentences: Vec<String> = findings.map(|finding| finding.text).collect();
    deltas.send(&sentences.join(" ")).await;
}

async fn tell_statistics(insight: Insight, deltas: &Deltas) -> Insight {
    deltas.send(&insight.text).await;
    insight
}

fn prompt(turn: String) -> Prompt {
    Prompt {
        system_instruction: INSTRUCTION.to_owned(),
        turns: vec![Turn {
            role: Role::User,
            text: turn,
        }],
        response_schema: SCHEMA.clone(),
    }
}

/// The reply as a draft, held against the facts.
fn read(reply: &Reply, brief: &Brief) -> Checked {
    match serde_json::from_str::<Draft>(&reply.text) {
        Ok(draft) => draft.check(brief),
        Err(_) => Checked {
            findings: Vec::new(),
            recommendations: Vec::new(),
            verification: Verification::default(),
            faults: vec![Fault::NotADraft],
        },
    }
}

/// Asks for a better answer.
fn repair(faults: &[Fault]) -> String {
    let mut faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    faults.sort_unstable();
    faults.dedup();
    format!(
        "That answer cannot be used: {}. Write the whole JSON object once more by the rules.",
        faults.join("; ")
    )
}

fn failed(faults: &[Fault]) {
    let faults: Vec<String> = faults.iter().map(|fault| format!("{fault:?}")).collect();
    let faults = faults.join(",");
    tracing::warn!(
        event = "gemini_failed",
        code = "unverified",
        faults,
        "Gemini's answer does not fit the facts"
    );
}

/// What a call took that failed.
fn spent(failure: &GeminiFailure, started: Instant) -> ModelUsage {
    ModelUsage {
        prompt_tokens: None,
        output_tokens: None,
        thought_tokens: None,
        cached_tokens: None,
        attempts: failure.attempts,
        latency_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}
