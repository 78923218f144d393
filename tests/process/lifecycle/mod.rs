//! Connection limits, graceful shutdown and termination.

mod connections;
mod termination;
