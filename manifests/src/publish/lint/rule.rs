//! The rules of lint: a stable code, how bad it is to break it, and what to do. `docs/` and scripts may rely on the codes.

use std::fmt;
use std::str::FromStr;

/// Whether a finding stops a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It does.
    Error,
    /// It does not.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

/// How hard a rule is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Force {
    /// No station would take such a release.
    Hard,
    /// This is probably not the folder that was meant.
    Soft,
    /// Worth saying.
    Hint,
}

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $force:ident, $advice:literal;)+) => {
        /// A rule of lint.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule { $($(#[$doc])* $variant),+ }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Rule] = &[$(Rule::$variant),+];

            /// The stable code.
            pub const fn code(self) -> &'static str {
                match self { $(Rule::$variant => $code),+ }
            }

            /// What to do.
            pub const fn advice(self) -> &'static str {
                match self { $(Rule::$variant => $advice),+ }
            }

            const fn force(self) -> Force {
                match self { $(Rule::$variant => Force::$force),+ }
            }
        }
    };
}

rules! {
    /// Too long, or too deep.
    PathTooLong = "path-too-long", Hard, "shorten its name or the folders above it";
    /// Empty components, `.` or `..`, an absolute path.
    PathEscapes = "path-escapes", Hard, "name it relative to the folder, without `..`";
    /// A character that some OS cannot store or that hides what a name is.
    PathCharacter = "path-character", Hard, "rename it without that character";
    /// Ends in a dot or space, or begins with a space.
    PathTrimmed = "path-trimmed", Hard, "rename it: Windows would change this name";
    /// `con`, `nul.txt`, …
    DeviceName = "device-name", Hard, "rename it: Windows takes this name for a device";
    /// `progra~1`.
    ShortName = "short-name", Hard, "rename it: Windows may take this name for another file";
    /// Not Unicode.
    NotUnicode = "not-unicode", Hard, "rename it in UTF-8";
    /// A backup that an updater made.
    ClientBackup = "client-backup", Hard, "this is a folder that a client runs from: publish a clean copy of the build";
    /// `.updater`.
    UpdaterState = "updater-state", Hard, "this is an installed client: publish a clean copy of the build";
    /// Names that are one on some file systems.
    CaseCollision = "case-collision", Hard, "rename or remove one of the two";
    /// One name twice, in a zip.
    Repeated = "repeated-name", Hard, "make the archive anew with each name once";
    /// A link where the OS has none.
    LinkNotAllowed = "link-not-allowed", Hard, "replace the link by what it leads to";
    /// A link that leaves the folder.
    LinkEscapes = "link-escapes", Hard, "make it a relative link inside the folder";
    /// Socket, pipe, device.
    SpecialFile = "special-file", Hard, "remove it";
    /// Cannot be opened.
    Unreadable = "unreadable", Hard, "give the account that publishes the right to read it";
    /// No file at all.
    EmptyFolder = "empty-folder", Hard, "give the folder that holds the unpacked build";
    /// Over the limit.
    TooManyEntries = "too-many-entries", Hard, "publish less in one release";
    /// Repository and folder lie in one another.
    OwnRepository = "own-repository", Hard, "keep the build in a folder of its own";
    /// Keys and folder lie in one another.
    OwnKeys = "own-keys", Hard, "keep the keys elsewhere: publishing them would hand them out";
    /// A private key under another name or in another folder.
    PrivateKey = "private-key", Hard, "remove it: publishing it would hand it out; a key that others may have read has to be replaced";
    /// The entry point is not there.
    EntryPointMissing = "entry-point-missing", Hard, "give --entry-point as a path inside the folder";
    /// The file that is to show that the build lives is not there.
    ProbeMissing = "probe-missing", Hard, "give --probe file:PATH as a path inside the folder";
    /// Capital letters where they are forbidden.
    UpperCase = "upper-case", Hard, "rename it in lower case, or publish with --names fold";
    /// An archive that cannot be read safely.
    UnsafeArchive = "unsafe-archive", Hard, "unpack it with a tool that you trust and publish the folder";
    /// Only archives.
    OnlyArchives = "only-archives", Soft, "unpack them first (S3-13), or publish the zip itself; --allow only-archives if it is meant so";
    /// macosx without a bundle.
    NoAppBundle = "no-app-bundle", Soft, "give the folder that contains the bundle (S3-14); --allow no-app-bundle if it is meant so";
    /// Logs, locks, temporary files.
    LiveClient = "live-client", Soft, "publish a clean copy of the build, not a folder that a client runs from (S3-17); --allow live-client if it belongs there";
    /// The server's own folder.
    ServerFolder = "server-folder", Soft, "keep the client build in a folder of its own (S3-17); --allow server-folder if it belongs there";
    /// A program of which a part is missing.
    TruncatedProgram = "truncated-program", Soft, "copy it again and to its end; --allow truncated-program if it is meant so";
    /// The entry point is not executable.
    EntryPointMode = "entry-point-mode", Hint, "run `chmod +x` on it";
    /// The client does not fit the server of the channel.
    OtherServer = "other-server", Hint, "no station takes it while its server is that one; once the server is a newer one, say so with --server-build";
    /// A configuration file.
    ConfigFile = "config-file", Hint, "where users changed it, `merge` keeps what they set and adds what is new, `keep` leaves theirs, `new-beside` also writes this one beside as .new, `overwrite` takes this one and theirs is in the backup; choose with --config";
    /// A time that no file system can hold.
    TimeClamped = "time-clamped", Hint, "stations will see the nearest time they can";
    /// `.DS_Store` and the like.
    JunkFile = "junk-file", Hint, "remove it before publishing";
}

impl Rule {
    /// Whether breaking it stops a publish.
    pub const fn severity(self) -> Severity {
        match self.force() {
            Force::Hint => Severity::Warning,
            Force::Hard | Force::Soft => Severity::Error,
        }
    }

    /// Whether a publisher may say that it is meant so.
    pub const fn can_be_allowed(self) -> bool {
        matches!(self.force(), Force::Soft)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// The text is not the code of a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a rule that can be allowed (those are: only-archives, no-app-bundle, live-client, server-folder, truncated-program)")]
pub struct UnknownRule(String);

impl FromStr for Rule {
    type Err = UnknownRule;

    fn from_str(text: &str) -> Result<Self, UnknownRule> {
        let found = Rule::ALL.iter().copied().find(|rule| rule.code() == text && rule.can_be_allowed());
        found.ok_or_else(|| UnknownRule(text.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_kebab_case_and_each_once() {
        let mut codes: Vec<_> = Rule::ALL.iter().map(|rule| rule.code()).collect();
        assert!(codes.iter().all(|code| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')));
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Rule::ALL.len());
    }

    #[test]
    fn the_rules_that_can_be_allowed_are_those_the_message_lists() {
        let listed = UnknownRule(String::new()).to_string();
        for rule in Rule::ALL.iter().filter(|rule| rule.can_be_allowed()) {
            assert!(listed.contains(rule.code()), "{rule}");
        }
    }
}
