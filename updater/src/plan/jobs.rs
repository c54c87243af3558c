//! Which stretches of which packs have to be fetched for a set of contents: pure arithmetic on the manifest.
//!
//! Needed frames that lie close together become one request, and long stretches are split at frame boundaries, so that several connections work side by side, a cut
//! loses little, and no more than one stretch per connection is on disk before its files are made.

use std::collections::HashMap;
use std::ops::Range;

use manifests::channel::ObjectRef;
use manifests::digest::Digest;
use manifests::pack::{FrameAt, frames_of};
use manifests::release::{ContentAt, FileEntry, Manifest};

/// A gap between two needed stretches that is cheaper to receive than a second request is to make, in stored bytes.
const BRIDGED_GAP: u64 = 8 * 1024;
/// Where a stretch is split, in stored bytes.
const LONGEST_STRETCH: u64 = 8 * 1024 * 1024;

/// A content to be made: a file's bytes, whatever paths it goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Its digest.
    pub sha256: Digest,
    /// Its size in bytes, above 0.
    pub size: u64,
}

/// A stretch of a pack to be fetched and decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The pack.
    pub object: ObjectRef,
    /// The dictionary of its frames.
    pub dictionary: Option<ObjectRef>,
    /// The frames, a row without gaps.
    pub frames: Vec<FrameAt>,
    /// What they contribute to which contents.
    pub pieces: Vec<Piece>,
}

impl Job {
    /// The bytes of the pack.
    pub fn stored(&self) -> Range<u64> {
        let start = self.frames.first().map_or(0, |frame| frame.stored.start);
        start..self.frames.last().map_or(start, |frame| frame.stored.end)
    }
}

/// Bytes of one frame that are bytes of one content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Index of the frame in its job.
    pub frame: usize,
    /// Bytes within the frame's content.
    pub within: Range<usize>,
    /// Index of the content.
    pub content: usize,
    /// Offset in the content.
    pub offset: u64,
}

/// Everything that has to be fetched for a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Jobs {
    /// The contents that come of it.
    pub contents: Vec<Content>,
    /// The stretches, pack by pack.
    pub jobs: Vec<Job>,
}

impl Jobs {
    /// Bytes to be received, without dictionaries.
    pub fn stored_bytes(&self) -> u64 {
        self.jobs.iter().map(|job| job.stored()).map(|range| range.end - range.start).sum()
    }

    /// The dictionaries needed, each once.
    pub fn dictionaries(&self) -> Vec<ObjectRef> {
        let mut found: Vec<ObjectRef> = Vec::new();
        for dictionary in self.jobs.iter().filter_map(|job| job.dictionary) {
            if !found.contains(&dictionary) {
                found.push(dictionary);
            }
        }
        found
    }
}

/// The jobs that make the contents of `files`, entries of `manifest`; equal contents are made once.
pub fn jobs<'a>(manifest: &Manifest, files: impl IntoIterator<Item = &'a FileEntry>) -> Jobs {
    let mut contents: Vec<Content> = Vec::new();
    let mut known: HashMap<Digest, usize> = HashMap::new();
    let mut by_pack: Vec<Vec<(Range<u64>, usize)>> = vec![Vec::new(); manifest.packs.len()];
    for file in files {
        let Some(ContentAt(pack, offset)) = file.at else { continue };
        let index = contents.len();
        if *known.entry(file.sha256).or_insert(index) == index {
            contents.push(Content { sha256: file.sha256, size: file.size });
            by_pack[pack as usize].push((offset..offset + file.size, index));
        }
    }
    let mut all = Vec::new();
    for (pack, mut wanted) in manifest.packs.iter().zip(by_pack) {
        if wanted.is_empty() {
            continue;
        }
        wanted.sort_by_key(|(range, _)| range.start);
        let layout = pack.layout();
        let dictionary = pack.dictionary.map(|index| manifest.dictionaries[index as usize]);
        for frames in stretches(&layout, &wanted) {
            let row = layout[frames].to_vec();
            let pieces = pieces(&row, &wanted);
            all.push(Job { object: pack.object(), dictionary, frames: row, pieces });
        }
    }
    Jobs { contents, jobs: all }
}

/// Rows of frames that cover `wanted`, sorted by start: neighbours joined, long rows split.
fn stretches(layout: &[FrameAt], wanted: &[(Range<u64>, usize)]) -> Vec<Range<usize>> {
    let mut rows: Vec<Range<usize>> = Vec::new();
    for (range, _) in wanted {
        let needed = frames_of(layout, range);
        match rows.last_mut() {
            Some(row) if needed.start <= row.end || layout[needed.start].stored.start - layout[row.end - 1].stored.end <= BRIDGED_GAP => {
                row.end = row.end.max(needed.end);
            }
            _ => rows.push(needed),
        }
    }
    rows.into_iter().flat_map(|row| split(layout, row)).collect()
}

fn split(layout: &[FrameAt], row: Range<usize>) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = row.start;
    for frame in row.clone() {
        if frame > start && layout[frame].stored.end - layout[start].stored.start > LONGEST_STRETCH {
            parts.push(start..frame);
            start = frame;
        }
    }
    parts.push(start..row.end);
    parts
}

/// What the frames of `row` contribute to the contents of `wanted`.
fn pieces(row: &[FrameAt], wanted: &[(Range<u64>, usize)]) -> Vec<Piece> {
    let (Some(first), Some(last)) = (row.first(), row.last()) else { return Vec::new() };
    let mut pieces = Vec::new();
    for (range, content) in wanted.iter().filter(|(range, _)| range.start < last.content.end && range.end > first.content.start) {
        for frame in frames_of(row, range) {
            let of = &row[frame].content;
            let (start, end) = (range.start.max(of.start), range.end.min(of.end));
            // A frame's content is at most 8 MiB (`pack::MAX_FRAME`), so offsets in it fit any usize.
            let within = (start - of.start) as usize..(end - of.start) as usize;
            pieces.push(Piece { frame, within, content: *content, offset: start - range.start });
        }
    }
    pieces.sort_by_key(|piece| (piece.frame, piece.within.start));
    pieces
}

#[cfg(test)]
mod tests {
    use manifests::build::Build;
    use manifests::name::{Arch, Os};
    use manifests::pack::{Frame, Pack};
    use manifests::release::{ConfigPolicy, ReleaseId};
    use manifests::time::FileTime;
    use proptest::prelude::*;

    use super::*;

    fn file(name: usize, pack: u32, range: Range<u64>) -> FileEntry {
        FileEntry {
            path: format!("f{name}").parse().unwrap(),
            size: range.end - range.start,
            mtime: FileTime::clamped(0),
            exec: false,
            sha256: Digest::of(&name.to_le_bytes()),
            config: ConfigPolicy::Overwrite,
            publishers: vec![],
            at: Some(ContentAt(pack, range.start)),
        }
    }

    fn manifest(frames: &[(u64, u64)]) -> Manifest {
        let frames: Vec<Frame> = frames.iter().map(|(stored, content)| Frame(*stored, *content)).collect();
        let pack = Pack { sha256: Digest::of(b"p"), length: frames.iter().map(|frame| frame.0).sum(), dictionary: None, frames };
        let id = ReleaseId {
            product: "p".parse().unwrap(),
            os: Os::Linux,
            arch: Arch::Any,
            variant: None,
            build: Build::recognise("1.0.0").unwrap(),
        };
        Manifest { id, dictionaries: vec![], packs: vec![pack], files: vec![], links: vec![], directories: vec![], removed: vec![] }
    }

    #[test]
    fn only_the_frames_of_a_file_are_fetched() {
        let jobs = jobs(&manifest(&[(100_000, 1000), (50_000, 1000), (100_000, 1000)]), &[file(0, 0, 1200..1300)]);
        assert_eq!(jobs.jobs.len(), 1);
        assert_eq!(jobs.jobs[0].stored(), 100_000..150_000);
        assert_eq!(jobs.stored_bytes(), 50_000);
    }

    #[test]
    fn small_gaps_are_bridged_and_large_ones_are_not() {
        let files = [file(0, 0, 0..10), file(1, 0, 2000..2010)];
        assert_eq!(jobs(&manifest(&[(10, 1000), (100, 1000), (10, 1000)]), &files).jobs.len(), 1);
        assert_eq!(jobs(&manifest(&[(10, 1000), (100_000, 1000), (10, 1000)]), &files).jobs.len(), 2);
    }

    #[test]
    fn long_stretches_are_split_at_frames() {
        let frames = vec![(5 << 20, 8 << 20); 4];
        let all = jobs(&manifest(&frames), &[file(0, 0, 0..32 << 20)]);
        assert!(all.jobs.iter().all(|job| job.stored().end - job.stored().start <= LONGEST_STRETCH));
        assert_eq!(all.stored_bytes(), 20 << 20);
    }

    #[test]
    fn equal_contents_are_fetched_once() {
        let twice = [file(0, 0, 0..10), FileEntry { path: "again".parse().unwrap(), ..file(0, 0, 0..10) }];
        assert_eq!(jobs(&manifest(&[(10, 1000)]), &twice).contents.len(), 1);
    }

    proptest! {
        /// Whatever files lie in whatever frames: the pieces put every byte of every content in place exactly once.
        #[test]
        fn pieces_cover_every_content_exactly(
            frames in prop::collection::vec((1u64..20_000, 1u64..500), 1..30),
            picks in prop::collection::vec((0.0f64..1.0, 0.0f64..1.0), 1..20),
        ) {
            let total: u64 = frames.iter().map(|frame| frame.1).sum();
            let ranges = picks.iter().map(|(a, b)| {
                let start = (a * (total - 1) as f64) as u64;
                start..start + 1 + (b * (total - start - 1) as f64) as u64
            });
            let files: Vec<FileEntry> = ranges.enumerate().map(|(name, range)| file(name, 0, range)).collect();
            let all = jobs(&manifest(&frames), &files);
            let mut made: Vec<Vec<Option<u64>>> = all.contents.iter().map(|content| vec![None; content.size as usize]).collect();
            for job in &all.jobs {
                for piece in &job.pieces {
                    for (nth, byte) in piece.within.clone().enumerate() {
                        let slot = &mut made[piece.content][piece.offset as usize + nth];
                        prop_assert!(slot.is_none());
                        *slot = Some(job.frames[piece.frame].content.start + byte as u64);
                    }
                }
            }
            for (file, bytes) in files.iter().zip(made) {
                let start = file.at.unwrap().1;
                prop_assert_eq!(bytes, (start..start + file.size).map(Some).collect::<Vec<_>>());
            }
        }
    }
}
