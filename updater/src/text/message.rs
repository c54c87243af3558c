//! Something to be said that is in no language yet: which text of the catalogues, and what is filled in.
//!
//! What is pure finds out what there is to say, and whoever knows the language of the run says it. Scripts read it in English, so that JSON is the same in all languages.

use serde::{Serialize, Serializer};

use super::{Language, Texts, Value};

/// One text, or several that are said after each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Message(Vec<(&'static str, Vec<(&'static str, Value<'static>)>)>);

impl Message {
    /// The text `id` of the catalogues with `arguments`.
    pub fn new<const N: usize>(id: &'static str, arguments: [(&'static str, Value<'static>); N]) -> Message {
        Message(vec![(id, arguments.into())])
    }

    /// This, and then `other`.
    #[must_use]
    pub fn and(mut self, other: Message) -> Message {
        self.0.extend(other.0);
        self
    }

    /// What that is in the language of `texts`.
    pub fn in_words(&self, texts: &Texts) -> String {
        self.0.iter().map(|(id, arguments)| texts.get(id, arguments)).collect::<Vec<_>>().join("; ")
    }

    /// What that is in English.
    pub fn in_english(&self) -> String {
        self.in_words(Texts::of(Language::English))
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.in_english())
    }
}
