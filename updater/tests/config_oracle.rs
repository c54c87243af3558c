//! The merge of config files, in Latin-1 and in each Unicode, beside a reader that shares nothing with it: Python's `configparser` (AC-48).

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and write")]

use std::fs;
use std::process::Command;

/// Reads the three files as another program does, and says what each key must be after the merge: independent of our parser, and of its idea of what a key is.
const ORACLE: &str = r"
import configparser, json, sys
def read(path):
    c = configparser.ConfigParser(delimiters=('=',), comment_prefixes=(';', '#'), strict=False, allow_no_value=True, interpolation=None, empty_lines_in_values=False)
    c.optionxform = str.lower
    file = open(path, 'rb').read()
    marks = {b'\xef\xbb\xbf': 'utf-8-sig', b'\xff\xfe': 'utf-16', b'\xfe\xff': 'utf-16'}
    encoding = next((marks[mark] for mark in marks if file.startswith(mark)), 'latin-1')
    c.read_string(file.decode(encoding).replace('\r\n', '\n'))
    return {(s.lower(), k): v for s in c.sections() for k, v in c.items(s)}
base, users, new, merged = map(read, sys.argv[1:5])
wrong = []
marks = [open(path, 'rb').read(2) for path in (sys.argv[2], sys.argv[4])]
if marks[0] in (b'\xff\xfe', b'\xfe\xff') and marks[0] != marks[1]: wrong.append(['the mark', *map(list, marks)])
for key in set(users) | set(new) | set(merged):
    if key in users and key in new: want = new[key] if base.get(key, ()) == users[key] else users[key]
    elif key in users: want = users[key]
    else: want = () if key in base else new[key]
    if merged.get(key, ()) != want: wrong.append([list(key), merged.get(key), want])
json.dump(wrong, sys.stdout, default=str)
";

#[test]
fn ac_48_another_reader_finds_the_values_that_the_rules_give() {
    let place = tempfile::tempdir().unwrap();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut pick = |most: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % most
    };
    // Without a mark all three are in Latin-1, as such files are. With one they mean the same letters, whichever Unicode each is in.
    let mut file = |name: &str, is_marked: bool| {
        let mut text = String::new();
        for section in ["one", "Two", "three.four"] {
            if pick(4) == 0 {
                continue;
            }
            text += &format!("[{section}]\r\n");
            for key in ["Alpha", "beta", "c:\\path", "d e", "plain"] {
                match pick(6) {
                    0 => {}
                    1 => text += &format!("; {key}\r\n"),
                    2 => text += &format!("{key}\r\n"),
                    n => {
                        text += &format!(
                            "{key}{}={}\r\n",
                            if n == 3 { " " } else { "" },
                            ["x", "a=b;c", "\"q q\"", "c:\\bin\\remote", if is_marked { "порт \u{1f600}" } else { "\u{e3}" }]
                                [usize::try_from(pick(5)).unwrap()]
                        )
                    }
                }
            }
        }
        let marked = format!("\u{feff}{text}");
        let bytes: Vec<u8> = match (is_marked, pick(3)) {
            (false, _) => text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect(),
            (true, 0) => marked.into_bytes(),
            (true, 1) => marked.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            (true, _) => marked.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        };
        let path = place.path().join(name);
        fs::write(&path, &bytes).unwrap();
        (path, bytes)
    };
    for round in 0..120 {
        let [base, users, new] = ["base", "users", "new"].map(|name| file(&format!("{name}.{round}.ini"), round % 2 == 1));
        let merged = updater::config_merge::merge(&users.1, &new.1, Some(&base.1), &[]).unwrap();
        let path = place.path().join(format!("merged.{round}.ini"));
        fs::write(&path, merged).unwrap();
        let mut python = Command::new("python3");
        let done = python.args(["-c", ORACLE]).args([&base.0, &users.0, &new.0, &path]).output().unwrap();
        let (found, error) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert_eq!(found.trim(), "[]", "round {round}: key, found, wanted; {error}");
    }
}
