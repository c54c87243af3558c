//! The client under test of the TUF conformance suite.
//!
//! Everything that is tested is the updater's own: `TrustedSet`, the refresh that drives it, the trust store and the HTTP source. Only what the suite asks for and production
//! refuses lives here: signature schemes other than ed25519, key ids that are not computed from the key, and a command line. The suite knows two exit codes, 0 and 1, and this
//! program no other.
//!
//! `.github/workflows/conformance.yml` runs the suite in public CI. By hand: `python -m pytest tuf_conformance --entrypoint PATH` in a checkout of it, once as it is, once with ed25519 as
//! the default of its `RepositorySimulator.new_signer`; all tests pass both times, none is expected to fail.

mod verifier;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Parser, Subcommand};
use manifests::digest::Digest;
use manifests::limits::Limits;
use manifests::time::UtcTime;
use updater::fetch::http::HttpSource;
use updater::fs::Folder;
use updater::refresh::Refresh;
use updater::trust_store::TrustStore;
use url::Url;

type Failure = Box<dyn std::error::Error>;

#[derive(Parser)]
struct Arguments {
    /// Where trusted metadata is kept.
    #[arg(long)]
    metadata_dir: PathBuf,
    /// Where metadata is served.
    #[arg(long)]
    metadata_url: Option<Url>,
    /// Targets to download, in this order.
    #[arg(long)]
    target_name: Vec<String>,
    /// Where targets are served.
    #[arg(long)]
    target_base_url: Option<Url>,
    /// Where targets are put.
    #[arg(long)]
    target_dir: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Trust a root.
    Init {
        /// The root.
        trusted_root: PathBuf,
    },
    /// Bring the top-level metadata up to date.
    Refresh,
    /// Bring the metadata up to date and download targets.
    Download,
}

fn main() -> ExitCode {
    // Another provider cannot be installed in a process that has just started.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(usage) => {
            // What cannot be printed cannot be complained about either.
            let _ = usage.print();
            return if usage.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            #[expect(clippy::print_stderr, reason = "main prints")]
            {
                eprintln!("error: {failure}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let store = TrustStore::standalone(Arc::new(Folder::create(&arguments.metadata_dir)?))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match &arguments.command {
        Command::Init { trusted_root } => Ok(store.save("root", &std::fs::read(trusted_root)?)?),
        Command::Refresh => {
            let source = source(&arguments.metadata_url)?;
            runtime.block_on(async { refresh(&source, &store)?.run().await.map(drop).map_err(Failure::from) })
        }
        Command::Download => runtime.block_on(download(arguments, &store)),
    }
}

async fn download(arguments: &Arguments, store: &TrustStore) -> Result<(), Failure> {
    let metadata = source(&arguments.metadata_url)?;
    let targets = source(&arguments.target_base_url)?;
    let folder = arguments.target_dir.as_deref().ok_or("--target-dir is missing")?;
    let mut refresh = refresh(&metadata, store)?.run().await?;
    for path in &arguments.target_name {
        let target = refresh.find_target(path).await?.ok_or_else(|| format!("no role lists `{path}`"))?;
        // The suite looks at what is in the folder, not at names; a target path is never taken for the path of a file.
        let file = folder.join(Digest::of(path.as_bytes()).to_hex());
        if std::fs::read(&file).is_ok_and(|bytes| target.match_bytes(&bytes)) {
            continue;
        }
        let bytes = refresh.get_target(&targets, "", path, &target, u64::MAX).await?;
        std::fs::write(&file, &bytes)?;
    }
    Ok(())
}

fn refresh<'a>(source: &'a HttpSource, store: &'a TrustStore) -> Result<Refresh<'a, HttpSource>, Failure> {
    // A clock before 1970 would make everything look fresh.
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let now = UtcTime::from_unix(i64::try_from(seconds)?);
    Ok(Refresh::new(source, store, "", now, Arc::new(verifier::SuiteVerifier), Limits::default())?)
}

/// A source at `url`, as a folder.
fn source(url: &Option<Url>) -> Result<HttpSource, Failure> {
    let mut url = url.clone().ok_or("an address is missing")?;
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(HttpSource::new(url)?)
}
