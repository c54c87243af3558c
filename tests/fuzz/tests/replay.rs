//! What the fuzzer began from and what it found, through the very functions that it calls: part of every test run, without a fuzzer.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use fuzz::{TARGETS, Target, seeds};

/// Small changes that are tried on each seed.
const CHANGES: u64 = 60;

fn below(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("`{}`: {e}", folder.display()));
    entries.map(|entry| entry.expect("listed").file_name().into_string().expect("UTF-8")).collect()
}

/// Every committed input of a target, by name.
fn inputs(folder: &str, target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = below(folder).join(target);
    if !folder.exists() {
        return vec![];
    }
    names(&folder).into_iter().map(|name| (name.clone(), fs::read(folder.join(&name)).expect("read"))).collect()
}

/// Runs a target, and says on what when it panics.
fn run(name: &str, target: Target, input: &str, bytes: &[u8]) -> bool {
    std::panic::catch_unwind(|| target(bytes))
        .unwrap_or_else(|_| panic!("target `{name}` failed on {input}: {:?}", String::from_utf8_lossy(bytes)))
}

#[test]
fn every_seed_keeps_the_promises_of_its_target_and_some_are_accepted() {
    for (name, target) in TARGETS {
        let seeds = inputs("corpus", name);
        let accepted = seeds.iter().filter(|(input, bytes)| run(name, target, input, bytes)).count();
        assert!(accepted > 0, "none of {} seeds of `{name}` reaches behind the parser", seeds.len());
        assert!(accepted < seeds.len(), "no seed of `{name}` is refused");
    }
}

#[test]
fn what_the_fuzzer_found_does_not_come_back() {
    for (name, target) in TARGETS {
        for (input, bytes) in inputs("regressions", name) {
            run(name, target, &input, &bytes);
        }
    }
}

#[test]
fn small_changes_of_every_seed_keep_the_promises() {
    let mut state = 1;
    for (name, target) in TARGETS {
        for (input, bytes) in inputs("corpus", name).into_iter().chain(inputs("regressions", name)) {
            for change in 0..CHANGES {
                run(name, target, &format!("{input}, change {change}"), &changed(&bytes, &mut state));
            }
        }
    }
}

#[test]
fn every_target_has_a_program_a_corpus_and_nothing_is_left_over() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let programs: BTreeSet<String> = names(&below("fuzz_targets")).iter().map(|name| name.trim_end_matches(".rs").to_owned()).collect();
    assert_eq!(programs, targets);
    assert_eq!(names(&below("corpus")), targets);
    assert!(names(&below("regressions")).iter().all(|name| targets.contains(name) || name == "README.md"));
}

#[test]
fn the_committed_seeds_are_those_that_the_generator_makes() {
    for (target, name, bytes) in seeds::all() {
        let path = below("corpus").join(target).join(&name);
        let committed = fs::read(&path).unwrap_or_else(|e| panic!("`{}`: {e}; make it with --ignored", path.display()));
        assert!(committed.len() <= 8 << 10, "`{}` is no small seed", path.display());
        // What zstd makes of the same bytes may change with its version.
        let compressed = target == "pack" || name.starts_with("stored");
        assert!(compressed || committed == bytes, "`{}` is not what the generator makes", path.display());
    }
    // The fuzzer writes what it learns into the first folder it is given: it must never be this one.
    let made: BTreeSet<(&str, String)> = seeds::all().into_iter().map(|(target, name, _)| (target, name)).collect();
    for (target, _) in TARGETS {
        for name in names(&below("corpus").join(target)) {
            assert!(made.contains(&(target, name.clone())), "`{name}` in the corpus of `{target}` was not made by the generator");
        }
    }
}

/// Writes the seed corpus: `cargo test -p fuzz --test replay -- --ignored`.
#[test]
#[ignore = "by hand, when a format changes: writes tests/fuzz/corpus"]
fn write_seeds() {
    for (target, name, bytes) in seeds::all() {
        let folder = below("corpus").join(target);
        fs::create_dir_all(&folder).expect("folder made");
        fs::write(folder.join(name), bytes).expect("written");
    }
}

/// A byte changed, taken out, put in or doubled, one to four times.
fn changed(bytes: &[u8], state: &mut u64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + random(state) % 4 {
        let at = usize::try_from(random(state)).unwrap_or(0) % (bytes.len() + 1);
        let byte = random(state).to_le_bytes()[2];
        match random(state) % 4 {
            0 => bytes.insert(at, byte),
            1 if at < bytes.len() => bytes[at] = byte,
            2 if at < bytes.len() => drop(bytes.remove(at)),
            _ => {
                let end = (at + usize::from(byte % 16)).min(bytes.len());
                let stretch = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, stretch));
            }
        }
    }
    bytes
}

/// SplitMix64.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
