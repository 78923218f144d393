//! Security and caching headers.

use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use tower_http::set_header::SetResponseHeaderLayer;

/// Content security policy of the documentation page: its own scripts, and inline
/// styles and images.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Headers of every response: `nosniff`, `no-store` unless the response says
/// otherwise, and HSTS behind HTTPS.
#[derive(Debug, Clone, Copy)]
pub struct SecurityHeaders {
    /// True if clients reach the service by HTTPS only.
    pub is_behind_https: bool,
}

impl SecurityHeaders {
    /// Adds the headers to those of a response.
    pub fn add_to(self, headers: &mut HeaderMap) {
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if !headers.contains_key(CACHE_CONTROL) {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        if self.is_behind_https {
            let a_year = HeaderValue::from_static("max-age=31536000");
            headers.insert(STRICT_TRANSPORT_SECURITY, a_year);
        }
    }
}

/// Adds the headers of the documentation page and the OpenAPI document, which
/// contain no data of users.
pub fn with_page_headers<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router
        .layer(always(CONTENT_SECURITY_POLICY, PAGE_POLICY))
        .layer(always(CACHE_CONTROL, "no-cache"))
}

fn always(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}
