//! The environment of a probe: only what a program needs to find its user and its screen (attack F5). Pure.
//!
//! What is not listed is left out, above all whatever makes a loader take other libraries (`LD_*`, `DYLD_*`) or an interpreter other code. `PATH` is the system's own.

use std::ffi::{OsStr, OsString};

/// Variables that are handed on. Names with `*` stand for all that begin so.
const KEPT: &[&str] = if cfg!(windows) {
    &[
        "ALLUSERSPROFILE",
        "APPDATA",
        "COMPUTERNAME",
        "COMSPEC",
        "HOMEDRIVE",
        "HOMEPATH",
        "LOCALAPPDATA",
        "NUMBER_OF_PROCESSORS",
        "OS",
        "PROCESSOR_ARCHITECTURE",
        "PROGRAMDATA",
        "PROGRAMFILES",
        "PROGRAMFILES(X86)",
        "PUBLIC",
        "SYSTEMDRIVE",
        "SYSTEMROOT",
        "TEMP",
        "TMP",
        "USERDOMAIN",
        "USERNAME",
        "USERPROFILE",
        "WINDIR",
    ]
} else {
    &[
        "DBUS_SESSION_BUS_ADDRESS",
        "DISPLAY",
        "HOME",
        "LANG",
        "LANGUAGE",
        "LC_*",
        "LOGNAME",
        "SHELL",
        "TERM",
        "TMPDIR",
        "TZ",
        "USER",
        "WAYLAND_DISPLAY",
        "XAUTHORITY",
        "XDG_*",
    ]
};

/// What a probe is given of `variables`.
pub(super) fn scrubbed(variables: impl Iterator<Item = (OsString, OsString)>) -> Vec<(OsString, OsString)> {
    let mut kept: Vec<(OsString, OsString)> = variables.filter(|(name, _)| is_kept(name)).collect();
    let root = kept.iter().find(|(name, _)| name.eq_ignore_ascii_case("SYSTEMROOT")).map(|(_, root)| root.clone());
    kept.push(("PATH".into(), path(root)));
    kept
}

fn is_kept(name: &OsStr) -> bool {
    // Windows does not tell cases apart; elsewhere all of these are written so.
    let name = if cfg!(windows) { name.to_ascii_uppercase() } else { name.to_owned() };
    let fits = |kept: &&str| match kept.strip_suffix('*') {
        Some(start) => name.to_str().is_some_and(|name| name.starts_with(start)),
        None => name == **kept,
    };
    KEPT.iter().any(fits)
}

/// Where a probe finds other programs.
fn path(system_root: Option<OsString>) -> OsString {
    match system_root.filter(|_| cfg!(windows)) {
        Some(root) => [root.clone(), "\\System32;".into(), root].into_iter().collect(),
        None => "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin".into(),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn f5_nothing_that_makes_a_program_load_other_code_is_handed_on() {
        let given = [
            "LD_PRELOAD",
            "LD_LIBRARY_PATH",
            "LD_AUDIT",
            "DYLD_INSERT_LIBRARIES",
            "PATH",
            "PYTHONPATH",
            "BASH_ENV",
            "ENV",
            "IFS",
            "GCONV_PATH",
            "HOME",
            "LC_ALL",
        ];
        let found = scrubbed(given.iter().map(|name| ((*name).into(), "mine".into())));
        let names: Vec<&str> = found.iter().filter_map(|(name, _)| name.to_str()).collect();
        assert_eq!(names, ["HOME", "LC_ALL", "PATH"]);
        assert!(found.contains(&("PATH".into(), "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin".into())), "the system's own");
    }
}
