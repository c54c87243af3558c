//! Whether a repository verifies from its root down, as a station would have it, expiry aside.
//!
//! The server vouches for nothing, but one that serves what no station will take must say so. The verdict is kept until the repository changes, and for
//! a while at most, for disks decay without changing. A repository may be looked at in the middle of a change, between a new root and the timestamp
//! that it wants; so a fault counts only when it is still there a moment later.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use manifests::key::KeyId;
use manifests::name::{ChannelId, Name};
use manifests::publish::disk::Disk;
use manifests::publish::layout;
use manifests::publish::view::View;
use manifests::time::UtcTime;

use crate::content::disk::{Folder, Identity};
use crate::content::roles;
use crate::upkeep::misplaced::{self, OfflineKey};

/// A verdict on an unchanged repository holds for these seconds.
const HOLDS_SECONDS: i64 = 600;
/// A change of a repository from one consistent state to the next is over by then.
const MOMENT: Duration = Duration::from_millis(300);

/// What verifying a repository found.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// Why it does not verify, the file named.
    pub fault: Option<String>,
    /// The keys of the roles that are signed elsewhere; none when it does not verify.
    pub offline_keys: Vec<OfflineKey>,
    /// The channels that folders publish, each with the keys of its role; none when it does not verify.
    pub folders: Vec<(ChannelId, Vec<KeyId>)>,
}

/// The last verdict on each repository.
#[derive(Debug, Default)]
pub struct Chains(Mutex<BTreeMap<Name, (Mark, Verdict)>>);

/// What changes when a repository does.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    timestamp: Option<Identity>,
    root: Option<u64>,
    period: i64,
}

impl Mark {
    fn of(folder: &Folder, now: UtcTime) -> Mark {
        Mark {
            timestamp: folder.open(layout::TIMESTAMP).ok().map(|opened| opened.identity),
            root: roles::latest_root(folder).ok().map(|(version, _)| version),
            period: now.unix().div_euclid(HOLDS_SECONDS),
        }
    }
}

impl Chains {
    /// The verdict on the repository `name` in `folder`; reads files, and may wait a moment.
    pub fn verdict(&self, folder: &Folder, name: &Name, now: UtcTime) -> Verdict {
        let mark = Mark::of(folder, now);
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if let Some((marked, verdict)) = last
            && marked == mark
        {
            return verdict;
        }
        let mut verdict = verify(folder, name);
        if verdict.fault.is_some() {
            thread::sleep(MOMENT);
            verdict = verify(folder, name);
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), (mark, verdict.clone()));
        verdict
    }
}

fn verify(folder: &Folder, name: &Name) -> Verdict {
    match View::read(&Disk::new(folder.root()), name) {
        Ok(view) => {
            let keys = |role: &str| view.keys_of(role).map(|keys| keys.keyids.clone()).unwrap_or_default();
            let folders = view.folders().into_iter().map(|(role, id)| (id, keys(&role))).collect();
            Verdict { fault: None, offline_keys: misplaced::offline_keys(&view), folders }
        }
        Err(error) => {
            let named = error
                .file()
                .filter(|file| !error.to_string().contains(file.as_str()))
                .map(|file| format!("`{file}`: "))
                .unwrap_or_default();
            Verdict { fault: Some(format!("{named}{error}")), ..Verdict::default() }
        }
    }
}
