//! A property list of launchd. Pure.
//!
//! launchd goes by the computer's own time, and after a sleep starts once what it missed. As with cron, it starts a run every hour, and the run decides whether it is due.

use super::{Rendered, Task, calendar};

/// The property list of `task`.
pub fn render(task: &Task) -> Rendered {
    let words = std::iter::once(&task.program).chain(&task.arguments);
    let words: String = words.map(|word| format!("    <string>{}</string>\n", escape(word))).collect();
    let minutes = calendar::minutes(task.every.seconds(), task.phase);
    let minutes: String = minutes
        .iter()
        .map(|minute| format!("    <dict>\n      <key>Minute</key>\n      <integer>{minute}</integer>\n    </dict>\n"))
        .collect();
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n\
         <!-- Made by {mark}. -->\n\
         <dict>\n  <key>Label</key>\n  <string>{label}</string>\n\
         \x20 <key>ProgramArguments</key>\n  <array>\n{words}  </array>\n\
         \x20 <key>StartCalendarInterval</key>\n  <array>\n{minutes}  </array>\n\
         \x20 <key>ProcessType</key>\n  <string>Background</string>\n\
         \x20 <key>LowPriorityIO</key>\n  <true/>\n\
         </dict>\n</plist>\n",
        mark = task.mark(),
        label = escape(&task.name),
    );
    Rendered { name: format!("{}.plist", task.name), bytes: text.into_bytes() }
}

/// `text` in XML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
