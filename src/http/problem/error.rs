//! Every error that a client can meet, and how it is told.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::batch_item::BatchItemResult;
use super::rate_limited::RateLimited;
use super::validation::{FieldError, ValidationErrors};
use crate::auth::KEY_SET_MIN_REFRESH_INTERVAL;
use crate::http::headers::{RATE_LIMIT, RATE_LIMIT_POLICY};
use crate::store::StoreError;
use crate::telemetry::metrics::names;

/// Why a request was not served.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The body is no JSON text.
    #[error("the body is not JSON: {0}")]
    InvalidJson(Cow<'static, str>),
    /// The body ended before it was whole.
    #[error("the body did not arrive whole")]
    IncompleteBody,
    /// No credential, or not a valid one.
    #[error("send a valid key in the header X-API-Key, or a valid token as Authorization: Bearer")]
    Unauthorized,
    /// The principal may not do this, or not for this user.
    #[error("you may not do this, or not for this user")]
    Forbidden,
    /// The principal asked too often, or the address failed too often.
    #[error("too many requests; try again later")]
    TooManyRequests(RateLimited),
    /// The issuer of tokens could not be asked for the key of this one.
    #[error("the issuer of tokens could not be asked for its keys")]
    IssuerUnavailable,
    /// No route has this path.
    #[error("there is nothing at this path; see /docs")]
    RouteNotFound,
    /// The user has no reading of this id.
    #[error("this user has no reading with this id")]
    ReadingNotFound,
    /// The path is right, the method is not.
    #[error("this path does not take this method; see the header Allow")]
    MethodNotAllowed,
    /// The body is larger than any valid one, of at most so many bytes.
    #[error("the body must not be larger than {0} bytes")]
    BodyTooLarge(usize),
    /// The body is declared to be something else.
    #[error("send JSON, with the header Content-Type: application/json")]
    UnsupportedMediaType,
    /// The request is understood but breaks rules.
    #[error("{0}")]
    Invalid(ValidationErrors),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store failed on some readings of a batch.
    #[error("a batch could not be stored whole")]
    BatchInterrupted {
        /// How it failed on one of them.
        source: StoreError,
        /// What became of each.
        results: Vec<BatchItemResult>,
    },
    /// The body takes longer to arrive than a request may.
    #[error("the body took too long to arrive")]
    BodyTimeout,
    /// The service is at its limit; made by [`Self::overloaded`].
    #[error("the service is at its limit")]
    Overloaded,
    /// It was given up when its time was over.
    #[error("this took too long, and may have been done or not; it is safe to send it again")]
    DeadlineExceeded,
    /// It takes longer than a request may.
    #[error("this takes longer than a request may; ask for a shorter range or fewer data types")]
    QueryTooExpensive,
    /// The answer could not be written.
    #[error("the answer could not be written")]
    Serialization(#[source] serde_json::Error),
    /// The handler panicked.
    #[error("the handler panicked")]
    Panicked,
    /// A bug in how the service is put together, such as a missing layer.
    #[error("internal error: {0}")]
    Internal(&'static str),
}

impl From<RateLimited> for ApiError {
    fn from(limit: RateLimited) -> Self {
        Self::TooManyRequests(limit)
    }
}

impl ApiError {
    /// That the service is at a limit, which is counted by its name.
    pub fn overloaded(limit: &'static str) -> Self {
        metrics::counter!(names::REQUESTS_SHED.name, "limit" => limit).increment(1);
        Self::Overloaded
    }

    /// The status, and the code that clients and metrics may rest on.
    pub fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::InvalidJson(_) => (StatusCode::BAD_REQUEST, "invalid_json"),
            Self::IncompleteBody => (StatusCode::BAD_REQUEST, "incomplete_body"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
            Self::TooManyRequests(_) => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"),
            Self::RouteNotFound => (StatusCode::NOT_FOUND, "unknown_path"),
            Self::ReadingNotFound => (StatusCode::NOT_FOUND, "reading_not_found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::BodyTooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
            Self::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type")
            }
            Self::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "validation_failed"),
            Self::IssuerUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "issuer_unavailable"),
            Self::BodyTimeout => (StatusCode::REQUEST_TIMEOUT, "body_too_slow"),
            Self::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "overloaded"),
            Self::QueryTooExpensive | Self::DeadlineExceeded => {
                (StatusCode::GATEWAY_TIMEOUT, "deadline_exceeded")
            }
            Self::Store(source) | Self::BatchInterrupted { source, .. }
                if source.is_retryable() =>
            {
                (StatusCode::SERVICE_UNAVAILABLE, "store_unavailable")
            }
            Self::Store(_)
            | Self::BatchInterrupted { .. }
            | Self::Serialization(_)
            | Self::Panicked
            | Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal_error"),
        }
    }

    /// What the client is told: of its own errors everything, of ours nothing.
    fn detail(&self, status: StatusCode) -> Cow<'static, str> {
        match status {
            StatusCode::INTERNAL_SERVER_ERROR => {
                "The service failed; report the request id.".into()
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                "The service cannot do this at the moment; try again shortly.".into()
            }
            _ => {
                let mut detail = self.to_string();
                if let Some(first) = detail.get_mut(..1) {
                    first.make_ascii_uppercase();
                }
                detail.push('.');
                detail.into()
            }
        }
    }

    /// The answer to the request of this id.
    fn to_problem(&self, request_id: &str) -> Problem {
        let (status, code) = self.status_and_code();
        Problem {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: self.detail(status),
            code,
            request_id: request_id.to_owned(),
            success: false,
            errors: match self {
                Self::Invalid(errors) => errors.as_slice().to_vec(),
                _ => Vec::new(),
            },
            results: match self {
                Self::BatchInterrupted { results, .. } => results.clone(),
                _ => Vec::new(),
            },
        }
    }
}

/// An error as every client gets it: `application/problem+json` (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: `code` tells what kind it is.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    kind: &'static str,
    /// The name of the status.
    #[schema(example = "Unprocessable Entity")]
    title: &'static str,
    /// The status.
    #[schema(example = 422)]
    status: u16,
    /// What is wrong, for a person.
    #[schema(value_type = String, example = "/value must be a JSON number.")]
    detail: Cow<'static, str>,
    /// What is wrong, for a program; it never changes.
    #[schema(example = "validation_failed")]
    code: &'static str,
    /// The id of the request, as in the header `x-request-id`.
    #[schema(example = "5f0c7d3e-6a53-4a4e-9a6b-0c6f5cf0c9b1")]
    request_id: String,
    /// Always `false`.
    #[schema(example = false)]
    success: bool,
    /// With 422: each rule that was broken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// Where the store failed on a batch: what became of each reading.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    results: Vec<BatchItemResult>,
}

/// The error itself travels in the response's extensions; the outermost layer
/// knows the request's id, logs the cause, and calls [`into_problem`].
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, _) = self.status_and_code();
        let mut response = status.into_response();
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110, section 15.5.2 requires a challenge.
            response
                .headers_mut()
                .insert(WWW_AUTHENTICATE, HeaderValue::from_static("X-API-Key"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let seconds = match self {
                // Sooner it is not asked again.
                Self::IssuerUnavailable => KEY_SET_MIN_REFRESH_INTERVAL.as_secs(),
                _ => 1,
            };
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        if let Self::TooManyRequests(limit) = &self {
            for (name, value) in [
                (RETRY_AFTER, limit.retry_after()),
                (RATE_LIMIT, limit.rate_limit()),
                (RATE_LIMIT_POLICY, limit.rate_limit_policy()),
            ] {
                if let Ok(value) = HeaderValue::from_str(&value) {
                    response.headers_mut().insert(name, value);
                }
            }
        }
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// The error behind a response, if there is one.
pub fn error_of(response: &Response) -> Option<Arc<ApiError>> {
    response.extensions().get::<Arc<ApiError>>().cloned()
}

/// The error as the problem document of the request of this id.
pub fn problem_json(error: &ApiError, request_id: &str) -> Vec<u8> {
    serde_json::to_vec(&error.to_problem(request_id)).unwrap_or_default()
}

/// Gives the response of an error its body.
pub fn into_problem(response: &mut Response, error: &ApiError, request_id: &str) {
    let problem = problem_json(error, request_id);
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    *response.body_mut() = Body::from(problem);
}
