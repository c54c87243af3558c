//! The way to a repository that a run takes: its own address, or a folder that was carried here. What arrives is verified alike.

use std::ops::Range;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use url::Url;

use super::folder::FolderSource;
use super::http::{HttpSource, Network};
use super::retry::Retrying;
use super::source::{FetchError, Fetched, Source};

/// The ways that a run may take.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    /// How the network is used.
    pub network: Network,
    /// A folder with a copy of the repository: then no network is used.
    pub folder: Option<FolderSource>,
}

impl Routes {
    /// The route to the repository at `address`.
    pub fn to(&self, address: &Url) -> Result<Route, FetchError> {
        match &self.folder {
            Some(folder) => Ok(Route::Folder(folder.clone())),
            None => {
                let source = HttpSource::with(address.clone(), &self.network)?;
                Ok(Route::Http(Box::new(Retrying::new(source, &self.network.limits))))
            }
        }
    }
}

/// Where a run gets a repository's files.
#[derive(Debug, Clone)]
pub enum Route {
    /// Over the network.
    Http(Box<Retrying<HttpSource>>),
    /// From a folder.
    Folder(FolderSource),
}

impl Route {
    /// Whether no network is asked, so that the publisher's `offline_max_age` holds (`docs/format.md` section 4).
    pub fn is_offline(&self) -> bool {
        matches!(self, Route::Folder(_))
    }
}

impl Source for Route {
    async fn get(&self, path: &str, limit: u64) -> Result<Vec<u8>, FetchError> {
        match self {
            Route::Http(source) => source.get(path, limit).await,
            Route::Folder(source) => source.get(path, limit).await,
        }
    }

    async fn get_if_changed(&self, path: &str, etag: Option<&str>, limit: u64) -> Result<Fetched, FetchError> {
        match self {
            Route::Http(source) => source.get_if_changed(path, etag, limit).await,
            Route::Folder(source) => source.get_if_changed(path, etag, limit).await,
        }
    }

    async fn get_range(
        &self,
        path: &str,
        range: Range<u64>,
        length: u64,
    ) -> Result<BoxStream<'static, Result<Bytes, FetchError>>, FetchError> {
        match self {
            Route::Http(source) => source.get_range(path, range, length).await,
            Route::Folder(source) => source.get_range(path, range, length).await,
        }
    }
}
