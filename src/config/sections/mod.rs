//! Sections of the configuration, each with the variables it is read from.

pub mod connections;
pub mod cors;
pub mod deadlines;
pub mod insights;
pub mod keys;
pub mod rate_limits;
pub mod shutdown;
mod telemetry;
pub mod tokens;
