//! HTTP interface: every test sends requests to a complete app on a free port.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]
#![expect(clippy::print_stdout, reason = "some tests print measurements")]

mod auth;
mod browser_security;
mod insights;
mod openapi;
mod readings;
mod resilience;
mod sample_data;
mod support;
