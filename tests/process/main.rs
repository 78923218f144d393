//! The binary as people start it: settings, signals, crashes, and the README.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]
#![expect(clippy::print_stdout, reason = "some tests tell what they measured")]

mod commands;
#[path = "../support/fake_gemini/mod.rs"]
#[expect(dead_code, reason = "the tests of the client use the rest")]
mod fake_gemini;
mod lifecycle;
mod log_capture;
mod observability;
mod readme;
mod service;
mod settings;
mod store;
#[expect(dead_code, reason = "the tests of the interface use more of it")]
#[path = "../support/token_issuer.rs"]
mod token_issuer;
