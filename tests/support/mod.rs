//! Helpers shared by test binaries, included with
//! `#[path = "../support/mod.rs"] mod support;`.

pub mod dynamodb_local;
