//! First trust: from an install link to a folder that follows a channel (design section 4).
//!
//! The link's fragment pins the install document, the document pins the exact bytes of the root. Nothing is trusted because it came first.

use std::sync::Arc;

use manifests::digest::Digest;
use manifests::install_link::{InstallDocument, InstallError as DocumentError, InstallLink, RootPin};
use manifests::key::Ed25519Verifier;
use manifests::limits::Limits;
use manifests::name::{Arch, ChannelId, Name, Os, Variant};
use manifests::role::HasHeader as _;
use manifests::root::Root;
use manifests::time::UtcTime;
use manifests::trust::TrustedSet;
use url::Url;

use crate::fetch::address::shown;
use crate::fetch::http::HttpSource;
use crate::fetch::route::Routes;
use crate::fetch::source::{FetchError, Source as _};
use crate::fs::{Folder, FsError, LocalPath, Point};
use crate::installed::Installed;
use crate::station::{Station, StationError};
use crate::trust_store::{StoreError, TrustStore};

/// What the person who installs asks for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The link.
    pub link: InstallLink,
    /// A root that was handed over as a file.
    pub root: Option<Vec<u8>>,
    /// Another OS than the link's or the computer's.
    pub os: Option<Os>,
    /// Another arch.
    pub arch: Option<Arch>,
    /// A variant.
    pub variant: Option<Variant>,
    /// Another channel of the product.
    pub channel: Option<Name>,
    /// Settings of the station by key, as `updater settings` takes them.
    pub settings: Vec<(String, String)>,
}

/// Why a folder does not follow what a link leads to. Nothing was installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The link alone is not enough.
    #[error(
        "the link has no `#` with 64 hex characters, so nothing vouches for what it leads to: ask for the whole link, or give the root with `--root FILE`"
    )]
    Unpinned,
    /// The address of the link or repository.
    #[error("`{url}` is not an address: {reason}")]
    Address {
        /// The text.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// Bytes did not arrive.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The install document is not what the link was made for.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The root is not the one that is pinned.
    #[error("the root {from} is not the one that is pinned (its digest is {found}, not {expected}): nothing was trusted")]
    Root {
        /// Where it came from.
        from: &'static str,
        /// The digest pinned.
        expected: Digest,
        /// The digest found.
        found: Digest,
    },
    /// The folder follows something else.
    #[error("this folder already follows {follows}: install into another folder, or run `updater uninstall` here first")]
    AlreadyFollows {
        /// What it follows.
        follows: String,
    },
    /// This computer's OS or arch is not one that products are built for.
    #[error("this computer is none of the systems that products are built for: say which with `--os` and `--arch`")]
    UnknownHost,
    /// The station's record.
    #[error(transparent)]
    Station(#[from] StationError),
    /// The trust store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder.
    #[error(transparent)]
    Fs(#[from] FsError),
}

/// Makes `folder` follow what `wanted` leads to. Following the same again changes nothing; a damaged record is written anew.
pub async fn follow(folder: &Arc<Folder>, wanted: &Wanted, routes: &Routes) -> Result<Station, InstallError> {
    if wanted.link.digest.is_none() && wanted.root.is_none() {
        return Err(InstallError::Unpinned);
    }
    let link = parse_url(&wanted.link.url)?;
    let limits = Limits::default();
    let bytes = match &routes.folder {
        Some(copy) => copy.get(&carried_document(&link), limits.document_bytes).await?,
        None => HttpSource::with(link.clone(), &routes.network)?.get_url(&link, limits.document_bytes).await?,
    };
    let document = InstallDocument::parse(&bytes, &wanted.link, limits.document_bytes)?;
    let repository = link.join(&document.content.url).map_err(|error| address(&document.content.url, error))?;
    let station = station(&document, wanted, repository.clone())?;
    match Station::load(folder) {
        // Nothing came of an earlier install: the folder is free to follow something else.
        Ok(Some(present)) if !follows_same(&present, &station) && !is_installed(folder)? => {
            folder.discard(&LocalPath::state("trust"), Point::TrustFile)?
        }
        Ok(Some(present)) if !follows_same(&present, &station) => {
            return Err(InstallError::AlreadyFollows { follows: format!("{} of `{}`", present.channel_id(), present.name) });
        }
        Ok(_) | Err(StationError::Damaged { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    if let Some(trusted) = sound_root(folder)? {
        if !same_line(&trusted, document.content.root, &repository, routes).await? {
            let follows = format!("{} of `{}` under another root than this link's", station.channel_id(), station.name);
            return Err(InstallError::AlreadyFollows { follows });
        }
        if let Ok(Some(present)) = Station::load(folder)
            && present.repository == station.repository
        {
            return Ok(present);
        }
    }
    let root = match &wanted.root {
        Some(root) => pinned(root.clone(), document.content.root, "in the file")?,
        None => fetch_root(&repository, routes, document.content.root).await?,
    };
    for state in ["trust/content", "parts"] {
        folder.make_folders(&LocalPath::state(state), Point::StateFolder)?;
    }
    trust(folder, &root, document.content.root.version)?;
    station.save(folder)?;
    Ok(station)
}

fn station(document: &InstallDocument, wanted: &Wanted, repository: Url) -> Result<Station, InstallError> {
    Ok(Station {
        product: document.product.clone(),
        os: wanted.os.or(document.os).or_else(Os::host).ok_or(InstallError::UnknownHost)?,
        arch: wanted.arch.or(document.arch).or_else(Arch::host).ok_or(InstallError::UnknownHost)?,
        variant: wanted.variant.clone().or_else(|| document.variant.clone()),
        channel: wanted.channel.clone().unwrap_or_else(|| document.channel.clone()),
        repository,
        name: document.content.name.clone(),
        etag: None,
        checked: None,
        reports_refused: None,
    })
}

fn is_installed(folder: &Folder) -> Result<bool, FsError> {
    Ok(folder.stat(&Installed::path())?.is_some())
}

/// The stored root, where it can be started from. One that cannot is replaced by the one that the link pins.
fn sound_root(folder: &Arc<Folder>) -> Result<Option<StoredRoot>, StoreError> {
    let Some(bytes) = TrustStore::of_content(Arc::clone(folder)).load(Root::KIND)? else { return Ok(None) };
    // Its expiry does not matter here, so neither does the time.
    let set = TrustedSet::new(&bytes, UtcTime::from_unix(0), Arc::new(Ed25519Verifier), Limits::default());
    Ok(set.ok().map(|set| StoredRoot { version: set.root().version(), bytes }))
}

/// The root that the folder trusts.
struct StoredRoot {
    version: u64,
    bytes: Vec<u8>,
}

/// Whether the repository that the link leads to is that of the trusted root: it keeps all its roots, so the trusted one is among them. A root of another line, even under the same name and
/// address, is somebody else's, whatever its version.
async fn same_line(trusted: &StoredRoot, pin: RootPin, repository: &Url, routes: &Routes) -> Result<bool, InstallError> {
    if trusted.version == pin.version {
        return Ok(Digest::of(&trusted.bytes) == pin.sha256);
    }
    let path = format!("metadata/{}.root.json", trusted.version);
    match routes.to(repository)?.get(&path, Limits::default().root_bytes).await {
        Ok(bytes) => Ok(bytes == trusted.bytes),
        // A copy that does not have it yet is older than what is trusted, or another line: neither is to be followed.
        Err(FetchError::NotFound { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn follows_same(a: &Station, b: &Station) -> bool {
    let of = |station: &Station| -> (Name, ChannelId) { (station.name.clone(), station.channel_id()) };
    of(a) == of(b)
}

/// Where the install document of `link` lies in a folder that was carried here: `i/CODE`, after the link's own last part.
fn carried_document(link: &Url) -> String {
    let code = link.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
    format!("i/{code}")
}

async fn fetch_root(repository: &Url, routes: &Routes, pin: RootPin) -> Result<Vec<u8>, InstallError> {
    let path = format!("metadata/{}.root.json", pin.version);
    let bytes = routes.to(repository)?.get(&path, pin.length.min(Limits::default().root_bytes)).await?;
    pinned(bytes, pin, "that came")
}

fn pinned(root: Vec<u8>, pin: RootPin, from: &'static str) -> Result<Vec<u8>, InstallError> {
    let found = Digest::of(&root);
    if found == pin.sha256 && root.len() as u64 == pin.length {
        Ok(root)
    } else {
        Err(InstallError::Root { from, expected: pin.sha256, found })
    }
}

/// Stores the root, unless a later one of the same line is trusted already.
fn trust(folder: &Arc<Folder>, root: &[u8], version: u64) -> Result<(), StoreError> {
    match sound_root(folder)? {
        Some(stored) if stored.version > version => Ok(()),
        _ => TrustStore::of_content(Arc::clone(folder)).save(Root::KIND, root),
    }
}

fn parse_url(text: &str) -> Result<Url, InstallError> {
    Url::parse(text).map_err(|error| address(text, error))
}

fn address(text: &str, error: url::ParseError) -> InstallError {
    InstallError::Address { url: shown(text), reason: error.to_string() }
}
