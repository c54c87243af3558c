use std::fs::{self, OpenOptions};
use std::os::windows::fs::OpenOptionsExt as _;

use windows_sys::Win32::Storage::FileSystem::FILE_SHARE_READ;

use super::*;

fn scene(files: &[&str]) -> (tempfile::TempDir, Dir) {
    let place = tempfile::tempdir().unwrap();
    for name in files {
        fs::write(place.path().join(name), name).unwrap();
    }
    let dir = Dir::open(place.path()).unwrap();
    (place, dir)
}

fn content(dir: &Dir, name: &str) -> String {
    io::read_to_string(dir.open_file(name.as_bytes()).unwrap()).unwrap()
}

#[test]
fn ac_83_a_file_that_is_held_is_in_use_until_it_is_let_go() {
    let (place, dir) = scene(&["a"]);
    let held = OpenOptions::new().read(true).share_mode(FILE_SHARE_READ).open(place.path().join("a")).unwrap();
    assert!(dir.is_held(b"a").unwrap());
    assert_eq!(dir.rename(b"a", &dir, b"b").unwrap_err().kind(), io::ErrorKind::ResourceBusy);
    assert_eq!(dir.remove_file(b"a").unwrap_err().kind(), io::ErrorKind::ResourceBusy);
    drop(held);
    assert!(!dir.is_held(b"a").unwrap());
    dir.rename(b"a", &dir, b"b").unwrap();
    assert_eq!(dir.names().unwrap(), [b"b"]);
}

#[test]
fn ac_47_a_program_that_runs_is_pinned_and_another_file_is_not() {
    let program = std::env::current_exe().unwrap();
    let dir = Dir::open(program.parent().unwrap()).unwrap();
    assert!(dir.is_pinned(program.file_name().unwrap().as_encoded_bytes()).unwrap());
    let (_place, dir) = scene(&["a"]);
    assert!(!dir.is_pinned(b"a").unwrap());
}

#[test]
fn only_one_of_the_two_renames_replaces_what_is_there() {
    let (_place, dir) = scene(&["a", "b", "c"]);
    assert_eq!(dir.rename_new(b"a", &dir, b"b").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    dir.rename(b"a", &dir, b"b").unwrap();
    dir.rename_new(b"c", &dir, b"a").unwrap();
    assert_eq!(
        (dir.names().unwrap(), content(&dir, "b"), content(&dir, "a")),
        (vec![b"a".to_vec(), b"b".to_vec()], "a".into(), "c".into())
    );
}

#[test]
fn what_is_read_only_can_be_removed_and_its_other_name_stays_read_only() {
    let (place, dir) = scene(&["a"]);
    dir.link(b"a", &dir, b"b").unwrap();
    set_file_mode(&dir.open_to_set(b"a").unwrap(), 0o444).unwrap();
    assert_eq!(dir.unmovable(b"a", &dir.stat(b"a").unwrap().unwrap()).unwrap(), Some(Unwritable::ReadOnly));
    dir.remove_file(b"a").unwrap();
    let left = dir.stat(b"b").unwrap().unwrap();
    assert_eq!((dir.names().unwrap(), left.mode, left.links), (vec![b"b".to_vec()], 0o444, 1));
    // Else nobody could remove the temporary folder.
    set_file_mode(&dir.open_to_set(b"b").unwrap(), 0o644).unwrap();
    drop(place);
}

#[test]
fn a_file_with_a_second_name_is_not_opened_for_writing() {
    let (_place, dir) = scene(&["a"]);
    drop(dir.open_to_write(b"a", 0o644).unwrap());
    dir.link(b"a", &dir, b"b").unwrap();
    assert_eq!(dir.open_to_write(b"b", 0o644).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    assert_eq!(dir.link(b"a", &dir, b"b").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
}

#[test]
fn ac_13_times_are_kept_in_steps_of_100_ns_also_before_1970() {
    let (_place, dir) = scene(&["a"]);
    for (seconds, nanoseconds) in [(1_763_683_200, 123_456_700), (0, 0), (-1, 999_999_900)] {
        dir.set_time(b"a", seconds, nanoseconds).unwrap();
        let stat = dir.stat(b"a").unwrap().unwrap();
        assert_eq!((stat.seconds, stat.nanoseconds), (seconds, nanoseconds));
    }
    dir.set_time(b"a", 5, 123_456_789).unwrap();
    assert_eq!(dir.stat(b"a").unwrap().unwrap().nanoseconds, 123_456_700);
}

#[test]
fn names_below_a_handle_may_lead_further_than_260_characters() {
    let (_place, top) = scene(&[]);
    let name = [b'x'; 100];
    let mut dir = top.again().unwrap();
    for _ in 0..4 {
        dir = dir.make_folder(&name, 0o755).unwrap();
    }
    drop(dir.create_file(b"deep", 0o644).unwrap());
    assert_eq!(dir.names().unwrap(), [b"deep"]);
    dir.remove_file(b"deep").unwrap();
    // The temporary folder's own removal would stop at such a path.
    for depth in (0..4).rev() {
        let above = (0..depth).fold(top.again().unwrap(), |dir, _| dir.open_folder(&name).unwrap());
        drop(std::mem::replace(&mut dir, top.again().unwrap()));
        above.remove_folder(&name).unwrap();
    }
    assert!(top.names().unwrap().is_empty());
}

#[test]
fn a_folder_is_no_file_and_goes_only_when_it_is_empty() {
    let (_place, dir) = scene(&["file"]);
    let folder = dir.make_folder(b"folder", 0o755).unwrap();
    drop(folder.create_file(b"inside", 0o644).unwrap());
    assert_eq!(dir.open_folder(b"file").unwrap_err().kind(), io::ErrorKind::NotADirectory);
    assert!(dir.open_file(b"folder").is_err());
    assert_eq!(dir.remove_file(b"folder").unwrap_err().kind(), io::ErrorKind::IsADirectory);
    assert_eq!(dir.remove_folder(b"file").unwrap_err().kind(), io::ErrorKind::NotADirectory);
    assert_eq!(dir.remove_folder(b"folder").unwrap_err().kind(), io::ErrorKind::DirectoryNotEmpty);
    folder.remove_file(b"inside").unwrap();
    drop(folder);
    dir.remove_folder(b"folder").unwrap();
    assert_eq!(dir.stat(b"folder").unwrap(), None);
}

#[test]
fn what_is_written_can_be_made_durable_and_room_is_told() {
    let (_place, dir) = scene(&["a"]);
    dir.sync_file(b"a").unwrap();
    dir.sync().unwrap();
    let space = dir.space().unwrap();
    assert!(space.available_bytes > 0 && space.total_bytes >= space.available_bytes, "{space:?}");
    assert_eq!(dir.unwritable().unwrap(), None);
    assert!(dir.is_on_volume_of(&dir.again().unwrap()).unwrap());
}
