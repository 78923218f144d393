use std::ffi::OsString;
use std::net::IpAddr;
use std::num::NonZeroU32;

use ipnet::IpNet;

use crate::config::env_reader::EnvReader;
use crate::config::settings::{self, Setting};
use crate::http::{RequestsPerMinute, TrustedProxies};

impl<V: Fn(&str) -> Option<OsString>> EnvReader<V> {
    pub(in crate::config) fn rate_limits(&mut self) -> RequestsPerMinute {
        RequestsPerMinute {
            reads: self.per_minute(&settings::RATE_LIMIT_READS),
            writes: self.per_minute(&settings::RATE_LIMIT_WRITES),
            insights: self.per_minute(&settings::RATE_LIMIT_INSIGHTS),
            failed_authentications: self.per_minute(&settings::RATE_LIMIT_FAILED_AUTHENTICATIONS),
        }
    }

    /// Returns true if no limit per principal is set explicitly.
    pub(in crate::config) fn has_default_rate_limits(&self) -> bool {
        ![
            &settings::RATE_LIMIT_READS,
            &settings::RATE_LIMIT_WRITES,
            &settings::RATE_LIMIT_INSIGHTS,
        ]
        .into_iter()
        .any(|setting| self.is_set(setting))
    }

    /// Reads a limit; `None` is unlimited.
    fn per_minute(&mut self, setting: &Setting) -> Option<NonZeroU32> {
        let text = self.value_or_default(setting);
        if text == "off" {
            return None;
        }
        let allowed = setting.allowed();
        let limit = text
            .parse()
            .ok()
            .filter(|limit: &NonZeroU32| allowed.contains(&limit.get().into()));
        if limit.is_none() {
            let (min, max) = allowed.into_inner();
            self.error(
                setting,
                format!("must be a number of requests per minute from {min} to {max}, or off"),
            );
        }
        limit
    }

    pub(in crate::config) fn trusted_proxies(&mut self) -> TrustedProxies {
        let Some(list) = self.text(&settings::TRUSTED_PROXIES) else {
            return TrustedProxies::default();
        };
        let network = |text: &str| {
            let text = text.trim();
            let single = || text.parse::<IpAddr>().map(IpNet::from);
            text.parse::<IpNet>().or_else(|_| single())
        };
        list.split(',')
            .map(network)
            .collect::<Result<_, _>>()
            .unwrap_or_else(|_| {
                self.error(
                    &settings::TRUSTED_PROXIES,
                    "must be addresses or networks separated by commas, such as 10.0.0.0/16",
                );
                TrustedProxies::default()
            })
    }
}
