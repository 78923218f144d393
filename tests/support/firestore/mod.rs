//! Firestore as other programs meet it: [`ExportFixture`] writes managed
//! exports, [`FakeFirestore`] answers queries over HTTP.
//!
//! Fields are given in the REST API's form everywhere:
//! `json!({"steps": {"integerValue": "12"}})`.

pub mod entity;
mod export;
mod fake;
pub mod log;

pub use export::ExportFixture;
pub use fake::FakeFirestore;
