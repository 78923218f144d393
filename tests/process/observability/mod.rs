//! Logs, metrics and traces of the binary.

mod access_log;
mod audit_log;
mod log_privacy;
mod metrics;
mod traces;
