//! The app under test and an HTTP client for it.

use std::net::SocketAddr;
use std::sync::Arc;

use clarity_backend::app::App;
use clarity_backend::config::Config;
use clarity_backend::domain::Clock;
use clarity_backend::store::{DynamoDbSettings, DynamoDbStore, EmbeddedStore, ReadingStore};
use jiff::Timestamp;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::support::dynamodb_local::DynamoDbLocal;
use crate::support::fake_gemini::{self, FakeGemini};

/// Fixed time of the clock of every app under test.
pub const NOW: &str = "2024-06-01T12:00:00Z";

/// An app that serves on its own port, with a client for it.
pub struct TestApp {
    address: SocketAddr,
    client: Client,
    /// Keeps the embedded store's directory until the app is dropped.
    _directory: Option<TempDir>,
}

impl TestApp {
    /// Starts an app over a new embedded store.
    pub async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = EmbeddedStore::open(directory.path()).unwrap();
        Self::start_with_store(Arc::new(store), Some(directory)).await
    }

    /// Starts an app over a new table in DynamoDB Local.
    pub async fn start_on_dynamodb() -> Self {
        let store = connect_store(DynamoDbLocal::shared().endpoint()).await;
        store.create_table_if_missing().await.unwrap();
        Self::start_with_store(Arc::new(store), None).await
    }

    /// Starts an app over a new embedded store that calls `gemini`, with these
    /// variables in addition.
    pub async fn start_with_gemini(gemini: &FakeGemini, settings: &[(&str, &str)]) -> Self {
        let base_url = gemini.base_url();
        let own = [
            ("GEMINI_API_KEY", fake_gemini::KEY),
            ("GEMINI_BASE_URL", base_url.as_str()),
        ];
        let settings: Vec<(&str, &str)> = settings.iter().chain(&own).copied().collect();
        Self::start_with(&settings).await
    }

    /// Starts an app over a new embedded store, configured by these variables.
    pub async fn start_with(variables: &[(&str, &str)]) -> Self {
        Self::start_with_config(&config(variables)).await
    }

    /// Starts an app over a new embedded store with this configuration.
    pub async fn start_with_config(config: &Config) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = EmbeddedStore::open(directory.path()).unwrap();
        Self::start_with_config_and_store(config, Arc::new(store), Some(directory)).await
    }

    /// Starts an app over a given store. It keeps `directory` alive.
    pub async fn start_with_store(
        store: Arc<dyn ReadingStore>,
        directory: Option<TempDir>,
    ) -> Self {
        Self::start_with_config_and_store(&config(&[]), store, directory).await
    }

    /// Starts an app over a given store with this configuration.
    pub async fn start_with_config_and_store(
        config: &Config,
        store: Arc<dyn ReadingStore>,
        directory: Option<TempDir>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = App::with_store(config, store, Arc::new(FixedClock))
            .await
            .unwrap();
        tokio::spawn(app.serve(listener, std::future::pending()));
        Self {
            address,
            client: client(),
            _directory: directory,
        }
    }

    /// Builds a request without a key. `path` is sent as given.
    pub fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("http://{}{path}", self.address))
    }

    /// Builds a request with the development key.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_with_key("development-key", method, path)
    }

    /// Builds a request with this key.
    pub fn request_with_key(&self, key: &str, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).header("X-API-Key", key)
    }

    /// Sends one reading.
    pub async fn post(&self, reading: &Value) -> ApiResponse {
        let request = self.request(Method::POST, "/api/v1/data").json(reading);
        ApiResponse::from_request(request).await
    }

    /// Sends `body` unchanged, labelled as JSON.
    pub async fn post_raw(&self, path: &str, body: impl Into<reqwest::Body>) -> ApiResponse {
        let request = self
            .request(Method::POST, path)
            .header("Content-Type", "application/json")
            .body(body);
        ApiResponse::from_request(request).await
    }

    pub async fn get(&self, path: &str) -> ApiResponse {
        ApiResponse::from_request(self.request(Method::GET, path)).await
    }

    pub async fn delete(&self, path: &str) -> ApiResponse {
        ApiResponse::from_request(self.request(Method::DELETE, path)).await
    }

    /// Returns the number of stored readings of a user, up to 1,000.
    pub async fn count(&self, user_id: &str) -> u64 {
        let page = self
            .get(&format!("/api/v1/data/{user_id}?limit=1000"))
            .await;
        page.expect(StatusCode::OK)["count"].as_u64().unwrap()
    }

    /// Opens a connection and sends raw bytes.
    pub async fn connect(&self, bytes: &[u8]) -> TcpStream {
        self.connect_with(TcpSocket::new_v4().unwrap(), bytes).await
    }

    /// Sends raw bytes over a connection of this socket.
    pub async fn connect_with(&self, socket: TcpSocket, bytes: &[u8]) -> TcpStream {
        let mut connection = socket.connect(self.address).await.unwrap();
        connection.write_all(bytes).await.unwrap();
        connection
    }

    /// Sends raw bytes and returns the raw response, for requests that an HTTP
    /// client would normalize.
    pub async fn send_bytes(&self, bytes: &[u8]) -> String {
        let mut connection = self.connect(bytes).await;
        let mut response = Vec::new();
        connection.read_to_end(&mut response).await.unwrap();
        String::from_utf8(response).unwrap()
    }
}

/// Reads the configuration from these variables.
pub fn config(variables: &[(&str, &str)]) -> Config {
    let config = Config::read(|name| {
        let mut variables = variables.iter();
        let found = variables.find(|(variable, _)| *variable == name);
        found.map(|(_, value)| value.into())
    });
    config.unwrap()
}

/// Creates an HTTP client without a timeout.
#[expect(
    clippy::disallowed_methods,
    reason = "the test runner limits the time of a test"
)]
pub fn client() -> Client {
    Client::new()
}

/// Returns settings for a new table at `endpoint`.
pub fn table_settings(endpoint: &str) -> DynamoDbSettings {
    DynamoDbSettings {
        table: DynamoDbLocal::new_table_name(),
        region: "us-east-1".to_owned(),
        endpoint: Some(endpoint.to_owned()),
        placeholder_credentials: true,
        fast_query_parser: true,
    }
}

/// Connects a store to a table at `endpoint` that does not exist yet.
pub async fn connect_store(endpoint: &str) -> DynamoDbStore {
    connect_store_with(table_settings(endpoint)).await
}

/// Connects a store with the longer timeouts that DynamoDB Local needs.
pub async fn connect_store_with(settings: DynamoDbSettings) -> DynamoDbStore {
    DynamoDbStore::connect_with(settings, DynamoDbLocal::timeouts()).await
}

/// A response with its complete body, which is null if it is not JSON.
pub struct ApiResponse {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl ApiResponse {
    /// Sends a request and reads the complete response.
    pub async fn from_request(request: RequestBuilder) -> Self {
        Self::read(request.send().await.unwrap()).await
    }

    async fn read(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.unwrap();
        Self {
            status,
            headers,
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        }
    }

    /// Checks the status and returns the body.
    #[track_caller]
    pub fn expect(self, status: StatusCode) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// Checks that this is a complete problem document with this status and code,
    /// and returns it.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Value {
        let Self {
            status: found,
            headers,
            body,
        } = self;
        assert_eq!(found.as_u16(), status, "{body}");
        assert_eq!(headers["content-type"], "application/problem+json");
        assert_eq!(body["type"], "about:blank");
        assert_eq!(body["title"], found.canonical_reason().unwrap());
        assert_eq!(body["status"], status);
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(body["success"], false);
        assert_eq!(
            body["request_id"],
            headers["x-request-id"].to_str().unwrap()
        );
        assert!(
            body["detail"]
                .as_str()
                .is_some_and(|detail| !detail.is_empty())
        );
        assert_eq!(body["errors"].is_array(), status == 422, "{body}");
        body
    }

    /// Checks that this is a 422 that reports exactly these pointers.
    #[track_caller]
    pub fn expect_field_errors(self, pointers: &[&str]) {
        let body = self.expect_problem(422, "validation_failed");
        let found: Vec<&str> = body["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["pointer"].as_str().unwrap())
            .collect();
        assert_eq!(found, pointers, "{body}");
    }
}

/// Returns the reading of the quick start.
pub fn example() -> Value {
    json!({
        "user_id": "user123",
        "data_type": "heart_rate",
        "value": 72,
        "timestamp": "2024-01-15T10:30:00Z",
        "metadata": {"device": "watch"}
    })
}

/// Returns the example reading with some members replaced or added.
pub fn example_with(members: Value) -> Value {
    let mut reading = example();
    for (name, value) in members.as_object().unwrap() {
        reading[name] = value.clone();
    }
    reading
}

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        NOW.parse().unwrap()
    }
}
