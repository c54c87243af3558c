//! What a station reads back from `.updater`: it is not signed, and whoever can write there has written it.

use manifests::digest::Digest;
use updater::installed::Installed;
use updater::ratchet::Ratchet;
use updater::station::Station;
use updater::swap::journal::Journal;

use crate::judge;
use crate::samples;
use crate::script::{Script, is_document};

/// Reads a state document; the first byte says which. The digests that guard against damage are made right first, so that what lies behind them is reached.
pub fn state(data: &[u8]) -> bool {
    let Some((kind, rest)) = data.split_first() else { return false };
    match kind {
        b'i' => installed(rest),
        b'j' => journal(rest),
        b'r' => ratchet(&document(samples::RATCHET, rest)),
        b's' => station(&document(samples::STATION, rest)),
        b'h' => history(rest),
        _ => false,
    }
}

fn document(base: &str, rest: &[u8]) -> Vec<u8> {
    if is_document(rest) { rest.to_vec() } else { samples::edited(base, &mut Script::new(rest)) }
}

/// Lines, to which the last one is added.
fn installed(lines: &[u8]) -> bool {
    assert!(Installed::parse(lines).is_err() || lines.len() > 69, "nothing passes without its digest");
    let whole = [lines, format!("end {}\n", Digest::of(lines)).as_bytes()].concat();
    let installed = match Installed::parse(&whole) {
        Ok(installed) => installed,
        Err(error) => {
            judge::assert_readable(&error);
            return false;
        }
    };
    for path in installed.files.iter().map(|file| &file.path).chain(installed.links.iter().map(|link| &link.path)).chain(&installed.folders)
    {
        judge::assert_stays_inside(path.as_str());
    }
    for file in &installed.files {
        assert_eq!(installed.file(&file.path), Some(file), "every file is found by its path");
    }
    assert_eq!(Installed::parse(&installed.to_bytes()).as_ref(), Ok(&installed), "what we write we read");
    true
}

/// Lines of JSON, each of which gets its check; edits to a valid plan, when they do not begin like JSON.
fn journal(lines: &[u8]) -> bool {
    let text = if is_document(lines) { lines.to_vec() } else { samples::edited(samples::JOURNAL, &mut Script::new(lines)) };
    let with_check = |json: &[u8]| [&Digest::of(json).to_hex().as_bytes()[..16], b" ", json, b"\n"].concat();
    let whole: Vec<u8> = text.split(|byte| *byte == b'\n').flat_map(with_check).collect();
    let journal = match Journal::parse(&whole) {
        Ok(journal) => journal,
        Err(error) => {
            judge::assert_readable(&error);
            return false;
        }
    };
    for operation in &journal.plan.operations {
        judge::assert_stays_inside(operation.path().as_str());
    }
    assert!(journal.whole_bytes <= whole.len());
    assert_eq!(Journal::parse(&whole[..journal.whole_bytes]).as_ref(), Ok(&journal), "what is torn says nothing");
    let again = Journal::parse(&journal.plan.to_line()).expect("what we write we read");
    assert_eq!((again.plan, again.phase), (journal.plan, None));
    true
}

/// Lines, of which those that do not parse are skipped: one never hides another.
fn history(lines: &[u8]) -> bool {
    let attempts = updater::history::parse(lines);
    let one_by_one: Vec<_> = lines.split(|byte| *byte == b'\n').flat_map(updater::history::parse).collect();
    assert_eq!(attempts, one_by_one);
    assert!(attempts.len() <= lines.split(|byte| *byte == b'\n').count());
    !attempts.is_empty()
}

fn ratchet(bytes: &[u8]) -> bool {
    let ratchet = match Ratchet::parse(bytes) {
        Ok(ratchet) => ratchet,
        Err(error) => {
            judge::assert_readable(&error);
            return false;
        }
    };
    assert_eq!(Ratchet::parse(&ratchet.to_bytes()).expect("what we write we read"), ratchet);
    let mut raised = ratchet.clone();
    raised.raise(manifests::channel::Place(1, 1));
    assert!(raised.highest >= ratchet.highest, "it never goes down");
    true
}

fn station(bytes: &[u8]) -> bool {
    let station = match Station::parse(bytes) {
        Ok(station) => station,
        Err(error) => {
            judge::assert_readable(&error);
            return false;
        }
    };
    assert_eq!(Station::parse(&station.to_bytes()).expect("what we write we read"), station);
    let below = station.repository.join("metadata/timestamp.json").expect("an address below the repository");
    assert!(
        below.as_str().starts_with(station.repository.as_str())
            || station.repository.query().is_some()
            || station.repository.fragment().is_some(),
        "{below}"
    );
    true
}
