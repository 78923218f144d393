//! Keeps an import from writing over what it reads.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// That a file which is to be written is also read.
#[derive(Debug, thiserror::Error)]
#[error("{} would be written over: give --report and --checkpoint other names than {}", output.display(), input.display())]
pub struct OutputOverlap {
    output: PathBuf,
    input: PathBuf,
}

/// Makes sure that none of `outputs` is one of `inputs`, lies in one that is a
/// folder, or is another output.
///
/// # Errors
/// When one is.
pub fn keep_apart(inputs: &[&Path], outputs: &[&Path]) -> Result<(), OutputOverlap> {
    for (index, output) in outputs.iter().enumerate() {
        let others = outputs.iter().skip(index + 1);
        let met = inputs.iter().chain(others).find(|it| holds(it, output));
        if let Some(input) = met {
            return Err(OutputOverlap {
                output: (*output).to_owned(),
                input: (*input).to_owned(),
            });
        }
    }
    Ok(())
}

fn holds(input: &Path, output: &Path) -> bool {
    // Two names may be one file.
    let identity = |path| fs::metadata(path).map(|it| (it.dev(), it.ino()));
    let is_same =
        matches!((identity(input), identity(output)), (Ok(one), Ok(other)) if one == other);
    is_same || resolved(output).starts_with(resolved(input))
}

/// The path without links, also of what is not there yet.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(whole) = path.canonicalize() {
        return whole;
    }
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    folder.join(path.file_name().unwrap_or_default())
}
