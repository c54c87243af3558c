//! The search for a target through delegations: lazy, pre-order, depth first (specification section 5.6.7, W23).
//!
//! A [`Search`] only says what it needs next, so that whoever drives it fetches no role that is not asked. Any failure to get or verify a role ends the search.

use std::collections::HashMap;

use super::{TARGETS, TrustError, TrustedSet};
use crate::targets::TargetFile;

/// A search for one target path.
#[derive(Debug)]
pub struct Search {
    path: String,
    /// Roles to visit, next one last, each with its delegator.
    stack: Vec<(String, Option<String>)>,
    /// Roles visited, each with its delegator.
    visited: HashMap<String, Option<String>>,
}

/// A delegated role that a search has to look into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The role.
    pub role: String,
    /// Who delegates to it.
    pub delegator: String,
    /// Who delegates to the delegator; `None` for the top-level targets.
    pub via: Option<String>,
}

/// What a search came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchStep {
    /// A role is needed: get it, give it to [`TrustedSet::update_delegated`], and step again.
    Need(Need),
    /// The target, as the first role that lists it describes it.
    Found {
        /// The role that lists it.
        role: String,
        /// Length and hashes.
        target: TargetFile,
    },
    /// No role that may, lists it.
    NotFound,
}

impl Search {
    /// A search for the target `path`.
    pub fn new(path: &str) -> Search {
        Search { path: path.to_owned(), stack: vec![(TARGETS.to_owned(), None)], visited: HashMap::new() }
    }

    /// Goes on as far as `set` allows.
    pub fn step(&mut self, set: &TrustedSet) -> Result<SearchStep, TrustError> {
        while let Some((role, delegator)) = self.stack.pop() {
            // 5.6.7.1 "If this role has been visited before, then skip this role (so that cycles … are avoided)"
            if self.visited.contains_key(&role) {
                continue;
            }
            // "If an application-specific maximum number of roles have been visited, then skip" – an error says more than a silent not-found.
            if self.visited.len() > set.limits().delegations {
                return Err(TrustError::TooManyDelegations(set.limits().delegations));
            }
            let Some(content) = set.trusted_targets(&role, delegator.as_deref()) else {
                let Some(by) = delegator else { return Err(TrustError::OutOfOrder("the targets role")) };
                self.stack.push((role.clone(), Some(by.clone())));
                let via = self.visited.get(&by).cloned().flatten();
                return Ok(SearchStep::Need(Need { role, delegator: by, via }));
            };
            self.visited.insert(role.clone(), delegator);
            if let Some(target) = content.targets.get(&self.path) {
                return Ok(SearchStep::Found { role, target: target.clone() });
            }
            // 5.6.7.2 delegations that match, in listed order; a terminating one ends the search after its own subtree.
            let mut children = Vec::new();
            for delegated in content.delegations.iter().flat_map(|delegations| &delegations.roles) {
                if delegated.covers(&self.path) {
                    children.push((delegated.name.clone(), Some(role.clone())));
                    if delegated.terminating {
                        self.stack.clear();
                        break;
                    }
                }
            }
            self.stack.extend(children.into_iter().rev());
        }
        Ok(SearchStep::NotFound)
    }
}
