//! Verifies a whole repository: signatures from the root down, lengths and hashes, every frame of every pack, every file of every release. What nothing names is reported too.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rayon::prelude::*;

use super::disk::{Disk, DiskError};
use super::progress::{Progress, Stage};
use super::read_back::{PackFault, Wanted, check_pack, read_dictionary};
use super::view::{self, View, ViewError};
use super::{PublishError, Repository, layout};
use crate::channel::ObjectRef;
use crate::digest::Digest;
use crate::pack::Pack;
use crate::release::{ContentAt, Manifest};
use crate::time::UtcTime;

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    /// What is wrong; empty when stations can rely on the repository.
    pub problems: Vec<Problem>,
    /// Files that no live document names; no harm, `gc` removes them.
    pub orphans: Vec<String>,
    /// Channels.
    pub channels: usize,
    /// Releases in them.
    pub releases: usize,
    /// Packs that releases refer to.
    pub packs: usize,
    /// Contents that were compared, each once.
    pub files: usize,
    /// Every role with version and expiry.
    pub roles: Vec<(String, u64, UtcTime)>,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Stable, kebab-case.
    pub code: &'static str,
    /// The file of the repository that it is about.
    pub file: String,
    /// What exactly.
    pub detail: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} `{}`: {}", self.code, self.file, self.detail)
    }
}

impl Repository {
    /// Reads everything. It changes nothing and takes no lock, so it may run beside a publish; a repository that changes meanwhile is as consistent as one that does not.
    ///
    /// # Errors
    /// Only what keeps it from looking at all; whatever it sees is in the [`Audit`].
    pub fn verify(&self, now: UtcTime, progress: &dyn Progress) -> Result<Audit, PublishError> {
        let mut audit = Audit::default();
        let view = match View::read(&self.disk, &self.name) {
            Ok(view) => view,
            Err(ViewError::Disk(error)) => return Err(error.into()),
            Err(error) => {
                // Without a verified chain there is nothing to compare the rest with.
                let file = error.file().unwrap_or_else(|| "metadata".to_owned());
                audit.problem("metadata", &file, error.to_string());
                return Ok(audit);
            }
        };
        audit.roles = view.headers();
        for (role, version, expires) in audit.roles.clone() {
            if expires <= now {
                audit.problem("expired", &role_file(&role, version), format!("it expired at {expires}: run `manifests refresh`"));
            }
        }
        audit.channels = view.channels.len();
        let mut named: BTreeSet<String> = view.named.iter().cloned().collect();
        let mut contents = PackContents::default();
        for document in view.channels.values() {
            audit.releases = audit.releases.saturating_add(document.releases.len());
            for unavailable in &document.unavailable {
                audit.problem(
                    "not-understood",
                    &document.id.target_path(),
                    format!("release {}: {}", unavailable.sequence, unavailable.reason),
                );
            }
            if document.epoch != view.policy.epoch(document.id.os) {
                audit.problem("epoch", &document.id.target_path(), "its epoch is not the one of the policy".into());
            }
            for release in &document.releases {
                let file = release.manifest.sha256.object_path();
                named.extend(release.deltas.iter().map(|delta| delta.object.sha256.object_path()));
                if !named.insert(file.clone()) {
                    continue;
                }
                let id = view::release_id(&document.id, &release.build);
                match view::read_manifest(&self.disk, &release.manifest, &id, &self.limits) {
                    Ok(manifest) => contents.add(&manifest),
                    Err(ViewError::Disk(error)) => return Err(error.into()),
                    Err(error) => audit.problem("manifest", &file, error.to_string()),
                }
            }
        }
        named.extend(contents.objects());
        audit.packs = contents.packs.len();
        audit.files = contents.packs.values().map(|(_, _, wanted)| wanted.len()).sum();
        audit.problems.extend(contents.check(&self.disk, progress)?);
        for folder in layout::SERVED {
            audit.orphans.extend(self.disk.files(folder)?.into_iter().filter(|file| !named.contains(file)));
        }
        audit.orphans.sort();
        audit.problems.sort();
        Ok(audit)
    }
}

impl Audit {
    fn problem(&mut self, code: &'static str, file: &str, detail: String) {
        self.problems.push(Problem { code, file: file.to_owned(), detail });
    }
}

fn role_file(role: &str, version: u64) -> String {
    if role == "timestamp" { layout::TIMESTAMP.to_owned() } else { layout::role_file(role, version) }
}

/// All packs of all releases, each once, with all that any release wants from it.
#[derive(Default)]
pub(super) struct PackContents {
    packs: BTreeMap<Digest, (Pack, Option<ObjectRef>, BTreeSet<Wanted>)>,
}

impl PackContents {
    pub(super) fn add(&mut self, manifest: &Manifest) {
        for pack in &manifest.packs {
            let dictionary = pack.dictionary.and_then(|index| manifest.dictionaries.get(index as usize)).copied();
            self.packs.entry(pack.sha256).or_insert_with(|| (pack.clone(), dictionary, BTreeSet::new()));
        }
        let mut paths: HashMap<(u32, u64, u64), ()> = HashMap::new();
        for file in &manifest.files {
            let Some(ContentAt(index, offset)) = file.at else { continue };
            let Some(pack) = manifest.packs.get(index as usize) else { continue };
            if paths.insert((index, offset, file.size), ()).is_some() {
                continue;
            }
            if let Some((_, _, wanted)) = self.packs.get_mut(&pack.sha256) {
                let like = Wanted { offset, size: file.size, sha256: file.sha256, path: String::new() };
                let known = wanted
                    .range(like.clone()..)
                    .next()
                    .is_some_and(|next| (next.offset, next.size, next.sha256) == (offset, file.size, file.sha256));
                if !known {
                    wanted.insert(Wanted { path: file.path.to_string(), ..like });
                }
            }
        }
    }

    fn objects(&self) -> impl Iterator<Item = String> {
        let dictionaries = self.packs.values().filter_map(|(_, dictionary, _)| *dictionary).map(|object| object.sha256);
        self.packs.keys().copied().chain(dictionaries).map(|digest| digest.object_path())
    }

    /// What is wrong with the packs.
    pub(super) fn check(&self, disk: &Disk, progress: &dyn Progress) -> Result<Vec<Problem>, DiskError> {
        progress.begin(Stage::Verifying, self.packs.values().filter_map(|(pack, ..)| pack.content_length()).sum());
        let check = |(pack, dictionary, wanted): &(Pack, Option<ObjectRef>, BTreeSet<Wanted>)| {
            let file = pack.sha256.object_path();
            let bytes = match dictionary {
                None => None,
                Some(object) => match read_dictionary(disk, object)? {
                    Some(bytes) => Some(bytes),
                    None => {
                        let detail = "it is missing or damaged".to_owned();
                        return Ok(vec![Problem { code: "dictionary", file: object.sha256.object_path(), detail }]);
                    }
                },
            };
            let wanted: Vec<Wanted> = wanted.iter().cloned().collect();
            let faults = check_pack(disk, pack, bytes.as_deref(), &wanted, progress)?;
            Ok(faults.into_iter().map(|fault| problem_of(&file, fault)).collect())
        };
        let found: Vec<Vec<Problem>> =
            self.packs.values().collect::<Vec<_>>().into_par_iter().map(check).collect::<Result<_, DiskError>>()?;
        Ok(found.into_iter().flatten().collect())
    }
}

fn problem_of(file: &str, fault: PackFault) -> Problem {
    let (code, detail) = match fault {
        PackFault::Missing => ("missing", "it is not there".to_owned()),
        PackFault::Bytes => ("damaged", "its bytes are not those of its name".to_owned()),
        PackFault::Frame { index, reason } => ("frame", format!("frame {index}: {reason}")),
        PackFault::Content(wanted) => ("content", format!("file `{}` does not come out of it", wanted.path)),
    };
    Problem { code, file: file.to_owned(), detail }
}
