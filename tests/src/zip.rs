//! Zip files with whatever names one likes: what file systems and honest writers would not let a test put there.

/// The bytes of a zip that holds these files in this order, stored without compression, mode 0644, names as they are given.
pub fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut entries, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let offset = entries.len();
        let (name, length) = (name.as_bytes(), number(content.len()));
        // Version 2.0, names in UTF-8, stored, 1980-01-01.
        let common =
            [&[20, 0, 0, 8, 0, 0, 0, 0, 0x21, 0][..], &crc32(content).to_le_bytes(), &length, &length, &short(name.len())].concat();
        entries.extend([&b"PK\x03\x04"[..], &common, &[0, 0], name, content].concat());
        let attributes = (0o100_644_u32 << 16).to_le_bytes();
        // Made by version 2.0 on Unix; no extra field, no comment, first disk, no internal attributes.
        directory.extend([&b"PK\x01\x02\x14\x03"[..], &common, &[0; 8], &attributes, &number(offset), name].concat());
    }
    let count = short(files.len());
    let end = [&b"PK\x05\x06\0\0\0\0"[..], &count, &count, &number(directory.len()), &number(entries.len()), &[0, 0]].concat();
    [entries, directory, end].concat()
}

fn number(n: usize) -> [u8; 4] {
    u32::try_from(n).expect("a small zip").to_le_bytes()
}

fn short(n: usize) -> [u8; 2] {
    u16::try_from(n).expect("a small zip").to_le_bytes()
}

/// CRC-32 as zips have it, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}
