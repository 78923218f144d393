use std::io;

/// Why bytes are not given out although they could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ExportError(pub &'static str);

impl From<ExportError> for io::Error {
    fn from(refusal: ExportError) -> Self {
        Self::other(refusal)
    }
}
