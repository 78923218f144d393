//! Extractors: requests as validated types.

pub mod accept;
mod cursor;
mod filter;
mod json;
mod list_query;
mod path;
mod request_body;
mod summary_query;

pub use cursor::CursorKeys;
pub use filter::{ReadingFilter, parse_query};
pub use json::Json;
pub use list_query::{ListQueryParams, next_cursor};
pub use path::{ReadingPath, UserPath};
pub use request_body::{RequestBody, parse_object};
pub use summary_query::{SummaryPeriodParams, SummaryQueryParams};
