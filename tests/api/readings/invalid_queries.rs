//! Invalid paths, query parameters and methods.

use reqwest::Method;

use crate::support::app::{ApiResponse, TestApp, example};

#[tokio::test]
async fn malformed_user_id_in_path_is_rejected() {
    let app = TestApp::start().await;
    let too_long = "x".repeat(129);
    for segment in [
        "a%2Fb",
        "a%00",
        "..%2F..%2Fetc",
        "%C3%A9",
        "a%20b",
        "-a",
        "%ff",
        &too_long,
    ] {
        for path in [
            format!("/api/v1/data/{segment}"),
            format!("/api/v1/data/{segment}/018d0cab-c440-85d0-a3ae-7ec39b0fdb2e"),
        ] {
            let problem = app
                .get(&path)
                .await
                .expect_problem(422, "validation_failed");
            let pointer = if segment == "%ff" { "" } else { "/user_id" };
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{path}");
        }
    }
}

#[tokio::test]
async fn malformed_reading_id_is_not_found() {
    let app = TestApp::start().await;
    for segment in [
        "x",
        "heart_rate_ab12cd34_1705314600",
        "018d0cabc44085d0a3ae7ec39b0fdb2e",
        "018d0cab-c440-45d0-a3ae-7ec39b0fdb2e",
        "%00",
        "a%2Fb",
    ] {
        let path = format!("/api/v1/data/user123/{segment}");
        app.get(&path)
            .await
            .expect_problem(404, "reading_not_found");
        app.delete(&path)
            .await
            .expect_problem(404, "reading_not_found");
    }
}

/// Sends raw bytes, since an HTTP client would resolve dot segments itself.
#[tokio::test]
async fn dot_segments_do_not_traverse_paths() {
    let app = TestApp::start().await;
    for (path, status) in [
        ("/api/v1/data/..", "422"),
        ("/api/v1/data/%2E%2E", "422"),
        ("/api/v1/data/user123/%2E%2E", "404"),
        ("/api/v1/data/../../health", "404"),
        ("/api/v1/data/../x", "422"),
        ("/api/v1/../../etc/passwd", "404"),
        ("/docs/../Cargo.toml", "404"),
    ] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: a\r\nX-API-Key: development-key\r\nConnection: close\r\n\r\n"
        );
        let response = app.send_bytes(request.as_bytes()).await;
        assert!(
            response.starts_with(&format!("HTTP/1.1 {status}")),
            "{path}: {response}"
        );
        assert!(
            response.contains("application/problem+json"),
            "{path}: {response}"
        );
    }
}

#[tokio::test]
async fn invalid_list_parameters_are_rejected() {
    let app = TestApp::start().await;
    for (query, pointers) in [
        ("limit=0", vec!["/limit"]),
        ("limit=-1", vec!["/limit"]),
        ("limit=1001", vec!["/limit"]),
        ("limit=abc", vec!["/limit"]),
        ("limit=", vec!["/limit"]),
        ("limit=1.5", vec!["/limit"]),
        ("limit=99999999999999999999", vec!["/limit"]),
        ("limit=1&limit=2", vec!["/limit"]),
        ("order=newest", vec!["/order"]),
        ("start=yesterday", vec!["/start"]),
        ("end=2024-01-15", vec!["/end"]),
        ("strat=2024-01-15T00:00:00Z", vec!["/strat"]),
        (
            "limit=0&order=x&start=y",
            vec!["/limit", "/order", "/start"],
        ),
        ("%00=1", vec!["/\0"]),
    ] {
        let path = format!("/api/v1/data/user123?{query}");
        app.get(&path).await.expect_field_errors(&pointers);
    }
}

#[tokio::test]
async fn unescaped_plus_is_explained() {
    let app = TestApp::start().await;
    let response = app
        .get("/api/v1/data/user123?start=2024-01-15T00:00:00+01:00")
        .await;
    let problem = response.expect_problem(422, "validation_failed");
    assert!(problem["detail"].as_str().unwrap().contains("%2B"));
}

#[tokio::test]
async fn foreign_tampered_and_truncated_cursors_are_rejected() {
    let app = TestApp::start().await;
    for value in 0..3 {
        let mut reading = example();
        reading["value"] = value.into();
        app.post(&reading).await;
    }
    let page = app.get("/api/v1/data/user123?limit=1").await.body;
    let cursor = page["next_cursor"].as_str().unwrap();
    let expect_cursor_error = async |user: &str, query: &str| {
        let path = format!("/api/v1/data/{user}?{query}");
        app.get(&path).await.expect_field_errors(&["/cursor"]);
    };
    expect_cursor_error("user124", &format!("cursor={cursor}")).await;
    for other_query in [
        "order=asc",
        "start=2024-01-01T00:00:00Z",
        "end=2025-01-01T00:00:00Z",
    ] {
        expect_cursor_error("user123", &format!("cursor={cursor}&{other_query}")).await;
    }
    for length in [0, 1, cursor.len() / 2, cursor.len() - 1] {
        expect_cursor_error("user123", &format!("cursor={}", &cursor[..length])).await;
    }
    for position in 0..cursor.len() {
        let mut tampered = cursor.as_bytes().to_vec();
        tampered[position] = if tampered[position] == b'A' {
            b'B'
        } else {
            b'A'
        };
        expect_cursor_error(
            "user123",
            &format!("cursor={}", String::from_utf8(tampered).unwrap()),
        )
        .await;
    }
    for nonsense in ["%00", "!!!", &"A".repeat(5_000)] {
        expect_cursor_error("user123", &format!("cursor={nonsense}")).await;
    }
}

#[tokio::test]
async fn wrong_methods_and_unknown_paths_are_rejected() {
    let app = TestApp::start().await;
    for (method, path, allowed) in [
        (Method::PUT, "/api/v1/data", "POST"),
        (Method::GET, "/api/v1/data", "POST"),
        (Method::POST, "/api/v1/data/user123", "GET,HEAD,DELETE"),
        (Method::PUT, "/api/v1/data/batch", "POST,GET,HEAD,DELETE"),
        (Method::POST, "/api/v1/data/user123/export", "GET,HEAD"),
        (Method::DELETE, "/api/v1/data/user123/summary", "GET,HEAD"),
        (
            Method::PATCH,
            "/api/v1/data/user123/018d0cab-c440-85d0-a3ae-7ec39b0fdb2e",
            "GET,HEAD,DELETE",
        ),
        (Method::GET, "/api/v1/insights", "POST"),
        (Method::POST, "/health", "GET,HEAD"),
        (Method::DELETE, "/openapi.json", "GET,HEAD"),
    ] {
        let response = ApiResponse::from_request(app.request(method, path)).await;
        let mut found: Vec<&str> = response.headers["allow"]
            .to_str()
            .unwrap()
            .split(',')
            .collect();
        let mut allowed: Vec<&str> = allowed.split(',').collect();
        found.sort_unstable();
        allowed.sort_unstable();
        assert_eq!(found, allowed, "{path}");
        response.expect_problem(405, "method_not_allowed");
    }
    for path in [
        "/",
        "/nothing",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v2/data",
        "/api/v1/data/u/i/x",
        "/health/",
    ] {
        app.get(path).await.expect_problem(404, "unknown_path");
    }
}
