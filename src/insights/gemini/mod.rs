//! Client of the Gemini API: sends a prompt over HTTPS and returns the reply,
//! whole or streamed.
//!
//! | module | content |
//! | --- | --- |
//! | `settings` | endpoint, models, timeouts |
//! | `client` | concurrency limit, retries, fallback model |
//! | `attempt` | one HTTP exchange: timeouts, metrics, span |
//! | `wire` | prompt, request and response formats |
//! | `response` | assembly of replies, interpretation of Google's errors |
//! | `error` | error kinds, and which of them are retried |
//! | `circuit_breaker` | skips a model that keeps failing |
//!
//! Questions, replies, the key and URLs are never logged.
//!
//! Protocol: <https://ai.google.dev/api/generate-content>.

mod attempt;
mod circuit_breaker;
mod client;
mod error;
mod response;
mod settings;
mod wire;

pub use client::GeminiClient;
pub use error::{BlockReason, FinishReason, GeminiError, GeminiErrorKind, TimeoutKind};
pub use response::{Reply, TextSink, Usage};
pub use settings::{GeminiSettings, GeminiSetupError, PathSegment, PathSegmentError, Timing};
pub use wire::{Prompt, Role, Turn};
