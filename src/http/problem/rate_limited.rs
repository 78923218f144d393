use std::num::NonZeroU32;

/// Exceeded rate limit.
#[derive(Debug, Clone, Copy)]
pub struct RateLimited {
    /// Name of the limit in response headers.
    pub name: &'static str,
    /// Allowed requests per minute.
    pub per_minute: NonZeroU32,
    /// Seconds until another request is allowed.
    pub seconds: u64,
}

impl RateLimited {
    /// Returns the value of `Retry-After`.
    pub fn retry_after(self) -> String {
        self.seconds.to_string()
    }

    /// Returns the value of `RateLimit`
    /// (draft-ietf-httpapi-ratelimit-headers-10).
    pub fn rate_limit(self) -> String {
        format!("\"{}\";r=0;t={}", self.name, self.seconds)
    }

    /// Returns the value of `RateLimit-Policy`, of the same draft.
    pub fn rate_limit_policy(self) -> String {
        format!("\"{}\";q={};w=60", self.name, self.per_minute)
    }
}
