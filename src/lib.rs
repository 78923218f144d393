#![doc = "x"]
pub mod domain;
pub mod store;
