//! Installing over a client that somebody else put there: it is told which release that is, only what differs is fetched, and what was there goes into a backup (D-20, S3-21).

use std::collections::{BTreeMap, HashMap};

use manifests::channel::Release;
use manifests::digest::Digest;
use manifests::path::RelPath;

use super::target::Target;
use super::{Error, Run, Session, Updated, Word};
use crate::backup::rotation::Slot;
use crate::backup::{self, BackupKind};
use crate::check::Checked;
use crate::fs::{Found, FsError, LocalPath};
use crate::history::BuildAt;
use crate::progress::Step;
use crate::recognise::{Candidate, Recognised, recognise};
use crate::trigger::Trigger;

/// How many listed releases a folder is compared with, the newest first: each costs the transfer of its file list.
const MOST_CANDIDATES: usize = 8;

/// The files of a folder by the names that the system takes for the same, each read at most once.
struct Files {
    /// The folder.
    at: LocalPath,
    folds: bool,
    paths: HashMap<String, (RelPath, u64)>,
    digests: HashMap<RelPath, Digest>,
}

impl Session {
    /// Brings the folder to the newest release for the first time, whatever client is in it.
    pub(super) async fn adopt(&mut self, run: &Run<'_>) -> Result<Updated, Error> {
        let outcome = async {
            let checked = self.check(run).await?;
            if self.installed.is_none() {
                self.recognise(&checked, run).await?;
            }
            if let Some(found) = &self.found {
                run.progress.note(&found.to_string());
            }
            self.take(checked, Trigger::Install, run, false, Word::Yes).await
        };
        let outcome = outcome.await;
        self.report_failure(Trigger::Install, run, outcome)
    }

    /// Finds out which of the listed releases lies in the folder, and which in the backups that were taken in.
    async fn recognise(&mut self, checked: &Checked, run: &Run<'_>) -> Result<(), Error> {
        let files = self.files(LocalPath::root())?;
        let adopted = backup::backups(&self.folder)?.into_iter().filter(|found| matches!(found.kind, BackupKind::Adopted { .. }));
        let adopted: Vec<Slot> = adopted.map(|found| found.slot).collect();
        if files.paths.is_empty() && adopted.is_empty() {
            return Ok(());
        }
        let route = self.route(run)?;
        let releases: Vec<&Release> = checked.channel.releases.iter().rev().take(MOST_CANDIDATES).collect();
        run.progress.begin(Step::Scan, releases.len() as u64);
        let mut targets = vec![];
        for release in releases {
            run.progress.advance(1);
            // What this could not be compared with it is not said to be; whether the wanted release can be had is found out when it is wanted.
            targets.extend(Target::listed(self, &route, checked, release).await);
        }
        self.found = self.recognise_in(files, &targets)?;
        for slot in adopted {
            let found = self.files(LocalPath::root().join(slot.folder_name())).and_then(|files| self.recognise_in(files, &targets));
            match found {
                Ok(Some(Recognised { build, sequence, .. })) => backup::recognise(&self.folder, slot, BuildAt { build, sequence })?,
                Ok(None) => {}
                // Its name is for people; what cannot be read here is found out by whoever goes back to it.
                Err(error) => run.progress.note(&format!("which build `{}` holds is not known: {error}", slot.folder_name())),
            }
        }
        self.lists = targets.into_iter().map(|target| target.stored).collect();
        Ok(())
    }

    /// Which of `targets` those files are.
    fn recognise_in(&self, mut files: Files, targets: &[Target]) -> Result<Option<Recognised>, Error> {
        let mut found = BTreeMap::new();
        for file in targets.iter().flat_map(|target| &target.manifest.files) {
            if let Some(read) = self.digest(&mut files, &file.path, file.size)? {
                let known = found.entry(file.path.clone()).or_insert(read);
                *known = known.or(read);
            }
        }
        let candidates = targets.iter().map(|target| Candidate {
            place: target.release.place,
            entry_point: target.release.entry_point.as_ref(),
            manifest: &target.manifest,
        });
        Ok(recognise(candidates, &found))
    }

    fn files(&self, at: LocalPath) -> Result<Files, Error> {
        let folds = self.station.os.folds_names();
        let mut paths = HashMap::new();
        self.folder.walk(&at, &mut |walked| {
            if let Found::Entry { path, stat } = walked
                && stat.is_file()
                && let Some(path) = path.within(&at).and_then(|path| path.as_rel_path())
            {
                let name = if folds { path.folded() } else { path.to_string() };
                paths.insert(name, (path, stat.size));
            }
            true
        })?;
        Ok(Files { at, folds, paths, digests: HashMap::new() })
    }

    /// What lies at `path`: nothing, or a file with its digest, which is not read where its size alone says that it is another.
    fn digest(&self, files: &mut Files, path: &RelPath, size: u64) -> Result<Option<Option<Digest>>, FsError> {
        let name = if files.folds { path.folded() } else { path.to_string() };
        let Some((there, has)) = files.paths.get(&name) else { return Ok(None) };
        if *has != size {
            return Ok(Some(None));
        }
        if let Some(digest) = files.digests.get(there) {
            return Ok(Some(Some(*digest)));
        }
        let digest = self.folder.hash(&LocalPath::from(there).below(&files.at))?.0;
        files.digests.insert(there.clone(), digest);
        Ok(Some(Some(digest)))
    }
}
