//! Errors as clients see them: problem documents (RFC 9457).

mod batch_item;
mod code;
mod error;
mod rate_limited;
mod validation;

pub use batch_item::{BatchItemResult, BatchItemStatus};
pub use code::{ERROR_CODES, ErrorCode};
pub use error::{ApiError, Problem, error_of, into_problem, problem_json};
pub use rate_limited::RateLimited;
pub use validation::{ValidationErrors, text};
