//! A program that runs while a test does something else, such as a client that somebody has open.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A program that runs until its input ends; ended so when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// The first line that it said.
    pub said: String,
}

impl Running {
    /// Starts `command` and waits until it has said a line.
    #[track_caller]
    pub fn start(command: &mut Command) -> Running {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("started");
        let input = child.stdin.take();
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        let mut said = String::new();
        output.read_line(&mut said).expect("text");
        assert!(said.ends_with('\n'), "it ended before it said a line: {said:?}");
        Running { child, input, output, said }
    }

    /// Its process.
    pub fn id(&self) -> u64 {
        self.child.id().into()
    }

    /// Lets it end by itself; it must not have been killed before. Returns what else it said.
    #[track_caller]
    pub fn end(mut self) -> String {
        assert!(self.child.try_wait().expect("asked").is_none(), "it had ended already");
        self.input.take();
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).expect("text");
        assert!(self.child.wait().expect("ended").success(), "it ended by itself");
        rest
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.input.take();
        let _ = self.child.wait();
    }
}
