//! Moving in: the readers of sources, and the command over the real binary,
//! from every source into both stores.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

mod apple_health;
#[path = "../support/apple_health_export.rs"]
mod apple_health_export;
mod command;
#[path = "../support/dynamodb_client.rs"]
mod dynamodb_client;
mod firestore;
#[path = "../support/firestore/mod.rs"]
mod firestore_support;
#[path = "../process/service.rs"]
#[expect(dead_code, reason = "the tests of the process use the rest")]
mod service;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "the tests of the stores use the rest")]
mod support;
