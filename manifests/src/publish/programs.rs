//! What the programs in a folder say of themselves: whether they are whole, and which version they are.
//!
//! A copy that was cut off leaves a program whose headers name more than the file holds; one that is still going on, to a place that has its length already, a program with zeros where its headers
//! point. No system starts either. Only programs of Windows (PE) and Linux (ELF) are looked into, known by their first bytes, and of them only the headers and what those lead to. Of a file that a
//! system would load, by its ending or as the entry point, an empty or hollow beginning counts, too. Whatever else a file is, is none of our business.

mod linux;
mod windows;

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::path::Path;

use object::read::ReadCache;
use rayon::prelude::*;

use super::scan::{Found, FoundKind};
use crate::path::RelPath;

/// A program of Windows begins with so many bytes that only point to its headers. What is shorter never was one.
const DOS_HEADER_BYTES: u64 = 64;
/// Endings of files that a system loads.
const LOADED: [&str; 5] = [".exe", ".dll", ".ocx", ".so", ".dylib"];
/// What programs that are looked into begin with.
const BEGINNINGS: [&[u8]; 2] = [b"MZ", b"\x7fELF"];

type Cache = ReadCache<File>;

/// Those of `found` below `folder` that are programs of which a part is missing, each with what is; one of them may be the `entry_point`. One that cannot be read is found out when it is hashed.
pub fn truncated(folder: &Path, found: &[Found], entry_point: Option<&RelPath>) -> Vec<(String, String)> {
    let is_file = |entry: &&Found| matches!(entry.kind, FoundKind::File { .. });
    let fault = |entry: &Found| {
        let name = entry.path.to_lowercase();
        let is_loaded = LOADED.iter().any(|end| name.ends_with(end)) || entry_point.is_some_and(|path| path.as_str() == entry.path);
        Some((entry.path.clone(), fault(&folder.join(&entry.path), is_loaded).ok()??))
    };
    found.par_iter().filter(is_file).filter_map(fault).collect()
}

/// The version in the resources of a program of Windows, as its vendor wrote it: four numbers. `None` for everything that has none.
pub fn version(program: &Path) -> Option<[u16; 4]> {
    let mut file = File::open(program).ok()?;
    let (magic, _) = head(&mut file).ok()?;
    magic.starts_with(b"MZ").then(|| windows::version(&Cache::new(file)))?
}

/// What is missing of the file at `path`, if it is a program and something is. One that `is_loaded` is a program, whatever it begins with.
fn fault(path: &Path, is_loaded: bool) -> io::Result<Option<String>> {
    let mut file = File::open(path)?;
    let (magic, length) = head(&mut file)?;
    if is_loaded && length == 0 {
        return Ok(Some("is empty, as a file is whose copying has only begun".to_owned()));
    }
    if is_loaded && magic.iter().all(|byte| *byte == 0) {
        return Ok(Some("begins with zeros, as a file does whose copying has only begun".to_owned()));
    }
    if is_loaded && length < DOS_HEADER_BYTES && BEGINNINGS.iter().any(|whole| whole.starts_with(&magic) || magic.starts_with(whole)) {
        return Ok(Some(cut_off("its headers", DOS_HEADER_BYTES, length)));
    }
    Ok(match magic.as_slice() {
        [b'M', b'Z', ..] if length >= DOS_HEADER_BYTES => windows::fault(&Cache::new(file), length),
        [0x7f, b'E', b'L', b'F', ..] => linux::fault(&Cache::new(file), length),
        _ => None,
    })
}

/// The first bytes of a file, and how many it has.
fn head(file: &mut File) -> io::Result<(Vec<u8>, u64)> {
    let mut magic = Vec::new();
    file.by_ref().take(DOS_HEADER_BYTES).read_to_end(&mut magic)?;
    file.rewind()?;
    Ok((magic, file.metadata()?.len()))
}

fn cut_off(what: &str, end: u64, length: u64) -> String {
    format!("is a program that has been cut off: {what} would end at byte {end} or later, and the file has {length}")
}

fn hollow(what: &str) -> String {
    format!("is a program whose copying was not done: there are only zeros where {what} should be")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn judged(name: &str, bytes: &[u8]) -> Option<String> {
        judged_as(name, bytes, None)
    }

    /// The same of the file that starts the client.
    fn judged_entry(name: &str, bytes: &[u8]) -> Option<String> {
        judged_as(name, bytes, Some(&name.parse().unwrap()))
    }

    fn judged_as(name: &str, bytes: &[u8], entry_point: Option<&RelPath>) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), bytes).unwrap();
        let found = super::super::scan::list(folder.path()).unwrap();
        truncated(folder.path(), &found, entry_point).pop().map(|(_, what)| what)
    }

    #[test]
    fn a_data_file_that_begins_like_a_program_by_chance_is_none() {
        let mut bytes = vec![0x3a; 64];
        bytes[..2].copy_from_slice(b"MZ");
        assert_eq!(judged("068.txt", &bytes), None);
        // The same with headers where a linker puts them has been cut off.
        bytes[0x3c..0x40].copy_from_slice(&0xf8u32.to_le_bytes());
        assert!(judged("client.exe", &bytes).is_some());
    }

    /// This very test, a program of the system that it runs on.
    fn own() -> Vec<u8> {
        fs::read(std::env::current_exe().unwrap()).unwrap()
    }

    /// A program of Windows of two sections, laid out by hand from the definition of the format; `resources` is what the second holds.
    fn windows_program(resources: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 0x400];
        let mut put = |at: usize, what: &[u8]| bytes[at..at + what.len()].copy_from_slice(what);
        put(0, b"MZ");
        put(0x3c, &0x40u32.to_le_bytes());
        put(0x40, b"PE\0\0");
        put(0x44, &0x8664u16.to_le_bytes());
        put(0x46, &2u16.to_le_bytes());
        put(0x54, &240u16.to_le_bytes());
        put(0x58, &0x20bu16.to_le_bytes());
        put(0x58 + 108, &16u32.to_le_bytes());
        // Resources: address and size.
        put(0x58 + 112 + 16, &0x2000u32.to_le_bytes());
        put(0x58 + 112 + 20, &u32::try_from(resources.len()).unwrap().to_le_bytes());
        let sections = 0x58 + 240;
        for (index, (name, address, size, offset)) in
            [(b".text\0\0\0", 0x1000u32, 0x200u32, 0x200u32), (b".rsrc\0\0\0", 0x2000, 0x200, 0x400)].into_iter().enumerate()
        {
            let at = sections + 40 * index;
            put(at, name);
            put(at + 8, &size.to_le_bytes());
            put(at + 12, &address.to_le_bytes());
            put(at + 16, &size.to_le_bytes());
            put(at + 20, &offset.to_le_bytes());
        }
        bytes.extend_from_slice(resources);
        bytes.resize(0x600, 0);
        bytes
    }

    /// The tree of resources with one version in it.
    fn resources(version: [u16; 4]) -> Vec<u8> {
        let mut bytes = vec![];
        let table = |id: u32, target: u32| [[0; 12].as_slice(), &[0, 0, 1, 0], &id.to_le_bytes(), &target.to_le_bytes()].concat();
        bytes.extend(table(16, 0x8000_0018));
        bytes.extend(table(1, 0x8000_0030));
        bytes.extend(table(0x409, 0x48));
        bytes.extend(0x2058u32.to_le_bytes());
        bytes.extend(92u32.to_le_bytes());
        bytes.extend([0; 8]);
        let name: Vec<u8> = "VS_VERSION_INFO\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
        bytes.extend([92, 0, 52, 0, 0, 0]);
        bytes.extend(name);
        bytes.extend([0; 2]);
        bytes.extend(0xfeef_04bd_u32.to_le_bytes());
        bytes.extend(0x1_0000_u32.to_le_bytes());
        bytes.extend([version[1], version[0], version[3], version[2]].iter().flat_map(|part| part.to_le_bytes()));
        bytes.extend([0; 36]);
        bytes
    }

    #[test]
    fn a_program_that_was_cut_off_anywhere_is_known() {
        let own = own();
        assert_eq!(judged("client", &own), None);
        for length in [5, 40, 64, own.len() / 2, own.len() - 1] {
            assert!(judged("client", &own[..length]).is_some(), "of {} bytes {length}", own.len());
        }
        let windows = windows_program(&[]);
        assert_eq!(judged("client.exe", &windows), None);
        for length in [64, 0x43, 0x80, 0x1ff, 0x400, 0x5ff] {
            assert!(judged("client.exe", &windows[..length]).is_some(), "of {} bytes {length}", windows.len());
        }
    }

    #[test]
    fn a_signature_behind_the_sections_is_a_part_of_the_program() {
        let mut signed = windows_program(&[]);
        signed[0x58 + 112 + 32..][..4].copy_from_slice(&0x600u32.to_le_bytes());
        signed[0x58 + 112 + 36..][..4].copy_from_slice(&0x10u32.to_le_bytes());
        assert!(judged("client.exe", &signed).unwrap().contains("its signature"));
        signed.resize(0x610, 7);
        assert_eq!(judged("client.exe", &signed), None);
    }

    /// A program with symbols as GNU's linker leaves them behind the last section: records of 18 bytes, then the names with their length.
    fn with_symbols() -> Vec<u8> {
        let mut program = windows_program(&[]);
        program[0x4c..0x50].copy_from_slice(&0x600u32.to_le_bytes());
        program[0x50..0x54].copy_from_slice(&2u32.to_le_bytes());
        program.extend([[b'x'; 36].as_slice(), &10u32.to_le_bytes(), b"names\0"].concat());
        program
    }

    #[test]
    fn symbols_behind_the_sections_are_a_part_of_the_program() {
        let program = with_symbols();
        assert_eq!(judged("client.exe", &program), None);
        for missing in [1, 5, 10, 20, 46] {
            let fault = judged("client.exe", &program[..program.len() - missing]);
            assert!(fault.is_some_and(|fault| fault.contains("its table of symbols")), "{missing}");
        }
        // As a packer leaves it, which makes the sections smaller and the address of the symbols what it was: such a program starts.
        for stale in [0x500u32, 0x640, 0x9000] {
            let mut packed = program.clone();
            packed[0x4c..0x50].copy_from_slice(&stale.to_le_bytes());
            assert_eq!(judged("client.exe", &packed[..0x600]), None, "{stale}");
        }
    }

    #[test]
    fn a_program_that_has_its_length_and_not_yet_its_content_is_known() {
        let own = own();
        let up_to = |whole: &[u8], copied: usize| [&whole[..copied], &vec![0; whole.len() - copied]].concat();
        for copied in [64, 4096, own.len() / 2] {
            assert!(judged("client", &up_to(&own, copied)).is_some(), "{copied}");
        }
        let mut windows = windows_program(&resources([1, 2, 3, 4]));
        assert_eq!(judged("client.exe", &windows), None);
        assert!(judged("client.exe", &up_to(&windows, 0x200)).unwrap().contains("its resources"));
        windows[0x58 + 112 + 32..][..4].copy_from_slice(&0x600u32.to_le_bytes());
        windows[0x58 + 112 + 36..][..4].copy_from_slice(&0x10u32.to_le_bytes());
        windows.resize(0x610, 7);
        assert!(judged("client.exe", &up_to(&windows, 0x600)).unwrap().contains("its signature"));
        let symbols = with_symbols();
        assert!(judged("client.exe", &up_to(&symbols, 0x600)).unwrap().contains("its table of symbols"));
    }

    #[test]
    fn a_file_whose_copying_has_only_begun_is_known_where_a_system_would_load_it() {
        for name in ["lib.DLL", "client.exe", "lib.so"] {
            assert!(judged(name, &[0; 4096]).unwrap().contains("begins with zeros"), "{name}");
            assert!(judged(name, &[]).unwrap().contains("is empty"), "{name}");
        }
        assert!(judged_entry("client", &[0; 5000]).unwrap().contains("begins with zeros"));
        assert!(judged_entry("client", &[]).unwrap().contains("is empty"));
        let windows = windows_program(&[]);
        for length in 1..64 {
            assert!(judged("client.exe", &windows[..length]).is_some() && judged_entry("client", &windows[..length]).is_some(), "{length}");
            assert!(judged_entry("client", &own()[..length]).is_some(), "{length}");
        }
    }

    #[test]
    fn what_is_no_program_is_left_alone() {
        for (name, bytes) in [
            ("data.bin", vec![0; 4096]),
            ("empty", vec![]),
            ("note.txt", b"MZ".to_vec()),
            ("text.exe", b"no program at all, whatever it is called".repeat(3)),
            ("short.exe", b"stands for a program".to_vec()),
            ("old.exe", [b"MZ".as_slice(), &[0; 58], &64u32.to_le_bytes(), b"NE", &[0; 100]].concat()),
        ] {
            assert_eq!(judged(name, &bytes), None, "{name}");
        }
        assert_eq!(judged_entry("client", b"#!/bin/sh\n"), None);
    }

    #[test]
    fn d_08_the_version_of_a_program_is_read_from_its_resources() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str, bytes: &[u8]| {
            fs::write(folder.path().join(name), bytes).unwrap();
            version(&folder.path().join(name))
        };
        assert_eq!(at("client.exe", &windows_program(&resources([17, 3, 0, 14]))), Some([17, 3, 0, 14]));
        assert_eq!(at("none.exe", &windows_program(&[])), None);
        assert_eq!(at("own", &own()), None);
        assert_eq!(at("text", b"text"), None);
    }
}
