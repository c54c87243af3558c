//! The program `update-server`: parses, runs, prints the chain of errors once.

use std::process::ExitCode;

use clap::Parser;
use update_server::cli::Cli;

#[expect(clippy::print_stderr, reason = "the one place that tells people what failed")]
fn main() -> ExitCode {
    match Cli::parse().run(&mut std::io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(&failure);
            eprint!("update-server: failed to {failure}");
            while let Some(error) = cause {
                eprint!(": {error}");
                cause = error.source();
            }
            eprintln!();
            ExitCode::FAILURE
        }
    }
}
