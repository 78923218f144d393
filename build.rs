//! Detects optional test inputs (sample readings, sample exports, a Cognito emulator)
//! and sets a `cfg` for each, so that `cargo test` lists tests without their input as
//! ignored.

use std::env;
use std::path::Path;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(sample_data)");
    println!("cargo::rustc-check-cfg=cfg(sample_exports)");
    println!("cargo::rustc-check-cfg=cfg(moto_server)");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PATH");
    #[expect(
        clippy::disallowed_methods,
        reason = "build scripts are not part of the service"
    )]
    let path = env::var_os("PATH").unwrap_or_default();
    if env::split_paths(&path).any(|folder| folder.join("moto_server").is_file()) {
        println!("cargo::rustc-cfg=moto_server");
    }
    for (name, folder) in [
        ("sample_data", "../shared/data"),
        ("sample_exports", "../shared/firestore"),
    ] {
        if Path::new(folder).is_dir() {
            println!("cargo::rustc-cfg={name}");
            println!("cargo::rerun-if-changed={folder}");
        }
    }
}
