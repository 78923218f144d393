//! A Firestore database, read over its REST API page by page.
//!
//! One query covers all documents of all collections and subcollections in the
//! order of their names; each page starts after the last document of the previous
//! one. A run can therefore resume from any document and needs no state on the
//! server. Documents written during the run may be missed.

mod exchange;
mod target;
pub(super) mod typed;

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use serde_json::json;
use tokio::time::sleep;

use self::exchange::{DocumentPage, Exchange, ExchangeError};
pub use self::target::LiveTarget;
use super::document::LocatedDocument;
use crate::import::source_location::{SourceError, SourceLocation};

/// Number of documents per page: at most 100 MiB. It is halved when a response is
/// longer than [`exchange::MAX_RESPONSE_BYTES`].
const PAGE_SIZE: u32 = 100;

/// Maximum number of requests for a page.
const MAX_ATTEMPTS: usize = 6;

/// Reader of the documents of a database.
pub struct LiveFirestore {
    exchange: Exchange,
    /// `projects/P/databases/(default)/documents`.
    root: String,
    /// Name of the last document returned.
    last: Option<String>,
    page_size: u32,
    initial_delay: Duration,
}

impl LiveFirestore {
    /// Returns a reader of a project's default database; sends nothing yet.
    ///
    /// # Errors
    /// The project's id, the token or the emulator's host is malformed.
    pub fn new(project: &str, target: &LiveTarget) -> Result<Self, SourceError> {
        let root = format!("projects/{project}/databases/(default)/documents");
        let is_id = |byte: u8| byte.is_ascii_alphanumeric() || b"-:.".contains(&byte);
        if project.is_empty() || !project.bytes().all(is_id) {
            return Err(SourceError::new(
                SourceLocation::new(root, 0),
                "the project's id has invalid characters; pass the id, not the name, as the Google \
                 Cloud console shows it",
            ));
        }
        let exchange = Exchange::new(target, &root)
            .map_err(|error| error.into_source_error(SourceLocation::new(&*root, 0)))?;
        Ok(Self {
            exchange,
            root,
            last: None,
            page_size: PAGE_SIZE,
            initial_delay: Duration::from_millis(500),
        })
    }

    /// Starts after the document at `location`, which a reader of the same database
    /// returned.
    #[must_use]
    pub fn resume_after(mut self, location: &SourceLocation) -> Self {
        self.last = Some(location.file.as_ref().to_owned());
        self
    }

    /// Sets the delay before the second attempt, which doubles with each further
    /// one.
    #[must_use]
    pub fn initial_delay(mut self, initial_delay: Duration) -> Self {
        self.initial_delay = initial_delay;
        self
    }

    /// Reads the next documents, with a [`SourceError`] for each that cannot be
    /// decoded; `None` after the last.
    ///
    /// # Errors
    /// The API fails permanently, or in every attempt. A further call continues
    /// after the last page.
    pub async fn next_page(
        &mut self,
    ) -> Result<Option<Vec<Result<LocatedDocument, SourceError>>>, SourceError> {
        let page = match self.page().await {
            Ok(page) => page,
            Err(error) => return Err(error.into_source_error(self.location())),
        };
        let last = page.last().map(|(name, _)| name.clone());
        if last.is_none() {
            return Ok(None);
        }
        if last == self.last {
            return Err(ExchangeError::InvalidResponse.into_source_error(self.location()));
        }
        self.last = last;
        Ok(Some(page.into_iter().map(document).collect()))
    }

    /// Requests the page after the last document, with retries.
    async fn page(&mut self) -> Result<DocumentPage, ExchangeError> {
        let mut backoff = ExponentialBuilder::default()
            .with_min_delay(self.initial_delay)
            .with_max_delay(Duration::from_secs(30))
            .with_max_times(MAX_ATTEMPTS - 1)
            .with_jitter()
            .build();
        loop {
            let error = match self.exchange.run(&self.query()).await {
                Ok(page) => return Ok(page),
                Err(error) => error,
            };
            if matches!(error, ExchangeError::TooLong) && self.page_size > 1 {
                self.page_size /= 2;
                continue;
            }
            match backoff.next() {
                Some(delay) if error.is_retryable() => {
                    sleep(error.retry_after().map_or(delay, |after| after.max(delay))).await;
                }
                _ => return Err(error),
            }
        }
    }

    fn query(&self) -> String {
        let mut query = json!({
            "from": [{"allDescendants": true}],
            "orderBy": [{"field": {"fieldPath": "__name__"}, "direction": "ASCENDING"}],
            "limit": self.page_size,
        });
        if let Some(last) = &self.last {
            query["startAt"] = json!({"values": [{"referenceValue": last}], "before": false});
        }
        json!({"structuredQuery": query}).to_string()
    }

    fn location(&self) -> SourceLocation {
        SourceLocation::new(self.last.as_deref().unwrap_or(&self.root), 0)
    }
}

fn document(
    (name, json): (String, Box<serde_json::value::RawValue>),
) -> Result<LocatedDocument, SourceError> {
    let location = SourceLocation::new(name, 0);
    match typed::decode_typed_document(json.get()) {
        Ok(document) => Ok((location, document)),
        Err(error) => Err(SourceError::new(
            location,
            format!("{error}; check the document in the Google Cloud console"),
        )),
    }
}
