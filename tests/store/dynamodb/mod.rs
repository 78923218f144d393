//! Tests that apply to the DynamoDB store only.

mod coalesced_puts;
mod fake_server;
mod faults;
mod items;
mod query_responses;
pub mod raw;
mod tables;
mod type_index;
mod unprocessed;
mod unreadable_items;
