//! Tells the tests whether the real readings are at hand that some of them
//! want: `cargo test` then names those that it leaves out.

use std::path::Path;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(sample_data)");
    println!("cargo::rerun-if-changed=build.rs");
    let samples = Path::new("../shared/data");
    if samples.is_dir() {
        println!("cargo::rustc-cfg=sample_data");
        println!("cargo::rerun-if-changed={}", samples.display());
    }
}
