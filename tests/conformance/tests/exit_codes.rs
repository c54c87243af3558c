//! The suite knows two exit codes: 0 when everything succeeded, 1 when anything did not.

use std::path::Path;
use std::process::{Command, Output};

fn client(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tuf-conformance-client"));
    command.args(arguments).output().expect("the client starts")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary paths are UTF-8")
}

#[test]
fn init_stores_the_root_as_it_is_and_asks_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let (root, metadata) = (folder.path().join("root"), folder.path().join("metadata"));
    std::fs::write(&root, b"no checks are expected").expect("written");
    let done = client(&["--metadata-dir", text(&metadata), "init", text(&root)]);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    assert_eq!(std::fs::read(metadata.join("root.json")).expect("stored"), b"no checks are expected");
}

#[test]
fn whatever_fails_ends_with_1() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = ["--metadata-dir", text(folder.path())];
    for rest in [
        &["init", "/no/such/root"][..],
        &["--metadata-url", "http://127.0.0.1:1/", "refresh"],
        &["refresh"],
        &["--metadata-url", "not a url", "refresh"],
        &["--metadata-url", "http://127.0.0.1:1/", "--target-name", "a", "download"],
        &["no-such-command"],
        &[],
    ] {
        let done = client(&[&at, rest].concat());
        assert_eq!(done.status.code(), Some(1), "{rest:?}: {done:?}");
        assert!(!done.stderr.is_empty(), "{rest:?}");
    }
}
