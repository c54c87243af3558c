//! sigstore-tuf as a judge: its `Updater` over files in memory, or over a server.

use std::sync::{Arc, Once};

use sha2::{Digest as _, Sha256};
use sigstore_tuf::transport::FetchFuture;
use sigstore_tuf::{Error, MemoryStore, MetadataStore, Repository, Updater};

use crate::case::{Case, Files, Step, Verdict};
use crate::provider::Ring;

/// Judges every step of `case` with one store.
pub fn judge(case: &Case) -> Vec<Verdict> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let store = Arc::new(MemoryStore::new());
    let visit = |step: &Step| {
        let repository = Memory(step.files.clone());
        match runtime.block_on(visit(repository, &case.root, store.clone(), step.now, &case.target)) {
            Ok(bytes) => Verdict::Accepted(hex::encode(Sha256::digest(bytes))),
            Err(error) => Verdict::Refused(error.to_string()),
        }
    };
    case.steps.iter().map(visit).collect()
}

/// Refreshes from `repository` at `now` (seconds since 1970), starting from `root` and what `store` holds, and returns the target.
pub async fn visit(
    repository: impl Repository + 'static,
    root: &[u8],
    store: impl MetadataStore + 'static,
    now: i64,
    target: &str,
) -> Result<Vec<u8>, Error> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        sigstore_crypto::install_default_provider(&Ring).expect("nobody else installs one");
    });
    let now = jiff::Timestamp::from_second(now).expect("a time of this era");
    let mut updater = Updater::new(repository, root)?.with_store(store);
    updater.refresh(now).await?;
    // Not `get_target`, which is content with a copy that it has: what is asked is what this visit is good for.
    let found = updater.get_target_info(target, now).await?.ok_or_else(|| Error::TargetNotFound(target.to_owned()))?;
    updater.download_target(&found, target).await
}

/// Serves files by exact name.
struct Memory(Files);

impl Memory {
    fn get(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        match self.0.get(path) {
            Some(bytes) if bytes.len() as u64 > limit => Err(Error::transport(format!("{path} is longer than {limit} bytes"))),
            found => Ok(found.cloned()),
        }
    }
}

impl Repository for Memory {
    fn fetch_metadata<'a>(&'a self, name: &'a str, max_length: u64) -> FetchFuture<'a> {
        Box::pin(async move { self.get(&format!("metadata/{name}"), max_length) })
    }

    fn fetch_target<'a>(&'a self, path: &'a str, max_length: u64) -> FetchFuture<'a> {
        Box::pin(async move { self.get(&format!("targets/{path}"), max_length) })
    }
}

/// A repository on a server, fetched with the HTTP client that sigstore-tuf itself uses.
#[derive(Debug)]
pub struct Served {
    base: String,
    client: reqwest::Client,
}

impl Served {
    /// The repository at `base`, which ends in `/`.
    pub fn at(base: &str) -> Served {
        // Fails when one is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
        Served { base: base.to_owned(), client }
    }

    async fn get(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let url = format!("{}{path}", self.base);
        let failed = |error: reqwest::Error| Error::transport(format!("{url}: {error}"));
        let answer = self.client.get(&url).send().await.map_err(failed)?;
        if answer.status() == reqwest::StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let bytes = answer.error_for_status().map_err(failed)?.bytes().await.map_err(failed)?;
        if bytes.len() as u64 > limit {
            return Err(Error::transport(format!("{url} is longer than {limit} bytes")));
        }
        Ok(Some(bytes.to_vec()))
    }
}

impl Repository for Served {
    fn fetch_metadata<'a>(&'a self, name: &'a str, max_length: u64) -> FetchFuture<'a> {
        Box::pin(async move { self.get(&format!("metadata/{name}"), max_length).await })
    }

    fn fetch_target<'a>(&'a self, path: &'a str, max_length: u64) -> FetchFuture<'a> {
        Box::pin(async move { self.get(&format!("targets/{path}"), max_length).await })
    }
}
