//! What is served of content repositories: which file a request path names, from memory when it is small, from disk when it is large.
//!
//! Names are immutable but for `timestamp.json`, so what is in memory is right for ever; of the timestamp it is asked at most every
//! `LOOK_AGAIN` whether the file on disk is still the same. A small file named by its digest is hashed when it is read: bytes that are not
//! what their name says never leave the server. Large ones are hashed by whoever downloads them.

pub mod cache;
pub mod disk;
pub mod headers;
pub mod precondition;
pub mod range;
pub mod roles;
pub mod served_path;
pub mod transfer;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::http::HeaderValue;
use bytes::Bytes;
use manifests::digest::Digest;
use manifests::name::Name;

use crate::config::{CacheSettings, RepositorySettings};
use crate::error::Problem;
use cache::Cache;
use disk::{DiskError, Folder, Identity, Opened};
use served_path::{Kind, ServedPath};
use transfer::Buffers;

/// Files up to this many bytes are served from memory.
const SMALL: u64 = 256 << 10;
/// The longest metadata file and the longest target that is served, in bytes; more than any station reads.
const DOCUMENT: u64 = 8 << 20;
/// How often the timestamp on disk is looked at: often enough that who publishes and then checks sees it, seldom enough to cost nothing.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The repositories of a server and what of them is in memory.
#[derive(Debug)]
pub struct Content {
    repositories: BTreeMap<Name, Folder>,
    cache: Cache<Memory>,
    buffers: Arc<Buffers>,
    started: Instant,
}

/// A file that exists and may be served.
#[derive(Debug, Clone)]
pub enum Found {
    /// A small one.
    Memory(Arc<Memory>),
    /// A large one, open.
    Disk(Head, Arc<Opened>),
}

/// A file in memory.
#[derive(Debug)]
pub struct Memory {
    head: Head,
    /// Its content.
    pub bytes: Bytes,
    identity: Identity,
    /// Milliseconds from the start of the server to the last look at the disk.
    looked: AtomicU64,
}

/// What is said of a file before its bytes.
#[derive(Debug, Clone)]
pub struct Head {
    /// What it is.
    pub kind: Kind,
    /// Its strong entity tag.
    pub etag: HeaderValue,
    /// Its length in bytes.
    pub length: u64,
}

impl Found {
    /// What is said of it.
    pub fn head(&self) -> &Head {
        match self {
            Found::Memory(memory) => &memory.head,
            Found::Disk(head, _) => head,
        }
    }
}

impl Content {
    /// The content of `repositories`; nothing is read yet.
    pub fn new(repositories: &[RepositorySettings], settings: &CacheSettings) -> Content {
        Content {
            repositories: repositories.iter().map(|one| (one.name.clone(), Folder::new(&one.path))).collect(),
            cache: Cache::new(settings.memory_bytes),
            buffers: Buffers::new(settings.transfer_memory_bytes),
            started: Instant::now(),
        }
    }

    /// The repositories by name.
    pub fn repositories(&self) -> impl Iterator<Item = (&Name, &Folder)> {
        self.repositories.iter()
    }

    /// The memory that large transfers share.
    pub fn buffers(&self) -> &Arc<Buffers> {
        &self.buffers
    }

    /// The file that `url_path`, the undecoded path of a request, names.
    pub async fn find(&self, url_path: &str) -> Result<Found, Problem> {
        // Only paths that passed the grammar are ever in the cache.
        if let Some(memory) = self.cache.get(url_path)
            && (memory.head.kind != Kind::Timestamp || self.is_current(url_path, &memory).await)
        {
            return Ok(Found::Memory(memory));
        }
        let (folder, path) = self.resolve(url_path).ok_or(Problem::NoSuchFile { soon: false })?;
        let now = self.elapsed();
        let found = blocking(move || load(&folder, &path, now)).await?;
        if let Found::Memory(memory) = &found {
            self.cache.insert(url_path, memory.clone(), memory.bytes.len());
        }
        Ok(found)
    }

    fn resolve(&self, url_path: &str) -> Option<(Folder, ServedPath)> {
        let (name, rest) = url_path.strip_prefix("/repo/")?.split_once('/')?;
        let folder = self.repositories.get(&name.parse::<Name>().ok()?)?;
        Some((folder.clone(), ServedPath::parse(rest)?))
    }

    /// Whether the timestamp in memory is that on disk, as far as it was looked at lately. One request looks, the others go on meanwhile.
    async fn is_current(&self, url_path: &str, memory: &Arc<Memory>) -> bool {
        let now = self.elapsed();
        let looked = memory.looked.load(Ordering::Relaxed);
        if now.saturating_sub(looked) < LOOK_AGAIN.as_millis() as u64
            || memory.looked.compare_exchange(looked, now, Ordering::Relaxed, Ordering::Relaxed).is_err()
        {
            return true;
        }
        let Some((folder, path)) = self.resolve(url_path) else { return false };
        let identity = blocking(move || Ok(folder.open(path.relative()).map(|opened| opened.identity).ok())).await;
        identity.is_ok_and(|identity| identity == Some(memory.identity))
    }

    fn elapsed(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }
}

/// Runs what may wait for a disk where waiting is allowed.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => {
            tracing::error!(error = %error, "reading a file ended abnormally");
            Err(Problem::StorageFailed)
        }
    }
}

fn load(folder: &Folder, path: &ServedPath, now: u64) -> Result<Found, Problem> {
    let fail = |error: DiskError| problem(folder, path.kind(), &error);
    let opened = folder.open(path.relative()).map_err(fail)?;
    let length = opened.identity.length;
    let named = match path.kind() {
        Kind::Object(digest) if length > SMALL => {
            let head = Head { kind: path.kind(), etag: headers::etag(&digest), length };
            return Ok(Found::Disk(head, Arc::new(opened)));
        }
        Kind::Object(digest) | Kind::Target(digest) => Some(digest),
        Kind::Timestamp | Kind::Root | Kind::Role => None,
    };
    let bytes = opened.read(DOCUMENT).map_err(|error| fail(error.of(path.relative())))?;
    let digest = Digest::of(&bytes);
    if let Some(named) = named.filter(|named| *named != digest) {
        tracing::error!(repository.path = %folder.root().display(), file.path = path.relative(), file.digest = %digest,
            "a stored file is not what its name says: it should have digest {named}");
        return Err(Problem::ContentDamaged);
    }
    let head = Head { kind: path.kind(), etag: headers::etag(&digest), length: bytes.len() as u64 };
    Ok(Found::Memory(Arc::new(Memory { head, bytes: bytes.into(), identity: opened.identity, looked: AtomicU64::new(now) })))
}

/// What a client is told of `error`; what only the operator can mend is logged.
fn problem(folder: &Folder, kind: Kind, error: &DiskError) -> Problem {
    match error {
        // The name of the next version can be guessed, that of a digest cannot.
        DiskError::Missing(_) => Problem::NoSuchFile { soon: matches!(kind, Kind::Timestamp | Kind::Root | Kind::Role) },
        DiskError::TooLong { .. } => {
            tracing::error!(repository.path = %folder.root().display(), error = %error, "a stored file is longer than any client reads");
            Problem::ContentDamaged
        }
        DiskError::Failed { .. } => {
            tracing::error!(repository.path = %folder.root().display(), error = %error, "the storage failed");
            Problem::StorageFailed
        }
    }
}
