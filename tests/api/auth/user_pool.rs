//! Calls with tokens of a Cognito user pool, which moto emulates.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::{ApiResponse, TestApp, client, example_with};

/// A moto server, killed on drop.
struct MotoServer {
    process: Child,
    url: String,
}

impl MotoServer {
    fn start() -> Self {
        let mut process = Command::new("moto_server")
            .args(["-H", "127.0.0.1", "-p", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let url = loop {
            let line = lines.next().unwrap().unwrap();
            if let Some((_, address)) = line.split_once("Running on ") {
                break address.to_owned();
            }
        };
        // Drains its log, so that the server never blocks on a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, url }
    }

    /// Calls an operation of the Cognito API.
    async fn call(&self, operation: &str, body: Value) -> Value {
        let target = format!("AWSCognitoIdentityProviderService.{operation}");
        let signature = "AWS4-HMAC-SHA256 Credential=test/20240101/eu-central-1/cognito-idp/aws4_request, SignedHeaders=host, Signature=none";
        let request = client()
            .post(&self.url)
            .header("X-Amz-Target", target)
            .header("Content-Type", "application/x-amz-json-1.1")
            .header("Authorization", signature)
            .body(body.to_string());
        ApiResponse::from_request(request)
            .await
            .expect(StatusCode::OK)
    }
}

impl Drop for MotoServer {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Tokens of a signed-in user.
struct UserTokens {
    access_token: String,
    id_token: String,
}

impl UserTokens {
    /// Returns the user's id, the `sub` claim.
    fn subject(&self) -> String {
        let claims = self.access_token.split('.').nth(1).unwrap();
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        claims["sub"].as_str().unwrap().to_owned()
    }
}

async fn sign_in(moto: &MotoServer, pool: &str, client: &str, name: &str) -> UserTokens {
    let flow = json!({
        "UserPoolId": pool, "ClientId": client, "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": name, "PASSWORD": "A-long-passw0rd"}
    });
    let tokens = moto.call("AdminInitiateAuth", flow).await;
    let token = |name: &str| {
        let token = tokens["AuthenticationResult"][name].as_str();
        token.unwrap().to_owned()
    };
    UserTokens {
        access_token: token("AccessToken"),
        id_token: token("IdToken"),
    }
}

#[tokio::test]
#[cfg_attr(
    not(moto_server),
    ignore = "moto_server is not installed (pip install 'moto[server]')"
)]
async fn user_pool_tokens_grant_access_to_own_readings() {
    let moto = MotoServer::start();
    let pool = moto
        .call("CreateUserPool", json!({"PoolName": "people"}))
        .await;
    let pool = pool["UserPool"]["Id"].as_str().unwrap();
    let new_client = json!({
        "UserPoolId": pool, "ClientName": "app",
        "ExplicitAuthFlows": ["ALLOW_ADMIN_USER_PASSWORD_AUTH"]
    });
    let app_client = moto.call("CreateUserPoolClient", new_client).await;
    let app_client = app_client["UserPoolClient"]["ClientId"].as_str().unwrap();
    for name in ["jane", "john", "boss"] {
        let user = json!({"UserPoolId": pool, "Username": name});
        moto.call("AdminCreateUser", user).await;
        let password = json!({
            "UserPoolId": pool, "Username": name, "Password": "A-long-passw0rd", "Permanent": true
        });
        moto.call("AdminSetUserPassword", password).await;
    }
    let group = json!({"UserPoolId": pool, "GroupName": "clarity-admins"});
    moto.call("CreateGroup", group.clone()).await;
    let mut membership = group;
    membership["Username"] = json!("boss");
    moto.call("AdminAddUserToGroup", membership).await;

    let app = TestApp::start_with(&[
        ("AWS_REGION", "eu-central-1"),
        ("COGNITO_USER_POOL_ID", pool),
        ("COGNITO_CLIENT_IDS", app_client),
        (
            "JWKS_URL",
            &format!("{}/{pool}/.well-known/jwks.json", moto.url),
        ),
    ])
    .await;
    let request = |method, path: &str, token: &str| {
        let request = app.anonymous(method, path);
        request.header("Authorization", format!("Bearer {token}"))
    };
    let jane = sign_in(&moto, pool, app_client, "jane").await;
    let john = sign_in(&moto, pool, app_client, "john").await;
    let boss = sign_in(&moto, pool, app_client, "boss").await;
    let reading = example_with(json!({"user_id": jane.subject()}));
    let path = format!("/api/v1/data/{}", jane.subject());

    let store = |token| request(Method::POST, "/api/v1/data", token).json(&reading);
    ApiResponse::from_request(store(&john.access_token))
        .await
        .expect_problem(403, "forbidden");
    ApiResponse::from_request(store(&jane.access_token))
        .await
        .expect(StatusCode::OK);
    for token in [&jane.access_token, &jane.id_token, &boss.access_token] {
        let listed = ApiResponse::from_request(request(Method::GET, &path, token)).await;
        assert_eq!(listed.expect(StatusCode::OK)["count"], 1);
    }
    for token in [&john.access_token, &john.id_token] {
        let rejected = ApiResponse::from_request(request(Method::GET, &path, token)).await;
        rejected.expect_problem(403, "forbidden");
    }
    let tampered = format!("{}AAAA", &jane.access_token[..jane.access_token.len() - 4]);
    let rejected = ApiResponse::from_request(request(Method::GET, &path, &tampered)).await;
    rejected.expect_problem(401, "unauthorized");
}
