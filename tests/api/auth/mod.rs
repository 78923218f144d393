//! API keys, tokens and permissions.

mod authentication;
mod key_rotation;
mod permissions;
mod tokens;
mod user_pool;
