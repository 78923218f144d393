/// Puts what the file `.env` in the working directory sets into the
/// environment, where that does not set it already. To be called before any
/// thread is started.
///
/// # Errors
/// When there is such a file and it cannot be read.
pub fn load_file() -> Result<(), FileFault> {
    // `from_path` and not `dotenv`, which would look in parent directories too.
    match dotenvy::from_path(".env") {
        Ok(()) => Ok(()),
        Err(error) if error.not_found() => Ok(()),
        Err(dotenvy::Error::Io(error)) => Err(FileFault::Unreadable(error)),
        // What it says of a line repeats the line, which may hold a secret.
        Err(_) => Err(FileFault::Malformed),
    }
}

/// What is wrong with the file `.env`.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// It cannot be read.
    #[error("cannot read .env: {0}")]
    Unreadable(std::io::Error),
    /// It has a line that sets no variable.
    #[error(".env must hold lines NAME=value, with values in quotes that have spaces")]
    Malformed,
}
