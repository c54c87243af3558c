//! Changes of an open file: its bytes (copied ones are hashed on the way), length, time and mode, and making them durable. Like every change they have a [`Point`] and both moments of a step.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use manifests::digest::{Digest, Hasher};

use super::change::Change;
use super::{Point, buffer_for, fault, hash_open, platform};

/// Writes all of `bytes` to a file that this module opened.
pub fn write_all(file: &mut File, bytes: &[u8], at: Point) -> io::Result<()> {
    fault::write_all(file, bytes, at)
}

/// Cuts the file to `length` bytes, or lengthens it by zeros.
pub(crate) fn set_length(file: &File, length: u64, at: Point) -> io::Result<()> {
    fault::around(at, Change::Write { file, from: length }, || file.set_len(length))
}

/// Sets the modification time.
pub(crate) fn set_time(file: &File, seconds: i64, nanoseconds: u32, at: Point) -> io::Result<()> {
    fault::around(at, Change::Attributes { file }, || platform::set_file_time(file, seconds, nanoseconds))
}

/// Sets the mode.
pub(crate) fn set_mode(file: &File, mode: u32, at: Point) -> io::Result<()> {
    fault::around(at, Change::Attributes { file }, || platform::set_file_mode(file, mode))
}

/// Makes `to` share the content of `from`, where the file system can; `false` where it cannot.
pub(crate) fn share(from: &File, to: &File, at: Point) -> io::Result<bool> {
    fault::around(at, Change::Write { file: to, from: 0 }, || platform::clone_content(from, to))
}

/// Makes content, length, time and mode durable.
pub(crate) fn sync(file: &File, at: Point) -> io::Result<()> {
    fault::around(at, Change::SyncFile { file }, || file.sync_all())
}

/// Copies the content of `from` into the empty file `to`, sharing it where the file system can; returns the digest of what was copied. No more is copied than was there at the start, so that a
/// file that somebody keeps appending to has an end.
pub(crate) fn copy_content(from: &mut File, to: &mut File, at: Point) -> io::Result<Digest> {
    if share(from, to, at)? {
        // The clone is a snapshot; it is what must be hashed, not a source that may go on changing.
        to.seek(SeekFrom::Start(0))?;
        return hash_open(to).map(|(digest, _)| digest);
    }
    let mut hasher = Hasher::new();
    let mut buffer = buffer_for(from)?;
    let mut from = from.take(platform::file_stat(from)?.size);
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(read) => {
                hasher.update(&buffer[..read]);
                write_all(to, &buffer[..read], at)?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
