//! What a station did, or tried to do, to an install: one line of its history, one entry of its server's journal (S1-8, D-25, AC-74).
//!
//! The same type on both sides of the wire, so that the two cannot say different things. Nothing here is checked but the shape: whoever takes an attempt from others bounds its texts ([`crate::report`]).

use serde::{Deserialize, Serialize};

use crate::id::Id;
use crate::time::UtcTime;
use crate::trigger::Trigger;

/// One attempt, as a station wrote it down (`docs/format.md` section 14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Names it; also the backup that it made.
    pub id: Id,
    /// When it ended.
    pub time: UtcTime,
    /// The machine.
    pub host: String,
    /// Whoever ran it, as the OS knows them.
    pub os_user: String,
    /// Whoever agreed to it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub approver: Option<String>,
    /// What set it off.
    pub trigger: Trigger,
    /// What set those runs off that waited for this one and took what it had found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<Trigger>,
    /// What was installed.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub from: Option<BuildAt>,
    /// What was to be installed.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub to: Option<BuildAt>,
    /// How it ended.
    pub result: Outcome,
    /// Stable code of the failed requirement.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub code: Option<String>,
    /// Words for people.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub detail: Option<String>,
    /// Bytes received.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub bytes: Option<u64>,
}

impl Attempt {
    /// What set it off, and those that joined it, for people: `schedule+push`.
    pub fn triggers(&self) -> String {
        std::iter::once(&self.trigger).chain(&self.joined).map(|trigger| trigger.as_str()).collect::<Vec<_>>().join("+")
    }

    /// Whether an administrator has to hear of it: it failed, or a build had to be taken back by itself (S3-24, D-22).
    pub fn is_failure(&self) -> bool {
        match self.result {
            Outcome::Failed => true,
            Outcome::RolledBack => self.code.is_some(),
            _ => false,
        }
    }

    /// Whether it is one of those that station and server write down alike (AC-74): applied, declined, failed, rolled back. What waits, was only asked, or is told by a line of its own, is not.
    pub fn is_reported(&self) -> bool {
        matches!(self.result, Outcome::Applied | Outcome::Declined | Outcome::Failed | Outcome::RolledBack)
    }
}

/// A build and its sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildAt {
    /// The vendor's text.
    pub build: String,
    /// Its number within the epoch.
    pub sequence: u64,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The new files are in place.
    Applied,
    /// Everything is as it was.
    Failed,
    /// An earlier build is back.
    RolledBack,
    /// It is ready, and waits for programs that are in use (D-31).
    Deferred,
    /// It is fetched, and waits for somebody to install it (AC-26).
    Downloaded,
    /// Somebody said no, or may not say yes.
    Declined,
    /// It was cut off, and a later start finished it.
    Recovered,
    /// Something was asked, in a way that is worth a line; nothing was installed.
    Checked,
}

impl Outcome {
    /// All of them.
    pub const ALL: &'static [Outcome] = &[
        Outcome::Applied,
        Outcome::Failed,
        Outcome::RolledBack,
        Outcome::Deferred,
        Outcome::Downloaded,
        Outcome::Declined,
        Outcome::Recovered,
        Outcome::Checked,
    ];

    /// The name in the history, in JSON and in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Applied => "applied",
            Outcome::Failed => "failed",
            Outcome::RolledBack => "rolled-back",
            Outcome::Deferred => "deferred",
            Outcome::Downloaded => "downloaded",
            Outcome::Declined => "declined",
            Outcome::Recovered => "recovered",
            Outcome::Checked => "checked",
        }
    }
}
