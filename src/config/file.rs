use std::fs;
use std::io;
use std::path::Path;

const FILE: &str = ".env";

/// Puts what the file `.env` in the working directory sets into the
/// environment, where that does not set it already. To be called before any
/// thread is started.
///
/// # Errors
/// When there is such a file and it cannot be used.
pub fn load_file() -> Result<(), FileFault> {
    // Not looked for in parent directories, which belong to other things.
    let path = Path::new(FILE);
    if !path.is_file() {
        return Ok(());
    }
    let text = fs::read_to_string(path).map_err(FileFault::Unreadable)?;
    check(&text)?;
    // What the crate says of a line repeats it, and it may hold a secret.
    dotenvy::from_read(text.as_bytes()).map_err(|_| FileFault::Malformed)
}

/// Refuses what would make a value another than the one written: references to
/// other variables, which are easily a part of a key, and NUL, which no
/// variable can hold.
fn check(text: &str) -> Result<(), FileFault> {
    if text.contains('\0') {
        return Err(FileFault::Malformed);
    }
    let mut settings = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    // Of a line, every second part lies within single quotes.
    if settings.any(|line| line.split('\'').step_by(2).any(|part| part.contains('$'))) {
        return Err(FileFault::Reference);
    }
    Ok(())
}

/// What is wrong with the file `.env`.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// It cannot be read.
    #[error("cannot read .env: {0}")]
    Unreadable(io::Error),
    /// It has a line that sets no variable.
    #[error(".env must hold lines NAME=value, with values in quotes that have spaces")]
    Malformed,
    /// It has a `$` that would be taken as the name of another variable.
    #[error(".env must have values that hold a $ in single quotes")]
    Reference,
}
