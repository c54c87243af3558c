//! Makes a signed release of a folder, and keeps the repository that it lies in.
//!
//! [`Repository::publish`] reads like the steps it takes: list and judge the folder, hash it, refer to what is there already, pack what is new, prove the new packs by reading them back,
//! compose the documents, and make them visible in the order of `docs/format.md` section 2. Everything before the timestamp is invisible to stations, so a crash leaves only orphans, and a
//! second run ends what the first began.
//!
//! One command changes a repository at a time ([`lock`]). `now` is always a parameter; nothing here reads a clock, prints or logs.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::build::Build;
use crate::channel::{ChannelDocument, FORMAT, Kind, ObjectRef, Release};
use crate::install_link::RootPin;
use crate::json;
use crate::limits::Limits;
use crate::name::{ChannelId, Name};
use crate::release::Manifest;
use crate::time::UtcTime;

pub mod audit;
mod bundle;
pub mod change;
pub mod commit;
pub mod compose;
pub mod custody;
pub mod deliver;
pub mod disk;
pub mod effect;
pub mod error;
pub mod folder_role;
pub mod folders;
pub mod garbage;
pub mod init;
pub mod keys;
pub mod layout;
pub mod lint;
pub mod lock;
pub mod ordered;
pub mod packs;
pub mod passphrase;
pub mod programs;
pub mod progress;
pub mod proposal;
pub mod read_back;
pub mod refresh;
pub mod request;
pub mod retire;
pub mod scan;
pub mod signers;
pub mod signing_request;
pub mod submit;
mod unfinished;
pub mod versions;
pub mod view;
pub mod zip_source;

pub use compose::{Attributes, ConfigRule, Extras};
pub use error::PublishError;
pub use lint::{Finding, Findings, Names, Rule, Severity};
pub use packs::Effort;
pub use progress::{Progress, Silent, Stage};
pub use request::{Outcome, PublishRequest, Published, ServerSays};

use change::Change;
use compose::{NewRelease, Outline, Refused};
use deliver::{Delivered, Delivery};
use disk::{Disk, DiskError, Put};
use keys::KeyFolder;
use lock::{Lock, LockError};
use packs::{PackPlan, PlacedPack};
use passphrase::PassphraseSource;
use scan::{Found, ScanError};
use signers::Signers;
use view::{View, ViewError};
use zip_source::Unpacked;

/// Earlier manifests that are searched for contents: enough for what a channel keeps, few enough to read at every publish.
const MANIFESTS_SEARCHED: usize = 16;

/// A content repository on disk, with the keys that sign it.
#[derive(Debug)]
pub struct Repository {
    disk: Disk,
    keys: KeyFolder,
    name: Name,
    limits: Limits,
    patience: Duration,
    delivery: Delivery,
}

/// `repository.json`: read by tools only, never by stations.
#[derive(Serialize, Deserialize)]
struct Description {
    format: u64,
    name: Name,
}

impl Repository {
    /// The repository at `path`. Its keys are in `keys`, or beside it in `<repo>.keys`.
    pub fn open(path: &Path, keys: Option<&Path>) -> Result<Repository, PublishError> {
        let not_there = || PublishError::NotARepository(path.to_owned());
        let path = fs::canonicalize(path).map_err(|_| not_there())?;
        let disk = Disk::new(&path);
        let bytes = disk.read(layout::REPOSITORY, 4096)?.ok_or_else(not_there)?;
        let bad = |reason: String| PublishError::Description { path: disk.path(layout::REPOSITORY), reason };
        let description: Description = json::from_slice(&bytes, 4096).map_err(|error| bad(error.to_string()))?;
        if description.format != FORMAT {
            return Err(bad(format!("it has format {}; this program reads format {FORMAT}: use a newer one", description.format)));
        }
        let keys = keys.map_or_else(|| KeyFolder::beside(&path), KeyFolder::new);
        Ok(Repository {
            disk,
            keys,
            name: description.name,
            limits: Limits::default(),
            patience: Duration::ZERO,
            delivery: Delivery::Commit,
        })
    }

    /// The same repository, whose commands wait up to `patience` for one another; without this they fail at once.
    pub fn waiting(self, patience: Duration) -> Repository {
        Repository { patience, ..self }
    }

    /// The same repository, whose encrypted keys `source` is asked for when one of them is needed.
    pub fn unlocked_by(self, source: Arc<dyn PassphraseSource>) -> Repository {
        Repository { keys: self.keys.unlocked_by(source), ..self }
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.disk.root()
    }

    /// The folder of its keys.
    pub fn keys(&self) -> &KeyFolder {
        &self.keys
    }

    /// Its files; for tests that stop a command after some of its steps.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// All that it holds, verified from the root down.
    pub fn view(&self) -> Result<View, PublishError> {
        Ok(View::read(&self.disk, &self.name)?)
    }

    /// The newest root, for an install link.
    pub fn root_pin(&self) -> Result<RootPin, PublishError> {
        Ok(self.view()?.root_pin)
    }

    fn lock(&self, command: &str, progress: &dyn Progress) -> Result<Lock, LockError> {
        let lock = Lock::take(self.disk.root(), command, self.patience, progress)?;
        unfinished::finish(&self.disk)?;
        Ok(lock)
    }

    /// Publishes a folder or zip as the next release of a channel.
    ///
    /// The same request twice lists one release. A release that differs from the current one in times alone is a new manifest over the same packs.
    pub fn publish(&self, request: &PublishRequest, now: UtcTime, progress: &dyn Progress) -> Result<Outcome, PublishError> {
        let _lock = self.lock("publish", progress)?;
        let view = self.view()?;
        let kind = compose::check_request(&view.channels, &request.id, &request.build, request.kind, &request.attributes)?;
        let described = request.server.of(view
            .channels
            .get(&request.id)
            .cloned()
            .unwrap_or_else(|| ChannelDocument::empty(request.id.clone(), kind, view.policy.epoch(request.id.os))));
        let misfit = compose::beside_server(&described, &request.build, &request.attributes)?;
        let unpacked = self.open_source(request, kind, progress)?;
        let folder = unpacked.as_ref().map_or(request.source.as_path(), Unpacked::folder);

        let found = scan::list(folder)?;
        let request = &PublishRequest {
            attributes: Attributes { entry_point: request.entry_point_in(&found), ..request.attributes.clone() },
            ..request.clone()
        };
        let mut findings = self.judge(request, kind, &found, folder, unpacked.is_none())?;
        findings.0.extend(misfit);
        let tree = scan::hash(folder, &found, progress)?;

        let document = view.channels.get(&request.id);
        let current = document.and_then(ChannelDocument::current);
        let current_manifest = current.and_then(|release| self.manifest_of(&request.id, release));
        let leaving = if request.extras == Extras::RemoveOwned { self.listed_manifests(document) } else { vec![] };
        let outline =
            Outline::new(view::release_id(&request.id, &request.build), tree, &request.config, &leaving.iter().collect::<Vec<_>>());
        let last_sequence = compose::last_sequence(&view.channels, request.id.os, &request.id.product);
        let mut published = Published {
            sequence: compose::next_sequence(last_sequence, request.sequence_at_least)?,
            build: request.build.clone(),
            manifest: None,
            files: outline.files().len(),
            content_bytes: outline.files().iter().map(|file| file.size).sum(),
            new_files: 0,
            new_content_bytes: 0,
            new_bytes: 0,
            reused_bytes: 0,
            warnings: findings.0,
        };
        let same_files = current_manifest.as_ref().is_some_and(|manifest| Outline::of(manifest) == outline);
        let is_high_enough = |release: &Release| request.sequence_at_least.is_none_or(|least| release.sequence >= least);
        let says_the_same = |release: &Release| compose::says_the_same(release, &request.build, &request.attributes);
        if let Some(release) = current.filter(|release| same_files && is_high_enough(release) && says_the_same(release)) {
            let (sequence, manifest) = (release.sequence, Some(release.manifest));
            let published = Published { sequence, manifest, ..published };
            if document == Some(&described) {
                return Ok(Outcome::AlreadyCurrent(published));
            }
            if request.dry_run {
                return Ok(Outcome::Planned(published));
            }
            let signers = self.gather(&view, &Change::of_paths([request.id.target_path()]))?;
            let delivered = self.deliver_documents(&view, &signers, [described], now)?;
            return Ok(if delivered.file().is_some() { Outcome::HandedOver(published) } else { Outcome::Described(published) });
        }

        self.refuse_withdrawn(document, &request.build, &outline)?;
        compose::check_deadline(&request.attributes, now)?;

        let known = self.known_manifests(&view, &request.id, current_manifest);
        let candidates = compose::candidates(outline.files(), &known.iter().collect::<Vec<_>>());
        let (kept, missing) = compose::reuse(outline.files(), self.sound(candidates, progress)?);
        let plans = packs::plan(missing);
        count(&mut published, &outline, &kept, &known);
        if request.dry_run {
            return Ok(Outcome::Planned(published));
        }

        let signers = self.gather(&view, &Change::of_paths([request.id.target_path()]))?;
        let packed = packs::write(&self.disk, folder, &plans, request.effort, progress)?;
        self.prove(&plans, &packed.packs, progress)?;
        if let Some(path) = scan::first_difference(&found, &scan::list(folder)?) {
            return Err(ScanError::Changed(path).into());
        }

        let manifest =
            outline.into_manifest([kept, packed.packs].concat()).ok_or_else(|| ScanError::Unfit("a file without content".into()))?;
        let (object, put) = self.store_manifest(&manifest)?;
        published.new_bytes = packed.new_bytes + if put == Put::Written { object.length } else { 0 };
        published.manifest = Some(object);
        let new = NewRelease {
            epoch: view.policy.epoch(request.id.os),
            sequence: published.sequence,
            build: request.build.clone(),
            manifest: object,
            attributes: request.attributes.clone(),
            now,
        };
        let document = compose::with_release(described, new);
        let delivered = self.deliver_documents(&view, &signers, [document], now)?;
        Ok(if delivered.file().is_some() { Outcome::HandedOver(published) } else { Outcome::Published(published) })
    }

    /// Unpacks the source when it is a zip.
    fn open_source(&self, request: &PublishRequest, kind: Kind, progress: &dyn Progress) -> Result<Option<Unpacked>, PublishError> {
        let metadata = fs::metadata(&request.source).map_err(|_| PublishError::NoSource(request.source.clone()))?;
        if metadata.is_dir() {
            return Ok(None);
        }
        let judge = |found: &[Found]| self.judge_listing(request, kind, found);
        Ok(Some(zip_source::unpack(&request.source, &zip_source::ZipLimits::default(), &judge, progress)?))
    }

    fn judge_listing(&self, request: &PublishRequest, kind: Kind, found: &[Found]) -> Findings {
        let entry_point = request.entry_point_in(found);
        let facts = lint::Facts {
            id: &request.id,
            kind,
            names: request.names,
            entry_point: entry_point.as_ref(),
            probe: request.attributes.probe.as_ref(),
            allowed: &request.allowed,
            config_of: &|path| compose::config_of(&request.config, path).0,
            most_entries: self.limits.entries,
        };
        lint::lint(found, &facts)
    }

    /// The warnings about a folder; its errors are one error. `own` says that it is the publisher's, not one that a zip was unpacked into.
    fn judge(&self, request: &PublishRequest, kind: Kind, found: &[Found], folder: &Path, own: bool) -> Result<Findings, PublishError> {
        let mut findings = self.judge_listing(request, kind, found);
        findings.0.extend(lint::lint_keys(&scan::private_keys(folder, found)));
        let entry_point = request.entry_point_in(found);
        findings.0.extend(lint::lint_programs(&programs::truncated(folder, found, entry_point.as_ref()), &request.allowed));
        if own && let Ok(place) = fs::canonicalize(folder) {
            let keys = fs::canonicalize(self.keys.path()).unwrap_or_else(|_| self.keys.path().to_owned());
            findings.0.extend(lint::lint_place(&place, self.disk.root(), &keys));
        }
        if findings.errors().next().is_some() { Err(PublishError::Lint(findings)) } else { Ok(findings) }
    }

    /// The manifest of a release; `None` when it is damaged: then there is nothing to compare with, and all is packed anew.
    fn manifest_of(&self, id: &ChannelId, release: &Release) -> Option<Manifest> {
        view::read_manifest(&self.disk, &release.manifest, &view::release_id(id, &release.build), &self.limits).ok()
    }

    /// The manifests of every release that a channel still lists: a station may come from any of them.
    fn listed_manifests(&self, document: Option<&ChannelDocument>) -> Vec<Manifest> {
        let releases = document.into_iter().flat_map(|document| document.releases.iter().map(|release| (&document.id, release)));
        releases.filter_map(|(id, release)| self.manifest_of(id, release)).collect()
    }

    /// Refuses the files of a withdrawn release under its own build: stations could not tell the two apart.
    fn refuse_withdrawn(&self, document: Option<&ChannelDocument>, build: &Build, outline: &Outline) -> Result<(), Refused> {
        for (document, release) in document.iter().flat_map(|document| document.releases.iter().map(move |release| (document, release))) {
            let Some(withdrawn) = &release.withdrawn else { continue };
            let same_build = (release.build.text(), release.build.scheme()) == (build.text(), build.scheme());
            let is_same = |manifest: Manifest| Outline::of(&manifest).holds_the_same(outline);
            if same_build && self.manifest_of(&document.id, release).is_some_and(is_same) {
                let (build, reason) = (build.text().to_owned(), withdrawn.reason.clone());
                return Err(Refused::WasWithdrawn { build, sequence: release.sequence, reason });
            }
        }
        Ok(())
    }

    /// Manifests to look for contents in: those of the same channel first, then those of the same OS and product, each newest first.
    fn known_manifests(&self, view: &View, id: &ChannelId, current: Option<Manifest>) -> Vec<Manifest> {
        let mut seen: Vec<ObjectRef> =
            view.channels.get(id).and_then(ChannelDocument::current).map(|release| release.manifest).into_iter().collect();
        let mut known: Vec<Manifest> = current.into_iter().collect();
        let same_product = |other: &ChannelId| (other.os, &other.product) == (id.os, &id.product);
        let mut documents: Vec<&ChannelDocument> = view.channels.values().filter(|document| same_product(&document.id)).collect();
        documents
            .sort_by_key(|document| (document.id != *id, std::cmp::Reverse(document.releases.first().map(|release| release.sequence))));
        for (document, release) in documents.iter().flat_map(|document| document.releases.iter().map(move |release| (document, release))) {
            if known.len() >= MANIFESTS_SEARCHED {
                break;
            }
            if !seen.contains(&release.manifest) {
                seen.push(release.manifest);
                known.extend(self.manifest_of(&document.id, release));
            }
        }
        known
    }

    /// Those of `candidates` whose stored bytes are what their name says: what is referred to is read first.
    fn sound(&self, candidates: Vec<PlacedPack>, progress: &dyn Progress) -> Result<Vec<PlacedPack>, DiskError> {
        progress.begin(Stage::Rechecking, candidates.iter().map(|placed| placed.pack.length).sum());
        let is_sound = |object: ObjectRef| Ok::<_, DiskError>(self.disk.measure(&object.sha256.object_path())? == Some(object));
        let checked = candidates.into_par_iter().map(|placed| {
            let sound = is_sound(placed.pack.object())? && placed.dictionary.map_or(Ok(true), is_sound)?;
            progress.advance(placed.pack.length);
            Ok(sound.then_some(placed))
        });
        checked.filter_map(Result::transpose).collect()
    }

    /// Reads new packs back, file by file. A difference means that a file changed after it was hashed.
    fn prove(&self, plans: &[PackPlan], packed: &[PlacedPack], progress: &dyn Progress) -> Result<(), PublishError> {
        progress.begin(Stage::Proving, plans.iter().flat_map(|plan| &plan.places).map(|(content, _)| content.size).sum());
        plans.par_iter().zip(packed).try_for_each(|(plan, placed)| {
            let wanted = |(content, offset): &(packs::Content, u64)| read_back::Wanted {
                offset: *offset,
                size: content.size,
                sha256: content.sha256,
                path: content.path.to_string(),
            };
            let dictionary = placed.dictionary.as_ref().map(|object| read_back::read_dictionary(&self.disk, object)).transpose()?.flatten();
            let wanted: Vec<_> = plan.places.iter().map(wanted).collect();
            let faults = read_back::check_pack(&self.disk, &placed.pack, dictionary.as_deref(), &wanted, progress)?;
            match faults.into_iter().next() {
                None => Ok(()),
                Some(read_back::PackFault::Content(wanted)) => Err(ScanError::Changed(wanted.path).into()),
                Some(_) => Err(ViewError::Damaged(placed.pack.sha256.object_path()).into()),
            }
        })
    }

    /// Checks a manifest as a station will, and puts it into the repository.
    fn store_manifest(&self, manifest: &Manifest) -> Result<(ObjectRef, Put), PublishError> {
        manifest.check(&self.limits)?;
        let text = manifest.to_json()?;
        fits("the manifest", text.len(), self.limits.manifest_json_bytes)?;
        let stored = packs::compress_document(&text).map_err(disk::failed("compress the manifest in", self.disk.root()))?;
        fits("the stored manifest", stored.len(), self.limits.manifest_bytes)?;
        let object = ObjectRef { sha256: crate::digest::Digest::of(&stored), length: stored.len() as u64 };
        let put = self.disk.put(&object.sha256.object_path(), &stored)?;
        Ok((object, put))
    }

    /// Sends channel documents on their way.
    fn deliver_documents(
        &self,
        view: &View,
        signers: &Signers,
        documents: impl IntoIterator<Item = ChannelDocument>,
        now: UtcTime,
    ) -> Result<Delivered, PublishError> {
        let mut change = Change::default();
        for document in documents {
            let bytes = document.to_bytes()?;
            fits("the channel document", bytes.len(), self.limits.document_bytes)?;
            change.documents.insert(document.id.target_path(), bytes);
        }
        self.deliver(view, signers, &change, now)
    }
}

fn fits(what: &'static str, length: usize, limit: u64) -> Result<(), PublishError> {
    let length = length as u64;
    if length > limit { Err(PublishError::TooLong { what, length, limit }) } else { Ok(()) }
}

/// Counts what is new and what is used again. New is what no release in `known` has; a content that is packed anew from a pack that was not worth keeping is not.
fn count(published: &mut Published, outline: &Outline, kept: &[PlacedPack], known: &[Manifest]) {
    let before: HashSet<_> = known.iter().flat_map(|manifest| &manifest.files).map(|file| file.sha256).collect();
    let new = || outline.files().iter().filter(|file| file.size > 0 && !before.contains(&file.sha256));
    let mut counted = HashSet::new();
    published.new_files = new().count();
    published.new_content_bytes = new().filter(|file| counted.insert(file.sha256)).map(|file| file.size).sum();
    published.reused_bytes = kept.iter().map(|placed| placed.pack.length).sum();
}
