//! The moment of a station within a period: a hash, so that 200 stations that were switched on together ask at 200 moments (AC-29), and each always at its own. Pure.

use manifests::digest::Digest;

/// The moment of `folder` on the computer `machine` within a period of `every_seconds`, in seconds.
pub fn of(machine: &str, folder: &str, every_seconds: u64) -> u64 {
    number(&format!("stationmaster schedule\0{machine}\0{folder}")) % every_seconds.max(1)
}

/// The first eight bytes of a SHA-256.
fn number(text: &str) -> u64 {
    Digest::of(text.as_bytes())
        .to_hex()
        .bytes()
        .take(16)
        .fold(0, |number, digit| number << 4 | u64::from(char::from(digit).to_digit(16).unwrap_or_default()))
}
