//! Builds: versions in the vendor's own notation, each with the scheme that orders it (D-08).
//!
//! Builds of two schemes are never compared, and text that does not parse is refused rather than ordered as text: `17.3.0.9` is older than `17.3.0.14`.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::name::serde_as_text;
use crate::quote::quoted;

/// The notation of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// Semantic versioning 2.0.0.
    Semver,
    /// One to eight decimal parts: `17.3.0.14`.
    Dotted,
    /// TOTVS: `7.00.170117A`, `7.00.170117A-20190212`.
    Totvs,
}
serde_as_text!(Scheme);

/// A build: the vendor's text, its scheme, and its place in the scheme's total order.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Build {
    text: String,
    order: Order,
}

#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Order {
    Semver(semver::Version),
    /// Without trailing zero parts, so that `1.2` equals `1.2.0`.
    Dotted(Vec<u64>),
    Totvs {
        major: u64,
        minor: u64,
        date: u32,
        letter: u8,
        suffix: Option<u32>,
    },
}

/// The text is not a build of the scheme, or not a scheme.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBuild {
    /// Not a build of the scheme.
    #[error("`{text}` is not a build in the scheme `{scheme}` (for example {})", scheme.example())]
    Build {
        /// The text.
        text: String,
        /// The scheme it was read in.
        scheme: Scheme,
    },
    /// Not a scheme.
    #[error("`{0}` is not a version scheme (known: semver, dotted, totvs)")]
    Scheme(String),
    /// No scheme reads the text.
    #[error("`{0}` is a build in none of the schemes semver (1.2.3), dotted (17.3.0.14) and totvs (7.00.170117A)")]
    Unknown(String),
}

impl Scheme {
    /// Every scheme.
    pub const ALL: [Scheme; 3] = [Scheme::Semver, Scheme::Dotted, Scheme::Totvs];

    /// The name in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Scheme::Semver => "semver",
            Scheme::Dotted => "dotted",
            Scheme::Totvs => "totvs",
        }
    }

    const fn example(self) -> &'static str {
        match self {
            Scheme::Semver => "1.2.3 or 1.2.3-rc.1",
            Scheme::Dotted => "17.3.0.14",
            Scheme::Totvs => "7.00.170117A or 7.00.170117A-20190212",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scheme {
    type Err = InvalidBuild;

    fn from_str(text: &str) -> Result<Self, InvalidBuild> {
        Scheme::ALL.into_iter().find(|scheme| scheme.as_str() == text).ok_or_else(|| InvalidBuild::Scheme(quoted(text, 40).to_string()))
    }
}

impl Build {
    /// Longest text of a build, in bytes.
    pub const MAX_BYTES: usize = 128;

    /// Reads `text` in `scheme`.
    pub fn parse(text: &str, scheme: Scheme) -> Result<Build, InvalidBuild> {
        let order = (text.len() <= Self::MAX_BYTES).then(|| match scheme {
            Scheme::Semver => semver::Version::parse(text).ok().map(Order::Semver),
            Scheme::Dotted => dotted(text),
            Scheme::Totvs => totvs(text),
        });
        match order.flatten() {
            Some(order) => Ok(Build { text: text.to_owned(), order }),
            None => Err(InvalidBuild::Build { text: quoted(text, 80).to_string(), scheme }),
        }
    }

    /// Reads `text` in the first scheme that takes it: semver, dotted, TOTVS. For a publisher that named none; what it chose is then written down.
    pub fn recognise(text: &str) -> Result<Build, InvalidBuild> {
        let read = Scheme::ALL.into_iter().find_map(|scheme| Build::parse(text, scheme).ok());
        read.ok_or_else(|| InvalidBuild::Unknown(quoted(text, 80).to_string()))
    }

    /// The vendor's text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        match self.order {
            Order::Semver(_) => Scheme::Semver,
            Order::Dotted(_) => Scheme::Dotted,
            Order::Totvs { .. } => Scheme::Totvs,
        }
    }

    /// The first two parts, which the rule `major-minor` looks at ([`crate::compat`]); a part that is not there is 0. In the TOTVS notation they name the line, `7.00`, which all its builds have in
    /// common.
    pub fn major_minor(&self) -> (u64, u64) {
        match &self.order {
            Order::Semver(version) => (version.major, version.minor),
            Order::Dotted(parts) => (parts.first().copied().unwrap_or(0), parts.get(1).copied().unwrap_or(0)),
            Order::Totvs { major, minor, .. } => (*major, *minor),
        }
    }

    /// Whether `other` begins with the parts of this build as they are written: `3.5` with those of `3.5.9`, `3.0` not with those of `3.5`. Only dotted builds have parts in this sense.
    pub fn is_prefix_of(&self, other: &Build) -> bool {
        let (Order::Dotted(_), Order::Dotted(theirs)) = (&self.order, &other.order) else { return false };
        let theirs = theirs.iter().copied().chain(std::iter::repeat(0));
        self.text.split('.').zip(theirs).all(|(part, their)| decimal(part) == Some(their))
    }

    /// Reads `text` in `scheme` where there is one and it can be, else as [`Build::recognise`] does: for a build that is given beside another.
    pub fn beside(text: &str, scheme: Option<Scheme>) -> Result<Build, InvalidBuild> {
        let read = scheme.and_then(|scheme| Build::parse(text, scheme).ok());
        read.map_or_else(|| Build::recognise(text), Ok)
    }

    /// The order of two builds; `None` when their schemes differ. Builds that are `Equal` may differ in text (`1.2` and `1.2.0`).
    pub fn compare(&self, other: &Build) -> Option<Ordering> {
        (self.scheme() == other.scheme()).then(|| self.order.cmp(&other.order))
    }
}

fn dotted(text: &str) -> Option<Order> {
    let mut parts = text.split('.').map(decimal).collect::<Option<Vec<u64>>>()?;
    if parts.len() > 8 {
        return None;
    }
    while parts.last() == Some(&0) {
        parts.pop();
    }
    Some(Order::Dotted(parts))
}

fn totvs(text: &str) -> Option<Order> {
    let (version, suffix) = match text.split_once('-') {
        Some((version, suffix)) => (version, Some(date_of(suffix, 8)?)),
        None => (text, None),
    };
    let mut parts = version.split('.');
    let (major, minor, stamp) = (decimal(parts.next()?)?, decimal(parts.next()?)?, parts.next()?);
    let (date, letter) = stamp.split_at_checked(6)?;
    let &[letter @ b'A'..=b'Z'] = letter.as_bytes() else { return None };
    let order = Order::Totvs { major, minor, date: date_of(date, 6)?, letter, suffix };
    parts.next().is_none().then_some(order)
}

/// A `[yy]yymmdd` date of exactly `digits` digits, as its number; month and day must be possible.
fn date_of(text: &str, digits: usize) -> Option<u32> {
    let number = u32::try_from(decimal(text)?).ok()?;
    let (month, day) = (number / 100 % 100, number % 100);
    (text.len() == digits && (1..=12).contains(&month) && (1..=31).contains(&day)).then_some(number)
}

fn decimal(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Build({} as {})", self.text, self.scheme())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ascending(scheme: Scheme, texts: &[&str]) {
        let builds: Vec<Build> = texts.iter().map(|text| Build::parse(text, scheme).unwrap()).collect();
        for (i, a) in builds.iter().enumerate() {
            for (j, b) in builds.iter().enumerate() {
                assert_eq!(a.compare(b), Some(i.cmp(&j)), "{a} {b}");
            }
        }
    }

    #[test]
    fn ac_20_each_scheme_orders_as_its_vendor_means_it() {
        ascending(Scheme::Dotted, &["3.4", "3.4.0.50000", "17.3.0.9", "17.3.0.14", "18"]);
        ascending(
            Scheme::Totvs,
            &["7.00.170117A", "7.00.170117A-20190212", "7.00.170117B", "7.00.191205P", "7.00.210324P", "12.1.170117A"],
        );
        ascending(Scheme::Semver, &["1.0.0-rc.1", "1.0.0", "1.2.0", "1.10.0"]);
    }

    #[test]
    fn missing_dotted_parts_are_zero() {
        let read = |text| Build::parse(text, Scheme::Dotted).unwrap();
        assert_eq!(read("1.2").compare(&read("1.2.0.0")), Some(Ordering::Equal));
        assert_eq!(read("01.2").compare(&read("1.2")), Some(Ordering::Equal));
    }

    #[test]
    fn a_dotted_prefix_is_what_is_written_not_what_it_is_worth() {
        let is_prefix = |text, other| Build::recognise(text).unwrap().is_prefix_of(&Build::recognise(other).unwrap());
        assert!(is_prefix("3.5", "3.5.9.1") && is_prefix("3.5", "3.5") && is_prefix("03.5.0.0", "3.5"));
        assert!(!is_prefix("3.0", "3.5.0.0") && !is_prefix("3.5", "3.50.0.0") && !is_prefix("3.5.0.1", "3.5"));
        assert!(!is_prefix("7.00.170117A", "7.00.170117A-20190212") && !is_prefix("1.2.3", "1.2.3+x"));
    }

    #[test]
    fn the_first_two_parts_of_each_scheme() {
        for (text, parts) in
            [("17.3.0.14", (17, 3)), ("17", (17, 0)), ("7.00.170117A", (7, 0)), ("12.1.170117A-20190212", (12, 1)), ("1.2.3-rc.1", (1, 2))]
        {
            assert_eq!(Build::recognise(text).unwrap().major_minor(), parts, "{text}");
        }
    }

    #[test]
    fn unknown_text_is_refused_not_ordered() {
        for (text, scheme) in [
            ("", Scheme::Dotted),
            ("1..2", Scheme::Dotted),
            ("1.2a", Scheme::Dotted),
            ("1.2.3.4.5.6.7.8.9", Scheme::Dotted),
            ("18446744073709551616", Scheme::Dotted),
            ("+1.2", Scheme::Dotted),
            ("7.00.171317A", Scheme::Totvs),
            ("7.00.170117", Scheme::Totvs),
            ("7.00.170117a", Scheme::Totvs),
            ("7.00.170117A-2019", Scheme::Totvs),
            ("7.00.1701é7A", Scheme::Totvs),
            ("17.3.0.14", Scheme::Totvs),
            ("1.2", Scheme::Semver),
            ("v1.2.3", Scheme::Semver),
            (&"1".repeat(200), Scheme::Dotted),
        ] {
            assert!(Build::parse(text, scheme).is_err(), "{text}");
        }
        assert!(Build::recognise("latest").is_err());
    }

    #[test]
    fn builds_of_two_schemes_are_never_compared() {
        let dotted = Build::parse("1.2.3", Scheme::Dotted).unwrap();
        let semver = Build::parse("1.2.3", Scheme::Semver).unwrap();
        assert_eq!(dotted.compare(&semver), None);
    }

    #[test]
    fn the_scheme_of_a_build_is_recognised() {
        for (text, scheme) in [("1.2.3", Scheme::Semver), ("17.3.0.14", Scheme::Dotted), ("7.00.170117A", Scheme::Totvs)] {
            assert_eq!(Build::recognise(text).unwrap().scheme(), scheme);
        }
    }
}
