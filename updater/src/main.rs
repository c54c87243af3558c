//! The `updater` program.

mod cli;

fn main() -> std::process::ExitCode {
    #[cfg(windows)]
    manifests::dll_search::only_from_system();
    // Only fails when a provider is installed already, which nobody else does.
    let _ = rustls::crypto::ring::default_provider().install_default();
    cli::run()
}
