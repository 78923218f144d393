use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::ExposeSecret;

use super::{ApiKeys, KeyDigest, KeyEntry, KeyListError, KeySource, KeySourceError, Principal};
use crate::telemetry::error_chain;

/// The currently valid keys, some of which may change while the service runs.
pub struct KeyRing {
    fixed: ApiKeys,
    source: Option<KeySource>,
    /// Key that the source must not contain.
    forbidden: Option<KeyDigest>,
    /// Static keys and those of the source.
    current: RwLock<Arc<ApiKeys>>,
    stale: AtomicBool,
}

impl KeyRing {
    /// Creates a ring of static keys.
    pub fn from_static(keys: ApiKeys) -> Self {
        Self {
            current: RwLock::new(Arc::new(keys.clone())),
            fixed: keys,
            source: None,
            forbidden: None,
            stale: AtomicBool::new(false),
        }
    }

    /// Creates a ring of static keys and those of a source, which must not contain the
    /// `forbidden` one.
    ///
    /// # Errors
    /// If the source has no valid keys now, as the service would reject all of their
    /// users.
    pub async fn open(
        fixed: ApiKeys,
        source: KeySource,
        forbidden: Option<KeyDigest>,
    ) -> Result<Self, KeyRingError> {
        let mut ring = Self::from_static(fixed);
        ring.source = Some(source);
        ring.forbidden = forbidden;
        ring.reload().await?;
        Ok(ring)
    }

    /// Returns the principal of a key, if it is valid at `now`.
    pub fn lookup(&self, presented: &[u8], now: Timestamp) -> Option<Arc<Principal>> {
        self.current().lookup(presented, now).cloned()
    }

    /// Reloads the source, if there is one. Returns `true` if any key or its
    /// permissions changed.
    ///
    /// # Errors
    /// If it fails. The previous keys remain.
    pub async fn reload(&self) -> Result<bool, KeyRingError> {
        let Some(source) = &self.source else {
            return Ok(false);
        };
        let read = self.read(source).await;
        self.stale.store(read.is_err(), Ordering::Relaxed);
        let keys = self.fixed.clone().merge(&read?);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let changed = **current != keys;
        *current = Arc::new(keys);
        Ok(changed)
    }

    /// Reloads the source periodically, and logs changes and failures.
    pub async fn refresh_loop(&self, every: Duration) -> Infallible {
        loop {
            tokio::time::sleep(every).await;
            let before = self.count();
            match self.reload().await {
                Ok(false) => {}
                Ok(true) => tracing::info!(before, now = self.count(), "API keys changed"),
                Err(fault) => tracing::error!(
                    error = error_chain(&fault),
                    "cannot reload the API keys; the previous ones stay in use"
                ),
            }
        }
    }

    /// Returns `true` if the last reload failed.
    pub fn is_stale(&self) -> bool {
        self.stale.load(Ordering::Relaxed)
    }

    /// Returns the number of keys.
    pub fn count(&self) -> usize {
        self.current().count()
    }

    fn current(&self) -> Arc<ApiKeys> {
        let current = self.current.read();
        Arc::clone(&current.unwrap_or_else(PoisonError::into_inner))
    }

    async fn read(&self, source: &KeySource) -> Result<ApiKeys, KeyRingError> {
        let text = source.read().await?;
        let entries = KeyEntry::read_all(text.expose_secret(), self.forbidden.as_ref())?;
        let keys = ApiKeys::from(entries);
        if self.fixed.intersects(&keys) {
            return Err(KeyListError::FullAccess.into());
        }
        Ok(keys)
    }
}

/// Failure to load keys from their source.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingError {
    /// The source cannot be read.
    #[error("cannot read the API keys")]
    Unreadable(#[from] KeySourceError),
    /// The source contains no valid list.
    #[error("the list of API keys is invalid")]
    Unusable(#[from] KeyListError),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(keys: &[&str]) -> String {
        let entry = |key: &&str| {
            let digest = KeyDigest::from_key(key.as_bytes());
            format!(r#"{{"id":"app","sha256":"{digest}","scopes":["insights"],"users":["*"]}}"#)
        };
        format!("[{}]", keys.iter().map(entry).collect::<Vec<_>>().join(","))
    }

    #[tokio::test]
    async fn failed_reload_retains_the_previous_keys() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys.json");
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        let open = || {
            let known = Some(KeyDigest::from_key(b"known"));
            let fixed = ApiKeys::with_full_access(&["full".into()]);
            KeyRing::open(fixed, KeySource::File(path.clone()), known)
        };
        assert!(open().await.is_err(), "there is no file");
        write("[");
        assert!(open().await.is_err(), "it is no list");

        write(&list(&["old"]));
        let ring = open().await.unwrap();
        let knows = |key: &str| ring.lookup(key.as_bytes(), Timestamp::UNIX_EPOCH).is_some();
        assert!(knows("old") && !knows("new") && !ring.is_stale());
        write(&list(&["old", "new"]));
        assert!(ring.reload().await.unwrap(), "there is another key");
        assert!(knows("old") && knows("new") && ring.count() == 3);
        assert!(!ring.reload().await.unwrap(), "nothing changed");
        for broken in ["", "[{}]", "[]", &list(&["known"]), &list(&["full"])] {
            write(broken);
            ring.reload().await.unwrap_err();
            assert!(knows("old") && knows("new") && ring.is_stale());
        }
        std::fs::remove_file(&path).unwrap();
        ring.reload().await.unwrap_err();
        assert!(knows("new") && ring.is_stale());
        write(&list(&["new"]));
        ring.reload().await.unwrap();
        assert!(!knows("old") && knows("new") && !ring.is_stale());
        write(&list(&["newer"]));
        assert!(
            ring.reload().await.unwrap(),
            "one took the place of another"
        );
    }
}
