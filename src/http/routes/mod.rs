//! Handlers, with their request and response types.

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
