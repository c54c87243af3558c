//! Who did it and where, for the history (D-25).

use crate::account;
use crate::history::{Attempt, BuildAt, Outcome};
use crate::id::Id;
use crate::installed::InstalledRelease;
use crate::trigger::Trigger;
use manifests::time::UtcTime;

/// The person and machine behind a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The machine's name.
    pub host: String,
    /// The account that runs the updater, or that it works for.
    pub os_user: String,
    /// Whether that account answers for the folder, where another process works for it; without it, who owns the folder says so.
    pub is_admin: Option<bool>,
}

impl Who {
    /// Whoever runs this process.
    pub fn here() -> Who {
        let os_user = account::name();
        Who { host: whoami::hostname().unwrap_or_else(|_| "localhost".to_owned()), os_user, is_admin: None }
    }

    /// An attempt that begins now and has not failed yet. Whoever runs it agreed to it, as long as nobody else did.
    pub fn attempt(&self, id: Id, time: UtcTime, trigger: Trigger) -> Attempt {
        Attempt {
            id,
            time,
            host: self.host.clone(),
            os_user: self.os_user.clone(),
            approver: Some(self.os_user.clone()),
            trigger,
            joined: vec![],
            from: None,
            to: None,
            result: Outcome::Applied,
            code: None,
            detail: None,
            bytes: None,
        }
    }
}

/// An installed release as the history names it.
pub(super) fn installed_at(release: &InstalledRelease) -> BuildAt {
    BuildAt { build: release.id.build.text().to_owned(), sequence: release.place.1 }
}
