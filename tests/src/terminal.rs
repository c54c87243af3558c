//! A person at a terminal: a pseudo-terminal as a program's input and error output, on which it asks, and its standard output beside.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::process::{Finished, Watch, wait_unreaped};

/// Far above what anything takes until it asks, and until it ends.
const LIMIT: Duration = Duration::from_secs(120);

/// A program that somebody sits at.
pub struct Terminal {
    child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    shown: String,
    output: JoinHandle<String>,
}

impl Terminal {
    /// Starts `command` at a terminal.
    pub fn start(command: &mut Command) -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a pseudo-terminal");
        grantpt(&master).expect("granted");
        unlockpt(&master).expect("unlocked");
        let name = ptsname(&master, Vec::new()).expect("it has a name").into_string().expect("in ASCII");
        let side = || {
            let options = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
            Stdio::from(rustix::fs::open(&name, options, rustix::fs::Mode::empty()).expect("the other side"))
        };
        command.stdin(side()).stderr(side()).stdout(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap_or_else(|e| panic!("cannot start `{}`: {e}", command.get_program().display()));
        // This process holds the program's side only as long as `command` does.
        command.stdin(Stdio::null()).stderr(Stdio::null());
        let mut pipe = child.stdout.take().expect("piped");
        let output = thread::spawn(move || {
            let mut all = Vec::new();
            let _ = pipe.read_to_end(&mut all);
            String::from_utf8_lossy(&all).into_owned()
        });
        let keyboard = File::from(master);
        let (mut reader, (sender, screen)) = (keyboard.try_clone().expect("a second handle"), channel());
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The end of the program ends the terminal with an error.
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        Terminal { child, keyboard, screen, shown: String::new(), output }
    }

    /// Waits until `text` is on the screen.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        let until = Instant::now() + LIMIT;
        while !self.shown.contains(text) {
            match self.screen.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.shown += &String::from_utf8_lossy(&bytes),
                Err(RecvTimeoutError::Timeout) => panic!("`{text}` was not shown within {LIMIT:?}:\n{}", self.shown),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended, and `{text}` was not shown:\n{}", self.shown),
            }
        }
    }

    /// Types a line.
    pub fn types(&mut self, line: &str) {
        self.presses(&format!("{line}\n"));
    }

    /// Presses these keys and no more.
    pub fn presses(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("typed");
    }

    /// Waits for its end; what was on the screen is its standard error.
    pub fn finish(mut self) -> Finished {
        let watch = Watch::start(&self.child, LIMIT);
        wait_unreaped(&self.child);
        let timed_out = watch.stop();
        let status = self.child.wait().expect("a child that has ended can be reaped");
        while let Ok(bytes) = self.screen.recv() {
            self.shown += &String::from_utf8_lossy(&bytes);
        }
        Finished { status, stdout: self.output.join().expect("the reader does not panic"), stderr: self.shown, timed_out }
    }
}
