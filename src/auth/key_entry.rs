use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{KeyDigest, Scope, UserPattern};
use crate::domain::ValidationError;

/// Id of keys that are configured without one. Listed keys must not use it.
pub(super) const SHARED_KEY: &str = "shared-key";

/// Maximum number of keys: each request is compared with all of them.
const MAX_KEYS: usize = 1_000;

/// Maximum number of user patterns of an entry: each user of a request is compared with
/// all of them.
const MAX_USERS_PER_KEY: usize = 1_000;

/// A stored key: an element of the array in `CLARITY_API_KEYS`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
    /// Id of the key's principal. Several keys may share it, as during a rotation.
    pub id: KeyId,
    /// Digest of the key.
    #[serde(deserialize_with = "parsed")]
    pub sha256: KeyDigest,
    /// Scopes of the key.
    pub scopes: Vec<Scope>,
    /// Users that it may act for.
    pub users: Vec<UserPattern>,
    /// Time from which it is rejected; never if absent.
    #[serde(default)]
    pub not_after: Option<Timestamp>,
}

impl KeyEntry {
    /// Parses a JSON array of keys, which must not contain the `forbidden` one.
    ///
    /// # Errors
    /// If the array is malformed, or contains an unusable or the forbidden entry. The
    /// error never repeats the text, which may contain a key by mistake.
    pub fn read_all(json: &str, forbidden: Option<&KeyDigest>) -> Result<Vec<Self>, KeyListError> {
        let entries: Vec<Self> =
            serde_json::from_str(json).map_err(|error| KeyListError::Malformed {
                line: error.line(),
                column: error.column(),
            })?;
        if entries.len() > MAX_KEYS {
            return Err(KeyListError::TooMany);
        }
        if entries.is_empty() {
            return Err(KeyListError::Empty);
        }
        let empty_key_digest = KeyDigest::from_key(b"");
        let mut digests = BTreeSet::new();
        for (index, entry) in entries.iter().enumerate() {
            if entry.scopes.is_empty() || entry.users.is_empty() {
                return Err(KeyListError::NoScopeOrUser { index });
            }
            if entry.users.len() > MAX_USERS_PER_KEY {
                return Err(KeyListError::TooManyUsers { index });
            }
            if Some(&entry.sha256) == forbidden {
                return Err(KeyListError::DevelopmentKey { index });
            }
            if entry.sha256 == empty_key_digest {
                return Err(KeyListError::EmptyKey { index });
            }
            if !digests.insert(&entry.sha256) {
                return Err(KeyListError::Duplicate { index });
            }
        }
        Ok(entries)
    }
}

/// Validation error of a list of keys.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyListError {
    /// Not a list of entries.
    #[error(
        "must be a JSON array of {{\"id\", \"sha256\", \"scopes\", \"users\", \"not_after\"}}, as `clarity-backend keys new` prints them; it is invalid at line {line}, column {column}"
    )]
    Malformed {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Too many keys.
    #[error("must contain at most {MAX_KEYS} keys")]
    TooMany,
    /// No key: more likely a mistake than intended, and it would lock out all clients.
    #[error(
        "must contain at least one key; to revoke the last one, give it a not_after that has passed"
    )]
    Empty,
    /// Digest of the empty string, as made by a script whose variable for the key is
    /// not set.
    #[error("must not contain the digest of an empty key, as entry {index} (from 0) does")]
    EmptyKey {
        /// Index of the entry, from 0.
        index: usize,
    },
    /// Too many user patterns.
    #[error(
        "must name at most {MAX_USERS_PER_KEY} users for a key; entry {index} (from 0) names more: use prefixes of their ids"
    )]
    TooManyUsers {
        /// Index of the entry, from 0.
        index: usize,
    },
    /// A key that also has full access, which would become limited once that is
    /// withdrawn.
    #[error("must not contain a key that CLARITY_API_KEY contains too")]
    FullAccess,
    /// No scope or no user.
    #[error(
        "must name at least one scope and one user for each key; entry {index} (from 0) does not"
    )]
    NoScopeOrUser {
        /// Index of the entry, from 0.
        index: usize,
    },
    /// The public development key.
    #[error("must not contain the development key in production, as entry {index} (from 0) does")]
    DevelopmentKey {
        /// Index of the entry, from 0.
        index: usize,
    },
    /// A key that is listed twice.
    #[error("must contain each key once; entry {index} (from 0) has the digest of another")]
    Duplicate {
        /// Index of the entry, from 0.
        index: usize,
    },
}

/// Id of a key, which logs show: 1 to 64 of `A-Z a-z 0-9 . _ -`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyId(Arc<str>);

impl KeyId {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl FromStr for KeyId {
    type Err = ValidationError;

    fn from_str(text: &str) -> Result<Self, ValidationError> {
        if text == SHARED_KEY {
            return Err(ValidationError::new(
                "must not be shared-key, the id of keys with full access",
            ));
        }
        let is_id = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if is_id {
            Ok(Self(text.into()))
        } else {
            Err(ValidationError::new("must be 1 to 64 of A-Z a-z 0-9 . _ -"))
        }
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err = ValidationError>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_list_is_rejected_without_repeating_it() {
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let entry = |scopes: &str, users: &str, more: &str| {
            format!(
                r#"{{"id":"ios-app","sha256":"{digest}","scopes":[{scopes}],"users":[{users}]{more}}}"#
            )
        };
        let good = entry(
            r#""data:read","insights""#,
            r#""*""#,
            r#","not_after":"2030-01-01T00:00:00Z""#,
        );
        let entries = KeyEntry::read_all(&format!("[{good}]"), None).unwrap();
        assert_eq!(entries[0].id.as_str(), "ios-app");
        assert_eq!(entries[0].scopes, [Scope::ReadData, Scope::Insights]);
        assert_eq!(
            KeyEntry::read_all("[]", None).unwrap_err(),
            KeyListError::Empty
        );
        let of_nothing = good.replace(digest, &KeyDigest::from_key(b"").to_string());
        assert_eq!(
            KeyEntry::read_all(&format!("[{of_nothing}]"), None).unwrap_err(),
            KeyListError::EmptyKey { index: 0 }
        );
        let many = vec![r#""canary""#; MAX_USERS_PER_KEY + 1].join(",");
        assert_eq!(
            KeyEntry::read_all(&format!("[{}]", entry(r#""insights""#, &many, "")), None)
                .unwrap_err(),
            KeyListError::TooManyUsers { index: 0 }
        );
        for bad in [
            "".to_owned(),
            "clk_canary".to_owned(),
            good.clone(),
            format!("[{good},{good}]"),
            format!("[{}]", entry("", r#""*""#, "")),
            format!("[{}]", entry(r#""insights""#, "", "")),
            format!("[{}]", entry(r#""canary""#, r#""*""#, "")),
            format!("[{}]", entry(r#""insights""#, r#""canary canary""#, "")),
            format!("[{}]", entry(r#""insights""#, r#""*""#, r#","canary":1"#)),
            format!("[{}]", entry(r#""insights""#, r#""*""#, r#","id":"twice""#)),
            format!(
                "[{}]",
                entry(r#""insights""#, r#""*""#, r#","not_after":"canary""#)
            ),
            format!("[{}]", good.replace(digest, "clk_canary")),
            format!("[{}]", good.replace("ios-app", "a canary")),
            format!("[{}]", good.replace("ios-app", SHARED_KEY)),
        ] {
            let fault = KeyEntry::read_all(&bad, None).unwrap_err().to_string();
            assert!(!fault.contains("canary"), "{fault}");
        }
    }
}
