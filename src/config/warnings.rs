use super::{Config, Environment, KeyList};
use crate::http::TrustedProxies;

impl Config {
    /// Returns warnings about settings that work, but are risky in production.
    pub fn warnings(&self) -> Vec<&'static str> {
        if self.environment == Environment::Development {
            return Vec::new();
        }
        let has_keys =
            !self.keys.with_full_access.is_empty() || !matches!(self.keys.listed, KeyList::None);
        let limits_failures = self.rate_limits.failed_authentications.is_some();
        [
            (
                has_keys && self.has_default_rate_limits,
                "clients with the same key id share the default rate limits, as do all with a key of CLARITY_API_KEY: set RATE_LIMIT_READS, RATE_LIMIT_WRITES and RATE_LIMIT_INSIGHTS to what they need in total, or to off",
            ),
            (
                !self.service_secrets.is_dedicated,
                "holders of CLARITY_API_KEY can reverse the pseudonyms in audit events, which change with the key: set CLARITY_SERVICE_SECRET",
            ),
            (
                limits_failures && self.trusted_proxies == TrustedProxies::default(),
                "behind a load balancer all clients share one limit of failed authentications: set TRUSTED_PROXIES to its subnets",
            ),
        ]
        .into_iter()
        .filter_map(|(applies, warning)| applies.then_some(warning))
        .collect()
    }
}
