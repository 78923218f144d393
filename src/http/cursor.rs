use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::domain::{Order, ReadingId, TimeRange, UserId};

/// Where a walk through pages stands, and what it walks through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Readings measured when.
    pub range: TimeRange,
    /// In which order.
    pub order: Order,
    /// The last reading given out.
    pub after: ReadingId,
}

/// A cursor without its signature, in `postcard`'s encoding.
///
/// The variant is the version: a new one is added behind the others, so that
/// cursors given out before a deployment are still understood after it.
#[derive(Serialize, Deserialize)]
enum Content {
    First {
        after: [u8; 16],
        order: Order,
        start_nanoseconds: Option<i128>,
        end_nanoseconds: Option<i128>,
    },
}

/// The longest cursor that is looked at; ours are shorter.
const LONGEST: usize = 256;

/// Signature bytes in a cursor: 128 bits of HMAC-SHA-256 (RFC 2104, section 5).
const SIGNATURE_BYTES: usize = 16;

/// Makes cursors that nobody else can make, and that serve one user only.
///
/// The key derives from the configuration, so that every task of a service
/// understands the cursors of all.
#[derive(Clone)]
pub struct CursorKey(Hmac<Sha256>);

impl CursorKey {
    /// The key that belongs to a secret of the configuration.
    pub fn derive(secret: &SecretString) -> Self {
        let mut derivation = hmac(secret.expose_secret().as_bytes());
        derivation.update(b"clarity cursor key");
        Self(hmac(&derivation.finalize().into_bytes()))
    }

    /// The cursor for `position` in the readings of `user_id`; it does not hold
    /// the user's id.
    pub fn seal(&self, position: &Position, user_id: &UserId) -> Option<String> {
        let nanoseconds = |instant: Timestamp| instant.as_nanosecond();
        let content = Content::First {
            after: *position.after.as_bytes(),
            order: position.order,
            start_nanoseconds: position.range.start.map(nanoseconds),
            end_nanoseconds: position.range.end.map(nanoseconds),
        };
        let mut bytes = postcard::to_allocvec(&content).ok()?;
        let signature = self.signing(&bytes, user_id).finalize().into_bytes();
        bytes.extend_from_slice(&signature[..SIGNATURE_BYTES]);
        Some(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The position in a cursor; `None` unless [`Self::seal`] made it for this
    /// user with this key.
    pub fn open(&self, cursor: &str, user_id: &UserId) -> Option<Position> {
        if cursor.len() > LONGEST {
            return None;
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (content, signature) = bytes.split_last_chunk::<SIGNATURE_BYTES>()?;
        self.signing(content, user_id)
            .verify_truncated_left(signature)
            .ok()?;
        let instant = |nanoseconds| Timestamp::from_nanosecond(nanoseconds).ok();
        let Content::First {
            after,
            order,
            start_nanoseconds,
            end_nanoseconds,
        } = postcard::from_bytes(content).ok()?;
        Some(Position {
            after: ReadingId::from_bytes(after).ok()?,
            order,
            range: TimeRange {
                start: start_nanoseconds.and_then(instant),
                end: end_nanoseconds.and_then(instant),
            },
        })
    }

    fn signing(&self, content: &[u8], user_id: &UserId) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(&(content.len() as u64).to_be_bytes());
        mac.update(content);
        mac.update(user_id.as_str().as_bytes());
        mac
    }
}

fn hmac(key: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    Hmac::new_from_slice(key).expect("a key of any length is valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position() -> Position {
        Position {
            range: TimeRange {
                start: Some("2024-01-01T00:00:00.000000001Z".parse().unwrap()),
                end: None,
            },
            order: Order::Asc,
            after: "018d0cab-c440-85d0-a3ae-7ec39b0fdb2e".parse().unwrap(),
        }
    }

    #[test]
    fn opens_only_what_was_sealed_for_this_user_with_this_key() {
        let key = CursorKey::derive(&"secret".into());
        let user: UserId = "user123".parse().unwrap();
        let cursor = key.seal(&position(), &user).unwrap();
        // Clients hold such cursors across a deployment: this never changes.
        assert_eq!(
            cursor,
            "AAGNDKvEQIXQo65-w5sP2y4AAYKAqJbghYimLwCdTrNZSY6k5TxZY-2VHkUn"
        );
        assert_eq!(key.open(&cursor, &user), Some(position()));
        assert_eq!(key.open(&cursor, &"user124".parse().unwrap()), None);
        assert_eq!(
            CursorKey::derive(&"other".into()).open(&cursor, &user),
            None
        );
        for at in 0..cursor.len() {
            assert_eq!(key.open(&cursor[..at], &user), None);
            let mut tampered = cursor.clone().into_bytes();
            tampered[at] = if tampered[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(
                key.open(std::str::from_utf8(&tampered).unwrap(), &user),
                None
            );
        }
    }
}
