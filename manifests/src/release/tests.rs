use super::*;
use crate::pack::Frame;

fn manifest(os: Os, files: &[(&str, u64)]) -> Manifest {
    let id = ReleaseId { product: "p".parse().unwrap(), os, arch: Arch::Any, variant: None, build: Build::recognise("1.0.0").unwrap() };
    let pack = Pack { sha256: Digest::of(b"pack"), length: 50, dictionary: None, frames: vec![Frame(50, 100)] };
    let file = |(path, size): &(&str, u64)| FileEntry {
        path: path.parse().unwrap(),
        size: *size,
        mtime: FileTime::clamped(0),
        exec: false,
        sha256: Digest::of(b""),
        config: ConfigPolicy::Overwrite,
        publishers: vec![],
        at: (*size > 0).then_some(ContentAt(0, 0)),
    };
    Manifest {
        id,
        dictionaries: vec![],
        packs: vec![pack],
        files: files.iter().map(file).collect(),
        links: vec![],
        directories: vec![],
        removed: vec![],
    }
}

fn fault(manifest: &Manifest) -> Option<ManifestFault> {
    manifest.check(&Limits::default()).err()
}

fn stored(manifest: &Manifest) -> Vec<u8> {
    zstd::bulk::compress(&manifest.to_json().unwrap(), 3).unwrap()
}

#[test]
fn manifests_round_trip() {
    let written = manifest(Os::Linux, &[("a", 10), ("b/c", 0)]);
    assert_eq!(Manifest::parse(&stored(&written), &written.id, &Limits::default()).unwrap(), written);
}

#[test]
fn d4_paths_that_collide_on_some_file_system_are_refused() {
    for (a, b) in [("A.dll", "a.dll"), ("e\u{301}", "é"), ("A/x", "a/y"), ("STRASSE", "straße")] {
        let mut paths = [(a, 0), (b, 0)];
        paths.sort();
        assert!(matches!(fault(&manifest(Os::Windows, &paths)), Some(ManifestFault::Collision(..))), "{a} {b}");
    }
}

#[test]
fn d5_a_file_that_is_also_a_folder_is_refused() {
    assert!(matches!(fault(&manifest(Os::Linux, &[("a", 0), ("a/b", 0)])), Some(ManifestFault::FileIsFolder(..))));
    let mut with_folder = manifest(Os::Linux, &[("a", 0)]);
    with_folder.directories = vec!["a".parse().unwrap()];
    assert!(matches!(fault(&with_folder), Some(ManifestFault::FileIsFolder(..))));
}

#[test]
fn ac_51_links_that_leave_the_folder_or_hide_the_climb_are_refused() {
    let with = |os, path: &str, target: &str| {
        let mut manifest = manifest(os, &[]);
        manifest.links = vec![LinkEntry { path: path.parse().unwrap(), target: target.into() }];
        fault(&manifest)
    };
    assert_eq!(with(Os::Macosx, "a/b", "../c"), None);
    assert_eq!(with(Os::Macosx, "Qt.framework/Qt", "Versions/Current/Qt"), None);
    for target in ["/etc/passwd", "../../x", "c/../d", "x/../../../y", ".", "", "..", "../.updater/trust"] {
        assert!(matches!(with(Os::Linux, "a/b", target), Some(ManifestFault::LinkEscapes(..))), "{target}");
    }
    assert!(matches!(with(Os::Windows, "a", "b"), Some(ManifestFault::LinksNotAllowed(..))));
}

#[test]
fn a_path_through_a_link_is_refused() {
    let mut through = manifest(Os::Linux, &[("a/x", 0)]);
    through.links = vec![LinkEntry { path: "a".parse().unwrap(), target: "b".into() }];
    assert!(matches!(fault(&through), Some(ManifestFault::FileIsFolder(..))));
}

#[test]
fn d9_sizes_and_places_out_of_bounds_are_refused() {
    assert!(matches!(fault(&manifest(Os::Linux, &[("a", 101)])), Some(ManifestFault::Content(_))));
    assert!(matches!(fault(&manifest(Os::Linux, &[("a", u64::MAX)])), Some(ManifestFault::TooLarge(_))));
    let mut no_place = manifest(Os::Linux, &[("a", 5)]);
    no_place.files[0].at = None;
    assert!(matches!(fault(&no_place), Some(ManifestFault::Content(_))));
    let few = Limits { entries: 1, ..Limits::default() };
    assert_eq!(manifest(Os::Linux, &[("a", 0), ("b", 0)]).check(&few), Err(ManifestFault::TooManyEntries(2)));
    assert!(matches!(fault(&manifest(Os::Linux, &[("b", 0), ("a", 0)])), Some(ManifestFault::Order(_))));
}

#[test]
fn d9_ten_million_entries_are_refused_by_their_number_before_one_of_them_is_read() {
    let mut json = manifest(Os::Linux, &[]).to_json().unwrap();
    json.truncate(json.len() - 1);
    // No entry is a path. Nobody gets as far as to notice.
    let many = [&json[..], br#","removed":[0"#, &b",0".repeat(9_999_999), b"]}"].concat();
    let few = [&json[..], br#","removed":[0]}"#].concat();
    let parse = |json: &[u8]| {
        let stored = zstd::bulk::compress(json, 1).unwrap();
        Manifest::parse(&stored, &manifest(Os::Linux, &[]).id, &Limits::default())
    };
    let fault = ManifestFault::TooManyEntries(10_000_000);
    assert!(matches!(parse(&many), Err(ManifestError::Unacceptable { fault: found, .. }) if found == fault));
    assert!(matches!(parse(&few), Err(ManifestError::Malformed { .. })));
}

#[test]
fn decompression_is_bounded_and_exact() {
    let honest = manifest(Os::Linux, &[("a", 10)]);
    let bytes = stored(&honest);
    let parse = |bytes: &[u8], limits: &Limits| Manifest::parse(bytes, &honest.id, limits);
    let tight = Limits { manifest_json_bytes: 10, ..Limits::default() };
    for (bytes, limits) in [
        (bytes.clone(), tight),
        ([&bytes[..], b"x"].concat(), Limits::default()),
        (bytes[..bytes.len() - 1].to_vec(), Limits::default()),
        (vec![], Limits::default()),
    ] {
        assert!(matches!(parse(&bytes, &limits), Err(ManifestError::Compression { .. })));
    }
}

#[test]
fn ac_53_the_manifest_of_another_os_product_or_build_is_refused() {
    let written = manifest(Os::Linux, &[]);
    for id in [
        ReleaseId { os: Os::Windows, ..written.id.clone() },
        ReleaseId { product: "q".parse().unwrap(), ..written.id.clone() },
        ReleaseId { build: Build::recognise("1.0.1").unwrap(), ..written.id.clone() },
    ] {
        assert!(matches!(Manifest::parse(&stored(&written), &id, &Limits::default()), Err(ManifestError::Other { .. })));
    }
}
