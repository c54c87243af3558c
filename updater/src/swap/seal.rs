//! What is renamed in is what was hashed (attack E4).
//!
//! Each staged file is read through one handle right before the journal is written, and what the file was then is remembered: which file it is, and when anything about it last changed. When its turn comes it is opened again, must be that file still, unchanged, and after the rename the live name must be the file that is held open. So a file that was put
//! in its place, or written to after it was read, never becomes the client; the swap fails and is undone. Nothing keeps thousands of files open for that.
//!
//! How far that goes: against a program that writes into `staging/` unasked, not against one that hides it. On Windows a program can set the time of the last change; on Linux pages that are mapped for writing and were
//! written to before can be written to again without a new time until the system writes them out. Such a program could as well write to the client itself, or to its files after the swap: what keeps it out is
//! who may write to the folder (`Profile`), and what finds it is `updater verify`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;

use super::operation::{FileIdentity, Identity};
use super::prepare::staged;
use super::recovery::Seen;
use crate::fs::{self, Folder, FsError, Kind, LocalPath, Point};

/// What staged files were when they were read, by their names in `staging/`.
#[derive(Debug, Default)]
pub(crate) struct Seals(BTreeMap<String, Seal>);

#[derive(Debug)]
enum Seal {
    File(Mark),
    Link(String),
    /// It was in place when a recovery looked, goes back to `staging/` first, and is read there when its turn comes again.
    InPlace(Identity),
}

/// Which file it is, and how it looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    stat: fs::Stat,
    /// When anything about it changed, where the system says so.
    changed: Option<i128>,
}

impl Mark {
    fn of(file: &File) -> io::Result<Mark> {
        Ok(Mark { stat: fs::file_stat(file)?, changed: fs::changed_at(file)? })
    }
}

impl Seals {
    /// Reads what lies in `staging/` as `name`, and remembers it.
    pub(crate) fn read(&mut self, folder: &Folder, name: &str) -> Result<Seen, FsError> {
        let path = staged(name);
        let stat = match folder.stat(&path) {
            Ok(Some(stat)) => stat,
            // Nothing of ours lies behind a link.
            Ok(None) | Err(FsError::ParentIsLink { .. }) => return Ok(Seen::Nothing),
            Err(error) => return Err(error),
        };
        let identity = match stat.kind {
            Kind::File => {
                let failed = |source| FsError::io("reading", &path, source);
                let mut file = folder.open_file(&path)?;
                let mark = Mark::of(&file).map_err(failed)?;
                let (sha256, _) = fs::hash_open(&mut file).map_err(failed)?;
                if Mark::of(&file).map_err(failed)? != mark {
                    return Err(failed(tampered()));
                }
                self.0.insert(name.to_owned(), Seal::File(mark));
                Identity::File(FileIdentity::of(&mark.stat, sha256))
            }
            Kind::Link => match String::from_utf8(folder.read_link(&path)?) {
                Ok(target) => {
                    self.0.insert(name.to_owned(), Seal::Link(target.clone()));
                    Identity::Link(target)
                }
                Err(_) => return Ok(Seen::Other),
            },
            Kind::Folder => return Ok(Seen::Folder),
            Kind::Other => return Ok(Seen::Other),
        };
        Ok(Seen::Leaf(identity))
    }

    /// Remembers that `identity` was seen in place, not in `staging/`: an entry point that has to come in once more, after the others.
    pub(crate) fn expect(&mut self, name: &str, identity: Identity) {
        self.0.insert(name.to_owned(), Seal::InPlace(identity));
    }

    /// Moves `name` from `staging/` to the live path `to`, where nothing may be. What comes to lie there is what was read, or this fails.
    pub(crate) fn place(&self, folder: &Folder, name: &str, to: &LocalPath, at: Point) -> Result<(), FsError> {
        let from = staged(name);
        let failed = |source| FsError::io("moving", &from, source);
        match self.0.get(name) {
            Some(Seal::File(mark)) => {
                let file = folder.open_file(&from)?;
                if Mark::of(&file).map_err(failed)? != *mark {
                    return Err(failed(tampered()));
                }
                let arrived = folder.rename_new(&from, to, at).and_then(|()| folder.stat(to))?;
                let is_it =
                    arrived.is_some_and(|stat| (stat.kind, stat.device, stat.inode) == (Kind::File, mark.stat.device, mark.stat.inode));
                if is_it { Ok(()) } else { Err(failed(tampered())) }
            }
            Some(Seal::Link(target)) => {
                folder.rename_new(&from, to, at)?;
                if folder.read_link(to)? == target.as_bytes() { Ok(()) } else { Err(failed(tampered())) }
            }
            Some(Seal::InPlace(identity)) => {
                let mut read = Seals::default();
                if read.read(folder, name)? != Seen::Leaf(identity.clone()) {
                    return Err(failed(tampered()));
                }
                read.place(folder, name, to, at)
            }
            None => Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "it was not verified"))),
        }
    }
}

fn tampered() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it changed after it was verified: something else writes into the folder of the update")
}
