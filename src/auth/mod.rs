//! Who is asking.

mod api_key;

pub use api_key::ApiKeys;
