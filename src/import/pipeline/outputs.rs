//! Protection of the source against being overwritten by an output.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Error of an output path that is an input or another output.
#[derive(Debug, thiserror::Error)]
#[error("{} would be overwritten: choose paths for --report and --checkpoint other than {}", output.display(), input.display())]
pub struct OutputOverlap {
    output: PathBuf,
    input: PathBuf,
}

/// Checks that no output is an input, is inside an input folder, or is another
/// output.
///
/// # Errors
/// An output overlaps.
pub fn ensure_distinct_paths(inputs: &[&Path], outputs: &[&Path]) -> Result<(), OutputOverlap> {
    for (index, output) in outputs.iter().enumerate() {
        let others = outputs.iter().skip(index + 1);
        let overlapping = inputs.iter().chain(others).find(|it| contains(it, output));
        if let Some(input) = overlapping {
            return Err(OutputOverlap {
                output: (*output).to_owned(),
                input: (*input).to_owned(),
            });
        }
    }
    Ok(())
}

fn contains(input: &Path, output: &Path) -> bool {
    // Hard links: two paths of one file.
    let identity = |path| fs::metadata(path).map(|it| (it.dev(), it.ino()));
    let is_same =
        matches!((identity(input), identity(output)), (Ok(one), Ok(other)) if one == other);
    is_same || resolve(output).starts_with(resolve(input))
}

/// Resolves symbolic links, also in the path of a file that does not exist yet.
fn resolve(path: &Path) -> PathBuf {
    if let Ok(resolved) = path.canonicalize() {
        return resolved;
    }
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    folder.join(path.file_name().unwrap_or_default())
}
