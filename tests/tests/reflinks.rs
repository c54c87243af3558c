//! On file systems that can share content between files (xfs, btrfs) a backup costs no room for what it copies; on others it is a plain copy. In both cases it stands alone.
//!
//! Whether content is shared is asked of the file system itself (`filefrag`), not of the updater.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use system_tests::disk::{Disk, succeeds};
use system_tests::station::Station;
use system_tests::world::{T0, World, noise};

const EXTRA_BYTES: usize = 24 << 20;

/// Whether every extent of the file is shared with another file.
fn is_shared(path: &Path) -> bool {
    let out = Command::new("/usr/sbin/filefrag").arg("-v").arg(path).output().expect("filefrag of e2fsprogs");
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let extents: Vec<&str> =
        text.lines().filter(|line| line.split(':').next().is_some_and(|first| first.trim().parse::<u32>().is_ok())).collect();
    assert!(!extents.is_empty(), "no extents: {text}");
    extents.iter().all(|line| line.contains("shared"))
}

/// Bytes in use on the file system at `path`.
fn used(path: &Path) -> u64 {
    succeeds(Command::new("sync").arg("--file-system").arg(path)).expect("synced");
    let out = Command::new("df").args(["--output=used", "-B1"]).arg(path).output().expect("df runs");
    String::from_utf8_lossy(&out.stdout).split_whitespace().last().and_then(|n| n.parse().ok()).expect("a number")
}

fn a_backup_on(kind: &str, arguments: &[&str], shares: bool) {
    let world = World::new();
    let Some(disk) = Disk::image(world.path("disk"), kind, 512, arguments) else { return };
    let repository = world.repository("acme");
    let v1 = world.build("v1");
    v1.exec("client", noise(1, 50_000), T0).file("lib/same.so", noise(2, 2_000_000), T0);
    repository.publish(&v1, "1.0.0");
    let server = world.serve(&repository);
    let station = Station::at(disk.path().join("client"));
    station.install(&world.link(&server));
    fs::write(station.file("mine.dat"), noise(3, EXTRA_BYTES)).expect("written");
    let before = used(disk.path());
    let v2 = v1.copy("v2");
    v2.exec("client", noise(4, 50_000), T0 + 5);
    repository.publish(&v2, "2.0.0");
    let tree = station.tree();
    station.update().exits(0);
    let grown = used(disk.path()).saturating_sub(before);
    station.backup(1).assert_is(&tree, kind);
    for path in ["mine.dat", "lib/same.so"] {
        let kept = station.file(&format!("bkp_remote.001/{path}"));
        assert_eq!(fs::metadata(&kept).expect("there").nlink(), 1, "{kind}: no name of the live file");
        assert_ne!(fs::metadata(&kept).expect("there").ino(), fs::metadata(station.file(path)).expect("there").ino(), "{kind}");
        assert_eq!((is_shared(&kept), is_shared(&station.file(path))), (shares, shares), "{kind}: `{path}`");
    }
    let extra = EXTRA_BYTES as u64;
    assert!(if shares { grown < extra / 2 } else { grown >= extra }, "{kind}: the update took {grown} bytes");
    // What is written in place parts the two, and only the live file changes.
    OpenOptions::new().write(true).open(station.file("mine.dat")).expect("opened").write_all(&[7; 100_000]).expect("written");
    station.backup(1).assert_is(&tree, kind);
    station.run(&["rollback"]).exits(0);
    assert_eq!(&fs::read(station.file("mine.dat")).expect("read")[..5], &[7; 5], "{kind}: extras stay as they are");
}

#[test]
fn a_backup_on_xfs_shares_content_and_stands_alone() {
    a_backup_on("xfs", &["-q", "-m", "reflink=1"], true);
}

#[test]
fn a_backup_on_btrfs_shares_content_and_stands_alone() {
    a_backup_on("btrfs", &["-q"], true);
}

#[test]
fn a_backup_on_ext4_is_a_copy_and_stands_alone() {
    a_backup_on("ext4", &["-q"], false);
}
