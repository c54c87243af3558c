//! What became of a folder, for operators.

use manifests::publish::Findings;
use manifests::time::UtcTime;

use crate::config::FolderSettings;

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

    /// Why stations do not get what is in the folder, and what to do; `None` when they do, or will in a moment.
    pub fn fault(&self, settings: &FolderSettings) -> Option<String> {
        let setting = &settings.setting;
        let why = match self {
            Standing::Published { .. } | Standing::Busy(_) => return None,
            Standing::Refused(findings) => findings.to_string(),
            Standing::Failed { text, .. } | Standing::NoRole(text) => text.clone(),
            Standing::Unreadable(reason) => {
                format!("it cannot be listed ({reason}): correct {setting}, or make the folder readable for the account that serves")
            }
            Standing::NoPath => format!("{setting} says nothing: give it the path of the folder, or take the line out"),
        };
        Some(format!("{} is not published, and stations do not see what is in it: {why}", settings.shown()))
    }

    /// Whether nothing is to be done until the folder changes.
    pub(super) fn is_dealt_with(&self) -> bool {
        !matches!(self, Standing::Busy(_) | Standing::Unreadable(_) | Standing::NoRole(_) | Standing::Failed { passing: true, .. })
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
                let (rules, text) = (self.rules().join(" "), self.fault(settings).unwrap_or_default());
                tracing::warn!(folder.path = folder, channel.path = channel, folder.state = self.word(), folder.rules = rules, "{text}");
            }
        }
    }
}
