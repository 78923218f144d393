use std::io::Write as _;
use std::str::FromStr;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::Serialize;

use super::error::CommandError;
use crate::auth::{KeyId, NewKey, Scope, UserPattern};

/// Management of API keys.
#[derive(Debug, Clone, Subcommand)]
pub(super) enum Keys {
    /// Generate a key; prints the key once, and the entry to store.
    New(New),
}

/// Key to generate.
#[derive(Debug, Clone, Args)]
pub(super) struct New {
    /// Name of the key in logs, such as ios-app. Several keys may share it, for
    /// instance during a rotation.
    #[arg(long)]
    id: KeyId,
    /// Permission: data:read, data:write, data:erase or insights; repeatable.
    #[arg(long = "scope", required = true)]
    scopes: Vec<Scope>,
    /// Users: all (*), a prefix (demo-*) or one user id; repeatable.
    #[arg(long = "user", required = true, value_parser = pattern)]
    users: Vec<String>,
    /// Expiry, such as 2027-01-31T00:00:00Z.
    #[arg(long)]
    not_after: Option<Timestamp>,
}

/// Validates a pattern, which is stored as written.
fn pattern(text: &str) -> Result<String, <UserPattern as FromStr>::Err> {
    text.parse::<UserPattern>().map(|_| text.to_owned())
}

/// Stored form of a key.
#[derive(Serialize)]
struct StoredKey<'a> {
    id: &'a KeyId,
    sha256: String,
    scopes: &'a [Scope],
    users: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    not_after: Option<Timestamp>,
}

pub(super) fn run(keys: &Keys) -> Result<(), CommandError> {
    let Keys::New(new) = keys;
    let made = NewKey::generate()?;
    let entry = serde_json::to_string(&StoredKey {
        id: &new.id,
        sha256: made.digest.to_string(),
        scopes: &new.scopes,
        users: &new.users,
        not_after: new.not_after,
    })?;
    let mut output = std::io::stdout();
    writeln!(output, "{}", made.key.expose_secret())?;
    writeln!(output, "{entry}")?;
    // On standard error, as the output above may be redirected to a file.
    eprintln!(
        "The first line is the key for the client; it is not stored anywhere.\n\
         Add the second line to the array in CLARITY_API_KEYS."
    );
    Ok(())
}
