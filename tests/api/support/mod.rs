//! The app under test, and fakes of the services it depends on.

pub mod api_keys;
pub mod app;
#[path = "../../support/dynamodb_local/mod.rs"]
pub mod dynamodb_local;
#[path = "../../support/fake_gemini/mod.rs"]
#[expect(dead_code, reason = "tests/gemini uses the rest")]
pub mod fake_gemini;
pub mod faulty_dynamodb;
pub mod faulty_store;
pub mod operations;
pub mod secrets_manager;
#[path = "../../support/token_issuer.rs"]
pub mod token_issuer;
