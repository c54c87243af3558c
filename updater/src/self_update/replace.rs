//! The one file that knows the `self_update` crate (decision 0002): it carries a verified executable from the install folder of the updater to `.updater/self/next`, through all of the crate's
//! gates, with nothing of it left to chance.
//!
//! The crate's own sources, HTTP clients, versions and signatures stay out of play. It gets one release with one file, which lies here and was verified against signed metadata; its HTTP client is
//! ours and makes no request; both of its hooks hash what they are shown. That is needed: the crate can install an empty file and report success when the name of its download and that of the
//! program are the same, because all its own checks come before it unpacks. The names differ here, and the second hook would refuse it all the same.
//!
//! What the crate puts at `next` is on disk before it is there. Putting it in the place of the running program is one rename of ours: the crate's own way of replacing a running program neither
//! makes the new file durable first nor, on Windows, keeps a program at the path all the time.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::self_update::backends::custom::Update;
use ::self_update::http_client::{HeaderMap, HttpClient, HttpResponse};
use ::self_update::{Error as CrateError, Release, ReleaseAsset, ReleaseSource};
use manifests::digest::Digest;
use manifests::time::FileTime;

use crate::fs::{Folder, FsError, LocalPath, Point, hash_open};

use super::home::kept;
use super::{NEXT, SelfUpdateError};

/// The name of the download. Never that of [`UNPACKED`]: see above.
const DOWNLOAD: &str = "verified-updater.download";
/// The name of the program that comes out of it.
const UNPACKED: &str = "updater.next";
/// What stands for the address of the one file.
const ADDRESS: &str = "staged:updater";
/// The crate compares versions; what is newer has been decided before, by place. One version is asked for, and it is the only one there is.
const VERSION: &str = "1.0.0";

/// An executable whose bytes are signed for.
#[derive(Debug, Clone)]
pub(super) struct Verified {
    /// Where it lies in the install folder of the updater.
    pub(super) path: LocalPath,
    /// The signed digest.
    pub(super) sha256: Digest,
    /// The time it is to have.
    pub(super) mtime: FileTime,
    /// The mode it is to have.
    pub(super) mode: u32,
}

/// Brings `verified` to `.updater/self/next` of `folder`, durably; `prove` may still refuse it, started from where it lies.
pub(super) fn place(
    folder: &Arc<Folder>,
    verified: &Verified,
    prove: impl Fn(&Path) -> Result<(), String> + Send + Sync + 'static,
) -> Result<(), SelfUpdateError> {
    carry(folder, verified, DOWNLOAD, prove)
}

fn carry(
    folder: &Arc<Folder>,
    verified: &Verified,
    download: &'static str,
    prove: impl Fn(&Path) -> Result<(), String> + Send + Sync + 'static,
) -> Result<(), SelfUpdateError> {
    let gate = Gate { folder: Arc::clone(folder), verified: verified.clone() };
    let (archive, binary) = (gate.clone(), gate.clone());
    let refused = Arc::new(Mutex::new(None));
    let reason = Arc::clone(&refused);
    let mut update = Update::configure();
    update
        .source(OneRelease { sha256: verified.sha256, download })
        .http_client(Arc::new(gate))
        .current_version("0.0.0")
        .release_tag(VERSION)
        .target("updater")
        .asset_matcher(|assets| assets.first().cloned())
        .bin_name("updater")
        .bin_path_in_archive(UNPACKED)
        .bin_install_path(folder.state_path().join("self").join(NEXT))
        .verify_archive(move |path| archive.hash(path))
        .verify_binary(move |path| {
            let checked = binary.make_ready(path).and_then(|()| {
                prove(path).map_err(|why| {
                    *reason.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.clone());
                    CrateError::verification_rejected(why)
                })
            });
            // Started, it may have been changed by itself.
            checked.and_then(|()| binary.hash(path))
        })
        .unattended();
    let outcome = update.build().and_then(|update| update.update());
    let refused = refused.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (outcome, refused) {
        (_, Some(reason)) => Err(SelfUpdateError::DoesNotLive { reason }),
        (Err(error), None) => Err(SelfUpdateError::NotPlaced { reason: error.to_string() }),
        (Ok(_), None) => {
            folder.sync_tree(&kept(""), Point::SelfNext)?;
            // Whatever the crate says: what lies there is what was signed.
            let (found, _) = folder.hash(&kept(NEXT))?;
            if found == verified.sha256 {
                Ok(())
            } else {
                Err(SelfUpdateError::NotPlaced { reason: "what was put there is something else".into() })
            }
        }
    }
}

/// The one release there is.
struct OneRelease {
    sha256: Digest,
    download: &'static str,
}

impl ReleaseSource for OneRelease {
    fn get_releases(&self) -> ::self_update::Result<Vec<Release>> {
        let asset = ReleaseAsset::new(self.download, ADDRESS).with_digest(format!("sha256:{}", self.sha256));
        Ok(vec![Release::builder().version(VERSION).asset(asset).build()?])
    }
}

/// Hands out the one file, and lets nothing else through.
#[derive(Clone)]
struct Gate {
    folder: Arc<Folder>,
    verified: Verified,
}

impl Gate {
    /// Refuses a file that is not what was signed.
    fn hash(&self, path: &Path) -> ::self_update::Result<()> {
        let (found, _) = hash_open(&mut File::open(path)?)?;
        let expected = self.verified.sha256;
        if found == expected {
            Ok(())
        } else {
            Err(CrateError::verification_rejected(format!("its digest is {found}, and {expected} is signed")))
        }
    }

    /// Refuses a program that is not what was signed; makes it one that can be started, and durable.
    fn make_ready(&self, path: &Path) -> ::self_update::Result<()> {
        self.hash(path)?;
        let failed = |error: FsError| CrateError::verification_rejected(error.to_string());
        let unpacked = Folder::open(path.parent().unwrap_or(path)).map_err(failed)?;
        let name = LocalPath::root().join(UNPACKED);
        unpacked.set_attributes(&name, self.verified.mtime, self.verified.mode, Point::SelfNext).map_err(failed)?;
        unpacked.sync_tree(&LocalPath::root(), Point::SelfNext).map_err(failed)
    }
}

impl HttpClient for Gate {
    fn get(&self, url: &str, _: &HeaderMap, _: Option<Duration>) -> ::self_update::Result<Box<dyn HttpResponse>> {
        if url != ADDRESS {
            return Err(std::io::Error::other(format!("`{url}` is not asked for: everything was fetched and verified before")).into());
        }
        let file = self.folder.open_file(&self.verified.path).map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(Box::new(Staged { file, headers: HeaderMap::new() }))
    }
}

/// The answer to the one request.
struct Staged {
    file: File,
    headers: HeaderMap,
}

impl HttpResponse for Staged {
    fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    fn body(self: Box<Self>) -> Box<dyn Read> {
        Box::new(self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verified(content: &[u8]) -> (tempfile::TempDir, Arc<Folder>, Verified) {
        let place = tempfile::tempdir().unwrap();
        let folder = Arc::new(Folder::open(place.path()).unwrap());
        folder.make_state_folders().unwrap();
        folder.make_folder(&kept(""), Point::StateFolder).unwrap();
        let path = LocalPath::root().join("updater");
        folder.write_durably(&path, content, Point::StageFile).unwrap();
        let verified = Verified { path, sha256: Digest::of(content), mtime: FileTime::clamped(1_763_683_200), mode: 0o755 };
        (place, folder, verified)
    }

    #[test]
    fn what_was_verified_comes_out_whole_and_can_be_started() {
        let (_place, folder, verified) = verified(b"a program");
        place(&folder, &verified, |_| Ok(())).unwrap();
        assert_eq!(folder.read(&kept(NEXT)).unwrap().unwrap(), b"a program");
        let stat = folder.stat(&kept(NEXT)).unwrap().unwrap();
        assert_eq!(stat.mtime(), verified.mtime);
        #[cfg(unix)]
        assert_eq!(stat.mode, 0o755);
        assert_eq!(folder.names(&kept("")).unwrap(), [NEXT.as_bytes()], "nothing is left over");
    }

    /// The crate by itself, with a hook that believes everything: it reports success and installs nothing. Should this fail, the crate has mended it, and its note in this file can go.
    #[test]
    fn the_crate_by_itself_installs_an_empty_file_when_the_names_are_the_same() {
        let (_place, folder, verified) = verified(b"a program");
        let target = folder.state_path().join("self").join(NEXT);
        let mut update = Update::configure();
        update
            .source(OneRelease { sha256: verified.sha256, download: UNPACKED })
            .http_client(Arc::new(Gate { folder: Arc::clone(&folder), verified }))
            .current_version("0.0.0")
            .release_tag(VERSION)
            .target("updater")
            .asset_matcher(|assets| assets.first().cloned())
            .bin_name("updater")
            .bin_path_in_archive(UNPACKED)
            .bin_install_path(target)
            .verify_binary(|_| Ok(()))
            .unattended();
        assert!(update.build().unwrap().update().unwrap().is_updated());
        assert_eq!(folder.read(&kept(NEXT)).unwrap().unwrap(), b"");
    }

    #[test]
    fn an_empty_file_that_the_crate_would_install_is_refused_by_our_hook() {
        let (_place, folder, verified) = verified(b"a program");
        let refused = carry(&folder, &verified, UNPACKED, |_| Ok(())).unwrap_err().to_string();
        assert!(refused.contains(&Digest::of(b"").to_string()), "{refused}");
        assert_eq!(folder.stat(&kept(NEXT)).unwrap(), None);
    }

    #[test]
    fn bytes_that_are_not_signed_are_refused_before_anything_is_started() {
        let (_place, folder, verified) = verified(b"a program");
        folder.write_durably(&verified.path, b"another one", Point::StageFile).unwrap();
        let outcome = place(&folder, &verified, |_| panic!("started"));
        assert!(matches!(outcome, Err(SelfUpdateError::NotPlaced { .. })), "{outcome:?}");
        assert_eq!(folder.stat(&kept(NEXT)).unwrap(), None);
    }

    #[test]
    fn a_program_that_changes_itself_when_it_is_started_is_refused() {
        let (_place, folder, verified) = verified(b"a program");
        #[expect(clippy::disallowed_methods, reason = "it stands for a program that does so")]
        let outcome = place(&folder, &verified, |path| std::fs::write(path, "worse").map_err(|error| error.to_string()));
        assert!(matches!(outcome, Err(SelfUpdateError::NotPlaced { .. })), "{outcome:?}");
        assert_eq!(folder.stat(&kept(NEXT)).unwrap(), None);
    }

    #[test]
    fn no_request_but_the_one_is_answered() {
        let (_place, folder, verified) = verified(b"a program");
        let gate = Gate { folder, verified };
        assert!(gate.get("https://updates.example/updater", &HeaderMap::new(), None).is_err());
        assert!(gate.get(ADDRESS, &HeaderMap::new(), None).is_ok());
    }
}
