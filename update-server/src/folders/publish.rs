//! Makes the next release of a folder, if it is fit and differs from the one that its channel has.

use manifests::build::Build;
use manifests::channel::{Bound, ChannelDocument};
use manifests::name::{ChannelId, Os};
use manifests::path::RelPath;
use manifests::publish::compose::Refused;
use manifests::publish::view::View;
use manifests::publish::{Attributes, Outcome, PublishError, PublishRequest, Published, Repository, ServerSays, Silent, folder_role};
use manifests::time::UtcTime;
use manifests::trust::TARGETS;

use super::state::{Released, Standing};
use super::{build, writers};
use crate::config::FolderSettings;
use crate::upkeep::Upkeep;

/// Where the program of a SmartClient for `os` lies in its folder; used where no entry point is set and the folder has it.
const fn smartclient_of(os: Os) -> &'static str {
    match os {
        Os::Windows | Os::Wince => "smartclient.exe",
        Os::Macosx => "smartclient.app/Contents/MacOS/smartclient",
        Os::Linux | Os::Android => "smartclient",
    }
}

/// Publishes the folder of `settings` as it is now. Whatever keeps it from being published is what it returns; nothing of it is visible then.
pub fn attend(settings: &FolderSettings, upkeep: &Upkeep, now: UtcTime) -> Standing {
    let Some(kept) = upkeep.get(&settings.repository) else {
        return failed(format!("the repository `{}` has no `keys` in the configuration", settings.repository), false);
    };
    match kept.open().map_err(Unpublished::from).and_then(|repository| release(settings, &repository, now)) {
        Ok(standing) | Err(Unpublished::Standing(standing)) => standing,
        Err(Unpublished::Error(PublishError::Lint(findings))) => Standing::Refused(findings),
        Err(Unpublished::Error(error @ PublishError::Refused(_))) => failed(error.to_string(), false),
        // Somebody changed it, or was at the repository, a disk was full, a key file was being exchanged: all of that can end while the folder stays as it is.
        Err(Unpublished::Error(error)) => failed(error.to_string(), true),
    }
}

/// Why there is no release.
enum Unpublished {
    Standing(Standing),
    Error(PublishError),
}

impl From<PublishError> for Unpublished {
    fn from(error: PublishError) -> Self {
        Unpublished::Error(error)
    }
}

fn failed(text: String, passing: bool) -> Standing {
    Standing::Failed { text, passing }
}

fn release(settings: &FolderSettings, repository: &Repository, now: UtcTime) -> Result<Standing, Unpublished> {
    let Some(path) = &settings.path else { return Err(Unpublished::Standing(Standing::NoPath)) };
    if let Some(writer) = writers::first(path) {
        return Err(Unpublished::Standing(Standing::Busy(writer)));
    }
    let view = repository.view()?;
    let id = &settings.id;
    if !view.folders().iter().any(|(_, known)| known == id) {
        return Err(Unpublished::Standing(no_role(settings, repository, &view)));
    }
    let server = server_build(settings).map_err(Unpublished::Standing)?;
    let entry_point = settings.entry_point.clone().or_else(|| smartclient(settings));
    let request = |build: Build| PublishRequest {
        attributes: Attributes { entry_point: entry_point.clone(), allow_downgrade: settings.allow_downgrade, ..Attributes::default() },
        extras: settings.extras,
        config: settings.config.clone(),
        names: settings.names,
        allowed: settings.allow.clone(),
        server: ServerSays { build: Some(server.clone().map(Bound)), compat: None },
        ..PublishRequest::new(path, id.clone(), build)
    };
    // What the channel says of its server makes no other release.
    let tried = |build: &Build| {
        let request = PublishRequest { dry_run: true, server: ServerSays::default(), ..request(build.clone()) };
        repository.publish(&request, now, &Silent)
    };
    let document = view.channels.get(id);
    let known = settings.build.clone().or_else(|| build::of_program(path, entry_point.as_ref()?));
    let build = match known {
        Some(build) => build,
        None => {
            // Under a build of today it would pass for another release than the one that was withdrawn.
            let withdrawn = document.iter().flat_map(|document| &document.releases).filter(|release| release.withdrawn.is_some());
            for release in withdrawn {
                if let Err(error @ PublishError::Refused(Refused::WasWithdrawn { .. })) = tried(&release.build) {
                    return Err(error.into());
                }
            }
            let current = document.and_then(ChannelDocument::current).map(|release| &release.build);
            match current {
                Some(build) if matches!(tried(build)?, Outcome::AlreadyCurrent(_)) => build.clone(),
                current => build::of_today(now, current),
            }
        }
    };
    let outcome = repository.publish(&request(build), now, &Silent)?;
    let is_new = matches!(outcome, Outcome::Published(_));
    if is_new {
        // What no station needs any more is dropped. That this fails is no reason to say that there is no release.
        let dropped = repository.prune_channel(id, settings.keep_releases, now, &Silent).and_then(|_| repository.gc(false, now, &Silent));
        if let Err(error) = dropped {
            tracing::warn!(channel.path = id.target_path(), error = %error, "old releases of the folder could not be dropped");
        }
    }
    Ok(standing(outcome.published(), is_new))
}

fn standing(published: &Published, is_new: bool) -> Standing {
    Standing::Published { release: Released { sequence: published.sequence, build: published.build.text().to_owned() }, is_new }
}

/// The build of the application server, where it is known.
fn server_build(settings: &FolderSettings) -> Result<Option<Build>, Standing> {
    let Some(program) = &settings.server_program else { return Ok(settings.server_build.clone()) };
    let version = build::of_file(program).ok_or_else(|| {
        failed(
            format!("`server_program` is `{}`, which has no version that could be read: give `server_build` instead", program.display()),
            true,
        )
    });
    version.map(Some)
}

/// What is to be done where targets does not delegate to the folder yet.
fn no_role(settings: &FolderSettings, repository: &Repository, view: &View) -> Standing {
    let (id, role) = (&settings.id, folder_role::name(&settings.id));
    let keys = repository.keys();
    let lacks = format!("the repository `{}` has no role `{role}` for it", repository.name());
    let is_here = view.keys_of(TARGETS).is_some_and(|targets| targets.keyids.iter().any(|key| keys.holds(key)));
    if is_here {
        return Standing::NoRole(format!("{lacks}: restart the server, which makes it, or take its [[folder]] out of the configuration"));
    }
    Standing::NoRole(format!(
        "{lacks}, and the targets keys are not here: run `manifests folders add {} {} --keys {}`, with --request where those keys are elsewhere",
        repository.path().display(),
        channel_options(id),
        keys.path().display(),
    ))
}

/// A channel, as commands of the publisher take it.
pub(crate) fn channel_options(id: &ChannelId) -> String {
    let variant = id.variant.as_ref().map(|variant| format!(" --variant {variant}")).unwrap_or_default();
    format!("--product {} --os {} --arch {}{variant} --channel {}", id.product, id.os, id.arch, id.channel)
}

/// The program of a SmartClient, as the folder spells it.
fn smartclient(settings: &FolderSettings) -> Option<RelPath> {
    let path = settings.path.as_ref().filter(|_| settings.id.product.as_str() == "smartclient")?;
    let spelt = |wanted: &str| -> Option<RelPath> {
        let mut found = String::new();
        for part in wanted.split('/') {
            let names = std::fs::read_dir(path.join(&found)).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
            let name = names.filter(|name| name.eq_ignore_ascii_case(part)).min_by_key(|name| name != part)?;
            found = if found.is_empty() { name } else { format!("{found}/{name}") };
        }
        path.join(&found).is_file().then(|| found.parse().ok()).flatten()
    };
    spelt(smartclient_of(settings.id.os))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sites keep the programs of all systems in one folder, and each station starts its own.
    #[test]
    fn the_entry_point_is_that_of_the_system_as_the_folder_spells_it() {
        let folder = tempfile::tempdir().unwrap();
        let make = |path: &str| {
            std::fs::create_dir_all(folder.path().join(path).parent().unwrap()).unwrap();
            std::fs::write(folder.path().join(path), "program").unwrap();
        };
        let of = |os: Os| {
            let settings = FolderSettings::new(Some(folder.path().to_owned()), String::new(), "acme".parse().unwrap(), os);
            smartclient(&settings).map(|path| path.to_string())
        };
        make("SmartClient.exe");
        assert_eq!((of(Os::Windows).as_deref(), of(Os::Linux), of(Os::Macosx)), (Some("SmartClient.exe"), None, None));
        make("smartclient");
        make("SmartClient.app/Contents/MacOS/smartclient");
        assert_eq!((of(Os::Windows).as_deref(), of(Os::Linux).as_deref()), (Some("SmartClient.exe"), Some("smartclient")));
        assert_eq!(of(Os::Macosx).as_deref(), Some("SmartClient.app/Contents/MacOS/smartclient"));
    }
}
