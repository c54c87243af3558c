//! What accepted input must be, judged without the code under test.

use std::path::{Component, Path};

/// Most that a message may say of the input: a terminal and a log take that.
const LONGEST_MESSAGE: usize = 8192;

/// Panics unless `path`, which was accepted, stays below the folder it is joined to and names an ordinary file there, on every OS.
#[track_caller]
pub fn assert_stays_inside(path: &str) {
    let parts: Vec<&str> = path.split('/').collect();
    let normal = Path::new(path).components().all(|component| matches!(component, Component::Normal(_)));
    assert!(normal && Path::new(path).components().count() == parts.len(), "unix: {path:?}");
    assert!(path.len() <= 2048 && parts.len() <= 64, "too long: {path:?}");
    for part in &parts {
        assert!(!part.is_empty() && *part != "." && *part != ".." && part.len() <= 255 && part.encode_utf16().count() <= 255, "{path:?}");
        assert!(!part.chars().any(|c| c.is_control() || r#"\:*?"<>|"#.contains(c)), "windows characters: {path:?}");
        assert!(!part.ends_with('.') && !part.ends_with(' ') && !part.starts_with(' '), "windows trims: {path:?}");
        let stem = part.split('.').next().unwrap_or_default().trim_end_matches(' ').to_uppercase();
        let mut port = stem.chars();
        let prefix: String = port.by_ref().take(3).collect();
        let numbered = matches!(
            (prefix.as_str(), port.as_str().chars().collect::<Vec<_>>().as_slice()),
            ("COM" | "LPT", ['0'..='9' | '¹' | '²' | '³'])
        );
        assert!(
            !numbered && !["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"].contains(&stem.as_str()),
            "windows device: {path:?}"
        );
    }
    let first = parts.first().map(|first| first.to_lowercase()).unwrap_or_default();
    assert!(first != ".updater" && !first.starts_with("bkp_remote."), "our own state: {path:?}");
    // What shows nothing, or turns text around: the ones that have been used in attacks.
    assert!(!path.chars().any(|c| matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{feff}' | '\u{fffd}')), "hidden: {path:?}");
}

/// Panics unless what is said of refused input can be shown and logged: of bounded length, in one piece, without control characters that a terminal would obey.
#[track_caller]
pub fn assert_readable(message: &dyn std::fmt::Display) {
    let text = message.to_string();
    assert!(text.len() <= LONGEST_MESSAGE, "a message of {} bytes: {:.200}…", text.len(), text);
    assert!(!text.chars().any(char::is_control), "a message with control characters: {text:?}");
}
