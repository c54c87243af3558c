//! How the system's own programs, a timer or a shortcut, are to start this updater later: from anywhere, by absolute paths.

use std::io;
use std::path::{Path, PathBuf};

use updater::pipeline::Error;
use updater::profile::{Profile, registry};

use super::Global;

/// The updater that runs this.
pub(super) fn program() -> Result<String, Error> {
    unicode(&std::env::current_exe().map_err(|source| Error::Argument { path: "updater".into(), source })?)
}

/// The words behind the program's name for `command`, in the install folder `dir`.
pub(super) fn words(command: &[&str], global: &Global, dir: &Path, profile: Profile) -> Result<Vec<String>, Error> {
    let mut words: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
    words.extend(["--dir".to_owned(), unicode(dir)?]);
    if profile == Profile::Service && global.registry != registry::system() {
        words.extend(["--registry".to_owned(), unicode(&absolute(&global.registry)?)?]);
    }
    for file in &global.ca_file {
        words.extend(["--ca-file".to_owned(), unicode(&absolute(file)?)?]);
    }
    Ok(words)
}

/// `path` from the top.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(|source| Error::Argument { path: path.to_owned(), source })
}

/// `path` as text.
pub(super) fn unicode(path: &Path) -> Result<String, Error> {
    // Windows' own long form of a path is no argument that people or `cmd` know.
    let text = path.to_str().map(|text| text.strip_prefix(r"\\?\").filter(|rest| !rest.starts_with("UNC")).unwrap_or(text).to_owned());
    let why = || io::Error::new(io::ErrorKind::InvalidInput, "it is not Unicode, which timers and shortcuts have to be");
    text.ok_or_else(|| Error::Argument { path: path.to_owned(), source: why() })
}
