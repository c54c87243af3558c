//! Who has to agree before a release comes onto a station (D-01, D-02, AC-26): pure, from the station's settings and what is known of the release and of whoever asks.
//!
//! No way through here hides progress or skips the history. A station that nobody sits at is never kept waiting by a question: whoever asks says whether anybody is there to answer.

use crate::settings::{Approver, ConsentPolicy, Settings};

/// What has been said beforehand, and who says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Somebody agreed already (`--yes`).
    pub has_agreed: bool,
    /// It is a run that nobody sits at.
    pub is_unattended: bool,
    /// The person answers for the folder: its owner, root, or a member of the agent's `admin_groups`.
    pub is_admin: bool,
}

/// What is known of the release beside what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The installed client does not fit the server that it talks to: nothing takes its place without a question.
    pub is_incompatible: bool,
    /// The time until which it could be put off is over.
    pub is_overdue: bool,
}

/// How a release may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It is installed; its publisher's approver agreed to it, or said until when it can be put off.
    ByPublisher,
    /// It is installed; the person agreed to it.
    ByPerson,
    /// The person is asked.
    Ask,
    /// It is downloaded and installed in two acts.
    TwoActs,
    /// Somebody who answers for the folder has to agree.
    NeedsAdmin,
}

/// How a release may come onto a station with `settings`.
pub fn way(settings: &Settings, asked: Asked, facts: Facts) -> Way {
    if settings.consent == ConsentPolicy::AutoCompatible && !facts.is_incompatible {
        return Way::ByPublisher;
    }
    let may_agree = may_agree(settings, asked.is_admin);
    match settings.consent {
        // A timer is nobody, whatever it was told when it was set (S1-7).
        ConsentPolicy::Manual if !asked.has_agreed || asked.is_unattended => Way::TwoActs,
        _ if !may_agree => Way::NeedsAdmin,
        _ if asked.has_agreed => Way::ByPerson,
        _ if facts.is_overdue && heeds_deadlines(settings, facts.is_incompatible) => Way::ByPublisher,
        _ => Way::Ask,
    }
}

/// Whether the person may agree to a release (D-02).
pub fn may_agree(settings: &Settings, is_admin: bool) -> bool {
    is_admin || settings.approver == Approver::StationUser
}

/// Whether a deadline makes a difference: where whoever works at the station is asked, it ends that. It stands neither for an administrator nor for the second of two acts (S1-7, D-02), and where
/// releases come by themselves nobody puts them off.
pub fn heeds_deadlines(settings: &Settings, is_incompatible: bool) -> bool {
    settings.consent == ConsentPolicy::Prompt && settings.approver == Approver::StationUser && !is_incompatible
}

/// Whether the person may have a release passed over (D-26). Where releases come by themselves nobody is asked, so nobody can say no but whoever answers for the folder.
pub fn may_ignore(settings: &Settings, is_admin: bool) -> bool {
    is_admin || (settings.approver == Approver::StationUser && settings.consent != ConsentPolicy::AutoCompatible)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERSON: Asked = Asked { has_agreed: false, is_unattended: false, is_admin: false };
    const FITS: Facts = Facts { is_incompatible: false, is_overdue: false };
    const MISFIT: Facts = Facts { is_incompatible: true, ..FITS };
    const OVERDUE: Facts = Facts { is_overdue: true, ..FITS };

    fn settings(text: &str) -> Settings {
        Settings::parse(text).unwrap()
    }

    #[test]
    fn d_01_each_policy_has_its_way() {
        let yes = Asked { has_agreed: true, ..PERSON };
        for (text, asked, facts, way_of_it) in [
            ("consent = \"manual\"", PERSON, FITS, Way::TwoActs),
            ("consent = \"manual\"", yes, FITS, Way::ByPerson),
            ("consent = \"manual\"", yes, MISFIT, Way::ByPerson),
            ("consent = \"prompt\"", PERSON, FITS, Way::Ask),
            ("consent = \"prompt\"", yes, FITS, Way::ByPerson),
            ("consent = \"auto-compatible\"", PERSON, FITS, Way::ByPublisher),
            ("consent = \"auto-compatible\"", yes, FITS, Way::ByPublisher),
            ("consent = \"auto-compatible\"", PERSON, MISFIT, Way::Ask),
            ("consent = \"auto-compatible\"", yes, MISFIT, Way::ByPerson),
            ("", PERSON, FITS, Way::Ask),
        ] {
            assert_eq!(way(&settings(text), asked, facts), way_of_it, "{text} {asked:?} {facts:?}");
        }
    }

    #[test]
    fn s1_7_a_timer_installs_nothing_where_somebody_has_to_do_it() {
        let timer = Asked { has_agreed: true, is_unattended: true, is_admin: true };
        assert_eq!(way(&settings("consent = \"manual\""), timer, FITS), Way::TwoActs);
        assert_eq!(way(&settings("consent = \"prompt\""), timer, FITS), Way::ByPerson, "whoever set the timer agreed");
    }

    #[test]
    fn d_02_where_administrators_agree_nobody_else_does() {
        let administered = settings("consent = \"prompt\"\napprover = \"admin-role\"");
        for has_agreed in [false, true] {
            assert_eq!(way(&administered, Asked { has_agreed, ..PERSON }, FITS), Way::NeedsAdmin);
        }
        assert_eq!(way(&administered, Asked { is_admin: true, ..PERSON }, FITS), Way::Ask);
        assert_eq!(way(&administered, Asked { is_admin: true, has_agreed: true, ..PERSON }, FITS), Way::ByPerson);
        let manual = settings("role = \"admin\"");
        assert_eq!(way(&manual, Asked { has_agreed: true, ..PERSON }, FITS), Way::NeedsAdmin);
    }

    #[test]
    fn d_26_only_whoever_would_be_asked_can_ignore_a_release() {
        for (text, by_person) in [
            ("", true),
            ("consent = \"prompt\"", true),
            ("consent = \"manual\"", true),
            ("consent = \"auto-compatible\"", false),
            ("consent = \"prompt\"\napprover = \"admin-role\"", false),
        ] {
            assert_eq!(may_ignore(&settings(text), false), by_person, "{text}");
            assert!(may_ignore(&settings(text), true), "{text}");
        }
    }

    #[test]
    fn d_26_a_deadline_ends_the_question_and_nothing_else() {
        let timer = Asked { is_unattended: true, ..PERSON };
        let admin = Asked { is_admin: true, ..PERSON };
        let misfit = Facts { is_incompatible: true, ..OVERDUE };
        for (text, asked, facts, way_of_it) in [
            ("", PERSON, OVERDUE, Way::ByPublisher),
            ("consent = \"prompt\"", timer, OVERDUE, Way::ByPublisher),
            ("consent = \"prompt\"", Asked { has_agreed: true, ..PERSON }, OVERDUE, Way::ByPerson),
            ("consent = \"prompt\"", PERSON, misfit, Way::Ask),
            ("consent = \"auto-compatible\"", PERSON, misfit, Way::Ask),
            ("consent = \"manual\"", PERSON, OVERDUE, Way::TwoActs),
            ("consent = \"manual\"", timer, OVERDUE, Way::TwoActs),
            ("consent = \"prompt\"\napprover = \"admin-role\"", PERSON, OVERDUE, Way::NeedsAdmin),
            ("consent = \"prompt\"\napprover = \"admin-role\"", admin, OVERDUE, Way::Ask),
        ] {
            assert_eq!(way(&settings(text), asked, facts), way_of_it, "{text} {asked:?} {facts:?}");
        }
    }
}
