//! The Windows event log, log `Application`, source `Stationmaster`.

use std::io;

use super::{Record, SystemLog};
use crate::windows_api::event_log;

/// Writes `record`.
pub(super) fn write(_: &SystemLog, record: &Record) -> io::Result<()> {
    event_log::report("Stationmaster", record.is_warning, &record.message)
}
