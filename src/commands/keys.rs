use std::io::Write as _;
use std::str::FromStr;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::Serialize;

use super::Failure;
use crate::auth::{KeyId, NewKey, Scope, UserPattern};

/// What can be done with keys.
#[derive(Debug, Clone, Subcommand)]
pub(super) enum Keys {
    /// Make a key: print it, once, and what to store of it.
    New(New),
}

/// A key to make.
#[derive(Debug, Clone, Args)]
pub(super) struct New {
    /// The name that the key goes by in logs, such as ios-app; several keys may
    /// have the same, as while one is being changed.
    #[arg(long)]
    id: KeyId,
    /// What it may do: data:read, data:write, data:erase or insights; to be
    /// repeated.
    #[arg(long = "scope", required = true)]
    scopes: Vec<Scope>,
    /// For whom: all users (*), those whose id starts so (demo-*), or one; to
    /// be repeated.
    #[arg(long = "user", required = true, value_parser = pattern)]
    users: Vec<String>,
    /// From when on it is refused, such as 2027-01-31T00:00:00Z.
    #[arg(long)]
    not_after: Option<Timestamp>,
}

/// The text of a pattern, which is stored as it was given.
fn pattern(text: &str) -> Result<String, <UserPattern as FromStr>::Err> {
    text.parse::<UserPattern>().map(|_| text.to_owned())
}

/// What is stored of a key.
#[derive(Serialize)]
struct Entry<'a> {
    id: &'a KeyId,
    sha256: String,
    scopes: &'a [Scope],
    users: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    not_after: Option<Timestamp>,
}

pub(super) fn run(keys: &Keys) -> Result<(), Failure> {
    let Keys::New(new) = keys;
    let made = NewKey::generate()?;
    let entry = serde_json::to_string(&Entry {
        id: &new.id,
        sha256: made.digest.to_string(),
        scopes: &new.scopes,
        users: &new.users,
        not_after: new.not_after,
    })?;
    let mut output = std::io::stdout();
    writeln!(output, "{}", made.key.expose_secret())?;
    writeln!(output, "{entry}")?;
    // Not for a file into which the two lines above may be led.
    eprintln!(
        "The first line is the key, for the client; it is not kept anywhere else.\n\
         The second is for the array in CLARITY_API_KEYS."
    );
    Ok(())
}
