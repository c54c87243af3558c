//! Reads `/proc`: each open file of each process, with how it was opened.

use std::fs;
use std::path::Path;

/// The two lowest bits of the flags of an open file: 0 says that it is only read.
const ACCESS_MODE: u32 = 0o3;

/// See [`super::first`].
pub(super) fn first(folder: &Path) -> Option<String> {
    let folder = fs::canonicalize(folder).ok()?;
    let processes = fs::read_dir("/proc").ok()?.filter_map(Result::ok);
    processes.filter(|entry| entry.file_name().to_str().is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit()))).find_map(
        |process| {
            // A process that ends meanwhile, or that belongs to somebody else, shows nothing.
            let file = fs::read_dir(process.path().join("fd")).ok()?.filter_map(Result::ok).find_map(|descriptor| {
                let file = fs::read_link(descriptor.path()).ok().filter(|file| file.starts_with(&folder))?;
                let info = fs::read_to_string(process.path().join("fdinfo").join(descriptor.file_name())).ok()?;
                is_written(&info).then_some(file)
            })?;
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            Some(format!(
                "`{}` is open for writing in {} (process {})",
                file.display(),
                name.trim_end().escape_debug(),
                process.file_name().to_string_lossy()
            ))
        },
    )
}

/// Whether the `fdinfo` of an open file says that it is written.
fn is_written(info: &str) -> bool {
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok()).is_some_and(|flags| flags & ACCESS_MODE != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_somebody_writes_is_seen_and_one_that_is_read_is_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        let path = folder.path().join("sub/client.exe");
        let written = fs::File::create(&path).unwrap();
        let seen = first(folder.path()).unwrap();
        assert!(seen.contains("client.exe") && seen.contains(&std::process::id().to_string()), "{seen}");
        drop(written);
        let read = fs::File::open(&path).unwrap();
        assert_eq!(first(folder.path()), None);
        drop(read);
        let both = fs::File::options().read(true).append(true).open(&path).unwrap();
        assert!(first(folder.path()).is_some());
        drop(both);
        assert_eq!(first(&folder.path().join("missing")), None);
    }
}
