use std::ffi::OsString;

use url::Url;

use crate::auth::{Audience, Issuer};
use crate::config::env_reader::EnvReader;
use crate::config::settings::{self, Setting};

/// Issuer whose tokens are accepted.
#[derive(Debug, PartialEq, Eq)]
pub struct TokenConfig {
    /// The issuer.
    pub issuer: Issuer,
    /// URL of its key set.
    pub key_set_url: String,
}

impl<V: Fn(&str) -> Option<OsString>> EnvReader<V> {
    pub(in crate::config) fn tokens(&mut self) -> Option<TokenConfig> {
        let cognito = self.cognito();
        let other = self.other_issuer();
        let url = self.https_url(&settings::JWKS_URL);
        if cognito.is_some() && other.is_some() {
            self.error(
                &settings::JWT_ISSUER,
                "must not be set together with COGNITO_USER_POOL_ID: only one issuer is supported",
            );
        }
        let issuer = cognito.or(other);
        if issuer.is_none() && url.is_some() {
            self.error(
                &settings::JWKS_URL,
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
        let pool = self.text(&settings::COGNITO_USER_POOL_ID);
        let clients = self.text(&settings::COGNITO_CLIENT_IDS);
        let (pool, clients) = match (pool, clients) {
            (Some(pool), Some(clients)) => (pool, clients),
            (None, None) => return None,
            (Some(_), None) => {
                self.error(
                    &settings::COGNITO_CLIENT_IDS,
                    "must be set with COGNITO_USER_POOL_ID, to the pool's app client ids separated by commas",
                );
                return None;
            }
            (None, Some(_)) => {
                self.error(
                    &settings::COGNITO_USER_POOL_ID,
                    "must be set with COGNITO_CLIENT_IDS",
                );
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
                &settings::COGNITO_USER_POOL_ID,
                "must be the id of a user pool, such as eu-central-1_AbCdEfGhI",
            );
        }
        let clients: Vec<String> = clients.split(',').map(|id| id.trim().to_owned()).collect();
        if !clients.iter().all(|client| is_name(client)) {
            self.error(
                &settings::COGNITO_CLIENT_IDS,
                "must be app client ids separated by commas",
            );
        }
        let region = self.region(false);
        Some(Issuer {
            url: format!("https://cognito-idp.{region}.amazonaws.com/{pool}"),
            audience: Audience::CognitoClients(clients),
        })
    }

    fn other_issuer(&mut self) -> Option<Issuer> {
        let issuer = self.https_url(&settings::JWT_ISSUER);
        let audience = self.text(&settings::JWT_AUDIENCE);
        match (issuer, audience) {
            (Some(url), Some(audience)) => Some(Issuer {
                url,
                audience: Audience::Named(audience),
            }),
            (None, None) => None,
            (Some(_), None) => {
                self.error(&settings::JWT_AUDIENCE, "must be set with JWT_ISSUER");
                None
            }
            (None, Some(_)) => {
                self.error(&settings::JWT_ISSUER, "must be set with JWT_AUDIENCE");
                None
            }
        }
    }

    /// Reads a URL that keys are fetched from: encrypted, except in development.
    fn https_url(&mut self, setting: &Setting) -> Option<String> {
        let text = self.text(setting)?;
        let is_valid = Url::parse(&text).is_ok_and(|url| {
            url.has_host()
                && url.password().is_none()
                && match url.scheme() {
                    "https" => true,
                    "http" => !self.is_production(),
                    _ => false,
                }
        });
        if !is_valid {
            self.error(
                setting,
                "must be an https URL; http is accepted in development",
            );
        }
        Some(text)
    }
}
