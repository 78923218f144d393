use tokio::task::spawn_blocking;

use crate::http::problem::ApiError;

/// Runs work of more than a millisecond on a blocking thread, so that the threads which
/// serve requests stay responsive. Its panics are those of the caller.
///
/// # Errors
/// Fails if the runtime shuts down before the work begins.
pub async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    match spawn_blocking(work).await {
        Ok(done) => Ok(done),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(ApiError::Internal("the runtime is shutting down")),
    }
}
