//! Durability, and the behaviour of the service while its store fails.

mod crashes;
mod durability;
mod faults;
mod missing_credentials;
mod replaced_file;
mod unreadable;
