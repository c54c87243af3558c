//! The tables of `docs/security.md` and `docs/crash-safety.md` say which test holds each promise; here every row is held to the sources: the files exist, the tests exist, and no case is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The project's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the project").to_owned()
}

fn read(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("cannot read `{}`: {e}", path.display()))
}

/// The rows of all tables of a page, cell by cell, without heads and rules.
fn rows(page: &str) -> Vec<Vec<String>> {
    let lines: Vec<&str> = page.lines().collect();
    let is_row = |line: &str| line.starts_with('|') && line.ends_with('|');
    let is_rule = |line: &str| is_row(line) && line.bytes().all(|byte| b"|-: ".contains(&byte));
    let body =
        lines.iter().enumerate().filter(|(n, line)| is_row(line) && !is_rule(line) && !lines.get(n + 1).is_some_and(|next| is_rule(next)));
    body.map(|(_, line)| cells(line)).collect()
}

/// The cells of a row; `\|` does not end one.
fn cells(line: &str) -> Vec<String> {
    let inner = line.trim_start_matches('|').trim_end_matches('|').replace("\\|", "\u{1}");
    inner.split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect()
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Names of the tests of a source: functions under `#[test]` or `#[tokio::test]`, also within macros.
fn tests_of(source: &str) -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim) {
        if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        } else if !line.starts_with("//") {
            let name = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ").and_then(|rest| rest.split('(').next());
            tests.extend(name.filter(|_| is_test).map(str::to_owned));
            is_test = false;
        }
    }
    tests
}

/// The tests that a cell names, each with its file: `` `file.rs`: `one`, `two`; `other.rs`: `three` ``.
fn named(cell: &str) -> Vec<(String, String)> {
    let mut file = String::new();
    let mut named = Vec::new();
    for word in quoted(cell) {
        match word.ends_with(".rs") {
            true => file = word.to_owned(),
            false => named.push((file.clone(), word.to_owned())),
        }
    }
    named
}

/// Every case that has to have a row.
fn cases() -> BTreeSet<String> {
    let groups = [("A", 1..=25), ("B", 1..=10), ("C", 1..=14), ("D", 1..=11), ("AC-", 49..=53)];
    groups.into_iter().flat_map(|(group, numbers)| numbers.map(move |n| format!("{group}{n}"))).collect()
}

/// How the names of a case's tests begin: `a1_`, `ac_49_`.
fn prefix(case: &str) -> String {
    format!("{}_", case.to_lowercase().replace('-', "_"))
}

/// Rows of `docs/security.md` that begin with a case, by case.
fn security() -> BTreeMap<String, Vec<Vec<String>>> {
    let mut by_case: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    for row in rows(&read("docs/security.md")) {
        let case = row[0].clone();
        let number = case.trim_start_matches("AC-").trim_start_matches(|c: char| ('A'..='G').contains(&c));
        if number.len() < case.len() && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
            by_case.entry(case).or_default().push(row);
        }
    }
    by_case
}

#[test]
fn every_case_has_one_row_and_a_test_of_its_name() {
    let table = security();
    let missing: Vec<String> = cases().into_iter().filter(|case| !table.contains_key(case)).collect();
    assert_eq!(missing, [] as [&str; 0], "cases without a row");
    for (case, rows) in &table {
        assert_eq!(rows.len(), 1, "{case} has {} rows", rows.len());
        assert_eq!(rows[0].len(), 4, "{case}: case, attack, check, tests: {:?}", rows[0]);
        let of_its_name = named(&rows[0][3]).iter().any(|(_, test)| test.starts_with(&prefix(case)));
        assert!(of_its_name, "{case}: no test named `{}…`", prefix(case));
    }
}

#[test]
fn every_test_that_the_security_page_names_exists_in_the_file_it_says() {
    let mut sources: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (case, rows) in security() {
        for (file, test) in rows.iter().flat_map(|row| named(&row[3])) {
            let tests = sources
                .entry(file.clone())
                .or_insert_with(|| fs::read_to_string(root().join(&file)).map(|text| tests_of(&text)).unwrap_or_default());
            if !tests.contains(&test) {
                wrong.push(format!("{case}: `{file}` has no test `{test}`"));
            }
        }
        for file in rows.iter().flat_map(|row| quoted(&row[2])).filter(|word| word.ends_with(".rs")) {
            if !root().join(file).is_file() {
                wrong.push(format!("{case}: there is no `{file}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(sources.len() > 10, "the table was read: {:?}", sources.keys());
}

#[test]
fn every_test_that_the_crash_safety_page_names_exists() {
    let mut tests = BTreeSet::new();
    for folder in ["updater/src", "updater/tests", "tests/tests"] {
        for file in rust_files(&root().join(folder)) {
            tests.extend(tests_of(&fs::read_to_string(&file).expect("a source")));
        }
    }
    let rows = rows(&read("docs/crash-safety.md"));
    assert!(rows.len() > 20, "{} rows", rows.len());
    for row in rows.iter().filter(|row| row[0].starts_with('`')) {
        let cell = row.last().expect("a cell");
        assert!(quoted(cell).count() > 0, "{}: no test", row[0]);
        for test in quoted(cell) {
            assert!(tests.contains(test), "{}: there is no test `{test}`", row[0]);
        }
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("cannot list `{}`: {e}", folder.display()));
    let paths = entries.map(|entry| entry.expect("listed").path());
    paths
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .collect()
}

#[test]
fn the_reader_of_tables_and_tests_reads_what_is_there() {
    let page = "# T\n\n| case | x |\n| --- | --- |\n| A1 | `a.rs`: `one`, `two`; `b.rs`: `three` |\n| B \\| 2 | |\n\ntext\n";
    let found = rows(page);
    assert_eq!(found, [["A1", "`a.rs`: `one`, `two`; `b.rs`: `three`"], ["B | 2", ""]]);
    let expected = [("a.rs", "one"), ("a.rs", "two"), ("b.rs", "three")].map(|(file, test)| (file.to_owned(), test.to_owned()));
    assert_eq!(named(&found[0][1]), expected);
    let source = "#[test]\n#[cfg(unix)]\n/// Why.\nfn one() {}\n\nfn helper() {}\n\n    #[tokio::test(start_paused = true)]\n    async fn two() {\n// #[test]\nfn three() {}\n";
    assert_eq!(tests_of(source), ["one", "two"].map(str::to_owned).into());
    assert_eq!(cases().len(), 65);
}
