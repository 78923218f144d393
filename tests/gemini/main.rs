//! What the client of Gemini does with everything that Gemini does.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in the functions that tests share"
)]

mod answers;
mod attempts;
mod caller;
mod endurance;
mod fake;
#[path = "../support/fake_gemini/mod.rs"]
mod fake_gemini;
mod outcomes;
mod privacy;
