//! Decodes one frame of a pack, exactly as `docs/format.md` section 7 allows and not a byte beyond (attack D11).
//!
//! The header is judged before anything is decoded: it is the form that our packer writes, and it names the very length that the signed manifest
//! does. Memory is that length, at most [`MAX_FRAME`], whatever the bytes claim. Publishing reads its packs back through this decoder, so what a
//! publisher signs is what a station accepts.

use zstd::bulk::Decompressor;
use zstd::zstd_safe;

use super::MAX_FRAME;

/// What every zstd frame begins with; skippable and legacy frames begin with something else.
const MAGIC: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD];

/// Why bytes are not the frame that a manifest describes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Something else than a zstd frame, or a kind of frame that packs do not hold.
    #[error("not a zstd frame")]
    NotAFrame,
    /// It carries a checksum or names a dictionary, which ours do not.
    #[error("it has a checksum or names a dictionary")]
    Flags,
    /// It asks for more memory than a station has to give.
    #[error("its window is larger than 8 MiB")]
    Window,
    /// Its header names another length than the manifest, or none.
    #[error("its header does not say that it holds {0} bytes")]
    ContentSize(u64),
    /// The bytes are more or fewer than one frame.
    #[error("it is not as long as the manifest says")]
    StoredLength,
    /// It decodes to another length.
    #[error("it holds {found} bytes, not {expected}")]
    ContentLength {
        /// The length that the manifest gives.
        expected: u64,
        /// What came out.
        found: u64,
    },
    /// The dictionary begins like a trained one and is none.
    #[error("its dictionary is damaged")]
    Dictionary,
    /// The decoder gave up.
    #[error("it does not decode: {0}")]
    Undecodable(String),
}

/// Decodes the frames of packs that share a dictionary, or have none.
pub struct FrameDecoder {
    decompressor: Decompressor<'static>,
}

impl FrameDecoder {
    /// A decoder with this dictionary: trained when it begins with `37 A4 30 EC`, raw content else.
    ///
    /// # Errors
    /// [`FrameError::Dictionary`].
    pub fn new(dictionary: Option<&[u8]>) -> Result<FrameDecoder, FrameError> {
        let decompressor = Decompressor::with_dictionary(dictionary.unwrap_or_default());
        // What zstd says of a dictionary that it cannot load is that memory ran out.
        decompressor.map(|decompressor| FrameDecoder { decompressor }).map_err(|_| FrameError::Dictionary)
    }

    /// The content of the frame `stored`, which must be `length` bytes.
    pub fn decode(&mut self, stored: &[u8], length: u64) -> Result<Vec<u8>, FrameError> {
        check_header(stored, length)?;
        let capacity = usize::try_from(length).map_err(|_| FrameError::ContentSize(length))?;
        let content = self.decompressor.decompress(stored, capacity).map_err(|error| FrameError::Undecodable(error.to_string()))?;
        let found = content.len() as u64;
        if found == length { Ok(content) } else { Err(FrameError::ContentLength { expected: length, found }) }
    }
}

/// RFC 8878 section 3.1.1.1.
fn check_header(stored: &[u8], length: u64) -> Result<(), FrameError> {
    let Some(&[descriptor, next, ..]) = stored.strip_prefix(MAGIC) else { return Err(FrameError::NotAFrame) };
    let has_checksum = descriptor & 0b100 != 0;
    let names_dictionary = descriptor & 0b11 != 0;
    if has_checksum || names_dictionary {
        return Err(FrameError::Flags);
    }
    // A single segment has no window of its own: its content is the window.
    let single_segment = descriptor & 0b10_0000 != 0;
    if !single_segment && window(next).is_none_or(|window| window > MAX_FRAME) {
        return Err(FrameError::Window);
    }
    if !(1..=MAX_FRAME).contains(&length) || zstd_safe::get_frame_content_size(stored).ok().flatten() != Some(length) {
        return Err(FrameError::ContentSize(length));
    }
    if zstd_safe::find_frame_compressed_size(stored) != Ok(stored.len()) {
        return Err(FrameError::StoredLength);
    }
    Ok(())
}

/// Section 3.1.1.1.2: the exponent in the upper five bits, the mantissa, in eighths, in the lower three.
fn window(byte: u8) -> Option<u64> {
    let base = 1u64.checked_shl(u32::from(byte >> 3).checked_add(10)?)?;
    let eighths = u64::from(byte & 0b111).checked_add(8)?;
    base.checked_div(8)?.checked_mul(eighths)
}

#[cfg(test)]
mod tests {
    use zstd::bulk::Compressor;
    use zstd::zstd_safe::CParameter;

    use super::*;

    fn frame(content: &[u8], set: &[CParameter]) -> Vec<u8> {
        let mut compressor = Compressor::new(3).unwrap();
        for parameter in set {
            compressor.set_parameter(*parameter).unwrap();
        }
        compressor.compress(content).unwrap()
    }

    fn decode(stored: &[u8], length: u64) -> Result<Vec<u8>, FrameError> {
        FrameDecoder::new(None).unwrap().decode(stored, length)
    }

    #[test]
    fn a_frame_of_the_length_that_the_manifest_gives_is_decoded() {
        let content = b"abc".repeat(1000);
        let stored = frame(&content, &[]);
        assert_eq!(decode(&stored, 3000), Ok(content));
        for length in [0, 2999, 3001, MAX_FRAME + 1, u64::MAX] {
            assert_eq!(decode(&stored, length), Err(FrameError::ContentSize(length)));
        }
    }

    #[test]
    fn d11_frames_of_another_kind_or_length_are_refused_before_they_are_decoded() {
        let content = b"abc".repeat(1000);
        let plain = frame(&content, &[]);
        assert_eq!(decode(&frame(&content, &[CParameter::ChecksumFlag(true)]), 3000), Err(FrameError::Flags));
        assert_eq!(decode(&frame(&content, &[CParameter::ContentSizeFlag(false)]), 3000), Err(FrameError::ContentSize(3000)));
        assert_eq!(decode(&[&plain[..], &plain[..]].concat(), 3000), Err(FrameError::StoredLength));
        assert_eq!(decode(&plain[..plain.len() - 1], 3000), Err(FrameError::StoredLength));
        let skippable = [&[0x50, 0x2A, 0x4D, 0x18, 4, 0, 0, 0][..], b"skip"].concat();
        for other in [&b""[..], &plain[..5], &skippable, b"\x1e\xb5\x2f\xfd....", b"PK\x03\x04...."] {
            assert_eq!(decode(other, 3000), Err(FrameError::NotAFrame), "{other:?}");
        }
        let wide = frame(&vec![0; 9 << 20], &[CParameter::WindowLog(24)]);
        assert!(decode(&wide, 9 << 20).is_err());
        let mut forged = zstd::stream::encode_all(&content[..], 3).unwrap();
        (forged[4], forged[5]) = (0, 0xFF);
        assert_eq!(decode(&forged, 3000), Err(FrameError::Window));
    }

    #[test]
    fn a_dictionary_is_needed_where_one_was_used_and_a_damaged_one_is_no_panic() {
        let dictionary = b"the quick brown fox jumps over the lazy dog".repeat(20);
        let content = b"the quick brown fox jumps over the lazy cat".to_vec();
        let mut compressor = Compressor::with_dictionary(3, &dictionary).unwrap();
        let stored = compressor.compress(&content).unwrap();
        let with = |dictionary: &[u8]| FrameDecoder::new(Some(dictionary))?.decode(&stored, content.len() as u64);
        assert_eq!(with(&dictionary), Ok(content.clone()));
        assert_ne!(with(b"").ok(), Some(content.clone()));
        assert!(with(&[&[0x37, 0xA4, 0x30, 0xEC][..], &[0xFF; 40]].concat()).is_err());
    }
}
