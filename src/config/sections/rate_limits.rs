use std::ffi::OsString;
use std::net::IpAddr;
use std::num::NonZeroU32;

use ipnet::IpNet;

use crate::config::Environment;
use crate::config::env_reader::EnvReader;

/// How many requests a minute; `None` is no limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitConfig {
    /// Reads of one principal.
    pub reads: Option<NonZeroU32>,
    /// Writes and deletions of one principal; a batch counts one.
    pub writes: Option<NonZeroU32>,
    /// Questions of one principal.
    pub insights: Option<NonZeroU32>,
    /// Failed authentications of one client address.
    pub failed_authentications: Option<NonZeroU32>,
    /// Whether nobody chose how often principals may ask.
    pub is_default: bool,
    /// Proxies that are believed about a client's address.
    pub trusted_proxies: Vec<IpNet>,
}

/// The highest limit, a minute.
const MAX_PER_MINUTE: u32 = 1_000_000;

impl<V: Fn(&str) -> Option<OsString>> EnvReader<V> {
    pub(in crate::config) fn limits(&mut self, environment: Environment) -> LimitConfig {
        let names = [
            "RATE_LIMIT_READS",
            "RATE_LIMIT_WRITES",
            "RATE_LIMIT_INSIGHTS",
        ];
        let is_default = names.iter().all(|name| self.text(name).is_none());
        let mut limit =
            |variable, in_production| self.per_minute(variable, environment, in_production);
        LimitConfig {
            reads: limit("RATE_LIMIT_READS", 600),
            writes: limit("RATE_LIMIT_WRITES", 1_200),
            insights: limit("RATE_LIMIT_INSIGHTS", 30),
            failed_authentications: limit("RATE_LIMIT_FAILED_AUTHENTICATIONS", 20),
            is_default,
            trusted_proxies: self.trusted_proxies(),
        }
    }

    /// On somebody's own machine nobody else is kept waiting: no limit, unless
    /// one is asked for.
    fn per_minute(
        &mut self,
        variable: &'static str,
        environment: Environment,
        in_production: u32,
    ) -> Option<NonZeroU32> {
        let Some(text) = self.text(variable) else {
            return match environment {
                Environment::Development => None,
                Environment::Production => NonZeroU32::new(in_production),
            };
        };
        if text == "off" {
            return None;
        }
        let limit = text
            .parse()
            .ok()
            .filter(|limit: &NonZeroU32| limit.get() <= MAX_PER_MINUTE);
        if limit.is_none() {
            self.error(
                variable,
                format!("must be a number of requests a minute from 1 to {MAX_PER_MINUTE}, or off"),
            );
        }
        limit
    }

    fn trusted_proxies(&mut self) -> Vec<IpNet> {
        const NAME: &str = "TRUSTED_PROXIES";
        let Some(list) = self.text(NAME) else {
            return Vec::new();
        };
        let network = |text: &str| {
            let text = text.trim();
            let one = || text.parse::<IpAddr>().map(IpNet::from);
            text.parse::<IpNet>().or_else(|_| one())
        };
        list.split(',')
            .map(network)
            .collect::<Result<_, _>>()
            .unwrap_or_else(|_| {
                self.error(
                    NAME,
                    "must be addresses or networks separated by commas, such as 10.0.0.0/16",
                );
                Vec::new()
            })
    }
}
