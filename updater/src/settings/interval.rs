//! A length of time as people write it: `30m`, `4h`, `1d`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Shortest interval, in seconds: a server is no clock.
const SHORTEST_SECONDS: u64 = 60;
/// Longest interval, in seconds: a station that checks less often than every 30 days misses what expires.
const LONGEST_SECONDS: u64 = 30 * 86_400;

/// Between a minute and 30 days; four hours where nothing is said (S1-12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Interval {
    seconds: u64,
}

impl Interval {
    /// Its length in seconds.
    pub const fn seconds(self) -> u64 {
        self.seconds
    }
}

impl Default for Interval {
    fn default() -> Interval {
        Interval { seconds: 4 * 3600 }
    }
}

impl FromStr for Interval {
    type Err = String;

    fn from_str(text: &str) -> Result<Interval, String> {
        let wrong = || format!("`{}` is no interval, such as `30m`, `4h` or `1d`", manifests::quote::quoted(text, 40));
        let unit = match text.chars().last() {
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            _ => return Err(wrong()),
        };
        let digits = &text[..text.len() - 1];
        let number: u64 = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten().ok_or_else(wrong)?;
        let seconds = number.checked_mul(unit).filter(|seconds| (SHORTEST_SECONDS..=LONGEST_SECONDS).contains(seconds));
        seconds.map(|seconds| Interval { seconds }).ok_or_else(|| format!("`{text}` is not between `1m` and `30d`"))
    }
}

impl TryFrom<String> for Interval {
    type Error = String;

    fn try_from(text: String) -> Result<Interval, String> {
        text.parse()
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seconds {
            seconds if seconds % 86_400 == 0 => write!(f, "{}d", seconds / 86_400),
            seconds if seconds % 3600 == 0 => write!(f, "{}h", seconds / 3600),
            seconds => write!(f, "{}m", seconds / 60),
        }
    }
}

impl From<Interval> for String {
    fn from(interval: Interval) -> String {
        interval.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_reads_back_and_what_is_none_is_refused() {
        for (text, seconds) in [("1m", 60), ("90m", 5400), ("4h", 14_400), ("1d", 86_400), ("30d", 2_592_000)] {
            let interval: Interval = text.parse().unwrap();
            assert_eq!((interval.seconds(), interval.to_string().as_str()), (seconds, text));
        }
        assert_eq!("120m".parse::<Interval>().unwrap().to_string(), "2h");
        assert_eq!(Interval::default().to_string(), "4h");
        for text in ["", "h", "4", "4 h", "+4h", "-4h", "0m", "31d", "4ч", "99999999999999999999h", "18446744073709551615d"] {
            assert!(text.parse::<Interval>().is_err(), "{text}");
        }
    }
}
