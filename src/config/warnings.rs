use super::{Config, Environment, KeyList};

impl Config {
    /// What works, but should be known to whoever runs it with people's data.
    pub fn warnings(&self) -> Vec<&'static str> {
        if self.environment == Environment::Development {
            return Vec::new();
        }
        let has_keys =
            !self.keys.with_full_access.is_empty() || !matches!(self.keys.listed, KeyList::None);
        let limits_failures = self.limits.failed_authentications.is_some();
        [
            (
                has_keys && self.limits.is_default,
                "all clients with keys of one id share the default limits, and so do all with a key of CLARITY_API_KEY: set RATE_LIMIT_READS, RATE_LIMIT_WRITES and RATE_LIMIT_INSIGHTS to what all of them together need, or to off",
            ),
            (
                !self.service_secrets.is_dedicated,
                "who has CLARITY_API_KEY can tell whose the pseudonyms in audit events are, and they change with it: set CLARITY_SERVICE_SECRET",
            ),
            (
                limits_failures && self.limits.trusted_proxies.is_empty(),
                "behind a load balancer all clients share its limit of failed authentications: set TRUSTED_PROXIES to its subnets",
            ),
        ]
        .into_iter()
        .filter_map(|(applies, warning)| applies.then_some(warning))
        .collect()
    }
}
