//! A release that people at the station do not want (D-26, AC-33): that one is not offered any more, and any newer one is.
//!
//! What the station needs cannot be ignored, and where releases come by themselves or an administrator agrees to them, whoever merely works there cannot keep one out. The decision asks that anew
//! each time, so a release that is required later comes all the same.

use manifests::channel::{Place, Release};
use manifests::decide::{Required, Verdict, required_because};
use serde::Serialize;

use super::{Error, Run, Session, who};
use crate::check::Checked;
use crate::code::Code;
use crate::consent::may_ignore;
use crate::deadline::Deadline;
use crate::history::{self, Attempt, BuildAt, Outcome};
use crate::id::Id;
use crate::trigger::Trigger;

/// What the history says of it, for people.
pub(super) const IGNORED: &str = "this version is ignored";

/// Which release is meant.
#[derive(Debug, Clone, PartialEq, Eq, strum::Display)]
pub enum Which {
    /// The one that is offered.
    #[strum(to_string = "that is offered")]
    Offered,
    /// The newest of this build.
    #[strum(to_string = "{0}")]
    Build(String),
    /// The one of this number.
    #[strum(to_string = "{0}")]
    Number(u64),
}

impl Which {
    fn names(&self, release: &Release) -> bool {
        match self {
            Which::Offered => false,
            Which::Build(build) => release.build.text() == build,
            Which::Number(sequence) => release.sequence == *sequence,
        }
    }
}

/// A release that is passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ignored {
    /// Which.
    pub release: BuildAt,
    /// Until when, where that ends.
    pub deadline: Option<Deadline>,
}

/// Why a release is not ignored.
#[derive(Debug, thiserror::Error)]
pub enum IgnoreError {
    /// The station needs it.
    #[error("{build} cannot be ignored: {why}; it is offered until it is installed")]
    Required {
        /// Its build.
        build: String,
        /// Why.
        why: Required,
    },
    /// There is none.
    #[error(
        "no release `{0}` is known that is newer than what is installed: `updater check` finds out what there is, `updater status --explain` shows it"
    )]
    Unknown(Which),
}

impl IgnoreError {
    pub(super) fn code(&self) -> Code {
        match self {
            IgnoreError::Required { .. } => Code::Required,
            IgnoreError::Unknown(_) => Code::BadArgument,
        }
    }
}

impl Session {
    /// Passes over the release that `which` names, by what the last check found; `None` when none is offered. Asks no source.
    pub fn ignore(&mut self, which: &Which, run: &Run<'_>) -> Result<Option<Ignored>, Error> {
        self.refuse_to_ignore(run)?;
        let Some(checked) = self.remembered() else { return Ok(None) };
        let Some(release) = self.meant(which, &checked)? else { return Ok(None) };
        if let Some(why) = self.required_because(&checked, release) {
            return Err(IgnoreError::Required { build: release.build.text().to_owned(), why }.into());
        }
        let to = BuildAt { build: release.build.text().to_owned(), sequence: release.sequence };
        let deadline = self.deadline_of(&checked, release);
        if self.pass_over(checked.channel.place(release))? {
            let attempt = run.who.attempt(Id::random(), run.now, Trigger::Ignore);
            let code = Some(Code::Ignored.to_string());
            let (to, detail) = (Some(to.clone()), Some(IGNORED.to_owned()));
            let attempt = Attempt { from: self.at(), to, result: Outcome::Declined, code, detail, approver: None, ..attempt };
            history::append(&self.folder, &attempt)?;
        }
        Ok(Some(Ignored { release: to, deadline }))
    }

    /// Offers the release that `which` names again, and without a name every one that is ignored; `false` when that changes nothing.
    pub fn offer_again(&mut self, which: &Which, run: &Run<'_>) -> Result<bool, Error> {
        self.refuse_to_ignore(run)?;
        let known = self.told.ignored.len();
        let mut to = None;
        match which {
            Which::Offered => self.told.ignored.clear(),
            _ => {
                let Some(checked) = self.remembered() else { return Ok(false) };
                let Some(release) = self.meant(which, &checked)? else { return Ok(false) };
                let place = checked.channel.place(release);
                self.told.ignored.retain(|ignored| *ignored != place);
                to = Some(BuildAt { build: release.build.text().to_owned(), sequence: release.sequence });
            }
        }
        if self.told.ignored.len() == known {
            return Ok(false);
        }
        self.told.save(&self.folder)?;
        let attempt = run.who.attempt(Id::random(), run.now, Trigger::Ignore);
        let detail = Some("what was ignored is offered again".to_owned());
        let attempt = Attempt { from: self.at(), to, result: Outcome::Checked, detail, approver: None, ..attempt };
        history::append(&self.folder, &attempt)?;
        Ok(true)
    }

    /// Remembers that the release at `place` is passed over; `false` when that is known.
    pub(super) fn pass_over(&mut self, place: Place) -> Result<bool, Error> {
        let installed = self.installed.as_ref().map_or(Place(0, 0), |installed| installed.release.place);
        let is_new = self.told.ignore(place, installed);
        if is_new {
            self.told.save(&self.folder)?;
        }
        Ok(is_new)
    }

    /// Whether whoever runs this may have `release` passed over.
    pub(super) fn may_ignore(&self, checked: &Checked, release: &Release, run: &Run<'_>) -> bool {
        may_ignore(&self.settings, self.is_admin(run)) && self.required_because(checked, release).is_none()
    }

    fn required_because(&self, checked: &Checked, release: &Release) -> Option<Required> {
        self.with_facts(|facts| required_because(&checked.channel, &checked.policy, release, facts))
    }

    fn refuse_to_ignore(&mut self, run: &Run<'_>) -> Result<(), Error> {
        self.check_settings()?;
        if may_ignore(&self.settings, self.is_admin(run)) {
            return Ok(());
        }
        Err(Error::NotForYou { what: "ignoring a release", os_user: run.who.os_user.clone() })
    }

    /// The release that is meant, among those that are newer than the installed one.
    fn meant<'c>(&self, which: &Which, checked: &'c Checked) -> Result<Option<&'c Release>, IgnoreError> {
        let installed = self.installed.as_ref().map(|installed| installed.release.place);
        let is_newer = |release: &&Release| installed.is_none_or(|installed| checked.channel.place(release) > installed);
        if *which == Which::Offered {
            return Ok(match self.decide(checked).verdict {
                Verdict::Offer(release) => Some(release),
                _ => None,
            });
        }
        let found = checked.channel.releases.iter().filter(is_newer).find(|release| which.names(release));
        found.map(Some).ok_or_else(|| IgnoreError::Unknown(which.clone()))
    }

    fn at(&self) -> Option<BuildAt> {
        self.installed.as_ref().map(|installed| who::installed_at(&installed.release))
    }
}
