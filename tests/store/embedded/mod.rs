//! Tests that apply to the embedded store only.

mod disk_faults;
mod files;
pub mod simulated_disk;
