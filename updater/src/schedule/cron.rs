//! A line of cron. Pure.
//!
//! cron goes by the computer's own time and makes up for nothing that was slept through. So it starts a run every hour, at the station's minute, and the run decides whether it is due: after a
//! sleep that is within the hour, and neither zones nor summer time skip a period.

use super::{Rendered, Scope, Task, calendar};

/// The file of `task` for `/etc/cron.d`, or for somebody's own crontab.
pub fn render(task: &Task) -> Rendered {
    let comment = format!("# Check for updates of {} every {}; made by {}", task.folder, task.every, task.mark());
    let shell = if task.scope == Scope::System { "SHELL=/bin/sh\n" } else { "" };
    Rendered {
        name: task.name.clone(),
        bytes: format!("{comment} # {name}\n{shell}{line}\n", name = task.name, line = line(task)).into_bytes(),
    }
}

/// The line that starts a run; it ends in the task's name, by which it is found in somebody's crontab.
fn line(task: &Task) -> String {
    let minutes = calendar::minutes(task.every.seconds(), task.phase);
    let minutes: Vec<String> = minutes.iter().map(u64::to_string).collect();
    let user = if task.scope == Scope::System { "root " } else { "" };
    let words: Vec<String> = std::iter::once(&task.program).chain(&task.arguments).map(|word| quoted(word)).collect();
    // Whatever it says is in the history; cron would send it by mail, every hour.
    format!("{} * * * * {user}{} >/dev/null 2>&1 # {}", minutes.join(","), words.join(" "), task.name)
}

/// A word for `/bin/sh`, in a line in which `%` would end the command.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''").replace('%', "\\%"))
}

/// `crontab`, somebody's own, without the lines of the task `name`, and then with those of `file`.
pub fn merged(crontab: &str, name: &str, file: Option<&str>) -> String {
    let end = format!("# {name}");
    let mut lines: Vec<&str> = crontab.lines().filter(|line| !line.ends_with(&end)).collect();
    lines.extend(file.into_iter().flat_map(str::lines));
    lines.iter().map(|line| format!("{line}\n")).collect()
}
