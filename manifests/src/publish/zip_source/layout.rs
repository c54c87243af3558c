//! That an archive reads alike for everybody (attack D10): one central directory, and no byte that no entry accounts for.
//!
//! Readers of zips differ in where they look: from the front, from the last end record, from the first. Where an archive holds a second directory, or room for one, two of them
//! see two archives. Honest writers leave nothing between entries but data descriptors.

use std::io::{self, Read, Seek, SeekFrom};

use zip::ZipArchive;

/// Most bytes between two entries: the longest data descriptor, with signature and 64-bit sizes.
const DESCRIPTOR: u64 = 24;
/// Signature of an end record.
const END: &[u8] = b"PK\x05\x06";
/// How far from the end of a file a reader looks for an end record, in bytes: its 22, and the longest comment.
const TAIL: u64 = 22 + 0xFFFF;

/// Why the archive has more than one reading, if it has; `file` is the same file once more, of `length` bytes.
pub(super) fn ambiguity<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    file: &mut (impl Read + Seek),
    length: u64,
) -> io::Result<Option<String>> {
    let directory = archive.central_directory_start();
    let mut entries = Vec::with_capacity(archive.len() + 1);
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(io::Error::other)?;
        let begin = entry.data_start().unwrap_or(u64::MAX);
        entries.push((entry.header_start(), begin.saturating_add(entry.compressed_size())));
    }
    entries.push((directory, directory));
    entries.sort_unstable();
    let mut end = 0;
    for (start, next_end) in entries {
        // Nothing stands before the first entry, not even a descriptor.
        let most = if end == 0 { 0 } else { DESCRIPTOR };
        let gap = start.saturating_sub(end);
        if gap > most {
            return Ok(Some(format!("{gap} bytes before byte {start} belong to no entry")));
        }
        end = next_end;
    }
    let from = directory.max(length.saturating_sub(TAIL));
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    let ends = tail.windows(END.len()).filter(|window| *window == END).count();
    Ok((ends != 1).then(|| format!("it has {ends} end records")))
}
