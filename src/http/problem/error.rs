//! Errors that clients see, and their problem documents.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::batch_item::BatchItemResult;
use super::code::{self, ErrorCode};
use super::rate_limited::RateLimited;
use super::validation::{FieldError, ValidationErrors};
use crate::auth::KEY_SET_MIN_REFRESH_INTERVAL;
use crate::http::headers::{RATE_LIMIT, RATE_LIMIT_POLICY};
use crate::store::StoreError;
use crate::telemetry::metrics::names;

/// Error of a request.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The request is not valid HTTP/1.1.
    #[error("the request is not valid HTTP/1.1")]
    MalformedRequest,
    /// `Host` is missing, repeated or invalid.
    #[error("invalid request target; send exactly one valid header Host")]
    InvalidHost,
    /// The request header did not arrive in time.
    #[error("the request header arrived too slowly")]
    HeaderTimeout,
    /// The request header is too large.
    #[error("the request header is too large, or has too many fields")]
    HeaderTooLarge,
    /// The transfer encoding is something other than `chunked`.
    #[error("unsupported transfer encoding; send Content-Length, or Transfer-Encoding: chunked")]
    UnsupportedTransferEncoding,
    /// The body is not valid JSON.
    #[error("invalid JSON: {0}")]
    InvalidJson(Cow<'static, str>),
    /// The connection ended before the body did.
    #[error("the request body is incomplete")]
    IncompleteBody,
    /// Missing or invalid credential, or more than one.
    #[error(
        "missing or invalid credential; send an API key in X-API-Key or a token in Authorization: Bearer"
    )]
    Unauthorized,
    /// The principal lacks the scope, or may not act for the user.
    #[error("permission denied for this operation or user")]
    Forbidden,
    /// Rate limit of a principal, or of failed authentications of an address.
    #[error("rate limit exceeded; see the header Retry-After")]
    TooManyRequests(RateLimited),
    /// The signing keys of the token issuer could not be fetched.
    #[error("the keys of the token issuer are unavailable")]
    IssuerUnavailable,
    /// No route matches the path.
    #[error("no such endpoint; see /docs")]
    RouteNotFound,
    /// The user has no reading with this id.
    #[error("no such reading for this user")]
    ReadingNotFound,
    /// The route does not support the method.
    #[error("method not allowed for this path; see the header Allow")]
    MethodNotAllowed,
    /// The body exceeds this many bytes.
    #[error("the request body exceeds {0} bytes")]
    BodyTooLarge(usize),
    /// The body is not declared as JSON.
    #[error("unsupported media type; send JSON with the header Content-Type: application/json")]
    UnsupportedMediaType,
    /// The body has a content encoding.
    #[error("unsupported content encoding; send the body without Content-Encoding")]
    UnsupportedContentEncoding,
    /// The request violates validation rules.
    #[error("{0}")]
    Invalid(ValidationErrors),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store failed for some readings of a batch.
    #[error("some readings of a batch could not be stored")]
    BatchInterrupted {
        /// One of the failures, preferably a retryable one.
        source: StoreError,
        /// Result of each reading.
        results: Vec<BatchItemResult>,
    },
    /// The body did not arrive within the request's deadline.
    #[error("the request body arrived too slowly")]
    BodyTimeout,
    /// The request was shed; constructed by [`Self::overloaded`].
    #[error("the service is at capacity")]
    Overloaded,
    /// The request exceeded its deadline.
    #[error("request timed out; its outcome is unknown and it is safe to retry")]
    DeadlineExceeded,
    /// The range holds more readings than one request can process in time.
    #[error("the query takes too long; request a shorter range or fewer data types")]
    QueryTooExpensive,
    /// The response could not be serialized.
    #[error("the response could not be serialized")]
    Serialization(#[source] serde_json::Error),
    /// The handler panicked.
    #[error("the handler panicked")]
    Panicked,
    /// A bug in how the service is wired, such as a missing layer.
    #[error("internal error: {0}")]
    Internal(&'static str),
}

impl From<RateLimited> for ApiError {
    fn from(limit: RateLimited) -> Self {
        Self::TooManyRequests(limit)
    }
}

impl ApiError {
    /// Returns [`Self::Overloaded`] and counts the shed request under the name of
    /// the exceeded limit.
    pub fn overloaded(limit: &'static str) -> Self {
        metrics::counter!(names::REQUESTS_SHED.name, "limit" => limit).increment(1);
        Self::Overloaded
    }

    /// Returns true if the request was rejected before any work for it: a client that
    /// repeats it at once takes capacity from others.
    pub fn is_rejection(&self) -> bool {
        matches!(self, Self::Overloaded | Self::TooManyRequests(_))
    }

    /// Returns the entry of the table of error codes.
    fn code(&self) -> ErrorCode {
        match self {
            Self::MalformedRequest => code::MALFORMED_REQUEST,
            Self::InvalidHost => code::INVALID_HOST,
            Self::HeaderTimeout => code::HEADER_TOO_SLOW,
            Self::HeaderTooLarge => code::HEADER_TOO_LARGE,
            Self::UnsupportedTransferEncoding => code::UNSUPPORTED_TRANSFER_ENCODING,
            Self::UnsupportedContentEncoding => code::UNSUPPORTED_CONTENT_ENCODING,
            Self::InvalidJson(_) => code::INVALID_JSON,
            Self::IncompleteBody => code::INCOMPLETE_BODY,
            Self::Unauthorized => code::UNAUTHORIZED,
            Self::Forbidden => code::FORBIDDEN,
            Self::TooManyRequests(_) => code::TOO_MANY_REQUESTS,
            Self::RouteNotFound => code::UNKNOWN_PATH,
            Self::ReadingNotFound => code::READING_NOT_FOUND,
            Self::MethodNotAllowed => code::METHOD_NOT_ALLOWED,
            Self::BodyTooLarge(_) => code::BODY_TOO_LARGE,
            Self::UnsupportedMediaType => code::UNSUPPORTED_MEDIA_TYPE,
            Self::Invalid(_) => code::VALIDATION_FAILED,
            Self::IssuerUnavailable => code::ISSUER_UNAVAILABLE,
            Self::BodyTimeout => code::BODY_TOO_SLOW,
            Self::Overloaded => code::OVERLOADED,
            Self::QueryTooExpensive | Self::DeadlineExceeded => code::DEADLINE_EXCEEDED,
            Self::Store(source) | Self::BatchInterrupted { source, .. }
                if source.is_retryable() =>
            {
                code::STORE_UNAVAILABLE
            }
            Self::Store(_)
            | Self::BatchInterrupted { .. }
            | Self::Serialization(_)
            | Self::Panicked
            | Self::Internal(_) => code::INTERNAL_ERROR,
        }
    }

    /// Returns the status and the stable error code.
    pub fn status_and_code(&self) -> (StatusCode, &'static str) {
        let code = self.code();
        (code.status(), code.name())
    }

    /// Returns the text for clients: everything about their own errors, nothing
    /// about internal ones.
    fn detail(&self, status: StatusCode) -> Cow<'static, str> {
        match status {
            StatusCode::INTERNAL_SERVER_ERROR => "Internal error; report the request id.".into(),
            StatusCode::SERVICE_UNAVAILABLE => {
                "Service temporarily unavailable; retry after the time in Retry-After.".into()
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

    /// Builds the problem document.
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

/// Error response, `application/problem+json` (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the kind of error is in `code`.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    kind: &'static str,
    /// Reason phrase of the HTTP status.
    #[schema(example = "Unprocessable Entity")]
    title: &'static str,
    /// HTTP status code of the response.
    #[schema(example = 422)]
    status: u16,
    /// Explanation of the error for humans. Its wording may change.
    #[schema(value_type = String, example = "/value must be a JSON number.")]
    detail: Cow<'static, str>,
    /// Stable code of the error for programs.
    #[schema(example = "validation_failed")]
    code: &'static str,
    /// Id of the request, as in the header `x-request-id`.
    #[schema(example = "5f0c7d3e-6a53-4a4e-9a6b-0c6f5cf0c9b1")]
    request_id: String,
    /// Always `false`, as the request failed.
    #[schema(example = false)]
    success: bool,
    /// All violated rules, with status 422.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// Result of each reading, if the store failed for some readings of a batch.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    results: Vec<BatchItemResult>,
}

/// The error travels in the response's extensions. The outermost layer knows the
/// request id, logs the cause and calls [`into_problem`].
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
        if matches!(self, Self::UnsupportedContentEncoding) {
            // RFC 9110, section 15.5.16: what would be accepted.
            response
                .headers_mut()
                .insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let seconds = match self {
                // The key set is not fetched again before that.
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

/// Returns the error that made the response, if any.
pub fn error_of(response: &Response) -> Option<Arc<ApiError>> {
    response.extensions().get::<Arc<ApiError>>().cloned()
}

/// Serializes the problem document of `error`.
pub fn problem_json(error: &ApiError, request_id: &str) -> Vec<u8> {
    serde_json::to_vec(&error.to_problem(request_id)).unwrap_or_default()
}

/// Replaces the body of an error response by its problem document.
pub fn into_problem(response: &mut Response, error: &ApiError, request_id: &str) {
    let problem = problem_json(error, request_id);
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    *response.body_mut() = Body::from(problem);
}
