//! The same verdict from the updater, python-tuf and sigstore-tuf on thousands of mutated repositories, or a difference that is understood.
//!
//! `DIFFERENTIAL_CASES=N` judges N cases (default 2,000), `DIFFERENTIAL_FIRST=SEED` begins at another seed: with `DIFFERENTIAL_CASES=1` that shows one case.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use oracles::case::{Case, Verdict};
use oracles::classes::{CLASSES, CLIENTS, HIDDEN, explain};
use oracles::generate;
use oracles::python::Python;
use oracles::{ours, sigstore};

/// How many unexplained cases are shown.
const SHOWN: usize = 20;

/// What came out.
#[derive(Debug, Default)]
struct Tally {
    /// Steps that all accept, and that all refuse.
    accepted: u64,
    refused: u64,
    /// Steps by class of difference, each with the first seed.
    differences: BTreeMap<&'static str, (u64, u64)>,
    /// Cases by name of a change that they had.
    changes: BTreeMap<&'static str, u64>,
    unexplained: Vec<String>,
    unexplained_count: u64,
}

#[test]
fn all_clients_agree_or_differ_for_a_known_reason() {
    let number = |name: &str, default: u64| {
        let text = std::env::var(name).ok();
        text.map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number, not `{text}`")))
    };
    let (count, first) = (number("DIFFERENTIAL_CASES", 2_000), number("DIFFERENTIAL_FIRST", 0));
    let (next, tally) = (AtomicU64::new(first), Mutex::new(Tally::default()));
    let threads = thread::available_parallelism().map_or(1, usize::from).min(8);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut python = Python::start();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        break;
                    }
                    // Whoever panics must not take the seed with him.
                    let judged = catch_unwind(AssertUnwindSafe(|| {
                        let case = generate::case(seed);
                        let verdicts = [ours::judge(&case), python.judge(&case), sigstore::judge(&case)];
                        (case, verdicts)
                    }));
                    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
                    match judged {
                        Ok((case, verdicts)) => tally.count(&case, &verdicts),
                        Err(_) => {
                            tally.unexplained(format!("seed {seed} made somebody panic\n"));
                            python = Python::start();
                        }
                    }
                }
            });
        }
    });
    let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    show(&tally.report(count));
    if count == 1 {
        show(&described(&generate::case(first), &[]));
    }
    assert!(tally.unexplained_count == 0, "{} steps without explanation:\n{}", tally.unexplained_count, tally.unexplained.join("\n"));
    if count >= 2_000 {
        tally.assert_worthwhile();
    }
}

impl Tally {
    fn count(&mut self, case: &Case, verdicts: &[Vec<Verdict>; 3]) {
        for name in case.changes.iter().map(|change| change.name).collect::<BTreeSet<_>>() {
            *self.changes.entry(name).or_default() += 1;
        }
        for step in 0..case.steps.len() {
            let here = [&verdicts[0][step], &verdicts[1][step], &verdicts[2][step]];
            if here[0].agrees(here[1]) && here[1].agrees(here[2]) {
                *(if here[0].is_accepted() { &mut self.accepted } else { &mut self.refused }) += 1;
                continue;
            }
            match explain(case, step, verdicts) {
                Some(classes) => {
                    for class in classes {
                        self.differences.entry(class.name).or_insert((0, case.seed)).0 += 1;
                    }
                }
                None => self.unexplained(described(case, &[(step, here)])),
            }
            // From here on the clients have stored different things.
            break;
        }
    }

    fn unexplained(&mut self, description: String) {
        self.unexplained_count += 1;
        if self.unexplained.len() < SHOWN {
            self.unexplained.push(description);
        }
    }

    fn report(&self, count: u64) -> String {
        let mut text = format!("{count} cases: {} steps accepted by all, {} refused by all\n", self.accepted, self.refused);
        for (name, (steps, seed)) in &self.differences {
            let _ = writeln!(text, "{steps:8}  {name} (first: seed {seed})");
        }
        let _ = writeln!(text, "{:8}  without explanation", self.unexplained_count);
        text
    }

    /// A test that never meets what it is about would pass, too.
    fn assert_worthwhile(&self) {
        let steps = self.accepted + self.refused;
        assert!(self.accepted * 4 > steps && self.refused * 5 > steps, "{} accepted, {} refused", self.accepted, self.refused);
        let missing: Vec<_> = generate::change_names().into_iter().filter(|name| !self.changes.contains_key(name)).collect();
        assert!(missing.is_empty(), "never drawn: {missing:?}");
    }
}

fn described(case: &Case, steps: &[(usize, [&Verdict; 3])]) -> String {
    let mut text = format!("seed {}, target `{}`, {} steps\n", case.seed, case.target, case.steps.len());
    for change in &case.changes {
        let _ = writeln!(text, "    {change}");
    }
    for (step, verdicts) in steps {
        for (who, verdict) in CLIENTS.iter().zip(verdicts) {
            let _ = writeln!(text, "  step {step} {who:?} {verdict}");
        }
    }
    text
}

#[expect(clippy::print_stdout, reason = "what a long run is for")]
fn show(text: &str) {
    println!("{text}");
}

#[test]
fn a_seed_always_grows_the_same_case() {
    for seed in [0, 7, 1 << 40] {
        let (a, b) = (generate::case(seed), generate::case(seed));
        assert_eq!((a.root, a.target, a.changes), (b.root, b.target, b.changes));
        let files = |steps: Vec<oracles::case::Step>| steps.into_iter().map(|step| (step.now, step.files)).collect::<Vec<_>>();
        assert_eq!(files(a.steps), files(b.steps));
    }
}

#[test]
fn no_class_stands_twice_and_each_is_explained_in_security_md() {
    let names: BTreeSet<String> = CLASSES.iter().map(|class| format!("{} {:?}", class.name, class.how)).collect();
    assert_eq!(names.len(), CLASSES.len());
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/security.md")).expect("docs/security.md");
    let missing: BTreeSet<&str> =
        CLASSES.iter().chain([&HIDDEN]).map(|class| class.name).filter(|name| !page.contains(&format!("**{name}**"))).collect();
    assert!(missing.is_empty(), "docs/security.md does not explain {missing:?}");
}
