//! What a stranger in the network can do: he signs nothing.

use serde_json::Value;

use super::{Apply, Mutation, On};
use crate::case::Files;
use crate::random::Random;

pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation { name: "file missing", on: On::Any, apply: Apply::Served(missing) },
    Mutation { name: "file cut", on: On::Any, apply: Apply::Served(cut) },
    Mutation { name: "file longer", on: On::Any, apply: Apply::Served(longer) },
    Mutation { name: "file flipped", on: On::Any, apply: Apply::Served(flipped) },
    Mutation { name: "file replaced by another", on: On::Any, apply: Apply::Served(replaced) },
    Mutation { name: "file of the last visit", on: On::Any, apply: Apply::Served(replayed) },
    Mutation { name: "web page", on: On::Any, apply: Apply::Served(web_page) },
    Mutation { name: "file written otherwise", on: On::Any, apply: Apply::Served(rewritten) },
];

fn missing(files: &mut Files, path: &str, _: &Files, _: &mut Random) -> Option<String> {
    files.remove(path)?;
    Some(String::new())
}

fn cut(files: &mut Files, path: &str, _: &Files, random: &mut Random) -> Option<String> {
    let file = files.get_mut(path)?;
    let length = random.below(file.len().max(1));
    file.truncate(length);
    Some(length.to_string())
}

fn longer(files: &mut Files, path: &str, _: &Files, random: &mut Random) -> Option<String> {
    let more = *random.pick(&[" ", "\n", "x"]);
    files.get_mut(path)?.extend_from_slice(more.as_bytes());
    Some(more.escape_debug().to_string())
}

fn flipped(files: &mut Files, path: &str, _: &Files, random: &mut Random) -> Option<String> {
    let file = files.get_mut(path)?;
    let at = random.below(file.len().max(1));
    *file.get_mut(at)? ^= 1 << random.below(8);
    Some(at.to_string())
}

fn replaced(files: &mut Files, path: &str, _: &Files, random: &mut Random) -> Option<String> {
    let paths: Vec<&String> = files.keys().collect();
    let other = (*random.pick(&paths)).clone();
    let bytes = files[&other].clone();
    files.insert(path.to_owned(), bytes);
    Some(other)
}

/// The newest file that was served for the same role, whatever version it is.
fn replayed(files: &mut Files, path: &str, before: &Files, _: &mut Random) -> Option<String> {
    let role = |path: &str| path.rsplit('/').next().map(|name| name.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned());
    let (old, bytes) = before.iter().rfind(|(old, _)| role(old) == role(path))?;
    files.insert(path.to_owned(), bytes.clone());
    Some(old.clone())
}

fn web_page(files: &mut Files, path: &str, _: &Files, _: &mut Random) -> Option<String> {
    files.insert(path.to_owned(), b"<!doctype html><title>Log in</title>".to_vec());
    Some(String::new())
}

/// The same content with the same signatures in other white space.
fn rewritten(files: &mut Files, path: &str, _: &Files, _: &mut Random) -> Option<String> {
    let value: Value = serde_json::from_slice(files.get(path)?).ok()?;
    files.insert(path.to_owned(), serde_json::to_vec_pretty(&value).ok()?);
    Some(String::new())
}
