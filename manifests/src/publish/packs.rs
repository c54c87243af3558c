//! Puts new contents into packs (`docs/format.md` section 7).
//!
//! [`plan`] is pure: small files lie sorted by extension and path, many to a frame, so that like helps like; a large file has frames of its own. [`write()`] compresses frame by frame on all
//! cores, in bounded memory, and the same contents always make the same bytes. How the sizes were chosen: `docs/decisions/0001-frame-size.md`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use zstd::bulk::Compressor;
use zstd::dict::EncoderDictionary;
use zstd::zstd_safe::CParameter;

use crate::channel::ObjectRef;
use crate::digest::Digest;
use crate::pack::{Frame, MAX_FRAME, Pack};
use crate::path::RelPath;
use crate::publish::disk::{Disk, DiskError, Put, failed};
use crate::publish::ordered::in_order;
use crate::publish::progress::{Progress, Stage};
use crate::publish::scan::{self, ScanError};

mod dictionary;

/// Content of a frame that small files share, in bytes. Files of this size and more have their own.
pub const SMALL_FRAME: u64 = 512 * 1024;
/// Content of a frame of a large file, in bytes: the most that a station has to hold, and as far as a match reaches.
pub const LARGE_FRAME: u64 = MAX_FRAME;
/// Content of a pack, in bytes: some 16 to 32 MB stored, few enough requests for a fresh install and little enough to pack anew when it goes stale.
pub const PACK_CONTENT: u64 = 64 * 1024 * 1024;

/// How hard to compress.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Effort {
    /// Some 30 MB a second and core, hashing and proof included.
    #[default]
    Fast,
    /// Some 3 MB a second and core, 5 to 10 % smaller.
    Best,
}

impl Effort {
    /// The zstd level.
    pub const fn level(self) -> i32 {
        match self {
            Effort::Fast => 12,
            Effort::Best => 19,
        }
    }
}

/// A content that no pack at hand holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Its digest.
    pub sha256: Digest,
    /// Its size in bytes, not 0.
    pub size: u64,
    /// A file that holds it.
    pub path: RelPath,
}

/// What goes into one pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackPlan {
    /// Whether the pack holds many files to a frame.
    pub shared: bool,
    /// Its frames, each a row of pieces.
    pub frames: Vec<Vec<Piece>>,
    /// Where each content begins, in bytes of the pack's content.
    pub places: Vec<(Content, u64)>,
}

/// A stretch of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The file.
    pub path: RelPath,
    /// Where the stretch begins in it.
    pub offset: u64,
    /// Its length.
    pub length: u64,
}

/// Lays out `contents`, each of which is there once.
pub fn plan(mut contents: Vec<Content>) -> Vec<PackPlan> {
    contents.sort_by(|a, b| (extension(&a.path), &a.path).cmp(&(extension(&b.path), &b.path)));
    let (small, large): (Vec<_>, Vec<_>) = contents.into_iter().partition(|content| content.size < SMALL_FRAME);
    let mut packs = layout(small, true);
    packs.extend(layout(large, false));
    packs
}

fn extension(path: &RelPath) -> String {
    path.file_name().rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default()
}

fn layout(contents: Vec<Content>, shared: bool) -> Vec<PackPlan> {
    let empty = || PackPlan { shared, frames: vec![], places: vec![] };
    let (mut packs, mut pack, mut filled, mut frame_length) = (vec![], empty(), 0, u64::MAX);
    for content in contents {
        if filled > 0 && filled + content.size > PACK_CONTENT {
            packs.push(std::mem::replace(&mut pack, empty()));
            (filled, frame_length) = (0, u64::MAX);
        }
        let (path, size) = (content.path.clone(), content.size);
        pack.places.push((content, filled));
        if shared {
            match pack.frames.last_mut() {
                Some(frame) if frame_length.saturating_add(size) <= SMALL_FRAME => {
                    frame.push(Piece { path, offset: 0, length: size });
                    frame_length += size;
                }
                _ => {
                    pack.frames.push(vec![Piece { path, offset: 0, length: size }]);
                    frame_length = size;
                }
            }
        } else {
            let pieces = (0..size.div_ceil(LARGE_FRAME)).map(|index| index * LARGE_FRAME);
            pack.frames.extend(pieces.map(|offset| vec![Piece { path: path.clone(), offset, length: LARGE_FRAME.min(size - offset) }]));
        }
        filled += size;
    }
    if !pack.frames.is_empty() {
        packs.push(pack);
    }
    packs
}

/// A pack that is in the repository, with its dictionary and the places of the contents that a release takes from it.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacedPack {
    /// The pack; the index of its dictionary is set when the manifest is composed.
    pub pack: Pack,
    /// Its dictionary.
    pub dictionary: Option<ObjectRef>,
    /// Where contents begin, in bytes of the pack's content.
    pub places: HashMap<Digest, u64>,
}

/// What writing packs came to.
#[derive(Debug, Default)]
pub struct Packed {
    /// The packs.
    pub packs: Vec<PlacedPack>,
    /// Bytes of objects that were not there before.
    pub new_bytes: u64,
}

/// A frame that is to be compressed.
struct Job<'a> {
    plan: &'a PackPlan,
    pieces: &'a [Piece],
    /// Which frame of the plan it is.
    nth: usize,
}

/// Compresses the packs of `plans` from the files in `folder`, and puts them into the repository.
pub fn write(disk: &Disk, folder: &Path, plans: &[PackPlan], effort: Effort, progress: &dyn Progress) -> Result<Packed, ScanError> {
    progress.begin(Stage::Packing, plans.iter().flat_map(|plan| &plan.places).map(|(content, _)| content.size).sum());
    let mut packed = Packed::default();
    let dictionary = match effort {
        Effort::Fast => None,
        Effort::Best => dictionary::worthwhile(folder, plans, effort.level())?,
    };
    let dictionary = match dictionary {
        None => None,
        Some(bytes) => {
            let mut writer = disk.object()?;
            writer.write(&bytes)?;
            let (object, put) = writer.finish()?;
            packed.count(object, put);
            Some((object, EncoderDictionary::copy(&bytes, effort.level())))
        }
    };
    let jobs: Vec<Job<'_>> =
        plans.iter().flat_map(|plan| plan.frames.iter().enumerate().map(move |(nth, pieces)| Job { plan, pieces, nth })).collect();
    let work = |job: &Job<'_>| {
        let content = read_pieces(folder, job.pieces)?;
        let prepared = dictionary.as_ref().filter(|_| job.plan.shared).map(|(_, prepared)| prepared);
        let stored = compress(&content, effort.level(), prepared).map_err(failed("compress", folder))?;
        progress.advance(content.len() as u64);
        Ok::<_, ScanError>((stored, content.len() as u64))
    };
    let mut open = None;
    let mut frames = Vec::new();
    in_order(&jobs, work, |_, Job { plan, nth, .. }, (stored, content)| {
        if open.is_none() {
            open = Some(disk.object()?);
        }
        if let Some(writer) = &mut open {
            writer.write(&stored)?;
        }
        frames.push(Frame(stored.len() as u64, content));
        let last_of_pack = nth + 1 == plan.frames.len();
        if let Some(writer) = open.take_if(|_| last_of_pack) {
            let (object, put) = writer.finish()?;
            packed.count(object, put);
            let pack = Pack { sha256: object.sha256, length: object.length, dictionary: None, frames: std::mem::take(&mut frames) };
            let places = plan.places.iter().map(|(content, offset)| (content.sha256, *offset)).collect();
            let dictionary = dictionary.as_ref().filter(|_| plan.shared).map(|(object, _)| *object);
            packed.packs.push(PlacedPack { pack, dictionary, places });
        }
        Ok(())
    })?;
    Ok(packed)
}

impl Packed {
    fn count(&mut self, object: ObjectRef, put: Put) {
        self.new_bytes += if put == Put::Written { object.length } else { 0 };
    }
}

fn read_pieces(folder: &Path, pieces: &[Piece]) -> Result<Vec<u8>, ScanError> {
    let mut content = Vec::with_capacity(usize::try_from(pieces.iter().map(|piece| piece.length).sum::<u64>()).unwrap_or(0));
    for piece in pieces {
        let path = scan::below(folder, &piece.path);
        let before = content.len();
        scan::gone_is_changed(read_piece(&path, piece, &mut content), &piece.path)?;
        if (content.len() - before) as u64 != piece.length {
            return Err(ScanError::Changed(piece.path.to_string()));
        }
    }
    Ok(content)
}

fn read_piece(path: &PathBuf, piece: &Piece, content: &mut Vec<u8>) -> Result<(), DiskError> {
    let mut file = File::open(path).map_err(failed("open", path))?;
    if piece.offset > 0 {
        file.seek(SeekFrom::Start(piece.offset)).map_err(failed("read", path))?;
    }
    file.take(piece.length).read_to_end(content).map_err(failed("read", path))?;
    Ok(())
}

/// One frame as `docs/format.md` section 7 wants it: content size, no checksum, no dictionary id, a window of at most 8 MiB.
fn compress(content: &[u8], level: i32, dictionary: Option<&EncoderDictionary<'_>>) -> io::Result<Vec<u8>> {
    let mut compressor = match dictionary {
        Some(dictionary) => Compressor::with_prepared_dictionary(dictionary)?,
        None => Compressor::new(level)?,
    };
    compressor.set_parameter(CParameter::ChecksumFlag(false))?;
    compressor.set_parameter(CParameter::ContentSizeFlag(true))?;
    compressor.set_parameter(CParameter::DictIdFlag(false))?;
    if dictionary.is_none() {
        compressor.set_parameter(CParameter::WindowLog(LARGE_FRAME.ilog2()))?;
    }
    compressor.compress(content)
}

/// One frame of a whole document, however long, with a window that stations accept.
pub(crate) fn compress_document(text: &[u8]) -> io::Result<Vec<u8>> {
    compress(text, Effort::Fast.level(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(path: &str, size: u64) -> Content {
        Content { sha256: Digest::of(path.as_bytes()), size, path: path.parse().unwrap() }
    }

    #[test]
    fn small_files_of_one_kind_lie_together_and_large_ones_alone() {
        let packs = plan(vec![content("b.js", 10), content("a.css", 10), content("a.js", 10), content("big.dll", 20 << 20)]);
        assert_eq!(packs.len(), 2);
        let order: Vec<_> = packs[0].places.iter().map(|(content, at)| (content.path.as_str(), *at)).collect();
        assert_eq!(order, [("a.css", 0), ("a.js", 10), ("b.js", 20)]);
        assert_eq!(packs[0].frames.len(), 1);
        let lengths: Vec<_> = packs[1].frames.iter().map(|frame| frame[0].length).collect();
        assert_eq!(lengths, [8 << 20, 8 << 20, 4 << 20]);
    }

    #[test]
    fn frames_and_packs_stay_within_their_bounds_and_cover_everything_once() {
        let sizes = [1, 1000, SMALL_FRAME - 1, SMALL_FRAME, SMALL_FRAME + 1, LARGE_FRAME, LARGE_FRAME + 1, PACK_CONTENT + 5];
        let contents: Vec<_> = (0..400).map(|index| content(&format!("f{index:04}.x{}", index % 3), sizes[index % sizes.len()])).collect();
        let total: u64 = contents.iter().map(|content| content.size).sum();
        let packs = plan(contents);
        let mut covered = 0;
        for pack in &packs {
            let mut offset = 0;
            let mut starts = HashMap::new();
            for frame in &pack.frames {
                let length: u64 = frame.iter().map(|piece| piece.length).sum();
                assert!((1..=if pack.shared { SMALL_FRAME } else { LARGE_FRAME }).contains(&length));
                for piece in frame {
                    starts.entry(piece.path.clone()).or_insert(offset - piece.offset.min(offset));
                    offset += piece.length;
                }
            }
            assert!(offset <= PACK_CONTENT || pack.places.len() == 1);
            assert!(pack.places.iter().all(|(content, at)| starts[&content.path] == *at));
            covered += offset;
        }
        assert_eq!(covered, total);
    }

    #[test]
    fn frames_have_a_content_size_and_neither_checksum_nor_dictionary_id() {
        let text: Vec<u8> = (0..40_000u32).flat_map(|n| (n * n).to_le_bytes()).collect();
        let dictionary = EncoderDictionary::copy(&text[..5000], 12);
        for stored in
            [compress(&text, 12, None).unwrap(), compress(&text, 19, None).unwrap(), compress(&text, 12, Some(&dictionary)).unwrap()]
        {
            assert_eq!(stored[4] & 0b0000_0111, 0, "checksum or dictionary id");
            assert_eq!(zstd::zstd_safe::get_frame_content_size(&stored).unwrap(), Some(text.len() as u64));
        }
    }
}
