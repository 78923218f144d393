//! Questions about a user's readings.

use std::iter;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::insight_stream::event_stream;
use super::json_response::leased_json_response;
use crate::domain::{EmergencyNumber, UserId, ValidationError};
use crate::http::access::{Authorized, QueryInsights};
use crate::http::extract::{Json, RequestBody, accept, parse_object};
use crate::http::middleware::RequestId;
use crate::http::openapi::WriteErrors;
use crate::http::overload::{AdmissionTicket, run_blocking};
use crate::http::problem::{ApiError, ValidationErrors, text};
use crate::http::state::AppState;
use crate::insights::{Analysis, DeltaSink, Evidence, Insight, Observation, Question};
use crate::store::ReadBudget;

/// Readings considered per answer, newest first, which bounds the cost of a
/// request. The answer states if there are older ones.
const READ_BUDGET: ReadBudget = ReadBudget {
    readings: 20_000,
    metadata_bytes: 8 * 1024 * 1024,
};

/// Memory of the readings of an answer: observations with the longest units, sources and
/// granularities, and a page of which they are made.
const READ_BYTES: usize = 20 * 1024 * 1024;

/// Answer a question about a user's readings
///
/// The service computes every number of the answer from the user's readings, over
/// the 24 hours, 7 days or 30 days up to the newest reading of the data type. If
/// a Gemini key is configured, Gemini selects and phrases the facts. Its text is
/// verified against the numbers before it is sent; if it fails, the service
/// answers with statistics.
///
/// Answers name data types, units and sources by the service's names. What is not known
/// to it, which could be any text, is "another data type", has no unit or is "one
/// source". Readings dated later than now are left out.
///
/// With `Accept: text/event-stream` the answer is streamed as events: `delta`
/// with `{"text": "…"}` for each piece of the text, then one `insight` with the
/// whole answer, or one `error` with a problem document.
#[utoipa::path(
    post, path = "/insights", tag = "insights", operation_id = "create_insight",
    security(("api_key" = ["insights"]), ("token" = ["insights"])),
    request_body(
        content = InsightRequest, description = "Question to answer.",
        example = json!({
            "user_id": "user123",
            "query": "How is my heart rate?",
            "include_recent_data": true
        })
    ),
    params((
        "Accept-Language" = Option<String>, Header,
        description = "Languages of the user. Answers are in English; the first region, \
            as in `de-AT`, determines the emergency number in the disclaimer.",
        example = "de-AT, en;q=0.8"
    )),
    responses(
        (
            status = 200, description = "Answer to the question.",
            content((InsightResponse = "application/json"), (String = "text/event-stream"))
        ),
        WriteErrors
    )
)]
pub async fn create(
    authorized: Authorized<QueryInsights>,
    State(state): State<AppState>,
    request_id: RequestId,
    headers: HeaderMap,
    ticket: AdmissionTicket,
    Json { value: query, .. }: Json<InsightQuery>,
) -> Result<Response, ApiError> {
    let now = state.clock.now();
    let question = query
        .question
        .with_emergency_number(emergency_number(&headers));
    let analysis = if query.include_recent_data {
        // Held until the readings are reduced to facts.
        let _place = state.admission.begin_analysis(&ticket).await?;
        let scan = state.store.scan(READ_BYTES, &ticket).await?;
        let newest = scan
            .read_newest(&query.user_id, READ_BUDGET, Observation::from)
            .await?;
        authorized.count(newest.items.len() as u64);
        let evidence = Evidence::newest(newest.items, newest.complete, now);
        let analyze = move || Analysis::new(question, evidence, now);
        let analysis = run_blocking(analyze).await?;
        drop(scan);
        analysis
    } else {
        Analysis::new(question, Evidence::Withheld, now)
    };
    let insights = state.insights.clone();
    if accepts_event_stream(&headers) {
        // The answer is made while the response is sent.
        let place = ticket.move_place();
        let answer = move |deltas: DeltaSink| async move {
            let insight = insights.answer(analysis, &deltas).await;
            drop(place);
            InsightResponse::from(insight)
        };
        return Ok(event_stream(answer, request_id).into_response());
    }
    let insight = insights.answer(analysis, &DeltaSink::disabled()).await;
    let response = serde_json::to_vec(&InsightResponse::from(insight));
    let json = response.map_err(ApiError::Serialization)?;
    leased_json_response(json, &state.admission, &ticket).await
}

/// Returns whether the client accepts server-sent events, by name.
fn accepts_event_stream(headers: &HeaderMap) -> bool {
    let mut weights = accept::weights(headers, "text/event-stream");
    weights.any(|weight| weight != Ok(0.0))
}

/// Returns the emergency number of the first region that the client prefers.
fn emergency_number(headers: &HeaderMap) -> EmergencyNumber {
    headers
        .get_all(ACCEPT_LANGUAGE)
        .iter()
        .filter_map(|languages| languages.to_str().ok())
        .flat_map(|languages| languages.split(','))
        .filter_map(|range| range.split(';').next())
        .map(|tag| EmergencyNumber::from_language_tag(tag.trim()))
        .find(|number| number.is_known())
        .unwrap_or_default()
}

/// Question about a user's readings. Unknown members are rejected.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InsightRequest<'a> {
    /// Id of the user whose readings the question is about.
    #[serde(borrow)]
    #[schema(
        value_type = String, required, min_length = 1, max_length = 128,
        pattern = "^[A-Za-z0-9][A-Za-z0-9._@:+-]*$", example = "user123"
    )]
    user_id: Option<&'a RawValue>,
    /// Question in natural language.
    #[serde(borrow)]
    #[schema(
        value_type = String, required, min_length = 1, max_length = 2000,
        example = "How is my heart rate?"
    )]
    query: Option<&'a RawValue>,
    /// Permission to use the user's readings for the answer.
    #[serde(borrow)]
    #[schema(value_type = Option<bool>, default = true, example = true)]
    include_recent_data: Option<&'a RawValue>,
}

/// Validated request for an insight.
pub struct InsightQuery {
    user_id: UserId,
    question: Question,
    include_recent_data: bool,
}

impl RequestBody for InsightQuery {
    const READINGS_PER_USER: u64 = 0;

    fn parse(json: &[u8], _now: Timestamp) -> Result<Self, ApiError> {
        let request: InsightRequest<'_> = parse_object(json)?;
        let mut errors = ValidationErrors::default();
        let user_id = errors.required("/user_id", request.user_id, |json| text(json)?.parse());
        let question = errors.required("/query", request.query, |json| {
            Question::try_from(text(json)?.into_owned())
        });
        let include_recent_data = errors.optional(
            "/include_recent_data",
            request.include_recent_data,
            |json| {
                json.parse()
                    .map_err(|_| ValidationError::new("must be true or false"))
            },
        );
        match (user_id, question) {
            (Some(user_id), Some(question)) if errors.as_slice().is_empty() => Ok(Self {
                question: question.redact_user_id(&user_id),
                user_id,
                include_recent_data: include_recent_data.unwrap_or(true),
            }),
            _ => Err(ApiError::Invalid(errors)),
        }
    }

    fn users(&self) -> impl Iterator<Item = &UserId> {
        iter::once(&self.user_id)
    }
}

/// Answer to a question.
#[derive(Serialize, ToSchema)]
struct InsightResponse {
    /// Always `true` in this response.
    #[schema(example = true)]
    success: bool,
    /// Always null: errors are problem documents.
    #[schema(required, value_type = Option<String>, example = json!(null))]
    error: Option<&'static str>,
    #[serde(flatten)]
    insight: Insight,
}

impl From<Insight> for InsightResponse {
    fn from(insight: Insight) -> Self {
        Self {
            success: true,
            error: None,
            insight,
        }
    }
}
