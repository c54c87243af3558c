//! Install links and the document they pin: how a station comes to trust a repository in the first place (design section 4, `docs/format.md` section 8).
//!
//! The fragment of `https://host/i/CODE#SHA256` is never sent to the server; it is the hash of the install document, which pins the root.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::channel::FORMAT;
use crate::digest::Digest;
use crate::json::{self, JsonError};
use crate::name::{Arch, Name, Os, Variant};
use crate::quote::quoted;

/// A link to an install document, with the digest that it must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallLink {
    /// The address of the document, without fragment.
    pub url: String,
    /// The digest of the document's bytes; `None` only in links that are used with `--root`.
    pub digest: Option<Digest>,
}

/// The text is not an install link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{link}` is not an install link (https://host/i/CODE#SHA256): {reason}")]
pub struct InvalidLink {
    /// The text.
    pub link: String,
    /// What is wrong.
    pub reason: &'static str,
}

impl FromStr for InstallLink {
    type Err = InvalidLink;

    fn from_str(text: &str) -> Result<Self, InvalidLink> {
        let invalid = |reason| InvalidLink { link: quoted(text, 300).to_string(), reason };
        let (url, fragment) = match text.split_once('#') {
            Some((url, fragment)) => (url, Some(fragment)),
            None => (text, None),
        };
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(invalid("it begins with neither http:// nor https://"));
        }
        let digest =
            fragment.map(|hex| hex.parse::<Digest>()).transpose().map_err(|_| invalid("what follows # is not 64 hex characters"))?;
        Ok(InstallLink { url: url.to_owned(), digest })
    }
}

impl fmt::Display for InstallLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.digest {
            Some(digest) => write!(f, "{}#{digest}", self.url),
            None => f.write_str(&self.url),
        }
    }
}

/// What an install link leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallDocument {
    format: u64,
    #[serde(rename = "type")]
    document: String,
    /// The product to install.
    pub product: Name,
    /// The channel to follow.
    pub channel: Name,
    /// The OS; the station's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub os: Option<Os>,
    /// The arch; the station's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub arch: Option<Arch>,
    /// The variant; none when absent.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub variant: Option<Variant>,
    /// The repository and its pinned root.
    pub content: ContentPin,
}

/// A content repository and the root that a station first trusts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentPin {
    /// The repository's name.
    pub name: Name,
    /// Its address, a reference that is resolved against the link's; ends in `/`.
    pub url: String,
    /// The root.
    pub root: RootPin,
}

/// The exact bytes of a root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootPin {
    /// Its version.
    pub version: u64,
    /// The digest of the file.
    pub sha256: Digest,
    /// The length of the file in bytes.
    pub length: u64,
}

/// Why bytes are not the install document of a link.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The link's fragment is the digest of other bytes.
    #[error(
        "the install document at {url} is not the one that the link was made for: somebody changed it, or the link is mistyped (its digest is {found}, the link says {expected})"
    )]
    Digest {
        /// The address.
        url: String,
        /// The digest in the link.
        expected: Digest,
        /// The digest of what came.
        found: Digest,
    },
    /// Not strict JSON of the shape.
    #[error("the install document is malformed: {0}")]
    Malformed(#[from] JsonError),
    /// A format that only newer code reads.
    #[error("the install document has format {0}; this updater reads format {FORMAT}: update the updater")]
    Format(u64),
    /// Values that make no sense.
    #[error("the install document is inconsistent: {0}")]
    Inconsistent(&'static str),
}

impl InstallDocument {
    /// A document for `product` in `channel` of the repository `content`.
    pub fn new(product: Name, channel: Name, content: ContentPin) -> Self {
        InstallDocument { format: FORMAT, document: "install".into(), product, channel, os: None, arch: None, variant: None, content }
    }

    /// Reads what `link` led to, at most `limit` bytes. With a digest in the link, the bytes must have it.
    pub fn parse(bytes: &[u8], link: &InstallLink, limit: u64) -> Result<Self, InstallError> {
        if let Some(expected) = link.digest {
            let found = Digest::of(bytes);
            if found != expected {
                return Err(InstallError::Digest { url: link.url.clone(), expected, found });
            }
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let format = json::format_of(bytes, limit)?;
        if format != FORMAT {
            return Err(InstallError::Format(format));
        }
        let document: InstallDocument = json::from_slice(bytes, limit)?;
        if document.document != "install" {
            return Err(InstallError::Inconsistent("its type is not `install`"));
        }
        if !document.content.url.ends_with('/') {
            return Err(InstallError::Inconsistent("content.url does not end in `/`"));
        }
        if document.content.root.version == 0 {
            return Err(InstallError::Inconsistent("content.root.version is 0"));
        }
        Ok(document)
    }

    /// The bytes of the document, as it is stored.
    pub fn to_bytes(&self) -> Result<Vec<u8>, canonical::CanonicalError> {
        canonical::to_stored(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> InstallDocument {
        let root = RootPin { version: 1, sha256: Digest::of(b"root"), length: 4 };
        let content = ContentPin { name: "acme".parse().unwrap(), url: "../repo/acme/".into(), root };
        InstallDocument::new("smartclient".parse().unwrap(), "stable".parse().unwrap(), content)
    }

    #[test]
    fn a_link_accepts_exactly_the_document_it_was_made_for() {
        let bytes = document().to_bytes().unwrap();
        let link: InstallLink = format!("https://updates.example/i/shop1#{}", Digest::of(&bytes)).parse().unwrap();
        assert_eq!(InstallDocument::parse(&bytes, &link, 1 << 20).unwrap(), document());
        let mut other = bytes.clone();
        other[10] ^= 1;
        assert!(matches!(InstallDocument::parse(&other, &link, 1 << 20), Err(InstallError::Digest { .. })));
    }

    #[test]
    fn texts_that_are_no_links_are_refused() {
        for text in ["", "ftp://h/i/abcd", "file:///etc/passwd", "https://h/i/abcd#", "https://h/i/abcd#12", "h/i/abcd"] {
            assert!(text.parse::<InstallLink>().is_err(), "{text}");
        }
    }
}
