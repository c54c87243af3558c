//! An `update-server` under test.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::process::{Watch, signal_group, spawn, wait_unreaped};

/// How long a server may take to say where it listens.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running server; it is asked to stop, and then killed, when dropped.
pub struct Server {
    child: Child,
    address: SocketAddr,
    output: Arc<Mutex<String>>,
    /// Its configuration file, which `update-server link` reads as well.
    pub config: PathBuf,
    /// The name of the repository that it serves.
    pub repository: String,
}

impl Server {
    /// Starts `command`, which reads `config` and serves `repository`, and waits until it prints where it listens.
    pub fn start(command: &mut Command, config: &Path, repository: &str) -> Server {
        let mut child = spawn(command);
        let output = Arc::new(Mutex::new(String::new()));
        let (sender, lines) = channel();
        collect(child.stdout.take().expect("stdout is piped"), &output, &sender);
        collect(child.stderr.take().expect("stderr is piped"), &output, &sender);
        drop(sender);
        let address = loop {
            match lines.recv_timeout(START_LIMIT) {
                Ok(line) => {
                    if let Some(address) = announced(&line) {
                        break address;
                    }
                }
                Err(problem) => {
                    signal_group(&child, Signal::KILL);
                    let _ = child.wait();
                    panic!("the server did not say where it listens ({problem})\n{}", text(&output));
                }
            }
        };
        Server { child, address, output, config: config.to_owned(), repository: repository.to_owned() }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// All it has printed up to now.
    pub fn output(&self) -> String {
        text(&self.output)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        signal_group(&self.child, Signal::TERM);
        let watch = Watch::start(&self.child, Duration::from_secs(10));
        wait_unreaped(&self.child);
        watch.stop();
        let _ = self.child.wait();
    }
}

/// The address in the line `listening on http://ADDRESS`, or in the log's `listen.address=ADDRESS`.
fn announced(line: &str) -> Option<SocketAddr> {
    let (_, address) = line.split_once("listening on http://").or_else(|| line.split_once("listen.address="))?;
    let address = address.split_whitespace().next()?.trim_end_matches('/');
    Some(address.parse().unwrap_or_else(|e| panic!("`{address}` is no address: {e}")))
}

/// Keeps what is printed, and passes each line on while somebody listens.
fn collect(pipe: impl Read + Send + 'static, output: &Arc<Mutex<String>>, lines: &Sender<String>) {
    let (output, lines) = (Arc::clone(output), lines.clone());
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let mut all = output.lock().unwrap_or_else(PoisonError::into_inner);
            all.push_str(&line);
            all.push('\n');
            drop(all);
            let _ = lines.send(line);
        }
    });
}

fn text(output: &Mutex<String>) -> String {
    output.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
