//! A small client to try updates with: a program, its settings, and files in nested folders.

use std::fs;
use std::io;
use std::path::Path;

/// The sample's files: path, content, whether it is a program.
const FILES: &[(&str, &str, bool)] = &[
    ("client.sh", SHELL, true),
    ("client.cmd", BATCH, false),
    ("client.ini", "[display]\r\nlanguage=en\r\ntheme=light\r\n", false),
    ("readme.txt", "A sample client. Edit any of these files, and the demo publishes the next release.\n", false),
    ("lib/greetings/en.txt", "Hello\n", false),
    ("lib/greetings/pt-BR.txt", "Olá\n", false),
    ("lib/greetings/ru.txt", "Здравствуйте\n", false),
    ("lib/greetings/zh-CN.txt", "你好\n", false),
];

const SHELL: &str = "#!/bin/sh\n# The sample client: greets in every language it knows.\ncat \"$(dirname \"$0\")\"/lib/greetings/*.txt\n";
const BATCH: &str = "@echo off\r\nrem The sample client: greets in every language it knows.\r\ntype \"%~dp0lib\\greetings\\*.txt\"\r\n";

/// Writes the sample into `folder`. Does nothing when the folder is there: by then it is somebody's, and may have been edited.
pub fn write(folder: &Path) -> io::Result<()> {
    if folder.exists() {
        return Ok(());
    }
    // Made under another name, so that a sample that was cut short is not taken for a whole one.
    let beside = folder.with_extension("new");
    if beside.exists() {
        fs::remove_dir_all(&beside)?;
    }
    for (path, content, program) in FILES {
        let path = beside.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, content)?;
        if *program {
            executable(&path)?;
        }
    }
    fs::rename(&beside, folder)
}

#[cfg(unix)]
fn executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn executable(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_that_somebody_edited_is_left_alone() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("client");
        write(&folder).unwrap();
        assert!(folder.join("lib/greetings/en.txt").exists());
        fs::write(folder.join("readme.txt"), "mine").unwrap();
        fs::remove_file(folder.join("client.ini")).unwrap();
        write(&folder).unwrap();
        assert_eq!(fs::read_to_string(folder.join("readme.txt")).unwrap(), "mine");
        assert!(!folder.join("client.ini").exists());
    }

    #[cfg(unix)]
    #[test]
    fn the_sample_client_runs() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("client");
        write(&folder).unwrap();
        let output = std::process::Command::new(folder.join("client.sh")).output().unwrap();
        assert!(String::from_utf8(output.stdout).unwrap().starts_with("Hello\n"));
    }
}
