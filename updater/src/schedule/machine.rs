//! What tells this computer from others, for the moment at which it checks. No secret, and nothing depends on it but that moment.

#[cfg(unix)]
#[path = "machine/unix.rs"]
mod platform;
#[cfg(windows)]
#[path = "machine/windows.rs"]
mod platform;

/// The system's own number and the computer's name: copies of one disk share the first, and often not the second.
pub(super) fn id() -> String {
    format!("{}\0{}", platform::number().unwrap_or_default(), whoami::hostname().unwrap_or_default())
}
