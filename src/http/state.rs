use std::sync::Arc;

use crate::auth::{KeyRing, TokenVerifier};
use crate::domain::Clock;
use crate::http::access::{Pseudonymizer, RateLimits, TrustedProxies};
use crate::http::extract::CursorKeys;
use crate::http::liveness::LivenessBody;
use crate::http::overload::{AdmissionControl, LeasedStore, SchedulerLag};
use crate::http::readiness::Readiness;
use crate::insights::Insights;

/// What handlers work with; all requests share it.
pub type AppState = Arc<AppServices>;

/// What an answer may need.
pub struct AppServices {
    /// Where readings are kept.
    pub store: LeasedStore,
    /// Who answers questions.
    pub insights: Insights,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Whether the service can do its work.
    pub readiness: Arc<Readiness>,
    /// The keys that clients present.
    pub api_keys: Arc<KeyRing>,
    /// What cursors are signed with.
    pub cursor_keys: CursorKeys,
    /// Verifies the tokens that clients present instead, if any are taken.
    pub tokens: Option<Arc<TokenVerifier>>,
    /// How many requests are served at once.
    pub admission: AdmissionControl,
    /// Whether the cores are behind.
    pub scheduler_lag: SchedulerLag,
    /// How often clients may ask.
    pub limits: Arc<RateLimits>,
    /// Who is believed about where requests come from.
    pub trusted_proxies: TrustedProxies,
    /// Stand in for people's ids in audit events.
    pub pseudonyms: Pseudonymizer,
    /// What `/health` answers.
    pub liveness_body: LivenessBody,
}
