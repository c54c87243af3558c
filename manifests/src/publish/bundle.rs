//! A submission bundle: a signed proposal and the objects it needs in one zip, for a server that holds only online keys.
//!
//! `request.json` is the signing request, `objects/ab/abcdef…` are objects under the digest of their bytes. Importing writes an object only once its bytes are those of its name, so
//! nothing in a bundle can replace anything; what it makes visible is decided by signatures alone.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::disk::{Disk, DiskError, failed, refuse_precious};
use super::proposal::Proposal;
use super::signing_request;
use super::{PublishError, Repository};
use crate::digest::Digest;
use crate::name::ChannelId;
use crate::publish::change::Change;
use crate::publish::view::{self, View};

/// The name of the signing request in a bundle.
const REQUEST: &str = "request.json";
/// Most entries in a bundle: the packs and dictionaries of one release, and then some.
const MOST_ENTRIES: usize = 200_000;

/// Writes `file`, whole or not at all.
pub(super) fn write(file: &Path, proposal: &Proposal, disk: &Disk, objects: &BTreeSet<Digest>) -> Result<(), PublishError> {
    refuse_precious(file)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = tempfile::NamedTempFile::new_in(folder).map_err(failed("write beside", file))?;
    let mut zip = ZipWriter::new(io::BufWriter::new(beside.as_file()));
    // Objects are compressed already.
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
    let zipped = |error: zip::result::ZipError| failed("write", file)(io::Error::other(error.to_string()));
    zip.start_file(REQUEST, options).map_err(zipped)?;
    zip.write_all(&signing_request::to_bytes(proposal)?).map_err(failed("write", file))?;
    for object in objects {
        let path = disk.path(&object.object_path());
        let mut source = File::open(&path).map_err(failed("open", &path))?;
        zip.start_file(object.object_path(), options).map_err(zipped)?;
        io::copy(&mut source, &mut zip).map_err(failed("write", file))?;
    }
    zip.finish().map_err(zipped)?.flush().map_err(failed("write", file))?;
    beside.as_file().sync_all().map_err(failed("fsync", file))?;
    beside.persist(file).map_err(|error| failed("rename into place", file)(error.error))?;
    Ok(())
}

/// A bundle that is being read.
pub(super) struct Bundle<R> {
    zip: ZipArchive<R>,
    file: std::path::PathBuf,
}

/// Opens `file` if it is a zip; `None` when it is something else.
pub(super) fn open(file: &Path) -> Result<Option<Bundle<File>>, PublishError> {
    let mut opened = File::open(file).map_err(failed("open", file))?;
    let mut magic = [0; 4];
    let is_zip = opened.read_exact(&mut magic).is_ok() && &magic == b"PK\x03\x04";
    opened.rewind().map_err(failed("read", file))?;
    if !is_zip {
        return Ok(None);
    }
    let zip = ZipArchive::new(opened).map_err(|error| malformed(file, error.to_string()))?;
    if zip.len() > MOST_ENTRIES {
        return Err(malformed(file, format!("it has {} entries, more than the {MOST_ENTRIES} allowed", zip.len())));
    }
    Ok(Some(Bundle { zip, file: file.to_owned() }))
}

fn malformed(file: &Path, reason: String) -> PublishError {
    PublishError::NotARequest { file: file.to_owned(), reason }
}

impl<R: Read + Seek> Bundle<R> {
    /// The bytes of the signing request.
    pub(super) fn request(&mut self) -> Result<Vec<u8>, PublishError> {
        let entry = self.zip.by_name(REQUEST).map_err(|error| malformed(&self.file, format!("`{REQUEST}`: {error}")))?;
        let mut bytes = Vec::new();
        // Never more than a request may have, whatever the entry says of itself.
        entry.take(signing_request::LIMIT_BYTES + 1).read_to_end(&mut bytes).map_err(failed("read", &self.file))?;
        Ok(bytes)
    }

    /// Puts the objects into the repository on `disk`. Returns how many were new.
    pub(super) fn import(&mut self, disk: &Disk) -> Result<usize, PublishError> {
        let mut imported = 0;
        for index in 0..self.zip.len() {
            let mut entry = self.zip.by_index(index).map_err(|error| malformed(&self.file, error.to_string()))?;
            let name = entry.name().map_err(|error| malformed(&self.file, error.to_string()))?.into_owned();
            if name == REQUEST {
                continue;
            }
            let digest = object_of(&name).ok_or_else(|| malformed(&self.file, format!("`{}` is no object", name.escape_debug())))?;
            if !entry.is_file() || entry.compression() != CompressionMethod::Stored {
                return Err(malformed(&self.file, format!("`{name}` is not a stored file")));
            }
            let mut writer = disk.object()?;
            copy(&mut entry, &mut writer).map_err(|error| match error {
                Copy::Read(error) => failed("read", &self.file)(error),
                Copy::Write(error) => error,
            })?;
            let put = writer
                .finish_as(digest)?
                .ok_or_else(|| malformed(&self.file, format!("the bytes of `{name}` are not those of its name")))?;
            imported += usize::from(put == super::disk::Put::Written);
        }
        Ok(imported)
    }
}

enum Copy {
    Read(io::Error),
    Write(DiskError),
}

fn copy(from: &mut impl Read, to: &mut super::disk::ObjectWriter<'_>) -> Result<(), Copy> {
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match from.read(&mut buffer).map_err(Copy::Read)? {
            0 => return Ok(()),
            count => to.write(buffer.get(..count).unwrap_or_default()).map_err(Copy::Write)?,
        }
    }
}

/// The digest in `objects/ab/abcdef…`.
fn object_of(name: &str) -> Option<Digest> {
    let digest: Digest = name.rsplit_once('/')?.1.parse().ok()?;
    (digest.object_path() == name).then_some(digest)
}

impl Repository {
    /// The objects of the releases that `change` lists and `view` does not, but for those that other releases of the same channels need: a server that has what `view` lists has them.
    pub(super) fn new_objects(&self, view: &View, change: &Change) -> Result<BTreeSet<Digest>, PublishError> {
        let mut objects = BTreeSet::new();
        for (id, release) in view.new_releases(&change.documents)? {
            let manifest = view::read_manifest(&self.disk, &release.manifest, &view::release_id(&id, &release.build), &self.limits)?;
            objects.extend(manifest.objects().map(|object| object.sha256));
            objects.insert(release.manifest.sha256);
        }
        let channels = change.documents.keys().filter_map(|path| ChannelId::from_target_path(path).ok());
        for manifest in channels.flat_map(|id| self.listed_manifests(view.channels.get(&id))) {
            manifest.objects().for_each(|object| {
                objects.remove(&object.sha256);
            });
        }
        Ok(objects)
    }
}
