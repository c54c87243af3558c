//! What commands share: the run they bring along, and a runtime for those that fetch.

use std::future::Future;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use manifests::time::UtcTime;
use updater::fetch::folder::FolderSource;
use updater::fetch::http::{HttpLimits, Network};
use updater::fetch::limit::RateLimit;
use updater::fetch::route::Routes;
use updater::pipeline::{Error, Run, Who};
use updater::progress::Progress;
use updater::self_update::{Home, running_build};

use super::Global;

/// A list of files with authorities, separated as in `PATH`.
const CA_FILE: &str = "STATIONMASTER_CA_FILE";

/// What the computer's clock says.
pub(crate) fn now() -> UtcTime {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs());
    UtcTime::from_unix(i64::try_from(seconds).unwrap_or(i64::MAX))
}

/// A run that begins now and asks nobody.
pub(crate) fn begin<'a>(global: &Global, progress: &'a dyn Progress) -> Run<'a> {
    // Where this program lies can be unknown; then what was compiled in is all there is.
    let updater = Home::of_this_program().ok().and_then(|home| running_build(&home));
    Run {
        everything: false,
        now: now(),
        clock: None,
        who: global.who.clone().unwrap_or_else(Who::here),
        progress,
        limit: global.limit_rate.map(RateLimit::new),
        routes: Routes::default(),
        in_use: global.in_use,
        patience: Duration::from_secs(global.wait),
        registry: global.registry(),
        updater,
    }
}

/// A run that begins now and gets files: over the network, or from the folder `from`.
pub(crate) fn begin_asking<'a>(global: &Global, from: Option<&Path>, progress: &'a dyn Progress) -> Result<Run<'a>, Error> {
    let mut network = Network::default();
    network.limits = HttpLimits::default().hastened(global.hasten.unwrap_or(1));
    let of_environment = std::env::var_os(CA_FILE).unwrap_or_default();
    let of_environment = std::env::split_paths(&of_environment).filter(|path| !path.as_os_str().is_empty());
    for path in global.ca_file.iter().cloned().chain(of_environment) {
        match std::fs::read(&path) {
            Ok(pem) => network.believe(&path, &pem)?,
            Err(source) => return Err(Error::Argument { path, source }),
        }
    }
    let folder = from.map(FolderSource::open).transpose()?;
    Ok(Run { routes: Routes { network, folder }, ..begin(global, progress) })
}

/// Runs `work` to its end on this thread; decoding goes to threads of its own.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    runtime.block_on(work)
}
