use std::sync::Arc;

use crate::auth::{KeyRing, TokenVerifier};
use crate::domain::Clock;
use crate::http::access::{Pseudonymizer, RateLimits, TrustedProxies};
use crate::http::extract::CursorKeys;
use crate::http::liveness::LivenessBody;
use crate::http::overload::{AdmissionControl, LeasedStore};
use crate::http::readiness::Readiness;
use crate::insights::Insights;

/// State shared by all requests.
pub type AppState = Arc<AppServices>;

/// Services and settings that handlers, extractors and layers use.
pub struct AppServices {
    /// Storage of readings.
    pub store: LeasedStore,
    /// Answers to questions.
    pub insights: Insights,
    /// Source of the current time.
    pub clock: Arc<dyn Clock>,
    /// Readiness of the service, for `/health/ready`.
    pub readiness: Arc<Readiness>,
    /// API keys of clients.
    pub api_keys: Arc<KeyRing>,
    /// Signing keys of pagination cursors.
    pub cursor_keys: CursorKeys,
    /// Verifier of bearer tokens, if an issuer is configured.
    pub tokens: Option<Arc<TokenVerifier>>,
    /// Limits on concurrency, time and memory per route class.
    pub admission: AdmissionControl,
    /// Rate limits per principal and per client address.
    pub rate_limits: Arc<RateLimits>,
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: TrustedProxies,
    /// Pseudonyms of users in audit events.
    pub pseudonymizer: Pseudonymizer,
    /// Response of `/health`.
    pub liveness_body: LivenessBody,
}
