//! A line of cron. Pure.
//!
//! cron goes by the computer's own time and makes up for nothing that was slept through. It starts a run every hour, at the station's minute: so after a sleep one comes within the hour, and neither
//! zones nor summer time skip a period.

use super::{COMMAND, Rendered, Scope, Task, calendar};
use crate::mark;

/// The file of `task` for `/etc/cron.d`, or for somebody's own crontab.
pub fn render(task: &Task) -> Rendered {
    let comment = format!("# Check for updates of {} every {}; made by {}", task.folder, task.every, task.mark());
    let shell = if task.scope == Scope::System { "SHELL=/bin/sh\n" } else { "" };
    Rendered { name: task.name.clone(), bytes: format!("{comment}\n{shell}{line}\n", line = line(task)).into_bytes() }
}

/// The line that starts a run; it has the task's mark, as the comment has, by which both are found in somebody's crontab, and ends in its name.
fn line(task: &Task) -> String {
    let minutes = calendar::minutes(task.every.seconds(), task.phase);
    let minutes: Vec<String> = minutes.iter().map(u64::to_string).collect();
    let user = if task.scope == Scope::System { "root " } else { "" };
    let words: Vec<String> = std::iter::once(&task.program).chain(&task.arguments).map(|word| quoted(word)).collect();
    // Whatever it says is in the history; cron would send it by mail, every hour.
    format!("{} * * * * {user}{} >/dev/null 2>&1 # {} # {}", minutes.join(","), words.join(" "), task.mark(), task.name)
}

/// A word for `/bin/sh`, in a line in which `%` would end the command.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''").replace('%', "\\%"))
}

/// `crontab`, somebody's own, without the lines that have `mark`, and then with those of `file`. Every other line keeps its bytes, whatever their encoding is.
pub fn merged(crontab: &[u8], mark: &str, file: Option<&[u8]>) -> Vec<u8> {
    let others = crontab.split_inclusive(|&byte| byte == b'\n').filter(|line| !mark::has(line, mark));
    let mut merged: Vec<u8> = others.flatten().copied().collect();
    if let Some(file) = file {
        // cron wants an end to every line, and ours is no rest of somebody else's.
        if merged.last().is_some_and(|&byte| byte != b'\n') {
            merged.push(b'\n');
        }
        merged.extend_from_slice(file);
    }
    merged
}

/// Whether `name` ends a line of another install in `crontab`, and none with `mark` is there. A comment of somebody's own is no name of a task.
pub fn is_others(crontab: &[u8], mark: &str, name: &str) -> bool {
    let (begins, ends) = (mark::beginning(COMMAND), format!(") # {name}"));
    let is_named = |line: &[u8]| line.trim_ascii_end().ends_with(ends.as_bytes()) && mark::has(line, &begins);
    crontab.split(|&byte| byte == b'\n').any(is_named) && !mark::has(crontab, mark)
}
