//! Readings: storing, listing, exporting, summarizing and erasing them.

mod batches;
mod erasure;
mod export;
mod invalid_bodies;
mod invalid_queries;
mod legacy_clients;
mod listing;
mod single;
mod summary;
