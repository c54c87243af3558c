//! The `updater` program.

mod cli;

fn main() -> std::process::ExitCode {
    // Only fails when a provider is installed already, which nobody else does.
    let _ = rustls::crypto::ring::default_provider().install_default();
    cli::run()
}
