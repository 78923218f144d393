//! The readers of what Firestore held: managed exports, JSON of npm's tools,
//! and the REST API.

mod damaged_exports;
mod json_tools;
mod live;
mod managed_exports;
mod sample_data;
mod values;
