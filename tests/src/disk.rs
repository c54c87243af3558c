//! Real file systems of a given kind and size, mounted for one test.
//!
//! Mounting takes root, and what can be mounted depends on the kernel. Where it cannot be done the test says so on standard error, past the capture of the test runner, with the reason of the
//! system itself: what was not run must not look as if it had been.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted file system; unmounted when dropped.
#[derive(Debug)]
pub struct Disk {
    at: PathBuf,
}

impl Disk {
    /// One in memory at `at`, with `options` of tmpfs such as `size=8m` or `nr_inodes=500`.
    pub fn in_memory(at: PathBuf, options: &str) -> Option<Disk> {
        Disk::mount(at, "tmpfs", &["-t", "tmpfs", "-o", &format!("{options},mode=755"), "tmpfs"])
    }

    /// One of the kind `kind` (`xfs`, `btrfs`, `ext4`, …) with `megabytes` of room, in an image beside `at`, made by `mkfs.KIND` with `arguments`.
    pub fn image(at: PathBuf, kind: &str, megabytes: u64, arguments: &[&str]) -> Option<Disk> {
        let image = at.with_extension("image");
        let file = fs::File::create(&image).unwrap_or_else(|e| panic!("cannot make `{}`: {e}", image.display()));
        file.set_len(megabytes << 20).expect("a sparse file");
        let program = ["/usr/sbin", "/sbin", "/usr/bin"].map(|folder| Path::new(folder).join(format!("mkfs.{kind}")));
        let Some(program) = program.iter().find(|program| program.exists()) else {
            return not_run(kind, &format!("`mkfs.{kind}` is not installed"));
        };
        if let Err(why) = succeeds(Command::new(program).args(arguments).arg(&image)) {
            return not_run(kind, &why);
        }
        Disk::mount(at, kind, &["-o", "loop", image.to_str().expect("a plain path")])
    }

    /// The folder `folder` a second time at `at`: another mount of the same file system.
    pub fn second_mount(at: PathBuf, folder: &Path) -> Option<Disk> {
        Disk::mount(at, "a bind mount", &["--bind", folder.to_str().expect("a plain path")])
    }

    fn mount(at: PathBuf, kind: &str, arguments: &[&str]) -> Option<Disk> {
        if !at.exists() {
            fs::create_dir_all(&at).unwrap_or_else(|e| panic!("cannot make `{}`: {e}", at.display()));
        }
        match succeeds(Command::new("mount").args(arguments).arg(&at)) {
            Ok(()) => Some(Disk { at }),
            Err(why) => not_run(kind, &why),
        }
    }

    /// Unmounts an image and mounts it anew, as a restart does. Panics when that fails.
    pub fn restart(&self) {
        succeeds(Command::new("umount").arg(&self.at)).unwrap_or_else(|why| panic!("umount: {why}"));
        let mut mount = Command::new("mount");
        succeeds(mount.args(["-o", "loop"]).arg(self.at.with_extension("image")).arg(&self.at))
            .unwrap_or_else(|why| panic!("mount: {why}"));
    }

    /// The column `column` of `df`: 1-KiB blocks (`used`), or entries (`iused`).
    pub fn used(&self, column: &str) -> u64 {
        let out = Command::new("df").arg(format!("--output={column}")).arg(&self.at).output().expect("df runs");
        String::from_utf8_lossy(&out.stdout).split_whitespace().last().and_then(|n| n.parse().ok()).expect("a number")
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.at
    }

    /// Mounts it anew with `options`, such as `ro` or another size. Panics when that fails.
    pub fn remount(&self, options: &str) {
        let mut command = Command::new("mount");
        succeeds(command.arg("-o").arg(format!("remount,{options}")).arg(&self.at)).unwrap_or_else(|why| panic!("remount: {why}"));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Whoever still looks at it keeps it until they are done.
        if let Err(why) = succeeds(Command::new("umount").arg("--lazy").arg(&self.at)) {
            say(&format!("`{}` could not be unmounted: {why}", self.at.display()));
        }
    }
}

/// Says that what needs `kind` is not run, and why.
fn not_run(kind: &str, why: &str) -> Option<Disk> {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    say(&format!("NOT RUN: what `{test}` shows on {kind}, because this system cannot mount that: {why}"));
    None
}

/// Says something that the test runner does not swallow.
pub fn say(text: &str) {
    // Nobody is worse off when it cannot be said.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Runs `command` to its end; what it said, when it failed.
pub fn succeeds(command: &mut Command) -> Result<(), String> {
    let done = command.output().map_err(|error| format!("`{}`: {error}", command.get_program().display()))?;
    if done.status.success() {
        return Ok(());
    }
    let text = [done.stdout, done.stderr].concat();
    Err(String::from_utf8_lossy(&text).split_whitespace().collect::<Vec<_>>().join(" "))
}
