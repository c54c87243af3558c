//! `update-server demo`: a whole update system on this machine, in one command.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use manifests::name::{Arch, ChannelId, Name, Os};
use manifests::publish::Published;
use tokio::sync::{mpsc, oneshot};

use super::Failure;
use super::site::reachable;
use crate::app::App;
use crate::clock::{Clock, SystemClock};
use crate::config::{LogSettings, Settings};
use crate::demo::{Demo, DemoError};
use crate::watch::{self, Acted};
use crate::{logging, server, signals};

/// How long a folder must be still before it is published.
const SETTLE: Duration = Duration::from_millis(750);
/// How often it is asked whether a day has passed since the last refresh. Hours on the clock, not of running: machines sleep.
const LOOK_AT_CLOCK: Duration = Duration::from_secs(900);
const DAY_SECONDS: i64 = 86_400;

/// Publishes a folder, serves it on this machine, and makes a release of every change.
///
/// Makes keys and a repository, publishes FOLDER (or a small sample client), and prints the `updater install` line that installs it. Edit a file of
/// the folder: a moment later the next release is out, and `updater update` fetches it. Stop with Ctrl-C; the same command goes on where it was.
///
/// It is a demo: the keys of every role lie on this machine, unencrypted, so whoever owns the machine can sign what stations install. For real
/// use, `manifests init` makes the keys where you want them, and `update-server serve` serves without any.
#[derive(Debug, Args)]
pub(super) struct DemoCommand {
    /// The client to publish; a small sample when left out.
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Where the demo keeps all that it makes [default: FOLDER.demo beside FOLDER, else ./stationmaster-demo].
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// The address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The product's name.
    #[arg(long, value_name = "NAME", default_value = "client")]
    product: Name,
    /// The OS that the folder is for; that of this machine when left out.
    #[arg(long, value_parser = super::os)]
    os: Option<Os>,
    /// The arch that the folder is for; that of this machine when left out.
    #[arg(long)]
    arch: Option<Arch>,
}

/// What happens while the demo runs.
enum Event {
    Released(Published),
    Failed(String),
}

impl DemoCommand {
    pub(super) fn run(self, out: &mut dyn Write) -> Result<(), Failure> {
        logging::start(&LogSettings { level: "warn".to_owned(), ..Settings::default().log });
        let id = self.id()?;
        let demo = Demo::prepare(&self.state(), self.folder.as_deref(), id, SystemClock.now()).map_err(start)?;
        let runtime = tokio::runtime::Runtime::new().map_err(start)?;
        runtime.block_on(run(Arc::new(demo), self.listen, out))
    }

    fn id(&self) -> Result<ChannelId, Failure> {
        let unknown = |what| Failure::new(format!("start the demo: this machine's {what} is not known here (give --{what})"));
        Ok(ChannelId {
            os: self.os.or_else(Os::host).ok_or_else(|| unknown("os"))?,
            product: self.product.clone(),
            arch: self.arch.or_else(Arch::host).ok_or_else(|| unknown("arch"))?,
            variant: None,
            // Six lower-case letters are a name.
            channel: "stable".parse().map_err(start)?,
        })
    }

    fn state(&self) -> PathBuf {
        match (&self.state, self.folder.as_ref().and_then(|folder| Some((folder, folder.canonicalize().ok()?)))) {
            (Some(state), _) => state.clone(),
            (None, Some((_, whole))) => {
                let mut name = whole.file_name().unwrap_or_default().to_owned();
                name.push(".demo");
                whole.with_file_name(name)
            }
            (None, None) => PathBuf::from("stationmaster-demo"),
        }
    }
}

fn start(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::because("start the demo", error)
}

async fn run(demo: Arc<Demo>, listen: SocketAddr, out: &mut dyn Write) -> Result<(), Failure> {
    let mut stop = Box::pin(signals::stop().map_err(start)?);
    let listener = server::bind(listen)
        .map_err(|error| Failure::because(format!("listen on `{listen}` (choose another address with --listen)"), error))?;
    let address = listener.local_addr().map_err(start)?;

    let first = blocking(&demo, |demo| {
        demo.refresh(SystemClock.now())?;
        demo.publish(SystemClock.now())
    })
    .await;
    let link = blocking(&demo, move |demo| demo.link(&format!("http://{}/", reachable(address)))).await.map_err(start)?;
    let settings = demo.settings(address);
    let app = App { demo: true, ..App::new(&settings) };
    let (stop_serving, stopped) = oneshot::channel::<()>();
    let shutdown = async move {
        // An error means that the sender is gone: then it is time to stop as well.
        let _ = stopped.await;
    };
    let serving = tokio::spawn(async move { crate::run_app(listener, shutdown, &settings, Arc::new(app)).await });

    introduce(&demo, address, &link.to_string(), out).map_err(start)?;
    report(first, out).map_err(start)?;
    let (events, mut happened) = mpsc::channel(16);
    let watching = tokio::spawn(follow(demo.clone(), events.clone()));
    let refreshing = tokio::spawn(refresh_daily(demo, events));
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(event) = happened.recv() => tell(event, out).map_err(start)?,
        }
    }
    writeln!(out, "Stopping; the same command goes on from here.").map_err(start)?;
    watching.abort();
    refreshing.abort();
    drop(stop_serving);
    serving.await.map(|_| ()).map_err(|error| Failure::because("stop cleanly", error))
}

/// Publishes the folder each time it has changed.
async fn follow(demo: Arc<Demo>, events: mpsc::Sender<Event>) {
    watch::watch(demo.folder().to_owned(), None, SETTLE, |event| {
        let (demo, events) = (demo.clone(), events.clone());
        async move {
            if let watch::Event::Unreadable(error) = event {
                tracing::warn!(folder.path = %demo.folder().display(), error = %error, "the folder cannot be listed");
                return Acted::Again(watch::LOOK_ANYWAY);
            }
            let event = match blocking(&demo, |demo| demo.publish(SystemClock.now())).await {
                Ok(Some(published)) => Event::Released(published),
                Ok(None) => return Acted::DealtWith,
                Err(error) => {
                    // What the folder's owner must change is said once; what may pass by itself is tried again.
                    let passing = error.is_passing();
                    let _ = events.send(Event::Failed(format!("{error}"))).await;
                    return if passing { Acted::Again(watch::LOOK_ANYWAY) } else { Acted::DealtWith };
                }
            };
            let _ = events.send(event).await;
            Acted::DealtWith
        }
    })
    .await;
}

async fn refresh_daily(demo: Arc<Demo>, events: mpsc::Sender<Event>) {
    let mut last = SystemClock.now();
    loop {
        tokio::time::sleep(LOOK_AT_CLOCK).await;
        let now = SystemClock.now();
        if (now.unix() - last.unix()).abs() >= DAY_SECONDS {
            match blocking(&demo, move |demo| demo.refresh(now)).await {
                Ok(_) => last = now,
                Err(error) => drop(events.send(Event::Failed(format!("the daily refresh: {error}"))).await),
            }
        }
    }
}

/// Publishing reads and writes files; it runs where waiting is allowed.
async fn blocking<T: Send + 'static>(
    demo: &Arc<Demo>,
    work: impl FnOnce(&Demo) -> Result<T, DemoError> + Send + 'static,
) -> Result<T, DemoError> {
    let demo = demo.clone();
    tokio::task::spawn_blocking(move || work(&demo)).await.unwrap_or_else(|stopped| Err(DemoError::Stopped(stopped.to_string())))
}

fn introduce(demo: &Demo, address: SocketAddr, link: &str, out: &mut dyn Write) -> io::Result<()> {
    let (updater, station) = (updater(), demo.state().join("station"));
    writeln!(out, "Serving {} from {} on http://{address}/", demo.id(), demo.folder().display())?;
    writeln!(out)?;
    writeln!(out, "  This is a demo. The keys of every role lie in {},", demo.keys().display())?;
    writeln!(out, "  unencrypted: whoever owns this machine can sign what stations install.")?;
    writeln!(out)?;
    writeln!(out, "Install it on a station:")?;
    writeln!(out, "  {updater} install \"{link}\" --dir \"{}\"", station.display())?;
    writeln!(out, "Then edit a file in {} and fetch the new release:", demo.folder().display())?;
    writeln!(out, "  {updater} update --yes --dir \"{}\"", station.display())?;
    writeln!(out, "And go back:")?;
    writeln!(out, "  {updater} rollback --dir \"{}\"", station.display())?;
    writeln!(out)?;
    out.flush()
}

/// How the updater is called from here: by its path when it was built beside this program.
fn updater() -> String {
    let name = format!("updater{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().ok().map(|program| program.with_file_name(&name)).filter(|path| path.is_file());
    let here = std::env::current_dir().ok();
    match beside {
        None => "updater".to_owned(),
        Some(path) => match here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned)) {
            Some(short) => quoted(&short),
            None => quoted(&path),
        },
    }
}

fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    if text.contains(' ') { format!("\"{text}\"") } else { text }
}

fn report(first: Result<Option<Published>, DemoError>, out: &mut dyn Write) -> io::Result<()> {
    match first {
        Ok(Some(published)) => tell(Event::Released(published), out),
        Ok(None) => {
            writeln!(out, "The folder is as it was last published.")?;
            out.flush()
        }
        Err(error) => tell(Event::Failed(error.to_string()), out),
    }
}

fn tell(event: Event, out: &mut dyn Write) -> io::Result<()> {
    match event {
        Event::Released(Published { sequence, build, files, new_files, new_bytes, .. }) => {
            writeln!(out, "Released {build} (sequence {sequence}): {files} files, {new_files} of them new, {new_bytes} bytes added")?;
        }
        Event::Failed(why) => writeln!(out, "Nothing was released: {why}")?,
    }
    out.flush()
}
