//! The binary: reads `.env`, then does what the command line says.

use std::process::ExitCode;

use clap::Parser;
use clarity_backend::commands::CommandLine;
use clarity_backend::config;

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    if let Err(fault) = config::load_file() {
        eprintln!("clarity-backend: {fault}");
        return ExitCode::from(2);
    }
    command_line.run()
}
