//! OpenAPI document, and the page that shows it.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Router, middleware, routing};
use serde_json::json;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{self, ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder};
use utoipa::{IntoResponses, Modify};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::http::middleware::with_page_headers;
use crate::http::problem::{ApiError, Problem};

const DOCUMENT_PATH: &str = "/openapi.json";

/// Returns the document without its operations.
pub fn description() -> OpenApi {
    #[derive(utoipa::OpenApi)]
    #[openapi(
        info(
            title = "Clarity backend",
            description = "Stores readings from wearables, returns them, and answers questions about them.\n\nEvery response has the header `x-request-id`: the client's own id if it sent one of 1 to 128 visible ASCII characters, else a generated one. Every error is `application/problem+json` (RFC 9457) with a stable `code`. Unknown members of a body and unknown query parameters of lists, exports and summaries are rejected.",
            license(name = "Apache-2.0", identifier = "Apache-2.0")
        ),
        tags(
            (name = "readings", description = "Storage and retrieval of readings."),
            (name = "insights", description = "Answers to questions about readings."),
            (name = "health", description = "Liveness and readiness; no credential required.")
        ),
        components(schemas(Problem)),
        modifiers(&Credentials),
        security(("api_key" = []), ("token" = []))
    )]
    struct Description;

    <Description as utoipa::OpenApi>::openapi()
}

struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut OpenApi) {
        let key = ApiKeyValue::with_description(
            "X-API-Key",
            "API key. Each key has scopes, and users that it may act for.",
        );
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(
                "Token of the configured issuer. It has all scopes, and acts for its own user, or for all users if its subject is in the group `clarity-admins`.",
            ))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("api_key", SecurityScheme::ApiKey(ApiKey::Header(key)));
        components.add_security_scheme("token", SecurityScheme::Http(token));
    }
}

/// Serves `GET /openapi.json`, and the page at `/docs`, which loads nothing from
/// other origins.
pub fn routes<S: Clone + Send + Sync + 'static>(document: &OpenApi) -> Router<S> {
    // Byte for byte the repository's `openapi.json`, which a test compares.
    let json = Bytes::from(document.to_pretty_json().unwrap_or_default() + "\n");
    let serve_document = async move || {
        let content_type = HeaderValue::from_static("application/json");
        ([(CONTENT_TYPE, content_type)], json)
    };
    let page: Router<S> = SwaggerUi::new("/docs")
        .config(
            Config::new([DOCUMENT_PATH])
                // By default the page sends the document to a public validator.
                .validator_url("none")
                .try_it_out_enabled(true)
                .display_request_duration(true),
        )
        .into();
    let routes = page
        .layer(middleware::map_response(not_found_as_problem))
        .route(DOCUMENT_PATH, routing::get(serve_document));
    with_page_headers(routes)
}

/// Replaces the page's own 404 by a problem document.
async fn not_found_as_problem(response: Response) -> Response {
    match response.status() {
        StatusCode::NOT_FOUND => ApiError::RouteNotFound.into_response(),
        _ => response,
    }
}

/// Defines a set of error responses for the document.
macro_rules! error_responses {
    ($(#[$doc:meta])* $name:ident: $($error:expr),+) => {
        $(#[$doc])*
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<openapi::Response>> {
                BTreeMap::from([$($error),+].map(|(status, code, description)| {
                    (status.as_str().to_owned(), problem(status, code, description))
                }))
            }
        }
    };
}

error_responses! {
    /// Error responses of an operation with a body.
    WriteErrors: INVALID_JSON, UNAUTHORIZED, FORBIDDEN, BODY_TIMEOUT, TOO_MANY_REQUESTS, BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, VALIDATION_FAILED, INTERNAL, UNAVAILABLE, DEADLINE_EXCEEDED
}

error_responses! {
    /// Error responses of a batch.
    BatchErrors: INVALID_JSON, UNAUTHORIZED, FORBIDDEN, BODY_TIMEOUT, TOO_MANY_REQUESTS, BATCH_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, VALIDATION_FAILED, INTERNAL, BATCH_INTERRUPTED, DEADLINE_EXCEEDED
}

error_responses! {
    /// Error responses of a list, an export or an erasure.
    ListErrors: UNAUTHORIZED, FORBIDDEN, TOO_MANY_REQUESTS, VALIDATION_FAILED, INTERNAL, UNAVAILABLE, DEADLINE_EXCEEDED
}

error_responses! {
    /// Error responses of a summary.
    SummaryErrors: UNAUTHORIZED, FORBIDDEN, TOO_MANY_REQUESTS, VALIDATION_FAILED, INTERNAL, UNAVAILABLE, QUERY_TOO_EXPENSIVE
}

error_responses! {
    /// Error responses of an operation on one reading.
    ReadingErrors: UNAUTHORIZED, FORBIDDEN, TOO_MANY_REQUESTS, READING_NOT_FOUND, VALIDATION_FAILED, INTERNAL, UNAVAILABLE, DEADLINE_EXCEEDED
}

type ProblemExample = (StatusCode, &'static str, &'static str);

const INVALID_JSON: ProblemExample = (
    StatusCode::BAD_REQUEST,
    "invalid_json",
    "The body is not valid JSON, or is incomplete (`incomplete_body`).",
);
const UNAUTHORIZED: ProblemExample = (
    StatusCode::UNAUTHORIZED,
    "unauthorized",
    "The key or token is missing, invalid, revoked or expired, or the request has more than one credential.",
);
const FORBIDDEN: ProblemExample = (
    StatusCode::FORBIDDEN,
    "forbidden",
    "The key lacks the scope of this operation, or the key or token may not act for one of the users.",
);
const TOO_MANY_REQUESTS: ProblemExample = (
    StatusCode::TOO_MANY_REQUESTS,
    "too_many_requests",
    "Rate limit of this principal exceeded, or that of failed authentications from this address: retry after `Retry-After` seconds. `RateLimit-Policy` states the limit.",
);
const READING_NOT_FOUND: ProblemExample = (
    StatusCode::NOT_FOUND,
    "reading_not_found",
    "The user has no reading with this id.",
);
const BODY_TOO_LARGE: ProblemExample = (
    StatusCode::PAYLOAD_TOO_LARGE,
    "body_too_large",
    "The body is larger than 128 KiB.",
);
const BATCH_TOO_LARGE: ProblemExample = (
    StatusCode::PAYLOAD_TOO_LARGE,
    "body_too_large",
    "The body is larger than 8 MiB.",
);
const UNSUPPORTED_MEDIA_TYPE: ProblemExample = (
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "unsupported_media_type",
    "The `Content-Type` is not JSON, or the body has a `Content-Encoding` (`unsupported_content_encoding`).",
);
const VALIDATION_FAILED: ProblemExample = (
    StatusCode::UNPROCESSABLE_ENTITY,
    "validation_failed",
    "The request violates validation rules; `errors` lists all of them.",
);
const INTERNAL: ProblemExample = (
    StatusCode::INTERNAL_SERVER_ERROR,
    "internal_error",
    "Internal error of the service.",
);
const UNAVAILABLE: ProblemExample = (
    StatusCode::SERVICE_UNAVAILABLE,
    "store_unavailable",
    "The store is unavailable, the service is at capacity (`overloaded`), or the keys of the token issuer are unavailable (`issuer_unavailable`); retry after `Retry-After`.",
);
const BATCH_INTERRUPTED: ProblemExample = (
    StatusCode::SERVICE_UNAVAILABLE,
    "store_unavailable",
    "The store is unavailable, and `results` reports the status of each reading; or the service is at capacity (`overloaded`) or the keys of the token issuer are unavailable (`issuer_unavailable`), and nothing was stored. Send the whole batch again after `Retry-After`.",
);
const QUERY_TOO_EXPENSIVE: ProblemExample = (
    StatusCode::GATEWAY_TIMEOUT,
    "deadline_exceeded",
    "The range holds too many readings for one request: request a shorter range or fewer data types.",
);

const DEADLINE_EXCEEDED: ProblemExample = (
    StatusCode::GATEWAY_TIMEOUT,
    "deadline_exceeded",
    "The request timed out. Its outcome is unknown, and it is safe to retry.",
);
const BODY_TIMEOUT: ProblemExample = (
    StatusCode::REQUEST_TIMEOUT,
    "body_too_slow",
    "The request body arrived too slowly.",
);

fn problem(status: StatusCode, code: &str, description: &str) -> RefOr<openapi::Response> {
    let title = status.canonical_reason().unwrap_or_default();
    let mut example = json!({
        "type": "about:blank",
        "title": title,
        "status": status.as_u16(),
        "detail": description,
        "code": code,
        "request_id": "5f0c7d3e-6a53-4a4e-9a6b-0c6f5cf0c9b1",
        "success": false,
    });
    if status == StatusCode::UNPROCESSABLE_ENTITY {
        example["detail"] = json!("/value must be a JSON number.");
        example["errors"] = json!([{"pointer": "/value", "detail": "must be a JSON number"}]);
    }
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .example(Some(example))
        .build();
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build()
        .into()
}
