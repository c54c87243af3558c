//! Who may write what an elevated updater works on (attack F4; design section 6, profile `service`).
//!
//! Whoever may write a folder can put something else there between a check and its use. So where the updater acts for others, every folder that it works through, up to the root of the file
//! system, belongs to root or to the updater's own account, and nobody else may write there. A folder in which only owners move things (sticky, such as `/tmp`) may lead to one of ours, never
//! be one. The same holds for each file that is trusted, replaced, run, linked to or restored from: whoever owns one writes it in place, whatever the folder says.
//!
//! POSIX ACLs need no look of their own: while there is one, the group's part of the mode is its mask, so nobody whom it names can write where the group cannot, and what a folder hands down
//! is cut by the mode that we make things with. NFSv4 ACLs are not read.
//!
//! On Windows the list of a thing is read with its owner (`descriptor`): what counts is whether anybody but the administrators, or the updater's own account, has a right to change it.

#[cfg(any(windows, test))]
pub(crate) mod descriptor;

#[cfg(unix)]
#[path = "owners/unix.rs"]
mod platform;
#[cfg(windows)]
#[path = "owners/windows.rs"]
pub(super) mod platform;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::change::Change;
use super::{Dir, Folder, Found, FsError, Kind, LocalPath, Obstacle, Point, Stat, Unwritable, fault};

/// Mode bits that let a group or everybody write.
const OTHERS_WRITE: u32 = 0o022;
/// The mode bit by which only owners move what lies in a folder.
const STICKY: u32 = 0o1000;
/// Mode bits that make a program run with the rights of its owner or group.
const SET_IDS: u32 = 0o6000;
/// Mode bits that a copy made for others may have: nobody else writes it, and it runs with the rights of whoever starts it.
const COPIED: u32 = 0o755;

/// The accounts that may own what an elevated updater works on: root and the updater's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owners {
    us: u32,
}

/// What lets others change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exposure {
    /// It belongs to this account.
    Owner(u32),
    /// Its mode lets a group or everybody write.
    Mode(u32),
    /// It is no folder, or no regular file with one name.
    Kind,
}

/// Something that others could change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposed {
    /// Where.
    pub path: PathBuf,
    /// How.
    pub why: Exposure,
}

impl Owners {
    /// Root, and whoever runs this process.
    pub fn here() -> Owners {
        Owners { us: platform::account() }
    }

    /// Whether this process is root, which works for more than itself.
    pub fn are_root_alone(self) -> bool {
        self.us == 0
    }

    /// Whether `owner` is one of them.
    pub fn include(self, owner: u32) -> bool {
        owner == 0 || owner == self.us
    }

    /// What lets others change what `stat` is of.
    fn exposure(self, stat: &Stat) -> Option<Exposure> {
        if !self.include(stat.owner) {
            return Some(Exposure::Owner(stat.owner));
        }
        (stat.mode & OTHERS_WRITE != 0).then_some(Exposure::Mode(stat.mode))
    }

    /// The same for a folder.
    fn of_folder(self, stat: &Stat) -> Option<Exposure> {
        if stat.is_folder() { self.exposure(stat) } else { Some(Exposure::Kind) }
    }

    /// The same for a file that we keep.
    fn of_file(self, stat: &Stat) -> Option<Exposure> {
        if stat.is_file() && stat.links == 1 { self.exposure(stat) } else { Some(Exposure::Kind) }
    }

    /// The same for a folder that only leads to one.
    fn of_parent(self, stat: &Stat) -> Option<Exposure> {
        let is_sticky = stat.mode & STICKY != 0;
        self.of_folder(stat).filter(|why| !(is_sticky && matches!(why, Exposure::Mode(_))))
    }
}

/// `path`, absolute and without links.
pub fn canonical(path: &Path) -> Result<PathBuf, FsError> {
    std::fs::canonicalize(path).map_err(|source| FsError::Open { path: path.to_owned(), source })
}

/// What others could change of the folder `path`, which is absolute and without links, and of those that lead to it; outermost first.
pub fn exposed(path: &Path, owners: Owners) -> Result<Vec<Exposed>, FsError> {
    let mut found = vec![];
    for folder in path.ancestors() {
        let failed = |source| FsError::Open { path: folder.to_owned(), source };
        let why = if folder == path {
            owners.of_folder(&platform::stat_path(folder).map_err(failed)?)
        } else {
            owners.of_parent(&platform::stat_parent(folder).map_err(failed)?)
        };
        found.extend(why.map(|why| Exposed { path: folder.to_owned(), why }));
    }
    found.reverse();
    Ok(found)
}

/// Whether this process is root, or the account that keeps `path`.
pub fn is_ours(path: &Path) -> bool {
    platform::is_ours(path)
}

/// Whom a file or folder that others can change is to be given, and how; for people, after "give it".
pub const GIVE: &str = platform::GIVE;
/// The same for a folder with everything in it.
pub const GIVE_ALL: &str = platform::GIVE_ALL;

/// What others could change of the file `path`, whose folder is ours; `None` when nothing.
pub fn exposed_file(path: &Path, owners: Owners) -> Result<Option<Exposed>, FsError> {
    let stat = platform::stat_path(path).map_err(|source| FsError::Open { path: path.to_owned(), source })?;
    Ok(owners.of_file(&stat).map(|why| Exposed { path: path.to_owned(), why }))
}

/// Makes the folder `path` and those that lead to it, so that nobody else may write there (mode 0755, or a list of its own); one of ours that is there is made so, too (on Windows when it is
/// empty). Others' are left as they are, for [`exposed`] to name.
pub fn make_own_folder(path: &Path) -> Result<(), FsError> {
    fault::around(Point::StateFolder, Change::InstallFolder, || platform::make_own_folder(path))
        .map_err(|source| FsError::Open { path: path.to_owned(), source })
}

/// Lets everybody connect to the socket `path`, which this process made in a folder that nobody else writes.
#[cfg(unix)]
pub fn open_to_everybody(path: &Path) -> io::Result<()> {
    platform::set_mode(path, 0o666)
}

/// Removes the socket `path` of an agent that is gone, from a folder that nobody else writes.
#[cfg(unix)]
pub fn remove_socket(path: &Path) -> io::Result<()> {
    std::fs::remove_file(path)
}

/// Makes the folder `path` and those that lead to it, as far as they are missing; nobody else may write in them, whatever the umask.
pub(super) fn make_folders(path: &Path) -> io::Result<()> {
    fault::around(Point::StateFolder, Change::InstallFolder, || platform::make_folders(path))
}

/// The outermost folder on the volume of `path`, which is absolute and without links.
pub fn top_of_volume(path: &Path) -> Result<PathBuf, FsError> {
    let open = |path: &Path| Dir::open(path).map_err(|source| FsError::Open { path: path.to_owned(), source });
    let (here, mut top) = (open(path)?, path);
    for above in path.ancestors().skip(1) {
        let is_same = open(above)?.is_on_volume_of(&here).map_err(|source| FsError::Open { path: above.to_owned(), source })?;
        if !is_same {
            break;
        }
        top = above;
    }
    Ok(top.to_owned())
}

impl Folder {
    /// What others could change of the install folder itself.
    pub fn exposed(&self, owners: Owners) -> Result<Vec<Exposed>, FsError> {
        let why = self.stat(&LocalPath::root())?.and_then(|stat| owners.of_folder(&stat));
        Ok(why.map(|why| Exposed { path: self.path().to_owned(), why }).into_iter().collect())
    }

    /// What others could change of the state: the folder, all that lies directly in it, and what is trusted.
    pub fn exposed_state(&self, owners: Owners) -> Result<Vec<Exposed>, FsError> {
        let mut found = vec![];
        let state = LocalPath::state_folder();
        let mut paths: Vec<LocalPath> = self.names(&state)?.into_iter().map(|name| state.join(name)).collect();
        self.walk(&LocalPath::state("trust"), &mut |walked| {
            if let Found::Entry { path, .. } = walked {
                paths.push(path.clone());
            }
            true
        })?;
        for path in std::iter::once(state.clone()).chain(paths) {
            let Some(stat) = self.stat(&path)? else { continue };
            let why = if stat.kind == Kind::Folder { owners.of_folder(&stat) } else { owners.of_file(&stat) };
            let below = path.as_bytes().get(state.as_bytes().len() + 1..).unwrap_or_default();
            let named = if below.is_empty() { self.state_path() } else { self.state_path().join(&*String::from_utf8_lossy(below)) };
            found.extend(why.map(|why| Exposed { path: named, why }));
        }
        Ok(found)
    }

    /// The mode of a copy of what `stat` is of. The copy belongs to us: with the bits of its original, a program that somebody made run as himself would run as root (attack F4).
    pub(crate) fn mode_of_copy(&self, stat: &Stat) -> u32 {
        match self.owners {
            Some(_) => stat.mode & COPIED,
            None if stat.owner == platform::account() => stat.mode,
            None => stat.mode & !SET_IDS,
        }
    }

    /// What lets others change the file or folder that `stat` is of; nothing where we work for ourselves alone.
    pub(crate) fn exposure(&self, stat: &Stat) -> Option<Exposure> {
        self.owners.filter(|_| matches!(stat.kind, Kind::File | Kind::Folder)).and_then(|owners| owners.exposure(stat))
    }

    /// Whether nobody else can change what `stat` is of; always so where we work for ourselves alone.
    pub(crate) fn is_ours_alone(&self, stat: &Stat) -> bool {
        self.exposure(stat).is_none()
    }

    /// What others could change of the files `paths`, and of the folders that lead to them below the install folder. What root trusts, replaces, links to or restores from passes here
    /// (attack F4). A second name does no harm: who has one and no write right cannot change the file. A link is as safe as the folder that it lies in.
    pub fn guard<'p>(&self, paths: impl IntoIterator<Item = &'p LocalPath>) -> Result<Vec<Obstacle>, FsError> {
        if self.owners.is_none() {
            return Ok(vec![]);
        }
        let mut by_folder: BTreeMap<LocalPath, Vec<&LocalPath>> = BTreeMap::new();
        for path in paths {
            let mut folder = path.parent();
            by_folder.entry(folder.clone()).or_default().push(path);
            while !folder.is_root() {
                folder = folder.parent();
                by_folder.entry(folder.clone()).or_default();
            }
        }
        let mut found = vec![];
        for (folder, files) in by_folder {
            let looked = |source| FsError::io("looking at", &folder, source);
            let Some(stat) = self.stat(&folder)? else { continue };
            found.extend(self.exposure(&stat).map(|why| Obstacle { path: folder.clone(), why: Unwritable::Exposed(why) }));
            let Some(dir) = self.find_folder(&folder)? else { continue };
            for path in files {
                let stat = path.split().map(|(_, name)| dir.stat(name)).transpose().map_err(looked)?.flatten();
                let why = stat.filter(Stat::is_file).and_then(|stat| self.exposure(&stat));
                found.extend(why.map(|why| Obstacle { path: path.clone(), why: Unwritable::Exposed(why) }));
            }
        }
        Ok(found)
    }
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exposure::Owner(owner) => f.write_str(&crate::account::says_of(*owner)),
            Exposure::Mode(mode) => write!(f, "can be written by others (mode {mode:04o})"),
            Exposure::Kind => f.write_str("is a link, or a file with a second name, so that what it leads to may be anybody's: put a folder or a file of its own there"),
        }
    }
}

impl fmt::Display for Exposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.path.display(), self.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(owner: u32, mode: u32) -> Stat {
        let (kind, size, seconds, nanoseconds, links, device, inode) = (Kind::Folder, 0, 0, 0, 2, 1, 1);
        Stat { kind, size, seconds, nanoseconds, mode, links, owner, device, inode }
    }

    #[test]
    fn f4_a_folder_is_ours_when_its_owner_and_its_mode_say_so() {
        let owners = Owners { us: 990 };
        assert_eq!(owners.of_folder(&folder(0, 0o755)), None);
        assert_eq!(owners.of_folder(&folder(990, 0o700)), None);
        assert_eq!(owners.of_folder(&folder(1000, 0o755)), Some(Exposure::Owner(1000)));
        for mode in [0o775, 0o757, 0o777, 0o1777, 0o2775] {
            assert_eq!(owners.of_folder(&folder(0, mode)), Some(Exposure::Mode(mode)), "{mode:o}");
        }
    }

    #[test]
    fn f4_a_sticky_folder_may_lead_to_ours_and_not_be_one_and_never_belongs_to_a_stranger() {
        let owners = Owners { us: 0 };
        assert_eq!(owners.of_parent(&folder(0, 0o1777)), None);
        assert_eq!(owners.of_parent(&folder(0, 0o777)), Some(Exposure::Mode(0o777)));
        assert_eq!(owners.of_parent(&folder(1000, 0o1755)), Some(Exposure::Owner(1000)));
        assert_eq!(owners.of_folder(&folder(0, 0o1777)), Some(Exposure::Mode(0o1777)));
    }

    #[test]
    fn f4_a_file_with_a_second_name_or_a_link_is_not_ours() {
        let file = |links| Stat { kind: Kind::File, links, ..folder(0, 0o644) };
        let owners = Owners { us: 0 };
        assert_eq!(owners.of_file(&file(1)), None);
        assert_eq!(owners.of_file(&file(2)), Some(Exposure::Kind));
        assert_eq!(owners.of_file(&Stat { kind: Kind::Link, ..file(1) }), Some(Exposure::Kind));
        assert_eq!(owners.of_folder(&Stat { kind: Kind::Link, ..file(1) }), Some(Exposure::Kind));
    }
}
