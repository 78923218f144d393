//! Fake Firestore with the part of the REST protocol that the import uses: queries over
//! all documents, ordered by name.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Project of the fake.
pub const PROJECT: &str = "demo-clarity";

/// Server on a free port, which runs until the runtime of the test ends.
pub struct FakeFirestore {
    address: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// By path, in Firestore's order: segment by segment.
    documents: Mutex<BTreeMap<Vec<String>, Value>>,
    failures: Mutex<VecDeque<(StatusCode, Option<u32>)>>,
    requests: Mutex<Vec<(HeaderMap, Value)>>,
    oversized_above: Mutex<Option<usize>>,
}

/// More than the import accepts.
const OVERSIZED_BYTES: usize = 40 * 1024 * 1024;

impl FakeFirestore {
    pub async fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let router = Router::new().fallback(respond).with_state(shared.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, shared }
    }

    /// Returns the value for `FIRESTORE_EMULATOR_HOST`.
    pub fn host(&self) -> &str {
        &self.address
    }

    /// Adds a document.
    pub fn document(&self, path: &str, fields: &Value) -> &Self {
        let key = path.split('/').map(str::to_owned).collect();
        let mut documents = self.shared.documents.lock().unwrap();
        documents.insert(key, fields.clone());
        self
    }

    /// Queues a failure with this status and `Retry-After` for a later request.
    pub fn fail(&self, status: u16, retry_after: Option<u32>) -> &Self {
        let status = StatusCode::from_u16(status).unwrap();
        let mut failures = self.shared.failures.lock().unwrap();
        failures.push_back((status, retry_after));
        self
    }

    /// Queues a regular response between failures.
    pub fn succeed(&self) -> &Self {
        self.fail(200, None)
    }

    /// Answers queries with a higher limit than `documents` with an oversized response.
    pub fn oversized_above(&self, documents: usize) -> &Self {
        *self.shared.oversized_above.lock().unwrap() = Some(documents);
        self
    }

    /// Returns headers and body of every request so far.
    pub fn requests(&self) -> Vec<(HeaderMap, Value)> {
        self.shared.requests.lock().unwrap().clone()
    }
}

async fn respond(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    raw: Bytes,
) -> Response {
    let body: Value = serde_json::from_slice(&raw).unwrap_or_default();
    shared
        .requests
        .lock()
        .unwrap()
        .push((headers.clone(), body.clone()));
    let root = format!("/v1/projects/{PROJECT}/databases/(default)/documents:runQuery");
    if method != Method::POST || uri.path() != root {
        return failure(StatusCode::NOT_FOUND, None);
    }
    let bearer = headers.get(header::AUTHORIZATION);
    if !bearer.is_some_and(|value| value.as_bytes().starts_with(b"Bearer ")) {
        return failure(StatusCode::FORBIDDEN, None);
    }
    let scripted = shared.failures.lock().unwrap().pop_front();
    if let Some((status, retry_after)) = scripted
        && status != StatusCode::OK
    {
        return failure(status, retry_after);
    }
    let limit = body["structuredQuery"]["limit"].as_u64();
    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
    if limit > shared.oversized_above.lock().unwrap().or(limit) {
        return vec![b' '; OVERSIZED_BYTES].into_response();
    }
    let documents = shared.documents.lock().unwrap();
    match page(&documents, &body) {
        Some(page) => json_response(&page),
        None => failure(StatusCode::BAD_REQUEST, None),
    }
}

/// Returns the response to a query of the supported form, `None` for other forms.
fn page(documents: &BTreeMap<Vec<String>, Value>, body: &Value) -> Option<Value> {
    let query = body.get("structuredQuery")?;
    let by_name = json!([{"field": {"fieldPath": "__name__"}, "direction": "ASCENDING"}]);
    if query["from"] != json!([{"allDescendants": true}]) || query["orderBy"] != by_name {
        return None;
    }
    let root = format!("projects/{PROJECT}/databases/(default)/documents/");
    let limit = usize::try_from(query["limit"].as_u64()?).ok()?;
    let after: Option<Vec<String>> = match query.get("startAt") {
        None => None,
        Some(start) => {
            let name = start["values"][0]["referenceValue"].as_str()?;
            if start["before"] != json!(false) {
                return None;
            }
            let path = name.strip_prefix(&root)?;
            Some(path.split('/').map(str::to_owned).collect())
        }
    };
    let read_time = "2025-06-03T12:34:56.123456Z";
    let mut page: Vec<Value> = documents
        .iter()
        .filter(|(path, _)| after.as_ref().is_none_or(|after| *path > after))
        .take(limit)
        .map(|(path, fields)| {
            let name = format!("{root}{}", path.join("/"));
            let document = json!({"name": name, "fields": fields, "createTime": read_time});
            json!({"document": document, "readTime": read_time})
        })
        .collect();
    page.push(json!({"readTime": read_time, "done": true}));
    Some(Value::Array(page))
}

fn failure(status: StatusCode, retry_after: Option<u32>) -> Response {
    let error = json!([{"error": {"code": status.as_u16(), "message": "m", "status": "S"}}]);
    let mut response = (status, json_response(&error)).into_response();
    if let Some(seconds) = retry_after {
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn json_response(body: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, body.to_string()).into_response()
}
