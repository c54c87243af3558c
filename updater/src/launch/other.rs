//! A client that runs as a child, on systems where consoles tell everybody in them to end.

use std::io;
use std::process::{Command, ExitStatus};

use tokio::sync::oneshot;

use super::End;

/// A client that was started here.
pub(crate) struct Client {
    ended: oneshot::Receiver<io::Result<ExitStatus>>,
    /// Whether somebody asked it to end.
    is_asked: bool,
}

impl Client {
    /// Starts `command`.
    pub(crate) fn start(command: &mut Command) -> io::Result<Client> {
        let mut child = command.spawn()?;
        let (end, ended) = oneshot::channel();
        std::thread::spawn(move || {
            let _ = end.send(child.wait());
        });
        Ok(Client { ended, is_asked: false })
    }

    /// Waits for its end. Ctrl-C, which reaches the client as well, does not end the wait. May be dropped and called again.
    pub(crate) async fn end(&mut self) -> End {
        let status = loop {
            tokio::select! {
                status = &mut self.ended => break status,
                _ = tokio::signal::ctrl_c() => self.is_asked = true,
            }
        };
        match status {
            Ok(Ok(status)) if self.is_asked => End::Asked(status.code().unwrap_or(-1)),
            Ok(Ok(status)) => End::Code(status.code().unwrap_or(-1)),
            Ok(Err(error)) => End::NotStarted(error.to_string()),
            Err(_) => End::Code(-1),
        }
    }
}
