//! Behaviour under load, and while dependencies fail.

mod dynamodb_faults;
mod health;
mod late_attempts;
mod overload;
mod rate_limits;
