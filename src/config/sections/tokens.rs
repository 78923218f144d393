use std::ffi::OsString;

use url::Url;

use crate::auth::{Audience, Issuer};
use crate::config::Environment;
use crate::config::env_reader::EnvReader;

/// Whose tokens are believed, and where their keys are.
#[derive(Debug, PartialEq, Eq)]
pub struct TokenConfig {
    /// The issuer.
    pub issuer: Issuer,
    /// Where its key set is.
    pub key_set_url: String,
}

impl<V: Fn(&str) -> Option<OsString>> EnvReader<V> {
    pub(in crate::config) fn tokens(&mut self, environment: Environment) -> Option<TokenConfig> {
        let cognito = self.cognito();
        let other = self.other_issuer(environment);
        let url = self.https_url("JWKS_URL", environment);
        if cognito.is_some() && other.is_some() {
            self.error(
                "JWT_ISSUER",
                "must not be set together with COGNITO_USER_POOL_ID: tokens come from one issuer",
            );
        }
        let issuer = cognito.or(other);
        if issuer.is_none() && url.is_some() {
            self.error(
                "JWKS_URL",
                "must not be set without JWT_ISSUER or COGNITO_USER_POOL_ID",
            );
        }
        let issuer = issuer?;
        let default_url = || {
            let issuer = issuer.url.trim_end_matches('/');
            format!("{issuer}/.well-known/jwks.json")
        };
        Some(TokenConfig {
            key_set_url: url.unwrap_or_else(default_url),
            issuer,
        })
    }

    fn cognito(&mut self) -> Option<Issuer> {
        const POOL: &str = "COGNITO_USER_POOL_ID";
        const CLIENTS: &str = "COGNITO_CLIENT_IDS";
        let pool = self.text(POOL);
        let clients = self.text(CLIENTS);
        let (pool, clients) = match (pool, clients) {
            (Some(pool), Some(clients)) => (pool, clients),
            (None, None) => return None,
            (Some(_), None) => {
                self.error(
                    CLIENTS,
                    "must be set with COGNITO_USER_POOL_ID, to the ids of the pool's clients separated by commas",
                );
                return None;
            }
            (None, Some(_)) => {
                self.error(POOL, "must be set with COGNITO_CLIENT_IDS");
                return None;
            }
        };
        let is_name = |text: &str| {
            let mut bytes = text.bytes();
            !text.is_empty()
                && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        };
        if !is_name(&pool) {
            self.error(
                POOL,
                "must be the id of a user pool, such as eu-central-1_AbCdEfGhI",
            );
        }
        let clients: Vec<String> = clients.split(',').map(|id| id.trim().to_owned()).collect();
        if !clients.iter().all(|client| is_name(client)) {
            self.error(CLIENTS, "must be ids of clients separated by commas");
        }
        let region = self.region(false);
        Some(Issuer {
            url: format!("https://cognito-idp.{region}.amazonaws.com/{pool}"),
            audience: Audience::CognitoClients(clients),
        })
    }

    fn other_issuer(&mut self, environment: Environment) -> Option<Issuer> {
        let issuer = self.https_url("JWT_ISSUER", environment);
        let audience = self.text("JWT_AUDIENCE");
        match (issuer, audience) {
            (Some(url), Some(audience)) => Some(Issuer {
                url,
                audience: Audience::Named(audience),
            }),
            (None, None) => None,
            (Some(_), None) => {
                self.error("JWT_AUDIENCE", "must be set with JWT_ISSUER");
                None
            }
            (None, Some(_)) => {
                self.error("JWT_ISSUER", "must be set with JWT_AUDIENCE");
                None
            }
        }
    }

    /// Keys come this way: only encrypted, unless while developing.
    fn https_url(&mut self, variable: &'static str, environment: Environment) -> Option<String> {
        let text = self.text(variable)?;
        let is_usable = Url::parse(&text).is_ok_and(|url| {
            url.has_host()
                && url.password().is_none()
                && match url.scheme() {
                    "https" => true,
                    "http" => environment == Environment::Development,
                    _ => false,
                }
        });
        if !is_usable {
            self.error(
                variable,
                "must be an https URL; in development http will do",
            );
        }
        Some(text)
    }
}
