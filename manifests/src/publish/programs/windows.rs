//! Whether a program of Windows (PE) is whole, and its version: its sections, the symbols behind them that some compilers leave, and its vendor's signature behind all that. Of what lies near the
//! end of a file – resources, relocations, symbols, the signature – the first bytes tell whether it was copied.

use object::LittleEndian as LE;
use object::pe::{
    IMAGE_DIRECTORY_ENTRY_BASERELOC, IMAGE_DIRECTORY_ENTRY_RESOURCE, IMAGE_DIRECTORY_ENTRY_SECURITY, ImageDosHeader, ImageNtHeaders32,
    ImageNtHeaders64, ImageSymbolBytes, RT_VERSION,
};
use object::read::pe::{ImageNtHeaders, PeFile, ResourceDirectoryTable, ResourceNameOrId};
use object::{FileKind, ReadRef as _};

use super::{Cache, cut_off, hollow};

/// What points further than this is no program: linkers put the headers within the first few hundred bytes.
const FURTHEST_HEADERS_BYTES: u64 = 64 << 10;
/// The header of a table of resources, and more than the one of a block of relocations or of a signature: in none of these are all of them zero.
const HEADER_BYTES: u64 = 16;
/// A table of symbol names begins with its own length, which these bytes are a part of.
const NAMES_LENGTH_BYTES: u64 = 4;

/// What is missing of the program in `cache`.
pub(super) fn fault(cache: &Cache, length: u64) -> Option<String> {
    let header = ImageDosHeader::parse(cache).ok()?;
    let at = u64::from(header.nt_headers_offset());
    if at > FURTHEST_HEADERS_BYTES {
        // It begins as a program does by chance: one data file in 65,536 does.
        return None;
    }
    if at + 4 > length {
        return Some(cut_off("its headers", at + 4, length));
    }
    let signature = cache.read_bytes_at(at, 4).ok()?;
    if signature != b"PE\0\0" {
        // A program of MS-DOS or of 16-bit Windows.
        return None;
    }
    match FileKind::parse(cache) {
        Ok(FileKind::Pe32) => parts(PeFile::<ImageNtHeaders32, _>::parse(cache).ok().as_ref(), cache, length),
        Ok(FileKind::Pe64) => parts(PeFile::<ImageNtHeaders64, _>::parse(cache).ok().as_ref(), cache, length),
        _ => parts::<ImageNtHeaders32>(None, cache, length),
    }
}

fn parts<'a, Pe: ImageNtHeaders>(file: Option<&PeFile<'a, Pe, &'a Cache>>, cache: &'a Cache, length: u64) -> Option<String> {
    let Some(file) = file else { return Some(cut_off("its headers", length.saturating_add(1), length)) };
    let sections = file.section_table();
    let ends = sections.iter().filter(|section| section.pointer_to_raw_data.get(LE) > 0);
    let end =
        ends.map(|section| u64::from(section.pointer_to_raw_data.get(LE)).saturating_add(section.size_of_raw_data.get(LE).into())).max();
    if let Some(end) = end.filter(|end| *end > length) {
        return Some(cut_off("a section", end, length));
    }
    let is_hollow = |at: u64, size: u64| cache.read_bytes_at(at, size).is_ok_and(|bytes| bytes.iter().all(|byte| *byte == 0));
    for (directory, what) in [(IMAGE_DIRECTORY_ENTRY_RESOURCE, "its resources"), (IMAGE_DIRECTORY_ENTRY_BASERELOC, "its relocations")] {
        let range = file.data_directory(directory).and_then(|directory| directory.file_range(&sections).ok());
        if range.is_some_and(|(at, size)| u64::from(size) >= HEADER_BYTES && is_hollow(at.into(), HEADER_BYTES)) {
            return Some(hollow(what));
        }
    }
    let header = file.nt_headers().file_header();
    let (symbols, count) = (u64::from(header.pointer_to_symbol_table.get(LE)), u64::from(header.number_of_symbols.get(LE)));
    // No system reads them, so they count only where a linker puts them. A packer leaves the address that they once had.
    if Some(symbols) == end && count > 0 {
        let names = symbols + count * size_of::<ImageSymbolBytes>() as u64;
        let said = cache.read_bytes_at(names, NAMES_LENGTH_BYTES).ok().and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
        let end = names + said.map_or(NAMES_LENGTH_BYTES, |bytes| u32::from_le_bytes(bytes).into());
        if end > length {
            return Some(cut_off("its table of symbols", end, length));
        }
        if is_hollow(names, NAMES_LENGTH_BYTES) {
            return Some(hollow("its table of symbols"));
        }
    }
    // The signature of its vendor lies behind all sections; its address is a place in the file.
    let (at, size) = file.data_directory(IMAGE_DIRECTORY_ENTRY_SECURITY)?.address_range();
    let end = u64::from(at).saturating_add(size.into());
    if end > length {
        return Some(cut_off("its signature", end, length));
    }
    (u64::from(size) >= HEADER_BYTES && is_hollow(at.into(), HEADER_BYTES)).then(|| hollow("its signature"))
}

/// The version in the resources of the program in `cache`.
pub(super) fn version(cache: &Cache) -> Option<[u16; 4]> {
    match FileKind::parse(cache).ok()? {
        FileKind::Pe32 => version_of(&PeFile::<ImageNtHeaders32, _>::parse(cache).ok()?, cache),
        FileKind::Pe64 => version_of(&PeFile::<ImageNtHeaders64, _>::parse(cache).ok()?, cache),
        _ => None,
    }
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
