//! Composes the documents of a release: previous documents, a folder that was read, and places in packs go in; new documents come out. Nothing here reads or writes anything.
//!
//! Identity comes from digests in earlier manifests, never from compressing again: a content that some pack at hand holds is referred to where it lies. A pack of which less than three
//! quarters would still be of use is not referred to any more; what is needed of it is packed anew.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::str::FromStr;

use crate::build::Build;
use crate::channel::{Bound, ChannelDocument, Compatible, ObjectRef, Probe, Release, Requires};
use crate::compat::{self, Compatibility, Terms};
use crate::digest::Digest;
use crate::name::{ChannelId, Name, Os};
use crate::pack::Pack;
use crate::path::RelPath;
use crate::publish::lint::{Finding, Rule};
use crate::publish::packs::{Content, PlacedPack};
use crate::publish::scan::{HashedFile, Tree};
use crate::quote::quoted;
use crate::release::{ConfigPolicy, ContentAt, FileEntry, Manifest, ReleaseId};
use crate::targets::pattern_matches;
use crate::time::UtcTime;

mod refused;
pub use refused::{Refused, check_build, check_deadline, check_request, check_text, next_sequence};

/// What a publisher says about a release besides its files.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attributes {
    /// The file that starts the client.
    pub entry_point: Option<RelPath>,
    /// What the release needs.
    pub requires: Requires,
    /// With what it works.
    pub compatible: Compatible,
    /// It fixes a security fault.
    pub security: bool,
    /// Stations may go from a later build to this one.
    pub allow_downgrade: bool,
    /// Until when people may put it off.
    pub deadline: Option<UtcTime>,
    /// Who answers for it, at most 256 bytes.
    pub approver: Option<String>,
    /// What is new, for people, at most 4,096 bytes.
    pub notes: Option<String>,
    /// How to find out whether it lives.
    pub probe: Option<Probe>,
}

/// What happens to files of earlier releases that this one does not have (D-05).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Extras {
    /// They stay on stations.
    #[default]
    Keep,
    /// Stations remove those that a release installed and nobody changed since.
    RemoveOwned,
}

/// Which policy the files of a name have; the first that matches counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigRule {
    /// `*` and `?` within a component. Without `/` it is matched against the file's name, else against the whole path; case does not matter.
    pub pattern: String,
    /// The policy.
    pub policy: ConfigPolicy,
    /// Keys whose value is the publisher's where files are merged: `Section.Key`, `Section.*`, `.Key` before the first section.
    pub publishers: Vec<String>,
}

/// The text is no rule for configuration files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConfigRule {
    /// No `=`.
    #[error("`{0}` is no rule: it has the form GLOB=POLICY, such as *.ini=keep")]
    Form(String),
    /// An unknown word behind it.
    #[error("`{0}` is no policy (known: overwrite, keep, new-beside, merge)")]
    Policy(String),
    /// Keys behind it that are none, or behind a policy that takes none.
    #[error("`{0}` is no list of keys: after `merge:` give Section.Key, Section.*, or .Key for one before the first section")]
    Keys(String),
}

impl FromStr for ConfigRule {
    type Err = InvalidConfigRule;

    fn from_str(text: &str) -> Result<Self, InvalidConfigRule> {
        let short = |text: &str| quoted(text, 80).to_string();
        let (pattern, policy) = text.split_once('=').ok_or_else(|| InvalidConfigRule::Form(short(text)))?;
        let (policy, keys) = policy.split_once(':').map_or((policy, None), |(policy, keys)| (policy, Some(keys)));
        let publishers: Vec<String> = keys.iter().flat_map(|keys| keys.split(',')).map(|key| key.trim().to_owned()).collect();
        if publishers.iter().any(|key| !key.contains('.')) || (keys.is_some() && policy != "merge") {
            return Err(InvalidConfigRule::Keys(short(keys.unwrap_or_default())));
        }
        let policy = match policy {
            "overwrite" => ConfigPolicy::Overwrite,
            "keep" => ConfigPolicy::Keep,
            "new-beside" => ConfigPolicy::NewBeside,
            "merge" => ConfigPolicy::Merge,
            other => return Err(InvalidConfigRule::Policy(short(other))),
        };
        Ok(ConfigRule { publishers, ..ConfigRule::new(pattern, policy) })
    }
}

impl ConfigRule {
    /// Files that match `pattern` have `policy`.
    pub fn new(pattern: impl Into<String>, policy: ConfigPolicy) -> ConfigRule {
        ConfigRule { pattern: pattern.into(), policy, publishers: vec![] }
    }
}

/// The policy of the file at `path` and the keys that are the publisher's: those of the first of `rules` that matches, else `merge` for `*.ini` (D-04), else `overwrite`.
pub fn config_of(rules: &[ConfigRule], path: &RelPath) -> (ConfigPolicy, Vec<String>) {
    let matches = |pattern: &str| {
        let text = if pattern.contains('/') { path.as_str() } else { path.file_name() };
        pattern_matches(&pattern.to_lowercase(), &text.to_lowercase())
    };
    match rules.iter().find(|rule| matches(&rule.pattern)) {
        Some(rule) => (rule.policy, rule.publishers.clone()),
        None if matches("*.ini") => (ConfigPolicy::Merge, vec![]),
        None => (ConfigPolicy::Overwrite, vec![]),
    }
}

/// Packs of earlier releases that hold contents of `files`, by digest; each content is looked for in the first of `known` that has it.
pub fn candidates(files: &[HashedFile], known: &[&Manifest]) -> Vec<PlacedPack> {
    let mut wanted: HashMap<Digest, u64> = files.iter().filter(|file| file.size > 0).map(|file| (file.sha256, file.size)).collect();
    let mut packs: BTreeMap<Digest, PlacedPack> = BTreeMap::new();
    for manifest in known {
        for file in &manifest.files {
            let Some(ContentAt(index, offset)) = file.at else { continue };
            let Some(pack) = manifest.packs.get(index as usize) else { continue };
            if wanted.get(&file.sha256) != Some(&file.size) {
                continue;
            }
            wanted.remove(&file.sha256);
            let dictionary = pack.dictionary.and_then(|index| manifest.dictionaries.get(index as usize)).copied();
            let bare = Pack { dictionary: None, ..pack.clone() };
            let placed = packs.entry(pack.sha256).or_insert_with(|| PlacedPack { pack: bare, dictionary, places: HashMap::new() });
            placed.places.insert(file.sha256, offset);
        }
    }
    packs.into_values().collect()
}

/// Divides the contents of `files` into the packs of `candidates` that are worth keeping and what has to be packed. Packs that are not sound have been left out of `candidates` before.
pub fn reuse(files: &[HashedFile], candidates: Vec<PlacedPack>) -> (Vec<PlacedPack>, Vec<Content>) {
    let sizes: HashMap<Digest, u64> = files.iter().map(|file| (file.sha256, file.size)).collect();
    let worth_keeping = |placed: &PlacedPack| {
        let live: u64 = placed.places.keys().filter_map(|digest| sizes.get(digest)).sum();
        placed.pack.content_length().is_some_and(|content| live.saturating_mul(4) >= content.saturating_mul(3))
    };
    let kept: Vec<PlacedPack> = candidates.into_iter().filter(worth_keeping).collect();
    let mut have: HashSet<Digest> = kept.iter().flat_map(|placed| placed.places.keys().copied()).collect();
    let missing = files.iter().filter(|file| file.size > 0 && have.insert(file.sha256));
    let missing = missing.map(|file| Content { sha256: file.sha256, size: file.size, path: file.path.clone() }).collect();
    (kept, missing)
}

/// What of a manifest does not depend on packs: two releases with equal outlines are the same files.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    id: ReleaseId,
    tree: Tree,
    config: Vec<(ConfigPolicy, Vec<String>)>,
    removed: Vec<RelPath>,
}

impl Outline {
    /// The outline of a folder that was read. `previous` are earlier manifests whose files should go where the folder does not have them.
    pub fn new(id: ReleaseId, tree: Tree, rules: &[ConfigRule], previous: &[&Manifest]) -> Outline {
        let config = tree.files.iter().map(|file| config_of(rules, &file.path)).collect();
        let removed = removed(&tree, previous);
        Outline { id, tree, config, removed }
    }

    /// The files.
    pub fn files(&self) -> &[HashedFile] {
        &self.tree.files
    }

    /// Whether both hold the same contents and links under the same names; times and policies aside.
    pub fn holds_the_same(&self, other: &Outline) -> bool {
        let files = |outline: &Outline| outline.files().iter().map(|file| (file.path.clone(), file.exec, file.sha256)).collect::<Vec<_>>();
        files(self) == files(other) && (&self.tree.links, &self.tree.directories) == (&other.tree.links, &other.tree.directories)
    }

    /// The outline that `manifest` was made from.
    pub fn of(manifest: &Manifest) -> Outline {
        let file = |file: &FileEntry| HashedFile {
            path: file.path.clone(),
            size: file.size,
            mtime: file.mtime,
            exec: file.exec,
            sha256: file.sha256,
        };
        let files = manifest.files.iter().map(file).collect();
        let tree = Tree { files, links: manifest.links.clone(), directories: manifest.directories.clone() };
        let config = manifest.files.iter().map(|file| (file.config, file.publishers.clone())).collect();
        Outline { id: manifest.id.clone(), tree, config, removed: manifest.removed.clone() }
    }

    /// The manifest, with each content where the first of `packs` that holds it has it. `None` when none does: a bug of the caller.
    pub fn into_manifest(self, packs: Vec<PlacedPack>) -> Option<Manifest> {
        let mut dictionaries: Vec<ObjectRef> = Vec::new();
        let mut at: HashMap<Digest, ContentAt> = HashMap::new();
        let mut listed = Vec::new();
        for (index, placed) in packs.into_iter().enumerate() {
            let dictionary = placed.dictionary.map(|object| {
                dictionaries.iter().position(|known| *known == object).unwrap_or_else(|| {
                    dictionaries.push(object);
                    dictionaries.len() - 1
                })
            });
            for (digest, offset) in placed.places {
                at.entry(digest).or_insert(ContentAt(u32::try_from(index).ok()?, offset));
            }
            listed.push(Pack { dictionary: dictionary.map(u32::try_from).transpose().ok()?, ..placed.pack });
        }
        let entry = |(file, (config, publishers)): (HashedFile, (ConfigPolicy, Vec<String>))| {
            let HashedFile { path, size, mtime, exec, sha256 } = file;
            let place = at.get(&sha256).copied();
            let at = place.filter(|_| size > 0);
            (size == 0 || place.is_some()).then_some(FileEntry { path, size, mtime, exec, sha256, config, publishers, at })
        };
        let files = self.tree.files.into_iter().zip(self.config).map(entry).collect::<Option<Vec<_>>>()?;
        let Tree { links, directories, .. } = self.tree;
        Some(Manifest { id: self.id, dictionaries, packs: listed, files, links, directories, removed: self.removed })
    }
}

/// The files of `previous` that `tree` does not have and that are in the way of nothing in it.
fn removed(tree: &Tree, previous: &[&Manifest]) -> Vec<RelPath> {
    let leaves = || tree.files.iter().map(|file| &file.path).chain(tree.links.iter().map(|link| &link.path));
    let folders =
        || leaves().flat_map(|path| path.parents()).chain(tree.directories.iter().flat_map(|path| path.parents().chain([path.clone()])));
    let leaf_names: HashSet<String> = leaves().map(RelPath::folded).collect();
    // By folded name, as it is spelt: a folder of another spelling would collide.
    let folder_names: HashMap<String, RelPath> = folders().map(|path| (path.folded(), path)).collect();
    let free = |path: &RelPath| {
        let name = path.folded();
        !leaf_names.contains(&name)
            && !folder_names.contains_key(&name)
            && path.parents().all(|parent| {
                let name = parent.folded();
                !leaf_names.contains(&name) && folder_names.get(&name).is_none_or(|spelt| *spelt == parent)
            })
    };
    let mut gone: Vec<RelPath> = previous
        .iter()
        .flat_map(|manifest| manifest.files.iter().map(|file| &file.path).chain(&manifest.removed))
        .filter(|path| free(path))
        .cloned()
        .collect();
    gone.sort();
    gone.dedup();
    // Among themselves too: releases over the years may have spelt one name in several ways.
    let mut names: HashMap<String, RelPath> = HashMap::new();
    let mut leaves_gone: HashSet<String> = HashSet::new();
    gone.retain(|path| {
        let fits = path.parents().all(|parent| {
            let name = parent.folded();
            !leaves_gone.contains(&name) && names.get(&name).is_none_or(|spelt| *spelt == parent)
        }) && !names.contains_key(&path.folded());
        if fits {
            names.extend(path.parents().map(|parent| (parent.folded(), parent)));
            names.insert(path.folded(), path.clone());
            leaves_gone.insert(path.folded());
        }
        fits
    });
    gone
}

/// The highest sequence given out for an (OS, product).
pub fn last_sequence(channels: &BTreeMap<ChannelId, ChannelDocument>, os: Os, product: &Name) -> u64 {
    let of = channels.values().filter(|document| document.id.os == os && document.id.product == *product);
    of.map(|document| document.last_sequence).max().unwrap_or(0)
}

/// Whether the current release says the same of itself as a new one would.
pub fn says_the_same(current: &Release, build: &Build, attributes: &Attributes) -> bool {
    let Release { entry_point, requires, compatible, security, allow_downgrade, deadline, approver, notes, probe, .. } = current.clone();
    let said = Attributes { entry_point, requires, compatible, security, allow_downgrade, deadline, approver, notes, probe };
    (current.build.text(), current.build.scheme()) == (build.text(), build.scheme()) && said == *attributes
}

/// What is to be said of a release of `build` that does not fit the server of its channel; an error where nobody could say whether it does.
pub fn beside_server(document: &ChannelDocument, build: &Build, attributes: &Attributes) -> Result<Option<Finding>, Refused> {
    let Some(Bound(server)) = &document.server else { return Ok(None) };
    let terms = Terms { servers: attributes.compatible.servers.as_ref(), clients: None, requires: Some(&attributes.requires) };
    match compat::judge(build, server, &document.compat, &terms) {
        unknown @ Compatibility::CannotBeCompared { .. } => Err(Refused::Server(unknown)),
        judged if judged.may_run() => Ok(None),
        misfit => Ok(Some(Finding::of_folder(Rule::OtherServer, misfit.to_string()))),
    }
}

/// The document with one release more.
pub fn with_release(mut document: ChannelDocument, new: NewRelease) -> ChannelDocument {
    let NewRelease { epoch, sequence, build, manifest, attributes, now } = new;
    let Attributes { entry_point, requires, compatible, security, allow_downgrade, deadline, approver, notes, probe } = attributes;
    if document.epoch != epoch {
        // Sequences of an earlier epoch cannot stand in a document of this one.
        document.releases.clear();
        document.epoch = epoch;
    }
    document.last_sequence = sequence;
    let release = Release {
        sequence,
        build,
        released: now,
        manifest,
        entry_point,
        requires,
        compatible,
        security,
        floor: false,
        withdrawn: None,
        allow_downgrade,
        deadline,
        approver,
        notes,
        probe,
        deltas: vec![],
    };
    document.releases.insert(0, release);
    document
}

/// A release that is about to be listed.
#[derive(Debug, Clone)]
pub struct NewRelease {
    /// The epoch of the OS.
    pub epoch: u64,
    /// Its number.
    pub sequence: u64,
    /// Its version.
    pub build: Build,
    /// Its manifest.
    pub manifest: ObjectRef,
    /// What is said of it.
    pub attributes: Attributes,
    /// When.
    pub now: UtcTime,
}

/// The document with `keep` releases that can be installed, those among them that cannot, and every floor; `None` when nothing goes.
pub fn pruned(document: &ChannelDocument, keep: usize, floors: &HashSet<u64>) -> Option<ChannelDocument> {
    let mut left = keep;
    let stays = |release: &Release| {
        let recent = left > 0;
        left -= usize::from(recent && release.withdrawn.is_none());
        recent || release.floor || floors.contains(&release.sequence)
    };
    let releases: Vec<Release> =
        document.releases.iter().scan(stays, |stays, release| Some(stays(release).then(|| release.clone()))).flatten().collect();
    (releases.len() < document.releases.len()).then(|| ChannelDocument { releases, ..document.clone() })
}

#[cfg(test)]
mod tests;
