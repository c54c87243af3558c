//! Starting programs, with a time limit on each.
//!
//! Every child leads a process group of its own; when its time is up, that group is killed by its id. The limit is watched by a thread that is told to
//! stop *before* the child is reaped, so the id cannot have passed to a stranger.

use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// What a program left behind.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
    /// Whether it was killed because its time was up.
    pub timed_out: bool,
}

impl Finished {
    /// The exit code. Panics when a signal or the time limit ended it.
    #[track_caller]
    pub fn code(&self) -> i32 {
        assert!(!self.timed_out, "killed after its time limit\n{}", self.report());
        self.status.code().unwrap_or_else(|| panic!("ended by signal {:?}\n{}", self.status.signal(), self.report()))
    }

    /// Panics with the output unless the exit code was 0.
    #[track_caller]
    pub fn succeeded(self, what: &str) -> Finished {
        assert!(!self.timed_out && self.status.success(), "{what} failed: {}\n{}", self.status, self.report());
        self
    }

    /// Both outputs, for a message.
    pub fn report(&self) -> String {
        format!("--- stdout\n{}--- stderr\n{}---", self.stdout, self.stderr)
    }
}

/// Runs `command` to its end, or kills its process group after `limit`.
pub fn run(command: &mut Command, limit: Duration) -> Finished {
    let mut child = spawn(command);
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let watch = Watch::start(&child, limit);
    wait_unreaped(&child);
    let timed_out = watch.stop();
    // Whatever it started and left behind would hold the pipes open. Its own id is still taken, by itself, until it is reaped below.
    signal_group(&child, Signal::KILL);
    let status = child.wait().expect("a child that has ended can be reaped");
    let text = |reader: JoinHandle<Vec<u8>>| String::from_utf8_lossy(&reader.join().expect("the reader does not panic")).into_owned();
    Finished { status, stdout: text(stdout), stderr: text(stderr), timed_out }
}

/// Starts `command` as the leader of its own process group, with both outputs piped and no input. Programs speak as they were written, whatever this system speaks, unless a test sets the locale.
pub fn spawn(command: &mut Command) -> Child {
    for (name, value) in [("LC_ALL", "C.UTF-8"), ("LANGUAGE", "")] {
        if !command.get_envs().any(|(set, _)| set == name) {
            command.env(name, value);
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    command.spawn().unwrap_or_else(|e| panic!("cannot start `{}`: {e}", command.get_program().display()))
}

/// Sends `signal` to the process group that `child` leads. A group that is gone is no error.
pub fn signal_group(child: &Child, signal: Signal) {
    let _ = kill_process_group(Pid::from_child(child), signal);
}

/// Blocks until `child` has ended, and leaves it unreaped.
pub fn wait_unreaped(child: &Child) {
    waitid(WaitId::Pid(Pid::from_child(child)), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).expect("our own child can be waited for");
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    let mut pipe = pipe.expect("outputs are piped");
    thread::spawn(move || {
        let mut all = Vec::new();
        // What was read before an error is still worth showing.
        let _ = pipe.read_to_end(&mut all);
        all
    })
}

/// Kills a process group when its time is up.
pub struct Watch {
    stop: Sender<()>,
    thread: JoinHandle<bool>,
}

impl Watch {
    /// Watches the group that `child` leads for at most `limit`.
    pub fn start(child: &Child, limit: Duration) -> Watch {
        let group = Pid::from_child(child);
        let (stop, stopped): (Sender<()>, Receiver<()>) = channel();
        let thread = thread::spawn(move || match stopped.recv_timeout(limit) {
            Err(RecvTimeoutError::Timeout) => {
                let _ = kill_process_group(group, Signal::KILL);
                true
            }
            Ok(()) | Err(RecvTimeoutError::Disconnected) => false,
        });
        Watch { stop, thread }
    }

    /// Ends the watch; true when it has killed. To be called before the child is reaped.
    pub fn stop(self) -> bool {
        let _ = self.stop.send(());
        self.thread.join().expect("the watch does not panic")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn output_and_exit_code_come_back() {
        let done = run(&mut sh("echo out; echo err >&2; exit 7"), Duration::from_secs(20));
        assert_eq!((done.stdout.as_str(), done.stderr.as_str(), done.code()), ("out\n", "err\n", 7));
    }

    #[test]
    fn a_program_and_its_children_are_killed_when_their_time_is_up() {
        // The grandchild holds the pipes open: this only returns if the whole group was killed.
        let done = run(&mut sh("sleep 600 & sleep 600"), Duration::from_millis(50));
        assert!(done.timed_out);
    }
}
