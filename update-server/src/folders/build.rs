//! Which build the content of a folder is, where nobody says so: that of its program, else the day and a counter.

use std::path::Path;

use manifests::build::{Build, Scheme};
use manifests::path::RelPath;
use manifests::publish::programs;
use manifests::time::UtcTime;
use serde::Deserialize;

/// The build of the program `entry_point` in `folder`: the version in its resources (Windows), or in the `Info.plist` of the bundle that it lies in (macOS). `None` when it has none.
pub(super) fn of_program(folder: &Path, entry_point: &RelPath) -> Option<Build> {
    let bundle = || of_bundle(&folder.join(bundle_of(Path::new(entry_point.as_str()))?));
    of_file(&folder.join(entry_point.as_str())).or_else(bundle)
}

/// The build in the resources of a program of Windows.
pub(super) fn of_file(program: &Path) -> Option<Build> {
    read(&programs::version(program)?.map(|part| part.to_string()).join("."))
}

/// A build as people write it, in the notations that vendors of such folders use; what is none of them has no place in an order.
pub(crate) fn read(text: &str) -> Option<Build> {
    [Scheme::Dotted, Scheme::Totvs, Scheme::Semver].into_iter().find_map(|scheme| Build::parse(text, scheme).ok())
}

/// `2026.11.21.1`, and the next number on the same day.
pub(super) fn of_today(now: UtcTime, current: Option<&Build>) -> Build {
    let text = now.to_string();
    let day = text.split('T').next().unwrap_or_default();
    let day = day.split('-').map(|part| part.trim_start_matches('0')).collect::<Vec<_>>().join(".");
    let count = current.and_then(|build| build.text().strip_prefix(&day)?.strip_prefix('.')?.parse::<u64>().ok());
    let text = format!("{day}.{}", count.unwrap_or(0).saturating_add(1));
    // A day and a number are always a build, and so is `1`.
    let build = Build::parse(&text, Scheme::Dotted).or_else(|_| Build::parse("1", Scheme::Dotted));
    build.unwrap_or_else(|_| unreachable!("`1` is a build"))
}

/// The outermost application bundle that holds `path`.
fn bundle_of(path: &Path) -> Option<&Path> {
    path.ancestors().filter(|part| part.extension().is_some_and(|end| end.eq_ignore_ascii_case("app"))).last()
}

fn of_bundle(bundle: &Path) -> Option<Build> {
    #[derive(Deserialize)]
    struct Info {
        #[serde(rename = "CFBundleShortVersionString")]
        shown: Option<String>,
        #[serde(rename = "CFBundleVersion")]
        version: Option<String>,
    }
    let info: Info = plist::from_file(bundle.join("Contents/Info.plist")).ok()?;
    [info.shown, info.version].into_iter().flatten().find_map(|text: String| read(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_says_the_build_it_is_the_day_and_a_counter() {
        let now: UtcTime = "2026-03-09T23:59:59Z".parse().unwrap();
        let dotted = |text: &str| Build::parse(text, Scheme::Dotted).unwrap();
        for (current, next) in [
            (None, "2026.3.9.1"),
            (Some("2026.3.9.1"), "2026.3.9.2"),
            (Some("2026.3.9.9"), "2026.3.9.10"),
            (Some("2026.3.8.7"), "2026.3.9.1"),
            (Some("17.3.0.14"), "2026.3.9.1"),
        ] {
            assert_eq!(of_today(now, current.map(dotted).as_ref()), dotted(next), "{current:?}");
        }
    }

    #[test]
    fn d_08_builds_of_folders_are_read_in_the_vendors_notations() {
        for (text, scheme) in [("17.3.0", Scheme::Dotted), ("7.00.170117A", Scheme::Totvs), ("1.2.3-rc.1", Scheme::Semver)] {
            assert_eq!(read(text).unwrap().scheme(), scheme, "{text}");
        }
        assert_eq!(read("soon"), None);
    }

    #[test]
    fn the_build_of_a_bundle_is_that_of_its_information() {
        let folder = tempfile::tempdir().unwrap();
        let contents = folder.path().join("smartclient.app/Contents");
        std::fs::create_dir_all(contents.join("MacOS")).unwrap();
        let entry: RelPath = "smartclient.app/Contents/MacOS/smartclient".parse().unwrap();
        std::fs::write(folder.path().join(entry.as_str()), "program").unwrap();
        assert_eq!(of_program(folder.path(), &entry), None);
        let with = |text: &str| {
            let keys = format!("<key>CFBundleShortVersionString</key><string>{text}</string><key>CFBundleVersion</key><string>5</string>");
            let whole = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><plist version=\"1.0\"><dict>{keys}</dict></plist>");
            std::fs::write(contents.join("Info.plist"), whole).unwrap();
            of_program(folder.path(), &entry).map(|build| build.text().to_owned())
        };
        assert_eq!(with("17.3.0.9").as_deref(), Some("17.3.0.9"));
        assert_eq!(with("the best").as_deref(), Some("5"), "what is no build is passed over");
    }
}
