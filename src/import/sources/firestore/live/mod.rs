//! A Firestore database itself, over its REST API, page by page.
//!
//! One query goes through all documents of all collections and sub-collections
//! in the order of their names, each page beginning after the last document of
//! the one before. So a run can go on from any document, and those under way
//! need no state at the server. What is written meanwhile may be missed.

mod exchange;
mod target;
pub(super) mod typed;

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use serde_json::json;
use tokio::time::sleep;

use self::exchange::{Exchange, Failure, Page};
pub use self::target::LiveTarget;
use super::document::PlacedDocument;
use crate::import::source_location::{SourceError, SourceLocation};

/// How many documents are asked for at once: 100 MiB at the very most, halved
/// whenever an answer is longer than [`exchange::MAX_ANSWER_BYTES`].
const PAGE_SIZE: u32 = 100;

/// How often a page is asked for before the import ends.
const ATTEMPTS: usize = 6;

/// Reads a database's documents.
pub struct LiveFirestore {
    exchange: Exchange,
    /// `projects/P/databases/(default)/documents`.
    root: String,
    /// The name of the last document that was given.
    last: Option<String>,
    page_size: u32,
    first_wait: Duration,
}

impl LiveFirestore {
    /// A reader of a project's default database that sends nothing yet.
    ///
    /// # Errors
    /// When the project's id, the token or the emulator's host is none.
    pub fn new(project: &str, target: &LiveTarget) -> Result<Self, SourceError> {
        let root = format!("projects/{project}/databases/(default)/documents");
        let is_id = |byte: u8| byte.is_ascii_alphanumeric() || b"-:.".contains(&byte);
        if project.is_empty() || !project.bytes().all(is_id) {
            return Err(SourceError::new(
                SourceLocation::new(root, 0),
                "the project's id has characters that no project has; give the id, not the name, \
                 as the Google Cloud console shows it",
            ));
        }
        let exchange = Exchange::new(target, &root)
            .map_err(|failure| failure.into_source_error(SourceLocation::new(&*root, 0)))?;
        Ok(Self {
            exchange,
            root,
            last: None,
            page_size: PAGE_SIZE,
            first_wait: Duration::from_millis(500),
        })
    }

    /// Begins after the document at `place`, which must come from this reader.
    #[must_use]
    pub fn resume_after(mut self, place: &SourceLocation) -> Self {
        self.last = Some(place.file.as_ref().to_owned());
        self
    }

    /// Waits this long before the second attempt; each later wait is twice the
    /// one before.
    #[must_use]
    pub fn first_wait(mut self, first_wait: Duration) -> Self {
        self.first_wait = first_wait;
        self
    }

    /// The next documents, and a [`SourceError`] for each that cannot be decoded;
    /// nothing when there are no more.
    ///
    /// # Errors
    /// When the API gives no answer after all attempts that were worth it, or
    /// refuses. What was given before stands, and asking again goes on.
    pub async fn next_page(
        &mut self,
    ) -> Result<Option<Vec<Result<PlacedDocument, SourceError>>>, SourceError> {
        let page = match self.page().await {
            Ok(page) => page,
            Err(failure) => return Err(failure.into_source_error(self.place())),
        };
        let last = page.last().map(|(name, _)| name.clone());
        if last.is_none() {
            return Ok(None);
        }
        if last == self.last {
            return Err(Failure::Answer.into_source_error(self.place()));
        }
        self.last = last;
        Ok(Some(page.into_iter().map(document).collect()))
    }

    /// The page after the last document.
    async fn page(&mut self) -> Result<Page, Failure> {
        let mut backoff = ExponentialBuilder::default()
            .with_min_delay(self.first_wait)
            .with_max_delay(Duration::from_secs(30))
            .with_max_times(ATTEMPTS - 1)
            .with_jitter()
            .build();
        loop {
            let failure = match self.exchange.run(&self.query()).await {
                Ok(page) => return Ok(page),
                Err(failure) => failure,
            };
            if matches!(failure, Failure::TooLong) && self.page_size > 1 {
                self.page_size /= 2;
                continue;
            }
            match backoff.next() {
                Some(wait) if failure.may_pass() => {
                    sleep(failure.asked_wait().map_or(wait, |asked| asked.max(wait))).await;
                }
                _ => return Err(failure),
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

    fn place(&self) -> SourceLocation {
        SourceLocation::new(self.last.as_deref().unwrap_or(&self.root), 0)
    }
}

fn document(
    (name, json): (String, Box<serde_json::value::RawValue>),
) -> Result<PlacedDocument, SourceError> {
    let place = SourceLocation::new(name, 0);
    match typed::decode_typed_document(json.get()) {
        Ok(document) => Ok((place, document)),
        Err(fault) => Err(SourceError::new(
            place,
            format!("{fault}; look at the document in the Google Cloud console"),
        )),
    }
}
