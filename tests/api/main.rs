//! The service as its clients see it: every test talks HTTP to the whole app
//! on a free port.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]
#![expect(clippy::print_stdout, reason = "some tests tell what they measured")]

mod app;
mod authentication;
mod bad_bodies;
mod bad_queries;
mod batches;
mod browsers;
mod clients_of_old;
mod documentation;
mod dynamodb_faults;
mod erasure;
mod export;
#[path = "../support/fake_gemini/mod.rs"]
#[expect(dead_code, reason = "the tests of the client use the rest")]
mod fake_gemini;
#[path = "../support/faulty_dynamodb.rs"]
mod faulty_dynamodb;
mod faulty_store;
mod health;
mod insights;
mod key_changes;
mod keys;
mod limits;
mod listing;
mod openapi;
mod overload;
mod permissions;
mod readings;
mod sample_data;
mod sample_data_batches;
mod sample_data_summaries;
mod secrets_manager;
mod summary;
#[path = "../support/mod.rs"]
mod support;
mod token_issuer;
mod tokens;
mod user_pool;
