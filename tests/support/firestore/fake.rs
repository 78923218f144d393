//! A Firestore that speaks the real one's REST protocol, as far as readers
//! need it: queries over all documents in the order of their names.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The project that it has.
pub const PROJECT: &str = "demo-clarity";

/// A server on a free port, until the test's runtime ends.
pub struct FakeFirestore {
    address: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// By path, in the order that Firestore gives them: segment by segment.
    documents: Mutex<BTreeMap<Vec<String>, Value>>,
    failures: Mutex<VecDeque<(StatusCode, Option<u32>)>>,
    requests: Mutex<Vec<(HeaderMap, Value)>>,
    too_long_above: Mutex<Option<usize>>,
}

/// More than a reader should take.
const TOO_LONG: usize = 40 * 1024 * 1024;

impl FakeFirestore {
    pub async fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, shared }
    }

    /// What `FIRESTORE_EMULATOR_HOST` would be.
    pub fn host(&self) -> &str {
        &self.address
    }

    /// Has a document from now on.
    pub fn document(&self, path: &str, fields: &Value) -> &Self {
        let key = path.split('/').map(str::to_owned).collect();
        let mut documents = self.shared.documents.lock().unwrap();
        documents.insert(key, fields.clone());
        self
    }

    /// Answers a request to come with this status, and with this `Retry-After`.
    pub fn fail(&self, status: u16, retry_after: Option<u32>) -> &Self {
        let status = StatusCode::from_u16(status).unwrap();
        let mut failures = self.shared.failures.lock().unwrap();
        failures.push_back((status, retry_after));
        self
    }

    /// Answers a request to come as it should be.
    pub fn let_pass(&self) -> &Self {
        self.fail(200, None)
    }

    /// Answers a query for more documents than this with far too many bytes.
    pub fn too_long_above(&self, documents: usize) -> &Self {
        *self.shared.too_long_above.lock().unwrap() = Some(documents);
        self
    }

    /// Headers and body of every request so far.
    pub fn requests(&self) -> Vec<(HeaderMap, Value)> {
        self.shared.requests.lock().unwrap().clone()
    }
}

async fn answer(
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
    if limit > shared.too_long_above.lock().unwrap().or(limit) {
        return vec![b' '; TOO_LONG].into_response();
    }
    let documents = shared.documents.lock().unwrap();
    match page(&documents, &body) {
        Some(page) => json_response(&page),
        None => failure(StatusCode::BAD_REQUEST, None),
    }
}

/// The answer to a query of the one form that is known here.
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
