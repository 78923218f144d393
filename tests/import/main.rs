//! Import: the readers of sources, and the command with the real binary, from
//! every source into both stores.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
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
#[expect(dead_code, reason = "other test binaries use the rest")]
mod service;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other test binaries use the rest")]
mod support;
