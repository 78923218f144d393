//! Headers that tell browsers and caches to be careful.

use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use tower_http::set_header::SetResponseHeaderLayer;

/// What the page that shows the description may load: its own scripts, and the
/// styles and images within them.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// For every answer: its type is the one it says, it is kept nowhere unless it
/// says otherwise, and in production the next request comes by HTTPS too.
#[derive(Debug, Clone, Copy)]
pub struct SecurityHeaders {
    /// Whether clients reach the service by HTTPS alone.
    pub is_behind_https: bool,
}

impl SecurityHeaders {
    /// Adds them to an answer's.
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

/// For the description and its page, which hold nothing of anybody's.
pub fn with_page_headers<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router
        .layer(always(CONTENT_SECURITY_POLICY, PAGE_POLICY))
        .layer(always(CACHE_CONTROL, "no-cache"))
}

fn always(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}
