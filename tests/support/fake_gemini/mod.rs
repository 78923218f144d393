//! Fake Gemini server with scripted replies.
//!
//! It rejects requests that Gemini would reject, and replies to the others from
//! its script, in order.

pub mod errors;
pub mod frames;
mod request_check;
mod scripted;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use axum::serve::ListenerExt as _;
use serde_json::Value;
use tokio::net::TcpListener;
use url::Url;

pub use scripted::Scripted;

/// Accepted API key.
pub const KEY: &str = "fake-gemini-key-7391";

/// Server on a free port, which ends with the test's runtime.
pub struct FakeGemini {
    base_url: Url,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    script: Mutex<VecDeque<Scripted>>,
    requests: Mutex<Vec<Recorded>>,
    waiting: AtomicUsize,
}

/// Counts a request until its response starts.
struct Waiting(Arc<Shared>);

/// Received request.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Path and query.
    pub uri: String,
    pub headers: HeaderMap,
    /// Body as bytes.
    pub raw: Bytes,
    /// Body as JSON; `null` if it is not JSON.
    pub body: Value,
    pub at: Instant,
}

impl FakeGemini {
    pub async fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let listener = listener.tap_io(|connection| connection.set_nodelay(true).unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            base_url: Url::parse(&format!("http://{address}")).unwrap(),
            shared,
        }
    }

    /// Returns the value for `GEMINI_BASE_URL`.
    pub fn base_url(&self) -> Url {
        self.base_url.clone()
    }

    /// Appends a reply to the script.
    pub fn enqueue(&self, reply: Scripted) -> &Self {
        self.shared.script.lock().unwrap().push_back(reply);
        self
    }

    /// Returns all requests so far, including rejected ones.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Returns the number of requests whose response has not started. Cancelled
    /// requests are not counted.
    pub fn waiting(&self) -> usize {
        self.shared.waiting.load(Ordering::SeqCst)
    }

    /// Returns the number of unused replies.
    pub fn remaining(&self) -> usize {
        self.shared.script.lock().unwrap().len()
    }
}

impl Waiting {
    fn count(shared: &Arc<Shared>) -> Self {
        shared.waiting.fetch_add(1, Ordering::SeqCst);
        Self(shared.clone())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    raw: Bytes,
) -> Response {
    let _waiting = Waiting::count(&shared);
    let request = Recorded {
        uri: uri.to_string(),
        headers,
        body: serde_json::from_slice(&raw).unwrap_or_default(),
        raw,
        at: Instant::now(),
    };
    shared.requests.lock().unwrap().push(request.clone());
    let streamed = uri.path().ends_with(":streamGenerateContent");
    if let Err(rejection) = request_check::check(&method, &uri, &request) {
        return rejection.respond(streamed).await;
    }
    let next = shared.script.lock().unwrap().pop_front();
    next.unwrap_or_else(|| {
        Scripted::error(
            StatusCode::IM_A_TEAPOT,
            errors::body(418, "NOT_SCRIPTED", "the script has ended"),
        )
    })
    .respond(streamed)
    .await
}
