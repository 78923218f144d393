//! One request to the REST API, and its answer.

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

/// The longest answer that is read. A document of 1 MiB can take six times
/// that as JSON.
pub(super) const MAX_ANSWER_BYTES: usize = 32 * 1024 * 1024;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const READ_TIMEOUT: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_mins(2);

/// The longest wait that the API may ask for.
const MAX_ASKED_WAIT: Duration = Duration::from_mins(1);

/// Documents in order: the name and the whole of each.
pub(super) type Page = Vec<(String, Box<RawValue>)>;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("the token has characters that no token has")]
    Token,
    #[error("the emulator's address is not host:port")]
    Address,
    #[error("the client cannot be made: {0}")]
    Client(#[source] reqwest::Error),
    #[error("Firestore cannot be reached: {0}")]
    Transport(String),
    #[error("Firestore answered {status}")]
    Status {
        status: StatusCode,
        asked_wait: Option<Duration>,
    },
    #[error("Firestore's answer is longer than {MAX_ANSWER_BYTES} bytes")]
    TooLong,
    #[error("Firestore's answer is not one to a query")]
    Answer,
}

/// Asks one database.
pub(super) struct Exchange {
    client: Client,
    url: Url,
}

/// One of the answer's elements: a document, an error, or neither.
#[derive(Deserialize)]
struct Element {
    document: Option<Box<RawValue>>,
    error: Option<RestError>,
}

#[derive(Deserialize)]
struct RestError {
    code: u16,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl Exchange {
    pub(super) fn new(target: &LiveTarget, root: &str) -> Result<Self, Failure> {
        let (address, bearer) = match target {
            LiveTarget::Google { token } => (
                GOOGLE.to_owned(),
                format!("Bearer {}", token.expose_secret()),
            ),
            // What lets an emulator pass over a database's security rules.
            LiveTarget::Emulator { host } => (format!("http://{host}"), "Bearer owner".to_owned()),
        };
        let mut url = Url::parse(&address).map_err(|_| Failure::Address)?;
        url.set_path(&format!("/v1/{root}:runQuery"));
        let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| Failure::Token)?;
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
        // An emulator is on this machine or beside it.
        if matches!(target, LiveTarget::Emulator { .. }) {
            client = client.no_proxy();
        }
        Ok(Self {
            client: client.build().map_err(Failure::Client)?,
            url,
        })
    }

    /// Runs a query; `body` is the request's.
    pub(super) async fn run(&self, body: &str) -> Result<Page, Failure> {
        let request = self.client.post(self.url.clone()).body(body.to_owned());
        let response = request.send().await.map_err(transport)?;
        let status = response.status();
        if !status.is_success() {
            let asked_wait = asked_wait(&response);
            return Err(Failure::Status { status, asked_wait });
        }
        page(&whole(response).await?)
    }
}

/// What is at the root of it: the rest names the address and little more.
fn transport(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    let mut cause: &dyn Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    Failure::Transport(cause.to_string())
}

async fn whole(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut answer = Vec::new();
    while let Some(part) = response.chunk().await.map_err(transport)? {
        if answer.len() + part.len() > MAX_ANSWER_BYTES {
            return Err(Failure::TooLong);
        }
        answer.extend_from_slice(&part);
    }
    Ok(answer)
}

fn page(answer: &[u8]) -> Result<Page, Failure> {
    let elements: Vec<Element> = serde_json::from_slice(answer).map_err(|_| Failure::Answer)?;
    let mut page = Page::new();
    for element in elements {
        if let Some(error) = element.error {
            let status = StatusCode::from_u16(error.code).map_err(|_| Failure::Answer)?;
            return Err(Failure::Status {
                status,
                asked_wait: None,
            });
        }
        if let Some(document) = element.document {
            let named: Named = serde_json::from_str(document.get()).map_err(|_| Failure::Answer)?;
            page.push((named.name, document));
        }
    }
    Ok(page)
}

fn asked_wait(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    Some(Duration::from_secs(seconds.parse().ok()?).min(MAX_ASKED_WAIT))
}

impl Failure {
    /// Whether the same request may be answered later.
    pub(super) fn may_pass(&self) -> bool {
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

    pub(super) fn asked_wait(&self) -> Option<Duration> {
        match self {
            Self::Status { asked_wait, .. } => *asked_wait,
            _ => None,
        }
    }

    pub(super) fn into_source_error(self, place: SourceLocation) -> SourceError {
        let advice = match &self {
            Self::Address => "set FIRESTORE_EMULATOR_HOST to host:port, without http://",
            Self::Token => "set GOOGLE_OAUTH_TOKEN to what `gcloud auth print-access-token` gives",
            Self::Status { status, .. } if *status == StatusCode::UNAUTHORIZED => {
                "set GOOGLE_OAUTH_TOKEN anew (tokens last an hour) and go on with --resume"
            }
            Self::Status { status, .. } if *status == StatusCode::FORBIDDEN => {
                "give the token's account the role roles/datastore.viewer in the project"
            }
            Self::Status { status, .. } if *status == StatusCode::NOT_FOUND => {
                "check the project's id, and that it has a default Firestore database"
            }
            Self::Transport(_) => "check the network and go on with --resume",
            _ => "go on with --resume later",
        };
        SourceError::new(place, format!("{self}; {advice}"))
    }
}
