//! What the DynamoDB store promises besides.

mod answers;
mod faults;
mod items;
mod raw;
mod tables;
