//! Exit statuses: stable, for scripts.

use std::process::ExitCode;

use manifests::publish::PublishError;
use manifests::publish::commit::CommitError;
use manifests::publish::custody::CustodyError;
use manifests::publish::scan::ScanError;
use manifests::publish::zip_source::ZipError;

/// Why the program ended as it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// A file could not be read or written.
    Failed = 1,
    /// The command line is wrong; given by the parser.
    Usage = 2,
    /// The folder or zip is not fit to be published.
    Unfit = 10,
    /// The release is refused.
    Refused = 11,
    /// Another command is changing the repository.
    Locked = 12,
    /// A private key is missing, exposed or locked.
    Key = 13,
    /// The repository is damaged.
    Damaged = 14,
    /// There is no repository, or something else is where it should be.
    NoRepository = 15,
    /// The folder changed while it was being published.
    Changed = 16,
}

impl Exit {
    /// Every status.
    #[cfg(test)]
    pub(crate) const ALL: &[Exit] = &[
        Exit::Done,
        Exit::Failed,
        Exit::Usage,
        Exit::Unfit,
        Exit::Refused,
        Exit::Locked,
        Exit::Key,
        Exit::Damaged,
        Exit::NoRepository,
        Exit::Changed,
    ];

    /// The status as a word, for `--json`.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Exit::Done => "done",
            Exit::Failed => "failed",
            Exit::Usage => "usage",
            Exit::Unfit => "unfit",
            Exit::Refused => "refused",
            Exit::Locked => "locked",
            Exit::Key => "key",
            Exit::Damaged => "damaged",
            Exit::NoRepository => "no-repository",
            Exit::Changed => "changed",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// The status for an error.
pub(crate) fn of(error: &PublishError) -> Exit {
    match error {
        PublishError::Lint(_) | PublishError::Zip(_) if !is_disk(error) => Exit::Unfit,
        PublishError::Refused(_) | PublishError::TooLong { .. } | PublishError::Manifest(_) | PublishError::NoSource(_) => Exit::Refused,
        PublishError::Custody(CustodyError::NotInFolder(_) | CustodyError::NoneToSign { .. }) => Exit::Key,
        PublishError::NotARequest { .. }
        | PublishError::NoRequest
        | PublishError::OtherRepository { .. }
        | PublishError::NotSigned(_)
        | PublishError::Incomplete(_)
        | PublishError::Custody(_) => Exit::Refused,
        PublishError::Commit(
            CommitError::Stale { .. }
            | CommitError::OtherRequest
            | CommitError::Unsound(_)
            | CommitError::Backwards(_)
            | CommitError::RunAway { .. },
        ) => Exit::Refused,
        PublishError::Lock(manifests::publish::lock::LockError::Held { .. }) => Exit::Locked,
        PublishError::Commit(CommitError::Key(_)) => Exit::Key,
        PublishError::View(manifests::publish::view::ViewError::Disk(_)) => Exit::Failed,
        PublishError::View(_) => Exit::Damaged,
        PublishError::NotARepository(_)
        | PublishError::AlreadyARepository { .. }
        | PublishError::NotEmpty(_)
        | PublishError::KeysName(_)
        | PublishError::KeysInside(_)
        | PublishError::Description { .. } => Exit::NoRepository,
        PublishError::Scan(ScanError::Changed(_)) => Exit::Changed,
        _ => Exit::Failed,
    }
}

fn is_disk(error: &PublishError) -> bool {
    matches!(error, PublishError::Zip(ZipError::Disk(_)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use manifests::publish::Rule;

    use super::*;

    #[test]
    fn every_code_of_the_publisher_is_explained_and_nobody_explains_a_code_that_is_none() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../updater/locales/en/codes-manifests.ftl");
        let catalogue = std::fs::read_to_string(path).unwrap();
        let explained: BTreeSet<&str> = catalogue.lines().filter_map(|line| line.strip_prefix("code-")?.split(" =").next()).collect();
        // That all went well needs no page, and what the parser says is said by `updater` too.
        let ends = Exit::ALL.iter().filter(|exit| !matches!(exit, Exit::Done | Exit::Usage)).map(|exit| exit.code());
        let said: BTreeSet<&str> = ends.chain(Rule::ALL.iter().map(|rule| rule.code())).collect();
        let missing: Vec<_> = said.difference(&explained).collect();
        assert!(
            missing.is_empty(),
            "these codes have no text: {missing:?}\nadd to updater/locales/{{en,pt-BR,ru,zh-CN}}/codes-manifests.ftl, in the group where they belong:\n\ncode-CODE = Title without an end\n    .why = The cause.\n    .cure = What to do.\n\nthen run `WRITE_PAGES=1 cargo test -p updater --test texts pages`"
        );
        let surplus: Vec<_> = explained.difference(&said).collect();
        assert!(surplus.is_empty(), "nobody says these codes: {surplus:?}");
    }
}
