//! The verdict of this project: the updater's own refresh with the production verifier and a trust store on disk; only the network is replaced, by a map.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use manifests::digest::Digest;
use manifests::key::Ed25519Verifier;
use manifests::limits::Limits;
use manifests::time::UtcTime;
use updater::fetch::source::{FetchError, Fetched, Source};
use updater::fs::Folder;
use updater::refresh::{Refresh, RefreshError};
use updater::trust_store::TrustStore;

use crate::case::{Case, Files, Step, Verdict};

/// Judges every step of `case` with one trust store.
pub fn judge(case: &Case) -> Vec<Verdict> {
    let folder = in_memory();
    let store = TrustStore::standalone(Arc::new(Folder::create(folder.path()).expect("a folder"))).expect("a trust store");
    store.save("root", &case.root).expect("the root is stored");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let visit = |step| match runtime.block_on(visit(&store, step, &case.target)) {
        Ok(Some(bytes)) => Verdict::Accepted(Digest::of(&bytes).to_hex()),
        Ok(None) => Verdict::Refused("no role lists the target".to_owned()),
        Err(error) => Verdict::Refused(error.to_string()),
    };
    case.steps.iter().map(visit).collect()
}

async fn visit(store: &TrustStore, step: &Step, target: &str) -> Result<Option<Vec<u8>>, RefreshError> {
    let source = Memory(&step.files);
    let now = UtcTime::from_unix(step.now);
    let mut refresh = Refresh::new(&source, store, "metadata/", now, Arc::new(Ed25519Verifier), Limits::default())?.run().await?;
    let Some(file) = refresh.find_target(target).await? else { return Ok(None) };
    refresh.get_target(&source, "targets/", target, &file, u64::MAX).await.map(Some)
}

/// A folder that no disk has to keep, where there is such a place.
pub fn in_memory() -> tempfile::TempDir {
    let builder = || tempfile::Builder::new().prefix("oracles.").rand_bytes(12).to_owned();
    builder().tempdir_in("/dev/shm").or_else(|_| builder().tempdir()).expect("a temporary folder")
}

/// Serves files by exact name.
struct Memory<'a>(&'a Files);

impl Source for Memory<'_> {
    async fn get(&self, path: &str, limit: u64) -> Result<Vec<u8>, FetchError> {
        match self.0.get(path) {
            None => Err(FetchError::NotFound { url: path.to_owned() }),
            Some(bytes) if bytes.len() as u64 > limit => Err(FetchError::TooLong { url: path.to_owned(), limit }),
            Some(bytes) => Ok(bytes.clone()),
        }
    }

    async fn get_if_changed(&self, path: &str, _: Option<&str>, limit: u64) -> Result<Fetched, FetchError> {
        self.get(path, limit).await.map(|bytes| Fetched::New(bytes, None))
    }

    async fn get_range(&self, path: &str, _: Range<u64>, _: u64) -> Result<BoxStream<'static, Result<Bytes, FetchError>>, FetchError> {
        // A refresh reads whole files.
        Err(FetchError::NotFound { url: path.to_owned() })
    }
}
