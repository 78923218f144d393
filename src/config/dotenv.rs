use std::fs;
use std::io::{self, ErrorKind};

/// Loads the file `.env` in the working directory into the environment, where
/// existing variables take precedence. Must be called before any thread is
/// started.
///
/// # Errors
/// If the file exists and cannot be used.
pub fn load_env_file() -> Result<(), EnvFileError> {
    // Parent directories are not searched: their files belong to other programs.
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

/// Rejects text that would set another value than the one written: references to
/// other variables, which a key easily contains by accident, and NUL, which no
/// variable can contain.
fn check(text: &str) -> Result<(), EnvFileError> {
    /// Private-use character in place of the dollar sign.
    const PLACEHOLDER: &str = "\u{F8FF}";

    if text.contains('\0') {
        return Err(EnvFileError::Malformed);
    }
    let values = parse(text).ok_or(EnvFileError::Malformed)?;
    let literal = parse(&text.replace('$', PLACEHOLDER)).ok_or(EnvFileError::Reference)?;
    let literal = literal
        .into_iter()
        .map(|(name, value)| (name, value.replace(PLACEHOLDER, "$")));
    if values.into_iter().eq(literal) {
        Ok(())
    } else {
        Err(EnvFileError::Reference)
    }
}

/// Parses names and values; `None` if a line is malformed. The parser's own error
/// is dropped, as it quotes the line, which may contain a secret.
fn parse(text: &str) -> Option<Vec<(String, String)>> {
    dotenvy::from_read_iter(text.as_bytes())
        .collect::<Result<_, _>>()
        .ok()
}

/// Error of the file `.env`.
#[derive(Debug, thiserror::Error)]
pub enum EnvFileError {
    /// The file cannot be read.
    #[error("cannot read .env: {0}")]
    Unreadable(io::Error),
    /// A line does not set a variable.
    #[error(".env must consist of lines NAME=value; quote values that contain spaces")]
    Malformed,
    /// A `$` would be expanded as the name of another variable.
    #[error(".env contains a value with a $; put it in single quotes")]
    Reference,
}
