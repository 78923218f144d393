use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::TokenFault;
use crate::telemetry::chain;

/// The least time between two requests for the key set, however many tokens
/// name keys that nobody knows.
const PAUSE: Duration = Duration::from_secs(10);
/// For reading it.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest key set in bytes.
const LARGEST: usize = 256 * 1024;

/// An issuer's keys (RFC 7517), read again when a token names one that is not there.
pub(super) struct KeySet {
    url: String,
    client: Client,
    /// `None` until they have been read.
    keys: RwLock<Option<Keys>>,
    /// When they were last asked for.
    asked: Mutex<Option<Instant>>,
}

type Keys = HashMap<String, Arc<DecodingKey>>;

impl KeySet {
    pub(super) fn new(url: String) -> Result<Self, KeySetFault> {
        #[expect(clippy::disallowed_methods, reason = "it has a timeout")]
        let client = Client::builder()
            .redirect(Policy::none())
            .timeout(TIMEOUT)
            .build()?;
        Ok(Self {
            url,
            client,
            keys: RwLock::default(),
            asked: Mutex::default(),
        })
    }

    /// The key of this id.
    pub(super) async fn find(&self, id: &str) -> Result<Arc<DecodingKey>, TokenFault> {
        if let Some(key) = self.known(id) {
            return Ok(key);
        }
        self.refresh().await;
        match self.known(id) {
            Some(key) => Ok(key),
            None if self.have_been_read() => Err(TokenFault::Invalid),
            None => Err(TokenFault::NoKeys),
        }
    }

    /// Reads the keys, unless that was tried a moment ago. If it fails those
    /// from before stay.
    pub(super) async fn refresh(&self) {
        // Whoever comes meanwhile waits for the same answer.
        let mut asked = self.asked.lock().await;
        if asked.is_some_and(|at| at.elapsed() < PAUSE) {
            return;
        }
        *asked = Some(Instant::now());
        match self.read().await {
            Ok(keys) => {
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(keys);
            }
            Err(fault) => {
                tracing::error!(
                    error = chain(&fault),
                    "the keys of the issuer of tokens could not be read"
                );
            }
        }
    }

    fn known(&self, id: &str) -> Option<Arc<DecodingKey>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.as_ref()?.get(id).cloned()
    }

    fn have_been_read(&self) -> bool {
        let keys = self.keys.read();
        keys.unwrap_or_else(PoisonError::into_inner).is_some()
    }

    async fn read(&self) -> Result<Keys, KeySetFault> {
        let answer = self.client.get(&self.url).send().await?;
        let text = whole(answer.error_for_status()?).await?;
        // What is no key of a kind that is known here does not spoil the others.
        let DocumentedKeys { keys } = serde_json::from_slice(&text)?;
        let keys = keys.into_iter().filter_map(|key| {
            let key: Jwk = serde_json::from_value(key).ok()?;
            let id = key.common.key_id.clone()?;
            Some((id, Arc::new(decoding_key(&key)?)))
        });
        Ok(keys.collect())
    }
}

#[derive(Deserialize)]
struct DocumentedKeys {
    keys: Vec<serde_json::Value>,
}

/// A key that signs with RSA.
fn decoding_key(key: &Jwk) -> Option<DecodingKey> {
    let signs = key.common.public_key_use.as_ref();
    let signs = signs.is_none_or(|usage| *usage == PublicKeyUse::Signature);
    match &key.algorithm {
        AlgorithmParameters::RSA(_) if signs => DecodingKey::from_jwk(key).ok(),
        _ => None,
    }
}

async fn whole(mut answer: Response) -> Result<Vec<u8>, KeySetFault> {
    let mut text = Vec::new();
    while let Some(part) = answer.chunk().await? {
        if text.len() + part.len() > LARGEST {
            return Err(KeySetFault::TooLarge);
        }
        text.extend_from_slice(&part);
    }
    Ok(text)
}

/// Why an issuer's keys could not be read.
#[derive(Debug, thiserror::Error)]
pub enum KeySetFault {
    /// They were not given.
    #[error("the key set was not given")]
    NotGiven(#[from] reqwest::Error),
    /// What was given is no key set.
    #[error("what was given is no key set")]
    Malformed(#[from] serde_json::Error),
    /// It is larger than a key set is.
    #[error("the key set is too large")]
    TooLarge,
}
