use std::time::Duration;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// Where Gemini is, and which models to ask.
#[derive(Debug, Clone)]
pub struct GeminiSettings {
    /// The key, which goes into a header only.
    pub api_key: SecretString,
    /// The model, such as `gemini-3.5-flash-lite`.
    pub model: String,
    /// Who is asked when that model cannot answer.
    pub fallback_model: Option<String>,
    /// Such as `https://generativelanguage.googleapis.com`.
    pub base_url: Url,
    /// Such as `v1beta`.
    pub api_version: String,
    /// How long to wait for what.
    pub timing: Timing,
}

/// How long to wait for what, apart from a call's own deadline.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// To open a connection: 3 s, which leaves room for one lost packet and
    /// its repetition.
    pub connect: Duration,
    /// For a place among the calls under way: 1 s.
    pub queue: Duration,
    /// Before the second attempt at least this, before each further one twice
    /// as long, plus up to as much again at random: 500 ms.
    pub backoff: Duration,
    /// An attempt is not begun with less time than this: 1 s.
    pub shortest_attempt: Duration,
    /// How long a model is left alone that is not well: 30 s.
    pub circuit_open: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            queue: Duration::from_secs(1),
            backoff: Duration::from_millis(500),
            shortest_attempt: Duration::from_secs(1),
            circuit_open: Duration::from_secs(30),
        }
    }
}

/// Why Gemini cannot be asked with these settings.
#[derive(Debug, thiserror::Error)]
pub enum GeminiSetupError {
    /// The key fits in no header.
    #[error("GEMINI_API_KEY is empty or holds characters that no HTTP header may")]
    Key,
    /// A name is not one.
    #[error("{0} must be made of letters, digits, '.', '_' and '-'")]
    Name(&'static str),
    /// The base is not one.
    #[error("GEMINI_BASE_URL must be an http or https URL")]
    BaseUrl,
    /// The HTTP client could not be made, for instance for want of root
    /// certificates.
    #[error("the HTTPS client cannot be set up")]
    Client(#[source] reqwest::Error),
}

impl GeminiSettings {
    /// The key as a header that debug output does not show.
    pub(super) fn key_header(&self) -> Result<HeaderValue, GeminiSetupError> {
        let key = self.api_key.expose_secret();
        let mut header = HeaderValue::from_str(key).map_err(|_| GeminiSetupError::Key)?;
        if key.trim().is_empty() {
            return Err(GeminiSetupError::Key);
        }
        header.set_sensitive(true);
        Ok(header)
    }

    /// Where to ask `model` to do `method`.
    pub(super) fn url(&self, model: &str, method: &str) -> Result<Url, GeminiSetupError> {
        let mut url = self.base_url.clone();
        if !matches!(url.scheme(), "http" | "https") {
            return Err(GeminiSetupError::BaseUrl);
        }
        url.set_query(None);
        url.set_fragment(None);
        url.path_segments_mut()
            .map_err(|()| GeminiSetupError::BaseUrl)?
            .pop_if_empty()
            .push(name("GEMINI_API_VERSION", &self.api_version)?)
            .push("models")
            .push(&format!("{}:{method}", name("the Gemini model", model)?));
        Ok(url)
    }
}

/// The name, if it can stand in a path as it is.
fn name<'a>(setting: &'static str, name: &'a str) -> Result<&'a str, GeminiSetupError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if !name.is_empty() && name != "." && name != ".." && name.bytes().all(fits) {
        Ok(name)
    } else {
        Err(GeminiSetupError::Name(setting))
    }
}
