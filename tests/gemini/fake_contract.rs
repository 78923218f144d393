//! The fake server rejects requests that Gemini rejects or that the service never
//! sends. The other tests rely on that.

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::fake_gemini::{FakeGemini, KEY, Scripted};

fn body() -> Value {
    json!({
        "systemInstruction": {"parts": [{"text": "Answer."}]},
        "contents": [{"role": "user", "parts": [{"text": "Well?"}]}],
        "generationConfig": {
            "responseMimeType": "application/json",
            "responseSchema": {"type": "OBJECT", "properties": {"a": {"type": "string"}}},
            "thinkingConfig": {"thinkingLevel": "low"},
            "maxOutputTokens": 8192,
        },
        "store": false,
    })
}

/// Returns the status of the response to `body` at `path`.
async fn status(path: &str, key: Option<&str>, body: &Value) -> StatusCode {
    let fake = FakeGemini::start().await;
    fake.enqueue(Scripted::reply("Yes."));
    let client: Client = Client::default();
    let url = fake.base_url().join(path).unwrap();
    let mut request = client.post(url).json(body);
    if let Some(key) = key {
        request = request.header("x-goog-api-key", key);
    }
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn fake_accepts_only_the_two_methods_with_the_key() {
    let whole = "/v1beta/models/gemini-x:generateContent";
    let streamed = "/v1beta/models/gemini-x:streamGenerateContent";
    let with_key = format!("{whole}?key={KEY}");
    for (path, key, expected) in [
        (whole, Some(KEY), 200),
        (&*format!("{streamed}?alt=sse"), Some(KEY), 200),
        (streamed, Some(KEY), 404),
        (&*with_key, None, 404),
        ("/v1/models/gemini-x:generateContent", Some(KEY), 404),
        ("/v1beta/models/gemini-x:countTokens", Some(KEY), 404),
        (whole, None, 403),
        (whole, Some("another"), 400),
    ] {
        assert_eq!(status(path, key, &body()).await, expected, "{path}");
    }
}

#[tokio::test]
async fn fake_accepts_only_the_expected_fields() {
    for (place, value) in [
        ("/generationConfig/temperature", json!(0.2)),
        ("/generationConfig/candidateCount", json!(1)),
        ("/generationConfig/maxOutputTokens", json!(100)),
        ("/generationConfig/responseMimeType", json!("text/plain")),
        (
            "/generationConfig/thinkingConfig",
            json!({"thinkingBudget": 0}),
        ),
        (
            "/generationConfig/responseSchema/additionalProperties",
            json!(false),
        ),
        (
            "/generationConfig/responseSchema/properties/a/type",
            json!(["string", "null"]),
        ),
        (
            "/generationConfig/responseSchema/properties/a/$ref",
            json!("#"),
        ),
        ("/tools", json!([])),
        ("/safetySettings", json!([])),
        ("/store", json!(true)),
        ("/contents", json!([])),
        ("/contents/0/role", json!("assistant")),
        ("/contents/0/parts", json!([])),
    ] {
        let mut body = body();
        let (parent, field) = place.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[field] = value;
        let status = status("/v1beta/models/gemini-x:generateContent", Some(KEY), &body).await;
        assert_eq!(status, 400, "{place}");
    }
}
