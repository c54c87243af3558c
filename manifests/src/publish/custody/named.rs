//! Keys as people name them: by the first digits of an id, or by the role whose keys they all are. Pure.

use super::{CustodyError, known_role, roles};
use crate::key::KeyId;
use crate::publish::view::View;

/// Fewest digits that name a key: with fewer, a slip names another.
const LEAST_DIGITS: usize = 4;

/// The keys that `text` names: all those of a role, or the one whose id begins with it.
///
/// # Errors
/// [`CustodyError::NoKey`] when none does, [`CustodyError::Ambiguous`] when several do.
pub fn keys_named(view: &View, text: &str) -> Result<Vec<KeyId>, CustodyError> {
    if known_role(text).is_ok() {
        return Ok(view.keys_of(text).map(|keys| keys.keyids.clone()).unwrap_or_default());
    }
    let mut all: Vec<KeyId> = roles(view).iter().filter_map(|role| view.keys_of(role)).flat_map(|keys| keys.keyids.clone()).collect();
    // One key may sign for several roles.
    all.sort();
    all.dedup();
    key_named(text, &all).cloned().map(|id| vec![id])
}

/// The one of `ids` that begins with `text`.
///
/// # Errors
/// As [`keys_named`].
pub fn key_named<'a>(text: &str, ids: &'a [KeyId]) -> Result<&'a KeyId, CustodyError> {
    let mut named = ids.iter().filter(|id| text.len() >= LEAST_DIGITS && id.as_str().starts_with(text));
    match (named.next(), named.next()) {
        (Some(id), None) => Ok(id),
        (None, _) => Err(CustodyError::NoKey(text.to_owned())),
        (Some(_), Some(_)) => Err(CustodyError::Ambiguous(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_named_by_enough_of_its_first_digits() {
        let ids = ["aaaa11", "aaaa22", "bbbb33"].map(KeyId::from_text);
        assert_eq!(key_named("bbbb", &ids).unwrap(), &ids[2]);
        assert_eq!(key_named("aaaa11", &ids).unwrap(), &ids[0]);
        assert!(matches!(key_named("aaaa", &ids), Err(CustodyError::Ambiguous(_))));
        for text in ["", "bbb", "cccc", "bbbb334"] {
            assert!(matches!(key_named(text, &ids), Err(CustodyError::NoKey(_))), "{text}");
        }
    }
}
