//! The account that runs this process, and what others are called.

#[cfg(any(windows, test))]
pub(crate) mod sid;

#[cfg(unix)]
#[path = "account/unix.rs"]
mod platform;
#[cfg(windows)]
#[path = "account/windows.rs"]
pub(crate) mod platform;

use crate::fs::Stat;

/// Who has the computer, in words.
pub(crate) const ROOT: &str = platform::ROOT;

/// Its name, or what else it is called where it has none.
pub fn name() -> String {
    whoami::username().unwrap_or_else(|_| platform::number())
}

/// Whether it answers for an install folder that looks like `folder`.
pub fn answers_for(folder: &Stat) -> bool {
    platform::answers_for(folder)
}

/// How the account of the number `owner` has something ([`Stat::owner`]), in words that follow its name.
pub(crate) fn says_of(owner: u32) -> String {
    platform::says_of(owner)
}
