//! What the sender of a request may do.
//!
//! Authentication leaves an [`Access`] with every request it lets in. A handler
//! takes a [`Permission`] as its first argument, which needs a scope; and the
//! extractors that hand it user ids, from a path or a body, hand it none that
//! the sender may not act for.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, StatusCode};

use super::audit::AuditRecord;
use super::rate_limit::Class;
use crate::auth::Scope;
use crate::domain::UserId;
use crate::http::problem::ApiError;
use crate::http::state::AppState;

/// What a handler does, and so which scope it needs and what it costs.
pub trait Operation: Send + Sync + 'static {
    /// The scope.
    const SCOPE: Scope;
    /// Which limit it counts against.
    const CLASS: Class;
}

/// Defines kinds of operations.
macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident needs $scope:expr, costs $class:expr;)+) => {
        $(
            $(#[$doc])*
            pub struct $name;

            impl Operation for $name {
                const SCOPE: Scope = $scope;
                const CLASS: Class = $class;
            }
        )+
    };
}

operations! {
    /// Reading readings.
    ReadData needs Scope::ReadData, costs Class::Read;
    /// Storing readings.
    WriteData needs Scope::WriteData, costs Class::Write;
    /// Deleting readings.
    EraseData needs Scope::EraseData, costs Class::Write;
    /// Answering questions.
    AskInsights needs Scope::Insights, costs Class::Insight;
}

/// That the sender may do `O`, for the users that extractors hand out.
///
/// While one is held, the access goes on.
pub struct Permission<O> {
    access: Arc<Access>,
    operation: PhantomData<O>,
}

impl<O> Permission<O> {
    /// Notes for the audit that so many more readings of the user whom the
    /// request is about were given out or deleted.
    pub fn count(&self, readings: u64) {
        self.access.record.count(readings);
    }

    /// Notes for the audit that what was begun has failed.
    pub fn failed(&self, error: &ApiError) {
        self.access.record.answered(error.status_and_code().0);
    }
}

impl<O: Operation> FromRequestParts<AppState> for Permission<O> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let access = Access::of(&parts.extensions)?;
        let principal = access.record.principal();
        state.limits.take(&principal.id, O::CLASS)?;
        if principal.scopes.contains(O::SCOPE) {
            Ok(Self {
                access: Arc::clone(access),
                operation: PhantomData,
            })
        } else {
            Err(ApiError::Forbidden)
        }
    }
}

/// A request that was let in.
pub struct Access {
    record: AuditRecord,
}

impl Access {
    /// The access that this is the record of.
    pub fn new(record: AuditRecord) -> Self {
        Self { record }
    }

    /// Notes how the request was answered.
    pub fn answered(&self, status: StatusCode) {
        self.record.answered(status);
    }

    /// The access of the request with these extensions.
    ///
    /// # Errors
    /// When it was not let in.
    pub fn of(extensions: &Extensions) -> Result<&Arc<Self>, ApiError> {
        extensions.get().ok_or(ApiError::Unauthorized)
    }

    /// Asks whether the request may be about this user, of whom it brings so
    /// many readings.
    ///
    /// # Errors
    /// When it may not.
    pub fn permit(&self, user_id: &UserId, readings: u64) -> Result<(), ApiError> {
        if self.record.principal().users.contains(user_id) {
            self.record.add(user_id, readings);
            Ok(())
        } else {
            self.record.refuse(user_id);
            Err(ApiError::Forbidden)
        }
    }
}
