//! Runs the probe of a release: does the build that was just installed live (AC-44)?
//!
//! A command is a program of the release itself, read once more right before it is run – an updater that is root gives it root's rights – and started in the install folder with an environment that holds nothing that could make it load other code (attack F5), in a process group of its
//! own, of which nothing is left afterwards. What it says is kept up to a limit, for the report. It has as much time as its publisher gives it, at most [`LONGEST`].

mod environment;
#[cfg(not(unix))]
#[path = "probe/other.rs"]
mod platform;
#[cfg(unix)]
#[path = "probe/unix.rs"]
mod platform;

use std::io::{self, ErrorKind, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use manifests::channel::Probe;
use manifests::path::RelPath;

use crate::fs::{Folder, FsError, Kind, LocalPath, Obstacle, obstacles};
use crate::installed::{Installed, InstalledFile};

/// Longest that a probe may take, whatever its publisher says: an updater that hangs helps nobody.
pub const LONGEST: Duration = Duration::from_secs(600);
/// Most bytes of each output that are kept.
const OUTPUT_BYTES: usize = 2048;
/// How long outputs are waited for after the end: a process that left the group may hold them open for ever.
const OUTPUT_WAIT: Duration = Duration::from_secs(1);

/// What is said where the system does not run what can be run: that is for whoever set up the place, and says nothing of the build.
pub(crate) const RUNS_NOTHING: &str =
    "the system runs no program there: look for a file system mounted `noexec`, and at the rights of folders";

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The build lives.
    Lives,
    /// It does not, for this reason.
    Dead(String),
    /// The system could not start the probe just now, for this reason, which says nothing of the build.
    Unknown(String),
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are signals on Unix only"))]
    Signal(i32),
    /// It was ended because its time was up.
    TooLate,
}

/// A probe is not run, because what would be run is not what was verified. That says nothing of the build.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// Others could change the program, or a folder that leads to it (attack F4).
    #[error("whether the build lives is not known, because others can change what would show it: {}", obstacles::list(.0))]
    Exposed(Vec<Obstacle>),
    /// The program is not the one that was installed.
    #[error(
        "whether the build lives is not known, because `{path}`, which is to show it, is not what was installed: run `updater verify --repair`"
    )]
    Changed {
        /// The program.
        path: RelPath,
    },
    /// The file system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
}

/// Runs `probe` in `folder`, where `installed` is. Blocks.
pub fn run(folder: &Folder, installed: &Installed, probe: &Probe) -> Result<Verdict, ProbeError> {
    match probe {
        Probe::File(path) => {
            let found = folder.stat(&path.into())?.is_some_and(|stat| matches!(stat.kind, Kind::File | Kind::Link));
            Ok(if found { Verdict::Lives } else { Verdict::Dead(format!("`{path}` is not there")) })
        }
        Probe::Command { command, timeout_seconds } => {
            run_command(folder, installed, command, Duration::from_secs(*timeout_seconds).min(LONGEST))
        }
        // That is for whoever starts the client.
        Probe::Alive { .. } => Ok(Verdict::Lives),
    }
}

fn run_command(folder: &Folder, installed: &Installed, command: &[String], timeout: Duration) -> Result<Verdict, ProbeError> {
    let (name, arguments) = command.split_first().map_or(("", &[][..]), |(name, arguments)| (name.as_str(), arguments));
    // Only what the release put there is run, and only as it is in the release.
    let record = name.parse::<RelPath>().ok().and_then(|path| installed.file(&path)).filter(|file| file.is_listed);
    let is_there = |file: &InstalledFile| folder.stat(&(&file.path).into()).map(|stat| stat.is_some_and(|stat| stat.is_file()));
    let can_run = match record {
        Some(file) if is_there(file)? => {
            verify(folder, file)?;
            file.can_run()
        }
        _ => return Ok(Verdict::Dead(format!("`{name}`, which is to show that the build lives, is no file of it"))),
    };
    let dir = std::path::absolute(folder.path()).unwrap_or_else(|_| folder.path().to_owned());
    let mut command = Command::new(dir.join(name));
    command.args(arguments).current_dir(&dir).env_clear().envs(environment::scrubbed(std::env::vars_os()));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (end, output) = match supervise(&mut command, timeout) {
        Ok(ended) => ended,
        Err(source) => {
            let why = format!("`{name}` cannot be started: {source}");
            return Ok(match source.kind() {
                ErrorKind::PermissionDenied if can_run => Verdict::Unknown(format!("{why}; {RUNS_NOTHING}")),
                _ if is_passing(&source) => Verdict::Unknown(why),
                _ => Verdict::Dead(why),
            });
        }
    };
    let said = if output.is_empty() { String::new() } else { format!("; it said: {output}") };
    Ok(match end {
        End::Code(0) => Verdict::Lives,
        End::Code(code) => Verdict::Dead(format!("`{name}` ended with code {code}{said}")),
        End::Signal(signal) => Verdict::Dead(format!("`{name}` ended by signal {signal}{said}")),
        End::TooLate => Verdict::Dead(format!("`{name}` did not end within {} seconds{said}", timeout.as_secs())),
    })
}

/// Refuses a program that others could change, or that is not what was installed, whatever its size and time say.
fn verify(folder: &Folder, file: &InstalledFile) -> Result<(), ProbeError> {
    let path = LocalPath::from(&file.path);
    let exposed = folder.guard([&path])?;
    if !exposed.is_empty() {
        return Err(ProbeError::Exposed(exposed));
    }
    if folder.hash(&path)?.0 == file.sha256 { Ok(()) } else { Err(ProbeError::Changed { path: file.path.clone() }) }
}

/// Whether a program could not be started for a reason that has nothing to do with it and passes: no room for one more process or file, or somebody has the program open for writing.
pub(crate) fn is_passing(error: &io::Error) -> bool {
    let passes = [ErrorKind::WouldBlock, ErrorKind::OutOfMemory, ErrorKind::ExecutableFileBusy, ErrorKind::ResourceBusy];
    passes.contains(&error.kind()) || platform::is_passing(error)
}

/// Runs `command` to its end, or ends it after `timeout`; with the end of what it said, in one line.
fn supervise(command: &mut Command, timeout: Duration) -> io::Result<(End, String)> {
    let mut child = platform::start(command)?;
    let outputs = [child.stdout.take().map(|pipe| keep_end(Box::new(pipe))), child.stderr.take().map(|pipe| keep_end(Box::new(pipe)))];
    let end = platform::end_within(&mut child, timeout)?;
    let said = outputs.into_iter().flatten().filter_map(|output| output.recv_timeout(OUTPUT_WAIT).ok());
    let said = said.map(|bytes| String::from_utf8_lossy(&bytes).trim().escape_debug().to_string()).filter(|text| !text.is_empty());
    Ok((end, said.collect::<Vec<_>>().join(" / ")))
}

/// Reads `pipe` to its end, and keeps the last of it.
fn keep_end(mut pipe: Box<dyn Read + Send>) -> Receiver<Vec<u8>> {
    let (done, end) = channel();
    std::thread::spawn(move || {
        let (mut kept, mut buffer) = (Vec::new(), [0; 8192]);
        while let Ok(read @ 1..) = pipe.read(&mut buffer) {
            kept.extend_from_slice(&buffer[..read]);
            let surplus = kept.len().saturating_sub(OUTPUT_BYTES);
            kept.drain(..surplus);
        }
        // Nobody waits any more when it took too long.
        let _ = done.send(kept);
    });
    end
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Instant;

    use manifests::build::Build;
    use manifests::channel::Place;
    use manifests::digest::Digest;
    use manifests::name::{Arch, Os};
    use manifests::release::ReleaseId;
    use manifests::time::FileTime;
    use rustix::io::Errno;

    use super::*;
    use crate::installed::InstalledRelease;

    /// A folder with the program `check`, which is all that is installed.
    struct Scene {
        place: tempfile::TempDir,
        folder: Folder,
        installed: Installed,
    }

    fn scene(script: &str) -> Scene {
        let place = tempfile::tempdir().unwrap();
        let script = format!("#!/bin/sh\n{script}\n");
        #[expect(clippy::disallowed_methods, reason = "a test makes its scene")]
        {
            std::fs::write(place.path().join("check"), &script).unwrap();
            std::fs::set_permissions(place.path().join("check"), std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let id = ReleaseId {
            product: "p".parse().unwrap(),
            os: Os::Linux,
            arch: Arch::Any,
            variant: None,
            build: Build::recognise("1.0.0").unwrap(),
        };
        let (path, sha256) = ("check".parse().unwrap(), Digest::of(script.as_bytes()));
        let (size, as_set) = (script.len() as u64, FileTime::clamped(0));
        let check = InstalledFile { path, size, as_set, as_read: None, mode: 0o755, policy: None, sha256, is_listed: true };
        let release = InstalledRelease { id, place: Place(1, 1), manifest: Digest::of(b"m"), entry_point: None };
        let installed = Installed { release, files: vec![check], links: vec![], folders: vec![] };
        Scene { folder: Folder::open(place.path()).unwrap(), place, installed }
    }

    impl Scene {
        fn run(&self, probe: &Probe) -> Verdict {
            run(&self.folder, &self.installed, probe).unwrap()
        }
    }

    fn command(words: &[&str], timeout_seconds: u64) -> Probe {
        Probe::Command { command: words.iter().map(|&word| word.to_owned()).collect(), timeout_seconds }
    }

    fn dead(scene: &Scene, probe: &Probe) -> String {
        match scene.run(probe) {
            Verdict::Dead(why) => why,
            other => panic!("{other:?}"),
        }
    }

    /// It was told to end; that takes a moment.
    fn assert_ends(pid: &str) {
        let started = Instant::now();
        loop {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            if stat.is_empty() || stat.contains(") Z ") {
                return;
            }
            assert!(started.elapsed() < Duration::from_secs(60), "it still runs: {stat}");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_file_is_there_or_not() {
        let scene = scene("");
        assert_eq!(scene.run(&Probe::File("check".parse().unwrap())), Verdict::Lives);
        assert!(dead(&scene, &Probe::File("other".parse().unwrap())).contains("`other`"));
    }

    #[test]
    fn a_command_lives_by_its_exit_code_and_what_it_said_is_told() {
        let scene = scene("echo out $1; echo err >&2; exit $2");
        assert_eq!(scene.run(&command(&["check", "a", "0"], 60)), Verdict::Lives);
        let why = dead(&scene, &command(&["check", "a", "3"], 60));
        assert!(why.contains("code 3") && why.contains("out a") && why.contains("err"), "{why}");
        for missing in ["nothing", "/bin/true", "../check", ""] {
            assert!(dead(&scene, &command(&[missing], 60)).contains("no file of it"), "{missing}");
        }
    }

    #[test]
    fn a_command_that_the_system_cannot_start_just_now_says_nothing_of_the_build() {
        let scene = scene("exit 0");
        #[expect(clippy::disallowed_methods, reason = "a test writes as somebody else would")]
        let writer = std::fs::OpenOptions::new().append(true).open(scene.place.path().join("check")).unwrap();
        let found = scene.run(&command(&["check"], 60));
        assert!(matches!(&found, Verdict::Unknown(why) if why.contains("`check` cannot be started")), "{found:?}");
        drop(writer);
        assert_eq!(scene.run(&command(&["check"], 60)), Verdict::Lives);
        for passing in [Errno::AGAIN, Errno::NOMEM, Errno::MFILE, Errno::NFILE, Errno::TXTBSY] {
            assert!(is_passing(&passing.into()), "{passing}");
        }
        for lasting in [Errno::NOENT, Errno::ACCESS, Errno::NOEXEC] {
            assert!(!is_passing(&lasting.into()), "{lasting}");
        }
    }

    #[test]
    fn f4_a_command_that_is_not_what_was_installed_is_not_run_whatever_its_size_and_time_say() {
        let scene = scene("exit 0");
        let path = scene.place.path().join("check");
        let before = std::fs::metadata(&path).unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test writes as somebody else would")]
        {
            std::fs::write(&path, "#!/bin/sh\n: >run\n").unwrap();
            std::fs::File::options().write(true).open(&path).unwrap().set_modified(before.modified().unwrap()).unwrap();
        }
        let after = std::fs::metadata(&path).unwrap();
        assert_eq!((after.len(), after.modified().unwrap()), (before.len(), before.modified().unwrap()), "the scene is set");
        let refused = run(&scene.folder, &scene.installed, &command(&["check"], 60)).unwrap_err();
        assert!(matches!(&refused, ProbeError::Changed { path } if path.as_str() == "check"), "{refused}");
        assert!(!scene.place.path().join("run").exists());
    }

    #[test]
    fn output_is_bounded() {
        let scene = scene("i=0; while [ $i -lt 3000 ]; do echo 0123456789; i=$((i+1)); done; echo last; exit 1");
        let why = dead(&scene, &command(&["check"], 60));
        assert!(why.len() < 2 * OUTPUT_BYTES && why.contains("last"), "{} bytes", why.len());
    }

    #[test]
    fn a_command_that_hangs_is_ended_with_all_that_it_started() {
        let scene = scene("sleep 1000 & echo $! > child; sleep 1000");
        let started = Instant::now();
        assert!(dead(&scene, &command(&["check"], 1)).contains("within 1 seconds"));
        assert!(started.elapsed() < Duration::from_secs(300));
        let child = std::fs::read_to_string(scene.place.path().join("child")).unwrap();
        assert_ends(child.trim());
    }

    #[test]
    fn what_a_command_leaves_running_is_ended_and_does_not_hold_the_updater_up() {
        let scene = scene("sleep 1000 & echo $! > child; exit 0");
        assert_eq!(scene.run(&command(&["check"], 600)), Verdict::Lives);
        let child = std::fs::read_to_string(scene.place.path().join("child")).unwrap();
        assert_ends(child.trim());
    }
}
