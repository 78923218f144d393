//! Real readings of wearables, compared with what the service returns.

mod batches;
mod single_readings;
mod summaries;
