//! Asks the agent, and passes on what it says.

use std::io::{BufReader, Write as _};
use std::path::Path;

use super::AgentError;
use super::message::{Answer, EVENT_BYTES, Event, Request, read_line, to_line};
use super::serve::ALIVE_EVERY;
use super::socket;
use crate::profile::registry::Entry;
use crate::progress::{Progress, Step};

/// Asks the agent at `socket` for `request` in the install `entry`; `progress` hears what it says meanwhile.
pub fn ask(socket: &Path, entry: &Entry, request: &Request, progress: &dyn Progress) -> Result<Answer, AgentError> {
    let mut stream = socket::connect(socket, &entry.state)?;
    // An agent that is silent for so long is gone, or stands still.
    socket::hurry(&stream, ALIVE_EVERY * 6).map_err(AgentError::Lost)?;
    // One who has no room for us says so without reading.
    let written = stream.write_all(&to_line(request));
    let mut reader = BufReader::new(stream);
    loop {
        let line = read_line(&mut reader, EVENT_BYTES)
            .map_err(|error| AgentError::Lost(written.as_ref().err().map_or(error, |refused| refused.kind().into())))?;
        let event: Event = serde_json::from_slice(&line).map_err(|error| AgentError::Unreadable(error.to_string()))?;
        match event {
            Event::Report(answer) => return Ok(answer),
            Event::Begin { step, total } => {
                if let Some(step) = Step::from_name(&step) {
                    progress.begin(step, total);
                }
            }
            Event::Advance { amount } => progress.advance(amount),
            Event::Note { text } => progress.note(&text),
            Event::Deadline(deadline) => progress.deadline(&deadline),
            Event::Alive {} => {}
        }
    }
}
