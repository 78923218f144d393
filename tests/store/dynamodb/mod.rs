//! What the DynamoDB store promises besides.

mod answers;
mod faults;
mod items;
mod query_responses;
pub mod raw;
mod shared_puts;
mod tables;
mod type_index;
mod unprocessed;
