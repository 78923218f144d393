//! Authentication of principals, and their permissions.
//!
//! A credential identifies a [`Principal`]. Its [`Scopes`] state what it may do, its
//! [`Users`] for whom. API keys are looked up in the [`KeyRing`], tokens are verified
//! by the [`TokenVerifier`].

mod api_keys;
mod key_digest;
mod key_entry;
mod key_ring;
mod key_source;
mod new_key;
mod principal;
mod scope;
mod tokens;
mod users;

pub use api_keys::ApiKeys;
pub use key_digest::KeyDigest;
pub use key_entry::{KeyEntry, KeyId, KeyListError};
pub use key_ring::{KeyRing, KeyRingError};
pub use key_source::{KeySource, KeySourceError, SecretsManager};
pub use new_key::NewKey;
pub use principal::{Principal, PrincipalId};
pub use scope::{Scope, Scopes};
pub use tokens::{
    Audience, Issuer, KEY_SET_MIN_REFRESH_INTERVAL, KeySetError, TokenError, TokenVerifier,
};
pub use users::{UserPattern, Users};
