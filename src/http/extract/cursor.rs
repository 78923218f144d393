use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::domain::{DataType, DataTypes, Order, ReadingId, TimeRange, UserId};
use crate::http::derived_key::derived_key;

/// Position in a paginated list, together with the filters of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorPosition {
    /// Data types of the list.
    pub data_types: DataTypes,
    /// Time range of the list.
    pub range: TimeRange,
    /// Order of the list.
    pub order: Order,
    /// Last reading of the previous page.
    pub after: ReadingId,
}

/// Cursor without its signature, encoded by `postcard`.
///
/// The variant is the version. New ones are appended, so that cursors issued
/// before a deployment stay valid.
#[derive(Serialize, Deserialize)]
enum CursorPayload<'a> {
    /// List of all data types.
    V1 {
        after: [u8; 16],
        order: Order,
        start_nanoseconds: Option<i128>,
        end_nanoseconds: Option<i128>,
    },
    /// List of some data types.
    V2 {
        after: [u8; 16],
        order: Order,
        start_nanoseconds: Option<i128>,
        end_nanoseconds: Option<i128>,
        #[serde(borrow)]
        data_types: Vec<&'a str>,
    },
}

/// Maximum length of a cursor, slightly above that of the most and longest data
/// types.
const MAX_CURSOR_LEN: usize = 2_048;

/// Length of a cursor's signature: 128 bits of HMAC-SHA-256 (RFC 2104, section
/// 5).
const SIGNATURE_BYTES: usize = 16;

/// Signing keys of cursors. A cursor cannot be forged, and is valid for one user
/// only.
///
/// Keys are derived from configured secrets, so all tasks of a service accept
/// each other's cursors.
#[derive(Clone)]
pub struct CursorKeys(Vec<CursorKey>);

impl CursorKeys {
    /// Derives a key from each secret. Cursors are signed with the first and
    /// accepted with any, so that secrets can be rotated.
    pub fn derive<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        Self(secrets.into_iter().map(CursorKey::derive).collect())
    }

    /// Encodes and signs a cursor for the readings of `user_id`, whose id is
    /// signed but not included.
    pub fn encode(&self, position: &CursorPosition, user_id: &UserId) -> Option<String> {
        self.0.first()?.encode(position, user_id)
    }

    /// Decodes a cursor; `None` unless it was encoded for this user with one of
    /// these keys.
    pub fn decode(&self, cursor: &str, user_id: &UserId) -> Option<CursorPosition> {
        if cursor.len() > MAX_CURSOR_LEN {
            return None;
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (content, signature) = bytes.split_last_chunk::<SIGNATURE_BYTES>()?;
        let verifies = |key: &CursorKey| {
            let mac = key.mac(content, user_id);
            mac.verify_truncated_left(signature).is_ok()
        };
        self.0
            .iter()
            .any(verifies)
            .then(|| decode_payload(content))?
    }
}

/// Decodes the payload of a verified cursor.
fn decode_payload(content: &[u8]) -> Option<CursorPosition> {
    let (after, order, start, end, data_types) = match postcard::from_bytes(content).ok()? {
        CursorPayload::V1 {
            after,
            order,
            start_nanoseconds,
            end_nanoseconds,
        } => (after, order, start_nanoseconds, end_nanoseconds, Vec::new()),
        CursorPayload::V2 {
            after,
            order,
            start_nanoseconds,
            end_nanoseconds,
            data_types,
        } => (after, order, start_nanoseconds, end_nanoseconds, data_types),
    };
    let instant = |nanoseconds| Timestamp::from_nanosecond(nanoseconds).ok();
    let data_types: Result<Vec<DataType>, _> = data_types.into_iter().map(str::parse).collect();
    Some(CursorPosition {
        data_types: data_types.ok()?.try_into().ok()?,
        after: ReadingId::from_bytes(after).ok()?,
        order,
        range: TimeRange {
            start: start.and_then(instant),
            end: end.and_then(instant),
        },
    })
}

#[derive(Clone)]
struct CursorKey(Hmac<Sha256>);

impl CursorKey {
    fn derive(secret: &SecretString) -> Self {
        Self(derived_key(secret, b"clarity cursor key"))
    }

    fn encode(&self, position: &CursorPosition, user_id: &UserId) -> Option<String> {
        let nanoseconds = |instant: Timestamp| instant.as_nanosecond();
        let after = *position.after.as_bytes();
        let order = position.order;
        let start_nanoseconds = position.range.start.map(nanoseconds);
        let end_nanoseconds = position.range.end.map(nanoseconds);
        let content = if position.data_types.is_all() {
            CursorPayload::V1 {
                after,
                order,
                start_nanoseconds,
                end_nanoseconds,
            }
        } else {
            let named = position.data_types.as_slice().iter();
            CursorPayload::V2 {
                after,
                order,
                start_nanoseconds,
                end_nanoseconds,
                data_types: named.map(DataType::as_str).collect(),
            }
        };
        let mut bytes = postcard::to_allocvec(&content).ok()?;
        let signature = self.mac(&bytes, user_id).finalize().into_bytes();
        bytes.extend_from_slice(&signature[..SIGNATURE_BYTES]);
        Some(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    fn mac(&self, content: &[u8], user_id: &UserId) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(&(content.len() as u64).to_be_bytes());
        mac.update(content);
        mac.update(user_id.as_str().as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position() -> CursorPosition {
        CursorPosition {
            data_types: DataTypes::default(),
            range: TimeRange {
                start: Some("2024-01-01T00:00:00.000000001Z".parse().unwrap()),
                end: None,
            },
            order: Order::Asc,
            after: "018d0cab-c440-85d0-a3ae-7ec39b0fdb2e".parse().unwrap(),
        }
    }

    fn keys(secrets: &[&str]) -> CursorKeys {
        let secrets: Vec<SecretString> = secrets.iter().map(|&secret| secret.into()).collect();
        CursorKeys::derive(&secrets)
    }

    fn user() -> UserId {
        "user123".parse().unwrap()
    }

    #[test]
    fn cursor_decodes_only_for_its_user_and_key() {
        let keys_of_secret = keys(&["secret"]);
        let cursor = keys_of_secret.encode(&position(), &user()).unwrap();
        // Clients keep cursors across deployments: the encoding must not change.
        assert_eq!(
            cursor,
            "AAGNDKvEQIXQo65-w5sP2y4AAYKAqJbghYimLwCdTrNZSY6k5TxZY-2VHkUn"
        );
        assert_eq!(keys_of_secret.decode(&cursor, &user()), Some(position()));
        let other_user = "user124".parse().unwrap();
        assert_eq!(keys_of_secret.decode(&cursor, &other_user), None);
        assert_eq!(keys(&["other"]).decode(&cursor, &user()), None);
        for at in 0..cursor.len() {
            assert_eq!(keys_of_secret.decode(&cursor[..at], &user()), None);
            let mut tampered = cursor.clone().into_bytes();
            tampered[at] = if tampered[at] == b'A' { b'B' } else { b'A' };
            let tampered = std::str::from_utf8(&tampered).unwrap();
            assert_eq!(keys_of_secret.decode(tampered, &user()), None);
        }
    }

    #[test]
    fn cursor_is_signed_with_the_first_key_and_accepted_with_any() {
        let cursor = keys(&["old"]).encode(&position(), &user()).unwrap();
        let both = keys(&["new", "old"]);
        assert_eq!(both.decode(&cursor, &user()), Some(position()));
        let renewed = both.encode(&position(), &user()).unwrap();
        assert_eq!(keys(&["new"]).decode(&renewed, &user()), Some(position()));
        assert_eq!(keys(&["old"]).decode(&renewed, &user()), None);
    }

    #[test]
    fn cursor_of_the_most_data_types_decodes() {
        let longest = (0..DataTypes::MAX_LEN).map(|index| format!("t{index:063}").parse().unwrap());
        let position = CursorPosition {
            data_types: longest.collect::<Vec<_>>().try_into().unwrap(),
            range: TimeRange {
                start: Some(Timestamp::MIN),
                end: Some(Timestamp::MAX),
            },
            ..position()
        };
        let keys = keys(&["secret"]);
        let cursor = keys.encode(&position, &user()).unwrap();
        assert_eq!(keys.decode(&cursor, &user()), Some(position));
    }
}
