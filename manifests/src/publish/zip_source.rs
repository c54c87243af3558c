//! Unpacks a zip so that it can be published like a folder (attack D10).
//!
//! The whole directory of the archive is judged before one byte is unpacked: names and links by the rules of [`crate::publish::lint`], which leave no way out of the folder; two headers that disagree, a second directory, entries that
//! overlap, names that stand there twice, encryption, and sizes or ratios of a bomb. What comes out is counted against what the directory promised. Links are made last, so that no file is ever
//! written through one.
//!
//! Zips hold local times without a zone. Where the entry has the extended timestamp, which is UTC, that counts; else the time is taken as UTC.

use std::fs::{self, File, FileTimes};
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;
use zip::extra_fields::ExtraField;
use zip::read::ZipFile;
use zip::{CompressionMethod, ZipArchive};

use super::disk::{DiskError, failed};
use super::lint::{Finding, Findings, Rule};
use super::progress::{Progress, Stage};
use super::scan::{Found, FoundKind, below};
use crate::path::RelPath;
use crate::time::UtcTime;

mod layout;

/// Bounds on what a zip may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZipLimits {
    /// Most entries.
    pub entries: usize,
    /// Most bytes that all entries together unpack to.
    pub content_bytes: u64,
    /// How many times larger than the archive its content may be, once it is larger than `free_bytes`. Real builds stay below 20; deflate itself ends at 1,032.
    pub ratio: u64,
    /// Bytes up to which the ratio does not matter.
    pub free_bytes: u64,
}

impl Default for ZipLimits {
    fn default() -> Self {
        ZipLimits { entries: 1_000_000, content_bytes: 64 << 30, ratio: 100, free_bytes: 256 << 20 }
    }
}

/// Longest target of a link, in bytes.
const LINK_BYTES: u64 = 4096;

/// A zip could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum ZipError {
    /// Its directory was judged, and something in it is not fit.
    #[error("{0}")]
    Unfit(Findings),
    /// It is no zip, or a damaged one.
    #[error("`{}` is not a sound zip file: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It asks for more than the limits allow.
    #[error("`{}` looks like a zip bomb: {reason}; unpack it with a tool that you trust and publish the folder", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Which limit.
        reason: String,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// An unpacked zip; the folder goes when this is dropped.
#[derive(Debug)]
pub struct Unpacked {
    folder: TempDir,
}

impl Unpacked {
    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Unpacks the zip at `path` into a temporary folder, if `judge` finds nothing wrong with its list of entries.
pub fn unpack(
    path: &Path,
    limits: &ZipLimits,
    judge: &dyn Fn(&[Found]) -> Findings,
    progress: &dyn Progress,
) -> Result<Unpacked, ZipError> {
    let malformed = |error: zip::result::ZipError| ZipError::Malformed { path: path.to_owned(), reason: error.to_string() };
    let file = File::open(path).map_err(failed("open", path))?;
    let length = file.metadata().map_err(failed("read", path))?.len();
    let mut archive = ZipArchive::new(io::BufReader::new(file)).map_err(malformed)?;
    check_limits(path, &archive, length, limits)?;
    archive.validate_header_consistency().map_err(malformed)?;
    let mut again = File::open(path).map_err(failed("open", path))?;
    if let Some(reason) = layout::ambiguity(&mut archive, &mut again, length).map_err(failed("read", path))? {
        return Err(ZipError::Malformed { path: path.to_owned(), reason });
    }

    let (found, mut findings) = list(path, &mut archive)?;
    findings.0.extend(judge(&found).0);
    if findings.errors().next().is_some() {
        return Err(ZipError::Unfit(findings));
    }

    let folder = TempDir::new().map_err(failed("make a temporary folder in", &std::env::temp_dir()))?;
    progress.begin(Stage::Unpacking, found.iter().map(|entry| if let FoundKind::File { size, .. } = entry.kind { size } else { 0 }).sum());
    let mut links = Vec::new();
    for (index, entry) in found.iter().enumerate() {
        // Lint has accepted every name.
        let Ok(name) = entry.path.parse::<RelPath>() else { continue };
        let place = below(folder.path(), &name);
        let parent = place.parent().unwrap_or(folder.path());
        match &entry.kind {
            FoundKind::Directory { .. } => fs::create_dir_all(&place).map_err(failed("make", &place))?,
            FoundKind::Link { target: Some(target) } => links.push((place, target.clone())),
            FoundKind::File { size, mtime, exec } => {
                fs::create_dir_all(parent).map_err(failed("make", parent))?;
                let mut zipped = archive.by_index(index).map_err(malformed)?;
                unpack_file(path, &mut zipped, &place, *size, progress)?;
                finish_file(&place, *mtime, *exec).map_err(failed("set time and mode of", &place))?;
            }
            // An error of lint.
            _ => {}
        }
    }
    for (place, target) in links {
        let parent = place.parent().unwrap_or(folder.path());
        fs::create_dir_all(parent).map_err(failed("make", parent))?;
        make_link(&target, &place).map_err(failed("make the link", &place))?;
    }
    Ok(Unpacked { folder })
}

type Archive = ZipArchive<io::BufReader<File>>;

fn check_limits(path: &Path, archive: &Archive, length: u64, limits: &ZipLimits) -> Result<(), ZipError> {
    let too_large = |reason: String| Err(ZipError::TooLarge { path: path.to_owned(), reason });
    if archive.len() > limits.entries {
        return too_large(format!("{} entries are more than the {} allowed", archive.len(), limits.entries));
    }
    let mut content = 0u64;
    for index in 0..archive.len() {
        let size = archive.by_index_data(index).map(|entry| entry.size()).unwrap_or(u64::MAX);
        content = content.saturating_add(size);
    }
    if content > limits.content_bytes {
        return too_large(format!("it unpacks to more than the {} bytes allowed", limits.content_bytes));
    }
    if content > limits.free_bytes && content > length.saturating_mul(limits.ratio) {
        return too_large(format!("it unpacks to more than {} times its size", limits.ratio));
    }
    Ok(())
}

/// The entries as a listing of a folder, index by index, and what is wrong with them as entries of a zip.
fn list(path: &Path, archive: &mut Archive) -> Result<(Vec<Found>, Findings), ZipError> {
    let malformed = |error: zip::result::ZipError| ZipError::Malformed { path: path.to_owned(), reason: error.to_string() };
    let mut found = Vec::with_capacity(archive.len());
    let mut findings = Findings::default();
    for index in 0..archive.len() {
        let listed = archive.name_for_index(index).and_then(Result::ok).map_or_else(|| format!("entry {index}"), |name| name.into_owned());
        let mut entry = match archive.by_index(index) {
            Ok(entry) => entry,
            Err(error) => {
                let name = listed;
                findings.0.push(Finding::at(Rule::UnsafeArchive, &name, format!("cannot be read ({error})")));
                found.push(Found { path: name, kind: FoundKind::Directory { empty: false } });
                continue;
            }
        };
        let name = entry.name().map(|name| name.into_owned());
        let (name, unicode) = match name {
            Ok(name) => (name, true),
            Err(_) => (String::from_utf8_lossy(entry.name_raw()).into_owned(), false),
        };
        let supported = matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated);
        if entry.encrypted() || !supported {
            let detail = if supported { "is encrypted" } else { "is compressed by a method other than deflate" };
            findings.0.push(Finding::at(Rule::UnsafeArchive, &name, detail));
        }
        let kind = if unicode { kind_of(&mut entry).map_err(failed("read", path))? } else { FoundKind::NotUnicode };
        let name = if matches!(kind, FoundKind::Directory { .. }) { name.strip_suffix('/').unwrap_or(&name).to_owned() } else { name };
        found.push(Found { path: name, kind });
    }
    // A folder may hold entries or not: what the archive says of it twice is no collision with itself.
    drop_implied(&mut found, &mut findings);
    archive_names(archive, &mut findings).map_err(malformed)?;
    Ok((found, findings))
}

/// Names that stand in the directory of the archive more than once.
fn archive_names(archive: &Archive, findings: &mut Findings) -> zip::result::ZipResult<()> {
    if archive.has_duplicate_names() {
        findings.0.push(Finding::of_folder(Rule::Repeated, "the archive holds a name more than once"));
    }
    Ok(())
}

/// Entries that are a folder for one and a file for another: a path below a file or link.
fn drop_implied(found: &mut [Found], findings: &mut Findings) {
    let leaves: std::collections::HashSet<String> = found
        .iter()
        .filter(|entry| !matches!(entry.kind, FoundKind::Directory { .. }))
        .filter_map(|entry| entry.path.parse::<RelPath>().ok())
        .map(|path| path.folded())
        .collect();
    for entry in found.iter() {
        let Ok(path) = entry.path.parse::<RelPath>() else { continue };
        if let Some(parent) = path.parents().find(|parent| leaves.contains(&parent.folded())) {
            findings.0.push(Finding::at(Rule::UnsafeArchive, &entry.path, format!("lies below `{parent}`, which is a file or link")));
        }
    }
}

fn kind_of<R: Read>(entry: &mut ZipFile<'_, R>) -> io::Result<FoundKind> {
    const TYPE: u32 = 0o170_000;
    match entry.unix_mode().map(|mode| mode & TYPE) {
        Some(0o120_000) => {
            let mut target = Vec::new();
            entry.take(LINK_BYTES).read_to_end(&mut target)?;
            return Ok(FoundKind::Link { target: String::from_utf8(target).ok() });
        }
        Some(0 | 0o100_000 | 0o040_000) | None => {}
        Some(_) => return Ok(FoundKind::Special),
    }
    if entry.is_dir() {
        return Ok(FoundKind::Directory { empty: false });
    }
    let exec = entry.unix_mode().is_some_and(|mode| mode & 0o100 != 0);
    Ok(FoundKind::File { size: entry.size(), mtime: mtime(entry), exec })
}

/// Seconds since 1970 UTC.
fn mtime<R: Read>(entry: &ZipFile<'_, R>) -> i64 {
    let dos = entry.last_modified().map(|time| {
        let text = format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            time.year(),
            time.month(),
            time.day(),
            time.hour(),
            time.minute(),
            time.second()
        );
        (time.year(), text.parse::<UtcTime>().map_or(0, UtcTime::unix))
    });
    let extended = entry.extra_data_fields().find_map(|field| match field {
        ExtraField::ExtendedTimestamp(time) => time.mod_time(),
        _ => None,
    });
    match (extended, dos) {
        // The field has 32 bits, meant as signed; past 2038 writers let it run over, and the year beside it tells.
        (Some(seconds), Some((year, _))) if year >= 2038 => i64::from(seconds),
        (Some(seconds), _) => i64::from(seconds.cast_signed()),
        (None, Some((_, seconds))) => seconds,
        (None, None) => 0,
    }
}

fn unpack_file<R: Read>(path: &Path, entry: &mut ZipFile<'_, R>, place: &Path, size: u64, progress: &dyn Progress) -> Result<(), ZipError> {
    let mut file = File::create_new(place).map_err(failed("create", place))?;
    let mut reader = BufReader::with_capacity(128 * 1024, entry);
    let mut written = 0u64;
    loop {
        let piece = reader.fill_buf().map_err(|error| ZipError::Malformed { path: path.to_owned(), reason: error.to_string() })?;
        let count = piece.len();
        written = written.saturating_add(count as u64);
        if written > size || (count == 0 && written < size) {
            let reason = format!("`{}` does not have the size that the archive says", place.file_name().unwrap_or_default().display());
            return Err(ZipError::Malformed { path: path.to_owned(), reason });
        }
        if count == 0 {
            return Ok(());
        }
        file.write_all(piece).map_err(failed("write", place))?;
        progress.advance(count as u64);
        reader.consume(count);
    }
}

fn finish_file(place: &Path, mtime: i64, exec: bool) -> io::Result<()> {
    let distance = Duration::from_secs(mtime.unsigned_abs());
    let time: Option<SystemTime> = if mtime < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) };
    let file = File::options().write(true).open(place)?;
    if let Some(time) = time {
        file.set_times(FileTimes::new().set_modified(time))?;
    }
    set_exec(&file, exec)
}

#[cfg(unix)]
fn set_exec(file: &File, exec: bool) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(if exec { 0o755 } else { 0o644 }))
}

#[cfg(not(unix))]
fn set_exec(_: &File, _: bool) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn make_link(target: &str, place: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, place)
}

#[cfg(not(unix))]
fn make_link(_: &str, _: &Path) -> io::Result<()> {
    Err(io::Error::other("this system makes no such links: publish from Linux or macOS"))
}

#[cfg(test)]
mod tests;
