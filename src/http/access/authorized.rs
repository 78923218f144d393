//! What the sender of a request may do.
//!
//! Authentication leaves an [`AccessGrant`] with every request it lets in. A handler
//! takes a [`Authorized`] as its first argument, which needs a scope; and the
//! extractors that hand it user ids, from a path or a body, hand it none that
//! the sender may not act for.

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

/// What a handler does, and so which scope it needs and what it costs.
pub trait Operation: Send + Sync + 'static {
    /// The scope.
    const SCOPE: Scope;
    /// Which limit it counts against.
    const BUCKET: RateLimitBucket;
}

/// Defines kinds of operations.
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
    /// Reading readings.
    ReadData needs Scope::ReadData, counts as RateLimitBucket::Read;
    /// Storing readings.
    WriteData needs Scope::WriteData, counts as RateLimitBucket::Write;
    /// Deleting readings.
    EraseData needs Scope::EraseData, counts as RateLimitBucket::Write;
    /// Answering questions.
    QueryInsights needs Scope::Insights, counts as RateLimitBucket::Insight;
}

/// That the sender may do `O`, for the users that extractors hand out.
///
/// While one is held, the access goes on.
pub struct Authorized<O> {
    grant: Arc<AccessGrant>,
    operation: PhantomData<O>,
}

impl<O> Authorized<O> {
    /// Notes for the audit that so many more readings of the user whom the
    /// request is about were given out or deleted.
    pub fn count(&self, readings: u64) {
        self.grant.record.count(readings);
    }

    /// Notes for the audit that what was begun has failed.
    pub fn fail(&self, error: &ApiError) {
        self.grant.record.finish(error.status_and_code().0);
    }
}

impl<O: Operation> FromRequestParts<AppState> for Authorized<O> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let grant = AccessGrant::from_extensions(&parts.extensions)?;
        let principal = grant.record.principal();
        state.limits.check(&principal.id, O::BUCKET)?;
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

/// A request that was let in.
pub struct AccessGrant {
    record: AuditRecord,
}

impl AccessGrant {
    /// The access that this is the record of.
    pub fn new(record: AuditRecord) -> Self {
        Self { record }
    }

    /// Notes how the request was answered.
    pub fn finish(&self, status: StatusCode) {
        self.record.finish(status);
    }

    /// The access of the request with these extensions.
    ///
    /// # Errors
    /// When it was not let in.
    pub fn from_extensions(extensions: &Extensions) -> Result<&Arc<Self>, ApiError> {
        extensions.get().ok_or(ApiError::Unauthorized)
    }

    /// Asks whether the request may be about this user, of whom it brings so
    /// many readings.
    ///
    /// # Errors
    /// When it may not.
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
