//! What tells a file that was made outside the install folder, for the system or for people, from a file of somebody else or of another install: a mark in it that names the command which made it
//! and the install folder. A path would look different in each kind of file, as each quotes it; the mark is the same text in all of them. Pure.
//!
//! Only what holds its mark is ever replaced or removed.

use manifests::digest::Digest;

/// Eight letters and digits that name the install folder `folder` (absolute, without links) on its computer.
pub fn tag(folder: &str) -> String {
    Digest::of(format!("stationmaster task\0{folder}").as_bytes()).to_hex().chars().take(8).collect()
}

/// What `updater COMMAND` puts into a file that it makes for the install folder of this `tag`.
pub fn mark(command: &str, tag: &str) -> String {
    format!("{}{tag})", beginning(command))
}

/// What every mark of `updater COMMAND` begins with, whichever install folder it is of.
pub fn beginning(command: &str) -> String {
    format!("updater {command} (")
}

/// Whether `bytes`, in UTF-8 or UTF-16, has `text` in it; no text is in nothing.
pub fn has(bytes: &[u8], text: &str) -> bool {
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [text.as_bytes(), &wide].iter().any(|text| !text.is_empty() && bytes.windows(text.len()).any(|part| part == *text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_in_either_encoding_and_is_that_of_one_folder() {
        let of = |folder: &str| mark("create-shortcut", &tag(folder));
        let wide: Vec<u8> = format!("x{}", of("/opt/client")).encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(has(format!("x{}y", of("/opt/client")).as_bytes(), &of("/opt/client")) && has(&wide, &of("/opt/client")));
        assert!(!has(&wide, &of("/opt/client2")) && !has(b"", &of("/opt/client")));
        assert!(!has(&wide, "") && !has(b"", ""), "no mark is in no file");
        assert_eq!(of("/opt/client"), "updater create-shortcut (eccc61f4)");
    }
}
