use std::time::Duration;

/// A whole answer that Gemini ended by itself.
///
/// It has no `Debug`, so that its text gets into no log.
#[derive(Clone)]
pub struct Reply {
    /// The answer, without the model's thoughts; never empty.
    pub text: String,
    /// The model that was asked.
    pub model: String,
    /// The version that Gemini says answered.
    pub version: Option<String>,
    /// What Gemini calls this answer.
    pub response_id: Option<String>,
    /// Why it ended: `STOP`.
    pub finish_reason: String,
    /// What it took.
    pub usage: Usage,
}

/// What an answer took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the question, cached ones included.
    pub prompt_tokens: Option<u64>,
    /// Tokens of the answer, thoughts not included.
    pub output_tokens: Option<u64>,
    /// Tokens of the thoughts.
    pub thought_tokens: Option<u64>,
    /// Tokens of the question that Gemini had in a cache.
    pub cached_tokens: Option<u64>,
    /// Requests sent, the successful one included.
    pub attempts: u32,
    /// From the call to the end of the answer, waits included.
    pub latency: Duration,
}

/// Takes the text of an answer while it comes.
pub trait TextSink: Send {
    /// A new attempt begins: what came of an earlier one is void.
    fn start_attempt(&mut self);
    /// The next piece of the answer.
    fn push(&mut self, piece: &str);
    /// Whether something has gone to the asker: then no other attempt may
    /// start.
    fn is_committed(&self) -> bool;
}
