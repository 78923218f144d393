//! Tests of the store contract on both stores, and of what is specific to each.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in the functions that tests share"
)]

mod backend;
mod concurrency;
mod dynamodb;
#[path = "../support/dynamodb_client.rs"]
mod dynamodb_client;
mod embedded;
mod model;
mod power_loss;
mod random_walks;
mod replays;
mod samples;
mod suite;
#[path = "../support/mod.rs"]
mod support;
mod unreadable;
