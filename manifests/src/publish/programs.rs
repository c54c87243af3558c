//! What the programs in a folder say of themselves: whether they are whole, and which version they are.
//!
//! A copy that was cut off, or that is still going on, leaves a program whose headers name more than the file holds: no system starts it. Only programs of Windows (PE) and Linux (ELF) are looked
//! into, known by their first bytes, and only their headers are read; whatever else a file is, is none of our business.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::path::Path;

use object::LittleEndian as LE;
use object::pe::{IMAGE_DIRECTORY_ENTRY_SECURITY, ImageNtHeaders32, ImageNtHeaders64, RT_VERSION};
use object::read::pe::{ImageNtHeaders, PeFile, ResourceDirectoryTable, ResourceNameOrId};
use object::read::{Object as _, ObjectSection as _, ObjectSegment as _, ReadCache};
use rayon::prelude::*;

use super::scan::{Found, FoundKind};

/// A program of Windows begins with so many bytes that only point to its headers. What is shorter never was one.
const DOS_HEADER_BYTES: u64 = 64;
/// What points further than this is no program: linkers put the headers within the first few hundred bytes.
const FURTHEST_HEADERS_BYTES: u64 = 64 << 10;
/// Endings of files that Windows loads; one that begins with zeros has got its length, and not yet its content.
const LOADED: [&str; 3] = [".exe", ".dll", ".ocx"];

type Cache = ReadCache<File>;

/// Those of `found` below `folder` that are programs of which a part is missing, each with what is. One that cannot be read is found out when it is hashed.
pub fn truncated(folder: &Path, found: &[Found]) -> Vec<(String, String)> {
    let is_file = |entry: &&Found| matches!(entry.kind, FoundKind::File { .. });
    let fault = |entry: &Found| Some((entry.path.clone(), fault(&folder.join(&entry.path), &entry.path).ok()??));
    found.par_iter().filter(is_file).filter_map(fault).collect()
}

/// The version in the resources of a program of Windows, as its vendor wrote it: four numbers. `None` for everything that has none.
pub fn version(program: &Path) -> Option<[u16; 4]> {
    let mut file = File::open(program).ok()?;
    let (magic, _) = head(&mut file).ok()?;
    if magic.get(..2) != Some(b"MZ") {
        return None;
    }
    let cache = Cache::new(file);
    match object::FileKind::parse(&cache).ok()? {
        object::FileKind::Pe32 => version_of(&PeFile::<ImageNtHeaders32, _>::parse(&cache).ok()?, &cache),
        object::FileKind::Pe64 => version_of(&PeFile::<ImageNtHeaders64, _>::parse(&cache).ok()?, &cache),
        _ => None,
    }
}

/// What is missing of the file at `path`, if it is a program and something is.
fn fault(path: &Path, name: &str) -> io::Result<Option<String>> {
    let mut file = File::open(path)?;
    let (magic, length) = head(&mut file)?;
    let name = name.to_lowercase();
    if length >= DOS_HEADER_BYTES && magic.iter().all(|byte| *byte == 0) && LOADED.iter().any(|end| name.ends_with(end)) {
        return Ok(Some("begins with zeros, as a file does whose copying has only begun".to_owned()));
    }
    Ok(match magic.as_slice() {
        [b'M', b'Z', ..] if length >= DOS_HEADER_BYTES => of_windows(file, length),
        [0x7f, b'E', b'L', b'F', ..] => of_linux(file, length),
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

fn of_windows(file: File, length: u64) -> Option<String> {
    let cache = Cache::new(file);
    let header = <object::pe::ImageDosHeader>::parse(&cache).ok()?;
    let at = u64::from(header.nt_headers_offset());
    if at > FURTHEST_HEADERS_BYTES {
        // It begins as a program does by chance: one data file in 65,536 does.
        return None;
    }
    if at + 4 > length {
        return Some(lacks("its headers", at + 4, length));
    }
    let signature = object::ReadRef::read_bytes_at(&cache, at, 4).ok()?;
    if signature != b"PE\0\0" {
        // A program of MS-DOS or of 16-bit Windows.
        return None;
    }
    match object::FileKind::parse(&cache) {
        Ok(object::FileKind::Pe32) => parts(PeFile::<ImageNtHeaders32, _>::parse(&cache).ok().as_ref(), length),
        Ok(object::FileKind::Pe64) => parts(PeFile::<ImageNtHeaders64, _>::parse(&cache).ok().as_ref(), length),
        _ => parts::<ImageNtHeaders32>(None, length),
    }
}

fn parts<'a, Pe: ImageNtHeaders>(file: Option<&PeFile<'a, Pe, &'a Cache>>, length: u64) -> Option<String> {
    let Some(file) = file else { return Some(lacks("its headers", length.saturating_add(1), length)) };
    let sections = file.section_table();
    let ends = sections.iter().filter(|section| section.pointer_to_raw_data.get(LE) > 0);
    let end =
        ends.map(|section| u64::from(section.pointer_to_raw_data.get(LE)).saturating_add(section.size_of_raw_data.get(LE).into())).max();
    if let Some(end) = end.filter(|end| *end > length) {
        return Some(lacks("a section", end, length));
    }
    // The signature of its vendor lies behind all sections; its address is a place in the file.
    let signature = file.data_directory(IMAGE_DIRECTORY_ENTRY_SECURITY)?.address_range();
    let end = u64::from(signature.0).saturating_add(signature.1.into());
    (end > length).then(|| lacks("its signature", end, length))
}

fn of_linux(file: File, length: u64) -> Option<String> {
    let cache = Cache::new(file);
    let Ok(parsed) = object::File::parse(&cache) else { return Some(lacks("its headers", length.saturating_add(1), length)) };
    let sections = parsed.sections().filter_map(|section| section.file_range());
    let segments = parsed.segments().map(|segment| segment.file_range());
    let end = sections.chain(segments).map(|(offset, size)| offset.saturating_add(size)).max().unwrap_or(0);
    (end > length).then(|| lacks("a section", end, length))
}

fn lacks(what: &str, end: u64, length: u64) -> String {
    format!("is a program that has been cut off: {what} would end at byte {end} or later, and the file has {length}")
}

fn version_of<'a, Pe: ImageNtHeaders>(file: &PeFile<'a, Pe, &'a Cache>, cache: &'a Cache) -> Option<[u16; 4]> {
    let sections = file.section_table();
    let resources = file.data_directories().resource_directory(cache, &sections).ok()??;
    let root = resources.root().ok()?;
    let versions = root.entries.iter().find(|entry| matches!(entry.name_or_id(), ResourceNameOrId::Id(id) if id == RT_VERSION))?;
    // By kind, then by name, then by language: the first of each is the one that is shown.
    let first = |table: ResourceDirectoryTable<'_>| table.entries.first().and_then(|entry| entry.data(resources).ok());
    let named = first(versions.data(resources).ok()?.table()?)?;
    let entry = first(named.table()?)?.data()?;
    let bytes = sections.pe_data_at(cache, entry.offset_to_data.get(LE))?;
    fixed_version(bytes.get(..usize::try_from(entry.size.get(LE)).ok()?)?)
}

/// The file version in a `VS_VERSIONINFO`: behind a name in UTF-16, at a multiple of four bytes, a `VS_FIXEDFILEINFO` that begins with its signature.
fn fixed_version(bytes: &[u8]) -> Option<[u16; 4]> {
    const SIGNATURE: [u8; 4] = 0xfeef_04bd_u32.to_le_bytes();
    let (words, _) = bytes.as_chunks::<4>();
    let at = words.iter().position(|word| *word == SIGNATURE)?;
    let part = |word: usize, high: bool| words.get(at + word).map(|word| if high { [word[2], word[3]] } else { [word[0], word[1]] });
    let parts = [part(2, true)?, part(2, false)?, part(3, true)?, part(3, false)?];
    Some(parts.map(u16::from_le_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn judged(name: &str, bytes: &[u8]) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), bytes).unwrap();
        fault(&folder.path().join(name), name).unwrap()
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

    #[test]
    fn a_file_whose_copying_has_only_begun_is_known_and_what_is_no_program_is_left_alone() {
        assert!(judged("lib.DLL", &[0; 4096]).unwrap().contains("begins with zeros"));
        for (name, bytes) in [
            ("data.bin", vec![0; 4096]),
            ("empty.exe", vec![]),
            ("note.exe", b"MZ".to_vec()),
            ("text.exe", b"no program at all, whatever it is called".repeat(3)),
            ("old.exe", [b"MZ".as_slice(), &[0; 58], &64u32.to_le_bytes(), b"NE", &[0; 100]].concat()),
        ] {
            assert_eq!(judged(name, &bytes), None, "{name}");
        }
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
