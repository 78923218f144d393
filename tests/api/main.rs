//! The service as its clients see it: every test talks HTTP to the whole app
//! on a free port.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]
#![expect(clippy::print_stdout, reason = "some tests tell what they measured")]

mod auth;
mod browser_security;
mod insights;
mod openapi;
mod readings;
mod resilience;
mod sample_data;
mod support;
