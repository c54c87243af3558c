//! Names of products, channels, repositories and variants; operating systems and architectures; and the [`ChannelId`] they make together.
//!
//! Names become parts of paths and URLs on every OS, so a [`Name`] cannot exist that is unsafe there (attack class CVE-2026-24686: a repository
//! name used as a folder name).

use std::fmt;
use std::str::FromStr;

use crate::path;
use crate::quote::quoted;

/// The text is not a name, variant, OS or arch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Not a product, channel or repository name.
    #[error(
        "`{0}` is not a name (1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit, no `..`, no final `.`, no Windows device name)"
    )]
    Name(String),
    /// Not a variant.
    #[error("`{0}` is not a variant (1 to 32 of A-Z a-z 0-9 _ -, beginning with a letter or digit)")]
    Variant(String),
    /// Not an operating system.
    #[error("`{0}` is not an OS (known: windows, linux, macosx, android, wince)")]
    Os(String),
    /// Not an architecture.
    #[error("`{0}` is not an arch (known: x86_64, aarch64, i686, any)")]
    Arch(String),
    /// Not an install code.
    #[error("`{0}` is not an install code (4 to 64 of A-Z a-z 0-9 _ -)")]
    Code(String),
    /// Not the target path of a channel document.
    #[error("`{0}` is not the path of a channel document (OS/PRODUCT/ARCH[+VARIANT]/CHANNEL.json)")]
    ChannelPath(String),
}

/// Implements the traits of a validated string: parse, show, serialise as text.
macro_rules! text_type {
    ($type:ident) => {
        impl $type {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

/// Serialises with `Display`, deserialises with `FromStr`.
macro_rules! serde_as_text {
    ($type:ident) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_as_text;

/// A product, channel or repository name: `[a-z0-9][a-z0-9._-]{0,63}`, safe as one path component on every OS.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);
text_type!(Name);
serde_as_text!(Name);

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let starts = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
        if starts && plain && text.len() <= 64 && !text.contains("..") && !text.ends_with('.') && !path::is_device_name(text) {
            Ok(Name(text.to_owned()))
        } else {
            Err(InvalidName::Name(shortened(text)))
        }
    }
}

/// A variant of a build, such as `imMW_Face`: `[A-Za-z0-9][A-Za-z0-9_-]{0,31}`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variant(String);
text_type!(Variant);
serde_as_text!(Variant);

impl FromStr for Variant {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if starts && text.len() <= 32 && is_url_word(text) {
            Ok(Variant(text.to_owned()))
        } else {
            Err(InvalidName::Variant(shortened(text)))
        }
    }
}

/// The code in an install link: `[A-Za-z0-9_-]{4,64}`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(String);
text_type!(Code);
serde_as_text!(Code);

impl FromStr for Code {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if (4..=64).contains(&text.len()) && is_url_word(text) {
            Ok(Code(text.to_owned()))
        } else {
            Err(InvalidName::Code(shortened(text)))
        }
    }
}

fn is_url_word(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

fn shortened(text: &str) -> String {
    quoted(text, 80).to_string()
}

/// A closed list of names, read and written as text.
macro_rules! word_enum {
    ($(#[$meta:meta])* $type:ident, $error:path, { $($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { $($(#[$doc])* $variant),+ }

        impl $type {
            /// Every value, in the order of `docs/format.md`.
            pub const ALL: &'static [$type] = &[$($type::$variant),+];

            /// The text used in documents and paths.
            pub const fn as_str(self) -> &'static str {
                match self { $($type::$variant => $text),+ }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| $error(shortened(text)))
            }
        }
        serde_as_text!($type);
    };
}

word_enum! {
    /// The operating system that a build runs on (D-18).
    Os, InvalidName::Os, {
        /// Windows on a desktop.
        Windows = "windows",
        /// Linux.
        Linux = "linux",
        /// macOS, under the name its product folders have (`macos` is accepted on command lines).
        Macosx = "macosx",
        /// Android.
        Android = "android",
        /// Windows CE and Windows Mobile.
        Wince = "wince",
    }
}

word_enum! {
    /// The instruction set that a build runs on; `any` for builds that do not care. A station asks for exactly one.
    Arch, InvalidName::Arch, {
        /// 64-bit x86.
        X86_64 = "x86_64",
        /// 64-bit ARM.
        Aarch64 = "aarch64",
        /// 32-bit x86.
        I686 = "i686",
        /// Not bound to an instruction set.
        Any = "any",
    }
}

impl Os {
    /// The OS of the running program, where it is one we know.
    pub fn host() -> Option<Os> {
        match std::env::consts::OS {
            "macos" => Some(Os::Macosx),
            other => other.parse().ok(),
        }
    }

    /// Reads an OS as people type it: the names of documents, and `macos`.
    pub fn from_command_line(text: &str) -> Result<Os, InvalidName> {
        if text == "macos" { Ok(Os::Macosx) } else { text.parse() }
    }

    /// Whether names that differ in case alone are one name to programs of this OS.
    pub const fn folds_names(self) -> bool {
        matches!(self, Os::Windows | Os::Macosx | Os::Wince)
    }

    /// Whether installs of this OS may hold symbolic links.
    pub const fn has_links(self) -> bool {
        matches!(self, Os::Linux | Os::Macosx)
    }
}

impl Arch {
    /// The arch of the running program, where it is one we know.
    pub fn host() -> Option<Arch> {
        match std::env::consts::ARCH {
            "x86" => Some(Arch::I686),
            other => other.parse().ok(),
        }
    }
}

/// What a station follows: one product on one OS, arch and variant, in one channel. Names the channel document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId {
    /// The operating system.
    pub os: Os,
    /// The product.
    pub product: Name,
    /// The instruction set.
    pub arch: Arch,
    /// The variant, for products that have several builds for one OS.
    pub variant: Option<Variant>,
    /// The channel.
    pub channel: Name,
}

impl ChannelId {
    /// The TUF target path of the channel document: `<os>/<product>/<arch>[+<variant>]/<channel>.json`.
    pub fn target_path(&self) -> String {
        let ChannelId { os, product, arch, channel, .. } = self;
        match &self.variant {
            Some(variant) => format!("{os}/{product}/{arch}+{variant}/{channel}.json"),
            None => format!("{os}/{product}/{arch}/{channel}.json"),
        }
    }

    /// Reads a target path back.
    pub fn from_target_path(path: &str) -> Result<Self, InvalidName> {
        let bad = || InvalidName::ChannelPath(shortened(path));
        let [os, product, arch, file] = path.split('/').collect::<Vec<_>>().try_into().map_err(|_| bad())?;
        let (arch, variant) = match arch.split_once('+') {
            Some((arch, variant)) => (arch, Some(variant.parse()?)),
            None => (arch, None),
        };
        let channel = file.strip_suffix(".json").ok_or_else(bad)?;
        Ok(ChannelId { os: os.parse()?, product: product.parse()?, arch: arch.parse()?, variant, channel: channel.parse()? })
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} for {} {}", self.product, self.channel, self.os, self.arch)?;
        match &self.variant {
            Some(variant) => write!(f, " {variant}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_safe_everywhere_pass() {
        for text in ["a", "smartclient", "loja-15", "3.4", "a.b_c-d", &"x".repeat(64)] {
            assert!(text.parse::<Name>().is_ok(), "{text}");
        }
    }

    #[test]
    fn names_that_could_leave_a_folder_or_name_a_device_are_refused() {
        for text in ["", "..", "a..b", "A", "a/b", "a\\b", ".a", "-a", "a.", "con", "nul.x", "com1", "a b", "é", "a+b", &"x".repeat(65)] {
            assert!(text.parse::<Name>().is_err(), "{text}");
        }
    }

    #[test]
    fn channel_paths_round_trip() {
        for path in ["windows/smartclient/x86_64/stable.json", "android/immw/any+imMW_Face/beta.json"] {
            assert_eq!(ChannelId::from_target_path(path).unwrap().target_path(), path);
        }
        for path in
            ["windows/x/x86_64/stable", "windows/x/x86_64/a/b.json", "beos/x/any/a.json", "windows/../any/a.json", "windows/x/any+/a.json"]
        {
            assert!(ChannelId::from_target_path(path).is_err(), "{path}");
        }
    }

    #[test]
    fn macos_is_an_alias_for_people_only() {
        assert_eq!(Os::from_command_line("macos").unwrap(), Os::Macosx);
        assert!("macos".parse::<Os>().is_err());
    }
}
