//! Errors with the bodies that Google sends.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::scripted::Scripted;

/// Returns the body of an error.
pub fn body(code: u16, status: &str, message: &str) -> Value {
    json!({"error": {"code": code, "message": message, "status": status}})
}

/// Returns the error that Google sends with `status`.
pub fn for_status(status: StatusCode) -> Scripted {
    let (name, message) = match status.as_u16() {
        401 => (
            "UNAUTHENTICATED",
            "Request had invalid authentication credentials.",
        ),
        403 => (
            "PERMISSION_DENIED",
            "Generative Language API has not been used in project 1234 before or it is disabled.",
        ),
        404 => (
            "NOT_FOUND",
            "models/gemini-1.5-flash is not found for API version v1beta, or is not supported for generateContent.",
        ),
        429 => (
            "RESOURCE_EXHAUSTED",
            "Resource has been exhausted (e.g. check quota).",
        ),
        500 => (
            "INTERNAL",
            "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting",
        ),
        503 => (
            "UNAVAILABLE",
            "The model is overloaded. Please try again later.",
        ),
        504 => (
            "DEADLINE_EXCEEDED",
            "Deadline expired before operation could complete.",
        ),
        _ => ("UNKNOWN", "Something else."),
    };
    Scripted::error(status, body(status.as_u16(), name, message))
}

/// Returns the error of an unknown key, which has the status 400.
pub fn invalid_key() -> Scripted {
    let mut body = body(
        400,
        "INVALID_ARGUMENT",
        "API key not valid. Please pass a valid API key.",
    );
    body["error"]["details"] = json!([{
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    }]);
    Scripted::error(StatusCode::BAD_REQUEST, body)
}

/// Returns the error of an exceeded rate limit. `delay` is such as `3.5s`.
pub fn rate_limited(delay: &str) -> Scripted {
    let mut body = quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier");
    body["error"]["details"]
        .as_array_mut()
        .unwrap()
        .push(json!({
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": delay,
        }));
    Scripted::error(StatusCode::TOO_MANY_REQUESTS, body)
}

/// Like [`rate_limited`], with the delay only in the message, as in
/// `Please retry in 250ms.`
pub fn rate_limited_in_words(words: &str) -> Scripted {
    let message = format!(
        "You exceeded your current quota, please check your plan and billing details.\n{words}"
    );
    Scripted::error(
        StatusCode::TOO_MANY_REQUESTS,
        body(429, "RESOURCE_EXHAUSTED", &message),
    )
}

/// Returns the error of an exhausted daily quota, with a misleadingly short
/// delay as Google sends it.
pub fn daily_quota() -> Scripted {
    Scripted::error(StatusCode::TOO_MANY_REQUESTS, daily_quota_body())
}

/// Returns the body of [`daily_quota`].
pub fn daily_quota_body() -> Value {
    let mut body = quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier");
    body["error"]["details"]
        .as_array_mut()
        .unwrap()
        .push(json!({
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": "0.01s",
        }));
    body
}

fn quota(id: &str) -> Value {
    let mut body = body(
        429,
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota, please check your plan and billing details.",
    );
    body["error"]["details"] = json!([
        {
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": [{
                "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
                "quotaId": id,
                "quotaDimensions": {"location": "global", "model": "gemini-3.5-flash-lite"},
                "quotaValue": "20",
            }],
        },
        {
            "@type": "type.googleapis.com/google.rpc.Help",
            "links": [{"description": "Learn more about Gemini API quotas", "url": "https://ai.google.dev/gemini-api/docs/rate-limits"}],
        },
    ]);
    body
}
