use axum::http::HeaderName;

/// API key of the client.
pub const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// Id of the request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Remaining quota (draft-ietf-httpapi-ratelimit-headers-10).
pub const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// Quota policy, of the same draft.
pub const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
