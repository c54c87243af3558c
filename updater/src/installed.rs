//! `installed`: what is installed in a folder, and how to tell whether a file is still that (`docs/format.md` section 11).

use std::borrow::Cow;
use std::io::{BufRead, BufReader};

use manifests::build::{Build, Scheme};
use manifests::channel::{FORMAT, Place};
use manifests::digest::Digest;
use manifests::json;
use manifests::name::{Arch, Name, Os, Variant};
use manifests::path::RelPath;
use manifests::release::{ConfigPolicy, ReleaseId};
use manifests::time::FileTime;
use serde::{Deserialize, Serialize};

use crate::fs::{Folder, FsError, LocalPath, Stat, escape, unescape};
pub use crate::lines::Damaged;
use crate::lines::{self, Unread};

/// Longest first line, in bytes.
const HEAD_LIMIT_BYTES: usize = 64 * 1024;
/// What is read at once.
const BUFFER_BYTES: usize = 64 * 1024;
/// A line of a file is no shorter, so there is room for all of them; what is not needed of it is never touched.
const SHORTEST_LINE_BYTES: usize = 80;
/// No file is believed to have more lines than this before they are read.
const MOST_RESERVED: usize = 1 << 18;

/// What is installed. Files, links and folders are each in the order of their paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The release.
    pub release: InstalledRelease,
    /// Its files, and those that earlier releases left.
    pub files: Vec<InstalledFile>,
    /// Its symbolic links.
    pub links: Vec<InstalledLink>,
    /// Its folders that hold no file.
    pub folders: Vec<RelPath>,
}

/// The release that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledRelease {
    /// Product, OS, arch, variant and build.
    pub id: ReleaseId,
    /// Epoch and sequence.
    pub place: Place,
    /// Digest of the stored bytes of its manifest.
    pub manifest: Digest,
    /// The file that starts the client.
    pub entry_point: Option<RelPath>,
}

/// A file that a release of ours installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledFile {
    /// Where.
    pub path: RelPath,
    /// Its size in bytes.
    pub size: u64,
    /// The time that the release asked for.
    pub as_set: FileTime,
    /// What the file system gave back after setting it; `None` for a file whose user's copy was kept: `sha256` is then the release's.
    pub as_read: Option<FileTime>,
    /// Its mode.
    pub mode: u32,
    /// What happens to a copy that its user changed; `None` only in the record of a backup.
    pub policy: Option<ConfigPolicy>,
    /// Digest of the content that the release has.
    pub sha256: Digest,
    /// Whether the installed release lists it; otherwise an earlier one did.
    pub is_listed: bool,
}

/// A symbolic link that a release installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledLink {
    /// Where.
    pub path: RelPath,
    /// What it holds.
    pub target: String,
}

/// The installed state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InstalledError {
    /// It is there, but damaged; the tree is then read by hash.
    #[error("`{path}` is damaged: {source}; `updater update` reads every file and makes it anew")]
    Damaged {
        /// Which file.
        path: LocalPath,
        /// How.
        source: Damaged,
    },
    /// Something is installed, and what was written down of it is gone or damaged.
    #[error("the record of what is installed here is gone or damaged: `updater update` reads every file and makes it anew")]
    Lost,
    /// The file system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
}

#[derive(Serialize, Deserialize)]
struct HeadWire<'a> {
    format: u64,
    #[serde(rename = "type")]
    document: Cow<'a, str>,
    product: Name,
    os: Os,
    arch: Arch,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variant: Option<Variant>,
    epoch: u64,
    sequence: u64,
    build: Cow<'a, str>,
    scheme: Scheme,
    manifest: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entry_point: Option<RelPath>,
}

impl InstalledFile {
    /// Whether a file that looks like `stat` is as installed without being read (D-03b): same size, and the time that was set or read back, in whole seconds.
    pub fn is_as_installed(&self, stat: &Stat) -> bool {
        let time = stat.mtime();
        stat.is_file() && stat.size == self.size && self.as_read.is_some_and(|as_read| time == as_read || time == self.as_set)
    }
}

impl InstalledFile {
    /// Whether it is something that can be started.
    pub fn can_run(&self) -> bool {
        self.mode & 0o111 != 0 || self.path.as_str().to_ascii_lowercase().ends_with(".exe")
    }
}

impl Installed {
    /// `.updater/installed`.
    pub fn path() -> LocalPath {
        LocalPath::state("installed")
    }

    /// Reads the text.
    pub fn parse(bytes: &[u8]) -> Result<Installed, Damaged> {
        Self::read(bytes, bytes.len()).map_err(Unread::of_memory)
    }

    /// Reads the text of some `length` bytes from `source`.
    fn read(source: impl BufRead, length: usize) -> Result<Installed, Unread> {
        let head = |line: &str| {
            let files = Vec::with_capacity((length / SHORTEST_LINE_BYTES).min(MOST_RESERVED));
            Ok(Installed { release: parse_head(line)?, files, links: vec![], folders: vec![] })
        };
        let mut installed = lines::read(source, head, |installed: &mut Installed, fields| {
            match fields.next()? {
                kind @ ("f" | "g") => installed.files.push(InstalledFile {
                    size: fields.number()?,
                    as_set: fields.time()?,
                    as_read: match fields.next()? {
                        "-" => None,
                        text => Some(lines::time(text)?),
                    },
                    mode: fields.mode()?,
                    policy: parse_policy(fields.next()?)?,
                    sha256: fields.digest()?,
                    path: parse_path(fields.next()?)?,
                    is_listed: kind == "f",
                }),
                "l" => {
                    let target = String::from_utf8(unescape(fields.next()?)?).ok()?;
                    installed.links.push(InstalledLink { target, path: parse_path(fields.next()?)? });
                }
                "d" => installed.folders.push(parse_path(fields.next()?)?),
                _ => return None,
            }
            Some(())
        })?;
        // As it was written, unless somebody else wrote it.
        if !installed.is_in_order() {
            installed.sort();
            if !installed.is_in_order() {
                return Err(Damaged::Head("a path is listed twice".into()).into());
            }
        }
        Ok(installed)
    }

    /// Whether all paths are in their order, and no file or link is listed twice.
    fn is_in_order(&self) -> bool {
        self.files.is_sorted_by(|a, b| a.path < b.path) && self.links.is_sorted_by(|a, b| a.path < b.path) && self.folders.is_sorted()
    }

    /// The text.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(400 + self.files.len() * 150);
        text.extend_from_slice(&head_line(&self.release));
        for file in &self.files {
            let kind = if file.is_listed { 'f' } else { 'g' };
            lines::push(&mut text, format_args!("{kind}\t{}\t{}\t", file.size, file.as_set.unix()));
            match file.as_read {
                Some(time) => lines::push(&mut text, format_args!("{}", time.unix())),
                None => text.push(b'-'),
            }
            lines::push(&mut text, format_args!("\t{:04o}\t{}\t", file.mode, policy_letter(file.policy)));
            lines::push_digest(&mut text, &file.sha256);
            lines::push(&mut text, format_args!("\t{}\n", escape(file.path.as_str().as_bytes())));
        }
        for link in &self.links {
            lines::push(&mut text, format_args!("l\t{}\t{}\n", escape(link.target.as_bytes()), escape(link.path.as_str().as_bytes())));
        }
        for folder in &self.folders {
            lines::push(&mut text, format_args!("d\t{}\n", escape(folder.as_str().as_bytes())));
        }
        lines::finish(text)
    }

    /// What is installed in `folder`; `None` when nothing is.
    pub fn load(folder: &Folder) -> Result<Option<Installed>, InstalledError> {
        Self::load_from(folder, &Self::path())
    }

    /// What the file `path` says, such as that of a backup.
    pub(crate) fn load_from(folder: &Folder, path: &LocalPath) -> Result<Option<Installed>, InstalledError> {
        let Some(file) = folder.open_record(path)? else { return Ok(None) };
        let length = file.metadata().map_or(0, |data| data.len());
        match Self::read(BufReader::with_capacity(BUFFER_BYTES, file), usize::try_from(length).unwrap_or(0)) {
            Ok(installed) => Ok(Some(installed)),
            Err(Unread::Damaged(source)) => Err(InstalledError::Damaged { path: path.clone(), source }),
            Err(Unread::Io(source)) => Err(FsError::io("reading", path, source).into()),
        }
    }

    /// Brings files, links and folders into the order of their paths.
    pub fn sort(&mut self) {
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        self.links.sort_by(|a, b| a.path.cmp(&b.path));
        self.folders.sort();
    }

    /// The file at `path`, of this release or an earlier one.
    pub fn file(&self, path: &RelPath) -> Option<&InstalledFile> {
        self.files.binary_search_by(|file| file.path.cmp(path)).ok().map(|index| &self.files[index])
    }

    /// The file at the path of these bytes, for names that come from the file system.
    pub(crate) fn file_at(&self, path: &[u8]) -> Option<&InstalledFile> {
        self.files.binary_search_by(|file| file.path.as_str().as_bytes().cmp(path)).ok().map(|index| &self.files[index])
    }

    /// The link at `path`.
    pub fn link(&self, path: &RelPath) -> Option<&InstalledLink> {
        self.links.binary_search_by(|link| link.path.cmp(path)).ok().map(|index| &self.links[index])
    }
}

fn parse_head(line: &str) -> Result<InstalledRelease, Damaged> {
    let wrong = |error: &dyn std::fmt::Display| Damaged::Head(error.to_string());
    let head: HeadWire<'static> = json::from_slice(line.as_bytes(), HEAD_LIMIT_BYTES).map_err(|error| wrong(&error))?;
    if head.format != FORMAT || head.document != "installed" {
        return Err(wrong(&format_args!("type `{}`, format {}", manifests::quote::quoted(&head.document, 80), head.format)));
    }
    let build = Build::parse(&head.build, head.scheme).map_err(|error| wrong(&error))?;
    let HeadWire { product, os, arch, variant, epoch, sequence, manifest, entry_point, .. } = head;
    Ok(InstalledRelease { id: ReleaseId { product, os, arch, variant, build }, place: Place(epoch, sequence), manifest, entry_point })
}

fn head_line(release: &InstalledRelease) -> Vec<u8> {
    let ReleaseId { product, os, arch, variant, build } = release.id.clone();
    let wire = HeadWire {
        format: FORMAT,
        document: "installed".into(),
        product,
        os,
        arch,
        variant,
        epoch: release.place.0,
        sequence: release.place.1,
        build: build.text().into(),
        scheme: build.scheme(),
        manifest: release.manifest,
        entry_point: release.entry_point.clone(),
    };
    // Text and numbers only: nothing in it can fail to serialise.
    let mut line = serde_json::to_vec(&wire).unwrap_or_default();
    line.push(b'\n');
    line
}

fn parse_path(text: &str) -> Option<RelPath> {
    if !text.contains('%') {
        return text.parse().ok();
    }
    String::from_utf8(unescape(text)?).ok()?.parse().ok()
}

fn parse_policy(text: &str) -> Option<Option<ConfigPolicy>> {
    Some(match text {
        "o" => Some(ConfigPolicy::Overwrite),
        "k" => Some(ConfigPolicy::Keep),
        "m" => Some(ConfigPolicy::Merge),
        "n" => Some(ConfigPolicy::NewBeside),
        "-" => None,
        _ => return None,
    })
}

fn policy_letter(policy: Option<ConfigPolicy>) -> char {
    match policy {
        Some(ConfigPolicy::Overwrite) => 'o',
        Some(ConfigPolicy::Keep) => 'k',
        Some(ConfigPolicy::Merge) => 'm',
        Some(ConfigPolicy::NewBeside) => 'n',
        None => '-',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::Kind;

    fn sample(files: usize) -> Installed {
        let file = |index: usize| InstalledFile {
            path: format!("lib/part {:03}/module-{index:06}.dll", index % 100).parse().unwrap(),
            size: index as u64,
            as_set: FileTime::clamped(1_763_683_200),
            as_read: (!index.is_multiple_of(7)).then(|| FileTime::clamped(1_763_683_199)),
            mode: 0o644,
            policy: Some(ConfigPolicy::NewBeside),
            sha256: Digest::of(&index.to_le_bytes()),
            is_listed: !index.is_multiple_of(5),
        };
        let id = ReleaseId {
            product: "smartclient".parse().unwrap(),
            os: Os::Windows,
            arch: Arch::X86_64,
            variant: Some("imMW_Face".parse().unwrap()),
            build: Build::parse("17.3.0.14", Scheme::Dotted).unwrap(),
        };
        let release =
            InstalledRelease { id, place: Place(1, 12), manifest: Digest::of(b"m"), entry_point: Some("a b.exe".parse().unwrap()) };
        let links = vec![InstalledLink { path: "l/ä".parse().unwrap(), target: "../x y".into() }];
        let mut installed = Installed { release, files: (0..files).map(file).collect(), links, folders: vec!["logs".parse().unwrap()] };
        installed.sort();
        installed
    }

    #[test]
    fn what_is_written_reads_back() {
        for files in [0, 1, 50] {
            assert_eq!(Installed::parse(&sample(files).to_bytes()), Ok(sample(files)));
        }
    }

    #[test]
    fn paths_in_another_order_are_brought_into_theirs() {
        let text = String::from_utf8(sample(2).to_bytes()).unwrap();
        let mut lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("end ")).collect();
        lines[1..=2].reverse();
        assert_eq!(Installed::parse(&lines::finish((lines.join("\n") + "\n").into_bytes())), Ok(sample(2)));
    }

    #[test]
    fn every_truncation_and_bit_flip_is_damage() {
        let bytes = sample(3).to_bytes();
        for length in 0..bytes.len() {
            assert!(Installed::parse(&bytes[..length]).is_err());
        }
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 4;
            assert!(Installed::parse(&flipped).is_err());
        }
    }

    #[test]
    fn a_right_digest_does_not_excuse_a_wrong_line() {
        let text = String::from_utf8(sample(1).to_bytes()).unwrap();
        let content = &text[..text.len() - 69];
        for (from, to) in [
            ("part%20000", "../x"),
            ("0644", "644"),
            ("\tn\t", "\tx\t"),
            ("d\tlogs", "d\tlogs\tmore"),
            ("d\tlogs", "e\tlogs"),
            (".dll", ".dll/.updater%0"),
        ] {
            assert!(content.contains(from), "{from}");
            let damaged = lines::finish(content.replace(from, to).into_bytes());
            assert!(matches!(Installed::parse(&damaged), Err(Damaged::Line { .. })), "{from} {to}");
        }
    }

    #[test]
    fn d_03b_a_file_is_as_installed_by_size_and_the_time_set_or_read_back() {
        let mut file = sample(2).files.remove(1);
        (file.as_set, file.as_read) = (FileTime::clamped(101), Some(FileTime::clamped(100)));
        let stat =
            |size, seconds| Stat { kind: Kind::File, size, seconds, nanoseconds: 5, mode: 0o600, links: 1, owner: 0, device: 0, inode: 0 };
        assert!(file.is_as_installed(&stat(file.size, 100)));
        assert!(file.is_as_installed(&stat(file.size, 101)));
        assert!(!file.is_as_installed(&stat(file.size, 102)));
        assert!(!file.is_as_installed(&stat(file.size + 1, 100)));
        file.as_read = None;
        assert!(!file.is_as_installed(&stat(file.size, 101)));
    }

    #[test]
    #[ignore = "a measurement: cargo test --release -p updater -- --ignored reads_a_hundred_thousand --nocapture"]
    fn reads_a_hundred_thousand_files_in_tens_of_milliseconds() {
        let bytes = sample(100_000).to_bytes();
        let start = std::time::Instant::now();
        let parsed = Installed::parse(&bytes).unwrap();
        let elapsed = start.elapsed();
        assert_eq!(parsed.files.len(), 100_000);
        assert!(elapsed < std::time::Duration::from_millis(200), "{elapsed:?}");
    }
}
