//! Answering questions about a user's readings.

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::AppState;
use super::docs::WriteProblems;
use super::error::ApiError;
use super::json::{FromJson, Json, answer, object};
use super::validation::{Faults, text};
use crate::domain::{Invalid, UserId};
use crate::insights::{Evidence, Insight, Observation, Question};
use crate::store::{ReadBudget, newest};

/// How much of a user's newest readings an answer looks at: what a request may
/// cost is bounded, however much is held. The answer says so when there are
/// older ones.
const LOOKED_AT: ReadBudget = ReadBudget {
    readings: 20_000,
    metadata_bytes: 8 * 1024 * 1024,
};

/// Ask a question about a user's readings.
///
/// The answer names the period that it rests on, for each data type the 30 days
/// up to its newest reading.
#[utoipa::path(
    post, path = "/insights", tag = "insights", operation_id = "create_insight",
    request_body(
        content = InsightRequest, description = "The question.",
        example = json!({
            "user_id": "user123",
            "query": "How is my heart rate?",
            "include_recent_data": true
        })
    ),
    responses((status = 200, description = "The answer.", body = InsightAnswer), WriteProblems)
)]
pub async fn create(
    State(state): State<AppState>,
    Json(asked): Json<Asked>,
) -> Result<Response, ApiError> {
    let evidence = if asked.include_recent_data {
        let newest = newest(&*state.store, &asked.user_id, LOOKED_AT, Observation::from).await?;
        Evidence::Readings {
            observations: newest.kept,
            complete: newest.complete,
        }
    } else {
        Evidence::Withheld
    };
    let insight = state.insights.answer(asked.question, evidence).await;
    answer(&InsightAnswer {
        success: true,
        error: None,
        insight,
    })
}

/// A question. Members that are not named here are refused.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InsightRequest<'a> {
    /// Whose readings it is about.
    #[serde(borrow)]
    #[schema(
        value_type = String, required, min_length = 1, max_length = 128,
        pattern = "^[A-Za-z0-9][A-Za-z0-9._@:+-]*$", example = "user123"
    )]
    user_id: Option<&'a RawValue>,
    /// The question, in anybody's words.
    #[serde(borrow)]
    #[schema(
        value_type = String, required, min_length = 1, max_length = 2000,
        example = "How is my heart rate?"
    )]
    query: Option<&'a RawValue>,
    /// Whether the user's readings may be looked at.
    #[serde(borrow)]
    #[schema(value_type = Option<bool>, default = true, example = true)]
    include_recent_data: Option<&'a RawValue>,
}

/// A question that may be answered.
pub struct Asked {
    user_id: UserId,
    question: Question,
    include_recent_data: bool,
}

impl FromJson for Asked {
    fn from_json(json: &[u8], _now: Timestamp) -> Result<Self, ApiError> {
        let request: InsightRequest<'_> = object(json)?;
        let mut faults = Faults::default();
        let user_id = faults.required("/user_id", request.user_id, |json| text(json)?.parse());
        let question = faults.required("/query", request.query, |json| {
            Question::try_from(text(json)?.into_owned())
        });
        let include_recent_data = faults.optional(
            "/include_recent_data",
            request.include_recent_data,
            |json| {
                json.parse()
                    .map_err(|_| Invalid::because("must be true or false"))
            },
        );
        match (user_id, question) {
            (Some(user_id), Some(question)) if faults.list().is_empty() => Ok(Self {
                user_id,
                question,
                include_recent_data: include_recent_data.unwrap_or(true),
            }),
            _ => Err(ApiError::Invalid(faults)),
        }
    }
}

/// An answer.
#[derive(Serialize, ToSchema)]
struct InsightAnswer {
    /// Always `true`.
    #[schema(example = true)]
    success: bool,
    /// Always null: an error has a status of its own.
    #[schema(required, value_type = Option<String>, example = json!(null))]
    error: Option<&'static str>,
    #[serde(flatten)]
    insight: Insight,
}
