//! A client that runs as a child: signals go on to it, its end is waited for.

use std::io::{self, IsTerminal as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tokio::signal::unix::{Signal as Arrivals, SignalKind, signal};
use tokio::sync::oneshot;

use super::End;

/// A client that was started here.
pub(crate) struct Client {
    child: Child,
    ended: oneshot::Receiver<()>,
    /// Signals that are passed on, with their numbers.
    signals: [(Arrivals, Signal); 6],
    /// Whether somebody asked it to end, or for anything else that may end it.
    is_asked: bool,
}

impl Client {
    /// Starts `command`. Signals that arrive from now on are the client's.
    pub(crate) fn start(command: &mut Command) -> io::Result<Client> {
        let arriving = |number: Signal| Ok::<_, io::Error>((signal(SignalKind::from_raw(number.as_raw()))?, number));
        let signals = [
            arriving(Signal::TERM)?,
            arriving(Signal::HUP)?,
            arriving(Signal::USR1)?,
            arriving(Signal::USR2)?,
            arriving(Signal::INT)?,
            arriving(Signal::QUIT)?,
        ];
        let child = command.spawn()?;
        let (pid, (end, ended)) = (Pid::from_child(&child), oneshot::channel());
        std::thread::spawn(move || {
            // It is left unreaped: until it is waited for, its id cannot have passed to a stranger that a signal would reach.
            while matches!(waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT), Err(Errno::INTR)) {}
            let _ = end.send(());
        });
        Ok(Client { child, ended, signals, is_asked: false })
    }

    /// Waits for its end, and passes signals on. May be dropped and called again.
    pub(crate) async fn end(&mut self) -> End {
        loop {
            let [term, hup, usr1, usr2, int, quit] = &mut self.signals;
            let arrived = tokio::select! {
                _ = &mut self.ended => break,
                _ = term.0.recv() => term.1,
                _ = hup.0.recv() => hup.1,
                _ = usr1.0.recv() => usr1.1,
                _ = usr2.0.recv() => usr2.1,
                _ = int.0.recv() => int.1,
                _ = quit.0.recv() => quit.1,
            };
            self.is_asked = true;
            // What is typed at a terminal reaches the client without us, too.
            let has_it = matches!(arrived, Signal::INT | Signal::QUIT) && io::stdin().is_terminal();
            if !has_it {
                let _ = kill_process(Pid::from_child(&self.child), arrived);
            }
        }
        match self.child.wait() {
            Ok(status) => {
                let end = status.code().map_or_else(|| End::Signal(status.signal().unwrap_or_default()), End::Code);
                if self.is_asked { End::Asked(end.exit_code()) } else { end }
            }
            Err(error) => End::NotStarted(error.to_string()),
        }
    }
}
