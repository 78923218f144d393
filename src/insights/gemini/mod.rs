//! The way to Gemini: one question over HTTPS, one answer back, whole or as a
//! stream, and every way in which that fails as a type of its own.
//!
//! | module | what it is |
//! | --- | --- |
//! | `settings` | where Gemini is, which models to ask, and how long to wait |
//! | `prompt`, `reply` | what is asked, and what is answered |
//! | `failure`, `reasons` | why there is no answer |
//! | `client` | who is asked how often, and how long after |
//! | `call` | a question on its way: its attempts and its deadline |
//! | `exchange` | one attempt: a request, and its response |
//! | `measured` | what is told of each attempt |
//! | `wire`, `refusal` | what both look like, and what Google's errors say |
//! | `transcript` | puts a reply together from its pieces |
//! | `patience` | how long a step of an attempt may take |
//! | `circuit_breaker` | leaves a model alone that is not well |
//!
//! Nothing here logs a question, a reply, the key or a URL.
//!
//! The protocol: <https://ai.google.dev/api/generate-content>.

mod call;
mod circuit_breaker;
mod client;
mod exchange;
mod failure;
mod measured;
mod patience;
mod prompt;
mod reasons;
mod refusal;
mod reply;
mod settings;
mod transcript;
mod wire;

pub use client::GeminiClient;
pub use failure::{GeminiError, GeminiErrorKind};
pub use prompt::{Prompt, Role, Turn};
pub use reasons::{BlockReason, FinishReason, TimeoutKind};
pub use reply::{Reply, TextSink, Usage};
pub use settings::{GeminiSettings, GeminiSetupError, PathSegment, PathSegmentError, Timing};
