//! A fake of AWS Secrets Manager (AWS JSON 1.1 protocol) with one secret.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub struct FakeSecretsManager {
    address: SocketAddr,
    secret: Arc<Mutex<Secret>>,
}

struct Secret {
    name: String,
    /// `None` while the fake fails.
    text: Option<String>,
}

impl FakeSecretsManager {
    /// Starts a fake with this secret.
    pub async fn start(name: &str, text: &str) -> Self {
        let secret = Arc::new(Mutex::new(Secret {
            name: name.to_owned(),
            text: Some(text.to_owned()),
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .fallback(handle)
            .with_state(Arc::clone(&secret));
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { address, secret }
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn set(&self, text: &str) {
        self.secret.lock().unwrap().text = Some(text.to_owned());
    }

    pub fn fail(&self) {
        self.secret.lock().unwrap().text = None;
    }
}

async fn handle(
    State(secret): State<Arc<Mutex<Secret>>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    assert_eq!(headers["x-amz-target"], "secretsmanager.GetSecretValue");
    let request: Value = serde_json::from_slice(&body).unwrap();
    let secret = secret.lock().unwrap();
    let Some(text) = &secret.text else {
        let error = json!({"__type": "AccessDeniedException", "Message": "injected failure"});
        return (StatusCode::BAD_REQUEST, error.to_string());
    };
    if request["SecretId"] != *secret.name {
        let error = json!({"__type": "ResourceNotFoundException", "Message": "no such secret"});
        return (StatusCode::BAD_REQUEST, error.to_string());
    }
    let value = json!({"Name": secret.name, "SecretString": text, "VersionId": "1"});
    (StatusCode::OK, value.to_string())
}
