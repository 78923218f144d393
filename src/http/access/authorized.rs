//! Authorization of requests.
//!
//! Authentication leaves an [`AccessGrant`] in the extensions of each request. A
//! handler takes [`Authorized`] as its first argument, which checks the rate
//! limit and the scope. Extractors of user ids, from path or body, check the
//! users of the principal and record the access for the audit.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, StatusCode};

use super::audit::AuditRecord;
use super::rate_limit::RateLimitBucket;
use crate::auth::Scope;
use crate::domain::UserId;
use crate::http::problem::ApiError;
use crate::http::state::AppState;

/// Operation of a handler, with its scope and rate limit.
pub trait Operation: Send + Sync + 'static {
    /// Scope that the operation requires.
    const SCOPE: Scope;
    /// Rate limit that the operation counts against.
    const BUCKET: RateLimitBucket;
}

/// Defines the operations.
macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident needs $scope:expr, counts as $bucket:expr;)+) => {
        $(
            $(#[$doc])*
            pub struct $name;

            impl Operation for $name {
                const SCOPE: Scope = $scope;
                const BUCKET: RateLimitBucket = $bucket;
            }
        )+
    };
}

operations! {
    /// Reads readings.
    ReadData needs Scope::ReadData, counts as RateLimitBucket::Read;
    /// Creates readings.
    WriteData needs Scope::WriteData, counts as RateLimitBucket::Write;
    /// Deletes readings.
    EraseData needs Scope::EraseData, counts as RateLimitBucket::Write;
    /// Answers questions.
    QueryInsights needs Scope::Insights, counts as RateLimitBucket::Insight;
}

/// Proof that the principal may perform `O` for the users that extractors return.
///
/// It shares the audit record, which is written when the last holder is dropped, so a
/// stream keeps it.
pub struct Authorized<O> {
    grant: Arc<AccessGrant>,
    operation: PhantomData<O>,
}

impl<O> Authorized<O> {
    /// Adds returned or deleted readings of the user that the request is about to
    /// the audit record.
    pub fn count(&self, readings: u64) {
        self.grant.record.count(readings);
    }

    /// Records in the audit record that a response failed after it had started.
    pub fn fail(&self, error: &ApiError) {
        self.grant.record.finish(error.status_and_code().0);
    }
}

impl<O: Operation> FromRequestParts<AppState> for Authorized<O> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let grant = AccessGrant::from_extensions(&parts.extensions)?;
        let principal = grant.record.principal();
        state.rate_limits.check(&principal.id, O::BUCKET)?;
        if principal.scopes.contains(O::SCOPE) {
            Ok(Self {
                grant: Arc::clone(grant),
                operation: PhantomData,
            })
        } else {
            Err(ApiError::Forbidden)
        }
    }
}

/// Access of an authenticated request.
pub struct AccessGrant {
    record: AuditRecord,
}

impl AccessGrant {
    /// Creates the grant of the request with this audit record.
    pub fn new(record: AuditRecord) -> Self {
        Self { record }
    }

    /// Records the status of the response in the audit record.
    pub fn finish(&self, status: StatusCode) {
        self.record.finish(status);
    }

    /// Returns the grant that authentication left in the extensions of a request.
    ///
    /// # Errors
    /// Fails if the request is not authenticated.
    pub fn from_extensions(extensions: &Extensions) -> Result<&Arc<Self>, ApiError> {
        extensions.get().ok_or(ApiError::Unauthorized)
    }

    /// Checks that the principal may act for the user, and records the access to
    /// `readings` of them.
    ///
    /// # Errors
    /// Fails if it may not.
    pub fn authorize(&self, user_id: &UserId, readings: u64) -> Result<(), ApiError> {
        if self.record.principal().users.contains(user_id) {
            self.record.add_user(user_id, readings);
            Ok(())
        } else {
            self.record.deny(user_id);
            Err(ApiError::Forbidden)
        }
    }
}
