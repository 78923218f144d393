use std::fs;
use std::io::{self, ErrorKind};

/// Puts what the file `.env` in the working directory sets into the
/// environment, where that does not set it already. To be called before any
/// thread is started.
///
/// # Errors
/// When there is such a file and it cannot be used.
pub fn load_env_file() -> Result<(), EnvFileError> {
    // Not looked for in parent directories, which belong to other things.
    let text = match fs::read_to_string(".env") {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => {
            return Ok(());
        }
        Err(error) => return Err(EnvFileError::Unreadable(error)),
    };
    check(&text)?;
    dotenvy::from_read(text.as_bytes()).map_err(|_| EnvFileError::Malformed)
}

/// Refuses what would make a value another than the one written: references to
/// other variables, which are easily a part of a key, and NUL, which no
/// variable can hold.
fn check(text: &str) -> Result<(), EnvFileError> {
    /// A character that means nothing to anybody, in place of the dollar sign.
    const PLACEHOLDER: &str = "\u{F8FF}";

    if text.contains('\0') {
        return Err(EnvFileError::Malformed);
    }
    let values = settings(text).ok_or(EnvFileError::Malformed)?;
    let without_meaning =
        settings(&text.replace('$', PLACEHOLDER)).ok_or(EnvFileError::Reference)?;
    let as_written = without_meaning
        .into_iter()
        .map(|(name, value)| (name, value.replace(PLACEHOLDER, "$")));
    if values.into_iter().eq(as_written) {
        Ok(())
    } else {
        Err(EnvFileError::Reference)
    }
}

/// The names and values that the text sets; `None` where a line sets none. What
/// the crate says of such a line is dropped: it may hold a secret.
fn settings(text: &str) -> Option<Vec<(String, String)>> {
    dotenvy::from_read_iter(text.as_bytes())
        .collect::<Result<_, _>>()
        .ok()
}

/// What is wrong with the file `.env`.
#[derive(Debug, thiserror::Error)]
pub enum EnvFileError {
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
