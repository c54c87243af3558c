//! The program `update-server`: parses, runs, prints the chain of errors once.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use update_server::cli::Cli;

fn main() -> ExitCode {
    match Cli::parse().run(&mut std::io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nobody may be reading; the exit status still says that it failed.
            let _ = writeln!(std::io::stderr(), "update-server: {}", failure.report());
            ExitCode::FAILURE
        }
    }
}
