//! What all fuzz targets share: the whole app in memory, asked by what the
//! fuzzer makes up. Whatever comes, the app answers as the wire contract says:
//! never by a failure of its own, never a body that is not JSON, never without
//! a request id.

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

/// After so many requests a new app is made, as what is stored takes memory.
const REQUESTS_OF_AN_APP: usize = 20_000;

/// What the app answered.
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
}

/// Asks the app, and checks what holds for every answer.
pub fn ask(request: Request<Body>) -> Answer {
    thread_local! {
        static SERVICE: RefCell<Option<Service>> = const { RefCell::new(None) };
    }
    SERVICE.with_borrow_mut(|service| {
        if service.as_ref().is_none_or(|service| service.left == 0) {
            *service = Some(Service::start());
        }
        service.as_mut().expect("it was made").ask(request)
    })
}

/// Asks for the JSON resource at `uri` with the right key; `None` where the
/// text is no URI, and no HTTP server would get so far.
pub fn get(uri: &str) -> Option<Answer> {
    let request = Request::get(uri).header("X-API-Key", KEY);
    Some(ask(request.body(Body::empty()).ok()?))
}

/// Sends a JSON body with the right key.
pub fn post(path: &str, body: &[u8]) -> Answer {
    let request = Request::post(path)
        .header("X-API-Key", KEY)
        .header(header::CONTENT_TYPE, "application/json");
    ask(request.body(body.to_vec().into()).expect("a valid request"))
}

struct Service {
    runtime: Runtime,
    router: Router,
    left: usize,
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
            let config = config.expect("settings of a development service");
            let store = EmbeddedStore::open_on(InMemoryBackend::new);
            let store = Arc::new(store.expect("memory can be written"));
            let app = App::with_store(&config, store, Arc::new(Noon)).await;
            let app = app.expect("it needs nothing else");
            let router = app.router();
            // What it does beside answering, such as to fetch the issuer's keys.
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            tokio::spawn(app.serve(listener, future::pending()));
            router
        });
        Self {
            runtime,
            router,
            left: REQUESTS_OF_AN_APP,
        }
    }

    fn ask(&mut self, request: Request<Body>) -> Answer {
        self.left -= 1;
        let router = self.router.clone();
        self.runtime.block_on(async {
            let answer = router.oneshot(request).await.expect("an answer");
            let status = answer.status();
            assert!(!status.is_server_error(), "{status}");
            let headers = answer.headers().clone();
            assert!(headers.contains_key("x-request-id"));
            let is_problem = headers
                .get(header::CONTENT_TYPE)
                .is_some_and(|kind| kind == "application/problem+json");
            assert_eq!(is_problem, status.is_client_error(), "{status}");
            let body = to_bytes(answer.into_body(), usize::MAX).await;
            let body = body.expect("a whole body");
            // The page to read, and exports, are no JSON.
            let body: Value = serde_json::from_slice(&body).unwrap_or_default();
            if is_problem {
                assert_eq!(body["status"], status.as_u16());
                assert_eq!(body["success"], false);
                assert!(body["code"].is_string() && body["detail"].is_string());
            }
            Answer { status, body }
        })
    }
}

/// What the app's clock shows, in seconds of Unix time: it stands, so that every
/// run is the same.
pub const NOW: i64 = 1_717_243_200;

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(NOW).expect("a time")
    }
}
