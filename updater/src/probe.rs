//! Runs the probe of a release: does the build that was just installed live (AC-44)?
//!
//! A command is a program of the release itself, started in the install folder with an environment that holds nothing that could make it load other code (attack F5), in a process group of its
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

use crate::fs::{Folder, FsError, Kind, LocalPath};

/// Longest that a probe may take, whatever its publisher says: an updater that hangs helps nobody.
pub const LONGEST: Duration = Duration::from_secs(600);
/// Most bytes of each output that are kept.
const OUTPUT_BYTES: usize = 2048;
/// How long outputs are waited for after the end: a process that left the group may hold them open for ever.
const OUTPUT_WAIT: Duration = Duration::from_secs(1);

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

/// Runs `probe` in `folder`. Blocks.
pub fn run(folder: &Folder, probe: &Probe) -> Result<Verdict, FsError> {
    match probe {
        Probe::File(path) => {
            let found = folder.stat(&path.into())?.is_some_and(|stat| matches!(stat.kind, Kind::File | Kind::Link));
            Ok(if found { Verdict::Lives } else { Verdict::Dead(format!("`{path}` is not there")) })
        }
        Probe::Command { command, timeout_seconds } => run_command(folder, command, Duration::from_secs(*timeout_seconds).min(LONGEST)),
        // That is for whoever starts the client.
        Probe::Alive { .. } => Ok(Verdict::Lives),
    }
}

fn run_command(folder: &Folder, command: &[String], timeout: Duration) -> Result<Verdict, FsError> {
    let (name, arguments) = command.split_first().map_or(("", &[][..]), |(name, arguments)| (name.as_str(), arguments));
    // Only what lies in the folder is run: it is what was verified.
    let program = name.parse::<RelPath>().ok().map(|path| LocalPath::from(&path));
    let is_there = |path: &LocalPath| folder.stat(path).map(|stat| stat.is_some_and(|stat| stat.is_file()));
    match &program {
        Some(path) if is_there(path)? => {}
        _ => return Ok(Verdict::Dead(format!("`{name}`, which is to show that the build lives, is no file of it"))),
    }
    let dir = std::path::absolute(folder.path()).unwrap_or_else(|_| folder.path().to_owned());
    let mut command = Command::new(dir.join(name));
    command.args(arguments).current_dir(&dir).env_clear().envs(environment::scrubbed(std::env::vars_os()));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (end, output) = match supervise(&mut command, timeout) {
        Ok(ended) => ended,
        Err(source) => {
            let why = format!("`{name}` cannot be started: {source}");
            return Ok(if is_passing(&source) { Verdict::Unknown(why) } else { Verdict::Dead(why) });
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

    use rustix::io::Errno;

    use super::*;

    fn folder(script: &str) -> (tempfile::TempDir, Folder) {
        let place = tempfile::tempdir().unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test makes its scene")]
        {
            std::fs::write(place.path().join("check"), format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(place.path().join("check"), std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let folder = Folder::open(place.path()).unwrap();
        (place, folder)
    }

    fn command(words: &[&str], timeout_seconds: u64) -> Probe {
        Probe::Command { command: words.iter().map(|&word| word.to_owned()).collect(), timeout_seconds }
    }

    fn dead(folder: &Folder, probe: &Probe) -> String {
        match run(folder, probe).unwrap() {
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
        let (_place, folder) = folder("");
        assert_eq!(run(&folder, &Probe::File("check".parse().unwrap())).unwrap(), Verdict::Lives);
        assert!(dead(&folder, &Probe::File("other".parse().unwrap())).contains("`other`"));
    }

    #[test]
    fn a_command_lives_by_its_exit_code_and_what_it_said_is_told() {
        let (_place, folder) = folder("echo out $1; echo err >&2; exit $2");
        assert_eq!(run(&folder, &command(&["check", "a", "0"], 60)).unwrap(), Verdict::Lives);
        let why = dead(&folder, &command(&["check", "a", "3"], 60));
        assert!(why.contains("code 3") && why.contains("out a") && why.contains("err"), "{why}");
        for missing in ["nothing", "/bin/true", "../check", ""] {
            assert!(dead(&folder, &command(&[missing], 60)).contains("no file of it"), "{missing}");
        }
    }

    #[test]
    fn a_command_that_the_system_cannot_start_just_now_says_nothing_of_the_build() {
        let (place, folder) = folder("exit 0");
        #[expect(clippy::disallowed_methods, reason = "a test writes as somebody else would")]
        let writer = std::fs::OpenOptions::new().append(true).open(place.path().join("check")).unwrap();
        let found = run(&folder, &command(&["check"], 60)).unwrap();
        assert!(matches!(&found, Verdict::Unknown(why) if why.contains("`check` cannot be started")), "{found:?}");
        drop(writer);
        assert_eq!(run(&folder, &command(&["check"], 60)).unwrap(), Verdict::Lives);
        for passing in [Errno::AGAIN, Errno::NOMEM, Errno::MFILE, Errno::NFILE, Errno::TXTBSY] {
            assert!(is_passing(&passing.into()), "{passing}");
        }
        for lasting in [Errno::NOENT, Errno::ACCESS, Errno::NOEXEC] {
            assert!(!is_passing(&lasting.into()), "{lasting}");
        }
    }

    #[test]
    fn output_is_bounded() {
        let (_place, folder) = folder("i=0; while [ $i -lt 3000 ]; do echo 0123456789; i=$((i+1)); done; echo last; exit 1");
        let why = dead(&folder, &command(&["check"], 60));
        assert!(why.len() < 2 * OUTPUT_BYTES && why.contains("last"), "{} bytes", why.len());
    }

    #[test]
    fn a_command_that_hangs_is_ended_with_all_that_it_started() {
        let (place, folder) = folder("sleep 1000 & echo $! > child; sleep 1000");
        let started = Instant::now();
        assert!(dead(&folder, &command(&["check"], 1)).contains("within 1 seconds"));
        assert!(started.elapsed() < Duration::from_secs(300));
        let child = std::fs::read_to_string(place.path().join("child")).unwrap();
        assert_ends(child.trim());
    }

    #[test]
    fn what_a_command_leaves_running_is_ended_and_does_not_hold_the_updater_up() {
        let (place, folder) = folder("sleep 1000 & echo $! > child; exit 0");
        assert_eq!(run(&folder, &command(&["check"], 600)).unwrap(), Verdict::Lives);
        let child = std::fs::read_to_string(place.path().join("child")).unwrap();
        assert_ends(child.trim());
    }
}
