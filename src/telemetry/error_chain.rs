use std::error::Error;
use std::iter;

/// Joins an error and its sources, outermost first.
pub fn error_chain(error: &(dyn Error + 'static)) -> String {
    iter::successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
