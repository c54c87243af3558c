//! `manifests`: makes signed releases of folders. The one place that reads the clock and prints.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(windows)]
    manifests::dll_search::only_from_system();
    cli::run()
}
