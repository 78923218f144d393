use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::TokenError;
use crate::telemetry::error_chain;

/// The least time between two requests for the key set, however many tokens
/// name keys that nobody knows.
pub const MIN_REFRESH_INTERVAL: Duration = Duration::from_secs(10);
/// For reading it.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long keys are believed in when the issuer no longer gives any: a day, so
/// that one that was withdrawn is not good for ever.
const MAX_KEY_SET_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// The largest key set in bytes.
const MAX_KEY_SET_BYTES: usize = 256 * 1024;

/// An issuer's keys (RFC 7517), read again when a token names one that is not there.
pub(super) struct KeySet {
    url: String,
    client: Client,
    keys: RwLock<CachedKeys>,
    /// Whether the last attempt to read them failed, or there was none.
    stale: AtomicBool,
    /// When they were last last_request for.
    last_request: Arc<Mutex<Option<Instant>>>,
}

type KeysById = HashMap<String, Arc<DecodingKey>>;

/// KeysById, and when they were read.
#[derive(Default)]
struct CachedKeys {
    keys: KeysById,
    read_at: Option<Instant>,
}

impl KeySet {
    pub(super) fn new(url: String) -> Result<Self, KeySetError> {
        #[expect(clippy::disallowed_methods, reason = "it has a timeout")]
        let client = Client::builder()
            .redirect(Policy::none())
            .timeout(TIMEOUT)
            .build()?;
        Ok(Self {
            url,
            client,
            keys: RwLock::default(),
            stale: AtomicBool::new(true),
            last_request: Arc::default(),
        })
    }

    /// The key of this id.
    ///
    /// # Errors
    /// When the issuer has none of this id; or when it may have, but could not
    /// be last_request.
    pub(super) async fn lookup(self: &Arc<Self>, id: &str) -> Result<Arc<DecodingKey>, TokenError> {
        if let Some(key) = self.cached(id) {
            return Ok(key);
        }
        self.refresh().await;
        // Asked for first, since keys may come in between.
        let is_stale = self.is_stale();
        match self.cached(id) {
            Some(key) => Ok(key),
            None if is_stale => Err(TokenError::KeysUnavailable),
            None => Err(TokenError::Invalid),
        }
    }

    /// Reads the keys, unless that was tried a moment ago. If it fails those
    /// from before stay.
    ///
    /// The reading belongs to nobody's request: who hangs up does not end it,
    /// and so cannot use up the one attempt in a while.
    pub(super) async fn refresh(self: &Arc<Self>) {
        // Whoever comes meanwhile waits for the same response, within their own
        // request: of the tasks that outlive one there is a single one.
        let mut last_request = Arc::clone(&self.last_request).lock_owned().await;
        if last_request.is_some_and(|at| at.elapsed() < MIN_REFRESH_INTERVAL) {
            return;
        }
        *last_request = Some(Instant::now());
        let keys = Arc::clone(self);
        let read = tokio::spawn(async move {
            keys.refresh_now().await;
            drop(last_request);
        });
        // It fails when the service stops, or panics, which is told where it
        // happens.
        let _ = read.await;
    }

    async fn refresh_now(&self) {
        match self.fetch().await {
            Ok(keys) => {
                let read_at = Some(Instant::now());
                let mut known = self.keys.write().unwrap_or_else(PoisonError::into_inner);
                *known = CachedKeys { keys, read_at };
                drop(known);
                self.stale.store(false, Ordering::Release);
            }
            Err(fault) => {
                self.stale.store(true, Ordering::Release);
                tracing::error!(
                    error = error_chain(&fault),
                    "the keys of the issuer of tokens could not be read"
                );
            }
        }
    }

    fn cached(&self, id: &str) -> Option<Arc<DecodingKey>> {
        let known = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let is_current = known.read_at?.elapsed() < MAX_KEY_SET_AGE;
        known.keys.get(id).filter(|_| is_current).cloned()
    }

    /// Whether the last attempt to read them failed, or there was none.
    pub(super) fn is_stale(&self) -> bool {
        self.stale.load(Ordering::Acquire)
    }

    async fn fetch(&self) -> Result<KeysById, KeySetError> {
        let response = self.client.get(&self.url).send().await?;
        let text = read_body(response.error_for_status()?).await?;
        // What is no key of a kind that is known here does not spoil the others.
        let Jwks { keys } = serde_json::from_slice(&text)?;
        let keys = keys.into_iter().filter_map(|key| {
            let key: Jwk = serde_json::from_value(key).ok()?;
            let id = key.common.key_id.clone()?;
            Some((id, Arc::new(decoding_key(&key)?)))
        });
        let keys: KeysById = keys.collect();
        if keys.is_empty() {
            return Err(KeySetError::Empty);
        }
        Ok(keys)
    }
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<serde_json::Value>,
}

/// A key that signatures by RS256 are verified with.
fn decoding_key(key: &Jwk) -> Option<DecodingKey> {
    let common = &key.common;
    let usage = common.public_key_use.as_ref();
    let operations = common.key_operations.as_ref();
    let can_verify = usage.is_none_or(|usage| *usage == PublicKeyUse::Signature)
        && operations.is_none_or(|operations| operations.contains(&KeyOperations::Verify))
        && common
            .key_algorithm
            .is_none_or(|algorithm| algorithm == KeyAlgorithm::RS256);
    match &key.algorithm {
        AlgorithmParameters::RSA(_) if can_verify => DecodingKey::from_jwk(key).ok(),
        _ => None,
    }
}

async fn read_body(mut response: Response) -> Result<Vec<u8>, KeySetError> {
    let mut text = Vec::new();
    while let Some(part) = response.chunk().await? {
        if text.len() + part.len() > MAX_KEY_SET_BYTES {
            return Err(KeySetError::TooLarge);
        }
        text.extend_from_slice(&part);
    }
    Ok(text)
}

/// Why an issuer's keys could not be read.
#[derive(Debug, thiserror::Error)]
pub enum KeySetError {
    /// They were not given.
    #[error("the key set was not given")]
    Unavailable(#[from] reqwest::Error),
    /// What was given is no key set.
    #[error("what was given is no key set")]
    Malformed(#[from] serde_json::Error),
    /// It holds no key that could verify a token.
    #[error("the key set holds no key for RS256")]
    Empty,
    /// It is larger than a key set is.
    #[error("the key set is too large")]
    TooLarge,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn keys_are_believed_in_for_a_day() {
        let set = KeySet::new("http://127.0.0.1:9/".to_owned()).unwrap();
        let key = Arc::new(DecodingKey::from_secret(b""));
        *set.keys.write().unwrap() = CachedKeys {
            keys: KeysById::from([("one".to_owned(), key)]),
            read_at: Some(Instant::now()),
        };
        tokio::time::advance(MAX_KEY_SET_AGE / 2).await;
        assert!(set.cached("one").is_some() && set.cached("two").is_none());
        tokio::time::advance(MAX_KEY_SET_AGE / 2).await;
        assert!(set.cached("one").is_none());
    }
}
