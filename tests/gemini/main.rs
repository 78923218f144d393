//! Gemini client against a scripted server.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in shared functions"
)]

mod error_kinds;
mod fake_contract;
#[path = "../support/fake_gemini/mod.rs"]
mod fake_gemini;
mod fixtures;
mod privacy;
mod replies;
mod resilience;
mod retries;
