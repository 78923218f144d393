//! The binary as a process: settings, signals, crashes, logs, and the README.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failing test panics"
)]
#![expect(clippy::print_stdout, reason = "some tests print measurements")]

mod commands;
#[path = "../support/fake_gemini/mod.rs"]
#[expect(dead_code, reason = "the tests of the Gemini client use the rest")]
mod fake_gemini;
mod lifecycle;
mod log_capture;
mod observability;
mod readme;
mod service;
mod settings;
mod store;
#[expect(dead_code, reason = "the API tests use the rest")]
#[path = "../support/token_issuer.rs"]
mod token_issuer;
