//! The OpenAPI document and the documentation page.

use std::fs;
use std::io::read_to_string;
use std::path::Path;

use flate2::read::GzDecoder;
use reqwest::{Method, StatusCode};

use crate::support::app::{ApiResponse, TestApp};

/// `UPDATE_OPENAPI=1 cargo test --test api` updates the file.
#[tokio::test]
async fn committed_openapi_document_matches_code() {
    let app = TestApp::start().await;
    let served = app.anonymous(Method::GET, "/openapi.json").send().await;
    let served = served.unwrap().text().await.unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    #[expect(
        clippy::disallowed_methods,
        reason = "updating the file is an explicit request"
    )]
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(&file, &served).unwrap();
    }
    assert!(
        fs::read_to_string(&file).unwrap() == served,
        "openapi.json is out of date: run UPDATE_OPENAPI=1 cargo test --test api"
    );
}

#[tokio::test]
async fn every_operation_is_fully_described() {
    let app = TestApp::start().await;
    let document = ApiResponse::from_request(app.anonymous(Method::GET, "/openapi.json"))
        .await
        .body;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations += 1;
            let name = format!("{method} {path}");
            assert!(operation["operationId"].is_string(), "{name}");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.contains_key("200"), "{name}");
            if path.starts_with("/api/") {
                for status in ["401", "422", "500", "503"] {
                    let problem = &responses[status]["content"]["application/problem+json"];
                    assert_eq!(problem["example"]["status"].to_string(), status, "{name}");
                }
            } else {
                assert_eq!(operation["security"], serde_json::json!([{}]), "{name}");
            }
        }
    }
    assert_eq!(operations, 11);
}

#[tokio::test]
async fn request_examples_are_accepted() {
    let app = TestApp::start().await;
    let document = ApiResponse::from_request(app.anonymous(Method::GET, "/openapi.json"))
        .await
        .body;
    for path in ["/api/v1/data", "/api/v1/data/batch", "/api/v1/insights"] {
        let body = &document["paths"][path]["post"]["requestBody"]["content"]["application/json"];
        let response = app.post_raw(path, body["example"].to_string()).await;
        response.expect(StatusCode::OK);
    }
}

#[tokio::test]
async fn docs_page_loads_no_external_resources() {
    let app = TestApp::start().await;
    let page = app.anonymous(Method::GET, "/docs").send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    // The page's files are embedded in compressed form.
    assert_eq!(page.headers()["content-encoding"], "gzip");
    let page = page.bytes().await.unwrap();
    let page = read_to_string(GzDecoder::new(&*page)).unwrap();
    assert!(page.contains("swagger-ui"));
    let configuration = app
        .anonymous(Method::GET, "/docs/swagger-initializer.js")
        .send()
        .await;
    let configuration = configuration.unwrap().text().await.unwrap();
    assert!(
        configuration.contains("\"validatorUrl\": \"none\""),
        "{configuration}"
    );
    for text in [page, configuration] {
        assert!(
            !text.contains("http://") && !text.contains("https://"),
            "{text}"
        );
    }
    ApiResponse::from_request(app.anonymous(Method::GET, "/docs/no-such-file.js"))
        .await
        .expect_problem(404, "unknown_path");
}
