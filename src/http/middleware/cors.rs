//! Cross-origin requests from browsers (CORS).

use std::str::FromStr;
use std::time::Duration;

use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};
use url::{Host, Origin, Url};

use crate::http::headers::{API_KEY, RATE_LIMIT, RATE_LIMIT_POLICY, REQUEST_ID};

/// Time that a browser caches the result of a preflight request.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_secs(600);

/// Origins whose pages may call the API from a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// Any origin.
    Any,
    /// Pages that this machine itself serves, on any port. Any other page that a
    /// developer opens could use the known development key.
    Localhost,
    /// These origins, such as `https://app.example.com`; possibly none.
    Only(Vec<HeaderValue>),
}

/// Error of a list of origins.
#[derive(Debug, thiserror::Error)]
#[error(
    "must be *, localhost, or origins separated by commas, such as https://app.example.com: as browsers send them, without a path"
)]
pub struct InvalidOriginError;

/// Parses `*`, `localhost`, or a list of origins separated by commas.
impl FromStr for AllowedOrigins {
    type Err = InvalidOriginError;

    fn from_str(list: &str) -> Result<Self, InvalidOriginError> {
        match list.trim() {
            "*" => return Ok(Self::Any),
            "localhost" => return Ok(Self::Localhost),
            _ => {}
        }
        let origins = list.split(',').map(|text| {
            let text = text.trim();
            match HeaderValue::from_str(text) {
                Ok(origin) if parse_origin(text).is_some() => Ok(origin),
                _ => Err(InvalidOriginError),
            }
        });
        origins.collect::<Result<_, _>>().map(Self::Only)
    }
}

/// Parses an origin as browsers serialize it: in lower case, without a default port, a
/// path or a final slash.
fn parse_origin(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let origin = url.origin();
    let is_origin = matches!(origin, Origin::Tuple(..))
        && origin.ascii_serialization() == text
        && !text.contains('*');
    is_origin.then_some(url)
}

/// Returns true for an origin whose host is this machine: `localhost`, a name below it
/// (RFC 6761, section 6.3), or a loopback address.
fn is_localhost(origin: &HeaderValue) -> bool {
    let Some(url) = origin.to_str().ok().and_then(parse_origin) else {
        return false;
    };
    let is_local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    matches!(url.scheme(), "http" | "https") && is_local
}

/// Builds the CORS layer. It does not allow browser-managed credentials such as
/// cookies: a page must send an API key or a token itself.
pub fn cors_layer(origins: &AllowedOrigins) -> CorsLayer {
    let origins = match origins {
        AllowedOrigins::Any => AllowOrigin::any(),
        AllowedOrigins::Localhost => AllowOrigin::predicate(|origin, _| is_localhost(origin)),
        AllowedOrigins::Only(origins) => AllowOrigin::list(origins.iter().cloned()),
    };
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([ACCEPT, AUTHORIZATION, CONTENT_TYPE, API_KEY, REQUEST_ID])
        .expose_headers([
            CONTENT_DISPOSITION,
            RETRY_AFTER,
            RATE_LIMIT,
            RATE_LIMIT_POLICY,
            REQUEST_ID,
        ])
        .max_age(PREFLIGHT_MAX_AGE)
}
