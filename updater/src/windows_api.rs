//! The system calls of Windows that the standard library lacks, behind safe functions.
//!
//! This is the one module with unsafe code. Every function takes and gives owned or borrowed handles, slices and numbers; no pointer and no handle of a caller outlives a call. What is done
//! with them is decided elsewhere (`fs/windows.rs`, `in_use/windows.rs`).

#![allow(unsafe_code, reason = "system calls are unsafe; each block says why it is sound")]

pub(crate) mod event_log;
pub(crate) mod files;
pub(crate) mod machine;
pub(crate) mod pipes;
pub(crate) mod places;
pub(crate) mod processes;
pub(crate) mod security;
pub(crate) mod service;
pub(crate) mod shell_link;
