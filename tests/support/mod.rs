//! What several test binaries need. Each takes it in with
//! `#[path = "../support/mod.rs"] mod support;`.

pub mod dynamodb_local;
