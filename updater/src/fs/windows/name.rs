//! Names of one component, as Windows has them.

use std::io;

/// One component as Windows has it. What is not Unicode comes as the standard library encodes it: a lone surrogate is three bytes.
pub(super) fn wide(name: &[u8]) -> io::Result<Vec<u16>> {
    if name.is_empty() || name.iter().any(|byte| matches!(byte, b'\\' | b'/' | b':' | 0)) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the name is not one component"));
    }
    let mut units = vec![];
    let mut rest = name;
    while !rest.is_empty() {
        let valid = match std::str::from_utf8(rest) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&rest[..error.valid_up_to()]).unwrap_or_default(),
        };
        units.extend(valid.encode_utf16());
        rest = match &rest[valid.len()..] {
            [] => break,
            [0xED, second @ 0xA0..=0xBF, third @ 0x80..=0xBF, after @ ..] => {
                units.push(0xD000 | u16::from(second & 0x3F) << 6 | u16::from(third & 0x3F));
                after
            }
            _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "the name is not Unicode")),
        };
    }
    Ok(units)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::windows::ffi::OsStringExt as _;

    use super::*;

    #[test]
    fn what_the_standard_library_makes_of_a_name_is_read_back() {
        for units in [&[0x61, 0xE9, 0x20AC][..], &[0xD83D, 0xDE00], &[0xD800], &[0x61, 0xDFFF, 0xD800, 0x62]] {
            let bytes = OsString::from_wide(units).into_encoded_bytes();
            assert_eq!(wide(&bytes).unwrap(), units);
        }
    }

    #[test]
    fn f1_nothing_that_leads_elsewhere_is_one_component() {
        for name in ["", "a\\b", "a/b", "a:stream", "a\0"] {
            assert_eq!(wide(name.as_bytes()).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{name:?}");
        }
        assert!(wide(&[0x61, 0xFF]).is_err() && wide(&[0xED, 0xA0]).is_err());
    }
}
