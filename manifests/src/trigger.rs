//! What sets a run off (D-13), by a name that the history, the journal of a swap and the record of the system keep.
//!
//! There is one list, so that whoever reads a history of many stations meets no second word for the same thing. The names are a part of the format (`docs/format.md` section 14) and never change;
//! a name that this build does not know, from a newer one, is [`Trigger::Other`], so that no line and no journal is lost for it.

use serde::{Deserialize, Serialize};
use strum::VariantArray as _;

/// What set a run, or a step of it, off. `docs/stations.md` lists all of them.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    strum::Display,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Trigger {
    /// `updater install`.
    Install,
    /// `updater check` by hand.
    Check,
    /// `updater update` by hand.
    Update,
    /// `updater download`, the first of two acts.
    Download,
    /// `updater apply`, the second.
    Apply,
    /// `updater verify --repair`.
    Repair,
    /// `updater rollback`.
    Rollback,
    /// `updater ignore`.
    Ignore,
    /// A start of the client that found something ready.
    Launch,
    /// The first moment of a start: the client is loaded (D-12).
    Load,
    /// The second: an environment starts.
    Environment,
    /// The system's timer (S1-9).
    Schedule,
    /// Somebody chose it in a menu or a window of another program.
    Menu,
    /// A terminal exchanged data (S0-11, S1-25).
    Exchange,
    /// A database of a product was installed (S1-22).
    Database,
    /// The server said that there is something new.
    Push,
    /// The computer was switched on, or woke up.
    Wake,
    /// An updater found what an earlier one had left.
    Recovery,
    /// A new build did not show that it lives.
    Proof,
    /// The updater brings itself up to date.
    SelfUpdate,
    /// The updater goes back to the one before.
    SelfRollback,
    /// Something that a newer updater knows.
    #[serde(other)]
    Other,
}

impl Trigger {
    /// What another program may say that it was (`--trigger`); everything else is known from what is done.
    pub const NAMEABLE: [Trigger; 6] =
        [Trigger::Menu, Trigger::Exchange, Trigger::Database, Trigger::Push, Trigger::Wake, Trigger::Schedule];

    /// The one called `name` among those that may be said.
    pub fn named(name: &str) -> Option<Trigger> {
        Trigger::NAMEABLE.into_iter().find(|trigger| trigger.as_str() == name)
    }

    /// The one called `name`.
    pub fn of(name: &str) -> Trigger {
        Trigger::VARIANTS.iter().copied().find(|trigger| trigger.as_str() == name).unwrap_or(Trigger::Other)
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// In words, for those that may be said.
    pub const fn meaning(self) -> &'static str {
        match self {
            Trigger::Menu => "somebody chose it in a menu or a window of another program",
            Trigger::Exchange => "a terminal exchanged data",
            Trigger::Database => "a database of a product was installed",
            Trigger::Push => "the server said that there is something new",
            Trigger::Wake => "the computer was switched on, or woke up",
            Trigger::Schedule => "a timer",
            _ => "",
        }
    }

    /// Whether nobody sits there: then what has just failed is left for later (F12), and what takes two acts is not done at once (S1-7).
    pub const fn is_unattended(self) -> bool {
        matches!(self, Trigger::Schedule | Trigger::Exchange | Trigger::Push | Trigger::Wake)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d_13_every_name_reads_back_and_one_of_a_newer_updater_is_no_damage() {
        for trigger in Trigger::VARIANTS {
            let json = serde_json::to_string(trigger).unwrap();
            assert_eq!(json, format!("\"{trigger}\""));
            assert_eq!(serde_json::from_str::<Trigger>(&json).unwrap(), *trigger);
        }
        assert_eq!(serde_json::from_str::<Trigger>("\"moon-phase\"").unwrap(), Trigger::Other);
    }

    #[test]
    fn d_13_the_documents_list_every_name() {
        let page = include_str!("../../docs/stations.md");
        for trigger in Trigger::VARIANTS.iter().filter(|trigger| **trigger != Trigger::Other) {
            assert!(page.lines().any(|line| line.starts_with("| ") && line.contains(&format!("`{trigger}`"))), "`{trigger}` is missing");
        }
    }

    #[test]
    fn d_13_nobody_can_say_that_it_was_a_rollback_or_a_recovery() {
        for trigger in Trigger::VARIANTS {
            let is_known = Trigger::named(trigger.as_str()).is_some();
            assert_eq!(is_known, Trigger::NAMEABLE.contains(trigger), "{trigger}");
            assert_eq!(is_known, !trigger.meaning().is_empty(), "{trigger}");
        }
    }
}
