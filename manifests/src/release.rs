//! The release manifest: every file of a release and where its content lies (`docs/format.md` section 6).
//!
//! [`Manifest::parse`] checks everything that can be wrong with a manifest once, so that planning and applying can rely on it: no two paths that some file system takes for one (D4), no
//! file that is also a folder (D5), no path through a link, nothing outside its pack, nothing over the limits (D9).

use std::collections::{HashMap, HashSet};
use std::io::Read;

use serde::{Deserialize, Serialize};

use crate::build::{Build, Scheme};
use crate::canonical;
use crate::channel::{FORMAT, ObjectRef};
use crate::digest::Digest;
use crate::json::{self, JsonError};
use crate::limits::Limits;
use crate::name::{Arch, Name, Os, Variant};
use crate::pack::Pack;
use crate::path::RelPath;
use crate::quote::quoted;
use crate::time::FileTime;

/// Largest size of a file, and of all files together, in bytes.
pub const MAX_SIZE: u64 = (1 << 53) - 1;

/// What a manifest is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseId {
    /// The product.
    pub product: Name,
    /// The operating system.
    pub os: Os,
    /// The instruction set.
    pub arch: Arch,
    /// The variant.
    pub variant: Option<Variant>,
    /// The build.
    pub build: Build,
}

impl std::fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} for {} {}", self.product, self.build, self.os, self.arch)?;
        match &self.variant {
            Some(variant) => write!(f, " {variant}"),
            None => Ok(()),
        }
    }
}

/// The files of a release.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// What it is of.
    pub id: ReleaseId,
    /// Dictionaries of packs.
    pub dictionaries: Vec<ObjectRef>,
    /// Objects that hold file contents.
    pub packs: Vec<Pack>,
    /// The files, by path.
    pub files: Vec<FileEntry>,
    /// The symbolic links, by path.
    pub links: Vec<LinkEntry>,
    /// The folders that hold no file, by path.
    pub directories: Vec<RelPath>,
    /// Files of earlier releases that this one wants gone, by path.
    pub removed: Vec<RelPath>,
}

/// A file of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Where it goes.
    pub path: RelPath,
    /// Its size in bytes.
    pub size: u64,
    /// Its modification time.
    pub mtime: FileTime,
    /// Whether it is executable: mode 0755 instead of 0644.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exec: bool,
    /// Digest of its content.
    pub sha256: Digest,
    /// What happens to a copy that its user changed.
    #[serde(default, skip_serializing_if = "ConfigPolicy::is_overwrite")]
    pub config: ConfigPolicy,
    /// Keys whose value is the publisher's, whatever its user made of it, where the file is merged: `Section.Key`, `Section.*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub publishers: Vec<String>,
    /// Where its content lies; absent for an empty file.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub at: Option<ContentAt>,
}

impl FileEntry {
    /// The mode that the file gets: 0755 or 0644.
    pub fn mode(&self) -> u32 {
        if self.exec { 0o755 } else { 0o644 }
    }
}

/// A place in the content of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentAt(
    /// Index of the pack.
    pub u32,
    /// Offset in the pack's content, in bytes.
    pub u64,
);

/// A symbolic link of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkEntry {
    /// Where it goes.
    pub path: RelPath,
    /// What it holds: leading `..`, then a safe path.
    pub target: String,
}

impl LinkEntry {
    /// Refuses links on an OS that has none, and links that leave the folder or hide that they climb (AC-51).
    pub fn check(&self, os: Os) -> Result<(), ManifestFault> {
        if !os.has_links() {
            return Err(ManifestFault::LinksNotAllowed(self.path.clone(), os));
        }
        let rest = self.target.trim_start_matches("../");
        let climbs_first = rest.parse::<RelPath>().is_ok() || self.target.split('/').all(|component| component == "..");
        if !climbs_first || self.path.resolve_link(&self.target).is_none() {
            return Err(ManifestFault::LinkEscapes(self.path.clone(), self.target.clone()));
        }
        Ok(())
    }
}

/// What happens when the user changed a file *and* the release changes it (D-04).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConfigPolicy {
    /// The release's; the user's is in the backup.
    #[default]
    Overwrite,
    /// The user's.
    Keep,
    /// The user's, with the keys that the release adds and the values that the user never touched; what cannot be merged is treated as `new-beside`.
    Merge,
    /// The user's; the release's is written as `NAME.new` beside.
    NewBeside,
}

impl ConfigPolicy {
    /// Its name in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            ConfigPolicy::Overwrite => "overwrite",
            ConfigPolicy::Keep => "keep",
            ConfigPolicy::Merge => "merge",
            ConfigPolicy::NewBeside => "new-beside",
        }
    }

    fn is_overwrite(&self) -> bool {
        *self == ConfigPolicy::Overwrite
    }
}

/// Why bytes are not the release manifest that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not one zstd frame within the limits.
    #[error("the manifest of {id} cannot be decompressed: {reason}")]
    Compression {
        /// What was asked for.
        id: Box<ReleaseId>,
        /// Why.
        reason: String,
    },
    /// Not strict JSON of the shape.
    #[error("the manifest of {id} is malformed: {source}")]
    Malformed {
        /// What was asked for.
        id: Box<ReleaseId>,
        /// What is wrong.
        source: JsonError,
    },
    /// A format that only newer code reads.
    #[error("the manifest of {id} has format {format}; this updater reads format {FORMAT}: update the updater")]
    Format {
        /// What was asked for.
        id: Box<ReleaseId>,
        /// Its format.
        format: u64,
    },
    /// It is about something else (AC-53).
    #[error("asked for the manifest of {id}, got that of {found}")]
    Other {
        /// What was asked for.
        id: Box<ReleaseId>,
        /// What it says of itself.
        found: String,
    },
    /// It breaks a rule.
    #[error("the manifest of {id} is unacceptable: {fault}")]
    Unacceptable {
        /// What was asked for.
        id: Box<ReleaseId>,
        /// The rule.
        fault: ManifestFault,
    },
}

/// The rules of a manifest, as what breaks them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestFault {
    /// More than `Limits::entries`.
    #[error("{0} entries, more than the limit")]
    TooManyEntries(usize),
    /// Sizes beyond 2^53.
    #[error("the sizes of `{0}` and the files before it exceed the limit")]
    TooLarge(RelPath),
    /// Not ascending by path.
    #[error("`{0}` is out of order or listed twice")]
    Order(RelPath),
    /// Two paths that some file system takes for one (D4).
    #[error("`{0}` and `{1}` are one path on some file systems")]
    Collision(RelPath, RelPath),
    /// A file or link that is also a folder (D5), or a path through a link.
    #[error("`{0}` is a file or link, and also a folder of `{1}`")]
    FileIsFolder(RelPath, RelPath),
    /// Links on an OS that has none.
    #[error("`{0}` is a symbolic link, which {1} releases cannot have")]
    LinksNotAllowed(RelPath, Os),
    /// A link that leaves the folder (AC-51).
    #[error("link `{0}` leads outside the folder or nowhere: `{target}`", target = quoted(.1, 200))]
    LinkEscapes(RelPath, String),
    /// A file whose content lies outside its pack, or is missing.
    #[error("the content of `{0}` does not lie inside a pack")]
    Content(RelPath),
    /// A pack with impossible frames or a missing dictionary.
    #[error("pack {0} is impossible")]
    Pack(Digest),
    /// More packs, frames or dictionaries than allowed.
    #[error("too many packs, frames or dictionaries")]
    TooManyPacks,
}

#[derive(Serialize, Deserialize)]
struct ManifestWire {
    format: u64,
    #[serde(rename = "type")]
    document: String,
    product: Name,
    os: Os,
    arch: Arch,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    variant: Option<Variant>,
    build: String,
    scheme: Scheme,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dictionaries: Vec<ObjectRef>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    packs: Vec<Pack>,
    files: Vec<FileEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    links: Vec<LinkEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    directories: Vec<RelPath>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    removed: Vec<RelPath>,
}

impl Manifest {
    /// Reads the stored object of the manifest of `id`. The caller has checked length and digest.
    pub fn parse(stored: &[u8], id: &ReleaseId, limits: &Limits) -> Result<Manifest, ManifestError> {
        let boxed = || Box::new(id.clone());
        let text = decompress(stored, limits).map_err(|reason| ManifestError::Compression { id: boxed(), reason })?;
        let malformed = |source| ManifestError::Malformed { id: boxed(), source };
        json::check(&text, usize::MAX).map_err(malformed)?;
        #[derive(Deserialize)]
        struct Head {
            format: u64,
            #[serde(default)]
            files: json::Items,
            #[serde(default)]
            links: json::Items,
            #[serde(default)]
            directories: json::Items,
            #[serde(default)]
            removed: json::Items,
        }
        let head: Head = serde_json::from_slice(&text).map_err(|error| malformed(error.into()))?;
        if head.format != FORMAT {
            return Err(ManifestError::Format { id: boxed(), format: head.format });
        }
        // Before anything is built: an entry costs many times more memory than the two bytes of JSON that ask for it.
        let entries =
            [head.files, head.links, head.directories, head.removed].into_iter().fold(0, |sum: usize, items| sum.saturating_add(items.0));
        if entries > limits.entries {
            return Err(ManifestError::Unacceptable { id: boxed(), fault: ManifestFault::TooManyEntries(entries) });
        }
        let wire: ManifestWire = serde_json::from_slice(&text).map_err(|error| malformed(error.into()))?;
        let same = wire.document == "manifest"
            && (&wire.product, wire.os, wire.arch, &wire.variant) == (&id.product, id.os, id.arch, &id.variant)
            && (wire.build.as_str(), wire.scheme) == (id.build.text(), id.build.scheme());
        if !same {
            let found = format!(
                "{} {} for {} {} (type `{}`)",
                wire.product,
                quoted(&wire.build, 80),
                wire.os,
                wire.arch,
                quoted(&wire.document, 80)
            );
            return Err(ManifestError::Other { id: boxed(), found });
        }
        let ManifestWire { dictionaries, packs, files, links, directories, removed, .. } = wire;
        let manifest = Manifest { id: id.clone(), dictionaries, packs, files, links, directories, removed };
        manifest.check(limits).map_err(|fault| ManifestError::Unacceptable { id: boxed(), fault })?;
        Ok(manifest)
    }

    /// The JSON of the manifest, as it is stored, before compression.
    pub fn to_json(&self) -> Result<Vec<u8>, canonical::CanonicalError> {
        let ReleaseId { product, os, arch, variant, build } = self.id.clone();
        let Manifest { dictionaries, packs, files, links, directories, removed, .. } = self.clone();
        canonical::to_stored(&ManifestWire {
            format: FORMAT,
            document: "manifest".into(),
            product,
            os,
            arch,
            variant,
            build: build.text().to_owned(),
            scheme: build.scheme(),
            dictionaries,
            packs,
            files,
            links,
            directories,
            removed,
        })
    }

    /// Checks every rule of `docs/format.md` section 6. Publishing calls it before signing, a station before planning.
    pub fn check(&self, limits: &Limits) -> Result<(), ManifestFault> {
        let parts = [self.files.len(), self.links.len(), self.directories.len(), self.removed.len()];
        let entries = parts.into_iter().fold(0, usize::saturating_add);
        if entries > limits.entries {
            return Err(ManifestFault::TooManyEntries(entries));
        }
        check_order(self.files.iter().map(|file| &file.path))?;
        check_order(self.links.iter().map(|link| &link.path))?;
        check_order(self.directories.iter())?;
        check_order(self.removed.iter())?;
        self.check_links()?;
        self.check_tree()?;
        self.check_contents()
    }

    fn check_links(&self) -> Result<(), ManifestFault> {
        self.links.iter().try_for_each(|link| link.check(self.id.os))
    }

    /// No two entries, implied folders included, are one path to some file system; nothing is both a leaf and a folder.
    fn check_tree(&self) -> Result<(), ManifestFault> {
        let leaves = || self.files.iter().map(|file| &file.path).chain(self.links.iter().map(|link| &link.path)).chain(&self.removed);
        let mut seen: HashMap<String, RelPath> = HashMap::new();
        for path in leaves() {
            if let Some(other) = seen.insert(path.folded(), path.clone()) {
                return Err(ManifestFault::Collision(other, path.clone()));
            }
        }
        let mut folders: HashSet<RelPath> = HashSet::new();
        let with_parents = leaves().flat_map(|leaf| leaf.parents().map(move |parent| (parent, leaf)));
        let own = self.directories.iter().flat_map(|folder| folder.parents().chain([folder.clone()]).map(move |parent| (parent, folder)));
        for (folder, of) in with_parents.chain(own) {
            if !folders.insert(folder.clone()) {
                continue;
            }
            match seen.insert(folder.folded(), folder.clone()) {
                Some(other) if other == folder => return Err(ManifestFault::FileIsFolder(folder, of.clone())),
                Some(other) => return Err(ManifestFault::Collision(other, folder)),
                None => {}
            }
        }
        Ok(())
    }

    fn check_contents(&self) -> Result<(), ManifestFault> {
        let frames: usize = self.packs.iter().map(|pack| pack.frames.len()).sum();
        if self.packs.len() > 65_536 || frames > 4_000_000 || self.dictionaries.len() > 4096 {
            return Err(ManifestFault::TooManyPacks);
        }
        let mut lengths = Vec::with_capacity(self.packs.len());
        for pack in &self.packs {
            let dictionary = pack.dictionary.map(|index| self.dictionaries.get(index as usize));
            let fits = dictionary.is_none_or(|found| found.is_some_and(|object| object.length <= 1 << 20));
            match pack.content_length() {
                Some(length) if fits => lengths.push(length),
                _ => return Err(ManifestFault::Pack(pack.sha256)),
            }
        }
        let mut total = 0u64;
        for file in &self.files {
            total = total
                .checked_add(file.size)
                .filter(|total| *total <= MAX_SIZE)
                .ok_or_else(|| ManifestFault::TooLarge(file.path.clone()))?;
            let lies_inside = match file.at {
                None => file.size == 0,
                Some(ContentAt(pack, offset)) => {
                    let end = offset.checked_add(file.size);
                    file.size > 0 && lengths.get(pack as usize).is_some_and(|length| end.is_some_and(|end| end <= *length))
                }
            };
            if !lies_inside {
                return Err(ManifestFault::Content(file.path.clone()));
            }
        }
        Ok(())
    }

    /// The file at `path`.
    pub fn file(&self, path: &RelPath) -> Option<&FileEntry> {
        self.files.binary_search_by(|file| file.path.cmp(path)).ok().and_then(|index| self.files.get(index))
    }

    /// Every object that it names: packs and dictionaries.
    pub fn objects(&self) -> impl Iterator<Item = ObjectRef> {
        self.packs.iter().map(Pack::object).chain(self.dictionaries.iter().copied())
    }

    /// Bytes of all files together.
    pub fn total_size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }
}

fn check_order<'a>(paths: impl Iterator<Item = &'a RelPath>) -> Result<(), ManifestFault> {
    let mut last: Option<&RelPath> = None;
    for path in paths {
        if last.is_some_and(|last| last >= path) {
            return Err(ManifestFault::Order(path.clone()));
        }
        last = Some(path);
    }
    Ok(())
}

/// Decompresses exactly one frame of at most `limits.manifest_json_bytes`.
fn decompress(stored: &[u8], limits: &Limits) -> Result<Vec<u8>, String> {
    if stored.len() as u64 > limits.manifest_bytes {
        return Err(format!("{} bytes are more than the {} allowed", stored.len(), limits.manifest_bytes));
    }
    if !stored.starts_with(&[0x28, 0xB5, 0x2F, 0xFD]) {
        return Err("not a zstd frame".into());
    }
    let mut decoder = zstd::stream::read::Decoder::with_buffer(stored).map_err(|error| error.to_string())?.single_frame();
    decoder.window_log_max(23).map_err(|error| error.to_string())?;
    let mut text = Vec::new();
    decoder.by_ref().take(limits.manifest_json_bytes.saturating_add(1)).read_to_end(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > limits.manifest_json_bytes {
        return Err(format!("more than the {} bytes allowed after decompression", limits.manifest_json_bytes));
    }
    match decoder.finish() {
        [] => Ok(text),
        rest => Err(format!("{} bytes after the frame", rest.len())),
    }
}

#[cfg(test)]
mod tests;
