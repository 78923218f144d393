use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::time::Duration;

use secrecy::SecretString;
use url::{Host, Url};

use crate::config::Environment;
use crate::config::env_reader::EnvReader;

/// How questions are answered.
#[derive(Debug)]
pub struct InsightConfig {
    /// Gemini, if there is a key for it.
    pub gemini: Option<GeminiConfig>,
    /// How long an answer may take.
    pub deadline: Duration,
    /// How long an answer of Gemini's is remembered; zero for not at all.
    pub cache_ttl: Duration,
}

/// Where Gemini is, and which models to ask.
#[derive(Debug)]
pub struct GeminiConfig {
    /// The key.
    pub api_key: SecretString,
    /// The model to ask.
    pub model: String,
    /// The model to ask when that one cannot answer.
    pub fallback_model: Option<String>,
    /// Where the API is.
    pub base_url: Url,
    /// Its version.
    pub api_version: String,
}

const DEFAULT_BASE_URL: &str = "https://generativelanguage.googleapis.com";

/// In seconds. In less no model answers; longer than a load balancer's minute
/// nobody waits.
const DEADLINES: RangeInclusive<u64> = 2..=55;
/// In seconds; a day at most.
const CACHE_TTLS: RangeInclusive<u64> = 0..=86_400;

impl<V: Fn(&str) -> Option<OsString>> EnvReader<V> {
    pub(in crate::config) fn insights(&mut self, environment: Environment) -> InsightConfig {
        let model = self.model("GEMINI_MODEL");
        let fallback_model = self.model("GEMINI_FALLBACK_MODEL");
        let api_version = self.model("GEMINI_API_VERSION");
        let base_url = self.base_url(environment);
        let api_key = self.text("GEMINI_API_KEY");
        if api_key
            .as_ref()
            .is_some_and(|key| !key.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            self.error(
                "GEMINI_API_KEY",
                "must be visible ASCII characters, as it travels in a header",
            );
        }
        InsightConfig {
            // Without a URL there is a fault, and no service.
            gemini: api_key.zip(base_url).map(|(key, base_url)| GeminiConfig {
                api_key: key.into(),
                model: model.unwrap_or_else(|| "gemini-3.5-flash-lite".to_owned()),
                fallback_model,
                base_url,
                api_version: api_version.unwrap_or_else(|| "v1beta".to_owned()),
            }),
            deadline: self.seconds("INSIGHT_DEADLINE", 25, DEADLINES),
            cache_ttl: self.seconds("INSIGHT_CACHE_TTL", 600, CACHE_TTLS),
        }
    }

    /// The name of a model or a version, which becomes part of a path.
    fn model(&mut self, variable: &'static str) -> Option<String> {
        let name = self.text(variable)?;
        let is_name = name.len() <= 100
            && name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if !is_name {
            self.error(
                variable,
                "must be a name such as gemini-3.5-flash-lite or v1beta: letters, digits, . _ -",
            );
        }
        Some(name)
    }

    /// Readings leave the service on this way: only encrypted, or to the own
    /// machine while developing.
    fn base_url(&mut self, environment: Environment) -> Option<Url> {
        const NAME: &str = "GEMINI_BASE_URL";
        let text = self
            .text(NAME)
            .unwrap_or_else(|| DEFAULT_BASE_URL.to_owned());
        let is_own_machine = |url: &Url| match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let url = Url::parse(&text).ok().filter(|url| {
            url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && match url.scheme() {
                    "https" => url.has_host(),
                    "http" => environment == Environment::Development && is_own_machine(url),
                    _ => false,
                }
        });
        if url.is_none() {
            self.error(
                NAME,
                format!("must be an https URL such as {DEFAULT_BASE_URL}, without user or query; in development also http on the own machine"),
            );
        }
        url
    }
}
