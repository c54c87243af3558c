//! Changes of an open file: its bytes, length, time and mode, and making them durable. Like every change they have a [`Point`] and both moments of a step.

use std::fs::File;
use std::io;

use super::change::Change;
use super::{Point, fault, platform};

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
