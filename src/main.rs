//! The binary: does what the command line says.

use std::process::ExitCode;

use clap::Parser;
use clarity_backend::commands::CommandLine;

fn main() -> ExitCode {
    CommandLine::parse().run()
}
