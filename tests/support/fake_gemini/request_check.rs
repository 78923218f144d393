//! Rejects requests that Gemini rejects or that the service never sends.

use axum::http::{Method, StatusCode, Uri};
use serde_json::Value;

use super::scripted::Scripted;
use super::{KEY, Recorded, errors};

/// Schema fields that Gemini supports.
const SCHEMA_FIELDS: [&str; 19] = [
    "anyOf",
    "default",
    "description",
    "enum",
    "example",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "nullable",
    "pattern",
    "properties",
    "propertyOrdering",
    "required",
    "title",
];
const SCHEMA_TYPES: [&str; 6] = ["STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT"];

pub(super) fn check(method: &Method, uri: &Uri, request: &Recorded) -> Result<(), Scripted> {
    let operation = uri
        .path()
        .strip_prefix("/v1beta/models/")
        .and_then(|rest| rest.split_once(':'))
        .map(|(_, operation)| operation);
    match (operation, uri.query()) {
        (Some("generateContent"), None) | (Some("streamGenerateContent"), Some("alt=sse"))
            if method == Method::POST => {}
        _ => return Err(errors::for_status(StatusCode::NOT_FOUND)),
    }
    match request.headers.get("x-goog-api-key") {
        None => return Err(errors::for_status(StatusCode::FORBIDDEN)),
        Some(key) if key != KEY => return Err(errors::invalid_key()),
        Some(_) => {}
    }
    let is_json =
        |value: &&axum::http::HeaderValue| value.as_bytes().starts_with(b"application/json");
    if request
        .headers
        .get("content-type")
        .filter(is_json)
        .is_none()
    {
        return Err(invalid("the content type is not JSON"));
    }
    check_body(&request.body).map_err(|error| invalid(&error))
}

fn invalid(error: &str) -> Scripted {
    let body = errors::body(
        400,
        "INVALID_ARGUMENT",
        &format!("Invalid JSON payload received. {error}"),
    );
    Scripted::error(StatusCode::BAD_REQUEST, body)
}

fn check_body(body: &Value) -> Result<(), String> {
    expect_fields(
        body,
        &["contents", "generationConfig", "store", "systemInstruction"],
    )?;
    if body["store"] != false {
        return Err("store is not false".to_owned());
    }
    check_parts(&body["systemInstruction"]["parts"])?;
    let turns = body["contents"]
        .as_array()
        .ok_or("contents is not a list")?;
    for turn in turns {
        expect_fields(turn, &["parts", "role"])?;
        if turn["role"] != "user" && turn["role"] != "model" {
            return Err("Please use a valid role: user, model.".to_owned());
        }
        check_parts(&turn["parts"])?;
    }
    if turns.last().is_none_or(|turn| turn["role"] != "user") {
        return Err("the last turn is not the user's".to_owned());
    }
    let generation = &body["generationConfig"];
    expect_fields(
        generation,
        &[
            "maxOutputTokens",
            "responseMimeType",
            "responseSchema",
            "thinkingConfig",
        ],
    )?;
    if generation["maxOutputTokens"]
        .as_u64()
        .is_none_or(|most| most < 1_024)
    {
        return Err("maxOutputTokens leaves no room for thoughts".to_owned());
    }
    if generation["responseMimeType"] != "application/json" {
        return Err("responseSchema needs responseMimeType application/json".to_owned());
    }
    if generation["thinkingConfig"] != serde_json::json!({"thinkingLevel": "low"}) {
        return Err("the thinking level is not low".to_owned());
    }
    check_schema(&generation["responseSchema"])
}

fn expect_fields(value: &Value, fields: &[&str]) -> Result<(), String> {
    let object = value.as_object().ok_or("an object is missing")?;
    if let Some(unknown) = object.keys().find(|key| !fields.contains(&&***key)) {
        return Err(format!("Unknown name \"{unknown}\": Cannot find field."));
    }
    match fields.iter().find(|field| !object.contains_key(**field)) {
        Some(missing) => Err(format!("{missing} is missing")),
        None => Ok(()),
    }
}

fn check_parts(parts: &Value) -> Result<(), String> {
    let parts = parts.as_array().ok_or("parts is not a list")?;
    if parts.is_empty() || !parts.iter().all(|part| part["text"].is_string()) {
        return Err("a part has no text".to_owned());
    }
    parts
        .iter()
        .try_for_each(|part| expect_fields(part, &["text"]))
}

fn check_schema(schema: &Value) -> Result<(), String> {
    let fields = schema.as_object().ok_or("a schema is not an object")?;
    for (name, value) in fields {
        match &**name {
            "type" => {
                let known = |name: &str| SCHEMA_TYPES.contains(&&*name.to_ascii_uppercase());
                if !value.as_str().is_some_and(known) {
                    return Err("Proto field is not repeating, cannot start list: type".to_owned());
                }
            }
            "properties" => {
                let properties = value.as_object().ok_or("properties is not an object")?;
                properties.values().try_for_each(check_schema)?;
            }
            "items" => check_schema(value)?,
            "anyOf" => {
                let choices = value.as_array().ok_or("anyOf is not a list")?;
                choices.iter().try_for_each(check_schema)?;
            }
            other if SCHEMA_FIELDS.contains(&other) => {}
            other => {
                return Err(format!(
                    "Unknown name \"{other}\" at 'generation_config.response_schema': Cannot find field."
                ));
            }
        }
    }
    Ok(())
}
