//! What a folder is taken for, as facts.

use manifests::build::Build;
use manifests::name::{Arch, Os};
use manifests::release::{ContentAt, FileEntry, ReleaseId};
use manifests::time::FileTime;

use super::*;

fn path(text: &str) -> RelPath {
    text.parse().unwrap()
}

fn release(build: &str, files: &[(&str, &str)]) -> Manifest {
    let id = ReleaseId {
        product: "p".parse().unwrap(),
        os: Os::Windows,
        arch: Arch::Any,
        variant: None,
        build: Build::recognise(build).unwrap(),
    };
    let entry = |(at, content): &(&str, &str)| FileEntry {
        path: path(at),
        size: content.len() as u64,
        mtime: FileTime::clamped(0),
        exec: false,
        sha256: Digest::of(content.as_bytes()),
        config: if at.ends_with(".conf") { ConfigPolicy::Keep } else { ConfigPolicy::Overwrite },
        publishers: vec![],
        at: Some(ContentAt(0, 0)),
    };
    let files = files.iter().map(entry).collect();
    Manifest { id, dictionaries: vec![], packs: vec![], files, links: vec![], directories: vec![], removed: vec![] }
}

fn there(files: &[(&str, &str)]) -> BTreeMap<RelPath, Option<Digest>> {
    files.iter().map(|(at, content)| (path(at), Some(Digest::of(content.as_bytes())))).collect()
}

fn named(releases: &[Manifest], found: &[(&str, &str)]) -> Option<String> {
    let entry_point = path("client.exe");
    let candidates =
        releases.iter().zip(1..).map(|(manifest, number)| Candidate { place: Place(1, number), entry_point: Some(&entry_point), manifest });
    recognise(candidates, &there(found)).map(|recognised| recognised.to_string())
}

#[test]
fn s3_21_a_folder_is_the_release_with_the_fewest_differences() {
    let releases = [
        release("17.3.0.8", &[("client.exe", "8"), ("a.dll", "a"), ("b.dll", "b8")]),
        release("17.3.0.9", &[("client.exe", "9"), ("a.dll", "a"), ("b.dll", "b9")]),
    ];
    let files = |client, b| vec![("client.exe", client), ("a.dll", "a"), ("b.dll", b)];
    assert_eq!(named(&releases, &files("9", "b9")).unwrap(), "this is 17.3.0.9, all 3 files as released");
    assert_eq!(named(&releases, &files("8", "b9")).unwrap(), "this is 17.3.0.9, 1 file differs");
    assert_eq!(named(&releases, &files("8", "other")).unwrap(), "this is 17.3.0.8, 1 file differs");
    assert_eq!(named(&releases, &[("client.exe", "8")]).unwrap(), "this is 17.3.0.8, 2 files are missing");
    assert_eq!(
        named(&releases, &[("client.exe", "9"), ("a.dll", "x")]).unwrap(),
        "this is 17.3.0.9, 1 of 3 files differ and 1 more are missing"
    );
}

#[test]
fn s3_21_of_equal_releases_it_is_the_newest() {
    let files = [("client.exe", "1")];
    assert_eq!(named(&[release("1.0.0", &files), release("1.0.1", &files)], &files).unwrap(), "this is 1.0.1, all 1 file as released");
}

#[test]
fn s3_21_a_few_files_that_many_products_have_make_no_release() {
    let releases = [release("1.0.0", &[("client.exe", "1"), ("a.dll", "a"), ("b.dll", "b")])];
    assert_eq!(named(&releases, &[]), None);
    assert_eq!(named(&releases, &[("client.exe", "other"), ("a.dll", "a"), ("b.dll", "x")]), None);
}

#[test]
fn s3_21_the_configuration_that_is_its_users_is_no_difference() {
    let releases = [release("1.0.0", &[("client.exe", "1"), ("a.conf", "released")])];
    assert_eq!(named(&releases, &[("client.exe", "1"), ("a.conf", "mine")]).unwrap(), "this is 1.0.0, all 1 file as released");
}
