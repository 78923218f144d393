//! `clarity-backend import`, as people run it.

mod apple_health;
mod damage;
mod documents;
mod files;
mod interruption;
mod lifesnaps;
mod run;
mod safety;
mod sample_data;
mod tables;
mod verification;
