//! `clarity-backend import`, run as a process.

mod apple_health;
mod corruption;
mod documents;
mod files;
mod interruption;
mod lifesnaps;
mod run;
mod safety;
mod sample_data;
mod tables;
mod verification;
