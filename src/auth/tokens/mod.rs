//! Tokens of an OpenID Connect issuer, such as a user pool of Cognito.
//!
//! A token is a JWT (RFC 7519) signed with RS256. Its keys come from the
//! issuer's key set alone: what a token says of keys is refused.

mod claims;
mod issuer;
mod key_set;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header};

pub use issuer::{Audience, Issuer};
pub use key_set::{KeySetError, MIN_REFRESH_INTERVAL as KEY_SET_MIN_REFRESH_INTERVAL};

use super::{Principal, PrincipalId, Scopes, Users};
use claims::Claims;
use key_set::{KeySet, MIN_REFRESH_INTERVAL};

/// The longest token in bytes: several times what Cognito makes.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The longest subject in bytes (OpenID Connect Core, section 2).
const MAX_SUBJECT_BYTES: usize = 255;

/// How far clocks may be apart, in seconds.
const LEEWAY: i64 = 60;

/// Whose members act for everybody.
const ADMIN_GROUP: &str = "clarity-admins";

/// How often keys are read again without a reason, so that one which the issuer
/// has withdrawn is not believed for long.
const REFRESH_INTERVAL: Duration = Duration::from_secs(3_600);

/// Tells whom a token stands for.
pub struct TokenVerifier {
    issuer: Issuer,
    keys: Arc<KeySet>,
    validation: Validation,
}

/// Why nobody is behind a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    /// It is not valid. Nobody is told why.
    Invalid,
    /// The issuer could not be asked for its key: it may be valid.
    KeysUnavailable,
}

impl TokenVerifier {
    /// A verifier of the issuer's tokens, whose keys are read by
    /// [`Self::refresh_loop`] or when they are first needed.
    ///
    /// # Errors
    /// When there is no way to read them.
    pub fn new(issuer: Issuer, key_set_url: String) -> Result<Self, KeySetError> {
        let mut validation = Validation::new(Algorithm::RS256);
        // The clock is ours, and the audience depends on the kind of token.
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

    /// Whom the token stands for at this moment.
    ///
    /// # Errors
    /// When it stands for nobody.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<Principal>, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Invalid);
        }
        let header = decode_header(token).map_err(|_| TokenError::Invalid)?;
        let key_id = key_id(&header).ok_or(TokenError::Invalid)?;
        let key = self.keys.lookup(key_id).await?;
        let claims = decode::<Claims>(token, &key, &self.validation)
            .map_err(|_| TokenError::Invalid)?
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
        let is_administrator = claims.groups.iter().any(|group| group == ADMIN_GROUP);
        let user_id = claims.user_id.as_ref().unwrap_or(&claims.sub);
        Some(Principal {
            id: PrincipalId::Subject(claims.sub.as_str().into()),
            scopes: Scopes::all(),
            users: if is_administrator {
                Users::all()
            } else {
                // What is no user id is the id of no user.
                user_id.parse().map_or_else(|_| Users::none(), Users::only)
            },
        })
    }

    /// Reads the issuer's keys now, and again from time to time.
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

/// The id of the key that signed; none where the header names keys of its own,
/// or asks for what is not understood here.
fn key_id(header: &Header) -> Option<&str> {
    let names_keys = header.jku.is_some()
        || header.jwk.is_some()
        || header.x5u.is_some()
        || header.x5c.is_some();
    let has_extensions = header.crit.is_some() || header.enc.is_some() || header.zip.is_some();
    // An issuer signs more than these, such as logout tokens (RFC 8725, 3.11).
    let is_other_type = header.typ.as_ref().is_some_and(|kind| {
        let kind = kind.to_ascii_lowercase();
        !["jwt", "at+jwt", "application/at+jwt"].contains(&kind.as_str())
    });
    if header.alg != Algorithm::RS256 || names_keys || has_extensions || is_other_type {
        return None;
    }
    header.kid.as_deref().filter(|id| !id.is_empty())
}
