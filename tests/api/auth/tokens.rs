//! Authentication and authorization by bearer token.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clarity_backend::auth::{Audience, Issuer, TokenError, TokenVerifier};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::app::{ApiResponse, NOW, TestApp, example, example_with};
use crate::support::operations::operations;
use crate::support::token_issuer::{
    TokenIssuer, base64, foreign_jwk, header, public_key, signed_by_other_key, signed_with_rs512,
    token,
};

const ISSUER: &str = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Pool";

async fn start(issuer: &TokenIssuer) -> TestApp {
    TestApp::start_with(&[
        ("AWS_REGION", "eu-central-1"),
        ("COGNITO_USER_POOL_ID", "eu-central-1_Pool"),
        ("COGNITO_CLIENT_IDS", "web-app, ios-app"),
        ("JWKS_URL", &issuer.key_set_url()),
        ("CLARITY_API_KEY", "development-key"),
    ])
    .await
}

fn now() -> i64 {
    NOW.parse::<jiff::Timestamp>().unwrap().as_second()
}

/// Claims of a valid access token for this subject.
fn claims(subject: &str) -> Value {
    json!({
        "iss": ISSUER, "sub": subject, "token_use": "access", "client_id": "ios-app",
        "exp": now() + 3_600, "iat": now(), "scope": "openid",
    })
}

fn claims_with(members: Value) -> String {
    let mut claims = claims("user123");
    for (name, value) in members.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.to_string()
}

fn claims_without(name: &str) -> String {
    let mut claims = claims("user123");
    claims.as_object_mut().unwrap().remove(name);
    claims.to_string()
}

fn header_with(members: Value) -> String {
    let mut header = header();
    for (name, value) in members.as_object().unwrap() {
        header[name] = value.clone();
    }
    header.to_string()
}

fn signed_token(claims: &str) -> String {
    token(&header().to_string(), claims)
}

fn with_token(request: RequestBuilder, token: &str) -> RequestBuilder {
    request.header("Authorization", format!("Bearer {token}"))
}

async fn list(app: &TestApp, user_id: &str, token: &str) -> ApiResponse {
    let path = format!("/api/v1/data/{user_id}");
    ApiResponse::from_request(with_token(app.anonymous(Method::GET, &path), token)).await
}

/// Calls every operation with tokens of its user, of another user, and of an
/// administrator.
#[tokio::test]
async fn token_grants_its_own_user_and_admin_token_all() {
    let issuer = TokenIssuer::start().await;
    let app = start(&issuer).await;
    let own = signed_token(&claims("user123").to_string());
    let others = signed_token(&claims("user124").to_string());
    let mut admin = claims("administrator");
    admin["cognito:groups"] = json!(["staff", "clarity-admins"]);
    let admin = signed_token(&admin.to_string());
    for operation in operations(&app).await {
        let ask = async |token: &str| {
            app.post(&example()).await.expect(StatusCode::OK);
            ApiResponse::from_request(with_token(operation.request(&app), token)).await
        };
        let name = &operation.name;
        for good in [&own, &admin] {
            let response = ask(good).await;
            assert!(response.status.is_success(), "{name}: {}", response.body);
        }
        if operation.scope.is_some() {
            ask(&others).await.expect_problem(403, "forbidden");
        }
    }
    let readings = [example(), example_with(json!({"user_id": "user124"}))];
    let batch = app.anonymous(Method::POST, "/api/v1/data/batch");
    let batch = with_token(batch, &own).json(&json!({ "readings": readings }));
    ApiResponse::from_request(batch)
        .await
        .expect_problem(403, "forbidden");
}

#[tokio::test]
async fn access_and_id_tokens_within_clock_skew_are_accepted() {
    let issuer = TokenIssuer::start().await;
    let app = start(&issuer).await;
    let id_token = |aud: Value| {
        let mut claims = claims("user123");
        claims.as_object_mut().unwrap().remove("client_id");
        claims["token_use"] = json!("id");
        claims["aud"] = aud;
        claims.to_string()
    };
    for good in [
        claims("user123").to_string(),
        claims_with(json!({"client_id": "web-app"})),
        id_token(json!("web-app")),
        id_token(json!(["another", "ios-app"])),
        claims_with(json!({"exp": now() - 59})),
        claims_with(json!({"nbf": now() + 60})),
        claims_with(json!({"exp": 4_102_444_800.5_f64, "nbf": 0.5})),
        claims_with(json!({"sub": "another", "custom:clarity_user_id": "user123"})),
        // An optional claim that is null is absent.
        claims_with(json!({
            "cognito:groups": null, "custom:clarity_user_id": null, "nbf": null, "aud": null,
        })),
        claims_with(json!({"cognito:groups": []})),
    ] {
        let response = list(&app, "user123", &signed_token(&good)).await;
        assert_eq!(response.status, StatusCode::OK, "{good}: {}", response.body);
    }
    // A mapped user id replaces the subject.
    let mapped = claims_with(json!({"custom:clarity_user_id": "user124"}));
    list(&app, "user123", &signed_token(&mapped))
        .await
        .expect_problem(403, "forbidden");
    // A subject that is no valid user id grants access to no user.
    let strange = signed_token(&claims_with(json!({"sub": "a person"})));
    list(&app, "user123", &strange)
        .await
        .expect_problem(403, "forbidden");
}

/// Ids of keys need not be distinct (RFC 7517, section 4.5).
#[tokio::test]
async fn token_signed_by_any_key_of_its_id_is_accepted() {
    let issuer = TokenIssuer::start().await;
    issuer.publish_pairs(["one", "two"]);
    let app = start(&issuer).await;
    let claims = claims("user123").to_string();
    for id in ["one", "two"] {
        let header = header_with(json!({ "kid": id }));
        list(&app, "user123", &token(&header, &claims))
            .await
            .expect(StatusCode::OK);
        list(&app, "user123", &signed_by_other_key(&header, &claims))
            .await
            .expect_problem(401, "unauthorized");
    }
}

#[tokio::test]
async fn invalid_tokens_are_rejected_without_a_reason() {
    let issuer = TokenIssuer::start().await;
    let started = Instant::now();
    let app = start(&issuer).await;
    let claims = claims("user123").to_string();
    let plain = header().to_string();
    let good = signed_token(&claims);
    let (message, signature) = good.rsplit_once('.').unwrap();
    let unsigned = |header: &str| format!("{}.{}.", base64(header), base64(&claims));
    let confused = {
        let message = format!(
            "{}.{}",
            base64(header_with(json!({"alg": "HS256"}))),
            base64(&claims)
        );
        let mut mac = Hmac::<Sha256>::new_from_slice(public_key()).unwrap();
        mac.update(message.as_bytes());
        format!("{message}.{}", base64(mac.finalize().into_bytes()))
    };
    let twice = |member: &str| claims.replacen('{', &format!("{{{member},"), 1);
    let other_claims = base64(claims_with(json!({"sub": "user124"})));
    let invalid = [
        ("alg none", unsigned(&header_with(json!({"alg": "none"})))),
        ("alg None", unsigned(&header_with(json!({"alg": "None"})))),
        ("no signature", unsigned(&plain)),
        ("HS256 with the public key", confused),
        (
            "RS512",
            signed_with_rs512(&header_with(json!({"alg": "RS512"})), &claims),
        ),
        (
            "RS512 declared as RS256",
            signed_with_rs512(&plain, &claims),
        ),
        (
            "signed by another key",
            signed_by_other_key(&plain, &claims),
        ),
        ("claims of another token", {
            let head = message.split('.').next().unwrap();
            format!("{head}.{other_claims}.{signature}")
        }),
        (
            "wrong issuer",
            signed_token(&claims_with(json!({"iss": "https://evil.example.com"}))),
        ),
        (
            "issuer with a slash",
            signed_token(&claims_with(json!({"iss": format!("{ISSUER}/")}))),
        ),
        (
            "wrong client",
            signed_token(&claims_with(json!({"client_id": "evil-app"}))),
        ),
        ("access token with aud instead of client_id", {
            let mut claims: Value = serde_json::from_str(&claims_without("client_id")).unwrap();
            claims["aud"] = json!("ios-app");
            signed_token(&claims.to_string())
        }),
        (
            "wrong audience",
            signed_token(&claims_with(json!({"token_use": "id", "aud": "evil-app"}))),
        ),
        (
            "wrong token use",
            signed_token(&claims_with(json!({"token_use": "refresh"}))),
        ),
        (
            "groups of another type",
            signed_token(&claims_with(json!({"cognito:groups": "clarity-admins"}))),
        ),
        (
            "null in groups",
            signed_token(&claims_with(json!({"cognito:groups": [null]}))),
        ),
        (
            "user id of another type",
            signed_token(&claims_with(json!({"custom:clarity_user_id": 123}))),
        ),
        (
            "null subject",
            signed_token(&claims_with(json!({"sub": null}))),
        ),
        (
            "null expiry",
            signed_token(&claims_with(json!({"exp": null}))),
        ),
        (
            "null client",
            signed_token(&claims_with(json!({"client_id": null}))),
        ),
        ("no token use", signed_token(&claims_without("token_use"))),
        (
            "expired",
            signed_token(&claims_with(json!({"exp": now() - 60}))),
        ),
        ("no expiry", signed_token(&claims_without("exp"))),
        (
            "non-numeric expiry",
            signed_token(&claims_with(json!({"exp": "never"}))),
        ),
        (
            "not yet valid",
            signed_token(&claims_with(json!({"nbf": now() + 61}))),
        ),
        ("no issuer", signed_token(&claims_without("iss"))),
        ("no subject", signed_token(&claims_without("sub"))),
        (
            "empty subject",
            signed_token(&claims_with(json!({"sub": ""}))),
        ),
        (
            "huge subject",
            signed_token(&claims_with(json!({"sub": "x".repeat(256)}))),
        ),
        (
            "logout token",
            token(&header_with(json!({"typ": "logout+jwt"})), &claims),
        ),
        (
            "key for another algorithm",
            token(&header_with(json!({"kid": "for-rs512"})), &claims),
        ),
        (
            "encryption key",
            token(&header_with(json!({"kid": "for-encryption"})), &claims),
        ),
        (
            "unknown key id",
            token(&header_with(json!({"kid": "key-2"})), &claims),
        ),
        (
            "key of another type",
            token(&header_with(json!({"kid": "secret"})), &claims),
        ),
        ("no key id", token(r#"{"alg":"RS256"}"#, &claims)),
        (
            "embedded key set URL",
            token(&header_with(json!({"jku": issuer.key_set_url()})), &claims),
        ),
        (
            "embedded certificate URL",
            token(
                &header_with(json!({"x5u": "https://evil.example.com"})),
                &claims,
            ),
        ),
        (
            "embedded key",
            signed_by_other_key(&header_with(json!({"jwk": foreign_jwk()})), &claims),
        ),
        (
            "critical extension",
            token(&header_with(json!({"crit": ["exp"]})), &claims),
        ),
        ("two subjects", signed_token(&twice(r#""sub":"user124""#))),
        (
            "two issuers",
            signed_token(&twice(r#""iss":"https://evil.example.com""#)),
        ),
        ("two expiries", signed_token(&twice(r#""exp":1"#))),
        ("array of claims", signed_token("[]")),
        ("malformed claims", signed_token("{")),
        ("two parts", message.to_owned()),
        ("four parts", format!("{good}.{signature}")),
        ("not base64", format!("{message}.!!!")),
        ("padded", format!("{good}==")),
        ("empty", String::new()),
        ("only dots", "..".to_owned()),
        (
            "huge",
            signed_token(&claims_with(json!({"x": "x".repeat(9_000)}))),
        ),
    ];
    assert!(invalid.len() >= 25);
    app.post(&example()).await.expect(StatusCode::OK);
    list(&app, "user123", &good).await.expect(StatusCode::OK);
    let mut bodies = Vec::new();
    for (name, token) in &invalid {
        let request = app.anonymous(Method::GET, "/api/v1/data/user123");
        let response =
            ApiResponse::from_request(with_token(request, token).header("x-request-id", "same"))
                .await;
        assert_eq!(response.status, StatusCode::UNAUTHORIZED, "{name}");
        bodies.push(response.expect_problem(401, "unauthorized"));
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
    // A request carries exactly one credential, in its own header and scheme.
    let request = || app.anonymous(Method::GET, "/api/v1/data/user123");
    for ambiguous in [
        with_token(request(), &good).header("X-API-Key", "development-key"),
        with_token(with_token(request(), &good), &good),
        request().header("Authorization", format!("Basic {good}")),
        request().header("Authorization", good.clone()),
        request().header("X-API-Key", good.clone()),
    ] {
        ApiResponse::from_request(ambiguous)
            .await
            .expect_problem(401, "unauthorized");
    }
    // Another scheme than Bearer may be meant for a proxy, and is ignored.
    let for_a_proxy = request()
        .header("Authorization", "Basic Zm9vOmJhcg==")
        .header("X-API-Key", "development-key");
    ApiResponse::from_request(for_a_proxy)
        .await
        .expect(StatusCode::OK);
    let lower = request().header("Authorization", format!("bearer {good}"));
    ApiResponse::from_request(lower)
        .await
        .expect(StatusCode::OK);
    assert_rarely_fetched(&issuer, started);
}

/// Checks that the key set was fetched at most once per 10 seconds of test time.
#[track_caller]
fn assert_rarely_fetched(issuer: &TokenIssuer, since: Instant) {
    let fetches = issuer.fetches();
    let max = 1 + since.elapsed().as_secs() / 10;
    assert!(
        (1..=max).contains(&fetches),
        "{fetches} fetches, at most {max} allowed"
    );
}

/// Tokens with unknown key ids must not let a caller flood the issuer.
#[tokio::test]
async fn unknown_key_ids_fetch_the_key_set_once() {
    let issuer = TokenIssuer::start().await;
    let started = Instant::now();
    let app = Arc::new(start(&issuer).await);
    let claims = claims("user123").to_string();
    // All tokens share one signature: without a key it is not verified.
    let signed = signed_token(&claims);
    let (_, rest) = signed.split_once('.').unwrap();
    let clients = (0..8).map(|client| {
        let (app, rest) = (Arc::clone(&app), rest.to_owned());
        tokio::spawn(async move {
            for number in 0..125 {
                let id = format!("key-of-{client}-{number}");
                let token = format!("{}.{rest}", base64(header_with(json!({"kid": id}))));
                let response = list(&app, "user123", &token).await;
                response.expect_problem(401, "unauthorized");
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    assert_rarely_fetched(&issuer, started);
    list(&app, "user123", &signed).await.expect(StatusCode::OK);
}

/// A caller that disconnects during a key set fetch does not block the next one.
#[tokio::test]
async fn cancelled_request_consumes_no_key_set_refresh() {
    let issuer = TokenIssuer::start_with_delay(Duration::from_millis(300)).await;
    let known = Issuer {
        url: ISSUER.to_owned(),
        audience: Audience::CognitoClients(vec!["ios-app".to_owned()]),
    };
    let verifier = TokenVerifier::new(known, issuer.key_set_url()).unwrap();
    let moment = NOW.parse().unwrap();
    let claims = claims("user123").to_string();
    let unknown = token(&header_with(json!({"kid": "unknown"})), &claims);
    let cancelled = verifier.verify(&unknown, moment);
    let _ = tokio::time::timeout(Duration::from_millis(30), cancelled).await;
    assert!(
        verifier
            .verify(&signed_token(&claims), moment)
            .await
            .is_ok()
    );
    let still_unknown = verifier.verify(&unknown, moment).await;
    assert_eq!(still_unknown.err(), Some(TokenError::Invalid));
    assert_eq!(issuer.fetches(), 1);
}

/// While the issuer fails or publishes no usable key, cached keys stay valid. A
/// token with a newer key id might be valid, so its response is a retryable 503.
#[tokio::test]
async fn issuer_failure_keeps_cached_keys_valid() {
    let issuer = TokenIssuer::start().await;
    let app = start(&issuer).await;
    let by = |key: &str| {
        let header = header_with(json!({"kid": key}));
        token(&header, &claims("user123").to_string())
    };
    list(&app, "user123", &by("key-1"))
        .await
        .expect(StatusCode::OK);
    let fail = || issuer.fail();
    let publish_nothing = || issuer.publish(&[]);
    for away in [&fail as &dyn Fn(), &publish_nothing] {
        away();
        wait_out_refresh_interval().await;
        let response = list(&app, "user123", &by("key-2")).await;
        assert_eq!(response.headers["retry-after"], "10");
        response.expect_problem(503, "issuer_unavailable");
        list(&app, "user123", &by("key-1"))
            .await
            .expect(StatusCode::OK);
    }
    issuer.publish(&["key-2"]);
    wait_out_refresh_interval().await;
    list(&app, "user123", &by("key-2"))
        .await
        .expect(StatusCode::OK);
    list(&app, "user123", &by("key-1"))
        .await
        .expect_problem(401, "unauthorized");
}

/// Advances the clock past the minimum interval between key set fetches.
async fn wait_out_refresh_interval() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(11)).await;
    tokio::time::resume();
}

/// Without keys a token can be neither accepted nor rejected, and a 401 would
/// sign the user out.
#[tokio::test]
async fn token_without_available_keys_returns_503() {
    let app = TestApp::start_with(&[
        ("JWT_ISSUER", ISSUER),
        ("JWT_AUDIENCE", "clarity"),
        ("JWKS_URL", "http://127.0.0.1:1/jwks.json"),
    ])
    .await;
    let response = list(
        &app,
        "user123",
        &signed_token(&claims("user123").to_string()),
    )
    .await;
    assert!(response.headers.contains_key("retry-after"));
    response.expect_problem(503, "issuer_unavailable");
    let keyed = app.get("/api/v1/data/user123").await;
    keyed.expect(StatusCode::OK);
}

/// Issuers other than Cognito state the audience in `aud` only.
#[tokio::test]
async fn non_cognito_tokens_are_checked_by_audience() {
    let issuer = TokenIssuer::start().await;
    let app = TestApp::start_with(&[
        ("JWT_ISSUER", "https://login.example.com/"),
        ("JWT_AUDIENCE", "clarity"),
        ("JWKS_URL", &issuer.key_set_url()),
    ])
    .await;
    let token_for = |issuer: &str, aud: &str| {
        let claims = json!({"iss": issuer, "sub": "user123", "aud": aud, "exp": now() + 60});
        signed_token(&claims.to_string())
    };
    let good = token_for("https://login.example.com/", "clarity");
    list(&app, "user123", &good).await.expect(StatusCode::OK);
    list(&app, "user124", &good)
        .await
        .expect_problem(403, "forbidden");
    for bad in [
        token_for("https://login.example.com", "clarity"),
        token_for("https://login.example.com/", "another"),
    ] {
        list(&app, "user123", &bad)
            .await
            .expect_problem(401, "unauthorized");
    }
}

#[tokio::test]
async fn tokens_are_rejected_without_a_configured_issuer() {
    let app = TestApp::start().await;
    let token = signed_token(&claims("user123").to_string());
    let response = list(&app, "user123", &token).await;
    assert_eq!(response.headers["www-authenticate"], "X-API-Key");
    response.expect_problem(401, "unauthorized");
    // A token alongside a valid key is ignored.
    let with_key = app.request(Method::GET, "/api/v1/data/user123");
    ApiResponse::from_request(with_token(with_key, &token))
        .await
        .expect(StatusCode::OK);
}
