//! Relative paths: what is accepted stays inside its folder on every OS, and so does whatever is made of it.

use manifests::path::RelPath;

use crate::judge;

/// Reads the first line as a path, and the second as a suffix and as the target of a symbolic link at it.
pub fn path(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let (first, second) = text.split_once('\n').unwrap_or((&text, ""));
    let path = match first.parse::<RelPath>() {
        Ok(path) => path,
        Err(error) => {
            judge::assert_readable(&error);
            return false;
        }
    };
    assert_eq!((path.as_str(), path.to_string().as_str()), (first, first), "a path is not rewritten");
    judge::assert_stays_inside(first);
    assert_eq!(path.components().collect::<Vec<_>>().join("/"), first);
    assert_eq!(path.components().last(), Some(path.file_name()));

    let parents: Vec<RelPath> = path.parents().collect();
    assert_eq!(parents.len() + 1, path.components().count());
    for parent in &parents {
        assert_eq!(parent.as_str().parse::<RelPath>().as_ref(), Ok(parent), "a folder of a path is a path");
        assert!(first.starts_with(&format!("{parent}/")) && *parent < path, "parents come before");
    }

    folding(&path);
    if let Ok(suffixed) = path.with_suffix(second) {
        judge::assert_stays_inside(suffixed.as_str());
        assert_eq!(suffixed.as_str(), format!("{first}{second}"));
    }
    if let Some(target) = path.resolve_link(second) {
        judge::assert_stays_inside(target.as_str());
        assert!(!second.starts_with('/') && !second.is_empty());
        assert_eq!(Some(target.as_str()), resolved(first, second).as_deref(), "{first:?} -> {second:?}");
    }
    true
}

/// The folded form is one: it does not fold further, and spellings that every case-insensitive file system takes for the same share it.
fn folding(path: &RelPath) {
    let folded = path.folded();
    for other in [folded.clone(), path.as_str().to_ascii_uppercase(), path.as_str().to_ascii_lowercase()] {
        if let Ok(other) = other.parse::<RelPath>() {
            assert_eq!(other.folded(), folded, "{path:?} {other:?}");
        }
    }
}

/// Where the link leads, by a walk of its own.
fn resolved(link: &str, target: &str) -> Option<String> {
    let mut at: Vec<&str> = link.split('/').collect();
    at.pop();
    for name in target.split('/').filter(|name| *name != ".") {
        if name == ".." {
            at.pop()?;
        } else {
            at.push(name);
        }
    }
    Some(at.join("/"))
}
