//! Puts a reply together from its pieces.

use super::failure::{GeminiError, GeminiErrorKind};
use super::reasons::{BlockReason, FinishReason};
use super::refusal;
use super::reply::Usage;
use super::wire::{Answer, Frame, UsageMetadata};

/// How Gemini says that it was done.
const DONE: &str = "STOP";

/// What has come of a reply.
#[derive(Default)]
pub(super) struct Transcript {
    text: String,
    version: Option<String>,
    response_id: Option<String>,
    usage: Usage,
    is_done: bool,
}

/// A reply that came to its end.
pub(super) struct Finished {
    pub(super) text: String,
    pub(super) version: Option<String>,
    pub(super) response_id: Option<String>,
    pub(super) finish_reason: String,
    pub(super) usage: Usage,
}

impl Transcript {
    /// Takes the next piece, a JSON text, and gives the answer's text in it.
    pub(super) fn take(&mut self, piece: &[u8]) -> Result<&str, GeminiError> {
        match serde_json::from_slice(piece) {
            Ok(Frame::Answer(answer)) => Ok(self.take_answer(answer)?),
            Ok(Frame::Error(envelope) | Frame::Errors([envelope])) => {
                Err(refusal::of_frame(&envelope.error))
            }
            Err(_) => Err(GeminiErrorKind::NotUnderstood.into()),
        }
    }

    /// Nothing of a piece is used before what it says of itself was looked at.
    fn take_answer(&mut self, answer: Answer) -> Result<&str, GeminiErrorKind> {
        if let Some(reason) = answer.prompt_feedback.and_then(|it| it.block_reason) {
            return Err(GeminiErrorKind::Blocked(BlockReason::from(&*reason)));
        }
        let candidate = answer.candidates.and_then(|all| all.into_iter().next());
        let (content, finish_reason) =
            candidate.map_or((None, None), |it| (it.content, it.finish_reason));
        match finish_reason.as_deref() {
            None => {}
            Some(DONE) => self.is_done = true,
            Some(reason) => return Err(GeminiErrorKind::Finished(FinishReason::from(reason))),
        }
        if let Some(usage) = answer.usage_metadata {
            self.usage = counted(&usage);
        }
        self.version = answer.model_version.or(self.version.take());
        self.response_id = answer.response_id.or(self.response_id.take());
        let before = self.text.len();
        for part in content.and_then(|it| it.parts).into_iter().flatten() {
            if part.thought != Some(true) {
                self.text.extend(part.text);
            }
        }
        Ok(&self.text[before..])
    }

    /// Whether Gemini has said that it was done.
    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    /// The reply, after which nothing more comes.
    pub(super) fn finish(self) -> Result<Finished, GeminiErrorKind> {
        if !self.is_done {
            return Err(GeminiErrorKind::BrokenStream);
        }
        if self.text.trim().is_empty() {
            return Err(GeminiErrorKind::Empty);
        }
        Ok(Finished {
            text: self.text,
            version: self.version,
            response_id: self.response_id,
            finish_reason: DONE.to_owned(),
            usage: self.usage,
        })
    }
}

/// Each piece of a stream counts what came so far.
fn counted(usage: &UsageMetadata) -> Usage {
    Usage {
        prompt_tokens: usage.prompt_token_count,
        output_tokens: usage.candidates_token_count,
        thought_tokens: usage.thoughts_token_count,
        cached_tokens: usage.cached_content_token_count,
        ..Usage::default()
    }
}
