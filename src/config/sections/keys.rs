use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::auth::{ApiKeys, KeyDigest, KeyEntry, KeyListError};
use crate::config::env_reader::EnvReader;
use crate::config::{DEVELOPMENT_KEY, Environment};

/// The shortest key that production takes, in characters.
const MIN_PRODUCTION_KEY_LEN: usize = 20;
/// The shortest secret of its own that production takes, in characters.
const MIN_PRODUCTION_SECRET_LEN: usize = 32;

/// How often keys are read again that may change.
const RELOAD_EVERY: Duration = Duration::from_secs(60);

/// The keys of which clients present one.
#[derive(Debug)]
pub struct KeyConfig {
    /// Those that may do everything for everybody.
    pub with_full_access: Vec<SecretString>,
    /// Those that each have scopes and users.
    pub listed: KeyList,
    /// What the list must not hold: in production, the key that everybody knows.
    pub refused: Option<KeyDigest>,
    /// How often they are read again, if they may change.
    pub reload_every: Duration,
}

/// Secrets of the service's own, the same for all its tasks.
#[derive(Debug)]
pub struct ServiceSecrets {
    /// What signs.
    pub current: SecretString,
    /// What is still understood, while a secret is being changed.
    pub previous: Vec<SecretString>,
    /// Whether they are no keys that clients have.
    pub is_dedicated: bool,
}

impl ServiceSecrets {
    /// All of them, the current one first.
    pub fn iter(&self) -> impl Iterator<Item = &SecretString> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

/// Where the list of keys is that each have scopes and users.
#[derive(Debug)]
pub enum KeyList {
    /// There is none.
    None,
    /// In the environment, which does not change.
    Inline(ApiKeys),
    /// In this file.
    File(PathBuf),
    /// In a secret of AWS Secrets Manager.
    Secret {
        /// Its name or ARN.
        id: String,
        /// The AWS region.
        region: String,
        /// Where Secrets Manager answers, if not at AWS; never in production.
        endpoint: Option<String>,
    },
}

impl<V: Fn(&str) -> Option<OsString>> EnvReader<V> {
    pub(in crate::config) fn keys(
        &mut self,
        environment: Environment,
        has_tokens: bool,
    ) -> KeyConfig {
        let refused = match environment {
            Environment::Development => None,
            Environment::Production => Some(KeyDigest::from_key(DEVELOPMENT_KEY.as_bytes())),
        };
        let listed = self.key_list(environment, refused.as_ref());
        let with_full_access = self.keys_with_full_access(environment, &listed, has_tokens);
        if let KeyList::Inline(keys) = &listed
            && ApiKeys::with_full_access(&with_full_access).intersects(keys)
        {
            self.error("CLARITY_API_KEYS", KeyListError::FullAccess.to_string());
        }
        KeyConfig {
            with_full_access,
            listed,
            refused,
            reload_every: RELOAD_EVERY,
        }
    }

    pub(in crate::config) fn service_secrets(
        &mut self,
        environment: Environment,
        keys: &KeyConfig,
    ) -> ServiceSecrets {
        const NAME: &str = "CLARITY_SERVICE_SECRET";
        let Some(list) = self.text(NAME) else {
            if environment == Environment::Production && keys.with_full_access.is_empty() {
                self.error(
                    NAME,
                    "must be set in production without CLARITY_API_KEY; make one with: openssl rand -hex 32",
                );
            }
            return match keys.with_full_access.split_first() {
                Some((current, previous)) => ServiceSecrets {
                    current: current.clone(),
                    previous: previous.to_vec(),
                    is_dedicated: false,
                },
                None => ServiceSecrets {
                    current: DEVELOPMENT_KEY.into(),
                    previous: Vec::new(),
                    is_dedicated: false,
                },
            };
        };
        let mut secrets = list.split(',').map(str::trim);
        // A previous one may be the key that served before there was a secret.
        let current = secrets.clone().next().unwrap_or_default();
        if secrets.clone().any(str::is_empty) {
            self.error(NAME, "must not be empty between commas");
        } else if environment == Environment::Production
            && current.len() < MIN_PRODUCTION_SECRET_LEN
        {
            self.error(
                NAME,
                format!(
                    "must begin with one of at least {MIN_PRODUCTION_SECRET_LEN} characters in production; make one with: openssl rand -hex 32"
                ),
            );
        }
        ServiceSecrets {
            current: secrets.next().unwrap_or_default().into(),
            previous: secrets.map(SecretString::from).collect(),
            is_dedicated: true,
        }
    }

    /// Several are separated by commas, as while a key is being changed.
    fn keys_with_full_access(
        &mut self,
        environment: Environment,
        listed: &KeyList,
        has_tokens: bool,
    ) -> Vec<SecretString> {
        const NAME: &str = "CLARITY_API_KEY";
        let Some(list) = self.text(NAME) else {
            return match (listed, environment) {
                (KeyList::None, Environment::Development) => vec![DEVELOPMENT_KEY.into()],
                (KeyList::None, Environment::Production) if !has_tokens => {
                    self.error(
                        NAME,
                        "or CLARITY_API_KEYS, CLARITY_API_KEYS_FILE, CLARITY_API_KEYS_SECRET or an issuer of tokens must be set in production",
                    );
                    Vec::new()
                }
                _ => Vec::new(),
            };
        };
        let keys: Vec<&str> = list.split(',').map(str::trim).collect();
        let is_visible = |key: &str| key.bytes().all(|byte| byte.is_ascii_graphic());
        if !keys.iter().all(|key| !key.is_empty() && is_visible(key)) {
            self.error(
                NAME,
                "must be visible ASCII characters, as it travels in a header; several keys are separated by commas",
            );
        }
        if environment == Environment::Production {
            if keys.contains(&DEVELOPMENT_KEY) {
                self.error(NAME, "must not be the development key in production");
            } else if keys.iter().any(|key| key.len() < MIN_PRODUCTION_KEY_LEN) {
                self.error(
                    NAME,
                    format!(
                        "must have at least {MIN_PRODUCTION_KEY_LEN} characters in production; make one with: openssl rand -hex 32"
                    ),
                );
            }
        }
        keys.into_iter().map(SecretString::from).collect()
    }

    fn key_list(&mut self, environment: Environment, refused: Option<&KeyDigest>) -> KeyList {
        const INLINE: &str = "CLARITY_API_KEYS";
        let inline = self.text(INLINE);
        let file = self.text("CLARITY_API_KEYS_FILE");
        let secret = self.text("CLARITY_API_KEYS_SECRET");
        let endpoint = self.endpoint("SECRETS_MANAGER_ENDPOINT", environment);
        match (inline, file, secret) {
            (None, None, None) => KeyList::None,
            (Some(json), None, None) => match KeyEntry::read_all(&json, refused) {
                Ok(entries) => KeyList::Inline(entries.into()),
                Err(fault) => {
                    self.error(INLINE, fault.to_string());
                    KeyList::Inline(ApiKeys::default())
                }
            },
            (None, Some(path), None) => KeyList::File(path.into()),
            (None, None, Some(id)) => KeyList::Secret {
                id,
                region: self.region(endpoint.is_some()),
                endpoint,
            },
            _ => {
                self.error(
                    INLINE,
                    "must not be set together with CLARITY_API_KEYS_FILE or CLARITY_API_KEYS_SECRET, nor these with one another",
                );
                KeyList::Inline(ApiKeys::default())
            }
        }
    }
}

impl KeyConfig {
    /// Whether clients present the key that everybody knows.
    pub fn has_development_key(&self) -> bool {
        let is_it = |key: &SecretString| key.expose_secret() == DEVELOPMENT_KEY;
        self.with_full_access.iter().any(is_it)
    }
}
