//! What can be done to one file of an honest repository, by whom: its publisher before signing, whoever collects signatures, whoever writes the text, whoever serves it.
//!
//! Each has a name that [`crate::classes`] can speak of.

mod anything;
mod delegations;
mod header;
mod keys;
mod listing;
mod served;
mod signatures;
mod text;

use serde_json::Value;

use super::model::Model;
use crate::case::Files;
use crate::random::Random;

/// Something that can be done.
pub(super) struct Mutation {
    pub(super) name: &'static str,
    pub(super) on: On,
    pub(super) apply: Apply,
}

/// To which files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    Any,
    Root,
    /// Roles that list metadata.
    Listing,
    /// Targets roles.
    Targets,
    /// Targets roles that delegate.
    Delegating,
    /// Roles that hold keys: root, and targets roles that delegate.
    Keyed,
}

/// How. Each says what exactly it did, or nothing when it did not apply.
#[derive(Clone, Copy)]
pub(super) enum Apply {
    /// To the content, which is then signed as it is.
    Content(fn(&mut Value, &mut Random) -> Option<String>),
    /// To who signs; with the content.
    Signers(fn(&mut Vec<usize>, &Value, &mut Random) -> Option<String>),
    /// To the signed file; with what the signatures cover.
    Envelope(fn(&mut Value, &[u8], &mut Random) -> Option<String>),
    /// To its text, before others list it.
    Text(fn(&mut Vec<u8>, &mut Random) -> Option<String>),
    /// To what is served at a path; with what was served before.
    Served(fn(&mut Files, &str, &Files, &mut Random) -> Option<String>),
}

/// A mutation that is to be done to the file of a role.
pub(super) struct Drawn {
    pub(super) mutation: &'static Mutation,
    pub(super) role: String,
}

impl Drawn {
    /// Whether it is done by somebody who publishes, and not by a stranger in the network.
    pub(super) fn is_published(&self) -> bool {
        !matches!(self.mutation.apply, Apply::Served(_))
    }
}

/// All of them.
pub(super) fn all() -> impl Iterator<Item = &'static Mutation> {
    TABLES.iter().copied().flatten()
}

const TABLES: [&[Mutation]; 8] = [
    header::MUTATIONS,
    keys::MUTATIONS,
    signatures::MUTATIONS,
    listing::MUTATIONS,
    delegations::MUTATIONS,
    text::MUTATIONS,
    served::MUTATIONS,
    anything::MUTATIONS,
];

/// One by lot, that applies to some file of `model`.
pub(super) fn draw(model: &Model, random: &mut Random) -> Drawn {
    loop {
        // By subject first, so that no subject is rare for having few entries.
        let table = *random.pick(&TABLES);
        let mutation = random.pick(table);
        let roles = applicable(model, mutation.on);
        if !roles.is_empty() {
            return Drawn { mutation, role: random.pick(&roles).clone() };
        }
    }
}

fn applicable(model: &Model, on: On) -> Vec<String> {
    let targets = model.targets_roles();
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    match on {
        On::Root => owned(&["root"]),
        On::Listing => owned(&["timestamp", "snapshot"]),
        On::Targets => targets,
        On::Delegating => model.delegating_roles(),
        On::Keyed => [owned(&["root"]), model.delegating_roles()].concat(),
        On::Any => [owned(&["root", "timestamp", "snapshot"]), targets].concat(),
    }
}
