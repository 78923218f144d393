use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::auth::{ApiKeys, KeyDigest, KeyEntry, KeyListError};
use crate::config::env_reader::EnvReader;
use crate::config::environment::DEVELOPMENT_KEY;
use crate::config::settings;

/// Minimum length in bytes of a key with full access in production.
const MIN_PRODUCTION_KEY_LEN: usize = 20;
/// Minimum length in bytes of a service secret in production.
const MIN_PRODUCTION_SECRET_LEN: usize = 32;

/// Interval at which keys from a file or a secret are reloaded.
const RELOAD_INTERVAL: Duration = Duration::from_secs(60);

/// API keys that clients authenticate with.
#[derive(Debug)]
pub struct KeyConfig {
    /// Keys with all scopes for all users.
    pub with_full_access: Vec<SecretString>,
    /// Source of the keys with scopes and users of their own.
    pub listed: KeyList,
    /// Key that the list must not contain: in production the public development
    /// key.
    pub forbidden_key: Option<KeyDigest>,
    /// Interval at which the list is reloaded, if it can change.
    pub reload_interval: Duration,
}

/// Signing secrets of the service, the same for all its tasks.
#[derive(Debug)]
pub struct ServiceSecrets {
    /// Secret that signs.
    pub current: SecretString,
    /// Secrets that still verify, during a rotation.
    pub previous: Vec<SecretString>,
    /// False if they are API keys that clients have.
    pub is_dedicated: bool,
}

impl ServiceSecrets {
    /// Iterates over all secrets, the current one first.
    pub fn iter(&self) -> impl Iterator<Item = &SecretString> {
        std::iter::once(&self.current).chain(&self.previous)
    }

    /// Derives the secrets from API keys; without any, from the development key.
    fn from_keys(keys: &[SecretString]) -> Self {
        let (current, previous) = match keys.split_first() {
            Some((current, previous)) => (current.clone(), previous.to_vec()),
            None => (DEVELOPMENT_KEY.into(), Vec::new()),
        };
        Self {
            current,
            previous,
            is_dedicated: false,
        }
    }
}

/// Source of the keys with scopes and users.
#[derive(Debug)]
pub enum KeyList {
    /// No list.
    None,
    /// The environment, which does not change.
    Inline(ApiKeys),
    /// A file.
    File(PathBuf),
    /// A secret in AWS Secrets Manager.
    Secret {
        /// Name or ARN.
        id: String,
        /// AWS region.
        region: String,
        /// URL of a local emulator; never in production.
        endpoint: Option<String>,
    },
}

impl<V: Fn(&str) -> Option<OsString>> EnvReader<V> {
    pub(in crate::config) fn keys(&mut self, has_tokens: bool) -> KeyConfig {
        let forbidden_key = self
            .is_production()
            .then(|| KeyDigest::from_key(DEVELOPMENT_KEY.as_bytes()));
        let listed = self.key_list(forbidden_key.as_ref());
        let with_full_access = self.keys_with_full_access(&listed, has_tokens);
        if let KeyList::Inline(keys) = &listed
            && ApiKeys::with_full_access(&with_full_access).intersects(keys)
        {
            self.error(
                &settings::CLARITY_API_KEYS,
                KeyListError::FullAccess.to_string(),
            );
        }
        KeyConfig {
            with_full_access,
            listed,
            forbidden_key,
            reload_interval: RELOAD_INTERVAL,
        }
    }

    pub(in crate::config) fn service_secrets(&mut self, keys: &KeyConfig) -> ServiceSecrets {
        let setting = &settings::CLARITY_SERVICE_SECRET;
        let Some(list) = self.text(setting) else {
            if self.is_production() && keys.with_full_access.is_empty() {
                self.error(
                    setting,
                    "must be set in production without CLARITY_API_KEY; generate one with: openssl rand -hex 32",
                );
            }
            return ServiceSecrets::from_keys(&keys.with_full_access);
        };
        let mut secrets = list.split(',').map(str::trim);
        let current = secrets.clone().next().unwrap_or_default();
        if secrets.clone().any(str::is_empty) {
            self.error(setting, "must not have empty parts between commas");
        } else if self.is_production() && current.len() < MIN_PRODUCTION_SECRET_LEN {
            // A previous one may be an API key from before there was a secret.
            self.error(
                setting,
                format!(
                    "must start with a secret of at least {MIN_PRODUCTION_SECRET_LEN} characters in production; generate one with: openssl rand -hex 32"
                ),
            );
        }
        ServiceSecrets {
            current: secrets.next().unwrap_or_default().into(),
            previous: secrets.map(SecretString::from).collect(),
            is_dedicated: true,
        }
    }

    /// Reads the keys with full access: several during a rotation.
    fn keys_with_full_access(&mut self, listed: &KeyList, has_tokens: bool) -> Vec<SecretString> {
        let setting = &settings::CLARITY_API_KEY;
        let Some(list) = self.text(setting) else {
            if !matches!(listed, KeyList::None) {
                return Vec::new();
            }
            if self.is_production() && !has_tokens {
                self.error(
                    setting,
                    "or CLARITY_API_KEYS, CLARITY_API_KEYS_FILE, CLARITY_API_KEYS_SECRET or an issuer of tokens must be set in production",
                );
            }
            let default = self.value(setting);
            return default.into_iter().map(SecretString::from).collect();
        };
        let keys: Vec<&str> = list.split(',').map(str::trim).collect();
        let is_visible = |key: &str| key.bytes().all(|byte| byte.is_ascii_graphic());
        if !keys.iter().all(|key| !key.is_empty() && is_visible(key)) {
            self.error(
                setting,
                "must be visible ASCII characters, as it is sent in a header; separate several keys by commas",
            );
        }
        if self.is_production() {
            if keys.contains(&DEVELOPMENT_KEY) {
                self.error(setting, "must not be the development key in production");
            } else if keys.iter().any(|key| key.len() < MIN_PRODUCTION_KEY_LEN) {
                self.error(
                    setting,
                    format!(
                        "must have at least {MIN_PRODUCTION_KEY_LEN} characters in production; generate one with: openssl rand -hex 32"
                    ),
                );
            }
        }
        keys.into_iter().map(SecretString::from).collect()
    }

    fn key_list(&mut self, forbidden_key: Option<&KeyDigest>) -> KeyList {
        let setting = &settings::CLARITY_API_KEYS;
        let inline = self.text(setting);
        let file = self.text(&settings::CLARITY_API_KEYS_FILE);
        let secret = self.text(&settings::CLARITY_API_KEYS_SECRET);
        let endpoint = self.endpoint(&settings::SECRETS_MANAGER_ENDPOINT);
        match (inline, file, secret) {
            (None, None, None) => KeyList::None,
            (Some(json), None, None) => match KeyEntry::read_all(&json, forbidden_key) {
                Ok(entries) => KeyList::Inline(entries.into()),
                Err(error) => {
                    self.error(setting, error.to_string());
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
                    setting,
                    "excludes CLARITY_API_KEYS_FILE and CLARITY_API_KEYS_SECRET; set only one of the three",
                );
                KeyList::Inline(ApiKeys::default())
            }
        }
    }
}

impl KeyConfig {
    /// Returns true if the public development key has full access.
    pub fn has_development_key(&self) -> bool {
        let is_development_key = |key: &SecretString| key.expose_secret() == DEVELOPMENT_KEY;
        self.with_full_access.iter().any(is_development_key)
    }
}
