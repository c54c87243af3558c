//! The reasons of a decision, as people read them and as scripts do: each has a stable code, in kebab case.

use serde::Serialize;

use crate::compat::Compatibility;
use crate::time::UtcTime;

/// A release that is not for this station, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PassedOver {
    /// Its sequence.
    pub sequence: u64,
    /// Its build, where it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// Why.
    #[serde(flatten)]
    pub refusal: Refusal,
}

/// Why a release is not for this station. Each has a stable code, in kebab case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error, strum::VariantNames, strum::IntoStaticStr)]
#[serde(tag = "code", rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Refusal {
    /// A rollback left it.
    #[error("held since a rollback on this station; `updater unhold` releases it, and so does any newer release")]
    Held,
    /// It failed to live here.
    #[error("blocked: it was installed here before and did not live")]
    Blocked,
    /// It failed to be applied here too often.
    #[error(
        "quarantined: applying it failed {failures} times in a row, at last with `{failure}`; `updater update --retry` tries again, and any newer release is tried"
    )]
    Quarantined {
        /// How often.
        failures: u32,
        /// The code of the last failure.
        failure: String,
    },
    /// The publisher withdrew it.
    #[error("withdrawn by its publisher: {reason}")]
    Withdrawn {
        /// Why, in the publisher's words.
        reason: String,
    },
    /// Its build is below the installed one, and it is not marked as a way back (D-06).
    #[error("its build is older than the installed {installed}, and it is not marked `allow_downgrade`")]
    Downgrade {
        /// The installed build.
        installed: String,
    },
    /// Its build is in another notation than the installed one, which cannot be compared (D-08).
    #[error("its build cannot be compared with the installed {installed}, and it is not marked `allow_downgrade`")]
    Incomparable {
        /// The installed build.
        installed: String,
    },
    /// The station accepted a higher sequence before (A4, AC-50).
    #[error("its sequence is below {highest}, which this station has accepted before")]
    Replayed {
        /// The highest place accepted.
        highest: String,
    },
    /// It needs a newer updater, platform, server or installed client than there is (AC-22).
    #[error("it needs {part} {minimum} or newer; {}", .present.as_ref().map_or("none is known here".to_owned(), |build| format!("this is {build}")))]
    Needs {
        /// `updater`, `platform`, `server` or `client`.
        part: &'static str,
        /// The lowest build that will do.
        minimum: String,
        /// The build at hand.
        #[serde(skip_serializing_if = "Option::is_none")]
        present: Option<String>,
    },
    /// The site holds the channel.
    #[error("the site holds this channel")]
    HeldBySite,
    /// The site has not released it to its stations yet.
    #[error("the site has not released it yet, only what is up to {up_to}")]
    NotReleasedBySite {
        /// The highest place that it has released.
        up_to: String,
    },
    /// The site wants another release.
    #[error("the site is pinned to release {to}")]
    PinnedBySite {
        /// The place of the release it wants.
        to: String,
    },
    /// Somebody at the station chose to pass over it (D-26).
    #[error("ignored: somebody at this station passes over it; `updater ignore --undo` offers it again, and any newer release is offered")]
    Ignored,
    /// It uses something that this updater does not know.
    #[error("it needs a newer updater ({reason})")]
    NotUnderstood {
        /// What is not known.
        reason: String,
    },
    /// It does not fit the server that clients of this channel talk to (D-07, AC-21); the code is that of the answer.
    #[error("{0}")]
    #[serde(untagged)]
    #[strum(disabled)]
    Server(Compatibility),
}

impl Refusal {
    /// Every code of a refusal but those of [`Compatibility`], which the last variant hands on: it has none of its own.
    pub const CODES: &'static [&'static str] = match <Refusal as strum::VariantNames>::VARIANTS.split_last() {
        Some((_, codes)) => codes,
        None => &[],
    };

    /// The stable code: the tag in JSON.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Server(judged) => judged.code(),
            other => other.into(),
        }
    }
}

/// What people should know about the installed release, or about what the site wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error, strum::VariantNames, strum::IntoStaticStr)]
#[serde(tag = "code", rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Warning {
    /// The publisher withdrew it.
    #[error("the installed release was withdrawn by its publisher: {reason}")]
    InstalledWithdrawn {
        /// Why, in the publisher's words.
        reason: String,
    },
    /// It is below a security floor.
    #[error("the installed release is below a security floor: {reason}")]
    BelowFloor {
        /// Why.
        reason: String,
    },
    /// The site pins its stations to a release below a security floor; that is not done.
    #[error("the site is pinned to release {to}, which is below a security floor ({reason}): stations go to the floor all the same")]
    PinBelowFloor {
        /// The place of the pinned release.
        to: String,
        /// Why there is a floor.
        reason: String,
    },
    /// The site's wishes would keep this station below a security floor; that is not done.
    #[error("release {sequence} is offered against the wishes of the site: without it this station is below a security floor ({reason})")]
    OfferedForFloor {
        /// The sequence of the release that is offered.
        sequence: u64,
        /// Why there is a floor.
        reason: String,
    },
}

impl Warning {
    /// Every code of a warning.
    pub const CODES: &'static [&'static str] = <Warning as strum::VariantNames>::VARIANTS;

    /// The stable code: the tag in JSON.
    pub fn code(&self) -> &'static str {
        self.into()
    }
}

/// Why nobody at a station may ignore a release (D-26).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Required {
    /// Nothing is installed.
    #[error("no release is installed here yet")]
    NothingElse,
    /// What is installed does not fit the server.
    #[error("what is installed does not fit the server that it talks to")]
    Incompatible,
    /// What is installed is below a security floor.
    #[error("what is installed is below a security floor ({reason})")]
    BelowFloor {
        /// Why there is a floor.
        reason: String,
    },
    /// It fixes a security fault.
    #[error("it fixes a security fault")]
    Security,
    /// The time until which it could be put off is over.
    #[error("its deadline, {deadline}, is over")]
    Overdue {
        /// The deadline.
        deadline: UtcTime,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_the_tag_in_json() {
        let refusal = Refusal::Needs { part: "updater", minimum: "2.0.0".into(), present: None };
        assert_eq!((refusal.code(), &serde_json::json!(refusal)["code"]), ("needs", &"needs".into()));
        let misfit = Refusal::Server(Compatibility::CannotBeCompared { client: "1".into(), server: "7.00.170117A".into() });
        assert_eq!((misfit.code(), &serde_json::json!(misfit)["code"]), ("cannot-be-compared", &"cannot-be-compared".into()));
        let warning = Warning::OfferedForFloor { sequence: 3, reason: "CVE".into() };
        assert_eq!((warning.code(), &serde_json::json!(warning)["code"]), ("offered-for-floor", &"offered-for-floor".into()));
        assert!(Refusal::CODES.contains(&"not-released-by-site") && Warning::CODES.contains(&"below-floor"));
    }
}
