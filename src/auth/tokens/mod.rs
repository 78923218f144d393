//! Tokens of an OpenID Connect issuer, such as a Cognito user pool.
//!
//! A token is a JWT (RFC 7519) signed with RS256. Verification keys come from the
//! issuer's key set only; tokens that name keys in their header are rejected.

mod claims;
mod error;
mod issuer;
mod key_set;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header};

pub use error::TokenError;
pub use issuer::{Audience, Issuer};
pub use key_set::{KeySetError, MIN_REFRESH_INTERVAL as KEY_SET_MIN_REFRESH_INTERVAL};

use super::{Principal, PrincipalId, Scopes, Users};
use claims::Claims;
use key_set::{KeySet, MIN_REFRESH_INTERVAL};

/// Maximum size of a token: several times that of Cognito's.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Maximum length of a subject (OpenID Connect Core, section 2).
const MAX_SUBJECT_BYTES: usize = 255;

/// Permitted clock skew in seconds.
const LEEWAY: i64 = 60;

/// Group whose members may act for all users.
const ADMIN_GROUP: &str = "clarity-admins";

/// Interval of periodic refreshes, so that a revoked key does not stay trusted for
/// long.
const REFRESH_INTERVAL: Duration = Duration::from_secs(3_600);

/// Verifies tokens.
pub struct TokenVerifier {
    issuer: Issuer,
    keys: Arc<KeySet>,
    validation: Validation,
}

impl TokenVerifier {
    /// Creates a verifier for the issuer's tokens. Its keys are read by
    /// [`Self::refresh_loop`], or when they are first needed.
    ///
    /// # Errors
    /// If the HTTP client cannot be created.
    pub fn new(issuer: Issuer, key_set_url: String) -> Result<Self, KeySetError> {
        let mut validation = Validation::new(Algorithm::RS256);
        // Times are checked against the service's clock, and the audience depends on
        // the kind of token.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        validation.set_issuer(&[&issuer.url]);
        validation.set_required_spec_claims(&["iss", "exp", "sub"]);
        Ok(Self {
            issuer,
            keys: Arc::new(KeySet::new(key_set_url)?),
            validation,
        })
    }

    /// Returns the principal of a token that is valid at `now`.
    ///
    /// # Errors
    /// If the token is invalid, or the issuer's keys are unavailable.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<Principal>, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Invalid);
        }
        let header = decode_header(token).map_err(|_| TokenError::Invalid)?;
        let key_id = key_id(&header).ok_or(TokenError::Invalid)?;
        let keys = self.keys.lookup(key_id).await?;
        let claims = keys
            .iter()
            .find_map(|key| decode::<Claims>(token, key, &self.validation).ok())
            .ok_or(TokenError::Invalid)?
            .claims;
        self.principal(&claims, now)
            .map(Arc::new)
            .ok_or(TokenError::Invalid)
    }

    fn principal(&self, claims: &Claims, now: Timestamp) -> Option<Principal> {
        let now = now.as_second();
        let is_current = now < claims.exp.seconds().saturating_add(LEEWAY)
            && claims
                .nbf
                .is_none_or(|nbf| nbf.seconds() <= now.saturating_add(LEEWAY));
        let is_well_formed =
            claims.iss == self.issuer.url && (1..=MAX_SUBJECT_BYTES).contains(&claims.sub.len());
        if !is_current || !is_well_formed || !self.issuer.audience.matches(claims) {
            return None;
        }
        let is_administrator = claims
            .groups
            .iter()
            .flatten()
            .any(|group| group == ADMIN_GROUP);
        let user_id = claims.user_id.as_ref().unwrap_or(&claims.sub);
        Some(Principal {
            id: PrincipalId::Subject(claims.sub.as_str().into()),
            scopes: Scopes::all(),
            users: if is_administrator {
                Users::all()
            } else {
                // An invalid user id matches no user.
                user_id.parse().map_or_else(|_| Users::none(), Users::only)
            },
        })
    }

    /// Refreshes the issuer's keys now and periodically.
    pub async fn refresh_loop(&self) -> Infallible {
        loop {
            self.keys.refresh().await;
            let pause = if self.keys.is_stale() {
                MIN_REFRESH_INTERVAL
            } else {
                REFRESH_INTERVAL
            };
            tokio::time::sleep(pause).await;
        }
    }
}

/// Returns the id of the signing key; `None` if the header contains keys or unsupported
/// extensions.
fn key_id(header: &Header) -> Option<&str> {
    let names_keys = header.jku.is_some()
        || header.jwk.is_some()
        || header.x5u.is_some()
        || header.x5c.is_some();
    let has_extensions = header.crit.is_some() || header.enc.is_some() || header.zip.is_some();
    // Issuers also sign other tokens, such as logout tokens (RFC 8725, section 3.11).
    let is_other_type = header.typ.as_ref().is_some_and(|kind| {
        let kind = kind.to_ascii_lowercase();
        !["jwt", "at+jwt", "application/at+jwt"].contains(&kind.as_str())
    });
    if header.alg != Algorithm::RS256 || names_keys || has_extensions || is_other_type {
        return None;
    }
    header.kid.as_deref().filter(|id| !id.is_empty())
}
