use std::sync::Arc;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConditionallySelectable;

use super::key_entry::SHARED_KEY;
use super::{KeyDigest, KeyEntry, Principal, PrincipalId, Scopes, Users};

/// A set of API keys and their principals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiKeys(Vec<ApiKey>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct ApiKey {
    digest: KeyDigest,
    not_after: Option<Timestamp>,
    principal: Arc<Principal>,
}

impl ApiKeys {
    /// Creates keys with all scopes for all users, as in `CLARITY_API_KEY`.
    pub fn with_full_access<'a>(keys: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let principal = Arc::new(Principal {
            id: PrincipalId::Key(SHARED_KEY.into()),
            scopes: Scopes::all(),
            users: Users::all(),
        });
        let key = |key: &SecretString| ApiKey {
            digest: KeyDigest::from_key(key.expose_secret().as_bytes()),
            not_after: None,
            principal: Arc::clone(&principal),
        };
        Self(keys.into_iter().map(key).collect())
    }

    /// Returns the union of both sets.
    pub fn merge(mut self, others: &Self) -> Self {
        self.0.extend_from_slice(&others.0);
        self
    }

    /// Returns `true` if the sets have a key in common.
    pub fn intersects(&self, others: &Self) -> bool {
        let is_other = |key: &ApiKey| others.0.iter().any(|other| other.digest == key.digest);
        self.0.iter().any(is_other)
    }

    /// Returns the number of keys.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Returns the principal of the key `presented`, if it is valid at `now`.
    ///
    /// The digest is compared with all keys in constant time, so that the response time
    /// reveals neither the first wrong byte nor which key matched.
    pub fn lookup(&self, presented: &[u8], now: Timestamp) -> Option<&Arc<Principal>> {
        let presented = KeyDigest::from_key(presented);
        let mut found = u64::MAX;
        for (index, key) in (0..).zip(&self.0) {
            found.conditional_assign(&index, presented.ct_eq(&key.digest));
        }
        let key = self.0.get(usize::try_from(found).ok()?)?;
        let is_valid = key.not_after.is_none_or(|not_after| now < not_after);
        is_valid.then_some(&key.principal)
    }
}

impl From<Vec<KeyEntry>> for ApiKeys {
    fn from(entries: Vec<KeyEntry>) -> Self {
        let key = |entry: KeyEntry| ApiKey {
            digest: entry.sha256,
            not_after: entry.not_after,
            principal: Arc::new(Principal {
                id: PrincipalId::Key(entry.id.shared()),
                scopes: entry.scopes.into_iter().collect(),
                users: entry.users.into_iter().collect(),
            }),
        };
        Self(entries.into_iter().map(key).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Scope;

    #[test]
    fn only_exact_keys_match() {
        let keys: [SecretString; 2] = ["development-key".into(), "another".into()];
        let keys = ApiKeys::with_full_access(&keys);
        let now = Timestamp::UNIX_EPOCH;
        assert!(keys.lookup(b"development-key", now).is_some());
        assert!(keys.lookup(b"another", now).is_some());
        for wrong in [
            "",
            "development-ke",
            "development-key ",
            "Development-key",
            "development-key,another",
        ] {
            assert!(keys.lookup(wrong.as_bytes(), now).is_none());
        }
        assert!(ApiKeys::default().lookup(b"", now).is_none());
    }

    #[test]
    fn key_is_valid_until_not_after_and_has_its_principal() {
        let entry = |id: &str, key: &str, scope, not_after: Option<&str>| KeyEntry {
            id: id.parse().unwrap(),
            sha256: KeyDigest::from_key(key.as_bytes()),
            scopes: vec![scope],
            users: vec!["*".parse().unwrap()],
            not_after: not_after.map(|end| end.parse().unwrap()),
        };
        let keys = ApiKeys::from(vec![
            entry("app", "old", Scope::ReadData, Some("2024-06-01T00:00:00Z")),
            entry("app", "new", Scope::WriteData, None),
        ]);
        let before = "2024-05-31T23:59:59Z".parse().unwrap();
        let after = "2024-06-01T00:00:00Z".parse().unwrap();
        let (old, new) = (keys.lookup(b"old", before), keys.lookup(b"new", before));
        assert_eq!(old.unwrap().id, new.unwrap().id);
        assert!(old.unwrap().scopes.contains(Scope::ReadData));
        assert!(new.unwrap().scopes.contains(Scope::WriteData));
        assert!(keys.lookup(b"old", after).is_none() && keys.lookup(b"new", after).is_some());
    }
}
