//! What a store of readings promises, tested on both stores, and what each of
//! them promises besides.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in the functions that tests share"
)]

mod all_at_once;
mod backend;
mod dynamodb;
#[path = "../support/dynamodb_client.rs"]
mod dynamodb_client;
mod embedded;
mod embedded_faults;
mod model;
mod power_loss;
mod replays;
mod samples;
mod simulated_disk;
mod suite;
#[path = "../support/mod.rs"]
mod support;
mod walks;
