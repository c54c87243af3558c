//! The command line of `updater`: arguments in, a report and an exit code out.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use serde::Serialize;

use updater::agent::SOCKET;
use updater::code::Code;
use updater::exit_code::Exit;
use updater::in_use::InUse;
use updater::pipeline::{Error, Who};
use updater::profile;
use updater::profile::registry::{self, Registry};
use updater::progress::Progress;
use updater::settings::Settings;
use updater::system_log::{self, SystemLog};
use updater::text::{Language, Texts};

mod acts;
mod agent;
mod asking;
mod backups;
mod check;
mod context;
mod create_shortcut;
mod doctor;
mod explain;
mod history;
mod ignore;
mod install;
mod itself;
mod launch;
mod occasion;
mod output;
mod print_firewall;
mod question;
mod rollback;
mod schedule;
mod self_first;
mod self_update;
mod settings;
mod status;
mod support_bundle;
mod uninstall;
mod update;
mod verify;
mod words;

use output::{JsonProgress, Quiet, TerminalProgress};
use words::Aim;

#[derive(Parser)]
#[command(
    name = "updater",
    version,
    about = "Brings the client in a folder to the right build, safely, and back again",
    after_help = after_help(),
    max_term_width = 110
)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Args, Clone)]
pub(crate) struct Global {
    /// The install folder.
    #[arg(id = "dir", long = "dir", global = true, value_name = "DIR")]
    said_dir: Option<PathBuf>,
    /// The same; where nobody says it, the working directory.
    #[arg(skip = PathBuf::from("."))]
    pub(crate) dir: PathBuf,
    /// Print one JSON object instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Speak this language: en, pt-BR, ru or zh-CN. Without it: the one in the settings, else the system's. Codes and JSON are the same in all of them.
    #[arg(long, global = true, value_name = "LANGUAGE")]
    lang: Option<String>,
    /// How progress is shown on standard error: a bar where there is a terminal, JSON lines, or not at all.
    #[arg(long, global = true, value_enum, default_value_t = Shown::Auto)]
    progress: Shown,
    /// Receive at most so many bytes per second, such as 500k or 2M.
    #[arg(long, global = true, value_name = "RATE", value_parser = parse_rate)]
    pub(crate) limit_rate: Option<u64>,
    /// Believe the authorities in this PEM file, too, when a server shows its certificate; also STATIONMASTER_CA_FILE.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_file: Vec<PathBuf>,
    /// Wait so many seconds for another updater that works on the folder.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 0, hide_default_value = true)]
    pub(crate) wait: u64,
    /// Wait so many seconds for an answer to a question, after which nobody is there. Without it: 60 at a start of the client, 300 otherwise.
    #[arg(long, global = true, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(..=86_400))]
    pub(crate) answer_within: Option<u64>,
    /// While a program of the client runs, or holds a file that goes: `defer` to the next run, or `wait[:SECONDS]` until it ends. Nothing is ever killed.
    #[arg(long, global = true, value_name = "HOW", default_value = "defer", value_parser = parse_in_use)]
    pub(crate) in_use: InUse,
    /// The folder where it is written which installs have the profile `service`; only root, or administrators, may be able to write it.
    #[arg(long, global = true, value_name = "DIR", default_value_os_t = registry::system())]
    pub(crate) registry: PathBuf,
    /// Where the agent of the profile `service` listens.
    #[arg(long, global = true, value_name = "PATH", default_value = SOCKET)]
    pub(crate) socket: PathBuf,
    /// The socket of the systemd journal: for tests.
    #[arg(long, global = true, hide = true, value_name = "PATH", default_value = "/run/systemd/journal/socket")]
    journal_socket: PathBuf,
    /// The socket of syslog: for tests.
    #[arg(long, global = true, hide = true, value_name = "PATH", default_value = "/dev/log")]
    syslog_socket: PathBuf,
    /// Whoever asked the agent; without it whoever runs this.
    #[arg(skip)]
    pub(crate) who: Option<Who>,
    /// Wait only one part in so many for the network: for tests, which have no time.
    #[arg(long, global = true, hide = true, value_name = "N")]
    pub(crate) hasten: Option<u32>,
}

impl Global {
    pub(crate) fn registry(&self) -> Registry {
        Registry::at(self.registry.clone())
    }

    /// The texts of the language that this run speaks.
    pub(crate) fn texts(&self) -> &'static Texts {
        // Settings that cannot be read, or a folder that is none of ours, change no language; whoever needs them says so.
        let set = || Settings::load(&profile::look(&self.dir, &self.registry()).ok()?).ok()?.language;
        Texts::of(match &self.lang {
            Some(asked) => Language::of_run(Some(asked), None),
            None => Language::of_run(None, set().as_deref()),
        })
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Shown {
    Auto,
    Json,
    None,
}

#[derive(Subcommand)]
enum Command {
    /// Install a client from a link, into a new folder or over a client that is there.
    Install(install::Arguments),
    /// Ask what is new; the client stays as it is.
    Check(check::Arguments),
    /// Bring the folder to the newest release that is for it, and repair what differs.
    Update(update::Arguments),
    /// Fetch what is offered, and leave the client as it is: the first of two acts.
    Download(acts::Download),
    /// Install what was downloaded, without a network: the second act.
    Apply,
    /// Start the client: first apply what waits, then watch whether a new build lives. Ends with the client's exit code, 128 and the number of the signal that ended it, or 126 if it cannot be started.
    Launch(launch::Arguments),
    /// Read every file and compare it with what was installed.
    Verify(verify::Arguments),
    /// Take the folder back to a backup, without a network.
    Rollback(rollback::Arguments),
    /// Pass over one release: it is not offered any more, and any newer one is. Not what the station needs.
    Ignore(ignore::Arguments),
    /// Offer again what a rollback left, and what failed here.
    Unhold,
    /// List the backups.
    Backups(backups::Arguments),
    /// Say what is installed, trusted and held.
    Status(status::Arguments),
    /// Say who changed what, when, and how it ended.
    History(history::Arguments),
    /// Say what keeps this station from updating, with cause and cure; change nothing.
    Doctor,
    /// Write what a support request needs into a zip, without secrets.
    SupportBundle(support_bundle::Arguments),
    /// Say which hosts and ports this station connects to.
    PrintFirewall,
    /// Let the system's timer check for updates, with a moment of its own for each station.
    #[command(subcommand)]
    Schedule(schedule::Command),
    /// Make what people click: a shortcut that brings the client up to date and starts it.
    CreateShortcut(create_shortcut::Arguments),
    /// Show how this station is looked after and where that is said, or change it: `updater settings consent manual`.
    Settings(settings::Arguments),
    /// Say what a code means, why it comes and what to do; without a code, list all.
    Explain(explain::Arguments),
    /// Work for people who have no rights, in folders with the profile `service`: run by root or as the system of Windows, started by the system.
    Agent(agent::Arguments),
    /// Remove what is the updater's; the client stays as it is.
    Uninstall(uninstall::Arguments),
    /// Keep the updater itself up to date.
    #[command(name = "self", subcommand)]
    SelfUpdate(self_update::Command),
    /// Say what this updater can read of these install folders: asked by an updater that is about to become this one.
    #[command(hide = true)]
    SelfCheck {
        /// The install folders.
        folders: Vec<PathBuf>,
    },
    /// Print a completion script.
    #[command(hide = true)]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

const EXAMPLES: &str = "\
Examples:
  updater install 'https://updates.example/i/shop1#3f2a…' --dir client
  updater check                     what is offered, and why
  updater update                    fetch, verify, back up, swap
  updater update --dry-run          what it would do and cost
  updater launch -- -P=TCP          see that the client fits its server and is up to date, and start it
  updater create-shortcut -- -P=TCP a shortcut that does the same
  updater download                  in two acts: fetch now, `updater apply` later
  updater rollback                  back to the newest backup, offline
  updater explain no-space          what a code means, and what to do
  updater status --explain          what is installed, and why nothing newer is offered
  updater update --from /media/x    from a copy that was carried here, without a network
  updater self follow 'https://…'   keep the updater itself up to date, from the link for the updater

STATIONMASTER_LOG=info says on standard error what is tried again and why.
STATIONMASTER_CA_FILE names PEM files of authorities, as --ca-file does.
HTTP_PROXY, HTTPS_PROXY and NO_PROXY, or the system's settings, name a proxy.";

/// What stands below the list of commands: examples, the environment, and the exit codes from their one table.
fn after_help() -> String {
    let codes: Vec<String> = Exit::TABLE.iter().map(|(exit, meaning)| format!("  {:>2}  {meaning}", *exit as u8)).collect();
    format!("{EXAMPLES}\n\nExit codes:\n{}", codes.join("\n"))
}

/// What a command has to say.
pub(crate) struct Report {
    /// For scripts.
    pub(crate) json: serde_json::Value,
    /// For people; the last line names the next command.
    pub(crate) text: String,
    /// The exit code.
    pub(crate) exit: Exit,
}

impl Report {
    /// A report that is `value` to scripts and `text` to people.
    pub(crate) fn new(value: &impl Serialize, text: String, exit: Exit) -> Report {
        // Reports are text, numbers and lists of them: nothing in them can fail to serialise.
        Report { json: serde_json::to_value(value).unwrap_or_default(), text, exit }
    }
}

/// Runs the command line of this process.
pub(crate) fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Success };
            if exit == Exit::Usage && std::env::args_os().any(|argument| argument == "--json") {
                let json = serde_json::json!({ "error": { "code": Code::Usage, "message": error.to_string() } });
                return output::print(&Report { json, text: String::new(), exit }, true).into();
            }
            // What cannot be printed cannot be reported either.
            let _ = error.print();
            return exit.into();
        }
    };
    log(matches!(arguments.command, Command::Agent(_)).then_some("info"));
    let mut global = arguments.global;
    global.dir = global.said_dir.clone().unwrap_or(global.dir);
    let command = match arguments.command {
        Command::Install(install) => match install.answered(&mut global) {
            Ok(install) => Command::Install(install),
            Err(error) => return output::print(&words::plain(&error), global.json).into(),
        },
        command => command,
    };
    system_log::begin(SystemLog { journal: global.journal_socket.clone(), syslog: global.syslog_socket.clone() });
    let progress: Arc<dyn Progress> = match global.progress {
        Shown::Json => Arc::new(JsonProgress::default()),
        Shown::Auto if TerminalProgress::fits() && !global.json => Arc::new(TerminalProgress::new(global.texts())),
        Shown::Auto | Shown::None => Arc::new(Quiet { texts: global.texts() }),
    };
    let aim = Aim::of(&command);
    let outcome = match asking::agent(&global, &command, &*progress) {
        Ok(None) => carry_out(&global, command, &*progress),
        Ok(Some(report)) => Ok(report),
        Err(error) => Err(error),
    };
    let report = aim.in_words(&global, outcome.unwrap_or_else(|error| words::plain(&error)));
    output::print(&report, global.json).into()
}

fn carry_out(global: &Global, command: Command, progress: &dyn Progress) -> Result<Report, Error> {
    match command {
        Command::Install(command) => install::run(global, command, progress),
        Command::Check(command) => {
            self_first::run(global, &command.asking, progress);
            check::run(global, command, progress)
        }
        Command::Update(command) => {
            if !command.dry_run {
                self_first::run(global, &command.asking, progress);
            }
            update::run(global, command, progress)
        }
        Command::Download(command) => {
            self_first::run(global, &command.asking, progress);
            acts::download(global, &command, progress)
        }
        Command::Apply => acts::apply(global, progress),
        Command::Launch(command) => match launch::run(global, &command, progress) {
            Ok(code) => std::process::exit(code),
            Err(error) => Err(error),
        },
        Command::Verify(command) => verify::run(global, command, progress),
        Command::Rollback(command) => rollback::run(global, command, progress),
        Command::Ignore(command) => ignore::run(global, &command, progress),
        Command::Unhold => rollback::unhold(global, progress),
        Command::Backups(command) => backups::run(global, command, progress),
        Command::Status(command) => status::run(global, command, progress),
        Command::History(command) => history::run(global, &command),
        Command::Doctor => doctor::run(global, progress),
        Command::SupportBundle(command) => support_bundle::run(global, &command, progress),
        Command::PrintFirewall => print_firewall::run(global, progress),
        Command::Schedule(command) => schedule::run(global, command, progress),
        Command::CreateShortcut(command) => create_shortcut::run(global, command, progress),
        Command::Settings(command) => settings::run(global, &command, progress),
        Command::Explain(command) => Ok(explain::run(global, &command)),
        Command::Agent(command) => agent::run(global, command),
        Command::Uninstall(command) => uninstall::run(global, command),
        Command::SelfUpdate(command) => self_update::run(global, command, progress),
        Command::SelfCheck { folders } => Ok(self_update::self_check(global, &folders)),
        Command::Completions { shell } => {
            let mut script = vec![];
            clap_complete::generate(shell, &mut Arguments::command(), "updater", &mut script);
            let text = String::from_utf8_lossy(&script).into_owned();
            Ok(Report::new(&serde_json::json!({ "script": text }), text, Exit::Success))
        }
    }
}

/// Logs to standard error what `STATIONMASTER_LOG` asks for, such as `info`; `otherwise` without it.
fn log(otherwise: Option<&str>) {
    let asked = tracing_subscriber::EnvFilter::try_from_env("STATIONMASTER_LOG").ok();
    if let Some(filter) = asked.or_else(|| otherwise.map(tracing_subscriber::EnvFilter::new)) {
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal()).init();
    }
}

fn parse_in_use(text: &str) -> Result<InUse, String> {
    match text.split_once(':').unwrap_or((text, "")) {
        ("defer", "") => Ok(InUse::Defer),
        ("wait", "") => Ok(InUse::Wait(None)),
        ("wait", seconds) => {
            seconds.parse().map(|seconds| InUse::Wait(Some(Duration::from_secs(seconds)))).map_err(|error| error.to_string())
        }
        _ => Err(format!("`{text}` is not `defer`, `wait` or `wait:SECONDS`")),
    }
}

fn parse_rate(text: &str) -> Result<u64, String> {
    let (number, factor) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 1_000),
        Some(b'm' | b'M') => (&text[..text.len() - 1], 1_000_000),
        _ => (text, 1),
    };
    let rate = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    rate.filter(|rate| *rate > 0).ok_or_else(|| format!("`{text}` is not a rate: bytes per second, such as 250000, 500k or 2M"))
}
