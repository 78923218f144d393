//! Clients of the fake server, a prompt, and a recording sink.

use std::time::Duration;

use clarity_backend::insights::gemini::{
    GeminiClient, GeminiError, GeminiErrorKind, GeminiSettings, Prompt, Reply, Role, TextSink,
    Timing, Turn,
};
use serde_json::json;
use tokio::time::Instant;

use crate::fake_gemini::{FakeGemini, KEY, Scripted};

pub const MODEL: &str = "gemini-3.5-flash-lite";
pub const FALLBACK: &str = "gemini-3.5-flash";
pub const QUESTION: &str = "Did I sleep well? (secret-question)";

/// Deadline that only a server without any reply exceeds.
pub const LONG: Duration = Duration::from_secs(20);

pub fn settings(fake: &FakeGemini) -> GeminiSettings {
    GeminiSettings {
        api_key: KEY.into(),
        model: MODEL.parse().unwrap(),
        fallback_model: None,
        base_url: fake.base_url(),
        api_version: "v1beta".parse().unwrap(),
        timing: Timing {
            backoff: Duration::from_millis(5),
            min_attempt: Duration::from_millis(20),
            ..Timing::default()
        },
    }
}

pub fn client(fake: &FakeGemini) -> GeminiClient {
    GeminiClient::new(settings(fake)).unwrap()
}

/// Returns a client with a fallback model.
pub fn client_with_fallback(fake: &FakeGemini) -> GeminiClient {
    GeminiClient::new(GeminiSettings {
        fallback_model: Some(FALLBACK.parse().unwrap()),
        ..settings(fake)
    })
    .unwrap()
}

pub fn prompt() -> Prompt {
    Prompt {
        system_instruction: "Answer from the facts.".to_owned(),
        turns: vec![Turn {
            role: Role::User,
            text: QUESTION.to_owned(),
        }],
        response_schema: json!({
            "type": "OBJECT",
            "properties": {"sentences": {"type": "ARRAY", "items": {"type": "STRING"}}},
            "required": ["sentences"],
        }),
    }
}

pub async fn generate(client: &GeminiClient) -> Result<Reply, GeminiError> {
    generate_within(client, LONG).await
}

pub async fn generate_within(client: &GeminiClient, time: Duration) -> Result<Reply, GeminiError> {
    client.generate(&prompt(), Instant::now() + time).await
}

pub async fn stream(client: &GeminiClient, sink: &mut Sink) -> Result<Reply, GeminiError> {
    stream_within(client, LONG, sink).await
}

pub async fn stream_within(
    client: &GeminiClient,
    time: Duration,
    sink: &mut Sink,
) -> Result<Reply, GeminiError> {
    client.stream(&prompt(), Instant::now() + time, sink).await
}

/// Sink that records its text.
#[derive(Default)]
pub struct Sink {
    pub attempts: usize,
    pub pieces: Vec<String>,
    /// Commits with the first piece.
    pub is_eager: bool,
}

impl Sink {
    pub fn eager() -> Self {
        Self {
            is_eager: true,
            ..Self::default()
        }
    }
}

impl TextSink for Sink {
    fn start_attempt(&mut self) {
        self.attempts += 1;
        self.pieces.clear();
    }

    fn push(&mut self, piece: &str) {
        self.pieces.push(piece.to_owned());
    }

    fn is_committed(&self) -> bool {
        self.is_eager && !self.pieces.is_empty()
    }
}

/// Returns the error of one reply, after checking that it is the same whole and
/// streamed, and that it is not retried.
pub async fn error_kind(reply: impl Fn() -> Scripted) -> GeminiErrorKind {
    let whole = {
        let fake = FakeGemini::start().await;
        fake.enqueue(reply());
        failure(generate(&client(&fake)).await)
    };
    let streamed = {
        let fake = FakeGemini::start().await;
        fake.enqueue(reply());
        failure(stream(&client(&fake), &mut Sink::default()).await)
    };
    assert_eq!((whole.attempts, streamed.attempts), (1, 1));
    assert_eq!(whole.kind, streamed.kind);
    whole.kind
}

/// Unwraps the error.
#[track_caller]
pub fn failure(result: Result<Reply, GeminiError>) -> GeminiError {
    result.err().unwrap()
}
