//! A proxy in front of DynamoDB Local that injects faults of DynamoDB and of the
//! network.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use futures_util::stream;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Ample for a request to DynamoDB Local on a busy machine.
const MAX_EXECUTION_TIME: Duration = Duration::from_secs(30);

/// A running proxy. It stops with the runtime that started it.
pub struct FaultyDynamoDb {
    address: SocketAddr,
    proxy: Arc<Proxy>,
}

/// Fault that the proxy injects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// 3 of 10 requests are throttled.
    PartialThrottling,
    /// Every request is throttled.
    FullThrottling,
    /// Every request returns an internal error.
    InternalErrors,
    /// Requests get no response.
    NoResponse,
    /// Every connection is reset, half of them after the request was executed.
    ConnectionResets,
    /// A third of each batch is returned as unprocessed.
    UnprocessedItems,
    /// Every response is delayed by this time.
    Slow(Duration),
    /// Every request is rejected with this code.
    Rejection(&'static str),
}

/// An attempt of a request that the proxy holds back while its client gives up.
pub struct HeldAttempt {
    release: oneshot::Sender<()>,
    executed: oneshot::Receiver<()>,
}

impl HeldAttempt {
    /// Lets the attempt arrive, and waits until it was executed. Fails if none was held.
    pub async fn release(self) {
        self.release.send(()).unwrap();
        let executed = timeout(MAX_EXECUTION_TIME, self.executed).await;
        executed.unwrap().unwrap();
    }
}

/// Attempt to hold.
struct Hold {
    operation: &'static str,
    /// Number of requests of this operation that pass before.
    skip: usize,
    released: oneshot::Receiver<()>,
    executed: oneshot::Sender<()>,
}

struct Proxy {
    fault: Mutex<Fault>,
    hold: Mutex<Option<Hold>>,
    upstream: String,
    client: Client,
    requests: AtomicUsize,
    puts: AtomicUsize,
}

impl FaultyDynamoDb {
    /// Starts a proxy in front of `upstream`, without a fault.
    pub async fn start(upstream: &str) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "callers of the proxy have timeouts"
        )]
        let client = Client::new();
        let proxy = Arc::new(Proxy {
            fault: Mutex::new(Fault::None),
            hold: Mutex::new(None),
            upstream: upstream.to_owned(),
            client,
            requests: AtomicUsize::new(0),
            puts: AtomicUsize::new(0),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .fallback(handle)
            .with_state(Arc::clone(&proxy));
        // An aborted connection is reset instead of closed.
        let listener = listener.tap_io(|connection| connection.set_zero_linger().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, proxy }
    }

    /// URL of the proxy.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn set_fault(&self, fault: Fault) {
        *self.proxy.fault.lock().unwrap() = fault;
    }

    /// Holds back the next request of `operation` after `skip` others. Its client gets
    /// no response to it.
    pub fn hold(&self, operation: &'static str, skip: usize) -> HeldAttempt {
        let ((release, released), (executed, is_executed)) =
            (oneshot::channel(), oneshot::channel());
        *self.proxy.hold.lock().unwrap() = Some(Hold {
            operation,
            skip,
            released,
            executed,
        });
        HeldAttempt {
            release,
            executed: is_executed,
        }
    }

    /// Number of requests received so far.
    pub fn requests(&self) -> usize {
        self.proxy.requests.load(Ordering::SeqCst)
    }

    /// Number of `PutItem` requests received so far.
    pub fn puts(&self) -> usize {
        self.proxy.puts.load(Ordering::SeqCst)
    }
}

async fn handle(State(proxy): State<Arc<Proxy>>, headers: HeaderMap, body: Bytes) -> Response {
    let operation = headers
        .get("x-amz-target")
        .and_then(|name| name.to_str().ok());
    let operation = operation.and_then(|name| name.rsplit('.').next());
    let operation = operation.unwrap_or_default().to_owned();
    if operation == "PutItem" {
        proxy.puts.fetch_add(1, Ordering::SeqCst);
    }
    if let Some(hold) = proxy.take_hold(&operation) {
        // Goes on after the client has disconnected.
        tokio::spawn(async move {
            if hold.released.await.is_ok() {
                proxy.forward(headers, body).await;
                let _ = hold.executed.send(());
            }
        });
        return std::future::pending().await;
    }
    let number = proxy.requests.fetch_add(1, Ordering::SeqCst);
    let fault = *proxy.fault.lock().unwrap();
    match fault {
        Fault::None => {}
        Fault::PartialThrottling if number % 10 < 3 => {
            return error_response(400, "ProvisionedThroughputExceededException");
        }
        Fault::PartialThrottling => {}
        Fault::FullThrottling => {
            return error_response(400, "ProvisionedThroughputExceededException");
        }
        Fault::InternalErrors => return error_response(500, "InternalServerError"),
        Fault::NoResponse => std::future::pending().await,
        Fault::ConnectionResets => {
            if number % 2 == 0 {
                proxy.forward(headers, body).await;
            }
            return truncated_response();
        }
        Fault::UnprocessedItems => {
            return proxy.forward_partially(&operation, headers, &body).await;
        }
        Fault::Slow(time) => tokio::time::sleep(time).await,
        Fault::Rejection(code) => return error_response(400, code),
    }
    proxy.forward(headers, body).await
}

fn error_response(status: u16, code: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    let headers = [(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-amz-json-1.0"),
    )];
    (status, headers, json!({"__type": code}).to_string()).into_response()
}

/// Returns a response whose connection is reset within the body.
fn truncated_response() -> Response {
    let error = Err::<Bytes, _>(io::Error::other("reset"));
    let body = Body::from_stream(stream::iter([Ok(Bytes::from_static(b"{")), error]));
    ([(CONTENT_LENGTH, HeaderValue::from_static("100"))], body).into_response()
}

impl Proxy {
    /// Returns the hold if this request of `operation` is the one to hold.
    fn take_hold(&self, operation: &str) -> Option<Hold> {
        let mut hold = self.hold.lock().unwrap();
        let next = hold.as_mut().filter(|hold| hold.operation == operation)?;
        match next.skip {
            0 => hold.take(),
            _ => {
                next.skip -= 1;
                None
            }
        }
    }

    async fn forward(&self, headers: HeaderMap, body: impl Into<reqwest::Body>) -> Response {
        let sent = self.client.post(&self.upstream).headers(headers).body(body);
        let response = sent.send().await.unwrap();
        let (status, mut headers) = (response.status(), response.headers().clone());
        // The body is forwarded as a whole.
        headers.remove(TRANSFER_ENCODING);
        (status, headers, response.bytes().await.unwrap()).into_response()
    }

    /// Forwards two thirds of a batch, and returns the rest as unprocessed.
    async fn forward_partially(
        &self,
        operation: &str,
        headers: HeaderMap,
        body: &Bytes,
    ) -> Response {
        let pointer = match operation {
            "BatchWriteItem" => "",
            "BatchGetItem" => "/Keys",
            _ => return self.forward(headers, body.clone()).await,
        };
        let mut request: Value = serde_json::from_slice(body).unwrap();
        let mut rest = request["RequestItems"].clone();
        let parts = request["RequestItems"].as_object_mut().unwrap();
        for (table, part) in parts {
            let part = part.pointer_mut(pointer).unwrap().as_array_mut().unwrap();
            let left = part.split_off((2 * part.len()).div_ceil(3));
            match left.is_empty() {
                true => drop(rest.as_object_mut().unwrap().remove(table)),
                false => *rest[table].pointer_mut(pointer).unwrap() = left.into(),
            }
        }
        let mut headers = headers;
        headers.remove(CONTENT_LENGTH);
        let response = self.forward(headers, request.to_string()).await;
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
        let mut response: Value = serde_json::from_slice(&body.unwrap()).unwrap();
        for name in ["UnprocessedItems", "UnprocessedKeys"] {
            if response.get(name).is_some() {
                response[name] = rest.clone();
            }
        }
        let kind = HeaderValue::from_static("application/x-amz-json-1.0");
        ([(CONTENT_TYPE, kind)], response.to_string()).into_response()
    }
}
