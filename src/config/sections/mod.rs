//! Sections of the configuration, each with the variables that it is read from.

mod connections;
mod cors;
mod deadlines;
pub mod insights;
pub mod keys;
mod rate_limits;
pub mod shutdown;
mod storage;
mod telemetry;
pub mod tokens;
