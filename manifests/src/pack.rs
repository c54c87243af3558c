//! Packs: where the contents of files lie (`docs/format.md` section 7).
//!
//! A pack is a row of independent zstd frames. This module does the arithmetic: which frames hold a stretch of content, and which bytes of the object those are. Decoding one is [`FrameDecoder`]'s.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::channel::ObjectRef;
use crate::digest::Digest;

mod frame;
pub use frame::{FrameDecoder, FrameError};

/// Most content of one frame, in bytes; also the largest window a decoder needs.
pub const MAX_FRAME: u64 = 8 * 1024 * 1024;

/// A frame: its stored and its content length, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame(
    /// Bytes in the object.
    pub u64,
    /// Bytes after decompression, 1 to [`MAX_FRAME`].
    pub u64,
);

/// A pack as a manifest describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pack {
    /// Digest of the stored bytes.
    pub sha256: Digest,
    /// Their number: the sum of the frames' stored lengths.
    pub length: u64,
    /// Index of the dictionary that every frame needs.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")]
    pub dictionary: Option<u32>,
    /// The frames, in order.
    pub frames: Vec<Frame>,
}

impl Pack {
    /// The stored object.
    pub fn object(&self) -> ObjectRef {
        ObjectRef { sha256: self.sha256, length: self.length }
    }

    /// Bytes of content; `None` when a frame is out of bounds or the lengths do not add up.
    pub fn content_length(&self) -> Option<u64> {
        let mut stored = 0u64;
        let mut content = 0u64;
        for Frame(compressed, plain) in &self.frames {
            if *compressed == 0 || !(1..=MAX_FRAME).contains(plain) {
                return None;
            }
            stored = stored.checked_add(*compressed)?;
            content = content.checked_add(*plain)?;
        }
        (stored == self.length).then_some(content)
    }

    /// Every frame with the stretch of the object and the stretch of the content that it covers. Makes sense for a pack whose [`Pack::content_length`] is known.
    pub fn layout(&self) -> Vec<FrameAt> {
        let (mut stored, mut content) = (0, 0);
        let place = |frame: &Frame| {
            let (stored_end, content_end) = (u64::saturating_add(stored, frame.0), u64::saturating_add(content, frame.1));
            let at = FrameAt { stored: stored..stored_end, content: content..content_end };
            (stored, content) = (at.stored.end, at.content.end);
            at
        };
        self.frames.iter().map(place).collect()
    }
}

/// Where a frame lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameAt {
    /// Bytes of the object.
    pub stored: Range<u64>,
    /// Bytes of the pack's content.
    pub content: Range<u64>,
}

/// The indices of the frames in `layout` that hold any of `content`, which is not empty and lies inside the pack.
pub fn frames_of(layout: &[FrameAt], content: &Range<u64>) -> Range<usize> {
    let first = layout.partition_point(|frame| frame.content.end <= content.start);
    let end = layout.partition_point(|frame| frame.content.start < content.end);
    first..end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(frames: &[(u64, u64)]) -> Pack {
        let frames: Vec<Frame> = frames.iter().map(|(stored, content)| Frame(*stored, *content)).collect();
        Pack { sha256: Digest::of(b""), length: frames.iter().map(|frame| frame.0).sum(), dictionary: None, frames }
    }

    #[test]
    fn a_stretch_lies_in_exactly_the_frames_that_hold_a_byte_of_it() {
        let layout = pack(&[(5, 10), (7, 20), (3, 10)]).layout();
        assert_eq!(layout[1], FrameAt { stored: 5..12, content: 10..30 });
        for (content, frames) in [(0..10, 0..1), (0..11, 0..2), (10..30, 1..2), (9..31, 0..3), (39..40, 2..3)] {
            assert_eq!(frames_of(&layout, &content), frames, "{content:?}");
        }
    }

    #[test]
    fn lengths_that_do_not_add_up_are_refused() {
        assert_eq!(pack(&[(5, 10)]).content_length(), Some(10));
        assert_eq!(pack(&[(5, 0)]).content_length(), None);
        assert_eq!(pack(&[(5, MAX_FRAME + 1)]).content_length(), None);
        assert_eq!(Pack { length: 6, ..pack(&[(5, 10)]) }.content_length(), None);
        assert_eq!(Pack { frames: vec![Frame(u64::MAX, 1), Frame(2, 1)], ..pack(&[]) }.content_length(), None);
    }
}
