//! Builds that a release asks of what is around it: minimums (AC-21) and ranges (D-07), each bound with the scheme that orders it.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::build::{Build, InvalidBuild, Scheme};

/// Minimum builds of other parts, inclusive.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requires {
    /// Of the server that the client talks to.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub server: Option<Bound>,
    /// Of the client that it is to replace: what a station has installed.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub client: Option<Bound>,
    /// Of the platform it runs on.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub platform: Option<Bound>,
    /// Of the updater.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub updater: Option<Bound>,
}

/// Ranges of builds that this release works with (D-07).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compatible {
    /// Clients that may talk to it, when it is a server.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub clients: Option<BuildRange>,
    /// Servers that it may talk to, when it is a client.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub servers: Option<BuildRange>,
}

/// A range of builds, ends included.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildRange {
    /// The lowest.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub min: Option<Bound>,
    /// The highest; a dotted one also admits builds that it is a prefix of.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub max: Option<Bound>,
}

/// A build as a bound, with its scheme.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound(pub Build);

impl Bound {
    /// Whether `build` is this one or newer. One that is not known, or that cannot be compared, is not.
    pub fn is_met_by(&self, build: Option<&Build>) -> bool {
        build.and_then(|build| build.compare(&self.0)).is_some_and(Ordering::is_ge)
    }
}

impl BuildRange {
    /// Whether `build` lies in it; `None` when it cannot be compared with one of the ends.
    pub fn contains(&self, build: &Build) -> Option<bool> {
        let not_below = self.min.as_ref().map_or(Some(true), |Bound(min)| build.compare(min).map(Ordering::is_ge));
        let not_above = self.max.as_ref().map_or(Some(true), |Bound(max)| Some(build.compare(max)?.is_le() || max.is_prefix_of(build)));
        Some(not_below? && not_above?)
    }

    /// Reads `MIN..MAX`, of which one may be left out, or one build alone; builds are read in `scheme` where they can be.
    pub fn read(text: &str, scheme: Option<Scheme>) -> Result<BuildRange, InvalidBuild> {
        let (min, max) = text.split_once("..").unwrap_or((text, text));
        let bound = |text: &str| Build::beside(text.trim(), scheme).map(Bound);
        match (min.trim(), max.trim()) {
            ("", max) => Ok(BuildRange { min: None, max: Some(bound(max)?) }),
            (min, "") => Ok(BuildRange { min: Some(bound(min)?), max: None }),
            (min, max) => Ok(BuildRange { min: Some(bound(min)?), max: Some(bound(max)?) }),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BoundWire {
    scheme: Scheme,
    build: String,
}

impl Serialize for Bound {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        BoundWire { scheme: self.0.scheme(), build: self.0.text().to_owned() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = BoundWire::deserialize(deserializer)?;
        Build::parse(&wire.build, wire.scheme).map(Bound).map_err(serde::de::Error::custom)
    }
}
