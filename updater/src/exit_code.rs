//! Exit codes: documented in `updater --help`, stable for scripts and mass roll-out tools.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to do.
    Success = 0,
    /// Something unexpected: a bug, or an error that has no code of its own.
    Failure = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The source cannot be reached or broke off. Nothing was changed; what arrived is kept.
    Unreachable = 3,
    /// What the source gave is not to be trusted, or policy forbids it. Nothing was changed.
    Refused = 4,
    /// Rights, space or something in the way: named in the message. Nothing was changed.
    Requirement = 5,
    /// Another updater works on this folder.
    Busy = 6,
    /// The folder needs attention: a damaged state that could not be repaired by itself.
    Damaged = 7,
    /// `check` found an update, or `verify` found files that differ.
    Available = 10,
    /// The update is ready, and waits for programs that run or hold files. Nothing live was changed.
    Deferred = 11,
    /// The new build did not live: the one before it is back.
    Returned = 12,
    /// The client does not fit the server that it talks to, and was not started. Nothing was changed.
    Incompatible = 13,
}

impl Exit {
    /// Every code with its meaning, for help and documentation.
    pub const TABLE: &'static [(Exit, &'static str)] = &[
        (Exit::Success, "done, or nothing to do"),
        (Exit::Failure, "unexpected error"),
        (Exit::Usage, "wrong command line"),
        (Exit::Unreachable, "source unreachable or cut off; nothing changed, what arrived is kept"),
        (Exit::Refused, "not trusted, or forbidden by policy; nothing changed"),
        (Exit::Requirement, "rights, space or something in the way; nothing changed"),
        (Exit::Busy, "another updater works on this folder"),
        (Exit::Damaged, "damaged state, or a build that does not live and cannot go: needs attention"),
        (Exit::Available, "check: an update is available; verify: files differ"),
        (Exit::Deferred, "the update is ready and waits for programs in use; nothing live changed"),
        (Exit::Returned, "the new build did not live; the one before it is back"),
        (Exit::Incompatible, "launch: the client does not fit its server and was not started; nothing changed"),
    ];
}

impl Exit {
    /// The code that is the number `code`; a number that is none of ours is a failure.
    pub fn from_number(code: u8) -> Exit {
        Exit::TABLE.iter().map(|(exit, _)| *exit).find(|exit| *exit as u8 == code).unwrap_or(Exit::Failure)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}
