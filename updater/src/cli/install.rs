//! `updater install`.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use manifests::install_link::InstallLink;
use manifests::name::{Arch, Name, Os, Variant};
use serde_json::json;
use updater::answers::Answers;
use updater::exit_code::Exit;
use updater::install::Wanted;
use updater::pipeline::{self, Error};
use updater::profile::{self, Profile, Wish};
use updater::progress::Progress;
use updater::settings::Settings;

use super::update::Done;
use super::{Global, Report, context, create_shortcut, update, words};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The install link, with what follows its `#`.
    #[arg(required_unless_present = "answers")]
    link: Option<InstallLink>,
    /// Take link, folder, profile and settings from this file and ask nothing, for roll-outs (packaging/answers.example.toml); only `--dir` goes before it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["link", "os", "arch", "variant", "channel", "root", "profile", "state", "from"])]
    answers: Option<PathBuf>,
    /// What is set on the station as soon as it follows the link.
    #[arg(skip)]
    settings: Vec<(String, String)>,
    /// Whether the system's timer is to check for updates.
    #[arg(skip)]
    schedule: bool,
    /// What people are to click.
    #[arg(skip)]
    shortcut: Option<Box<updater::answers::Shortcut>>,
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

impl Arguments {
    /// As the file of answers says, where there is one; with the folder that it names, unless the command line names another.
    pub(crate) fn answered(self, global: &mut Global) -> Result<Arguments, Error> {
        let Some(path) = self.answers else { return Ok(self) };
        let unusable = |reason: String| Error::Argument { path: path.clone(), source: io::Error::new(io::ErrorKind::InvalidData, reason) };
        let text = std::fs::read_to_string(&path).map_err(|source| Error::Argument { path: path.clone(), source })?;
        let place = path.parent().unwrap_or_else(|| Path::new(""));
        let Answers { link, dir, os, arch, variant, channel, root, from, profile, state, schedule, shortcut, settings } =
            Answers::parse(&text, place).map_err(unusable)?;
        if global.said_dir.is_none() {
            global.dir = dir.unwrap_or_else(|| global.dir.clone());
        }
        Ok(Arguments {
            link: Some(link),
            answers: None,
            settings,
            schedule,
            shortcut: shortcut.map(Box::new),
            os,
            arch,
            variant,
            channel,
            root,
            profile,
            state,
            from,
        })
    }
}

pub(crate) fn run(global: &Global, arguments: Arguments, progress: &dyn Progress) -> Result<Report, Error> {
    let Arguments { link, answers: _, settings, schedule, shortcut, os, arch, variant, channel, root, from, profile, state } = arguments;
    // The command line asks for one of the two.
    let link = link.ok_or(Error::NotInstalled)?;
    let root = root.map(|path| std::fs::read(&path).map_err(|source| Error::Argument { path, source })).transpose()?;
    let wanted = Wanted { link, root, os, arch, variant, channel, settings };
    shortcut.as_deref().map_or(Ok(()), |answer| create_shortcut::check(global, answer, profile.unwrap_or(Profile::User)))?;
    let run = context::begin_asking(global, from.as_deref(), progress)?;
    let before = profile::look(&global.dir, &run.registry).ok().and_then(|folder| Settings::load(&folder).ok()).unwrap_or_default();
    let (session, updated) = context::block_on(pipeline::install(&global.dir, &wanted, &Wish { profile, state }, &run))?;
    let mut report = update::report(global.texts(), &session, &updated, Done::Installed);
    if let Some(found) = &session.found {
        report.json["found"] = json!(found);
    }
    for (key, value) in wanted.settings.iter().filter(|(key, value)| !before.says(key, value)) {
        // The last line names the next command.
        let (done, next) = report.text.rsplit_once('\n').unwrap_or((&report.text, ""));
        let set = global.texts().get("install-set", &[("key", key.as_str().into()), ("value", value.as_str().into())]);
        report.text = format!("{done}\n{set}\n{next}").trim_end().to_owned();
    }
    // Each opens the folder for itself.
    drop(session);
    if let Some(answer) = shortcut {
        // The client is installed, whatever keeps the shortcut, or the schedule, from being made.
        let asked = create_shortcut::Arguments::answered(*answer);
        let made = create_shortcut::run(global, asked, progress).unwrap_or_else(|error| words::plain(&error));
        report.text += &format!("\n{}", made.text.lines().next().unwrap_or_default());
        report.json["shortcut"] = made.json;
        report.exit = if report.exit == Exit::Success { made.exit } else { report.exit };
    }
    if schedule {
        let usual = super::schedule::Command::usual();
        let scheduled = super::schedule::run(global, usual, progress).unwrap_or_else(|error| words::plain(&error));
        report.text += &format!("\n{}", scheduled.text);
        report.json["schedule"] = scheduled.json;
        // What waits or came back weighs more: whoever reads one number reads that.
        report.exit = if report.exit == Exit::Success { scheduled.exit } else { report.exit };
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
