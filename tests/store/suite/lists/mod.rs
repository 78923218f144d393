//! Pages of readings.

pub mod cursors;
pub mod newest;
pub mod order;
pub mod pages;
pub mod ranges;
pub mod types;
