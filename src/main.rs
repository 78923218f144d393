//! Binary of the service.

use std::process::ExitCode;

use clap::Parser;
use clarity_backend::commands::CommandLine;
use mimalloc::MiMalloc;

/// Saves a fifth of the CPU time of a request, compared with the C library's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    CommandLine::parse().run()
}
