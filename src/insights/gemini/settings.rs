use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// Endpoint, models, credentials and timing of the Gemini API.
///
/// Validated here: names, by the type [`PathSegment`]; the key's characters and
/// the URL's scheme, by [`GeminiClient::new`](super::GeminiClient::new), which
/// turns them into a header and request URLs. The reader of the configuration
/// decides which hosts and schemes the environment permits, and reports errors
/// by variable.
#[derive(Debug, Clone)]
pub struct GeminiSettings {
    /// API key, sent only in the `x-goog-api-key` header.
    pub api_key: SecretString,
    /// Primary model, such as `gemini-3.5-flash-lite`.
    pub model: PathSegment,
    /// Model asked when the primary one cannot answer.
    pub fallback_model: Option<PathSegment>,
    /// `http` or `https` URL of the API, such as
    /// `https://generativelanguage.googleapis.com`. Its path is kept; its query
    /// and fragment are dropped.
    pub base_url: Url,
    /// API version, such as `v1beta`.
    pub api_version: PathSegment,
    /// Timeouts and delays.
    pub timing: Timing,
}

/// Name of a model or of an API version: one segment of a URL path.
///
/// 1 to 100 ASCII letters, digits, `.`, `_` and `-`, the first of them a letter
/// or a digit, so that a name can neither leave its segment nor need escaping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathSegment(String);

impl PathSegment {
    /// Maximum length in bytes.
    const MAX_LEN: usize = 100;

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PathSegment {
    type Err = PathSegmentError;

    fn from_str(name: &str) -> Result<Self, PathSegmentError> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let is_segment = name.len() <= Self::MAX_LEN
            && name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.bytes().all(is_allowed);
        if is_segment {
            Ok(Self(name.to_owned()))
        } else {
            Err(PathSegmentError)
        }
    }
}

impl fmt::Display for PathSegment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Text that is not a [`PathSegment`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a name such as gemini-3.5-flash-lite or v1beta: letters, digits, . _ -")]
pub struct PathSegmentError;

/// Timeouts and delays of a call, apart from its deadline.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// Connect timeout. Default 3 s: room for one lost SYN, which is
    /// retransmitted after 1 s (RFC 6298).
    pub connect: Duration,
    /// Maximum wait for one of the concurrent call slots. Default 1 s.
    pub queue: Duration,
    /// Minimum delay before the second attempt, doubled for each further one,
    /// plus random jitter of up to as much. Default 500 ms.
    pub backoff: Duration,
    /// Minimum time left for an attempt to start. Default 1 s.
    pub min_attempt: Duration,
    /// Time for which an open circuit breaker skips its model. Default 30 s.
    pub circuit_open: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            queue: Duration::from_secs(1),
            backoff: Duration::from_millis(500),
            min_attempt: Duration::from_secs(1),
            circuit_open: Duration::from_secs(30),
        }
    }
}

/// Error of setting up the client: the settings cannot make a request.
#[derive(Debug, thiserror::Error)]
pub enum GeminiSetupError {
    /// The key is empty or not a valid header value.
    #[error("GEMINI_API_KEY is empty or contains characters that are invalid in an HTTP header")]
    Key,
    /// The base URL is not an `http` or `https` URL.
    #[error("GEMINI_BASE_URL must be an http or https URL")]
    BaseUrl,
    /// The HTTP client could not be built, for instance because no root
    /// certificates were found.
    #[error("the HTTPS client cannot be set up")]
    Client(#[source] reqwest::Error),
}

impl GeminiSettings {
    /// Returns the key as a header value, marked sensitive so that debug output
    /// omits it.
    pub(super) fn key_header(&self) -> Result<HeaderValue, GeminiSetupError> {
        let key = self.api_key.expose_secret();
        let mut header = HeaderValue::from_str(key).map_err(|_| GeminiSetupError::Key)?;
        if key.trim().is_empty() {
            return Err(GeminiSetupError::Key);
        }
        header.set_sensitive(true);
        Ok(header)
    }

    /// Returns the URL of a model's `method`.
    pub(super) fn url(&self, model: &PathSegment, method: &str) -> Result<Url, GeminiSetupError> {
        let mut url = self.base_url.clone();
        if !matches!(url.scheme(), "http" | "https") {
            return Err(GeminiSetupError::BaseUrl);
        }
        url.set_query(None);
        url.set_fragment(None);
        url.path_segments_mut()
            .map_err(|()| GeminiSetupError::BaseUrl)?
            .pop_if_empty()
            .push(self.api_version.as_str())
            .push("models")
            .push(&format!("{model}:{method}"));
        Ok(url)
    }
}
