//! Release manifests: stored as they are, as JSON that is compressed first, or as edits to a valid one.

use std::collections::{HashMap, HashSet};

use manifests::limits::Limits;
use manifests::pack::frames_of;
use manifests::release::{Manifest, ReleaseId};

use crate::judge;
use crate::samples;
use crate::script::{Script, is_document};

/// Bounds far below the real ones, so that going over them is found with small inputs.
fn limits() -> Limits {
    Limits { manifest_bytes: 1 << 20, manifest_json_bytes: 1 << 20, entries: 5000, ..Limits::default() }
}

/// Reads a manifest. What begins like a zstd frame is stored bytes; what begins like JSON is compressed first; anything else is a script.
pub fn manifest(data: &[u8]) -> bool {
    let stored = if data.starts_with(&[0x28, 0xB5, 0x2F, 0xFD]) {
        data.to_vec()
    } else if is_document(data) {
        compressed(data)
    } else {
        let mut script = Script::new(data);
        let damages = usize::from(script.byte().is_multiple_of(8));
        let mut stored = compressed(&samples::edited(samples::MANIFEST, &mut script));
        (0..damages).for_each(|_| script.damage(&mut stored));
        stored
    };
    let id = samples::release_id();
    match Manifest::parse(&stored, &id, &limits()) {
        Ok(manifest) => {
            judge_manifest(&manifest, &id);
            true
        }
        Err(error) => {
            judge::assert_readable(&error);
            false
        }
    }
}

fn compressed(text: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(text, 1).expect("compressed in memory")
}

fn judge_manifest(manifest: &Manifest, id: &ReleaseId) {
    assert_eq!(manifest.id, *id, "a manifest is of what was asked for");
    let leaves: Vec<&str> = manifest
        .files
        .iter()
        .map(|file| &file.path)
        .chain(manifest.links.iter().map(|link| &link.path))
        .map(|path| path.as_str())
        .collect();
    let folders: Vec<&str> = manifest.directories.iter().map(|path| path.as_str()).collect();
    let removed: Vec<&str> = manifest.removed.iter().map(|path| path.as_str()).collect();
    // One spelling per path, for file systems that take cases for the same, parents included.
    let mut spellings: HashMap<String, &str> = HashMap::new();
    for path in leaves.iter().chain(&folders).chain(&removed) {
        judge::assert_stays_inside(path);
        for (at, _) in path.match_indices('/').chain([(path.len(), "")]) {
            let known = spellings.entry(path[..at].to_lowercase()).or_insert(&path[..at]);
            assert_eq!(*known, &path[..at], "two spellings of one path");
        }
    }
    let whole: HashSet<&str> = leaves.iter().chain(&removed).copied().collect();
    assert_eq!(whole.len(), leaves.len() + removed.len(), "no path twice");
    for path in leaves.iter().chain(&folders).chain(&removed) {
        for (at, _) in path.match_indices('/') {
            assert!(!whole.contains(&path[..at]), "a file or link that is also a folder: {}", &path[..at]);
        }
        assert!(!folders.contains(path) || !whole.contains(path), "a file or link that is also a folder: {path}");
    }
    for link in &manifest.links {
        assert!(id.os.has_links());
        let target = link.path.resolve_link(&link.target).expect("a link leads somewhere inside");
        judge::assert_stays_inside(target.as_str());
    }
    let layouts: Vec<_> = manifest.packs.iter().map(|pack| (pack.content_length().expect("a possible pack"), pack.layout())).collect();
    for file in &manifest.files {
        assert!(matches!(file.mode(), 0o644 | 0o755));
        assert_eq!(manifest.file(&file.path), Some(file), "every file is found by its path");
        let Some(at) = file.at else {
            assert_eq!(file.size, 0);
            continue;
        };
        let (length, layout) = &layouts[at.0 as usize];
        let content = at.1..at.1 + file.size;
        assert!(file.size > 0 && content.end <= *length, "{file:?}");
        let frames = frames_of(layout, &content);
        assert!(!frames.is_empty() && frames.end <= layout.len());
        assert!(layout[frames.start].content.start <= content.start && layout[frames.end - 1].content.end >= content.end);
    }
    assert_eq!(manifest.total_size(), manifest.files.iter().map(|file| u128::from(file.size)).sum::<u128>() as u64);
    let again = compressed(&manifest.to_json().expect("it can be written"));
    assert_eq!(Manifest::parse(&again, id, &Limits::default()).expect("what we write we read"), *manifest);
}
