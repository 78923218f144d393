//! The readers of Firestore data: managed exports, JSON of npm tools, and the REST
//! API.

mod corruption;
mod json_tools;
mod live;
mod managed_exports;
mod sample_data;
mod values;
