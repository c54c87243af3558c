//! The section `[Update]` of a TOTVS `AppServer.ini`, as it stands in files that were written by hand over twenty years (AC-54, AC-55).
//!
//! Section and keys in any case, line ends of any system, a byte order mark, UTF-8 or Latin-1, comments, other sections with whatever is in them. Values are taken as they are: a backslash is a
//! backslash. Of a key or a section that stands there twice the first counts, as it does for Windows. What is not UTF-8 may be written in any of the code pages of Windows, and nothing in it says
//! which: letters that are not ASCII are guesses then, and said to be.
//!
//! rust-ini reads the lines, by its functions that do not interpret escapes; even those join a line that ends in a backslash and a line feed with the next one, so it is only ever given lines
//! that end in CR LF.

pub mod site;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use ini::Ini;
use manifests::name::Os;

/// The key of the folder for each OS (S3-2).
const KEYS: [(&str, Os); 3] = [("PathWindows", Os::Windows), ("PathLinux", Os::Linux), ("PathMacOSX", Os::Macosx)];
/// Longest file that is read, in bytes.
const MOST_BYTES: u64 = 4 << 20;

/// What the section says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Whether `Enable` is 1. Without the section, or with any other value, all is off, silently (D-34).
    pub enabled: bool,
    /// The folders whose keys are there, also those without a value.
    pub folders: Vec<UpdateFolder>,
    /// What is odd and goes on all the same, for people.
    pub remarks: Vec<String>,
}

/// The folder for one OS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateFolder {
    /// The key, in its usual spelling.
    pub key: &'static str,
    /// The OS.
    pub os: Os,
    /// Where it is; `None` when nothing is said.
    pub path: Option<PathBuf>,
}

/// The file cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum AppServerError {
    /// It could not be read.
    #[error("read `{path}`: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is longer than any such file.
    #[error("read `{0}`: it is longer than {MOST_BYTES} bytes; give the AppServer.ini of an application server")]
    TooLong(PathBuf),
    /// A line of the section is neither a comment nor KEY=VALUE.
    #[error("understand line {line} of `{path}`, in its section [Update]: `{text}` is neither a comment nor of the form KEY=VALUE")]
    Line {
        /// The file.
        path: PathBuf,
        /// Its number, from 1.
        line: usize,
        /// What it says.
        text: String,
    },
    /// A quote is opened and not closed.
    #[error("understand line {line} of `{path}`, in its section [Update]: `{text}` has an unclosed quote; close it, or take it out")]
    Quote {
        /// The file.
        path: PathBuf,
        /// Its number, from 1.
        line: usize,
        /// What it says.
        text: String,
    },
    /// Something stands behind a closing quote that is no comment.
    #[error(
        "understand line {line} of `{path}`, in its section [Update]: `{text}` goes on behind its closing quote; end it there, or begin a comment with `;`"
    )]
    BehindQuote {
        /// The file.
        path: PathBuf,
        /// Its number, from 1.
        line: usize,
        /// What it says.
        text: String,
    },
    /// A place was given for a folder that the section does not name.
    #[error("use the place given for {os}: the section [Update] of `{file}` has no `{key}`; add the key, or leave the place out")]
    NoKey {
        /// The file.
        file: PathBuf,
        /// The key that it lacks.
        key: &'static str,
        /// The OS of the folder.
        os: Os,
    },
    /// What is not UTF-8 was read as Latin-1, and leads nowhere.
    #[error(
        "use `{key}` of `{file}`: there is no folder `{value}`; the file is not UTF-8, so the letters in it are guessed: save the file as UTF-8"
    )]
    Letters {
        /// The file.
        file: PathBuf,
        /// The key.
        key: &'static str,
        /// Its value, as it was read.
        value: String,
    },
    /// A path of another system than the one that this server runs on.
    #[error(
        "use `{key}` of `{file}`: `{value}` is a path of {system}, and this server runs on {here}; give `{key}` the place where this server sees that folder, such as `{example}`, or run this \
         server on the machine that has the folder"
    )]
    OtherSystem {
        /// The file.
        file: PathBuf,
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// Whose path it is.
        system: &'static str,
        /// What this runs on.
        here: &'static str,
        /// What such a path looks like here.
        example: &'static str,
    },
}

/// The system that paths are read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum System {
    Windows,
    Unix,
}

impl System {
    const fn host() -> System {
        if cfg!(windows) { System::Windows } else { System::Unix }
    }

    const fn name(self) -> &'static str {
        match self {
            System::Windows => "Windows",
            System::Unix => std::env::consts::OS,
        }
    }
}

/// When the folders of a section are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// While it is on: to publish them. Of a section that is off nothing can be wrong.
    WhileOn,
    /// Always: to take them over. Then the section is switched off. Folders that this machine sees at another place than the file says are at these.
    Always(&'a [Place]),
}

/// Where this machine sees the folder of an OS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The OS.
    pub os: Os,
    /// The folder.
    pub path: PathBuf,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Place, String> {
        let (os, path) =
            text.split_once('=').filter(|(_, path)| !path.is_empty()).ok_or("it is OS=PATH, such as `windows=/mnt/remote_upd`")?;
        let os = Os::from_command_line(os).map_err(|error| error.to_string())?;
        Ok(Place { os, path: path.into() })
    }
}

/// Reads the file at `path`; relative paths in it are relative to its folder. All that it names is absolute.
///
/// # Errors
/// As the variants of [`AppServerError`] say.
pub fn read(path: &Path, wanted: Wanted) -> Result<Update, AppServerError> {
    let failed = |source| AppServerError::Read { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(failed)?.len() > MOST_BYTES {
        return Err(AppServerError::TooLong(path.to_owned()));
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    // What is written into a configuration elsewhere must lead to the same place from there.
    let file = std::path::absolute(path).map_err(failed)?;
    let Decoded { text, is_guessed } = decode(&bytes);
    let mut update = parse(&text, &file, System::host(), wanted)?;
    for folder in update.folders.iter_mut().filter_map(|folder| folder.path.as_mut()) {
        *folder = std::path::absolute(&*folder).map_err(failed)?;
    }
    if is_guessed {
        for UpdateFolder { key, path, .. } in &update.folders {
            let Some(read) = path
                .as_ref()
                .filter(|path| !path.strip_prefix(file.parent().unwrap_or(Path::new(""))).unwrap_or(path).to_string_lossy().is_ascii())
            else {
                continue;
            };
            let value = read.display().to_string();
            if wanted != Wanted::WhileOn && !read.is_dir() {
                return Err(AppServerError::Letters { file, key, value });
            }
            update.remarks.push(format!(
                "`{key}` of `{}` reads as `{value}`, by a guess, for the file is not UTF-8: save it as UTF-8 if that is not the folder",
                file.display()
            ));
        }
    }
    Ok(update)
}

/// The text of a file.
struct Decoded {
    text: String,
    /// Nothing says which letters those are that are not ASCII.
    is_guessed: bool,
}

/// Reads a file in whatever encoding it is: with a byte order mark, that one; UTF-16 without one is known by its first letter, which is ASCII in any INI; else UTF-8, and where it is not that,
/// Latin-1, in which every byte is a character.
fn decode(bytes: &[u8]) -> Decoded {
    let wide = |bytes: &[u8], read: fn([u8; 2]) -> u16| {
        String::from_utf16_lossy(&bytes.as_chunks().0.iter().copied().map(read).collect::<Vec<_>>())
    };
    let known = |text: String| Decoded { text, is_guessed: false };
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => known(String::from_utf8_lossy(rest).into_owned()),
        [0xff, 0xfe, rest @ ..] => known(wide(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => known(wide(rest, u16::from_be_bytes)),
        [_, 0, ..] => known(wide(bytes, u16::from_le_bytes)),
        [0, _, ..] => known(wide(bytes, u16::from_be_bytes)),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => known(text.to_owned()),
            Err(_) => Decoded { text: bytes.iter().copied().map(char::from).collect(), is_guessed: true },
        },
    }
}

fn parse(text: &str, file: &Path, system: System, wanted: Wanted) -> Result<Update, AppServerError> {
    let mut update = Update { enabled: false, folders: vec![], remarks: vec![] };
    let Some(Section { values, mut faults }) = section(text, file, &mut update.remarks)? else { return Ok(update) };
    // A line that nobody reads stops nobody.
    let mut readable = |key: &str| match faults.iter().position(|(name, _)| name.eq_ignore_ascii_case(key)) {
        Some(at) => Err(faults.swap_remove(at).1),
        None => Ok(()),
    };
    readable("Enable")?;
    let mut value_of = |key: &str| {
        let mut all = values.iter().filter(|(name, _)| name.trim().eq_ignore_ascii_case(key));
        let first = all.next().map(|(_, value)| value.trim().to_owned());
        if all.next().is_some() {
            update.remarks.push(format!("`{key}` stands twice in the section [Update] of `{}`: the first counts", file.display()));
        }
        first
    };
    update.enabled = value_of("Enable").is_some_and(|value| value == "1");
    let folders = KEYS.map(|(key, os)| (key, os, value_of(key)));
    let places = match wanted {
        Wanted::Always(places) => places,
        Wanted::WhileOn if update.enabled => &[],
        Wanted::WhileOn => return Ok(update),
    };
    KEYS.iter().try_for_each(|(key, _)| readable(key))?;
    for (key, os, value) in folders {
        let place = places.iter().find(|place| place.os == os).map(|place| place.path.clone());
        let path = match (value, place) {
            (None, None) => continue,
            (None, Some(_)) => return Err(AppServerError::NoKey { file: file.to_owned(), key, os }),
            (Some(_), Some(place)) => Some(place),
            (Some(value), None) if value.is_empty() => None,
            (Some(value), None) => Some(path_of(&value, key, file, system)?),
        };
        update.folders.push(UpdateFolder { key, os, path });
    }
    Ok(update)
}

/// The first section `[Update]`.
struct Section {
    /// Its keys and values, in order.
    values: Vec<(String, String)>,
    /// The keys whose value cannot be read, and why.
    faults: Vec<(String, AppServerError)>,
}

/// The section; `None` without one.
fn section(text: &str, file: &Path, remarks: &mut Vec<String>) -> Result<Option<Section>, AppServerError> {
    let mut lines = String::from("[update]\r\n");
    let (mut numbers, mut faults) = (vec![], vec![]);
    let (mut seen, mut inside) = (0, false);
    let unix = text.replace("\r\n", "\n").replace('\r', "\n");
    for (number, line) in (1..).zip(unix.lines()) {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            let is_update = name.trim().eq_ignore_ascii_case("update");
            seen += usize::from(is_update);
            inside = is_update && seen == 1;
            continue;
        }
        if !inside || line.is_empty() || line.starts_with([';', '#']) {
            continue;
        }
        let (path, text) = (file.to_owned(), line.escape_debug().to_string());
        if !line.contains('=') {
            return Err(AppServerError::Line { path, line: number, text });
        }
        let line = match behind_quote(line) {
            Some(comment) if comment.is_empty() || comment.starts_with([';', '#']) => line.strip_suffix(comment).unwrap_or(line),
            Some(_) => {
                let key = line.split_once('=').map_or(line, |(key, _)| key).trim();
                faults.push((key.to_owned(), AppServerError::BehindQuote { path, line: number, text }));
                continue;
            }
            None => return Err(AppServerError::Quote { path, line: number, text }),
        };
        lines.push_str(line);
        lines.push_str("\r\n");
        numbers.push(number);
    }
    if seen > 1 {
        remarks.push(format!("the section [Update] stands {seen} times in `{}`: the first counts", file.display()));
    }
    if seen == 0 {
        return Ok(None);
    }
    // It counts from 1, and the first line that it was given is our own.
    let number_of = |line: usize| line.checked_sub(2).and_then(|line| numbers.get(line)).copied().unwrap_or_default();
    let malformed =
        |error: ini::ParseError| AppServerError::Line { path: file.to_owned(), line: number_of(error.line), text: error.msg.into_owned() };
    let ini = Ini::load_from_str_noescape(&lines).map_err(malformed)?;
    let values = ini.iter().flat_map(|(_, properties)| properties.iter());
    let values = values.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    Ok(Some(Section { values, faults }))
}

/// What stands behind the closing quote of a line with a quoted value; `None` when it is not closed: rust-ini would look for its end in the lines below. What stands behind it, rust-ini would
/// take for a part of the value.
fn behind_quote(line: &str) -> Option<&str> {
    let value = line.split_once('=').map_or("", |(_, value)| value.trim_start());
    match ['"', '\''].into_iter().find_map(|quote| Some((quote, value.strip_prefix(quote)?))) {
        Some((quote, rest)) => rest.split_once(quote).map(|(_, behind)| behind.trim_start()),
        None => Some(""),
    }
}

/// A value as a path of this system.
fn path_of(value: &str, key: &'static str, file: &Path, system: System) -> Result<PathBuf, AppServerError> {
    let is_drive = matches!(value.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    let written_for = if is_drive || value.contains('\\') {
        System::Windows
    } else if value.starts_with('/') {
        System::Unix
    } else {
        system
    };
    if written_for == system {
        return Ok(file.parent().unwrap_or(Path::new("")).join(value));
    }
    let (whose, example) = match written_for {
        System::Windows => ("Windows", "/erp/bin/remote_upd"),
        System::Unix => ("Linux or macOS", r"c:\ERP\bin\remote_upd"),
    };
    Err(AppServerError::OtherSystem { file: file.to_owned(), key, value: value.to_owned(), system: whose, here: system.name(), example })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "/erp/bin/appserver/appserver.ini";

    fn on(text: &str, system: System) -> Update {
        parse(text, Path::new(FILE), system, Wanted::WhileOn).unwrap()
    }

    fn paths(update: &Update) -> Vec<(&'static str, Option<&str>)> {
        update.folders.iter().map(|folder| (folder.key, folder.path.as_deref().map(|path| path.to_str().unwrap()))).collect()
    }

    const WHOLE: &str = "; the server\r\n[Environment]\r\nSourcePath=c:\\apo\\x\r\nodd line without a sign\r\n\r\n[UPDATE]\r\n# folders\r\nEnable=1\r\nPathWindows=/erp/ERP/bin/remote_upd\r\n\
                         PATHLINUX = /erp/ERP/bin/remote_linux_upd\r\n  pathmacosx=/erp/ERP/bin/remote_macosx_upd  \r\n[Drivers]\r\nActive=TCP\r\nEnable=0\r\n";

    #[test]
    fn ac_54_all_three_folders_are_read_whatever_case_line_ends_and_encoding_the_file_has() {
        let wanted = vec![
            ("PathWindows", Some("/erp/ERP/bin/remote_upd")),
            ("PathLinux", Some("/erp/ERP/bin/remote_linux_upd")),
            ("PathMacOSX", Some("/erp/ERP/bin/remote_macosx_upd")),
        ];
        let wide =
            |text: &str, order: fn(u16) -> [u8; 2], mark: [u8; 2]| [mark.to_vec(), text.encode_utf16().flat_map(order).collect()].concat();
        let latin: Vec<u8> = [b"; servidor de produ\xe7\xe3o\r\n".as_slice(), WHOLE.as_bytes()].concat();
        for bytes in [
            WHOLE.as_bytes().to_vec(),
            WHOLE.replace("\r\n", "\n").into_bytes(),
            WHOLE.replace("\r\n", "\r").into_bytes(),
            [b"\xef\xbb\xbf".as_slice(), WHOLE.replace("[UPDATE]", "[ uPdAtE ]").as_bytes()].concat(),
            latin,
            wide(WHOLE, u16::to_le_bytes, [0xff, 0xfe]),
            wide(WHOLE, u16::to_be_bytes, [0xfe, 0xff]),
            wide(WHOLE, u16::to_le_bytes, [0xff, 0xfe])[2..].to_vec(),
            wide(WHOLE, u16::to_be_bytes, [0xfe, 0xff])[2..].to_vec(),
        ] {
            let update = on(&decode(&bytes).text, System::Unix);
            assert!(update.enabled && update.remarks.is_empty());
            assert_eq!(paths(&update), wanted, "{bytes:?}");
        }
        let accents = b"[update]\nEnable=1\nPathLinux=/erp/vers\xe3o\n";
        assert_eq!(paths(&on(&decode(accents).text, System::Unix)), [("PathLinux", Some("/erp/versão"))]);
    }

    /// The line that the default reader of rust-ini turns into `c:ERP`, a backspace, `in` and a carriage return.
    #[test]
    fn ac_54_a_backslash_is_a_backslash() {
        let update =
            on("[Update]\nEnable=1\nPathWindows=c:\\ERP\\bin\\remote_upd\nPathLinux=c:\\ERP\\bin\\remote_linux_upd\n", System::Windows);
        let read: Vec<String> = update.folders.iter().map(|folder| folder.path.as_ref().unwrap().to_str().unwrap().to_owned()).collect();
        assert!(read[0].ends_with(r"c:\ERP\bin\remote_upd") && read[1].ends_with(r"c:\ERP\bin\remote_linux_upd"), "{read:?}");
    }

    /// The other trap: at the end of a line, a backslash joins it with the next.
    #[test]
    fn ac_54_a_path_that_ends_in_a_backslash_does_not_swallow_the_next_line() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["[Update]", "Enable=1", r"PathWindows=c:\ERP\remote_upd\", r"PathLinux=c:\ERP\linux\"].join(end);
            let update = on(&text, System::Windows);
            let read: Vec<String> =
                update.folders.iter().map(|folder| folder.path.as_ref().unwrap().to_str().unwrap().to_owned()).collect();
            assert!(read.len() == 2 && read[0].ends_with(r"c:\ERP\remote_upd\") && read[1].ends_with(r"c:\ERP\linux\"), "{end:?} {read:?}");
        }
    }

    #[test]
    fn ac_55_without_the_section_or_another_value_than_1_all_is_off_and_nothing_is_said_of_paths() {
        for text in [
            "",
            "[Drivers]\nEnable=1\n",
            "[Update]\n",
            "[Update]\nEnable=0\nPathWindows=c:\\x\n",
            "[Update]\nEnable=yes\n",
            "[Update]\nEnable=\n",
            "Enable=1\n",
        ] {
            assert_eq!(on(text, System::Unix), Update { enabled: false, folders: vec![], remarks: vec![] }, "{text}");
        }
    }

    #[test]
    fn folders_of_a_section_that_is_off_can_be_taken_over_all_the_same() {
        let update = parse("[Update]\nEnable=0\nPathLinux=/erp/linux\n", Path::new(FILE), System::Unix, Wanted::Always(&[])).unwrap();
        assert_eq!((update.enabled, paths(&update)), (false, vec![("PathLinux", Some("/erp/linux"))]));
    }

    #[test]
    fn ac_55_a_key_without_a_value_is_kept_to_be_told_of_and_one_that_is_not_there_is_not_wanted() {
        let update = on("[Update]\nEnable=1\nPathWindows=\nPathLinux=/erp/linux\n", System::Unix);
        assert_eq!(paths(&update), [("PathWindows", None), ("PathLinux", Some("/erp/linux"))]);
    }

    #[test]
    fn of_what_stands_twice_the_first_counts_and_it_is_said() {
        let update =
            on("[Update]\nEnable=1\nPathLinux=/one\nPATHLINUX=/two\nPathLinux=/three\n[UPDATE]\nEnable=0\nPathLinux=/four\n", System::Unix);
        assert_eq!(paths(&update), [("PathLinux", Some("/one"))]);
        assert!(update.enabled && update.remarks.len() == 2, "{:?}", update.remarks);
    }

    #[test]
    fn quotes_are_taken_off_and_a_relative_path_is_relative_to_the_file() {
        let update = on("[Update]\nEnable=1\nPathLinux=\"/erp/with space\"\nPathWindows=remote_upd\n", System::Unix);
        assert_eq!(paths(&update), [("PathWindows", Some("/erp/bin/appserver/remote_upd")), ("PathLinux", Some("/erp/with space"))]);
        let update = on("[Update]\nEnable='1' # on\nPathLinux=\"/erp/linux\" ; the old one\nPathWindows=/erp/w ; x\n", System::Unix);
        assert_eq!(paths(&update), [("PathWindows", Some("/erp/w ; x")), ("PathLinux", Some("/erp/linux"))]);
    }

    #[test]
    fn all_that_is_read_is_absolute_whichever_way_the_file_was_named() {
        let here = std::env::current_dir().unwrap();
        let folder = tempfile::Builder::new().prefix("site").tempdir_in(&here).unwrap();
        let relative = folder.path().strip_prefix(&here).unwrap();
        std::fs::write(relative.join("AppServer.ini"), "[Update]\nEnable=1\nPathLinux=linux\nPathWindows=w\n").unwrap();
        let places = ["windows=elsewhere".parse().unwrap()];
        let update = read(&relative.join("AppServer.ini"), Wanted::Always(&places)).unwrap();
        let read: Vec<PathBuf> = update.folders.into_iter().map(|folder| folder.path.unwrap()).collect();
        assert_eq!(read, [here.join("elsewhere"), folder.path().join("linux")]);
    }

    #[test]
    fn a_place_that_is_given_stands_for_what_the_file_says_and_one_without_a_key_is_named() {
        let places = ["windows=/mnt/upd".parse().unwrap()];
        let taken = |text: &str| parse(text, Path::new(FILE), System::Unix, Wanted::Always(&places));
        let update = taken("[Update]\nPathWindows=c:\\ERP\\upd\nPathLinux=/erp/linux\n").unwrap();
        assert_eq!(paths(&update), [("PathWindows", Some("/mnt/upd")), ("PathLinux", Some("/erp/linux"))]);
        let error = taken("[Update]\nPathLinux=/erp/linux\n").unwrap_err().to_string();
        assert!(error.contains("no `PathWindows`"), "{error}");
        for wrong in ["windows", "windows=", "dos=/mnt"] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn letters_that_were_guessed_are_said_and_a_folder_that_is_not_there_by_them_is_not_taken_over() {
        let site = tempfile::tempdir().unwrap();
        let file = site.path().join("AppServer.ini");
        // `версия` in the code page 1251.
        std::fs::write(&file, b"; \xe2\n[Update]\nEnable=1\nPathLinux=\xe2\xe5\xf0\xf1\xe8\xff\nPathWindows=plain\n").unwrap();
        let update = read(&file, Wanted::WhileOn).unwrap();
        assert!(
            update.remarks.len() == 1 && update.remarks[0].contains("`PathLinux`") && update.remarks[0].contains("âåðñèÿ"),
            "{:?}",
            update.remarks
        );
        assert!(update.remarks[0].contains("save it as UTF-8"), "{:?}", update.remarks);
        let error = read(&file, Wanted::Always(&[])).unwrap_err().to_string();
        assert!(error.contains("`PathLinux`") && error.contains("âåðñèÿ") && error.contains("UTF-8"), "{error}");
        std::fs::create_dir(site.path().join("âåðñèÿ")).unwrap();
        assert_eq!(read(&file, Wanted::Always(&[])).unwrap().remarks.len(), 1, "the guess was right");
        std::fs::write(&file, "[Update]\nEnable=1\nPathLinux=версия\n").unwrap();
        assert_eq!(read(&file, Wanted::Always(&[])).unwrap().remarks, [""; 0]);
    }

    #[test]
    fn an_unclosed_quote_is_named_with_the_line_of_the_file() {
        let text =
            "[General]\r\nMaxStringSize=10\r\n\r\n[Update]\r\n; folders\r\nEnable=1\r\nPathLinux=\"/erp/linux\r\nPathWindows=/erp/w\r\n";
        let error = parse(text, Path::new(FILE), System::Unix, Wanted::WhileOn).unwrap_err().to_string();
        assert!(error.contains("line 7") && error.contains("unclosed quote") && error.contains("/erp/linux"), "{error}");
        let behind = parse(&text.replace("\"/erp/linux", "\"/erp\" /linux"), Path::new(FILE), System::Unix, Wanted::WhileOn)
            .unwrap_err()
            .to_string();
        assert!(behind.contains("line 7") && behind.contains("behind its closing quote"), "{behind}");
        let text = text.replace("PathLinux=\"/erp", "=/erp");
        let error = parse(&text, Path::new(FILE), System::Unix, Wanted::WhileOn).unwrap_err().to_string();
        assert!(error.contains("line 7") && error.contains("missing key"), "{error}");
    }

    #[test]
    fn ac_54_a_path_of_the_other_system_is_refused_with_its_key_and_the_cure() {
        for (value, system, words) in [
            (r"c:\ERP\bin\remote_upd", System::Unix, ["a path of Windows", "/erp/bin/remote_upd"]),
            (r"\\server\erp\remote_upd", System::Unix, ["a path of Windows", "/erp/bin/remote_upd"]),
            ("C:/ERP/remote_upd", System::Unix, ["a path of Windows", "/erp/bin/remote_upd"]),
            ("/erp/bin/remote_upd", System::Windows, ["a path of Linux or macOS", r"c:\ERP\bin\remote_upd"]),
        ] {
            let error = parse(&format!("[Update]\nEnable=1\nPathMacOSX={value}\n"), Path::new(FILE), system, Wanted::WhileOn)
                .unwrap_err()
                .to_string();
            assert!(error.contains("`PathMacOSX`") && error.contains(value) && words.iter().all(|word| error.contains(word)), "{error}");
        }
    }

    #[test]
    fn a_line_of_the_section_that_says_nothing_is_named() {
        let error = parse("[General]\r\nwhatever\r\n[Update]\r\nEnable\r\n", Path::new(FILE), System::Unix, Wanted::WhileOn)
            .unwrap_err()
            .to_string();
        assert!(error.contains("line 4") && error.contains("`Enable`"), "{error}");
    }
}
