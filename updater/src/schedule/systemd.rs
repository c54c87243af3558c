//! A service and a timer of systemd. Pure.
//!
//! `Persistent=true` makes up for what was slept through, once. The station's minute and second are in `OnCalendar=`, in UTC: `RandomizedDelaySec=` alone would choose another one at every start.

use super::{Rendered, Scope, Task, calendar};

/// Both unit files of `task`.
pub fn render(task: &Task) -> Vec<Rendered> {
    let [service, timer] = [service(task), timer(task)].map(String::into_bytes);
    vec![
        Rendered { name: format!("{}.service", task.name), bytes: service },
        Rendered { name: format!("{}.timer", task.name), bytes: timer },
    ]
}

fn service(task: &Task) -> String {
    // A user's manager knows no such target.
    let network = match task.scope {
        Scope::System => "Wants=network-online.target\nAfter=network-online.target\n",
        Scope::User => "",
    };
    // Variables are replaced in arguments, and not in the program.
    let arguments: Vec<String> = task.arguments.iter().map(|text| format!(" {}", quoted(text).replace('$', "$$"))).collect();
    format!(
        "# Made by {mark}; `updater schedule remove` takes it away.\n\
         [Unit]\n\
         Description=Check for updates of {folder}\n\
         {network}\n\
         [Service]\n\
         Type=oneshot\n\
         ExecStart={program}{arguments}\n\
         # An update that is available (10), or waits for the client (11), is no failure.\n\
         SuccessExitStatus=10 11\n\
         Nice=10\n\
         IOSchedulingClass=idle\n",
        folder = task.folder.replace('%', "%%").replace('\\', "\\\\"),
        mark = task.mark(),
        program = quoted(&task.program),
        arguments = arguments.concat(),
    )
}

fn timer(task: &Task) -> String {
    let every = task.every.seconds();
    format!(
        "# Made by {mark}; `updater schedule remove` takes it away.\n\
         [Unit]\n\
         Description=Check for updates of {folder} every {every_text}\n\
         \n\
         [Timer]\n\
         OnCalendar={calendar}\n\
         Persistent=true\n\
         Unit={name}.service\n\
         \n\
         [Install]\n\
         WantedBy=timers.target\n",
        folder = task.folder.replace('%', "%%").replace('\\', "\\\\"),
        every_text = task.every,
        calendar = on_calendar(every, task.phase),
        mark = task.mark(),
        name = task.name,
    )
}

/// The times at which the timer fires.
fn on_calendar(every: u64, phase: u64) -> String {
    let minutes: Vec<String> = calendar::minutes(every, phase).iter().map(|minute| format!("{minute:02}")).collect();
    format!("*-*-* *:{}:{:02} UTC", minutes.join(","), phase % 60)
}

/// A word of a command line.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%"))
}
