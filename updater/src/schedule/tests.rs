//! The files of a schedule: what they must say for every kind, and that stations do not ask together. Whether the systems' own tools read them is in `tests/tests/schedule.rs`.

use super::*;

fn task(every: &str, scope: Scope) -> Task {
    Task {
        name: "stationmaster-updater-0123abcd".into(),
        folder: r#"/opt/a "b" $c & 100%\d"#.into(),
        program: "/usr/bin/updater".into(),
        arguments: ["schedule", "run", "--dir", r#"/opt/a "b" $c & 100%\d"#].map(str::to_owned).to_vec(),
        every: every.parse().unwrap(),
        phase: 5000,
        scope,
    }
}

fn text(kind: Kind, task: &Task) -> String {
    let files = kind.render(task);
    assert_eq!(files.iter().map(|file| file.name.clone()).collect::<Vec<_>>(), kind.file_names(&task.name));
    files.iter().map(|file| String::from_utf8(file.bytes.clone()).unwrap()).collect()
}

#[test]
fn ac_29_two_hundred_stations_that_start_together_spread_over_the_period() {
    let every = 14_400;
    for machines_differ in [true, false] {
        let phase = |n: u32| {
            let (machine, folder) =
                if machines_differ { (format!("till-{n}"), "/opt/client".into()) } else { ("till".into(), format!("/opt/{n}")) };
            phase::of(&machine, &folder, every)
        };
        let mut phases: Vec<u64> = (0..200).map(phase).collect();
        phases.sort_unstable();
        // Each eighth has about 25 of them; by chance alone fewer than 8 or more than 50 come once in thousands of draws.
        for eighth in 0..8 {
            let here = phases.iter().filter(|phase| **phase / (every / 8) == eighth).count();
            assert!((8..=50).contains(&here), "{here} of 200 in the eighth {eighth}");
        }
        let busiest = phases.iter().map(|phase| phases.iter().filter(|other| *other / 60 == phase / 60).count()).max().unwrap();
        assert!(busiest <= 8, "{busiest} stations within one minute");
        assert!(phases.last().unwrap() < &every);
    }
    assert_eq!(phase::of("till-1", "/opt/client", every), phase::of("till-1", "/opt/client", every), "it is always the same");
}

#[test]
fn systemd_quotes_what_it_would_take_for_its_own() {
    let text = text(Kind::Systemd, &task("4h", Scope::System));
    assert!(text.contains(r#"ExecStart="/usr/bin/updater" "schedule" "run" "--dir" "/opt/a \"b\" $$c & 100%%\\d""#), "{text}");
    assert!(text.contains("OnCalendar=*-*-* *:23:20 UTC\nPersistent=true\n"), "{text}");
}

#[test]
fn cron_starts_a_run_every_hour_and_quotes_for_the_shell() {
    let text = text(Kind::Cron, &task("4h", Scope::System));
    let line = text.lines().last().unwrap();
    assert_eq!(
        line,
        r#"23 * * * * root '/usr/bin/updater' 'schedule' 'run' '--dir' '/opt/a "b" $c & 100\%\d' >/dev/null 2>&1 # "#.to_owned()
            + &task("4h", Scope::System).mark()
            + " # stationmaster-updater-0123abcd"
    );
}

#[test]
fn ac_28_a_line_in_a_crontab_is_replaced_and_removed_and_others_keep_their_bytes() {
    let task = Task { name: "backup".into(), ..task("4h", Scope::User) };
    let file = text(Kind::Cron, &task).into_bytes();
    // In Latin-1, with a comment that is the name of the task, an empty line, the end of a line of Windows, and none at the last one.
    for mine in [&b"0 5 * * * b\xe9b\xe9 # backup\n"[..], b"", b"\n\n# x\r\n", b"0 5 * * * last # backup"] {
        let once = cron::merged(mine, &task.mark(), Some(&file));
        assert!(once.starts_with(mine), "{once:?}");
        assert_eq!(cron::merged(&once, &task.mark(), Some(&file)), once);
        assert_eq!(String::from_utf8_lossy(&once).matches("'schedule' 'run'").count(), 1);
        let end: &[u8] = if mine.is_empty() || mine.ends_with(b"\n") { b"" } else { b"\n" };
        assert_eq!(cron::merged(&once, &task.mark(), None), [mine, end].concat());
    }
}

#[test]
fn a_windows_task_repeats_from_a_past_moment_of_the_station_in_utc() {
    let task = task("4h", Scope::User);
    let file = &Kind::Task.render(&task)[0];
    assert_eq!(file.bytes[..2], [0xff, 0xfe], "the mark that says UTF-16");
    let text = String::from_utf16(&utf16(&file.bytes[2..])).unwrap();
    // 2020-01-01 is a whole number of four hours after 1970.
    assert!(text.contains("<StartBoundary>2020-01-01T01:23:20Z</StartBoundary>"), "{text}");
    // An account's own opens a window where somebody types: no more often than it must.
    assert!(text.contains("<Interval>PT240M</Interval>") && text.contains("<StartWhenAvailable>true</StartWhenAvailable>"));
    assert!(text.contains(r#"schedule run --dir &quot;/opt/a \&quot;b\&quot; $c &amp; 100%\d&quot;"#), "{text}");
    assert!(text.contains("\r\n"));
    let system = String::from_utf16_lossy(&utf16(&Kind::Task.render(&Task { scope: Scope::System, ..task })[0].bytes));
    assert!(system.contains("<Interval>PT60M</Interval>"), "{system}");
}

fn utf16(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()
}

#[test]
fn what_ends_a_line_is_refused_and_so_is_a_name_that_leads_elsewhere() {
    let good = task("4h", Scope::User);
    good.check().unwrap();
    for (name, folder) in [("../x", "/opt"), ("", "/opt"), ("a b", "/opt"), ("a", "/opt/a\nb")] {
        let bad = Task { name: name.into(), folder: folder.into(), ..good.clone() };
        assert!(matches!(bad.check(), Err(ScheduleError::Text { .. })), "{name:?} {folder:?}");
    }
}

#[test]
fn what_is_written_reads_back_and_damage_says_nothing() {
    let made = Made {
        kind: Kind::Systemd,
        scope: Scope::User,
        name: "SmartsUpdate".into(),
        place: Some("/home/a".into()),
        tag: "0123abcd".into(),
    };
    let schedule = Schedule { task: Some(made), last: Some(UtcTime::from_unix(1_763_683_200)), failed: 2 };
    assert_eq!(Schedule::parse(&schedule.to_bytes()), schedule);
    assert_eq!(Schedule::parse(&schedule.to_bytes()[1..]), Schedule::default());
}

#[cfg(unix)]
#[test]
fn ac_28_installed_twice_is_one_task_and_removed_is_none() {
    let (place, system) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = Folder::open(place.path()).unwrap();
    folder.make_state_folders().unwrap();
    let task = task("4h", Scope::System);
    let names = || {
        let mut names: Vec<String> =
            std::fs::read_dir(system.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    for (kind, name) in
        [(Kind::Systemd, &task.name), (Kind::Launchd, &task.name), (Kind::Cron, &task.name), (Kind::Task, &"SmartsUpdate".to_owned())]
    {
        for _ in 0..2 {
            let task = Task { name: name.clone(), ..task.clone() };
            install(&folder, &task, kind, Some(system.path().to_owned()), false).unwrap();
            assert_eq!(names(), kind.file_names(name), "what an earlier one left is gone");
        }
    }
    let other = tempfile::tempdir().unwrap();
    let other = Folder::open(other.path()).unwrap();
    other.make_state_folders().unwrap();
    let same_name = Task { name: "SmartsUpdate".into(), folder: "/elsewhere".into(), ..task };
    let taken = install(&other, &same_name, Kind::Task, Some(system.path().to_owned()), false);
    assert!(matches!(taken, Err(ScheduleError::Taken { .. })), "{taken:?}");
    assert!(remove(&folder).unwrap().is_some());
    assert_eq!((names(), Schedule::load(&folder).unwrap().task), (vec![], None));
    assert!(remove(&folder).unwrap().is_none());
}
