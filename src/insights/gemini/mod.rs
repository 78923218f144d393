//! The way to Gemini: one question over HTTPS, one answer back, whole or as a
//! stream, and every way in which that fails as a type of its own.
//!
//! | module | what it is |
//! | --- | --- |
//! | `settings` | where Gemini is, which models to ask, and how long to wait |
//! | `client` | who is asked how often, how long after, and until when |
//! | `attempt` | a request and its response, how long its steps may take, and what is told of it |
//! | `wire` | what is asked, and what both look like |
//! | `response` | puts a reply together from its pieces, and reads Google's errors |
//! | `error` | why there is no answer |
//! | `circuit_breaker` | leaves a model alone that is not well |
//!
//! Nothing here logs a question, a reply, the key or a URL.
//!
//! The protocol: <https://ai.google.dev/api/generate-content>.

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
