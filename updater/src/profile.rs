//! Where the state of an install lies, and whom that protects against: the one function that says so (design section 6, attack F4).
//!
//! In the profile `user` the state is `.updater` in the install folder: that protects against network and server, not against whoever may write the folder. In the profile `service` it lies in
//! a folder on the same volume that only administrators write, and the updater works there for people who have no rights: so it works only in folders that nobody else can write, and names
//! each that others can. Which folders are installed so is in a registry that only administrators write ([`registry`]); nothing in the install folder has a say.
//!
//! Root works for more than itself, too: in the profile `user` it touches a folder only when nobody else can write it. Whoever owns the folder runs the updater there.

mod place;
pub mod registry;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::account::ROOT;
use crate::fs::owners::{self, Exposed, Owners};
use crate::fs::{Folder, FsError, LocalPath};
use registry::{Entry, Registry};

/// Whom an install protects against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Against network and server; the folder belongs to whoever uses it.
    User,
    /// Against the people at the computer, too: folder and state belong to administrators.
    Service,
}

/// What whoever installs asks for.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// The profile; without one that of the folder, or `user` for a new one.
    pub profile: Option<Profile>,
    /// Where the state is to lie in the profile `service`.
    pub state: Option<PathBuf>,
}

/// A folder is not worked on as it was asked for. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Others could change what is worked on.
    #[error(
        "others than the updater can change what it would work on, so nothing was changed: {}; {}",
        list(found),
        if *profile == Profile::Service { format!("give these {} and try again", owners::GIVE) }
        else { format!("run the updater as the account that owns the folder, or give it {} and install with `--profile service`", owners::GIVE_ALL) }
    )]
    Exposed {
        /// The profile of the folder.
        profile: Profile,
        /// What they could change.
        found: Vec<Exposed>,
    },
    /// The registry of installs can be written by others, so it says nothing.
    #[error("the registry of installs cannot be believed, because others can write it: {}; only {ROOT} may", list(.0))]
    Forged(Vec<Exposed>),
    /// An entry of the registry cannot be read.
    #[error("the registry of installs is damaged (`{path}`: {reason}): remove that file and install again with `--profile service`")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How.
        reason: String,
    },
    /// Another profile was asked for than the folder has.
    #[error(
        "this folder is installed with the profile `{is}`: run `updater uninstall` first, then install with `--profile {wanted}`; the client and its backups stay"
    )]
    OtherProfile {
        /// What it has.
        is: Profile,
        /// What was asked for.
        wanted: Profile,
    },
    /// Another state folder was asked for than the install has.
    #[error("the state of this install is in `{}`: it can only be moved by `updater uninstall` and a new install", is.display())]
    OtherState {
        /// Where it is.
        is: PathBuf,
    },
    /// The folder for the state has something in it.
    #[error("`{}` is not empty: name an empty folder with `--state DIR`", path.display())]
    StateNotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// Everything in it would be the client's.
    #[error("`{}` is a root folder, and backups hold all that is in the install folder: install into a folder in it", path.display())]
    Root {
        /// The folder.
        path: PathBuf,
    },
    /// The folder is another install's.
    #[error("`{}` is the state or a backup of the install in `{}`: install into a folder that is not", path.display(), of.display())]
    OfAnother {
        /// The folder.
        path: PathBuf,
        /// The install folder that it belongs to.
        of: PathBuf,
    },
    /// The path cannot be written down.
    #[error("the path `{}` is not Unicode, and the profile `service` writes it down: use another folder", path.display())]
    Name {
        /// The path.
        path: PathBuf,
    },
    /// The file system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
}

/// Opens the install folder `dir` to change it.
///
/// # Errors
/// [`ProfileError::Exposed`] names what others could change, where the updater works for more than its own account.
pub fn open(dir: &Path, registry: &Registry) -> Result<Folder, ProfileError> {
    match registry.find(dir)? {
        Some(entry) => open_service(&entry),
        None => open_user(dir),
    }
}

/// Opens the install folder `dir` to look at it.
pub fn look(dir: &Path, registry: &Registry) -> Result<Folder, ProfileError> {
    let folder = Folder::open(dir)?;
    match registry.find(dir) {
        Ok(Some(entry)) => Ok(folder.with_state_at(&entry.state)?),
        Ok(None) => Ok(folder),
        // Looking, and starting the client, goes on where the state lies unless somebody asked for another place.
        Err(damaged @ ProfileError::Damaged { .. }) => {
            let state = usual_state(&owners::canonical(dir)?, registry)?.ok_or(damaged)?;
            Ok(folder.with_state_at(&state)?)
        }
        Err(error) => Err(error),
    }
}

/// The profile of a folder that was opened here.
pub fn of(folder: &Folder) -> Profile {
    if folder.has_state_apart() { Profile::Service } else { Profile::User }
}

/// Opens the install folder `dir` as `wish` has it, making what is missing.
pub fn create(dir: &Path, wish: &Wish, registry: &Registry) -> Result<Folder, ProfileError> {
    place::refuse(dir, registry)?;
    let entry = registry.find(dir)?;
    let wanted = wish.profile.unwrap_or(if entry.is_some() { Profile::Service } else { Profile::User });
    match (entry, wanted) {
        (Some(_), Profile::User) => Err(ProfileError::OtherProfile { is: Profile::Service, wanted }),
        (Some(entry), Profile::Service) => match &wish.state {
            Some(state) if std::path::absolute(state).ok().as_ref() != Some(&entry.state) => {
                Err(ProfileError::OtherState { is: entry.state })
            }
            _ => {
                Folder::create(&entry.dir)?;
                make_state(&entry.state)?;
                open_service(&entry)
            }
        },
        (None, Profile::User) => {
            Folder::create(dir)?;
            open_user(dir)
        }
        (None, Profile::Service) => create_service(dir, wish.state.as_deref(), registry),
    }
}

/// Gives up what [`create`] made for the profile `service`, once the state in it is removed.
pub fn forget(dir: &Path, registry: &Registry) -> Result<(), ProfileError> {
    if let Some(entry) = registry.find(dir)? {
        registry.remove(&entry)?;
    }
    Ok(())
}

fn open_user(dir: &Path) -> Result<Folder, ProfileError> {
    let (folder, owners) = (Folder::open(dir)?, Owners::here());
    if !owners.are_root_alone() {
        return Ok(folder);
    }
    // Not what leads there: by whatever path it was found, it is held by now, and only root can change what is in it.
    let mut found = folder.exposed(owners)?;
    if folder.stat(&LocalPath::state_folder())?.is_some() {
        found.extend(folder.exposed_state(owners)?);
    }
    if found.is_empty() { Ok(folder.guarded_for(owners)) } else { Err(ProfileError::Exposed { profile: Profile::User, found }) }
}

fn open_service(entry: &Entry) -> Result<Folder, ProfileError> {
    let owners = Owners::here();
    let mut found = owners::exposed(&entry.dir, owners)?;
    found.extend(owners::exposed(&entry.state, owners)?);
    let folder = Folder::open(&entry.dir)?.with_state_at(&entry.state)?;
    found.extend(folder.exposed_state(owners)?.into_iter().filter(|exposed| exposed.path != entry.state));
    found.dedup();
    if found.is_empty() { Ok(folder.guarded_for(owners)) } else { Err(ProfileError::Exposed { profile: Profile::Service, found }) }
}

fn create_service(dir: &Path, state: Option<&Path>, registry: &Registry) -> Result<Folder, ProfileError> {
    // A folder of the updater's own making is nobody else's.
    if !dir.is_dir() {
        owners::make_own_folder(dir)?;
    }
    let folder = Folder::open(dir)?;
    if folder.stat(&LocalPath::state_folder())?.is_some() {
        return Err(ProfileError::OtherProfile { is: Profile::User, wanted: Profile::Service });
    }
    let dir = owners::canonical(dir)?;
    refuse_exposed(owners::exposed(&dir, Owners::here())?)?;
    let state = match state {
        Some(state) => std::path::absolute(state).map_err(|source| FsError::Open { path: state.to_owned(), source })?,
        None => default_state(&dir, registry)?,
    };
    let state = make_state(&state)?;
    if !Folder::open(&state)?.names(&LocalPath::root())?.is_empty() {
        return Err(ProfileError::StateNotEmpty { path: state });
    }
    // Another volume is found out before anything is written down.
    folder.with_state_at(&state)?;
    let entry = Entry { dir, state };
    registry.add(&entry)?;
    open_service(&entry)
}

/// Makes the state folder, or gives one that is ours the mode that it must have (attack F4). Returns its path without links.
fn make_state(state: &Path) -> Result<PathBuf, ProfileError> {
    owners::make_own_folder(state)?;
    let state = owners::canonical(state)?;
    refuse_exposed(owners::exposed(&state, Owners::here())?)?;
    Ok(state)
}

/// Beside the registry where that is the same volume; else at the top of the volume.
fn default_state(dir: &Path, registry: &Registry) -> Result<PathBuf, ProfileError> {
    let name = registry::short_name(dir)?;
    owners::make_own_folder(registry.path())?;
    match Folder::open(dir)?.with_state_at(registry.path()) {
        Ok(_) => Ok(registry.path().join("states").join(name)),
        Err(FsError::OtherVolume { .. }) => Ok(owners::top_of_volume(dir)?.join(".stationmaster").join(name)),
        Err(error) => Err(error.into()),
    }
}

/// Where [`default_state`] put the state of `dir`, when that is there and only root can change it.
fn usual_state(dir: &Path, registry: &Registry) -> Result<Option<PathBuf>, ProfileError> {
    let name = registry::short_name(dir)?;
    let places = [registry.path().join("states").join(&name), owners::top_of_volume(dir)?.join(".stationmaster").join(&name)];
    let is_roots = |place: &PathBuf| owners::exposed(place, Owners::here()).is_ok_and(|found| found.is_empty());
    Ok(places.into_iter().filter_map(|place| owners::canonical(&place).ok()).find(is_roots))
}

fn refuse_exposed(found: Vec<Exposed>) -> Result<(), ProfileError> {
    if found.is_empty() { Ok(()) } else { Err(ProfileError::Exposed { profile: Profile::Service, found }) }
}

fn list(found: &[Exposed]) -> String {
    let shown: Vec<String> = found.iter().take(3).map(ToString::to_string).collect();
    let more = found.len().saturating_sub(shown.len());
    if more > 0 { format!("{}, and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Profile::User => "user",
            Profile::Service => "service",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::owners::Exposure;

    #[test]
    fn f4_of_many_exposed_paths_three_are_named_and_the_rest_counted() {
        let exposed = |n: u32| Exposed { path: format!("p{n}").into(), why: Exposure::Mode(0o777) };
        let found: Vec<Exposed> = (1..=7).map(exposed).collect();
        let text = list(&found);
        assert!(text.contains("`p3`") && !text.contains("`p4`") && text.ends_with(", and 4 more"), "{text}");
        assert!(!list(&found[..3]).contains("more"));
    }
}
