//! Connection limits, graceful shutdown and termination.

mod connections;
mod protocol_errors;
mod slow_clients;
mod termination;
