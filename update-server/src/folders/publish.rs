//! Makes the next release of a folder, if it is fit and differs from the one that its channel has.

use manifests::build::Build;
use manifests::channel::{Bound, ChannelDocument};
use manifests::path::RelPath;
use manifests::publish::compose::Refused;
use manifests::publish::{Attributes, Outcome, PublishError, PublishRequest, Published, Repository, ServerSays, Silent, folder_role};
use manifests::time::UtcTime;

use super::state::{Released, Standing};
use super::{build, writers};
use crate::config::FolderSettings;
use crate::upkeep::Upkeep;

/// Where the program of a SmartClient lies in its folder, by OS; used where no entry point is set and the folder has it.
const SMARTCLIENT: [&str; 3] = ["smartclient.exe", "smartclient", "smartclient.app/Contents/MacOS/smartclient"];

/// Publishes the folder of `settings` as it is now. Whatever keeps it from being published is what it returns; nothing of it is visible then.
pub fn attend(settings: &FolderSettings, upkeep: &Upkeep, now: UtcTime) -> Standing {
    let Some(kept) = upkeep.get(&settings.repository) else {
        return failed(format!("the repository `{}` has no `keys` in the configuration", settings.repository), false);
    };
    match kept.open().map_err(Unpublished::from).and_then(|repository| release(settings, &repository, now)) {
        Ok(standing) | Err(Unpublished::Standing(standing)) => standing,
        Err(Unpublished::Error(PublishError::Lint(findings))) => Standing::Refused(findings),
        // Somebody changed it, or was at the repository: neither lasts.
        Err(Unpublished::Error(error @ (PublishError::Scan(_) | PublishError::Lock(_)))) => failed(error.to_string(), true),
        Err(Unpublished::Error(error)) => failed(error.to_string(), false),
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
        return Err(Unpublished::Standing(no_role(settings, repository)));
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
fn no_role(settings: &FolderSettings, repository: &Repository) -> Standing {
    let id = &settings.id;
    let variant = id.variant.as_ref().map(|variant| format!(" --variant {variant}")).unwrap_or_default();
    let channel = format!("--product {} --os {} --arch {}{variant} --channel {}", id.product, id.os, id.arch, id.channel);
    Standing::NoRole(format!(
        "the repository `{}` has no role `{}` for it, and the targets keys are not here: run `manifests folders add {} {channel} --keys {}`, with --request where those keys are elsewhere",
        repository.name(),
        folder_role::name(id),
        repository.path().display(),
        repository.keys().path().display(),
    ))
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
    SMARTCLIENT.into_iter().find_map(spelt)
}
