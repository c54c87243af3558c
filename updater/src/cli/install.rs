//! `updater install`.

use std::path::PathBuf;

use clap::Args;
use manifests::install_link::InstallLink;
use manifests::name::{Arch, Name, Os, Variant};
use serde_json::json;
use updater::install::Wanted;
use updater::pipeline::{self, Error};
use updater::profile::{Profile, Wish};
use updater::progress::Progress;

use super::{Global, Report, context, update};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The install link, with what follows its `#`.
    link: InstallLink,
    /// Hold the build of another OS than this computer's: windows, linux, macosx, android, wince.
    #[arg(long, value_parser = Os::from_command_line)]
    os: Option<Os>,
    /// Hold the build of another arch: x86_64, aarch64, i686, any.
    #[arg(long)]
    arch: Option<Arch>,
    /// Follow a variant of the product.
    #[arg(long)]
    variant: Option<Variant>,
    /// Follow another channel than the link's.
    #[arg(long)]
    channel: Option<Name>,
    /// Trust the root in this file; the link may then lack its `#`.
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    /// Whom the install protects against: `user` keeps the state in `.updater`, `service` where only root, or administrators, write. Without it: as the folder is, `user` for a new one.
    #[arg(long, value_parser = parse_profile, value_name = "user|service")]
    profile: Option<Profile>,
    /// Keep the state of the profile `service` here, on the same volume as the install folder. Without it: below the registry, or in `.stationmaster` at the top of the volume.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Take everything from this folder, a copy of the repository that was carried here with the link's document as `i/CODE`; use no network.
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
}

pub(crate) fn run(global: &Global, arguments: Arguments, progress: &dyn Progress) -> Result<Report, Error> {
    let Arguments { link, os, arch, variant, channel, root, from, profile, state } = arguments;
    let root = root.map(|path| std::fs::read(&path).map_err(|source| Error::Argument { path, source })).transpose()?;
    let wanted = Wanted { link, root, os, arch, variant, channel };
    let run = context::begin_asking(global, from.as_deref(), progress)?;
    let (session, updated) = context::block_on(pipeline::install(&global.dir, &wanted, &Wish { profile, state }, &run))?;
    let mut report = update::report(&session, &updated, "installed");
    if let Some(found) = &session.found {
        report.json["found"] = json!(found);
    }
    Ok(report)
}

fn parse_profile(text: &str) -> Result<Profile, String> {
    match text {
        "user" => Ok(Profile::User),
        "service" => Ok(Profile::Service),
        _ => Err(format!("`{text}` is neither `user` nor `service`")),
    }
}
