//! `updater self-check DIR…`: says which build this is, which formats it reads, and what it cannot read of the state of install folders. Changes nothing.
//!
//! An updater that is about to replace itself starts the new one with this command (attack F13): a program that does not start, or cannot read what the old one wrote, does not take its place.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::backup;
use crate::fs::{Folder, LocalPath};
use crate::history;
use crate::installed::Installed;
use crate::profile::{self, registry::Registry};
use crate::ratchet::Ratchet;
use crate::self_update::Record;
use crate::state_format::{self, FORMAT};
use crate::station::Station;
use crate::swap::journal::Journal;

/// What an updater says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfCheck {
    /// Its build, as it was compiled. What is installed is what the signed state says.
    pub build: String,
    /// The highest format of state documents that it reads.
    pub format: u64,
    /// What it cannot read, with the reason: `DIR: DOCUMENT: REASON`.
    pub unreadable: Vec<Unreadable>,
}

/// A document that an updater cannot read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// Where: the install folder and the document.
    pub document: String,
    /// Why.
    pub reason: String,
}

/// Reads every document of the state of each of `folders`.
pub fn self_check(folders: &[PathBuf], registry: &Registry) -> SelfCheck {
    let mut unreadable = vec![];
    for path in folders {
        let mut add = |document: &str, reason: &dyn std::fmt::Display| {
            unreadable.push(Unreadable { document: format!("{}: {document}", path.display()), reason: reason.to_string() });
        };
        match profile::look(path, registry) {
            Err(error) => add("the folder", &error),
            Ok(folder) => read_all(&folder, &mut add),
        }
    }
    SelfCheck { build: env!("CARGO_PKG_VERSION").to_owned(), format: FORMAT, unreadable }
}

fn read_all(folder: &Folder, add: &mut dyn FnMut(&str, &dyn std::fmt::Display)) {
    let mut note = |document: &str, outcome: Result<(), String>| {
        if let Err(reason) = outcome {
            add(document, &reason);
        }
    };
    let text = |error: &dyn std::fmt::Display| error.to_string();
    note("formats", state_format::refuse_newer(folder).map_err(|error| text(&error)));
    note("station.json", Station::load(folder).map(drop).map_err(|error| text(&error)));
    note("ratchet.json", Ratchet::load(folder).map(drop).map_err(|error| text(&error)));
    note("installed", Installed::load(folder).map(drop).map_err(|error| text(&error)));
    note("self/record.json", Record::load(folder).map(drop).map_err(|error| text(&error)));
    note("history.jsonl", history::read(folder).map(drop).map_err(|error| text(&error)));
    let journal = match Journal::load(folder) {
        Ok(Some(Err(damaged))) => Err(text(&damaged)),
        Ok(_) => Ok(()),
        Err(error) => Err(text(&error)),
    };
    note("journal", journal);
    match backup::backups(folder) {
        Err(error) => note("backups", Err(text(&error))),
        Ok(found) => {
            for backup in found {
                let name = backup.slot.folder_name();
                if let backup::BackupKind::Damaged(damage) = &backup.kind {
                    note(&name, Err(text(damage)));
                }
                let installed = LocalPath::root().join(&name).join(LocalPath::state("installed").as_bytes());
                note(&name, Installed::load_from(folder, &installed).map(drop).map_err(|error| text(&error)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::Point;

    #[test]
    fn what_cannot_be_read_is_named_and_an_empty_folder_is_fine() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        assert_eq!(self_check(&[place.path().to_owned()], &Registry::at(place.path().join("none"))).unreadable, []);
        folder.make_state_folders().unwrap();
        for (name, content) in [("station.json", "junk"), ("ratchet.json", r#"{"format":7}"#), ("installed", "junk"), ("journal", "junk")] {
            folder.write_durably(&LocalPath::state(name), content.as_bytes(), Point::StationFile).unwrap();
            let said = self_check(&[place.path().to_owned()], &Registry::at(place.path().join("none"))).unreadable;
            assert!(said.iter().any(|unreadable| unreadable.document.ends_with(name)), "{name}: {said:?}");
            folder.discard(&LocalPath::state(name), Point::StationFile).unwrap();
        }
    }
}
