use serde_json::Value;

/// What Gemini is asked.
#[derive(Clone)]
pub struct Prompt {
    /// What it is told to do, whatever the turns say.
    pub system_instruction: String,
    /// The conversation so far; the last turn is the user's.
    pub turns: Vec<Turn>,
    /// What its answer looks like, in the subset of OpenAPI that Gemini takes:
    /// no `additionalProperties`, no list of types.
    pub response_schema: Value,
}

/// What one side said.
#[derive(Clone)]
pub struct Turn {
    /// Which side.
    pub role: Role,
    /// What it said.
    pub text: String,
}

/// A side of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Whoever asks.
    User,
    /// Gemini.
    Model,
}
