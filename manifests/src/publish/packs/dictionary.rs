//! Decides by trial whether small files get a trained dictionary.
//!
//! Frames of half a megabyte find most of what a dictionary would tell them in themselves, and a station that repairs one file has to fetch the dictionary too. So it is only
//! tried where bytes matter more than time, and taken where it saves a few percent over all small files, its own length counted.

use std::path::Path;

use zstd::dict::EncoderDictionary;

use super::{PackPlan, Piece, compress, read_pieces};
use crate::publish::disk::failed;
use crate::publish::scan::ScanError;

/// Length of a dictionary, in bytes: what zstd's trainer was made for.
const LENGTH: usize = 110 * 1024;
/// Least content of small files that a dictionary can pay for, in bytes.
const LEAST_CONTENT: u64 = 8 * 1024 * 1024;
/// Content that is looked at, in bytes; training takes about a second for each megabyte.
const SAMPLED: u64 = 4 * 1024 * 1024;
/// Most of one file that is looked at, in bytes: the trainer's own bound.
const SAMPLE: u64 = 128 * 1024;
/// Frames that the trial compresses both ways.
const TRIALS: usize = 12;
/// The part of the small files' stored bytes that must be saved, in percent.
const LEAST_SAVING_PERCENT: u64 = 2;

/// The bytes of a dictionary for the shared frames of `plans`, if it pays.
pub(super) fn worthwhile(folder: &Path, plans: &[PackPlan], level: i32) -> Result<Option<Vec<u8>>, ScanError> {
    let frames: Vec<&[Piece]> = plans.iter().filter(|plan| plan.shared).flat_map(|plan| plan.frames.iter().map(Vec::as_slice)).collect();
    let pieces: Vec<&Piece> = frames.iter().flat_map(|frame| frame.iter()).collect();
    let total: u64 = pieces.iter().map(|piece| piece.length).sum();
    if total < LEAST_CONTENT {
        return Ok(None);
    }
    let step = usize::try_from(total.div_ceil(SAMPLED)).unwrap_or(usize::MAX).max(1);
    let samples = pieces.iter().step_by(step).map(|piece| {
        let start = Piece { length: piece.length.min(SAMPLE), ..(*piece).clone() };
        read_pieces(folder, &[start])
    });
    // Too few or too uniform samples make the trainer give up: then there is no dictionary.
    let Ok(bytes) = zstd::dict::from_samples(&samples.collect::<Result<Vec<_>, _>>()?, LENGTH) else { return Ok(None) };
    let prepared = EncoderDictionary::copy(&bytes, level);
    let (mut without, mut with) = (0, 0);
    for frame in frames.iter().step_by(frames.len().div_ceil(TRIALS)) {
        let content = read_pieces(folder, frame)?;
        let stored =
            |dictionary| compress(&content, level, dictionary).map_err(failed("compress", folder)).map(|stored| stored.len() as u64);
        without += stored(None)?;
        with += stored(Some(&prepared))?;
    }
    Ok(pays(without, with, (frames.len() / TRIALS).max(1) as u64, bytes.len() as u64).then_some(bytes))
}

/// Whether saving `without - with` bytes in one of `times` parts of the whole is worth a dictionary of `length` bytes.
fn pays(without: u64, with: u64, times: u64, length: u64) -> bool {
    without * times > with * times + length + without * times * LEAST_SAVING_PERCENT / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dictionary_must_save_more_than_it_costs_and_two_percent() {
        assert!(pays(1000, 900, 100, 5_000));
        assert!(!pays(1000, 900, 1, 100));
        assert!(!pays(100_000, 99_000, 100, 0));
        assert!(!pays(1000, 1001, 100, 0));
    }
}
