//! Downloads the npm package that contains DynamoDB Local.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha512};

const PACKAGE: &str = "amplify-dynamodb-simulator@2.9.30";
/// Output of `npm view PACKAGE dist.integrity`.
const INTEGRITY: &str = "sha512-xTeeRLvzEfqyd5lh3bH4c0kHvSHHmmhD5ZDsHFKAQ5g2Zl6JqlFdutaQhCLHzxEp6Ry1o7TB6niIoXuQAnSewQ==";
/// Path of the server in the package.
const SERVER: &str = "package/emulator";
const UNPACKED: &str = "dynamodb-local-2.9.30";

/// Returns the folder with the server, and downloads it into `directory` if missing.
///
/// The caller must hold the lock: concurrent downloads would interfere.
pub fn unpacked_in(directory: &Path) -> Result<PathBuf, String> {
    let unpacked = directory.join(UNPACKED);
    if !unpacked.is_dir() {
        let unfinished = directory.join(format!("{UNPACKED}.unfinished"));
        fetch(&unfinished)?;
        // An atomic rename, so that an incomplete folder never has this name.
        fs::rename(unfinished.join(SERVER), &unpacked)
            .and_then(|()| fs::remove_dir_all(&unfinished))
            .map_err(|error| format!("cannot write {}: {error}", unpacked.display()))?;
    }
    Ok(unpacked)
}

fn fetch(directory: &Path) -> Result<(), String> {
    make_empty(directory)
        .map_err(|error| format!("cannot write {}: {error}", directory.display()))?;
    // Its own cache, so that no files remain elsewhere.
    run(
        "npm",
        "Node.js with npm",
        &["pack", PACKAGE, "--ignore-scripts", "--cache", "npm-cache"],
        directory,
    )?;
    let archive = format!("{}.tgz", PACKAGE.replace('@', "-"));
    let bytes = fs::read(directory.join(&archive)).map_err(|error| {
        format!("cannot read {archive}, which npm should have written: {error}")
    })?;
    let integrity = format!("sha512-{}", STANDARD.encode(Sha512::digest(&bytes)));
    if integrity != INTEGRITY {
        return Err(format!(
            "npm returned a {PACKAGE} that differs from the pinned one: {integrity}"
        ));
    }
    run("tar", "tar", &["-xzf", &archive, SERVER], directory)
}

fn make_empty(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => fs::create_dir(directory),
    }
}

fn run(program: &str, needed: &str, arguments: &[&str], directory: &Path) -> Result<(), String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                format!("these tests run DynamoDB Local and need {program}: install {needed}")
            }
            _ => format!("cannot run {program}: {error}"),
        })?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!(
            "{program} could not fetch DynamoDB Local ({PACKAGE}), {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        ))
    }
}
