//! The npm package that DynamoDB Local comes in.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha512};

const PACKAGE: &str = "amplify-dynamodb-simulator@2.9.30";
/// What `npm view PACKAGE dist.integrity` says.
const INTEGRITY: &str = "sha512-xTeeRLvzEfqyd5lh3bH4c0kHvSHHmmhD5ZDsHFKAQ5g2Zl6JqlFdutaQhCLHzxEp6Ry1o7TB6niIoXuQAnSewQ==";
/// Where in the package the server lies.
const SERVER: &str = "package/emulator";
const UNPACKED: &str = "dynamodb-local-2.9.30";

/// The folder with the server, fetched into `directory` if it is not there.
///
/// Only one process may be here at a time.
pub fn unpacked_in(directory: &Path) -> Result<PathBuf, String> {
    let unpacked = directory.join(UNPACKED);
    if !unpacked.is_dir() {
        let unfinished = directory.join(format!("{UNPACKED}.unfinished"));
        fetch(&unfinished)?;
        // Only the whole folder ever gets the name that is looked for above.
        fs::rename(unfinished.join(SERVER), &unpacked)
            .and_then(|()| fs::remove_dir_all(&unfinished))
            .map_err(|error| format!("cannot write {}: {error}", unpacked.display()))?;
    }
    Ok(unpacked)
}

fn fetch(directory: &Path) -> Result<(), String> {
    make_empty(directory)
        .map_err(|error| format!("cannot write {}: {error}", directory.display()))?;
    // A cache of its own, so that nothing stays behind elsewhere.
    run(
        "npm",
        "Node.js with npm",
        &["pack", PACKAGE, "--ignore-scripts", "--cache", "npm-cache"],
        directory,
    )?;
    let archive = format!("{}.tgz", PACKAGE.replace('@', "-"));
    let bytes = fs::read(directory.join(&archive))
        .map_err(|error| format!("cannot read {archive}, which npm should have left: {error}"))?;
    let integrity = format!("sha512-{}", STANDARD.encode(Sha512::digest(&bytes)));
    if integrity != INTEGRITY {
        return Err(format!(
            "npm gave another {PACKAGE} than the one known here: {integrity}"
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
