//! Whether a program of Linux (ELF) is whole: what its headers name lies in the file, and is not all zeros. Linkers put the section headers behind everything else, so that they come last in a copy.

use object::elf::{FileHeader32, FileHeader64, PT_NULL, SHT_NULL};
use object::read::elf::{FileHeader, ProgramHeader as _, SectionHeader as _};
use object::read::{Object as _, ObjectSection as _, ObjectSegment as _};
use object::{Endianness, FileKind};

use super::{Cache, cut_off, hollow};

/// What is missing of the program in `cache`.
pub(super) fn fault(cache: &Cache, length: u64) -> Option<String> {
    let Ok(parsed) = object::File::parse(cache) else { return Some(cut_off("its headers", length.saturating_add(1), length)) };
    let sections = parsed.sections().filter_map(|section| section.file_range());
    let segments = parsed.segments().map(|segment| segment.file_range());
    let end = sections.chain(segments).map(|(offset, size)| offset.saturating_add(size)).max().unwrap_or(0);
    if end > length {
        return Some(cut_off("a section", end, length));
    }
    let hollow = match FileKind::parse(cache).ok()? {
        FileKind::Elf32 => zeros::<FileHeader32<Endianness>>(cache),
        FileKind::Elf64 => zeros::<FileHeader64<Endianness>>(cache),
        _ => None,
    };
    hollow.map(self::hollow)
}

/// Which of its tables holds zeros alone. The first section header of every program does.
fn zeros<Elf: FileHeader>(cache: &Cache) -> Option<&'static str> {
    let header = Elf::parse(cache).ok()?;
    let endian = header.endian().ok()?;
    let programs = header.program_headers(endian, cache).ok()?;
    if !programs.is_empty() && programs.iter().all(|program| program.p_type(endian) == PT_NULL) {
        return Some("its program headers");
    }
    let (_, sections) = header.section_headers(endian, cache).ok()?.split_first()?;
    (!sections.is_empty() && sections.iter().all(|section| section.sh_type(endian) == SHT_NULL)).then_some("its section headers")
}
