use std::num::NonZeroU32;

/// A limit that was reached.
#[derive(Debug, Clone, Copy)]
pub struct RateLimited {
    /// Its name.
    pub name: &'static str,
    /// How many requests a minute it allows.
    pub per_minute: NonZeroU32,
    /// After how many there is room for another request.
    pub seconds: u64,
}

impl RateLimited {
    /// `Retry-After`.
    pub fn retry_after(self) -> String {
        self.seconds.to_string()
    }

    /// `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10).
    pub fn rate_limit(self) -> String {
        format!("\"{}\";r=0;t={}", self.name, self.seconds)
    }

    /// `RateLimit-Policy`, of the same draft.
    pub fn rate_limit_policy(self) -> String {
        format!("\"{}\";q={};w=60", self.name, self.per_minute)
    }
}
