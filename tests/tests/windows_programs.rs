//! What the Windows programs are made of: the libraries that they import and the manifest that they carry.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use system_tests::process::run;
use system_tests::wine::windows_program;

/// Libraries of Windows itself, in lower case. Whatever else a program imports would have to be shipped with it, and could be planted beside it (attack F5).
const OF_WINDOWS: [&str; 19] = [
    "advapi32.dll",
    "bcrypt.dll",
    "bcryptprimitives.dll",
    "combase.dll",
    "crypt32.dll",
    "kernel32.dll",
    "ktmw32.dll",
    "msvcrt.dll",
    "ntdll.dll",
    "ole32.dll",
    "oleaut32.dll",
    "rpcrt4.dll",
    "secur32.dll",
    "shell32.dll",
    "shlwapi.dll",
    "user32.dll",
    "userenv.dll",
    "ws2_32.dll",
    "iphlpapi.dll",
];

fn imports(program: &Path) -> BTreeSet<String> {
    let listed = run(Command::new("x86_64-w64-mingw32-objdump").arg("-p").arg(program), Duration::from_secs(60)).succeeded("objdump");
    let names = listed.stdout.lines().filter_map(|line| line.trim().strip_prefix("DLL Name: "));
    names.map(str::to_ascii_lowercase).collect()
}

#[test]
fn f5_the_programs_import_nothing_but_libraries_of_windows() {
    for name in ["updater", "manifests"] {
        let imports = imports(&windows_program(name));
        assert!(imports.contains("kernel32.dll"), "the list of `{name}` was read: {imports:?}");
        // Names of sets of functions, which the loader itself resolves.
        let foreign: Vec<_> =
            imports.iter().filter(|name| !name.starts_with("api-ms-win-") && !OF_WINDOWS.contains(&name.as_str())).collect();
        assert!(foreign.is_empty(), "`{name}` imports {foreign:?}");
        assert!(!imports.contains("rstrtmgr.dll"), "the Restart Manager is loaded when it is needed, from the system's folder");
    }
}

#[test]
fn the_programs_run_as_who_starts_them_and_know_long_paths() {
    for name in ["updater", "manifests"] {
        let program = std::fs::read(windows_program(name)).expect("built");
        let holds = |text: &str| program.windows(text.len()).any(|bytes| bytes == text.as_bytes());
        for wanted in [r#"requestedExecutionLevel level="asInvoker""#, "<longPathAware", "{8e0f7a12-bfb3-4fe8-b9a5-48fd50a15a9a}"] {
            assert!(holds(wanted), "the manifest of `{name}` lacks {wanted}");
        }
    }
}
