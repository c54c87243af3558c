//! Reads a pack as a station would and compares every file in it: what a publish proves before it signs, and what `verify` proves again.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use std::fs::File;
use std::io::{self, Read};

use crate::channel::ObjectRef;
use crate::digest::{Digest, Hasher};
use crate::pack::{FrameDecoder, Pack};
use crate::publish::disk::{Disk, DiskError, failed};
use crate::publish::progress::Progress;

/// A content that should lie in a pack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// Where, in bytes of the pack's content.
    pub offset: u64,
    /// Its length.
    pub size: u64,
    /// Its digest.
    pub sha256: Digest,
    /// A path that it has in a release, for messages.
    pub path: String,
}

/// What is wrong with a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackFault {
    /// The object is not there.
    Missing,
    /// The stored bytes are not those of its name.
    Bytes,
    /// A frame is not as it must be.
    Frame {
        /// Its index.
        index: usize,
        /// What is wrong.
        reason: String,
    },
    /// A file does not come out of it.
    Content(Wanted),
}

/// Reads `pack` frame by frame and reports what is wrong. `wanted` need not be sorted.
pub fn check_pack(
    disk: &Disk,
    pack: &Pack,
    dictionary: Option<&[u8]>,
    wanted: &[Wanted],
    progress: &dyn Progress,
) -> Result<Vec<PackFault>, DiskError> {
    let path = disk.path(&pack.sha256.object_path());
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![PackFault::Missing]),
        Err(error) => return Err(failed("open", &path)(error)),
    };
    // A dictionary that cannot be loaded makes every frame a bad one.
    let mut decoder = FrameDecoder::new(dictionary);
    let mut contents = Contents::new(wanted);
    let mut stored_hash = Hasher::new();
    let mut faults = Vec::new();
    for (index, frame) in pack.frames.iter().enumerate() {
        let mut stored = Vec::new();
        (&mut file).take(frame.0).read_to_end(&mut stored).map_err(failed("read", &path))?;
        stored_hash.update(&stored);
        if stored.len() as u64 != frame.0 {
            break;
        }
        match decoder.as_mut().map_err(|error| error.clone()).and_then(|decoder| decoder.decode(&stored, frame.1)) {
            Ok(content) => contents.feed(&content),
            Err(error) => {
                faults.push(PackFault::Frame { index, reason: error.to_string() });
                contents.skip(frame.1);
            }
        }
        progress.advance(frame.1);
    }
    // One byte more makes it other bytes; how many more there are does not matter.
    let mut rest = Vec::new();
    file.take(1).read_to_end(&mut rest).map_err(failed("read", &path))?;
    stored_hash.update(&rest);
    if stored_hash.finish() != pack.sha256 {
        faults.insert(0, PackFault::Bytes);
    }
    faults.extend(contents.finish().into_iter().map(PackFault::Content));
    Ok(faults)
}

/// Hashes stretches of a content that comes in pieces. Stretches may overlap.
struct Contents<'a> {
    /// By offset, first one last.
    waiting: Vec<&'a Wanted>,
    open: Vec<(&'a Wanted, Hasher)>,
    wrong: Vec<Wanted>,
    position: u64,
}

impl<'a> Contents<'a> {
    fn new(wanted: &'a [Wanted]) -> Self {
        let mut waiting: Vec<_> = wanted.iter().collect();
        waiting.sort_by(|a, b| b.cmp(a));
        Contents { waiting, open: vec![], wrong: vec![], position: 0 }
    }

    fn feed(&mut self, content: &[u8]) {
        let end = self.position.saturating_add(content.len() as u64);
        while let Some(wanted) = self.waiting.pop_if(|wanted| wanted.offset < end) {
            self.open.push((wanted, Hasher::new()));
        }
        let at = |offset: u64| usize::try_from(offset.saturating_sub(self.position)).unwrap_or(usize::MAX).min(content.len());
        let mut still_open = Vec::new();
        for (wanted, mut hasher) in self.open.drain(..) {
            let wanted_end = wanted.offset.saturating_add(wanted.size);
            hasher.update(content.get(at(wanted.offset)..at(wanted_end)).unwrap_or_default());
            if wanted_end > end {
                still_open.push((wanted, hasher));
            } else if hasher.finish() != wanted.sha256 {
                self.wrong.push(wanted.clone());
            }
        }
        self.open = still_open;
        self.position = end;
    }

    /// Goes over `length` bytes that could not be had: whatever needs them is wrong.
    fn skip(&mut self, length: u64) {
        self.position = self.position.saturating_add(length);
        let end = self.position;
        self.wrong.extend(self.open.drain(..).map(|(wanted, _)| wanted.clone()));
        while let Some(wanted) = self.waiting.pop_if(|wanted| wanted.offset < end) {
            self.wrong.push(wanted.clone());
        }
    }

    fn finish(mut self) -> Vec<Wanted> {
        self.wrong.extend(self.open.into_iter().map(|(wanted, _)| wanted.clone()));
        self.wrong.extend(self.waiting.into_iter().cloned());
        self.wrong
    }
}

/// The bytes of a dictionary, when they are those that its name promises.
pub fn read_dictionary(disk: &Disk, object: &ObjectRef) -> Result<Option<Vec<u8>>, DiskError> {
    let bytes = disk.read(&object.sha256.object_path(), 1 << 20)?;
    Ok(bytes.filter(|bytes| bytes.len() as u64 == object.length && Digest::of(bytes) == object.sha256))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::Frame;
    use crate::publish::progress::Silent;

    fn wanted(all: &[u8], offset: usize, size: usize) -> Wanted {
        Wanted { offset: offset as u64, size: size as u64, sha256: Digest::of(&all[offset..offset + size]), path: format!("{offset}") }
    }

    /// A pack of frames of 100 bytes each.
    fn pack(disk: &Disk, all: &[u8]) -> Pack {
        let mut writer = disk.object().unwrap();
        let mut frames = Vec::new();
        for content in all.chunks(100) {
            let stored = zstd::bulk::compress(content, 3).unwrap();
            frames.push(Frame(stored.len() as u64, content.len() as u64));
            writer.write(&stored).unwrap();
        }
        let (object, _) = writer.finish().unwrap();
        Pack { sha256: object.sha256, length: object.length, dictionary: None, frames }
    }

    #[test]
    fn stretches_that_overlap_and_span_frames_are_each_compared() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::new(folder.path());
        let all: Vec<u8> = (0..1000u32).map(|n| (n * n / 7) as u8).collect();
        let pack = pack(&disk, &all);
        let mut good =
            vec![wanted(&all, 0, 1000), wanted(&all, 99, 2), wanted(&all, 100, 100), wanted(&all, 50, 900), wanted(&all, 999, 1)];
        assert_eq!(check_pack(&disk, &pack, None, &good, &Silent).unwrap(), []);
        good[2].sha256 = Digest::of(b"other");
        good.push(Wanted { offset: 990, size: 20, ..good[0].clone() });
        let faults = check_pack(&disk, &pack, None, &good, &Silent).unwrap();
        assert_eq!(faults, [PackFault::Content(good[2].clone()), PackFault::Content(good[5].clone())]);
    }

    #[test]
    fn damage_is_placed() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::new(folder.path());
        let all: Vec<u8> = (0..1000u32).map(|n| (n * n / 7) as u8).collect();
        let pack = pack(&disk, &all);
        let path = disk.path(&pack.sha256.object_path());
        let mut stored = std::fs::read(&path).unwrap();
        let at = pack.frames[0].0 as usize + 2;
        stored[at] ^= 1;
        std::fs::write(&path, &stored).unwrap();
        let faults = check_pack(&disk, &pack, None, &[wanted(&all, 0, 50), wanted(&all, 150, 10)], &Silent).unwrap();
        assert!(
            matches!(&faults[..], [PackFault::Bytes, PackFault::Frame { index: 1, .. }, PackFault::Content(wrong)] if wrong.offset == 150)
        );
        std::fs::remove_file(&path).unwrap();
        assert_eq!(check_pack(&disk, &pack, None, &[], &Silent).unwrap(), [PackFault::Missing]);
    }
}
