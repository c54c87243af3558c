//! Removes what no live document names. Never a live object.
//!
//! # Why this is safe
//!
//! What is live is read from the verified repository, manifests included; when one of them cannot be read, nothing can be told and nothing is removed. No other command changes the
//! repository meanwhile, for the lock is held: what was unnamed when the view was read is unnamed when it is removed. A station that is in the middle of an update still reads what the
//! documents of a moment ago named, so a file goes only a day after the first `gc` that found it unnamed. That first time is written down, durably, before anything is removed; a file that a
//! publish names again in between is forgotten there.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::disk::Disk;
use super::progress::Progress;
use super::view::{self, View};
use super::{PublishError, Repository, layout};
use crate::canonical;
use crate::channel::FORMAT;
use crate::json;
use crate::limits::Limits;
use crate::time::UtcTime;

/// Seconds for which a file stays after it was first found unnamed: longer than an update takes, and the time a mirror or cache may lag.
const GRACE_SECONDS: i64 = 86_400;

/// `<repo>/.unnamed.json`.
#[derive(Serialize, Deserialize)]
struct Unnamed {
    format: u64,
    #[serde(rename = "type")]
    document: String,
    /// Since when, by path.
    files: BTreeMap<String, UtcTime>,
}

/// What a `gc` did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Files that were removed.
    pub removed: Vec<String>,
    /// Their bytes.
    pub removed_bytes: u64,
    /// Files that wait, with the time from which on a `gc` removes them.
    pub waiting: Vec<(String, UtcTime)>,
    /// Files that are named.
    pub live: usize,
}

impl Repository {
    /// Removes what has been unnamed for a day. A dry run only says what would be done.
    pub fn gc(&self, dry_run: bool, now: UtcTime, progress: &dyn Progress) -> Result<Collected, PublishError> {
        let _lock = self.lock("gc", progress)?;
        let view = self.view()?;
        let live = live_files(&self.disk, &view, &self.limits)?;
        let present = present_files(&self.disk)?;
        let before = read_unnamed(&self.disk)?;
        let plan = plan(&live, &present, &before, now);
        let size = |file: &String| std::fs::metadata(self.disk.path(file)).map_or(0, |metadata| metadata.len());
        let collected = Collected {
            removed_bytes: plan.remove.iter().map(size).sum(),
            waiting: plan.wait.iter().map(|(file, since)| (file.clone(), due(*since))).collect(),
            live: present.iter().filter(|file| live.contains(*file)).count(),
            removed: plan.remove,
        };
        if dry_run {
            return Ok(collected);
        }
        let mut remembered = plan.wait.clone();
        remembered.extend(collected.removed.iter().filter_map(|file| before.get(file).map(|since| (file.clone(), *since))));
        write_unnamed(&self.disk, &before, remembered)?;
        for file in &collected.removed {
            self.disk.remove(file)?;
        }
        let remembered = before.keys().any(|file| !plan.wait.contains_key(file));
        if remembered {
            write_unnamed(&self.disk, &before, plan.wait)?;
        }
        Ok(collected)
    }
}

/// What to remove and what to remember.
#[derive(Debug, PartialEq, Eq)]
struct GcPlan {
    remove: Vec<String>,
    wait: BTreeMap<String, UtcTime>,
}

fn plan(live: &BTreeSet<String>, present: &BTreeSet<String>, unnamed_since: &BTreeMap<String, UtcTime>, now: UtcTime) -> GcPlan {
    let mut plan = GcPlan { remove: vec![], wait: BTreeMap::new() };
    for file in present.difference(live) {
        // Whoever wrote a temporary file has died: the lock is ours. A clock that was set back makes a file wait anew.
        let temporary = file.rsplit('/').next().is_some_and(|name| name.starts_with(layout::TEMPORARY));
        let since = unnamed_since.get(file).copied().filter(|since| *since <= now);
        match since {
            _ if temporary => plan.remove.push(file.clone()),
            Some(since) if due(since) <= now => plan.remove.push(file.clone()),
            since => {
                plan.wait.insert(file.clone(), since.unwrap_or(now));
            }
        }
    }
    plan
}

fn due(since: UtcTime) -> UtcTime {
    UtcTime::from_unix(since.unix().saturating_add(GRACE_SECONDS))
}

/// Everything in the served folders, and what a crash left beside them.
fn present_files(disk: &Disk) -> Result<BTreeSet<String>, PublishError> {
    let mut present = BTreeSet::new();
    for folder in layout::SERVED {
        present.extend(disk.files(folder)?);
    }
    let beside = std::fs::read_dir(disk.root()).map_err(super::disk::failed("list", disk.root()))?;
    let names = beside.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    present.extend(names.filter(|name| name.starts_with(layout::TEMPORARY)));
    Ok(present)
}

/// Every file that the roles name, and every object that the documents name.
pub(crate) fn live_files(disk: &Disk, view: &View, limits: &Limits) -> Result<BTreeSet<String>, PublishError> {
    let mut live: BTreeSet<String> = view.named.iter().cloned().collect();
    for document in view.channels.values() {
        if !document.unavailable.is_empty() {
            // What such a release names is not known here, so nothing can be told.
            return Err(super::compose::Refused::NewerDocument(document.id.clone()).into());
        }
        for release in &document.releases {
            live.extend(release.deltas.iter().map(|delta| delta.object.sha256.object_path()));
            if !live.insert(release.manifest.sha256.object_path()) {
                continue;
            }
            let manifest = view::read_manifest(disk, &release.manifest, &view::release_id(&document.id, &release.build), limits)?;
            live.extend(manifest.packs.iter().map(|pack| pack.sha256.object_path()));
            live.extend(manifest.dictionaries.iter().map(|dictionary| dictionary.sha256.object_path()));
        }
    }
    Ok(live)
}

/// What was found unnamed before. A file that cannot be read is as none: everything waits a day more.
fn read_unnamed(disk: &Disk) -> Result<BTreeMap<String, UtcTime>, PublishError> {
    const LIMIT: u64 = 256 << 20;
    let bytes = disk.read(layout::UNNAMED, LIMIT)?.unwrap_or_default();
    let parsed: Option<Unnamed> = json::from_slice(&bytes, bytes.len()).ok();
    Ok(parsed.filter(|unnamed| unnamed.format == FORMAT && unnamed.document == "unnamed").map(|unnamed| unnamed.files).unwrap_or_default())
}

fn write_unnamed(disk: &Disk, before: &BTreeMap<String, UtcTime>, files: BTreeMap<String, UtcTime>) -> Result<(), PublishError> {
    if files.is_empty() && before.is_empty() {
        return Ok(());
    }
    disk.put(layout::UNNAMED, &canonical::to_stored(&Unnamed { format: FORMAT, document: "unnamed".into(), files })?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_file_goes_a_day_after_it_was_first_found_unnamed() {
        let first = UtcTime::from_unix(1_000_000);
        let (live, present) = (set(&["objects/a"]), set(&["objects/a", "objects/b"]));
        let found = plan(&live, &present, &BTreeMap::new(), first);
        assert_eq!((found.remove.len(), found.wait.get("objects/b")), (0, Some(&first)));
        let early = plan(&live, &present, &found.wait, UtcTime::from_unix(first.unix() + GRACE_SECONDS - 1));
        assert_eq!(early.remove.len(), 0);
        assert_eq!(early.wait, found.wait);
        assert_eq!(plan(&live, &present, &found.wait, first.plus_days(1)).remove, ["objects/b"]);
        let named_again = plan(&present, &present, &found.wait, first.plus_days(1));
        assert_eq!(named_again, GcPlan { remove: vec![], wait: BTreeMap::new() });
    }

    #[test]
    fn what_a_crash_left_half_written_goes_at_once() {
        let left = set(&["objects/.tmp-0011", ".tmp-22"]);
        assert_eq!(plan(&BTreeSet::new(), &left, &BTreeMap::new(), UtcTime::from_unix(0)).remove.len(), 2);
    }

    proptest! {
        #[test]
        fn a_live_file_is_never_removed_whatever_is_remembered(
            live in proptest::collection::btree_set("[a-e]{1,2}", 0..10),
            other in proptest::collection::btree_set("[a-e]{1,2}", 0..10),
            remembered in proptest::collection::btree_map("[a-e]{1,2}", 0i64..4_000_000, 0..10),
            now in 0i64..4_000_000,
        ) {
            let present: BTreeSet<String> = live.union(&other).cloned().collect();
            let remembered: BTreeMap<String, UtcTime> = remembered.into_iter().map(|(file, at)| (file, UtcTime::from_unix(at))).collect();
            let plan = plan(&live, &present, &remembered, UtcTime::from_unix(now));
            prop_assert!(plan.remove.iter().all(|file| !live.contains(file)));
            prop_assert!(plan.remove.iter().all(|file| remembered[file].unix() + GRACE_SECONDS <= now));
        }
    }
}
