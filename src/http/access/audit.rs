//! Audit events: which principal accessed the readings of which user.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{MatchedPath, Request};
use axum::http::StatusCode;
use hmac::{Hmac, Mac as _};
use secrecy::SecretString;
use sha2::Sha256;

use crate::auth::{Principal, PrincipalId};
use crate::domain::UserId;
use crate::http::derived_key::derived_key;
use crate::http::middleware::{RequestId, method_label};
use crate::telemetry::AUDIT;

/// Length of a pseudonym, enough to make collisions negligible.
const PSEUDONYM_BYTES: usize = 16;

/// Pseudonyms of user ids, which are never logged.
///
/// A pseudonym is a keyed hash (HMAC-SHA-256), so only holders of the service
/// secret can match it to an id, even by trying ids. The secret should therefore
/// differ from the keys of clients.
#[derive(Clone)]
pub struct Pseudonymizer(Arc<Hmac<Sha256>>);

impl Pseudonymizer {
    /// Derives the key of the pseudonyms from the service secret.
    pub fn derive(secret: &SecretString) -> Self {
        Self(Arc::new(derived_key(secret, b"clarity audit pseudonyms")))
    }

    /// Returns the pseudonym of an id, in hexadecimal digits.
    pub fn pseudonym(&self, id: &str) -> String {
        let mut mac = (*self.0).clone();
        mac.update(id.as_bytes());
        let digest = mac.finalize().into_bytes();
        hex::encode(&digest[..PSEUDONYM_BYTES])
    }
}

/// Audit record of a request, logged when its last owner drops it: also when the
/// client disconnects, and for an export when its stream ends.
pub struct AuditRecord {
    principal: Arc<Principal>,
    principal_name: Arc<str>,
    pseudonymizer: Pseudonymizer,
    request_id: Option<RequestId>,
    method: &'static str,
    route: Option<MatchedPath>,
    /// Status of the response; 0 until it is known.
    status: AtomicU16,
    /// Number of readings accessed per user.
    users: Mutex<BTreeMap<UserId, u64>>,
}

impl AuditRecord {
    /// Starts the record of a request.
    pub fn start(
        principal: Arc<Principal>,
        pseudonymizer: Pseudonymizer,
        request: &Request,
    ) -> Self {
        let principal_name = match &principal.id {
            PrincipalId::Key(id) => Arc::clone(id),
            PrincipalId::Subject(subject) => pseudonymizer.pseudonym(subject).into(),
        };
        Self {
            principal,
            principal_name,
            pseudonymizer,
            request_id: request.extensions().get().cloned(),
            method: method_label(request.method()),
            route: request.extensions().get().cloned(),
            status: AtomicU16::new(0),
            users: Mutex::default(),
        }
    }

    /// Adds readings of a user to the record.
    pub fn add_user(&self, user_id: &UserId, readings: u64) {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        match users.get_mut(user_id) {
            Some(count) => *count += readings,
            None => {
                users.insert(user_id.clone(), readings);
            }
        }
    }

    /// Records that access to this user was denied, and removes all other users.
    pub fn deny(&self, user_id: &UserId) {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        *users = BTreeMap::from([(user_id.clone(), 0)]);
    }

    /// Adds returned or deleted readings of the user that the request is about.
    pub fn count(&self, readings: u64) {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut user) = users.first_entry() {
            *user.get_mut() += readings;
        }
    }

    /// Records the status of the response.
    pub fn finish(&self, status: StatusCode) {
        self.status.store(status.as_u16(), Ordering::Relaxed);
    }

    /// Returns the principal.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Returns the loggable name of the principal: the id of a key, or the
    /// pseudonym of a token's subject.
    pub fn principal_name(&self) -> &Arc<str> {
        &self.principal_name
    }

    fn log(&self, user: Option<&str>, count: u64) {
        let status = self.status.load(Ordering::Relaxed);
        tracing::info!(
            target: AUDIT,
            request_id = self.request_id.as_ref().map_or("", RequestId::as_str),
            principal_kind = match self.principal.id {
                PrincipalId::Key(_) => "key",
                PrincipalId::Subject(_) => "subject",
            },
            principal = &*self.principal_name,
            user,
            method = self.method,
            route = self.route.as_ref().map_or("none", MatchedPath::as_str),
            result = match status {
                0 => "interrupted",
                200..=299 => "allowed",
                401 | 403 | 429 => "refused",
                _ => "failed",
            },
            status,
            count,
            "access"
        );
    }
}

impl Drop for AuditRecord {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.finish(StatusCode::INTERNAL_SERVER_ERROR);
        }
        let users = self.users.get_mut();
        let users = std::mem::take(users.unwrap_or_else(PoisonError::into_inner));
        if users.is_empty() {
            self.log(None, 0);
        }
        for (user_id, count) in users {
            let user = self.pseudonymizer.pseudonym(user_id.as_str());
            self.log(Some(&user), count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudonym_depends_on_id_and_secret() {
        let one = Pseudonymizer::derive(&"one".into());
        let two = Pseudonymizer::derive(&"two".into());
        let jane = one.pseudonym("jane");
        assert_eq!(jane.len(), 32);
        assert_eq!(jane, Pseudonymizer::derive(&"one".into()).pseudonym("jane"));
        assert_ne!(jane, one.pseudonym("Jane"));
        assert_ne!(jane, two.pseudonym("jane"));
    }
}
