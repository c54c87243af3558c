//! The publisher's policy: epochs, security floors and the bounds of steering, signed by the targets key (`docs/format.md` section 4).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::channel::{FORMAT, MAX_SEQUENCE, Place};
use crate::json::{self, JsonError};
use crate::name::{Name, Os};

/// The target path of the policy.
pub const POLICY_PATH: &str = "policy.json";

/// The content of `policy.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    format: u64,
    #[serde(rename = "type")]
    document: String,
    /// The repository's name.
    pub repository: Name,
    /// Where the keys of each role lie; a role not named is [`Custody::Offline`]. For people.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub custody: BTreeMap<String, Custody>,
    /// The epoch of each OS; see [`Policy::epoch`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    epochs: BTreeMap<Os, u64>,
    /// Sequences below which a station is insecure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub floors: Vec<Floor>,
    /// Days that an offline source may be older than its timestamp allows.
    #[serde(default = "default_offline_days")]
    pub offline_max_age_days: u32,
    /// Bounds that a site's steering cannot leave.
    #[serde(default)]
    pub steering: SteeringBounds,
}

/// Where a role's private keys lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Custody {
    /// On the machine that serves: whoever owns it can sign.
    Online,
    /// Elsewhere.
    Offline,
}

/// A security floor: stations below the sequence should not stay there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    /// The operating system.
    pub os: Os,
    /// The product.
    pub product: Name,
    /// The epoch of the sequence.
    pub epoch: u64,
    /// The lowest secure sequence.
    pub sequence: u64,
    /// Why, for people.
    pub reason: String,
}

/// Bounds of steering: it may only narrow (design section 3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SteeringBounds {
    /// A rollout to everybody takes at least this long.
    pub fastest_ramp_seconds: u64,
    /// A ring waits at least this long for the one before it.
    pub least_soak_seconds: u64,
    /// Stations check at most this often.
    pub least_check_interval_seconds: u64,
    /// Stations check at least this often.
    pub longest_check_interval_seconds: u64,
}

impl Default for SteeringBounds {
    fn default() -> Self {
        SteeringBounds {
            fastest_ramp_seconds: 0,
            least_soak_seconds: 0,
            least_check_interval_seconds: 300,
            longest_check_interval_seconds: 604_800,
        }
    }
}

fn default_offline_days() -> u32 {
    90
}

/// Why bytes are not a policy that this code can follow.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// Not strict JSON of the shape.
    #[error("the policy is malformed: {0}")]
    Malformed(#[from] JsonError),
    /// A format that only newer code reads.
    #[error("the policy has format {0}; this updater reads format {FORMAT}: update the updater")]
    Format(u64),
    /// Values that make no sense.
    #[error("the policy is inconsistent: {0}")]
    Inconsistent(&'static str),
    /// Of another repository.
    #[error("the policy is that of repository `{found}`, not of `{expected}`")]
    Other {
        /// The name installed from.
        expected: Name,
        /// The name it gives.
        found: Name,
    },
}

impl Policy {
    /// The policy of a new repository.
    pub fn new(repository: Name) -> Policy {
        let (format, document) = (FORMAT, "policy".to_owned());
        Policy {
            format,
            document,
            repository,
            custody: BTreeMap::new(),
            epochs: BTreeMap::new(),
            floors: vec![],
            offline_max_age_days: default_offline_days(),
            steering: SteeringBounds::default(),
        }
    }

    /// Reads the policy of `repository`, at most `limit` bytes.
    pub fn parse(bytes: &[u8], repository: &Name, limit: u64) -> Result<Policy, PolicyError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let format = json::format_of(bytes, limit)?;
        if format != FORMAT {
            return Err(PolicyError::Format(format));
        }
        let policy: Policy = json::from_slice(bytes, limit)?;
        if policy.document != "policy" {
            return Err(PolicyError::Inconsistent("its type is not `policy`"));
        }
        if policy.repository != *repository {
            return Err(PolicyError::Other { expected: repository.clone(), found: policy.repository });
        }
        let of_floors = policy.floors.iter().flat_map(|floor| [floor.epoch, floor.sequence]);
        let is_possible = |number: u64| (1..=MAX_SEQUENCE).contains(&number);
        if !policy.epochs.values().copied().chain(of_floors).all(is_possible) || !(1..=3650).contains(&policy.offline_max_age_days) {
            return Err(PolicyError::Inconsistent(
                "an epoch or sequence is outside 1 to 2^53-1, or offline_max_age_days is outside 1 to 3650",
            ));
        }
        let bounds = &policy.steering;
        if bounds.least_check_interval_seconds == 0 || bounds.least_check_interval_seconds > bounds.longest_check_interval_seconds {
            return Err(PolicyError::Inconsistent("the least check interval of its steering is 0 or above the longest"));
        }
        Ok(policy)
    }

    /// The bytes of the document, as it is stored.
    pub fn to_bytes(&self) -> Result<Vec<u8>, canonical::CanonicalError> {
        canonical::to_stored(self)
    }

    /// The epoch of sequences of `os`.
    pub fn epoch(&self, os: Os) -> u64 {
        self.epochs.get(&os).copied().unwrap_or(1)
    }

    /// Begins the next epoch of `os`, and returns it.
    pub fn begin_epoch(&mut self, os: Os) -> u64 {
        let epoch = self.epoch(os).saturating_add(1);
        self.epochs.insert(os, epoch);
        epoch
    }

    /// The floors of a product, each with its reason: a station at a place below one is insecure. One of an earlier epoch is above every release of its epoch.
    pub fn floors_of(&self, os: Os, product: &Name) -> impl Iterator<Item = (Place, &str)> {
        let of = self.floors.iter().filter(move |floor| floor.os == os && floor.product == *product);
        let current = self.epoch(os);
        of.map(move |floor| {
            // The place before the first of the next epoch: the sequences of an epoch that was ended may be a thief's.
            let place = if floor.epoch < current { Place(floor.epoch.saturating_add(1), 0) } else { Place(floor.epoch, floor.sequence) };
            (place, floor.reason.as_str())
        })
    }

    /// The highest floor of a product.
    pub fn floor(&self, os: Os, product: &Name) -> Option<(Place, &str)> {
        self.floors_of(os, product).max()
    }

    /// The roles whose keys lie on the machine that serves.
    pub fn online_roles(&self) -> impl Iterator<Item = &str> {
        self.custody.iter().filter(|(_, custody)| **custody == Custody::Online).map(|(role, _)| role.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_steering_that_nothing_can_meet_are_refused() {
        let name: Name = "acme".parse().unwrap();
        let with = |least: u64, longest: u64| {
            let mut policy = Policy::new(name.clone());
            policy.steering.least_check_interval_seconds = least;
            policy.steering.longest_check_interval_seconds = longest;
            Policy::parse(&policy.to_bytes().unwrap(), &name, 1 << 20)
        };
        assert!(with(300, 300).is_ok() && with(1, u64::MAX).is_ok());
        for (least, longest) in [(0, 300), (301, 300), (0, 0)] {
            assert!(matches!(with(least, longest), Err(PolicyError::Inconsistent(_))), "{least} {longest}");
        }
    }
}
