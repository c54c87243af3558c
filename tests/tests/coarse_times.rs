//! Real file systems that keep less of a time than a release carries, or show all times shifted by an hour (AC-12, AC-13, attack E2).
//!
//! FAT keeps even seconds of local time; where the kernel cannot mount it, that is said, and `time.rs` shows the same through the updater's own file layer.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use system_tests::disk::Disk;
use system_tests::proxy::body_bytes;
use system_tests::station::Station;
use system_tests::world::{T0, World, noise};

fn stays_up_to_date_on(kind: &str, arguments: &[&str], has_second_names: bool) {
    let world = World::new();
    let Some(disk) = Disk::image(world.path("disk"), kind, 64, arguments) else { return };
    let repository = world.repository("acme");
    let v1 = world.build("v1");
    v1.exec("client", noise(1, 30_000), T0 + 1).file("odd.so", noise(2, 30_000), T0 + 3).file("even.so", noise(3, 30_000), T0 + 2);
    repository.publish(&v1, "1.0.0");
    let (_server, proxy, link) = world.serve_through_proxy(&repository);
    let station = Station::at(disk.path().join("client"));
    station.install(&link);
    let extra = station.file("mine.txt");
    fs::write(&extra, noise(9, 10_000)).expect("written");
    let time = UNIX_EPOCH + Duration::new(u64::try_from(T0).expect("after 1970"), 123_456_789);
    fs::File::options().write(true).open(&extra).and_then(|file| file.set_modified(time)).expect("set");
    proxy.take_exchanges();
    let is_up_to_date = |what: &str| {
        assert_eq!(station.check().exits(0).text("decision"), "up-to-date", "{kind}: {what}");
        station.update().exits(0);
        assert_eq!(body_bytes(&proxy.take_exchanges(), "/objects/"), 0, "{kind}: {what}: no content travels");
    };
    is_up_to_date("after the install");
    for n in 2..=3 {
        let next = v1.copy(&format!("v{n}"));
        next.exec("client", noise(10 + n, 30_000), T0 + 100);
        repository.publish(&next, &format!("{n}.0.0"));
        let before = station.tree();
        station.update().exits(0);
        station.backup(u8::try_from(n - 1).expect("small")).assert_is(&before, kind);
        proxy.take_exchanges();
        is_up_to_date("after an update");
    }
    let names = |slot: u8| fs::metadata(station.file(&format!("bkp_remote.00{slot}/mine.txt"))).expect("there").nlink();
    if has_second_names {
        assert_eq!((names(1), names(2)), (2, 2), "{kind}: an extra whose time lost its fraction is still stored once");
    }
    // Summer time: everything seems an hour younger.
    shift(&station.dir, 3_600);
    let backups = station.backups();
    station.update().exits(0);
    assert_eq!(body_bytes(&proxy.take_exchanges(), "/objects/"), 0, "{kind}: the times are put right, and no content travels");
    is_up_to_date("after the times were put right");
    assert_eq!(station.backups(), backups, "{kind}: nobody needs a backup for that");
}

/// Moves the times of all live files by `seconds`.
fn shift(dir: &Path, seconds: u64) {
    for path in fs::read_dir(dir).expect("listed").map(|entry| entry.expect("listed").path()) {
        let stat = fs::symlink_metadata(&path).expect("there");
        if stat.is_file() {
            let file = fs::File::options().write(true).open(&path).expect("opened");
            file.set_modified(stat.modified().expect("a time") + Duration::from_secs(seconds)).expect("set");
        }
    }
}

#[test]
fn e2_a_file_system_of_whole_seconds_is_brought_up_to_date_once() {
    stays_up_to_date_on("ext2", &["-q", "-I", "128"], true);
}

#[test]
fn e2_fat_with_its_even_seconds_is_brought_up_to_date_once() {
    stays_up_to_date_on("vfat", &[], false);
}
