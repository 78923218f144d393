//! Tells the tests what is at hand that some of them want, real readings and a
//! stand-in for Cognito: `cargo test` then names those that it leaves out.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(sample_data)");
    println!("cargo::rustc-check-cfg=cfg(moto_server)");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PATH");
    let moto = Command::new("moto_server").arg("--help").output();
    if moto.is_ok_and(|output| output.status.success()) {
        println!("cargo::rustc-cfg=moto_server");
    }
    let samples = Path::new("../shared/data");
    if samples.is_dir() {
        println!("cargo::rustc-cfg=sample_data");
        println!("cargo::rerun-if-changed={}", samples.display());
    }
}
