use std::error::Error;

/// Error of a command.
pub(super) type CommandError = Box<dyn Error + Send + Sync>;
