//! Where Windows looks for libraries that a program loads while it runs: in its own folder alone, once this was called.
//!
//! By default it looks in the folder of the program first, which for something downloaded is one where others may leave files (attack F5). Libraries that a program imports are loaded before
//! its first line; which those are is held by `tests/tests/windows_programs.rs`.

#![expect(unsafe_code, reason = "one system call")]

use windows_sys::Win32::System::LibraryLoader::{LOAD_LIBRARY_SEARCH_SYSTEM32, SetDefaultDllDirectories};

/// From here on libraries are loaded from the folder of Windows itself, and from nowhere else. To be called first in `main`.
pub fn only_from_system() {
    // SAFETY: it takes a number. It fails only on systems older than any that Rust supports, and then nothing has changed.
    unsafe { SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32) };
}
