use crate::store::StoreError;

/// Converts an error of the engine.
pub(super) fn engine_error(error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        corrupted @ redb::Error::Corrupted(_) => StoreError::corrupt(corrupted),
        other => StoreError::unavailable(other),
    }
}
