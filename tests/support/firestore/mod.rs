//! Stand-ins for Firestore: [`ExportFixture`] writes managed exports, [`FakeFirestore`]
//! serves queries over HTTP.
//!
//! Fields have the form of the REST API: `json!({"steps": {"integerValue": "12"}})`.

pub mod entity;
mod export;
mod fake;
pub mod log;

pub use export::ExportFixture;
pub use fake::FakeFirestore;
