//! Looks at the files of an install: which are as installed, which are not, and what lies where a release wants something.
//!
//! A file whose size and time are as installed is not read (S3-7, D-03); any other is hashed, so that a shifted clock costs a pass over the disk and no download. A deep
//! scan reads everything and finds what was changed behind size and time (AC-11, E1).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use manifests::path::RelPath;
use manifests::release::{ConfigPolicy, FileEntry, Manifest};
use serde::Serialize;

use crate::fs::{Cursor, Folder, Found as Walked, FsError, Kind, LocalPath, Obstacle, Stat, Unwritable};
use crate::installed::{Installed, InstalledFile};
use crate::plan::{Found, FoundFile, beside};
use crate::progress::{Progress, Step};

/// How closely files are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Size and time, and the content of what differs.
    Fast,
    /// The content of everything.
    Deep,
}

/// A managed path that is not as it was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// Where.
    pub path: RelPath,
    /// How.
    pub what: DriftKind,
}

/// How a managed path differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriftKind {
    /// It is not there.
    Missing,
    /// Its content differs.
    Content,
    /// The content is right, the time is not.
    Time,
    /// The content is right, the mode is not.
    Mode,
    /// Something else has its name.
    Kind,
    /// Others can change it, and root works here for more than itself (attack F4).
    Exposed,
}

/// What differs from `installed`. Config files that their user changed are not drift.
pub fn drift(folder: &Folder, installed: &Installed, depth: Depth, progress: &dyn Progress) -> Result<Vec<Drift>, FsError> {
    progress.begin(Step::Scan, installed.files.len() as u64);
    let mut cursor = Cursor::new(folder);
    let mut found = Vec::new();
    let folds = installed.release.id.os.folds_names();
    for file in installed.files.iter().filter(|file| file.is_listed) {
        let stat = cursor.stat(&file.path)?;
        let is_users_twin = stat.is_none() && folds && is_users_own(file) && has_twin(folder, &file.path)?;
        let what = if is_users_twin { None } else { file_drift(folder, file, stat, depth)? };
        found.extend(what.map(|what| Drift { path: file.path.clone(), what }));
        progress.advance(1);
    }
    for link in &installed.links {
        let what = match cursor.stat(&link.path)? {
            None => Some(DriftKind::Missing),
            Some(stat) if stat.kind != Kind::Link => Some(DriftKind::Kind),
            Some(_) => (folder.read_link(&(&link.path).into())? != link.target.as_bytes()).then_some(DriftKind::Content),
        };
        found.extend(what.map(|what| Drift { path: link.path.clone(), what }));
    }
    for path in &installed.folders {
        let what = match cursor.stat(path)? {
            None => Some(DriftKind::Missing),
            Some(stat) => (!stat.is_folder()).then_some(DriftKind::Kind),
        };
        found.extend(what.map(|what| Drift { path: path.clone(), what }));
    }
    Ok(found)
}

/// Whether it is a configuration file, whose user's changes count.
fn is_users_own(file: &InstalledFile) -> bool {
    file.policy.is_some_and(|policy| policy != ConfigPolicy::Overwrite)
}

/// Whether something in the same folder has a name that the release's OS takes for that of `path`.
fn has_twin(folder: &Folder, path: &RelPath) -> Result<bool, FsError> {
    let parent = LocalPath::from(path).parent();
    let is_twin = |name: &Vec<u8>| parent.join(name).as_rel_path().is_some_and(|other| other.folded() == path.folded());
    Ok(folder.names(&parent)?.iter().any(is_twin))
}

fn file_drift(folder: &Folder, file: &InstalledFile, stat: Option<Stat>, depth: Depth) -> Result<Option<DriftKind>, FsError> {
    let users_own = is_users_own(file);
    let may_be_deleted = file.policy == Some(ConfigPolicy::Keep);
    let Some(stat) = stat else { return Ok((!may_be_deleted).then_some(DriftKind::Missing)) };
    if !stat.is_file() {
        // A link in the place of a configuration file is its user's.
        return Ok((!users_own || stat.kind != Kind::Link).then_some(DriftKind::Kind));
    }
    if !folder.is_ours_alone(&stat) {
        // A configuration file that others may write is theirs.
        return Ok((!users_own).then_some(DriftKind::Exposed));
    }
    let as_installed = file.is_as_installed(&stat);
    let mode = || (cfg!(unix) && stat.mode & 0o777 != file.mode).then_some(DriftKind::Mode);
    if as_installed && depth == Depth::Fast {
        return Ok(mode());
    }
    let same = stat.size == file.size && folder.hash(&(&file.path).into())?.0 == file.sha256;
    Ok(match (same, users_own) {
        (true, _) if as_installed => mode(),
        (true, _) => Some(DriftKind::Time),
        (false, true) => None,
        (false, false) => Some(DriftKind::Content),
    })
}

/// What lies in a folder, as far as a plan needs to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// What lies at every path that the installed or the wanted release names, at the folders that lead there, and at the twins.
    pub found: BTreeMap<RelPath, Found>,
    /// Files that are missing under the release's spelling and there under another that its OS takes for the same, by the release's spelling (D-17): only where a tree of such an OS is held
    /// on a file system that tells the two apart.
    pub twins: BTreeMap<RelPath, RelPath>,
    /// Files that are found by the release's spelling and are called otherwise: only on a file system that does not tell the two apart.
    pub respelled: BTreeSet<RelPath>,
    /// Files that others could change, and folders that lead to them (attack F4). A configuration file may be its user's, and a folder that leads to no file of ours anybody's.
    pub exposed: Vec<Obstacle>,
}

/// Looks at every path that `installed` or `target` names, and at the folders that lead there.
pub fn observe(
    folder: &Folder,
    installed: Option<&Installed>,
    target: &Manifest,
    depth: Depth,
    progress: &dyn Progress,
) -> Result<Observed, FsError> {
    let paths = paths(installed, target);
    progress.begin(Step::Scan, paths.len() as u64);
    let mut cursor = Cursor::new(folder);
    let (mut observed, mut exposed) = (BTreeMap::new(), vec![]);
    for (path, wanted) in paths {
        let found = match cursor.stat(&path)? {
            None => Found::Nothing,
            Some(stat) => {
                let why = folder.exposure(&stat).filter(|_| is_trusted(&path, &stat, wanted, installed, target));
                exposed.extend(why.map(|why| Obstacle { path: (&path).into(), why: Unwritable::Exposed(why) }));
                look(folder, &path, &stat, wanted, installed, depth)?
            }
        };
        observed.insert(path, found);
        progress.advance(1);
    }
    let twins = if target.id.os.folds_names() { twins(folder, target, &observed)? } else { BTreeMap::new() };
    for (path, twin) in &twins {
        let size = target.file(path).map(|file| file.size);
        if let Some(stat) = folder.stat(&twin.into())? {
            observed.insert(twin.clone(), look(folder, twin, &stat, Wanted::Leaf(size), installed, depth)?);
        }
    }
    let mut respelled = BTreeSet::new();
    if target.id.os.folds_names() {
        let files = installed.iter().flat_map(|installed| &installed.files).map(|file| &file.path);
        let unlisted = files.filter(|path| target.file(path).is_none());
        for (path, name) in other_spellings(folder, unlisted, target.files.iter().map(|file| &file.path))? {
            observed.insert(path, Found::Nothing);
            if !is_called(folder, &name)? {
                respelled.insert(name);
            }
        }
    }
    Ok(Observed { found: observed, twins, respelled, exposed })
}

/// Whether what lies at `path` is taken for the release's: a file that is not its user's, or a folder that leads to one.
fn is_trusted(path: &RelPath, stat: &Stat, wanted: Wanted, installed: Option<&Installed>, target: &Manifest) -> bool {
    let record = installed.and_then(|installed| installed.file(path));
    let policy = target.file(path).map(|file| file.config).or(record.and_then(|record| record.policy));
    match wanted {
        Wanted::Beside => false,
        Wanted::Way => stat.is_folder(),
        Wanted::Leaf(_) => policy.is_none_or(|policy| policy == ConfigPolicy::Overwrite) && stat.is_file(),
        Wanted::Known => record.is_some() && policy.is_none_or(|policy| policy == ConfigPolicy::Overwrite) && stat.is_file(),
    }
}

/// Files of the folder whose names differ from missing ones of `target` in case or spelling alone; and links, for configuration files, which are their users'.
fn twins(folder: &Folder, target: &Manifest, observed: &BTreeMap<RelPath, Found>) -> Result<BTreeMap<RelPath, RelPath>, FsError> {
    let is_missing = |path: &RelPath| matches!(observed.get(path), None | Some(Found::Nothing));
    let missing: HashMap<String, &FileEntry> =
        target.files.iter().filter(|file| is_missing(&file.path)).map(|file| (file.path.folded(), file)).collect();
    let mut twins = BTreeMap::new();
    if missing.is_empty() {
        return Ok(twins);
    }
    folder.walk(&LocalPath::root(), &mut |walked| {
        if let Walked::Entry { path, stat } = walked
            && let Some(path) = path.as_rel_path()
            && let Some(wanted) = missing.get(&path.folded())
            && (stat.is_file() || stat.kind == Kind::Link && wanted.config != ConfigPolicy::Overwrite)
        {
            twins.insert(wanted.path.clone(), path);
        }
        true
    })?;
    Ok(twins)
}

/// Those of `paths` under which a file system that does not tell cases apart shows a file that has one of the `names` in another spelling: there is one file, and it is the named one. Each
/// with that name.
pub(crate) fn other_spellings<'p>(
    folder: &Folder,
    paths: impl IntoIterator<Item = &'p RelPath>,
    names: impl IntoIterator<Item = &'p RelPath>,
) -> Result<Vec<(RelPath, RelPath)>, FsError> {
    let by_name: HashMap<String, &RelPath> = paths.into_iter().map(|path| (path.folded(), path)).collect();
    let mut found = vec![];
    if by_name.is_empty() {
        return Ok(found);
    }
    let file = |path: &RelPath| folder.stat(&path.into()).map(|stat| stat.map(|stat| (stat.device, stat.inode)));
    for name in names {
        let Some(path) = by_name.get(&name.folded()) else { continue };
        let (named, other) = (file(name)?, file(path)?);
        if named.is_some() && named == other {
            found.push(((*path).clone(), name.clone()));
        }
    }
    Ok(found)
}

/// Whether the file that is found at `path` is called exactly that. The folders on the way may be called otherwise: they keep the names they have.
pub(crate) fn is_called(folder: &Folder, path: &RelPath) -> Result<bool, FsError> {
    let path = LocalPath::from(path);
    Ok(folder.names(&path.parent())?.iter().any(|name| name == path.file_name()))
}

/// What a path is wanted for.
#[derive(Debug, Clone, Copy)]
enum Wanted {
    /// The release puts a file of this size there, or a link.
    Leaf(Option<u64>),
    /// The release's version of a config file may come there: whose it is shows in its content.
    Beside,
    /// It leads to a file.
    Way,
    /// Only what we put there matters.
    Known,
}

fn paths(installed: Option<&Installed>, target: &Manifest) -> BTreeMap<RelPath, Wanted> {
    let mut paths = BTreeMap::new();
    let mut known = |path: &RelPath, way: Wanted| {
        for folder in path.parents() {
            paths.entry(folder).or_insert(way);
        }
        paths.entry(path.clone()).or_insert(Wanted::Known);
    };
    // What leads to files first: a folder that is listed as well is no less trusted for it.
    if let Some(installed) = installed {
        installed.files.iter().map(|file| &file.path).for_each(|path| known(path, Wanted::Way));
        installed.links.iter().map(|link| &link.path).for_each(|path| known(path, Wanted::Way));
    }
    target.files.iter().map(|file| &file.path).for_each(|path| known(path, Wanted::Way));
    target.links.iter().map(|link| &link.path).for_each(|path| known(path, Wanted::Way));
    installed.iter().flat_map(|installed| &installed.folders).for_each(|path| known(path, Wanted::Known));
    target.directories.iter().chain(&target.removed).for_each(|path| known(path, Wanted::Known));
    for file in &target.files {
        paths.insert(file.path.clone(), Wanted::Leaf(Some(file.size)));
        if file.config != ConfigPolicy::Overwrite
            && let Ok(beside) = beside(&file.path)
        {
            paths.insert(beside, Wanted::Beside);
        }
    }
    for link in &target.links {
        paths.insert(link.path.clone(), Wanted::Leaf(None));
    }
    paths
}

fn look(
    folder: &Folder,
    path: &RelPath,
    stat: &Stat,
    wanted: Wanted,
    installed: Option<&Installed>,
    depth: Depth,
) -> Result<Found, FsError> {
    let local = LocalPath::from(path);
    Ok(match stat.kind {
        Kind::Folder => {
            let stranger = if matches!(wanted, Wanted::Leaf(_)) { stranger_in(folder, &local, installed)? } else { None };
            Found::Folder { stranger }
        }
        // A link of a release is text; one that is not can only be some other link.
        Kind::Link => Found::Link(String::from_utf8_lossy(&folder.read_link(&local)?).into_owned()),
        Kind::Other => Found::Other,
        Kind::File => {
            let record = installed.and_then(|installed| installed.file(path));
            let as_installed = record.is_some_and(|record| record.is_as_installed(stat));
            let sha256 = match record {
                Some(record) if as_installed && depth == Depth::Fast => Some(record.sha256),
                _ if worth_reading(stat, wanted, record) => Some(folder.hash(&local)?.0),
                _ => None,
            };
            Found::File(FoundFile {
                size: stat.size,
                mtime: stat.seconds,
                mode: stat.mode,
                sha256,
                is_ours_alone: folder.is_ours_alone(stat),
            })
        }
    })
}

/// A file whose size is that of no content it could be asked for is changed, whatever it holds.
fn worth_reading(stat: &Stat, wanted: Wanted, record: Option<&InstalledFile>) -> bool {
    let of_record = record.is_some_and(|record| record.size == stat.size);
    of_record || matches!(wanted, Wanted::Beside) || matches!(wanted, Wanted::Leaf(Some(size)) if size == stat.size)
}

/// Something below `path` that no release of ours put there.
fn stranger_in(folder: &Folder, path: &LocalPath, installed: Option<&Installed>) -> Result<Option<String>, FsError> {
    let ours = |path: &LocalPath| {
        let Some(path) = path.as_rel_path() else { return false };
        installed.is_some_and(|installed| installed.file(&path).is_some() || installed.link(&path).is_some())
    };
    let mut stranger = None;
    folder.walk(path, &mut |found| {
        let found = match found {
            Walked::Entry { stat, .. } if stat.is_folder() => None,
            Walked::Entry { path, .. } => (!ours(path)).then(|| path.to_string()),
            Walked::Unreadable { path, .. } => Some(path.to_string()),
        };
        if stranger.is_none() {
            stranger = found;
        }
        stranger.is_none()
    })?;
    Ok(stranger)
}

#[cfg(all(test, unix))]
#[expect(clippy::disallowed_methods, reason = "the folder is made as anybody would make it")]
mod tests {
    use super::*;

    #[test]
    fn a_file_under_another_spelling_of_its_name_is_no_second_file() {
        let place = tempfile::tempdir().unwrap();
        for name in ["Core.dll", "Two.dll", "two.dll"] {
            std::fs::write(place.path().join(name), name).unwrap();
        }
        // As a file system that does not tell cases apart shows it.
        std::fs::hard_link(place.path().join("Core.dll"), place.path().join("core.DLL")).unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let paths = |names: [&str; 3]| names.map(|name| name.parse::<RelPath>().unwrap());
        let (old, new) = (paths(["Core.dll", "Two.dll", "gone.dll"]), paths(["core.DLL", "two.dll", "Gone.dll"]));
        assert_eq!(other_spellings(&folder, &old, &new).unwrap(), [(old[0].clone(), new[0].clone())]);
        assert_eq!(other_spellings(&folder, &old[..0], &new).unwrap(), []);
    }
}
