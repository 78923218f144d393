//! Lists of keys, and a Secrets Manager that gives one.

use clarity_backend::auth::KeyDigest;
use serde_json::{Value, json};

/// Every scope there is.
pub const SCOPES: [&str; 4] = ["data:read", "data:write", "data:erase", "insights"];

/// An entry for `key`, as it is stored.
pub fn entry(id: &str, key: &str, scopes: &[&str], users: &[&str]) -> Value {
    json!({
        "id": id,
        "sha256": KeyDigest::from_key(key.as_bytes()).to_string(),
        "scopes": scopes,
        "users": users,
    })
}

/// An entry for a key that is good until then.
pub fn entry_until(not_after: &str, key: &str) -> Value {
    let mut entry = entry("ending", key, &SCOPES, &["*"]);
    entry["not_after"] = json!(not_after);
    entry
}
