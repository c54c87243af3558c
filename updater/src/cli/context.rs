//! What commands share: the run they bring along, and a runtime for those that fetch.

use std::future::Future;
use std::time::{SystemTime, UNIX_EPOCH};

use manifests::time::UtcTime;
use updater::fetch::limit::RateLimit;
use updater::pipeline::{Error, Run, Who};
use updater::progress::Progress;

use super::Global;

/// A run that begins now.
pub(crate) fn begin<'a>(global: &Global, progress: &'a dyn Progress) -> Run<'a> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs());
    let now = UtcTime::from_unix(i64::try_from(seconds).unwrap_or(i64::MAX));
    Run { now, who: Who::here(), progress, limit: global.limit_rate.map(RateLimit::new) }
}

/// Runs `work` to its end on this thread; decoding goes to threads of its own.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    runtime.block_on(work)
}
