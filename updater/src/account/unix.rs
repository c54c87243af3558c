//! Accounts on Unix.

use crate::fs::Stat;

/// Who has the computer, in words.
pub(super) const ROOT: &str = "root";

/// What this account is called where it has no name.
pub(super) fn number() -> String {
    format!("uid {}", rustix::process::geteuid().as_raw())
}

/// Whether it answers for an install folder that looks like `folder`: whoever owns it does, and the administrator.
pub(super) fn answers_for(folder: &Stat) -> bool {
    let this = rustix::process::geteuid();
    this.is_root() || this.as_raw() == folder.owner
}

/// How the account `owner` has something, in words that follow its name.
pub(super) fn says_of(owner: u32) -> String {
    format!("belongs to the account {owner}")
}
