//! Every code that this program says, with the exit code that goes with it. A code never changes its meaning.
//!
//! A new code is a line here, and a title, a cause and a cure in `updater/locales/*/codes-updater.ftl`; `updater/tests/texts.rs` fails until they are there. The reasons of a decision have codes
//! of their own ([`manifests::decide::Refusal::CODES`]), and so have notices ([`crate::check::Notice::CODES`]).

use std::fmt;

use serde::{Serialize, Serializer};

use crate::exit_code::Exit;

/// Declares [`Code`] with its texts and exit codes.
macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $exit:ident;)+) => {
        /// How something ended, for scripts and `updater explain`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $variant,)+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)+];

            /// The code, in kebab case.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $code,)+ }
            }

            /// The exit code of a command that ends so.
            pub const fn exit(self) -> Exit {
                match self { $(Code::$variant => Exit::$exit,)+ }
            }
        }
    };
}

codes! {
    // What a check or an update says.
    /// A newer release is offered.
    UpdateAvailable = "update-available", Available;
    /// Nothing newer is for this station.
    UpToDate = "up-to-date", Success;
    /// The installed files were released again.
    Renumbered = "renumbered", Success;
    /// No release is for this station.
    NothingReleased = "nothing-released", Refused;
    /// An update had nothing to do.
    NothingToDo = "nothing-to-do", Success;
    /// A dry run.
    Planned = "planned", Success;
    /// Nobody was there to agree.
    NeedsConsent = "needs-consent", Available;
    /// Somebody said no.
    Declined = "declined", Available;
    /// Somebody passes over a release.
    Ignored = "ignored", Success;
    /// A release that cannot be passed over.
    Required = "required", Refused;
    /// Here a release comes in two acts.
    TwoActs = "two-acts", Available;
    /// A release is fetched and waits to be installed.
    Downloaded = "downloaded", Success;
    /// Nothing waits to be installed.
    NothingWaits = "nothing-waits", Success;

    // Client and server.
    /// The client does not fit the server that it talks to.
    Incompatible = "incompatible", Incompatible;
    /// Client and server both have to be of some build at least.
    NeedsBothMinimums = "needs-both-minimums", Incompatible;
    /// Nobody can say whether they fit.
    CannotBeCompared = "cannot-be-compared", Incompatible;

    // Going back.
    /// Going back to this build takes a reason.
    NeedsReason = "needs-reason", Refused;
    /// Going back to this build takes an administrator.
    NeedsAdmin = "needs-admin", Refused;

    // The connection.
    /// The source does not answer, or broke off.
    Unreachable = "unreachable", Unreachable;
    /// It is too slow.
    TooSlow = "too-slow", Unreachable;
    /// It lacks a file.
    NotThere = "not-there", Unreachable;
    /// A log-in page came instead.
    WebPage = "web-page", Unreachable;
    /// It leads elsewhere.
    Redirected = "redirected", Unreachable;
    /// The connection is not safe.
    UnsafeConnection = "unsafe-connection", Unreachable;
    /// A copy that was carried is not whole.
    IncompleteCopy = "incomplete-copy", Unreachable;
    /// There are more changes of keys than one check follows.
    MoreRoots = "more-roots", Unreachable;

    // What can be trusted.
    /// It is not what was signed.
    Untrusted = "untrusted", Refused;
    /// It is past its time.
    Expired = "expired", Refused;
    /// The file list is not the signed one.
    BadManifest = "bad-manifest", Refused;
    /// A download is damaged.
    CorruptObject = "corrupt-object", Refused;
    /// The epoch is over.
    EpochRollback = "epoch-rollback", Refused;
    /// The install link cannot be used.
    BadLink = "bad-link", Refused;

    // What the folder and the disk need.
    /// A right to write is missing.
    NoWriteRight = "no-write-right", Requirement;
    /// Room is missing.
    NoSpace = "no-space", Requirement;
    /// A file is held by somebody.
    FileInUse = "file-in-use", Requirement;
    /// A link is in the way.
    LinkInTree = "link-in-tree", Requirement;
    /// The disk or the system fails.
    StorageError = "storage-error", Failure;
    /// Something else lies there.
    InTheWay = "in-the-way", Requirement;
    /// Somebody writes there meanwhile.
    FileChanging = "file-changing", Requirement;
    /// A part lies on another volume.
    OtherVolume = "other-volume", Requirement;
    /// The folder cannot be opened.
    NoFolder = "no-folder", Requirement;

    // The client in use, and whether it lives.
    /// The update waits until the client is closed.
    Deferred = "deferred", Deferred;
    /// The new build did not live, and the one before it is back.
    Returned = "returned", Returned;
    /// The build does not live, and nothing can come back.
    NotAlive = "not-alive", Damaged;
    /// Nobody knows what starts the client.
    NoEntryPoint = "no-entry-point", Requirement;
    /// Something would have to be fetched.
    NotAllHere = "not-all-here", Requirement;

    // The state of an install.
    /// The folder follows nothing.
    NotInstalled = "not-installed", Requirement;
    /// The folder follows something else.
    FollowsOther = "follows-other", Requirement;
    /// Another updater is at work.
    Busy = "busy", Busy;
    /// Another program keeps changing the folder.
    SecondUpdater = "second-updater", Requirement;
    /// An earlier update was cut off, and undone.
    Interrupted = "interrupted", Failure;
    /// Our own records are damaged.
    DamagedState = "damaged-state", Damaged;
    /// What is set for the station cannot be used.
    BadSettings = "bad-settings", Damaged;
    /// A swap can be neither finished nor undone.
    BrokenSwap = "broken-swap", Damaged;
    /// A swap was undone.
    SwapFailed = "swap-failed", Failure;
    /// A newer updater wrote the records.
    NewerState = "newer-state", Requirement;
    /// The file list is nowhere to be had.
    NoManifest = "no-manifest", Requirement;

    // Backups.
    /// There is none.
    BackupMissing = "backup-missing", Requirement;
    /// It is damaged.
    BackupDamaged = "backup-damaged", Requirement;
    /// It is not ours.
    BackupForeign = "backup-foreign", Requirement;
    /// Going back failed.
    RollbackFailed = "rollback-failed", Failure;

    // The profile `service` and its agent.
    /// Others can write where only root may.
    OthersCanWrite = "others-can-write", Requirement;
    /// The registry cannot be believed.
    ForgedRegistry = "forged-registry", Damaged;
    /// The folder has another profile.
    OtherProfile = "other-profile", Requirement;
    /// Nobody listens.
    AgentNotRunning = "agent-not-running", Requirement;
    /// Somebody else listens.
    AgentNotOurs = "agent-not-ours", Refused;
    /// The agent went away.
    AgentLost = "agent-lost", Unreachable;
    /// The agent has too much to do.
    AgentBusy = "agent-busy", Busy;
    /// The agent does not understand.
    BadRequest = "bad-request", Usage;
    /// It is not for whoever asks.
    NotAllowed = "not-allowed", Refused;
    /// The agent cannot listen.
    NoSocket = "no-socket", Failure;

    // The updater itself.
    /// What is offered is no updater.
    NoUpdater = "no-updater", Refused;
    /// The new updater does not live.
    UpdaterFailed = "updater-failed", Refused;
    /// The updater could not replace itself.
    SelfUpdateFailed = "self-update-failed", Failure;

    // The command itself.
    /// The command line is wrong.
    Usage = "usage", Usage;
    /// Something that was given cannot be used.
    BadArgument = "bad-argument", Usage;
    /// A fault of ours.
    Internal = "internal", Failure;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_kebab_case_and_each_once() {
        let codes: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), Code::ALL.len());
        for code in codes {
            assert!(code.split('-').all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase())), "{code}");
        }
    }
}
