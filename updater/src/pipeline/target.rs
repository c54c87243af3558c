//! The release that a folder is brought to, with its manifest: from the folder itself where it is there, from the source otherwise.

use manifests::channel::{Probe, Release};
use manifests::digest::Digest;
use manifests::limits::Limits;
use manifests::release::{Manifest, ReleaseId};

use super::{Error, Session, deferral};
use crate::check::Checked;
use crate::deadline::Deadline;
use crate::fetch::route::Route;
use crate::fetch::source::Source as _;
use crate::fs::LocalPath;
use crate::installed::InstalledRelease;

/// A release and its files.
pub(super) struct Target {
    /// What will be installed.
    pub(super) release: InstalledRelease,
    /// Its files.
    pub(super) manifest: Manifest,
    /// The stored bytes of the manifest.
    pub(super) stored: Vec<u8>,
    /// Who answered for it at its publisher's.
    pub(super) approver: Option<String>,
    /// How to find out whether it lives.
    pub(super) probe: Option<Probe>,
    /// Whether whoever is asked may ignore it.
    pub(super) may_ignore: bool,
    /// Until when whoever is asked can put it off.
    pub(super) deadline: Option<Deadline>,
}

impl Target {
    /// A release that the channel lists.
    pub(super) async fn listed(session: &Session, route: &Route, checked: &Checked, release: &Release) -> Result<Target, Error> {
        let channel = &checked.channel;
        let id = ReleaseId {
            product: channel.id.product.clone(),
            os: channel.id.os,
            arch: channel.id.arch,
            variant: channel.id.variant.clone(),
            build: release.build.clone(),
        };
        let (place, manifest, entry_point) = (channel.place(release), release.manifest.sha256, release.entry_point.clone());
        let stored = match stored(session, &manifest) {
            Some(stored) => stored,
            None => {
                let limit = release.manifest.length.min(Limits::default().manifest_bytes);
                let path = manifest.object_path();
                let stored = session.in_time(route.get(&path, limit)).await?;
                if Digest::of(&stored) != manifest {
                    return Err(Error::WrongManifest { place });
                }
                stored
            }
        };
        let installed = InstalledRelease { id: id.clone(), place, manifest, entry_point };
        Ok(Target {
            release: installed,
            manifest: Manifest::parse(&stored, &id, &Limits::default())?,
            stored,
            approver: release.approver.clone(),
            probe: release.probe.clone(),
            may_ignore: false,
            deadline: None,
        })
    }

    /// The installed release, from the folder or, if it is still listed, from the source.
    pub(super) async fn installed(session: &Session, route: &Route, checked: &Checked) -> Result<Target, Error> {
        if let Some(target) = Target::local(session) {
            return Ok(target);
        }
        let installed = session.known()?;
        let place = installed.release.place;
        let listed = checked.channel.releases.iter().find(|release| release.manifest.sha256 == installed.release.manifest);
        let target = Target::listed(session, route, checked, listed.ok_or(Error::NoManifest { place })?).await?;
        Ok(Target { release: installed.release.clone(), ..target })
    }

    /// The installed release from the folder alone.
    pub(super) fn local(session: &Session) -> Option<Target> {
        let release = &session.installed.as_ref()?.release;
        let stored = stored(session, &release.manifest)?;
        let manifest = Manifest::parse(&stored, &release.id, &Limits::default()).ok()?;
        Some(Target { release: release.clone(), manifest, stored, approver: None, probe: None, may_ignore: false, deadline: None })
    }
}

/// The stored manifest of the installed release, of one that waits, or of one that was fetched in this run, when it is the one with `digest`.
fn stored(session: &Session, digest: &Digest) -> Option<Vec<u8>> {
    let installed = session.folder.read(&LocalPath::state("manifest")).ok().flatten();
    let known = installed.into_iter().chain(deferral::waiting(&session.folder)).chain(session.lists.iter().cloned());
    known.into_iter().find(|bytes| Digest::of(bytes) == *digest)
}
