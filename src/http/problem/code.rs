use axum::http::StatusCode;

/// Error code of a problem document. Only [`ERROR_CODES`] has instances, so a code
/// that is not documented cannot be returned.
#[derive(Debug, PartialEq, Eq)]
pub struct ErrorCode {
    name: &'static str,
    status: StatusCode,
    meaning: &'static str,
}

impl ErrorCode {
    /// Returns the value of `code`, which never changes.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the meaning and what the client can do.
    pub fn meaning(&self) -> &'static str {
        self.meaning
    }
}

/// Defines a constant per code, and the table of all.
macro_rules! error_codes {
    ($($constant:ident = $status:ident $name:literal: $meaning:literal;)+) => {
        $(
            #[doc = $meaning]
            pub const $constant: ErrorCode = ErrorCode {
                name: $name,
                status: StatusCode::$status,
                meaning: $meaning,
            };
        )+

        /// Every error code, by status.
        pub const ERROR_CODES: &[ErrorCode] = &[$($constant),+];
    };
}

error_codes! {
    INVALID_JSON = BAD_REQUEST "invalid_json":
        "The body is not valid JSON; `detail` has the reason.";
    INCOMPLETE_BODY = BAD_REQUEST "incomplete_body":
        "The connection ended before the whole body arrived. Send the request again.";
    MALFORMED_REQUEST = BAD_REQUEST "malformed_request":
        "The request is not valid HTTP/1.1. The connection is closed.";
    INVALID_HOST = BAD_REQUEST "invalid_host":
        "The header `Host` is missing, repeated or invalid. The connection is closed.";
    UNAUTHORIZED = UNAUTHORIZED "unauthorized":
        "The API key or token is missing, invalid or expired.";
    FORBIDDEN = FORBIDDEN "forbidden":
        "The key or token does not permit this operation, or does not permit it for this user.";
    UNKNOWN_PATH = NOT_FOUND "unknown_path":
        "No endpoint has this path.";
    READING_NOT_FOUND = NOT_FOUND "reading_not_found":
        "The user has no reading with this id.";
    METHOD_NOT_ALLOWED = METHOD_NOT_ALLOWED "method_not_allowed":
        "The endpoint does not support this method; the header `Allow` lists those it does.";
    BODY_TOO_SLOW = REQUEST_TIMEOUT "body_too_slow":
        "The body did not arrive within the deadline of the request. Send the request again.";
    HEADER_TOO_SLOW = REQUEST_TIMEOUT "header_too_slow":
        "The request header did not arrive within 10 s. The connection is closed; send the request again.";
    BODY_TOO_LARGE = PAYLOAD_TOO_LARGE "body_too_large":
        "The body exceeds the endpoint's limit, which `detail` states.";
    UNSUPPORTED_MEDIA_TYPE = UNSUPPORTED_MEDIA_TYPE "unsupported_media_type":
        "The body is not declared as `Content-Type: application/json`.";
    UNSUPPORTED_CONTENT_ENCODING = UNSUPPORTED_MEDIA_TYPE "unsupported_content_encoding":
        "The body is compressed. Send it without `Content-Encoding`.";
    VALIDATION_FAILED = UNPROCESSABLE_ENTITY "validation_failed":
        "The request is well-formed but invalid; `errors` lists every violated rule.";
    TOO_MANY_REQUESTS = TOO_MANY_REQUESTS "too_many_requests":
        "A rate limit is exceeded. Retry after the time in `Retry-After`.";
    HEADER_TOO_LARGE = REQUEST_HEADER_FIELDS_TOO_LARGE "header_too_large":
        "The request header exceeds 16 KiB or 100 fields. The connection is closed.";
    INTERNAL_ERROR = INTERNAL_SERVER_ERROR "internal_error":
        "The service failed. Report the `request_id`.";
    UNSUPPORTED_TRANSFER_ENCODING = NOT_IMPLEMENTED "unsupported_transfer_encoding":
        "The `Transfer-Encoding` is not `chunked` alone. The connection is closed.";
    ISSUER_UNAVAILABLE = SERVICE_UNAVAILABLE "issuer_unavailable":
        "The keys of the token issuer could not be fetched. Retry after the time in `Retry-After`.";
    OVERLOADED = SERVICE_UNAVAILABLE "overloaded":
        "The service sheds load; the request was not processed. Retry after the time in `Retry-After`.";
    STORE_UNAVAILABLE = SERVICE_UNAVAILABLE "store_unavailable":
        "The store is unavailable or throttled. Retry after the time in `Retry-After`; for a batch, `results` has the result of each reading.";
    DEADLINE_EXCEEDED = GATEWAY_TIMEOUT "deadline_exceeded":
        "The request exceeded its deadline. The outcome of a write is unknown, and repeating it is safe; `detail` states whether a query must be narrowed.";
}
