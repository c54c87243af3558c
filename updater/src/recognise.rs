//! Which release the files of a folder are, that somebody put there before us: told by their hashes, never by a version that something claims. Pure.
//!
//! A release is recognised when the file that starts it is there, or half of its files are. Of several the one with the fewest differences is it; of equal ones the newest. What is recognised
//! is said to people and written into the history; nothing is decided by it: every file is compared with the wanted release all the same.

use std::collections::BTreeMap;
use std::fmt;

use manifests::channel::Place;
use manifests::digest::Digest;
use manifests::path::RelPath;
use manifests::release::{ConfigPolicy, Manifest};
use serde::Serialize;

/// A listed release that the folder may be.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its place.
    pub place: Place,
    /// The file that starts it.
    pub entry_point: Option<&'a RelPath>,
    /// Its files.
    pub manifest: &'a Manifest,
}

/// What a folder was found to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recognised {
    /// The vendor's text.
    pub build: String,
    /// Its number within the epoch.
    pub sequence: u64,
    /// How many files it has, without the configuration that is its user's.
    pub files: usize,
    /// How many of them are there with another content.
    pub differ: usize,
    /// How many are not there.
    pub missing: usize,
}

impl fmt::Display for Recognised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = |count: usize| if count == 1 { "1 file".to_owned() } else { format!("{count} files") };
        write!(f, "this is {}", self.build)?;
        match (self.differ, self.missing) {
            (0, 0) => write!(f, ", all {} as released", files(self.files)),
            (1, 0) => write!(f, ", 1 file differs"),
            (differ, 0) => write!(f, ", {differ} files differ"),
            (0, 1) => write!(f, ", 1 file is missing"),
            (0, missing) => write!(f, ", {missing} files are missing"),
            (differ, missing) => write!(f, ", {} of {} differ and {missing} more are missing", differ, files(self.files)),
        }
    }
}

/// Which of `candidates` the folder is, where `found` has the files that lie at their paths: with their digests, but for those whose size no release has.
pub fn recognise<'a>(candidates: impl IntoIterator<Item = Candidate<'a>>, found: &BTreeMap<RelPath, Option<Digest>>) -> Option<Recognised> {
    let judged = candidates.into_iter().filter_map(|candidate| Some((judge(&candidate, found)?, candidate.place)));
    let best = judged.min_by_key(|(recognised, place)| (recognised.differ + recognised.missing, std::cmp::Reverse(*place)));
    best.map(|(recognised, _)| recognised)
}

/// How much of `candidate` is there; `None` when that is too little to call it so.
fn judge(candidate: &Candidate<'_>, found: &BTreeMap<RelPath, Option<Digest>>) -> Option<Recognised> {
    let (mut files, mut differ, mut missing, mut starts) = (0, 0, 0, false);
    for file in candidate.manifest.files.iter().filter(|file| file.config == ConfigPolicy::Overwrite) {
        files += 1;
        match found.get(&file.path) {
            Some(digest) if *digest == Some(file.sha256) => starts |= candidate.entry_point == Some(&file.path),
            Some(_) => differ += 1,
            None => missing += 1,
        }
    }
    let same = files - differ - missing;
    let (build, sequence) = (candidate.manifest.id.build.text().to_owned(), candidate.place.1);
    (same > 0 && (starts || same * 2 >= files)).then_some(Recognised { build, sequence, files, differ, missing })
}

#[cfg(test)]
mod tests;
