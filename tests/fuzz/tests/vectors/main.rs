//! The frozen documents of `tests/vectors`: each good one is accepted and says what it always said, each bad one is refused for the reason it is there for.
//!
//! What a format means is what these files mean. A change that turns one of them over changes the format (`docs/format.md` section 15).

mod generate;
mod read;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

/// Where the documents lie.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../vectors")
}

/// A row of the table in `README.md`: what is expected of a file, and why it is there.
struct Row {
    outcome: String,
    why: String,
}

fn index() -> BTreeMap<String, Row> {
    let text = fs::read_to_string(folder().join("README.md")).expect("tests/vectors/README.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    rows.map(|(file, rest)| {
        let (outcome, why) = rest.trim_end_matches(" |").rsplit_once(" | ").expect("three columns");
        (file.to_owned(), Row { outcome: outcome.to_owned(), why: why.to_owned() })
    })
    .collect()
}

fn files() -> BTreeSet<String> {
    let entries = fs::read_dir(folder()).expect("tests/vectors");
    entries.map(|entry| entry.expect("listed").file_name().into_string().expect("UTF-8")).filter(|name| name != "README.md").collect()
}

/// What reading a file comes to, in one line.
fn outcome(file: &str) -> Result<String, String> {
    let bytes = fs::read(folder().join(file)).unwrap_or_else(|e| panic!("`{file}`: {e}"));
    let kind = file.split(['-', '.']).nth(1).unwrap_or_default();
    let (_, read) = read::KINDS.iter().find(|(name, _)| *name == kind).unwrap_or_else(|| panic!("`{file}` is of no kind that is read"));
    read(file, &bytes).map(one_line).map_err(one_line)
}

/// As it can stand in a cell of the table.
fn one_line(text: String) -> String {
    text.replace('\n', " ").replace('|', "¦")
}

#[test]
fn every_good_document_says_what_it_always_said() {
    for (file, row) in index().iter().filter(|(file, _)| file.starts_with("good-")) {
        assert_eq!(outcome(file).as_ref(), Ok(&row.outcome), "`{file}`: {}", row.why);
    }
}

#[test]
fn every_bad_document_is_refused_for_the_reason_it_is_there_for() {
    for (file, row) in index().iter().filter(|(file, _)| file.starts_with("bad-")) {
        match outcome(file) {
            Ok(accepted) => panic!("`{file}` is accepted as {accepted}: {}", row.why),
            Err(reason) => assert!(reason.contains(&row.outcome), "`{file}` is refused because `{reason}`, not because `{}`", row.outcome),
        }
    }
}

#[test]
fn every_document_is_in_the_table_and_the_table_lists_nothing_else() {
    let listed: BTreeSet<String> = index().into_keys().collect();
    let (files, empty) = (files(), BTreeSet::new());
    assert_eq!(files.difference(&listed).collect::<BTreeSet<_>>(), empty.iter().collect(), "in tests/vectors, but not in its table");
    assert_eq!(listed.difference(&files).collect::<BTreeSet<_>>(), empty.iter().collect(), "in the table, but not in tests/vectors");
    assert!(listed.iter().all(|file| file.starts_with("good-") || file.starts_with("bad-")));
    for row in index().values() {
        assert!(!row.outcome.is_empty() && !row.why.is_empty());
    }
}

#[test]
fn every_kind_of_document_has_a_good_one_and_a_bad_one() {
    for (kind, _) in read::KINDS {
        for verdict in ["good", "bad"] {
            let found = files().iter().any(|file| file.split(['-', '.']).take(2).eq([verdict, *kind]));
            assert!(found, "no {verdict} document of the kind `{kind}`");
        }
    }
}

#[test]
fn documents_that_do_not_hang_on_a_compressor_can_be_made_again() {
    for made in generate::all() {
        let committed = fs::read(folder().join(&made.file)).unwrap_or_else(|e| panic!("`{}`: {e}", made.file));
        assert!(committed.len() <= 16 << 10, "`{}` is no small document", made.file);
        assert!(made.is_compressed || committed == made.bytes, "`{}` is not what it was made as", made.file);
    }
}

/// Writes what is missing, and adds its row to the table; changes nothing that is there: `cargo test -p fuzz --test vectors -- --ignored`.
#[test]
#[ignore = "by hand, when a format changes: writes tests/vectors"]
fn write_missing_vectors() {
    let mut rows = index();
    let all = generate::all();
    for made in all.iter().filter(|made| !folder().join(&made.file).exists()) {
        fs::write(folder().join(&made.file), &made.bytes).expect("written");
    }
    for made in all {
        if !rows.contains_key(&made.file) {
            let outcome = outcome(&made.file).unwrap_or_else(|reason| reason);
            rows.insert(made.file.clone(), Row { outcome, why: made.why.to_owned() });
        }
    }
    let readme = fs::read_to_string(folder().join("README.md")).expect("read");
    let intro: String = readme.lines().take_while(|line| !line.starts_with("| `")).map(|line| format!("{line}\n")).collect();
    let table: String = rows.iter().map(|(file, row)| format!("| `{file}` | {} | {} |\n", row.outcome, row.why)).collect();
    fs::write(folder().join("README.md"), intro + &table).expect("written");
}
