//! The systemd journal in its native protocol, else syslog (RFC 3164): one datagram per record.

use std::io;
use std::os::unix::net::UnixDatagram;

use super::{Record, SystemLog};

/// What the record is found under.
const IDENTIFIER: &str = "updater";
/// Longest line of syslog, in bytes: RFC 3164 has no more.
const SYSLOG_BYTES: usize = 1024;

/// Writes `record` to the first of both that is there.
pub(super) fn write(log: &SystemLog, record: &Record) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    // A journal that does not read holds nobody up.
    socket.set_nonblocking(true)?;
    match socket.send_to(&native(record), &log.journal) {
        Ok(_) => Ok(()),
        Err(_) => socket.send_to(syslog(record).as_bytes(), &log.syslog).map(drop),
    }
}

/// The record in the journal's own protocol: a value with a line end is told by its length.
fn native(record: &Record) -> Vec<u8> {
    let priority = if record.is_warning { "4" } else { "6" };
    let head = [("MESSAGE", record.message.as_str()), ("PRIORITY", priority), ("SYSLOG_IDENTIFIER", IDENTIFIER)];
    let mut bytes = vec![];
    for (name, value) in head.into_iter().chain(record.fields.iter().map(|(name, value)| (*name, value.as_str()))) {
        bytes.extend_from_slice(name.as_bytes());
        if value.contains('\n') {
            bytes.push(b'\n');
            bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
        } else {
            bytes.push(b'=');
        }
        bytes.extend_from_slice(value.as_bytes());
        bytes.push(b'\n');
    }
    bytes
}

/// The record as a line of syslog: facility `user`.
fn syslog(record: &Record) -> String {
    let priority = 8 + if record.is_warning { 4 } else { 6 };
    let line = format!("<{priority}>{IDENTIFIER}[{}]: {}", std::process::id(), record.message.replace('\n', " "));
    let end = (0..=line.len().min(SYSLOG_BYTES)).rev().find(|at| line.is_char_boundary(*at)).unwrap_or_default();
    line[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ac_74_a_value_with_a_line_end_is_told_by_its_length() {
        let record = Record { message: "a".into(), is_warning: true, fields: vec![("X", "b\nc".into())] };
        assert_eq!(native(&record), b"MESSAGE=a\nPRIORITY=4\nSYSLOG_IDENTIFIER=updater\nX\n\x03\0\0\0\0\0\0\0b\nc\n");
        let long = Record { message: "ä".repeat(2000), ..record };
        assert!(syslog(&long).starts_with("<12>updater[") && syslog(&long).len() <= SYSLOG_BYTES);
    }
}
