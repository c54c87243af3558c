//! The stable code of each way to fail: what scripts, `updater explain` and `docs/errors` go by.

use std::path::Path;

use manifests::compat::Compatibility;

use super::Error;
use crate::agent::AgentError;
use crate::backup::BackupError;
use crate::check::CheckError;
use crate::code::Code;
use crate::exit_code::Exit;
use crate::fetch::ContentError;
use crate::fetch::http::Refusal;
use crate::fetch::source::FetchError;
use crate::fs::{FsError, Requirement, Unwritable};
use crate::install::InstallError;
use crate::installed::InstalledError;
use crate::lock::LockError;
use crate::plan::PlanError;
use crate::probe::ProbeError;
use crate::profile::ProfileError;
use crate::ratchet::RatchetError;
use crate::refresh::RefreshError;
use crate::rollback::RollbackError;
use crate::schedule::ScheduleError;
use crate::self_update::{RecordError, SelfUpdateError};
use crate::settings::SettingsError;
use crate::shortcut::ShortcutError;
use crate::stage::StageError;
use crate::state_format::StateFormatError;
use crate::station::StationError;
use crate::support_bundle::BundleError;
use crate::swap::{RecoveryError, SwapError};
use crate::trust_store::StoreError;

impl Error {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Error::NotInstalled => Code::NotInstalled,
            Error::NoBackup => Code::BackupMissing,
            Error::NeedsReason { .. } => Code::NeedsReason,
            Error::NeedsAdmin { .. } => Code::NeedsAdmin,
            Error::NothingReleased { .. } => Code::NothingReleased,
            Error::NoManifest { .. } => Code::NoManifest,
            Error::WrongManifest { .. } | Error::Manifest(_) => Code::BadManifest,
            Error::NotWritable(found) if found.iter().all(|found| matches!(found.why, Unwritable::Exposed(_))) => Code::OthersCanWrite,
            Error::NotWritable(_) => Code::NoWriteRight,
            Error::NoWayBack { .. } => Code::NotAlive,
            Error::NoEntryPoint { .. } => Code::NoEntryPoint,
            Error::NotAtStart => Code::TooSlow,
            Error::NotAllHere => Code::NotAllHere,
            Error::Incompatible(misfit) => match misfit.judged {
                Compatibility::NeedsBothMinimums { .. } => Code::NeedsBothMinimums,
                Compatibility::CannotBeCompared { .. } => Code::CannotBeCompared,
                _ => Code::Incompatible,
            },
            Error::NotForYou { .. } => Code::NotAllowed,
            Error::Ignore(error) => error.code(),
            Error::Build(_) => Code::BadArgument,
            Error::SecondUpdater { .. } => Code::SecondUpdater,
            Error::InUse(_) => Requirement::Unused.code(),
            Error::NoRoom(_) | Error::Rollback(RollbackError::NoRoom(_)) => Code::NoSpace,
            Error::Check(error) => check_code(error),
            Error::Install(error) => install_code(error),
            Error::Plan(PlanError::InTheWay { .. }) | Error::Rollback(RollbackError::InTheWay { .. }) => Code::InTheWay,
            Error::Fetch(error) | Error::Content(ContentError::Fetch(error)) => fetch_code(error),
            Error::Content(ContentError::Corrupt { .. }) => Code::CorruptObject,
            Error::Content(ContentError::Worker(_)) | Error::Runtime(_) => Code::Internal,
            Error::Fs(FsError::Open { .. }) | Error::Profile(ProfileError::Fs(FsError::Open { .. })) => Code::NoFolder,
            Error::Fs(FsError::OtherVolume { .. }) | Error::Profile(ProfileError::Fs(FsError::OtherVolume { .. })) => Code::OtherVolume,
            Error::Content(ContentError::Fs(error)) | Error::Stage(StageError::Fs(error)) | Error::Fs(error) => error.requirement().code(),
            Error::Stage(StageError::Changed { .. }) | Error::Swap(SwapError::Changed { .. }) => Code::FileChanging,
            Error::Swap(SwapError::Backup(error)) => backup_code(error),
            Error::Swap(SwapError::Exposed(_)) => Code::OthersCanWrite,
            Error::Swap(error) => error.requirement().map_or(Code::SwapFailed, Requirement::code),
            Error::Recovery(RecoveryError::Exposed(_)) | Error::Rollback(RollbackError::Exposed(_)) => Code::OthersCanWrite,
            Error::Recovery(RecoveryError::Interrupted { first: error, .. } | RecoveryError::Fs(error)) => error.requirement().code(),
            Error::Recovery(_) => Code::BrokenSwap,
            Error::Backup(error) | Error::Rollback(RollbackError::Backup(error)) => backup_code(error),
            Error::Rollback(RollbackError::Damaged { .. }) => Code::BackupDamaged,
            Error::Rollback(RollbackError::Fs(error) | RollbackError::Installed(InstalledError::Fs(error)))
            | Error::Installed(InstalledError::Fs(error))
            | Error::Station(StationError::Fs(error))
            | Error::Ratchet(RatchetError::Fs(error)) => error.requirement().code(),
            Error::Rollback(_) => Code::RollbackFailed,
            Error::Agent(error) => agent_code(error),
            Error::Profile(error) => profile_code(error),
            Error::Probe(ProbeError::Exposed(_)) => Code::OthersCanWrite,
            Error::Probe(ProbeError::Changed { .. }) => Code::FileChanging,
            Error::Probe(ProbeError::Fs(error)) => error.requirement().code(),
            Error::Lock(LockError::Held { .. }) => Code::Busy,
            Error::Lock(LockError::Gone) => Code::NotInstalled,
            Error::Lock(LockError::Fs(error)) => error.requirement().code(),
            Error::Installed(_) | Error::Station(_) | Error::Ratchet(_) => Code::DamagedState,
            Error::Argument { .. } | Error::Authority(_) => Code::BadArgument,
            Error::Settings(error) => match &**error {
                SettingsError::Unusable { .. } => Code::BadSettings,
                SettingsError::Unknown(_) | SettingsError::Value { .. } => Code::BadArgument,
                SettingsError::Fs(error) => error.requirement().code(),
            },
            Error::Schedule(error) => schedule_code(error),
            Error::Shortcut(error) => shortcut_code(error),
            Error::Bundle(error) => bundle_code(error),
            Error::SelfUpdate(error) => self_update_code(error),
            Error::StateFormat(StateFormatError::Newer { .. }) => Code::NewerState,
            Error::StateFormat(StateFormatError::Fs(error)) => error.requirement().code(),
        }
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        self.code().exit()
    }
}

fn self_update_code(error: &SelfUpdateError) -> Code {
    match error {
        SelfUpdateError::Unknown { .. } | SelfUpdateError::NotPlaced { .. } | SelfUpdateError::Lost { .. } => Code::SelfUpdateFailed,
        SelfUpdateError::FollowsNothing => Code::NotInstalled,
        SelfUpdateError::NotAnUpdater { .. } | SelfUpdateError::NoEntryPoint { .. } => Code::NoUpdater,
        SelfUpdateError::NotWritable { .. } => Code::NoWriteRight,
        SelfUpdateError::DoesNotLive { .. } | SelfUpdateError::PutBack { .. } => Code::UpdaterFailed,
        SelfUpdateError::NoPrevious => Code::BackupMissing,
        SelfUpdateError::NeedsReason { .. } => Code::NeedsReason,
        SelfUpdateError::Record(RecordError::Damaged { .. }) => Code::DamagedState,
        SelfUpdateError::Record(RecordError::Fs(error)) | SelfUpdateError::Fs(error) => error.requirement().code(),
    }
}

fn schedule_code(error: &ScheduleError) -> Code {
    match error {
        ScheduleError::Text { .. } | ScheduleError::NoPlace { .. } => Code::BadArgument,
        ScheduleError::Taken { .. } | ScheduleError::TakenName { .. } => Code::InTheWay,
        ScheduleError::Kept { .. } => Code::NoWriteRight,
        ScheduleError::Outside { path, source } => outside_code(path, source),
        ScheduleError::Fs(error) => error.requirement().code(),
    }
}

fn shortcut_code(error: &ShortcutError) -> Code {
    match error {
        ShortcutError::Text { .. } | ShortcutError::NoPlace { .. } | ShortcutError::Unfit(_) => Code::BadArgument,
        ShortcutError::System(_) => Code::Internal,
        ShortcutError::Taken { .. } => Code::InTheWay,
        ShortcutError::Outside { path, source } => outside_code(path, source),
        ShortcutError::Fs(error) => error.requirement().code(),
    }
}

fn bundle_code(error: &BundleError) -> Code {
    match error {
        BundleError::Inside { .. } => Code::BadArgument,
        BundleError::Taken { .. } => Code::InTheWay,
        BundleError::Outside { path, source } => outside_code(path, source),
    }
}

/// What is lacking for a file outside the install folder.
fn outside_code(path: &Path, source: &std::io::Error) -> Code {
    FsError::Open { path: path.to_owned(), source: source.kind().into() }.requirement().code()
}

fn fetch_code(error: &FetchError) -> Code {
    match error {
        FetchError::WebPage { .. } | FetchError::Redirected { refusal: Refusal::OtherHost, .. } => Code::WebPage,
        FetchError::Redirected { .. } => Code::Redirected,
        FetchError::Tls { .. } => Code::UnsafeConnection,
        FetchError::NotFound { .. } | FetchError::NotStored { .. } => Code::NotThere,
        FetchError::TooLong { .. } | FetchError::WrongRange { .. } | FetchError::Encoded { .. } => Code::Untrusted,
        FetchError::Incomplete { .. } => Code::IncompleteCopy,
        FetchError::TooSlow { .. } => Code::TooSlow,
        FetchError::Status { .. }
        | FetchError::Truncated { .. }
        | FetchError::Network { .. }
        | FetchError::ProxyPassword { .. }
        | FetchError::Unreadable { .. }
        | FetchError::Address { .. } => Code::Unreachable,
    }
}

fn refresh_code(error: &RefreshError) -> Code {
    use manifests::trust::TrustError;
    match error {
        RefreshError::Fetch(error) => fetch_code(error),
        RefreshError::Trust(TrustError::Expired { .. }) => Code::Expired,
        RefreshError::MoreRoots { .. } => Code::MoreRoots,
        RefreshError::Trust(_) | RefreshError::Target { .. } => Code::Untrusted,
        RefreshError::Store(error) => store_code(error),
    }
}

fn store_code(error: &StoreError) -> Code {
    match error {
        StoreError::Fs(error) => error.requirement().code(),
        StoreError::Missing { .. } | StoreError::DamagedRoot { .. } => Code::DamagedState,
    }
}

fn check_code(error: &CheckError) -> Code {
    match error {
        CheckError::Refresh(error) => refresh_code(error),
        CheckError::EpochRollback { .. } => Code::EpochRollback,
        CheckError::TooOld(_) => Code::Expired,
        CheckError::Time(_) => Code::BadArgument,
        CheckError::NoChannel(_) | CheckError::NoPolicy => Code::NothingReleased,
        CheckError::Policy(_) | CheckError::Channel(_) | CheckError::EpochMismatch { .. } => Code::Untrusted,
        CheckError::Station(StationError::Fs(error)) | CheckError::Ratchet(RatchetError::Fs(error)) => error.requirement().code(),
        CheckError::Station(_) | CheckError::Ratchet(_) => Code::DamagedState,
    }
}

fn install_code(error: &InstallError) -> Code {
    match error {
        InstallError::Unpinned | InstallError::Address { .. } => Code::BadLink,
        InstallError::Fetch(error) => fetch_code(error),
        InstallError::Document(_) | InstallError::Root { .. } => Code::Untrusted,
        InstallError::AlreadyFollows { .. } => Code::FollowsOther,
        InstallError::UnknownHost => Code::BadArgument,
        InstallError::Station(StationError::Fs(error)) => error.requirement().code(),
        InstallError::Station(_) => Code::DamagedState,
        InstallError::Store(error) => store_code(error),
        InstallError::Fs(error) => error.requirement().code(),
    }
}

fn agent_code(error: &AgentError) -> Code {
    match error {
        AgentError::NotRunning { .. } => Code::AgentNotRunning,
        AgentError::NotOurs { .. } => Code::AgentNotOurs,
        AgentError::Lost(_) | AgentError::Unreadable(_) => Code::AgentLost,
        AgentError::NotForAll { .. } => Code::NotAllowed,
        AgentError::AlreadyRunning { .. } => Code::Busy,
        AgentError::InTheWay { .. } => Code::InTheWay,
        AgentError::Exposed(_) => Code::OthersCanWrite,
        AgentError::Settings { .. } => Code::BadArgument,
        AgentError::Listen { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => Code::NoWriteRight,
        AgentError::Listen { .. } => Code::NoSocket,
        AgentError::Fs(error) => error.requirement().code(),
    }
}

fn profile_code(error: &ProfileError) -> Code {
    match error {
        ProfileError::Exposed { .. } => Code::OthersCanWrite,
        ProfileError::Forged(_) => Code::ForgedRegistry,
        ProfileError::Damaged { .. } => Code::DamagedState,
        ProfileError::OtherProfile { .. } | ProfileError::OtherState { .. } | ProfileError::StateNotEmpty { .. } => Code::OtherProfile,
        ProfileError::Name { .. } | ProfileError::Root { .. } | ProfileError::OfAnother { .. } => Code::BadArgument,
        ProfileError::Fs(error) => error.requirement().code(),
    }
}

fn backup_code(error: &BackupError) -> Code {
    use crate::backup::rotation::Refusal;
    match error {
        BackupError::Refused(Refusal::Foreign(_)) => Code::BackupForeign,
        // What is no folder, or is a copy, is taken in by nothing.
        BackupError::Refused(Refusal::NotAFolder(_) | Refusal::Twice(..)) => Code::InTheWay,
        BackupError::Refused(Refusal::Exposed(_)) => Code::OthersCanWrite,
        BackupError::Refused(Refusal::Damaged(_)) | BackupError::Damaged { .. } => Code::BackupDamaged,
        BackupError::Refused(Refusal::Gone(_)) | BackupError::Missing(_) => Code::BackupMissing,
        BackupError::NoSpace { .. } => Code::NoSpace,
        BackupError::Fs(error) => error.requirement().code(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::LocalPath;

    #[test]
    fn s3_24_a_recovery_that_the_disk_bars_says_what_the_disk_lacks() {
        let failed = |kind: std::io::ErrorKind| FsError::io("moving", &LocalPath::root(), kind.into());
        let barred = |first| RecoveryError::Interrupted { first: failed(first), second: failed(std::io::ErrorKind::Other) };
        assert_eq!(Error::from(barred(std::io::ErrorKind::StorageFull)).code(), Code::NoSpace);
        assert_eq!(Error::from(barred(std::io::ErrorKind::PermissionDenied)).code(), Code::NoWriteRight);
        let broken = RecoveryError::Broken { missing: vec![] };
        assert_eq!(Error::from(broken).code(), Code::BrokenSwap);
    }
}
