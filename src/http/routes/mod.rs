//! Handlers, and the JSON that they receive and send.

pub mod batch;
pub mod erasure;
pub mod export;
mod export_format;
pub mod health;
mod insight_stream;
pub mod insights;
mod json_response;
mod reading_json;
pub mod readings;
pub mod summary;
