use std::ffi::OsString;
use std::time::Duration;

use url::{Host, Url};

use crate::config::env_reader::EnvReader;
use crate::config::settings::{self, Setting};
use crate::insights::gemini::{GeminiSettings, PathSegment, PathSegmentError, Timing};

/// Configuration of insights.
#[derive(Debug)]
pub struct InsightConfig {
    /// Gemini, if there is a key for it.
    pub gemini: Option<GeminiSettings>,
    /// Time within which a question is answered.
    pub deadline: Duration,
    /// Time for which Gemini's answers are cached; zero disables the cache.
    pub cache_ttl: Duration,
}

impl<V: Fn(&str) -> Option<OsString>> EnvReader<V> {
    pub(in crate::config) fn insights(&mut self) -> InsightConfig {
        InsightConfig {
            gemini: self.gemini(),
            deadline: self.seconds(&settings::INSIGHT_DEADLINE),
            cache_ttl: self.seconds(&settings::INSIGHT_CACHE_TTL),
        }
    }

    fn gemini(&mut self) -> Option<GeminiSettings> {
        // All are read, so that all errors are reported without a key too.
        let model = self.model(&settings::GEMINI_MODEL);
        let fallback_model = self.model(&settings::GEMINI_FALLBACK_MODEL);
        let api_version = self.model(&settings::GEMINI_API_VERSION);
        let base_url = self.gemini_url();
        let api_key = self.text(&settings::GEMINI_API_KEY)?;
        if !api_key.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.error(
                &settings::GEMINI_API_KEY,
                "must be visible ASCII characters, as it is sent in a header",
            );
        }
        Some(GeminiSettings {
            api_key: api_key.into(),
            model: model?,
            fallback_model,
            base_url: base_url?,
            api_version: api_version?,
            timing: Timing::default(),
        })
    }

    fn model(&mut self, setting: &Setting) -> Option<PathSegment> {
        let name = self.value(setting)?.parse();
        name.map_err(|error: PathSegmentError| self.error(setting, error.to_string()))
            .ok()
    }

    /// Reads the URL to which readings are sent: encrypted, or to this host in
    /// development.
    fn gemini_url(&mut self) -> Option<Url> {
        let setting = &settings::GEMINI_BASE_URL;
        let is_local = |url: &Url| match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let text = self.value_or_default(setting);
        let url = Url::parse(&text).ok().filter(|url| {
            url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && match url.scheme() {
                    "https" => url.has_host(),
                    "http" => !self.is_production() && is_local(url),
                    _ => false,
                }
        });
        if url.is_none() {
            self.error(
                setting,
                "must be an https URL without user or query; in development also http on this host",
            );
        }
        url
    }
}
