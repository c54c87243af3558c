//! Instants in documents (`YYYY-MM-DDTHH:MM:SSZ`) and times of files (whole seconds). Both are UTC and have no fraction.
//!
//! There is one spelling of an instant, so that no two readers disagree about offsets, fractions or leap seconds (attack B9).

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use jiff::civil::DateTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::quote::quoted;

/// An instant, in whole seconds since 1970-01-01T00:00:00Z; years 1970 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcTime(i64);

/// The text is not an instant in the one accepted spelling.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time of the form YYYY-MM-DDTHH:MM:SSZ, years 1970 to 9999")]
pub struct InvalidTime(String);

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
/// 9999-12-31T23:59:59Z.
const LAST_SECOND: i64 = 253_402_300_799;

impl UtcTime {
    /// `seconds` since 1970-01-01T00:00:00Z, brought into the years 1970 to 9999.
    pub fn from_unix(seconds: i64) -> Self {
        UtcTime(seconds.clamp(0, LAST_SECOND))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// This instant `days` later (earlier when negative), within the representable years.
    pub fn plus_days(self, days: i64) -> Self {
        Self::from_unix(self.0.saturating_add(days.saturating_mul(86_400)))
    }
}

impl FromStr for UtcTime {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        parse(text).ok_or_else(|| InvalidTime(quoted(text, 40).to_string()))
    }
}

fn parse(text: &str) -> Option<UtcTime> {
    const SHAPE: &[u8] = b"dddd-dd-ddTdd:dd:ddZ";
    let fits = |(byte, shape): (u8, &u8)| if *shape == b'd' { byte.is_ascii_digit() } else { byte == *shape };
    if text.len() != SHAPE.len() || !text.bytes().zip(SHAPE).all(fits) {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i16>().ok();
    let small = |from: usize, to: usize| number(from, to).and_then(|n| i8::try_from(n).ok());
    let civil = DateTime::new(number(0, 4)?, small(5, 7)?, small(8, 10)?, small(11, 13)?, small(14, 16)?, small(17, 19)?, 0).ok()?;
    let seconds = civil.duration_since(EPOCH).as_secs();
    (0..=LAST_SECOND).contains(&seconds).then_some(UtcTime(seconds))
}

impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The clamp in every constructor keeps the sum inside the civil years.
        let t = EPOCH.saturating_add(SignedDuration::from_secs(self.0));
        write!(f, "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", t.year(), t.month(), t.day(), t.hour(), t.minute(), t.second())
    }
}

impl fmt::Debug for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for UtcTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UtcTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The modification time of a file: whole seconds since 1970-01-01 UTC, from 1901-12-13 (−2^31) to 2242-03-16 (2^33−1), which every file
/// system that we meet can hold or rounds in one step (AC-15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct FileTime(i64);

impl FileTime {
    /// The earliest time of a file.
    pub const MIN: FileTime = FileTime(-(1 << 31));
    /// The latest time of a file.
    pub const MAX: FileTime = FileTime((1 << 33) - 1);

    /// `seconds` brought into the range; what a publisher does with the times it finds.
    pub fn clamped(seconds: i64) -> Self {
        FileTime(seconds.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Seconds since 1970-01-01 UTC; negative before.
    pub const fn unix(self) -> i64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for FileTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = i64::deserialize(deserializer)?;
        if (Self::MIN.0..=Self::MAX.0).contains(&seconds) {
            Ok(FileTime(seconds))
        } else {
            Err(serde::de::Error::custom(format_args!("file time {seconds} is outside {}..={}", Self::MIN.0, Self::MAX.0)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_round_trip() {
        for text in ["1970-01-01T00:00:00Z", "2024-02-29T23:59:59Z", "2026-11-21T10:00:00Z", "9999-12-31T23:59:59Z"] {
            assert_eq!(text.parse::<UtcTime>().unwrap().to_string(), text);
        }
        assert_eq!("2001-09-09T01:46:40Z".parse::<UtcTime>().unwrap().unix(), 1_000_000_000);
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "2026-11-21T10:00:00",
            "2026-11-21T10:00:00+02:00",
            "2026-11-21 10:00:00Z",
            "2026-11-21T10:00:00.5Z",
            "2026-06-30T23:59:60Z",
            "10000-01-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "2026-02-29T00:00:00Z",
            "2026-11-21t10:00:00z",
            "",
            "2026-11-2١T10:00:00Z",
        ] {
            assert!(text.parse::<UtcTime>().is_err(), "{text}");
        }
    }

    #[test]
    fn file_times_outside_the_range_are_clamped_by_writers_and_refused_by_readers() {
        assert_eq!(FileTime::clamped(i64::MIN), FileTime::MIN);
        assert_eq!(FileTime::clamped(i64::MAX), FileTime::MAX);
        assert!(serde_json::from_str::<FileTime>("8589934592").is_err());
        assert_eq!(serde_json::from_str::<FileTime>("-2147483648").unwrap(), FileTime::MIN);
    }
}
