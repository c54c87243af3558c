use std::io::Cursor;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::name::ChannelId;
use crate::publish::lint::{Facts, Names, lint};
use crate::publish::progress::Silent;
use crate::release::ConfigPolicy;

type Writer = ZipWriter<Cursor<Vec<u8>>>;

fn archive(fill: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    fill(&mut writer);
    writer.finish().unwrap().into_inner()
}

fn add(writer: &mut Writer, name: &str, content: &[u8]) {
    writer.start_file(name, SimpleFileOptions::default()).unwrap();
    writer.write_all(content).unwrap();
}

fn attempt_for(channel: &str, bytes: &[u8], limits: &ZipLimits) -> Result<Unpacked, ZipError> {
    let outer = TempDir::new().unwrap();
    let path = outer.path().join("build.zip");
    fs::write(&path, bytes).unwrap();
    let id = ChannelId::from_target_path(channel).unwrap();
    let judge = |found: &[Found]| {
        let facts = Facts {
            id: &id,
            kind: crate::channel::Kind::Product,
            names: Names::Fold,
            entry_point: None,
            probe: None,
            allowed: &[],
            config_of: &|_| ConfigPolicy::Overwrite,
            most_entries: 1000,
        };
        lint(found, &facts)
    };
    unpack(&path, limits, &judge, &Silent)
}

fn attempt(bytes: &[u8]) -> Result<Unpacked, ZipError> {
    attempt_for("linux/p/any/stable.json", bytes, &ZipLimits::default())
}

fn rules(bytes: &[u8]) -> Vec<Rule> {
    match attempt(bytes) {
        Err(ZipError::Unfit(findings)) => findings.errors().map(|finding| finding.rule).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_decent_zip_comes_out_with_times_and_modes() {
    let time = zip::DateTime::from_date_and_time(2024, 2, 29, 12, 30, 58).unwrap();
    let bytes = archive(|writer| {
        writer.add_directory("empty", SimpleFileOptions::default()).unwrap();
        writer.start_file("bin/run", SimpleFileOptions::default().unix_permissions(0o755).last_modified_time(time)).unwrap();
        writer.write_all(b"#!").unwrap();
        add(writer, "zero", b"");
    });
    let unpacked = attempt(&bytes).unwrap();
    let found = crate::publish::scan::list(unpacked.folder()).unwrap();
    let run = found.iter().find(|entry| entry.path == "bin/run").unwrap();
    let seconds = "2024-02-29T12:30:58Z".parse::<UtcTime>().unwrap().unix();
    assert_eq!(run.kind, FoundKind::File { size: 2, mtime: seconds, exec: cfg!(unix) });
    assert!(found.iter().any(|entry| entry.path == "empty" && entry.kind == FoundKind::Directory { empty: true }));
}

#[test]
fn d10_zip_slip_is_refused_before_anything_is_unpacked() {
    for name in ["../x", "a/../../x", "/etc/x", "..\\x", "C:\\x", "a//b", "con", "x\u{202e}y"] {
        let bytes = archive(|writer| {
            // The writer tidies names up; a hand writes them as they are.
            add(writer, &"Q".repeat(name.len()), b"1");
        });
        let bytes = replace_all(bytes, "Q".repeat(name.len()).as_bytes(), name.as_bytes());
        assert_eq!(rules(&bytes).len(), 1, "{name}");
    }
}

fn replace_all(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    for at in 0..=bytes.len() - from.len() {
        if bytes[at..].starts_with(from) {
            bytes[at..at + to.len()].copy_from_slice(to);
        }
    }
    bytes
}

#[test]
fn d10_bombs_are_refused_by_their_directory() {
    let bytes = archive(|writer| add(writer, "zeros", &vec![0; 3 << 20]));
    let tight = ZipLimits { free_bytes: 1 << 20, ..ZipLimits::default() };
    assert!(matches!(attempt_for("linux/p/any/stable.json", &bytes, &tight), Err(ZipError::TooLarge { .. })));
    let small = ZipLimits { content_bytes: 1 << 20, ..ZipLimits::default() };
    assert!(matches!(attempt_for("linux/p/any/stable.json", &bytes, &small), Err(ZipError::TooLarge { .. })));
    let few = ZipLimits { entries: 0, ..ZipLimits::default() };
    assert!(matches!(attempt_for("linux/p/any/stable.json", &bytes, &few), Err(ZipError::TooLarge { .. })));
    attempt(&bytes).unwrap();
}

#[test]
fn d9_more_entries_than_a_release_may_have_are_refused_before_anything_is_unpacked() {
    let many = archive(|writer| (0..1001).for_each(|n| add(writer, &format!("f{n:04}"), b"")));
    assert_eq!(rules(&many), [Rule::TooManyEntries]);
    let as_many_as_allowed = archive(|writer| (0..1000).for_each(|n| add(writer, &format!("f{n:04}"), b"")));
    attempt(&as_many_as_allowed).unwrap();
}

#[test]
fn d10_entries_that_share_bytes_are_refused() {
    let bytes = archive(|writer| {
        add(writer, "a", &[7; 1000]);
        writer.shallow_copy_file("a", "b").unwrap();
    });
    assert!(matches!(attempt(&bytes), Err(ZipError::Malformed { .. })));
}

#[test]
fn d10_two_headers_that_disagree_are_refused() {
    let bytes = archive(|writer| add(writer, "same", b"1"));
    // The first is the local header, the second the directory's.
    let at = bytes.windows(4).position(|window| window == b"same").unwrap();
    let mut bytes = bytes;
    bytes[at..at + 4].copy_from_slice(b"else");
    assert!(matches!(attempt(&bytes), Err(ZipError::Malformed { .. } | ZipError::Unfit(_))));
}

#[test]
fn d10_names_that_stand_twice_or_differ_by_case_are_refused() {
    let twice = archive(|writer| {
        add(writer, "aa", b"1");
        add(writer, "bb", b"2");
    });
    assert!(attempt(&replace_all(twice, b"bb", b"aa")).is_err());
    let case = archive(|writer| {
        add(writer, "A.dll", b"1");
        add(writer, "a.dll", b"2");
    });
    assert_eq!(rules(&case), [Rule::CaseCollision]);
}

#[test]
fn d10_a_file_that_is_also_a_folder_is_refused() {
    let bytes = archive(|writer| {
        add(writer, "a", b"1");
        add(writer, "a/b", b"2");
    });
    assert_eq!(rules(&bytes), [Rule::UnsafeArchive]);
}

#[test]
fn d10_encrypted_entries_and_damage_are_refused() {
    let bytes = archive(|writer| add(writer, "secret", b"12345"));
    let mut encrypted = bytes.clone();
    // Bit 0 of the flags, in the local header (offset 6) and in the directory (offset 8).
    encrypted[6] |= 1;
    let directory = encrypted.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    encrypted[directory + 8] |= 1;
    assert!(attempt(&encrypted).is_err());
    let mut damaged = bytes.clone();
    let at = damaged.windows(6).position(|window| window == b"secret").unwrap() + 6;
    damaged[at + 1] ^= 0xFF;
    assert!(matches!(attempt(&damaged), Err(ZipError::Malformed { .. })));
    assert!(matches!(attempt(b"not a zip at all"), Err(ZipError::Malformed { .. })));
    assert!(matches!(attempt(&bytes[..bytes.len() - 5]), Err(ZipError::Malformed { .. })));
}

#[test]
fn d10_links_pass_where_they_are_safe_and_nothing_is_written_through_them() {
    let with = |target: &str| {
        archive(|writer| {
            add(writer, "dir/file", b"1");
            writer.add_symlink("dir/link", target, SimpleFileOptions::default()).unwrap();
        })
    };
    if cfg!(unix) {
        let unpacked = attempt(&with("file")).unwrap();
        assert_eq!(fs::read_link(unpacked.folder().join("dir/link")).unwrap(), Path::new("file"));
    }
    for target in ["/etc", "../..", "../../x"] {
        assert_eq!(rules(&with(target)), [Rule::LinkEscapes], "{target}");
    }
    let through = archive(|writer| {
        writer.add_symlink("out", "dir", SimpleFileOptions::default()).unwrap();
        add(writer, "out/file", b"1");
    });
    assert_eq!(rules(&through), [Rule::UnsafeArchive]);
    let windows = attempt_for("windows/p/any/stable.json", &with("file"), &ZipLimits::default());
    assert!(matches!(windows, Err(ZipError::Unfit(findings)) if findings.has(Rule::LinkNotAllowed)));
}

#[test]
fn d10_devices_are_refused() {
    let mut bytes = archive(|writer| {
        writer.start_file("tty", SimpleFileOptions::default().unix_permissions(0o644)).unwrap();
    });
    // The mode is the upper half of the external attributes, at offset 38 of the directory entry: make it a character device.
    let directory = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    bytes[directory + 40..directory + 42].copy_from_slice(&0o020_644u16.to_le_bytes());
    assert!(rules(&bytes).contains(&Rule::SpecialFile));
}

/// An archive taken apart: entries, central directory, and the fields of its end record that move.
fn parts(bytes: &[u8]) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let directory = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    let end = bytes.windows(4).position(|window| window == b"PK\x05\x06").unwrap();
    (bytes[..directory].to_vec(), bytes[directory..end].to_vec(), bytes[end..].to_vec())
}

/// `end` for a directory that begins at `offset`, with `comment`.
fn end_record(end: &[u8], offset: usize, comment: &[u8]) -> Vec<u8> {
    let mut end = end.to_vec();
    end[16..20].copy_from_slice(&u32::try_from(offset).unwrap().to_le_bytes());
    end[20..22].copy_from_slice(&u16::try_from(comment.len()).unwrap().to_le_bytes());
    [&end[..22], comment].concat()
}

#[test]
fn d10_two_central_directories_are_refused_wherever_the_other_one_hides() {
    let bytes = archive(|writer| {
        writer.start_file("run", SimpleFileOptions::default().unix_permissions(0o644)).unwrap();
        writer.write_all(b"/etc").unwrap();
    });
    attempt(&bytes).unwrap();
    let (entries, directory, end) = parts(&bytes);
    // To the other reader the same entry is a symbolic link to `/etc`.
    let mut other = directory.clone();
    other[40..42].copy_from_slice(&0o120_777u16.to_le_bytes());

    let stale = [&entries[..], &other, &directory, &end_record(&end, entries.len() + other.len(), b"")].concat();
    let second_end = end_record(&end, entries.len() + directory.len() + 22, b"");
    let hidden = [other.clone(), second_end].concat();
    let in_the_comment = [&entries[..], &directory, &end_record(&end, entries.len(), &hidden)].concat();
    let behind = [&bytes[..], &other, &end_record(&end, bytes.len(), b"")].concat();
    let appended = [archive(|writer| add(writer, "run", b"other")), bytes.clone()].concat();
    for (bytes, what) in [
        (stale, "before the one that counts"),
        (in_the_comment, "in the comment of the end record"),
        (behind, "behind the end record"),
        (appended, "in an archive put in front"),
    ] {
        assert!(attempt(&bytes).is_err(), "{what}");
    }
    let comment = [&entries[..], &directory, &end_record(&end, entries.len(), b"built on Monday")].concat();
    attempt(&comment).expect("a comment for people");
}

#[test]
fn d10_bytes_that_no_entry_accounts_for_are_refused() {
    let bytes = archive(|writer| add(writer, "run", b"12345"));
    let (entries, directory, end) = parts(&bytes);
    for padding in [25, 1000] {
        let gap = vec![0; padding];
        let padded = [&entries[..], &gap, &directory, &end_record(&end, entries.len() + padding, b"")].concat();
        assert!(matches!(attempt(&padded), Err(ZipError::Malformed { .. })), "{padding} bytes");
    }
    let stub = [&b"MZ, a program that unpacks itself"[..], &bytes].concat();
    assert!(matches!(attempt(&stub), Err(ZipError::Malformed { .. })));
}

#[test]
fn d10_a_hard_link_is_no_kind_of_entry_that_a_zip_could_smuggle_in() {
    // The Unix extra field (0x000d) of old writers can carry the target of a hard link: times and owner, then the name.
    let mut field = 0x000d_u16.to_le_bytes().to_vec();
    let target = b"/etc/passwd";
    field.extend_from_slice(&u16::try_from(12 + target.len()).unwrap().to_le_bytes());
    field.extend_from_slice(&[0; 12]);
    field.extend_from_slice(target);
    let bytes = archive(|writer| add(writer, "copy", b"own bytes"));
    let (entries, mut directory, end) = parts(&bytes);
    directory[30..32].copy_from_slice(&u16::try_from(field.len()).unwrap().to_le_bytes());
    let name_end = 46 + "copy".len();
    let directory = [&directory[..name_end], &field, &directory[name_end..]].concat();
    let mut end = end_record(&end, entries.len(), b"");
    end[12..16].copy_from_slice(&u32::try_from(directory.len()).unwrap().to_le_bytes());
    match attempt(&[&entries[..], &directory, &end].concat()) {
        Ok(unpacked) => {
            let place = unpacked.folder().join("copy");
            assert_eq!(fs::read(&place).unwrap(), b"own bytes", "the field means nothing to us");
            assert!(fs::symlink_metadata(&place).unwrap().is_file());
        }
        Err(error) => assert!(matches!(error, ZipError::Malformed { .. } | ZipError::Unfit(_)), "{error}"),
    }
}

#[test]
fn d10_a_bomb_that_lies_about_its_size_is_cut_at_the_size_it_gave() {
    let bytes = archive(|writer| add(writer, "zeros", &vec![0; 3 << 20]));
    // The content size, in the local header (offset 22) and in the directory (offset 24): one byte, both alike.
    let (mut entries, mut directory, end) = parts(&bytes);
    for (part, at) in [(&mut entries, 22), (&mut directory, 24)] {
        part[at..at + 4].copy_from_slice(&1u32.to_le_bytes());
    }
    assert!(matches!(attempt(&[entries, directory, end].concat()), Err(ZipError::Malformed { .. })));
}
