//! The account that runs this process.

use crate::fs::Stat;

/// Its name, or what else it is called where it has none.
pub fn name() -> String {
    whoami::username().unwrap_or_else(|_| number())
}

#[cfg(unix)]
fn number() -> String {
    format!("uid {}", rustix::process::geteuid().as_raw())
}

#[cfg(not(unix))]
fn number() -> String {
    "unnamed account".to_owned()
}

/// Whether it answers for an install folder that looks like `folder`: whoever owns it does, and the administrator.
#[cfg(unix)]
pub fn answers_for(folder: &Stat) -> bool {
    let this = rustix::process::geteuid();
    this.is_root() || this.as_raw() == folder.owner
}

/// Whether it answers for an install folder that looks like `folder`. Owners are not asked for on this system: whoever may write there answers for it.
#[cfg(not(unix))]
pub fn answers_for(_: &Stat) -> bool {
    true
}
