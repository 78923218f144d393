//! Authentication, authorization, rate limits and audit.

mod audit;
mod authentication;
mod authorized;
mod client_ip;
mod rate_limit;

pub use audit::Pseudonymizer;
pub use authentication::authenticate;
pub use authorized::{AccessGrant, Authorized, EraseData, QueryInsights, ReadData, WriteData};
pub use client_ip::TrustedProxies;
pub use rate_limit::{RateLimits, RequestsPerMinute};
