//! Frames of packs: nothing is decoded beyond the length that was signed, and a decoder survives whatever it was given.

use manifests::pack::{FrameDecoder, MAX_FRAME};

use crate::judge;
use crate::samples;
use crate::script::Script;

/// Reads the first byte as what to do, the next four as the length that a manifest would give, the rest as a frame, as its dictionary, or as
/// content of which a frame is made and then damaged.
pub fn pack(data: &[u8]) -> bool {
    let Some((&[mode, a, b, c, d], rest)) = data.split_first_chunk::<5>() else { return false };
    let mut length = u64::from(u32::from_le_bytes([a, b, c, d]));
    let (raw, trained) = (samples::RAW_DICTIONARY.to_vec(), samples::trained_dictionary());
    let (dictionary, stored) = match mode % 6 {
        0 => (None, rest.to_vec()),
        1 => (Some(raw), rest.to_vec()),
        2 => (Some(trained), rest.to_vec()),
        3 => {
            // The dictionary is what is hostile; the frame is one of ours.
            let (content, stored) = samples::frame(&trained);
            length = content.len() as u64;
            (Some(rest.to_vec()), stored)
        }
        with => {
            let dictionary = if with == 4 { raw } else { trained };
            let mut script = Script::new(rest);
            let damages = script.below(3);
            let mut damaging = Script::new(script.bytes(16));
            let content = script.rest();
            let mut stored = zstd::bulk::Compressor::with_dictionary(1, &dictionary)
                .and_then(|mut compressor| {
                    compressor.set_parameter(zstd::zstd_safe::CParameter::DictIdFlag(false))?;
                    compressor.compress(content)
                })
                .expect("compressed in memory");
            (0..damages).for_each(|_| damaging.damage(&mut stored));
            length = content.len() as u64;
            (Some(dictionary), stored)
        }
    };
    let mut decoder = match FrameDecoder::new(dictionary.as_deref()) {
        Ok(decoder) => decoder,
        Err(error) => {
            judge::assert_readable(&error);
            return false;
        }
    };
    let decoded = decoder.decode(&stored, length);
    match &decoded {
        Ok(content) => {
            assert_eq!(content.len() as u64, length, "never another length than the signed one");
            assert!((1..=MAX_FRAME).contains(&length));
            for other in [length - 1, length + 1] {
                assert!(decoder.decode(&stored, other).is_err(), "one length is right");
            }
        }
        Err(error) => judge::assert_readable(error),
    }
    // How zstd words a damage may depend on what lay in its memory.
    assert_eq!(decoder.decode(&stored, length).ok(), decoded.as_ref().ok().cloned(), "what came before makes no difference");
    let (content, plain) = samples::frame(b"");
    if dictionary.is_none() {
        assert_eq!(decoder.decode(&plain, content.len() as u64), Ok(content), "a decoder outlives a bad frame");
    }
    decoded.is_ok()
}
