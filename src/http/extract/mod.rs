//! Extractors: requests as validated types.

mod cursor;
mod filter;
mod json;
mod list_query;
mod path;
mod request_body;
mod summary_query;

pub use cursor::CursorKeys;
pub use filter::{Filters, read_query};
pub use json::Json;
pub use list_query::{ListParameters, next_cursor};
pub use path::{ReadingPath, UserPath};
pub use request_body::{FromJson, object};
pub use summary_query::{SummaryParameters, SummaryQuery};
