//! Entries of API key lists.

use clarity_backend::auth::KeyDigest;
use serde_json::{Value, json};

/// All scopes.
pub const SCOPES: [&str; 4] = ["data:read", "data:write", "data:erase", "insights"];

/// Returns the key list entry for `key`, which contains only its digest.
pub fn entry(id: &str, key: &str, scopes: &[&str], users: &[&str]) -> Value {
    json!({
        "id": id,
        "sha256": KeyDigest::from_key(key.as_bytes()).to_string(),
        "scopes": scopes,
        "users": users,
    })
}

/// Returns a full-access entry for a key that expires at `not_after`.
pub fn entry_until(not_after: &str, key: &str) -> Value {
    let mut entry = entry("ending", key, &SCOPES, &["*"]);
    entry["not_after"] = json!(not_after);
    entry
}
