//! The names that are served: an exact grammar, so that everything else does not exist (attack C9).
//!
//! A [`ServedPath`] is made from the path of a request as it was sent, before any decoding. The grammar has no room for `..`, `%`, `\`, NUL,
//! keys, `.lock` or `repository.json`; the one escape it knows is `%2B` for the `+` between arch and variant. Nothing is decoded twice because
//! nothing else is decoded at all.
//!
//! ```text
//! metadata/timestamp.json
//! metadata/N.ROLE.json
//! targets/SHA256.policy.json
//! targets/OS/PRODUCT/ARCH[+VARIANT]/SHA256.CHANNEL.json
//! objects/AB/AB…                                          the 64 hex characters of a sha256
//! ```

use manifests::digest::Digest;
use manifests::name::{ChannelId, Name};

/// A path below a repository's folder that may be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedPath {
    relative: String,
    kind: Kind,
}

/// What a served path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `timestamp.json`, the only file that is ever replaced.
    Timestamp,
    /// A version of root.
    Root,
    /// A version of another role.
    Role,
    /// A target, named by its digest.
    Target(Digest),
    /// An object, named by its digest.
    Object(Digest),
}

impl ServedPath {
    /// The path that `text`, what follows `/repo/NAME/` in a request, names; `None` for everything that is not served.
    pub fn parse(text: &str) -> Option<ServedPath> {
        // The longest path of the grammar is a channel document with the longest names.
        if text.len() > 400 {
            return None;
        }
        let kind = match text.split_once('/')? {
            ("metadata", "timestamp.json") => return Some(ServedPath { relative: text.to_owned(), kind: Kind::Timestamp }),
            ("metadata", file) => role(file)?,
            ("objects", rest) => object(rest)?,
            ("targets", rest) => {
                let decoded = rest.replace("%2B", "+").replace("%2b", "+");
                let kind = Kind::Target(target(&decoded)?);
                return Some(ServedPath { relative: format!("targets/{decoded}"), kind });
            }
            _ => return None,
        };
        Some(ServedPath { relative: text.to_owned(), kind })
    }

    /// The path below the repository's folder; `/` separates.
    pub fn relative(&self) -> &str {
        &self.relative
    }

    /// What it names.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

/// `N.ROLE.json`, N without leading zero.
fn role(file: &str) -> Option<Kind> {
    let (version, role) = file.strip_suffix(".json")?.split_once('.')?;
    let numeric = (1..=19).contains(&version.len()) && version.bytes().all(|b| b.is_ascii_digit()) && !version.starts_with('0');
    // Role names obey the rules of names: they are file names on every OS.
    (numeric && role.parse::<Name>().is_ok()).then_some(if role == "root" { Kind::Root } else { Kind::Role })
}

/// `AB/AB…`.
fn object(rest: &str) -> Option<Kind> {
    let (prefix, hex) = rest.split_once('/')?;
    let digest: Digest = hex.parse().ok()?;
    (prefix.len() == 2 && hex.starts_with(prefix)).then_some(Kind::Object(digest))
}

/// `SHA256.policy.json`, or the path of a channel document with `SHA256.` before the file name.
fn target(path: &str) -> Option<Digest> {
    let (folder, file) = path.rsplit_once('/').map_or(("", path), |(folder, file)| (folder, file));
    let (hex, name) = file.split_once('.')?;
    let digest: Digest = hex.parse().ok()?;
    let served = if folder.is_empty() {
        name == manifests::policy::POLICY_PATH
    } else {
        let plain = format!("{folder}/{name}");
        // Only the one spelling that the identifier writes.
        ChannelId::from_target_path(&plain).is_ok_and(|id| id.target_path() == plain)
    };
    served.then_some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789";

    #[test]
    fn the_files_of_a_repository_are_served() {
        for (text, relative) in [
            ("metadata/timestamp.json".to_owned(), None),
            ("metadata/1.root.json".to_owned(), None),
            ("metadata/1763683200.snapshot.json".to_owned(), None),
            ("metadata/1763683200.targets.json".to_owned(), None),
            ("metadata/12.windows.json".to_owned(), None),
            (format!("targets/{HEX}.policy.json"), None),
            (format!("targets/windows/smartclient/x86_64/{HEX}.stable.json"), None),
            (format!("targets/android/imw/any+imMW_Face/{HEX}.beta.json"), None),
            (
                format!("targets/android/imw/any%2BimMW_Face/{HEX}.beta.json"),
                Some(format!("targets/android/imw/any+imMW_Face/{HEX}.beta.json")),
            ),
            (format!("objects/ab/{HEX}"), None),
        ] {
            let path = ServedPath::parse(&text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(path.relative(), relative.as_deref().unwrap_or(&text));
        }
        assert_eq!(ServedPath::parse("metadata/7.root.json").unwrap().kind(), Kind::Root);
        assert_eq!(ServedPath::parse("metadata/7.targets.json").unwrap().kind(), Kind::Role);
    }

    /// Attack C9.
    #[test]
    fn names_outside_the_grammar_do_not_exist() {
        let hex = HEX;
        let upper = HEX.to_uppercase();
        for text in [
            String::new(),
            "/".into(),
            "repository.json".into(),
            ".lock".into(),
            ".unnamed.json".into(),
            "metadata".into(),
            "metadata/".into(),
            "metadata//timestamp.json".into(),
            "/metadata/timestamp.json".into(),
            "metadata/timestamp.json/".into(),
            "metadata/timestamp.json.tmp".into(),
            "metadata/.timestamp.json".into(),
            "metadata/TIMESTAMP.json".into(),
            "metadata/timestamp%2ejson".into(),
            "metadata/1.timestamp.json/../../../x".into(),
            "metadata/./timestamp.json".into(),
            "metadata/../repository.json".into(),
            "metadata/..%2frepository.json".into(),
            "metadata/%2e%2e/repository.json".into(),
            "metadata/%252e%252e/repository.json".into(),
            "metadata\\timestamp.json".into(),
            "..\\metadata\\timestamp.json".into(),
            "metadata/0.root.json".into(),
            "metadata/01.root.json".into(),
            "metadata/-1.root.json".into(),
            "metadata/1..json".into(),
            "metadata/1.root".into(),
            "metadata/1.root.json~".into(),
            "metadata/1.con.json".into(),
            "metadata/1.a..b.json".into(),
            "metadata/1.Root.json".into(),
            "metadata/root.json".into(),
            "metadata/99999999999999999999.root.json".into(),
            "metadata/1.root.json\0".into(),
            "metadata/1.root.json%00".into(),
            "acme.keys/x.json".into(),
            "../acme.keys/x.json".into(),
            "objects".into(),
            "objects/ab".into(),
            "objects/ab/".into(),
            "objects/ab/abc".into(),
            format!("objects/cd/{hex}"),
            format!("objects/{hex}"),
            format!("objects/ab/{upper}"),
            format!("objects/AB/{upper}"),
            format!("objects/ab/{hex}.tmp"),
            format!("objects/ab/{hex}/"),
            format!("objects/ab/../ab/{hex}"),
            format!("objects/ab/.{hex}"),
            format!("objects//ab/{hex}"),
            format!("targets/{hex}.other.json"),
            format!("targets/{hex}.policy.json.bak"),
            format!("targets/windows/../{hex}.policy.json"),
            format!("targets/windows/smartclient/x86_64/{hex}.con.json"),
            format!("targets/windows/smartclient/x86_64/{hex}.json"),
            "targets/windows/smartclient/x86_64/stable.json".into(),
            format!("targets/windows/smartclient/x86_64/x/{hex}.stable.json"),
            format!("targets/beos/smartclient/x86_64/{hex}.stable.json"),
            format!("targets/windows/smartclient/x86_64+/{hex}.stable.json"),
            format!("targets/windows/smartclient/x86_64+a+b/{hex}.stable.json"),
            format!("targets/windows/smartclient/x86_64%252Ba/{hex}.stable.json"),
            format!("targets/windows/..%2F..%2Fsmartclient/x86_64/{hex}.stable.json"),
            format!("targets/windows/{}/x86_64/{hex}.stable.json", "a".repeat(65)),
            "a/".repeat(5000),
        ] {
            assert_eq!(ServedPath::parse(&text), None, "{text}");
        }
    }
}
