//! Which of the triggers that other programs name set anything off at a station (D-13): `push wake schedule`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::trigger::Trigger;

/// A set of triggers; all of those that can be named where nothing is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Triggers(Vec<Trigger>);

impl Triggers {
    /// Whether `trigger` sets anything off. Nobody turns off what people do by hand.
    pub fn lets(&self, trigger: Trigger) -> bool {
        !Trigger::NAMEABLE.contains(&trigger) || self.0.contains(&trigger)
    }
}

impl Default for Triggers {
    fn default() -> Triggers {
        Triggers(Trigger::NAMEABLE.into())
    }
}

impl FromStr for Triggers {
    type Err = String;

    fn from_str(text: &str) -> Result<Triggers, String> {
        let known = || Trigger::NAMEABLE.map(Trigger::as_str).join(", ");
        let named = |name: &str| {
            Trigger::named(name).ok_or_else(|| {
                format!("`{}` is no trigger that can be turned on or off (known: {})", manifests::quote::quoted(name, 40), known())
            })
        };
        text.split_whitespace().map(named).collect::<Result<_, _>>().map(Triggers)
    }
}

impl TryFrom<String> for Triggers {
    type Error = String;

    fn try_from(text: String) -> Result<Triggers, String> {
        text.parse()
    }
}

impl fmt::Display for Triggers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(|trigger| trigger.as_str()).collect::<Vec<_>>().join(" "))
    }
}

impl From<Triggers> for String {
    fn from(triggers: Triggers) -> String {
        triggers.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d_13_all_are_on_unless_somebody_says_which_and_none_is_a_set_too() {
        let all = Triggers::default();
        assert!(Trigger::NAMEABLE.into_iter().all(|trigger| all.lets(trigger)));
        let some: Triggers = "push  wake".parse().unwrap();
        assert!(some.lets(Trigger::Push) && some.lets(Trigger::Wake) && !some.lets(Trigger::Schedule) && !some.lets(Trigger::Menu));
        assert!(some.lets(Trigger::Update) && some.lets(Trigger::Launch), "people are never turned off");
        assert!(!"".parse::<Triggers>().unwrap().lets(Trigger::Push));
        for triggers in [all, some] {
            assert_eq!(triggers.to_string().parse::<Triggers>().unwrap(), triggers);
        }
    }

    #[test]
    fn what_is_no_such_trigger_is_refused_by_name() {
        for text in ["rollback", "push,wake", "Push"] {
            assert!(text.parse::<Triggers>().unwrap_err().contains(text), "{text}");
        }
    }
}
