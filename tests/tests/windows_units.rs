//! The unit tests of the updater, as a program for Windows under Wine: above all those of `fs/windows.rs` and `windows_api.rs`, which nothing else runs call by call.

use std::path::Path;
use std::time::Duration;

use system_tests::process::run;
use system_tests::wine::{Wine, windows_unit_tests};

/// Longest that all of them may take.
const LIMIT: Duration = Duration::from_secs(300);

#[test]
fn the_unit_tests_of_the_updater_pass_on_windows_too() {
    let mut command = Wine::ready().command(&windows_unit_tests("updater"));
    command.arg("--test-threads=2").current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../updater"));
    let said = run(&mut command, LIMIT).succeeded("the unit tests").stdout;
    let passed = |of: &str| said.lines().filter(|line| line.starts_with("test ") && line.contains(of) && line.ends_with("... ok")).count();
    // `platform` is `fs/windows.rs`: without these this would prove little.
    assert!(passed(" fs::platform::") >= 12 && passed(" windows_api::") >= 1 && passed("") >= 150, "{said}");
}
