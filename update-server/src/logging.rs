//! Where log events go: standard error, one line each, as text or JSON.
//!
//! An event is a message for people and fields for queries, with dotted names and the unit in the name. Nothing secret is ever a field.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, LogSettings};

/// Starts logging for the whole process. A second start changes nothing.
pub fn start(settings: &LogSettings) {
    let filter = EnvFilter::new(&settings.level);
    // A line that cannot be written is lost; complaining about it on the same standard error would panic.
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false);
    let started = match settings.format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging had been started before");
    }
}
