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

use super::error::TokenError;
use crate::telemetry::error_chain;

/// Minimum time between two requests for the key set, however many tokens name unknown
/// keys.
pub const MIN_REFRESH_INTERVAL: Duration = Duration::from_secs(10);
/// Timeout of reading the key set.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum age of keys: one day, so that a revoked key is not trusted forever while the
/// issuer is unreachable.
const MAX_KEY_SET_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// Maximum size of a key set.
const MAX_KEY_SET_BYTES: usize = 256 * 1024;

/// The key set of an issuer (RFC 7517), refreshed when a token names an unknown key.
pub(super) struct KeySet {
    url: String,
    client: Client,
    keys: RwLock<CachedKeys>,
    /// The last request failed, or there was none.
    stale: AtomicBool,
    /// Time of the last request.
    last_request: Arc<Mutex<Option<Instant>>>,
}

/// Keys by id. An id may have several keys, of which any may have signed a token: RFC
/// 7517, section 4.5, only recommends distinct ids.
type KeysById = HashMap<String, Arc<Vec<DecodingKey>>>;

/// Cached keys, and when they were read.
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

    /// Returns the keys with this id, at least one.
    ///
    /// # Errors
    /// If the issuer has no such key; or if it may have, but cannot be reached.
    pub(super) async fn lookup(
        self: &Arc<Self>,
        id: &str,
    ) -> Result<Arc<Vec<DecodingKey>>, TokenError> {
        if let Some(keys) = self.cached(id) {
            return Ok(keys);
        }
        self.refresh().await;
        // Read first, as keys may arrive in between.
        let is_stale = self.is_stale();
        match self.cached(id) {
            Some(keys) => Ok(keys),
            None if is_stale => Err(TokenError::KeysUnavailable),
            None => Err(TokenError::Invalid),
        }
    }

    /// Refreshes the keys, unless that was tried within [`MIN_REFRESH_INTERVAL`]. On
    /// failure the previous keys remain.
    ///
    /// Runs in a task of its own: a request that is cancelled must not use up the
    /// attempt.
    pub(super) async fn refresh(self: &Arc<Self>) {
        // Concurrent requests wait for the same response. Only one task outlives its
        // request.
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
        // The task fails if the service stops, or on a panic, which is reported where
        // it happens.
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
                    "cannot read the key set of the token issuer"
                );
            }
        }
    }

    fn cached(&self, id: &str) -> Option<Arc<Vec<DecodingKey>>> {
        let known = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let is_current = known.read_at?.elapsed() < MAX_KEY_SET_AGE;
        known.keys.get(id).filter(|_| is_current).cloned()
    }

    /// Returns `true` if the last request failed, or there was none.
    pub(super) fn is_stale(&self) -> bool {
        self.stale.load(Ordering::Acquire)
    }

    async fn fetch(&self) -> Result<KeysById, KeySetError> {
        let response = self.client.get(&self.url).send().await?;
        let text = read_body(response.error_for_status()?).await?;
        // Unsupported keys do not invalidate the others.
        let Jwks { keys } = serde_json::from_slice(&text)?;
        let keys = keys.into_iter().filter_map(|key| {
            let key: Jwk = serde_json::from_value(key).ok()?;
            let id = key.common.key_id.clone()?;
            Some((id, decoding_key(&key)?))
        });
        let mut by_id = HashMap::<_, Vec<_>>::new();
        for (id, key) in keys {
            by_id.entry(id).or_default().push(key);
        }
        if by_id.is_empty() {
            return Err(KeySetError::Empty);
        }
        let shared = by_id.into_iter().map(|(id, keys)| (id, Arc::new(keys)));
        Ok(shared.collect())
    }
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<serde_json::Value>,
}

/// Returns the key for verifying RS256 signatures, if it is one.
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

/// Failure to read the key set of an issuer.
#[derive(Debug, thiserror::Error)]
pub enum KeySetError {
    /// The issuer did not return it.
    #[error("the issuer did not return the key set")]
    Unavailable(#[from] reqwest::Error),
    /// The response is not a key set.
    #[error("the response is not a key set")]
    Malformed(#[from] serde_json::Error),
    /// No key can verify a token.
    #[error("the key set has no key for RS256")]
    Empty,
    /// The response exceeds the size limit.
    #[error("the key set is too large")]
    TooLarge,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn keys_expire_after_a_day() {
        let set = KeySet::new("http://127.0.0.1:9/".to_owned()).unwrap();
        let keys = Arc::new(vec![DecodingKey::from_secret(b"")]);
        *set.keys.write().unwrap() = CachedKeys {
            keys: KeysById::from([("one".to_owned(), keys)]),
            read_at: Some(Instant::now()),
        };
        tokio::time::advance(MAX_KEY_SET_AGE / 2).await;
        assert!(set.cached("one").is_some() && set.cached("two").is_none());
        tokio::time::advance(MAX_KEY_SET_AGE / 2).await;
        assert!(set.cached("one").is_none());
    }
}
