//! The binary as people start it: settings, signals, crashes, and the README.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

mod commands;
mod durability;
mod logs;
mod production;
mod readme;
mod service;
mod settings;
