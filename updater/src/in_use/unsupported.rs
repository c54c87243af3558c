//! Where no way is known to ask the system who holds a file: it is said, and the swap goes on as it does when nobody is seen.

use std::io;
use std::time::Duration;

use super::{Looked, Watched};
use crate::fs::Folder;

pub(super) fn holders(_: &Folder, _: &Watched) -> io::Result<Looked> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this system is not asked which programs run"))
}

pub(super) fn one_ends(_: &[u32], longest: Duration) {
    std::thread::sleep(longest);
}
