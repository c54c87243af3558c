//! Who has a file of a folder open for writing, as far as this account can see: while somebody has, the folder is not whole, however still it looks.

use std::path::Path;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(not(target_os = "linux"))]
use other as system;

/// A file in `folder` that somebody has open for writing, and who, for people; `None` when none is seen. What other accounts write, or other machines through a share, is not seen: for
/// that there are the settle time and the look into programs.
pub(super) fn first(folder: &Path) -> Option<String> {
    system::first(folder)
}
