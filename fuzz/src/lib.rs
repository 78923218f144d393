//! Harness of the fuzz targets: sends fuzzed requests to the whole app in memory, and
//! checks the wire contract of every response: no 5xx, a problem document for every
//! client error, and a request id.

pub mod issuer;

use std::cell::RefCell;
use std::future;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use clarity_backend::app::App;
use clarity_backend::config::Config;
use clarity_backend::domain::Clock;
use clarity_backend::store::EmbeddedStore;
use jiff::Timestamp;
use redb::backends::InMemoryBackend;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::{self, Runtime};
use tower::ServiceExt;

/// The key of a development service.
pub const KEY: &str = "development-key";

/// Requests after which the app is replaced, to free the memory of stored readings.
const REQUESTS_PER_APP: usize = 20_000;

/// Response of the app.
pub struct Response {
    pub status: StatusCode,
    pub body: Value,
}

/// Sends a request to the app, and checks the properties of every response.
pub fn send(request: Request<Body>) -> Response {
    thread_local! {
        static SERVICE: RefCell<Option<Service>> = const { RefCell::new(None) };
    }
    SERVICE.with_borrow_mut(|service| {
        if service
            .as_ref()
            .is_none_or(|service| service.requests_left == 0)
        {
            *service = Some(Service::start());
        }
        service
            .as_mut()
            .expect("it was started above")
            .send(request)
    })
}

/// Sends a GET request with the valid key. Returns `None` if `uri` is not a URI, which no
/// HTTP server would pass on.
pub fn get(uri: &str) -> Option<Response> {
    let request = Request::get(uri)
        .header("Host", "x")
        .header("X-API-Key", KEY);
    Some(send(request.body(Body::empty()).ok()?))
}

/// Posts a JSON body with the valid key.
pub fn post(path: &str, body: &[u8]) -> Response {
    let request = Request::post(path)
        .header("Host", "x")
        .header("X-API-Key", KEY)
        .header(header::CONTENT_TYPE, "application/json");
    send(request.body(body.to_vec().into()).expect("a valid request"))
}

struct Service {
    runtime: Runtime,
    router: Router,
    requests_left: usize,
}

impl Service {
    fn start() -> Self {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let router = runtime.block_on(async {
            let key_set_url = issuer::serve().await;
            let config = Config::read(|name| match name {
                "CLARITY_API_KEY" => Some(KEY.into()),
                "JWT_ISSUER" => Some(issuer::ISSUER.into()),
                "JWT_AUDIENCE" => Some(issuer::AUDIENCE.into()),
                "JWKS_URL" => Some((&key_set_url).into()),
                _ => None,
            });
            let config = config.expect("the settings of a development service are valid");
            let store = EmbeddedStore::open_on(InMemoryBackend::new);
            let store = Arc::new(store.expect("a store in memory opens"));
            let app = App::with_store(&config, store, Arc::new(FixedClock)).await;
            let app = app.expect("a development service starts");
            let router = app.router();
            // Runs background tasks, such as fetching the issuer's keys.
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            tokio::spawn(app.serve(listener, future::pending()));
            router
        });
        Self {
            runtime,
            router,
            requests_left: REQUESTS_PER_APP,
        }
    }

    fn send(&mut self, request: Request<Body>) -> Response {
        self.requests_left -= 1;
        let router = self.router.clone();
        self.runtime.block_on(async {
            let response = router
                .oneshot(request)
                .await
                .expect("the router never fails");
            let status = response.status();
            assert!(!status.is_server_error(), "{status}");
            let headers = response.headers().clone();
            assert!(headers.contains_key("x-request-id"));
            let is_problem = headers
                .get(header::CONTENT_TYPE)
                .is_some_and(|kind| kind == "application/problem+json");
            assert_eq!(is_problem, status.is_client_error(), "{status}");
            let body = to_bytes(response.into_body(), usize::MAX).await;
            let body = body.expect("a complete body");
            // The documentation page and exports are not JSON.
            let body: Value = serde_json::from_slice(&body).unwrap_or_default();
            if is_problem {
                assert_eq!(body["status"], status.as_u16());
                assert_eq!(body["success"], false);
                assert!(body["code"].is_string() && body["detail"].is_string());
            }
            Response { status, body }
        })
    }
}

/// Time of the app's clock in Unix seconds. It is fixed, so that runs are reproducible.
pub const NOW: i64 = 1_717_243_200;

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(NOW).expect("a valid time")
    }
}
