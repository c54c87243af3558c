//! What became of a folder, for operators.

use manifests::publish::{Findings, Rule};
use manifests::time::UtcTime;

use crate::config::FolderSettings;

/// Whoever writes into a folder for longer than this has forgotten it, or hangs.
const LONG_SECONDS: i64 = 3600;

/// What became of a folder, since when, and what of it stations see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// What became of it.
    pub standing: Standing,
    /// Since when.
    pub since: UtcTime,
    /// The release that was last made of it, as far as this server knows.
    pub released: Option<Released>,
}

impl State {
    /// Why stations do not get what is in the folder, and what to do; `None` when they do, or will in a moment.
    pub fn fault(&self, settings: &FolderSettings, now: UtcTime) -> Option<String> {
        self.standing.why(settings, now.unix() - self.since.unix() >= LONG_SECONDS)
    }
}

/// A release of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// Its number.
    pub sequence: u64,
    /// Its build.
    pub build: String,
}

/// What became of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is the current release of its channel.
    Published {
        /// That release.
        release: Released,
        /// Whether it was made just now.
        is_new: bool,
    },
    /// Somebody is writing into it.
    Busy(String),
    /// It breaks rules of lint.
    Refused(Findings),
    /// It cannot be published as it is, for another reason.
    Failed {
        /// Why, and what to do.
        text: String,
        /// Whether the same may work in a moment although nobody mends anything.
        passing: bool,
    },
    /// It is not there, or cannot be listed.
    Unreadable(String),
    /// Nothing says where it is.
    NoPath,
    /// It has no role in its repository.
    NoRole(String),
}

/// When a folder is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// When it has changed.
    OnChange,
    /// After half a minute: somebody is at it.
    Soon,
    /// At longer and longer pauses: something is broken.
    Later,
}

impl Standing {
    /// The word for it in `/readyz` and metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Standing::Published { .. } => "published",
            Standing::Busy(_) => "busy",
            Standing::Refused(_) => "refused",
            Standing::Failed { .. } => "failed",
            Standing::Unreadable(_) => "unreadable",
            Standing::NoPath => "no-path",
            Standing::NoRole(_) => "no-role",
        }
    }

    /// The rules of lint that it breaks, each once.
    pub fn rules(&self) -> Vec<&'static str> {
        let Standing::Refused(findings) = self else { return vec![] };
        let mut rules: Vec<&str> = findings.errors().map(|finding| finding.rule.code()).collect();
        rules.sort_unstable();
        rules.dedup();
        rules
    }

    fn why(&self, settings: &FolderSettings, is_long: bool) -> Option<String> {
        let setting = &settings.setting;
        let why = match self {
            Standing::Published { .. } => return None,
            Standing::Busy(_) if !is_long => return None,
            Standing::Busy(who) => format!("for more than an hour somebody has been writing into it: {who}"),
            Standing::Refused(findings) => findings.to_string(),
            Standing::Failed { text, .. } | Standing::NoRole(text) => text.clone(),
            Standing::Unreadable(reason) => {
                format!("it cannot be listed ({reason}): correct {setting}, or make the folder readable for the account that serves")
            }
            Standing::NoPath => format!("{setting} says nothing: give it the path of the folder, or take the line out"),
        };
        Some(format!("{} is not published, and stations do not see what is in it: {why}", settings.shown()))
    }

    /// When it is tried again.
    pub(super) fn again(&self) -> Again {
        match self {
            Standing::Busy(_) | Standing::Unreadable(_) | Standing::NoRole(_) => Again::Soon,
            Standing::Failed { passing: true, .. } => Again::Later,
            // What could not be read may be readable in a moment without a trace of that in the folder: a share that comes back, a right that is given above it.
            Standing::Refused(findings) if findings.has(Rule::Unreadable) => Again::Later,
            Standing::Published { .. } | Standing::Refused(_) | Standing::Failed { .. } | Standing::NoPath => Again::OnChange,
        }
    }

    pub(super) fn release(&self) -> Option<Released> {
        match self {
            Standing::Published { release, .. } => Some(release.clone()),
            _ => None,
        }
    }

    pub(super) fn log(&self, settings: &FolderSettings) {
        let (folder, channel) = (settings.shown(), settings.id.target_path());
        match self {
            Standing::Published { release: Released { sequence, build }, is_new } => {
                let what = if *is_new { "the folder is published" } else { "the folder is as it was last published" };
                tracing::info!(folder.path = folder, channel.path = channel, release.sequence = sequence, release.build = build, "{what}");
            }
            Standing::Busy(who) => {
                tracing::info!(folder.path = folder, channel.path = channel, "waiting until nobody writes into the folder: {who}")
            }
            _ => {
                let (rules, text) = (self.rules().join(" "), self.why(settings, false).unwrap_or_default());
                tracing::warn!(folder.path = folder, channel.path = channel, folder.state = self.word(), folder.rules = rules, "{text}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifests::name::Os;
    use manifests::publish::lint::Finding;

    /// A share that comes back, or a right that is given above the folder, leaves no trace in it.
    #[test]
    fn what_cannot_be_read_is_tried_again_and_what_the_folder_alone_decides_is_not() {
        let refused = |rule: Rule| {
            let finding = Finding { severity: rule.severity(), rule, path: Some("client".into()), detail: "denied".into() };
            Standing::Refused(Findings(vec![finding])).again()
        };
        assert_eq!((refused(Rule::Unreadable), refused(Rule::CaseCollision)), (Again::Later, Again::OnChange));
        let failed = |passing| Standing::Failed { text: String::new(), passing }.again();
        assert_eq!((failed(true), failed(false)), (Again::Later, Again::OnChange));
    }

    #[test]
    fn a_folder_that_is_written_for_an_hour_is_told_of() {
        let settings = FolderSettings::new(Some("/upd".into()), String::new(), "acme".parse().unwrap(), Os::Linux);
        let since: UtcTime = "2026-11-21T10:00:00Z".parse().unwrap();
        let state = State { standing: Standing::Busy("`/upd/x` is open for writing in cp (process 7)".into()), since, released: None };
        assert_eq!(state.fault(&settings, UtcTime::from_unix(since.unix() + LONG_SECONDS - 1)), None);
        let fault = state.fault(&settings, UtcTime::from_unix(since.unix() + LONG_SECONDS)).unwrap();
        assert!(fault.contains("`/upd`") && fault.contains("process 7"), "{fault}");
    }
}
