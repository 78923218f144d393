//! One request to the REST API and its response.

use std::error::Error;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use super::target::LiveTarget;
use crate::import::source_location::{SourceError, SourceLocation};

const GOOGLE: &str = "https://firestore.googleapis.com";

/// Maximum size of a response. A document of 1 MiB can take six times that as
/// JSON.
pub(super) const MAX_RESPONSE_BYTES: usize = 32 * 1024 * 1024;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const READ_TIMEOUT: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_mins(2);

/// Maximum delay that `Retry-After` can request.
const MAX_RETRY_AFTER: Duration = Duration::from_mins(1);

/// Documents in order, each with its name.
pub(super) type DocumentPage = Vec<(String, Box<RawValue>)>;

/// Error of a request.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExchangeError {
    #[error("the token has invalid characters")]
    Token,
    #[error("the emulator's address is not host:port")]
    Address,
    #[error("the HTTP client cannot be created: {0}")]
    Client(#[source] reqwest::Error),
    #[error("Firestore cannot be reached: {0}")]
    Transport(String),
    #[error("Firestore returned {status}")]
    Status {
        status: StatusCode,
        retry_after: Option<Duration>,
    },
    #[error("Firestore's response is longer than {MAX_RESPONSE_BYTES} bytes")]
    TooLong,
    #[error("Firestore's response is not a query result")]
    InvalidResponse,
}

/// Client of one database.
pub(super) struct Exchange {
    client: Client,
    url: Url,
}

/// Element of a response: a document, an error, or neither.
#[derive(Deserialize)]
struct ResponseElement {
    document: Option<Box<RawValue>>,
    error: Option<RestError>,
}

#[derive(Deserialize)]
struct RestError {
    code: u16,
}

#[derive(Deserialize)]
struct NamedDocument {
    name: String,
}

impl Exchange {
    pub(super) fn new(target: &LiveTarget, root: &str) -> Result<Self, ExchangeError> {
        let (address, bearer) = match target {
            LiveTarget::Google { token } => (
                GOOGLE.to_owned(),
                format!("Bearer {}", token.expose_secret()),
            ),
            // Bypasses the security rules in an emulator.
            LiveTarget::Emulator { host } => (format!("http://{host}"), "Bearer owner".to_owned()),
        };
        let mut url = Url::parse(&address).map_err(|_| ExchangeError::Address)?;
        url.set_path(&format!("/v1/{root}:runQuery"));
        let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| ExchangeError::Token)?;
        bearer.set_sensitive(true);
        let headers = HeaderMap::from_iter([
            (AUTHORIZATION, bearer),
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        ]);
        #[expect(clippy::disallowed_methods, reason = "every step has a timeout")]
        let mut client = Client::builder()
            .default_headers(headers)
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .timeout(TIMEOUT)
            .redirect(Policy::none());
        // An emulator runs on this host or network.
        if matches!(target, LiveTarget::Emulator { .. }) {
            client = client.no_proxy();
        }
        Ok(Self {
            client: client.build().map_err(ExchangeError::Client)?,
            url,
        })
    }

    /// Runs the query in `body`.
    pub(super) async fn run(&self, body: &str) -> Result<DocumentPage, ExchangeError> {
        let request = self.client.post(self.url.clone()).body(body.to_owned());
        let response = request.send().await.map_err(transport)?;
        let status = response.status();
        if !status.is_success() {
            let retry_after = retry_after(&response);
            return Err(ExchangeError::Status {
                status,
                retry_after,
            });
        }
        parse_page(&read_body(response).await?)
    }
}

/// Reduces an error to its root cause; the outer errors add little but the URL.
fn transport(error: reqwest::Error) -> ExchangeError {
    let error = error.without_url();
    let mut cause: &dyn Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    ExchangeError::Transport(cause.to_string())
}

async fn read_body(mut response: Response) -> Result<Vec<u8>, ExchangeError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(transport)? {
        if body.len() + chunk.len() > MAX_RESPONSE_BYTES {
            return Err(ExchangeError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn parse_page(body: &[u8]) -> Result<DocumentPage, ExchangeError> {
    let elements: Vec<ResponseElement> =
        serde_json::from_slice(body).map_err(|_| ExchangeError::InvalidResponse)?;
    let mut page = DocumentPage::new();
    for element in elements {
        if let Some(error) = element.error {
            let status =
                StatusCode::from_u16(error.code).map_err(|_| ExchangeError::InvalidResponse)?;
            return Err(ExchangeError::Status {
                status,
                retry_after: None,
            });
        }
        if let Some(document) = element.document {
            let named: NamedDocument =
                serde_json::from_str(document.get()).map_err(|_| ExchangeError::InvalidResponse)?;
            page.push((named.name, document));
        }
    }
    Ok(page)
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    Some(Duration::from_secs(seconds.parse().ok()?).min(MAX_RETRY_AFTER))
}

impl ExchangeError {
    /// Returns whether a retry may succeed.
    pub(super) fn is_retryable(&self) -> bool {
        match self {
            Self::Transport(_) => true,
            Self::Status { status, .. } => {
                *status == StatusCode::TOO_MANY_REQUESTS
                    || *status == StatusCode::REQUEST_TIMEOUT
                    || status.is_server_error()
            }
            _ => false,
        }
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    pub(super) fn into_source_error(self, location: SourceLocation) -> SourceError {
        let advice = match &self {
            Self::Address => "set FIRESTORE_EMULATOR_HOST to host:port, without http://",
            Self::Token => {
                "set GOOGLE_OAUTH_TOKEN to the output of `gcloud auth print-access-token`"
            }
            Self::Status { status, .. } if *status == StatusCode::UNAUTHORIZED => {
                "renew GOOGLE_OAUTH_TOKEN (tokens last an hour) and continue with --resume"
            }
            Self::Status { status, .. } if *status == StatusCode::FORBIDDEN => {
                "grant the token's account the role roles/datastore.viewer in the project"
            }
            Self::Status { status, .. } if *status == StatusCode::NOT_FOUND => {
                "check the project's id and that it has a default Firestore database"
            }
            Self::Transport(_) => "check the network and continue with --resume",
            _ => "continue with --resume later",
        };
        SourceError::new(location, format!("{self}; {advice}"))
    }
}
