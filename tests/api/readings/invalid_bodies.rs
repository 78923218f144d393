//! Invalid bodies: each returns a problem document, and nothing is stored.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::{ApiResponse, TestApp, example, example_with};

const DATA: &str = "/api/v1/data";

/// Checks that `body` is rejected with this status and code, and not stored.
async fn expect_rejection(body: impl Into<reqwest::Body>, status: u16, code: &str) -> Value {
    let app = TestApp::start().await;
    let problem = app.post_raw(DATA, body).await.expect_problem(status, code);
    assert_eq!(app.count("user123").await, 0);
    problem
}

/// Checks that the example with these members is rejected for these pointers.
async fn expect_member_errors(members: Value, pointers: &[&str]) {
    expect_body_errors(example_with(members).to_string(), pointers).await;
}

async fn expect_body_errors(body: String, pointers: &[&str]) {
    let app = TestApp::start().await;
    app.post_raw(DATA, body).await.expect_field_errors(pointers);
    assert_eq!(app.count("user123").await, 0);
}

/// Returns the example with one member's value replaced by raw JSON text.
fn example_with_raw(member: &str, json: &str) -> String {
    let marked = example_with(json!({member: "MARK"})).to_string();
    marked.replace("\"MARK\"", json)
}

#[tokio::test]
async fn empty_body_is_rejected() {
    expect_rejection("", 400, "invalid_json").await;
}

#[tokio::test]
async fn malformed_json_is_rejected() {
    let example = example().to_string();
    for broken in [
        "{",
        "nonsense",
        "{\"user_id\":}",
        "\u{feff}{}",
        &example[..example.len() - 1],
        &format!("{example} x"),
        &format!("{example}{example}"),
        "[[[[",
        "{\"unknown\":",
        "{\"unknown\":nonsense}",
    ] {
        expect_rejection(broken.to_owned(), 400, "invalid_json").await;
    }
    expect_rejection(vec![b'{', b'"', 0xff, b'"', b'}'], 400, "invalid_json").await;
}

#[tokio::test]
async fn non_object_json_is_rejected() {
    for body in [
        "null",
        "1",
        "\"text\"",
        "[]",
        "[\"user123\",\"heart_rate\",72]",
    ] {
        expect_body_errors(body.to_owned(), &[""]).await;
    }
}

#[tokio::test]
async fn deeply_nested_json_is_rejected() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    expect_body_errors(deep.clone(), &[""]).await;
    expect_body_errors(example_with_raw("value", &deep), &["/value"]).await;
    expect_body_errors(example_with_raw("metadata", &deep), &["/metadata"]).await;
    let deep_object = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    expect_body_errors(example_with_raw("metadata", &deep_object), &["/metadata"]).await;
    expect_body_errors(example_with_raw("unknown", &deep), &["/unknown"]).await;
}

#[tokio::test]
async fn unrepresentable_numbers_are_rejected() {
    for number in ["1e400", "-1e400", "1e-400", "1e126", "1e-131"] {
        expect_body_errors(example_with_raw("value", number), &["/value"]).await;
        let metadata = format!("{{\"a\":[{number}]}}");
        expect_body_errors(example_with_raw("metadata", &metadata), &["/metadata"]).await;
    }
    for not_a_number in ["NaN", "Infinity", "-", "01", "1.", "+1", "0x10"] {
        expect_rejection(example_with_raw("value", not_a_number), 400, "invalid_json").await;
    }
}

#[tokio::test]
async fn wrong_member_types_are_rejected() {
    for wrong in [json!("72"), json!(true), json!([72]), json!({"a": 72})] {
        expect_member_errors(json!({"value": wrong}), &["/value"]).await;
    }
    for wrong in [json!(1), json!(true), json!(["a"]), json!({})] {
        for member in [
            "user_id",
            "data_type",
            "timestamp",
            "unit",
            "client_record_id",
        ] {
            expect_member_errors(json!({member: wrong}), &[&format!("/{member}")]).await;
        }
    }
    for wrong in [json!(1), json!("{}"), json!([]), json!(false)] {
        expect_member_errors(json!({"metadata": wrong}), &["/metadata"]).await;
    }
    for wrong in [
        json!(-1),
        json!(1.5),
        json!("1"),
        json!(9_007_199_254_740_992_u64),
        json!(9_007_199_254_740_992.0),
        json!(1e300),
    ] {
        let members = json!({"client_record_id": "a", "client_record_version": wrong});
        expect_member_errors(members, &["/client_record_version"]).await;
    }
    expect_member_errors(
        json!({"client_record_version": 1}),
        &["/client_record_version"],
    )
    .await;
}

#[tokio::test]
async fn missing_members_are_all_reported() {
    expect_body_errors(
        "{}".to_owned(),
        &["/user_id", "/data_type", "/value", "/timestamp"],
    )
    .await;
    let nulls = json!({"user_id": null, "data_type": null, "value": null, "timestamp": null});
    expect_member_errors(nulls, &["/user_id", "/data_type", "/value", "/timestamp"]).await;
}

#[tokio::test]
async fn unknown_members_are_rejected() {
    expect_member_errors(json!({"tiemstamp": "x"}), &["/tiemstamp"]).await;
    expect_member_errors(
        json!({"data_id": "018d0cab-c440-85d0-a3ae-7ec39b0fdb2e"}),
        &["/data_id"],
    )
    .await;
    expect_member_errors(
        json!({"created_at": "2024-01-15T10:30:00Z"}),
        &["/created_at"],
    )
    .await;
    expect_member_errors(json!({"a/b~c": 1}), &["/a~1b~0c"]).await;
}

#[tokio::test]
async fn duplicate_members_are_rejected() {
    let twice = example().to_string().replacen('{', "{\"value\":1,", 1);
    expect_body_errors(twice, &[""]).await;
    expect_body_errors(
        example_with_raw("metadata", r#"{"a":1,"b":{"c":1,"c":2}}"#),
        &["/metadata"],
    )
    .await;
}

#[tokio::test]
async fn empty_and_overlong_strings_are_rejected() {
    for (member, longest) in [
        ("user_id", 128),
        ("data_type", 64),
        ("unit", 32),
        ("client_record_id", 128),
    ] {
        for text in [
            String::new(),
            "x".repeat(longest + 1),
            "é".to_owned(),
            "a b".to_owned(),
        ] {
            expect_member_errors(json!({member: text}), &[&format!("/{member}")]).await;
        }
        let app = TestApp::start().await;
        let longest = example_with(json!({member: "x".repeat(longest)}));
        app.post(&longest).await.expect(StatusCode::OK);
    }
    expect_body_errors(example_with_raw("unit", r#""\ud800""#), &["/unit"]).await;
    expect_member_errors(
        json!({"metadata": {"a": "x".repeat(16 * 1024)}}),
        &["/metadata"],
    )
    .await;
    expect_member_errors(json!({"timestamp": ""}), &["/timestamp"]).await;
    expect_member_errors(
        json!({"timestamp": "2024-01-15T10:30:00Z".repeat(50)}),
        &["/timestamp"],
    )
    .await;
}

#[tokio::test]
async fn out_of_range_timestamps_are_rejected() {
    for timestamp in [
        "1969-12-31T23:59:59Z",
        "2999-01-01T00:00:00Z",
        "2024-06-02T12:00:01Z",
        "2024-02-30T00:00:00Z",
        "2024-01-15",
        "1705314600",
    ] {
        expect_member_errors(json!({"timestamp": timestamp}), &["/timestamp"]).await;
    }
}

#[tokio::test]
async fn oversized_body_is_rejected() {
    let large = example_with(json!({"metadata": {"a": "x".repeat(128 * 1024)}}));
    expect_rejection(large.to_string(), 413, "body_too_large").await;
}

/// Escaping every character multiplies the size of 16 KiB of metadata by six.
#[tokio::test]
async fn largest_metadata_fits_in_largest_body() {
    let app = TestApp::start().await;
    let escaped = "\\u0041".repeat(16 * 1024 - 8);
    let body = example_with_raw("metadata", &format!("{{\"a\":\"{escaped}\"}}"));
    app.post_raw(DATA, body).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn non_json_content_type_is_rejected() {
    let app = TestApp::start().await;
    for content_type in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("json"),
    ] {
        let mut request = app.request(Method::POST, DATA).body(example().to_string());
        if let Some(content_type) = content_type {
            request = request.header("Content-Type", content_type);
        }
        ApiResponse::from_request(request)
            .await
            .expect_problem(415, "unsupported_media_type");
    }
    assert_eq!(app.count("user123").await, 0);
    for content_type in [
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/fhir+json",
    ] {
        let request = app
            .request(Method::POST, DATA)
            .header("Content-Type", content_type)
            .body(example().to_string());
        ApiResponse::from_request(request)
            .await
            .expect(StatusCode::OK);
    }
}

#[tokio::test]
async fn invalid_questions_are_rejected() {
    let app = TestApp::start().await;
    for (body, pointers) in [
        (json!({}), vec!["/user_id", "/query"]),
        (json!({"user_id": "u", "query": ""}), vec!["/query"]),
        (json!({"user_id": "u", "query": " \n "}), vec!["/query"]),
        (
            json!({"user_id": "u", "query": "x".repeat(2_001)}),
            vec!["/query"],
        ),
        (
            json!({"user_id": "../u", "query": 1}),
            vec!["/user_id", "/query"],
        ),
        (
            json!({"user_id": "u", "query": "q", "include_recent_data": "yes"}),
            vec!["/include_recent_data"],
        ),
        (
            json!({"user_id": "u", "query": "q", "model": "m"}),
            vec!["/model"],
        ),
    ] {
        let response = app.post_raw("/api/v1/insights", body.to_string()).await;
        response.expect_field_errors(&pointers);
    }
    let longest = json!({"user_id": "u", "query": "é".repeat(2_000)});
    let response = app.post_raw("/api/v1/insights", longest.to_string()).await;
    response.expect(StatusCode::OK);
}
