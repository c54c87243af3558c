//! A temporary folder with builds, a content repository, servers and stations; the real programs act in it.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

use crate::process::{Finished, run};
use crate::proxy::Proxy;
use crate::server::Server;
use crate::station::Station;
use crate::tree::Tree;

/// Longest that publishing may take.
const LIMIT: Duration = Duration::from_secs(600);

/// The product that tests publish unless they say otherwise.
pub const PRODUCT: &str = "client";
/// The target path of its channel document.
pub const TARGET: &str = "linux/client/x86_64/stable.json";
/// A file time for those who do not care: 2025-11-21T00:00:00Z.
pub const T0: i64 = 1_763_683_200;

/// Path of a program under test. Panics when it was not built: a test never builds, so that it always tests what was built.
pub fn program(name: &str) -> PathBuf {
    let this = std::env::current_exe().expect("a test knows its own path");
    let folder = this.parent().and_then(Path::parent).expect("tests lie in <target>/<profile>/deps");
    let path = folder.join(name);
    assert!(path.is_file(), "`{}` was not built; run `tests/run`", path.display());
    path
}

/// A point in time and a zone for the programs under test, through libfaketime; the clock goes on from there.
#[derive(Debug, Clone)]
pub struct Clock {
    /// Seconds since 1970, UTC.
    pub unix: i64,
    /// Value of `TZ`.
    pub zone: String,
}

impl Clock {
    /// Makes `command` see this clock.
    pub fn set(&self, command: &mut Command) {
        const LIBRARIES: [&str; 4] = [
            "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
            "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
            "/usr/lib64/faketime/libfaketimeMT.so.1",
            "/usr/lib/faketime/libfaketimeMT.so.1",
        ];
        let library = LIBRARIES.iter().find(|path| Path::new(path).exists()).expect("libfaketime is installed; run `tests/run`");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let offset = self.unix - i64::try_from(now).expect("before the year 292277026596");
        command.env("LD_PRELOAD", library).env("FAKETIME", format!("{offset:+}")).env("TZ", &self.zone);
        // Only the time of day is faked: neither time-outs nor the times of files.
        command.env("DONT_FAKE_MONOTONIC", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("NO_FAKE_STAT", "1");
    }
}

/// A temporary folder and everything in it; gone when dropped.
pub struct World {
    root: TempDir,
    clock: Option<Clock>,
    /// Every server that was started: the repository's folder, its name, and where it is served.
    served: Mutex<Vec<(PathBuf, String, SocketAddr)>>,
}

impl World {
    /// An empty world.
    pub fn new() -> World {
        let root = tempfile::Builder::new().prefix("system-tests.").tempdir().expect("a temporary folder");
        World { root, clock: None, served: Mutex::default() }
    }

    /// An empty world in memory, where there is such a place: for tests that make and drop many folders, and that no disk has to outlive.
    pub fn in_memory() -> World {
        let place = [Path::new("/dev/shm"), &std::env::temp_dir()].into_iter().find_map(|place| {
            let root = tempfile::Builder::new().prefix("system-tests.").tempdir_in(place);
            root.ok()
        });
        World { root: place.expect("a temporary folder"), clock: None, served: Mutex::default() }
    }

    /// An empty world whose programs see `clock`.
    pub fn at_time(clock: Clock) -> World {
        World { clock: Some(clock), ..World::new() }
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// An empty folder for a build.
    pub fn build(&self, name: &str) -> Build {
        let dir = self.path(name);
        fs::create_dir_all(&dir).unwrap_or_else(|e| panic!("cannot make `{}`: {e}", dir.display()));
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).expect("mode set");
        Build { dir }
    }

    /// A station with a folder of this name, which does not exist yet.
    pub fn station(&self, name: &str) -> Station {
        let station = Station::at(self.path(name));
        match &self.clock {
            Some(clock) => station.at_time(clock),
            None => station,
        }
    }

    /// `manifests init`: a content repository, its keys beside it.
    pub fn repository(&self, name: &str) -> Repository<'_> {
        let repository =
            Repository { world: self, dir: self.path(&format!("repositories/{name}")), name: name.to_owned(), clock: self.clock.clone() };
        fs::create_dir_all(self.path("repositories")).expect("folder made");
        repository.manifests(&["init", repository.text(), "--name", name]).succeeded("manifests init");
        repository
    }

    /// A repository that lies at `dir` already: a restored one, or somebody's copy.
    pub fn repository_at(&self, name: &str, dir: &Path) -> Repository<'_> {
        Repository { world: self, dir: dir.to_owned(), name: name.to_owned(), clock: self.clock.clone() }
    }

    /// `update-server serve`, for one repository.
    pub fn serve(&self, repository: &Repository<'_>) -> Server {
        self.serve_copy(&repository.name, &repository.dir, "server")
    }

    /// `update-server serve`, for a repository of this name that lies at `dir`; several servers of one world have different `id`s.
    pub fn serve_copy(&self, name: &str, dir: &Path, id: &str) -> Server {
        self.serve_with(name, dir, id, "")
    }

    /// `update-server serve`, for one repository to whose stations it listens: what they report is in `ID-journal`.
    pub fn serve_and_listen(&self, repository: &Repository<'_>, id: &str) -> Server {
        self.serve_with(&repository.name, &repository.dir, id, &format!("[reports]\njournal = \"{id}-journal\"\n"))
    }

    fn serve_with(&self, name: &str, dir: &Path, id: &str, more: &str) -> Server {
        let config = self.path(&format!("{id}.toml"));
        let text = format!(
            "listen = \"127.0.0.1:0\"\ninstall_documents = \"{id}-links\"\n\n[[repository]]\nname = \"{name}\"\npath = \"{}\"\n\n{more}",
            dir.display()
        );
        fs::write(&config, text).expect("configuration written");
        let mut command = self.command("update-server");
        command.args(["serve", "--config"]).arg(&config);
        let server = Server::start(&mut command, &config, name);
        self.served.lock().unwrap_or_else(PoisonError::into_inner).push((dir.to_owned(), name.to_owned(), server.address()));
        server
    }

    /// `update-server link`: the install link of the test product, as served at `server`.
    pub fn link(&self, server: &Server) -> String {
        self.link_of(server, PRODUCT)
    }

    /// The install link of any product.
    pub fn link_of(&self, server: &Server, product: &str) -> String {
        let mut command = self.command("update-server");
        let base = format!("http://{}/", server.address());
        command.args(["link", "--repository", &server.repository, "--product", product, "--channel", "stable", "--arch", "x86_64"]);
        command.args(["--base-url", &base, "--config"]);
        let done = run(command.arg(&server.config), LIMIT).succeeded("update-server link");
        let link = done.stdout.split_whitespace().find(|word| word.starts_with("http"));
        link.unwrap_or_else(|| panic!("no link\n{}", done.report())).to_owned()
    }

    /// A server for `repository`, a proxy before it, and the install link through the proxy.
    pub fn serve_through_proxy(&self, repository: &Repository<'_>) -> (Server, Proxy, String) {
        let server = self.serve(repository);
        let proxy = Proxy::to(server.address());
        let link = proxy.through(&self.link(&server));
        (server, proxy, link)
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(program(name));
        if let Some(clock) = &self.clock {
            clock.set(&mut command);
        }
        command
    }
}

impl Default for World {
    fn default() -> World {
        World::new()
    }
}

/// A content repository, published to with `manifests`.
pub struct Repository<'a> {
    world: &'a World,
    /// Where it lies.
    pub dir: PathBuf,
    /// Its name.
    pub name: String,
    clock: Option<Clock>,
}

impl Repository<'_> {
    /// Publishes `build` as a release of the test product for Linux on x86-64; it must succeed.
    #[track_caller]
    pub fn publish(&self, build: &Build, version: &str) -> Finished {
        self.publish_with(build, &["--build", version]).succeeded("manifests publish")
    }

    /// The same with further options.
    pub fn publish_with(&self, build: &Build, options: &[&str]) -> Finished {
        let mut arguments = vec!["publish", build.text(), "--repo", self.text()];
        for (option, value) in [("--product", PRODUCT), ("--os", "linux"), ("--arch", "x86_64")] {
            if !options.contains(&option) {
                arguments.extend([option, value]);
            }
        }
        arguments.extend(options);
        self.manifests(&arguments)
    }

    /// The same repository, whose publisher has another clock.
    #[must_use]
    pub fn at_time(&self, clock: &Clock) -> Self {
        Repository { world: self.world, dir: self.dir.clone(), name: self.name.clone(), clock: Some(clock.clone()) }
    }

    /// Runs `manifests` with these arguments, and waits until what it did is served.
    pub fn manifests(&self, arguments: &[&str]) -> Finished {
        let mut command = Command::new(program("manifests"));
        if let Some(clock) = &self.clock {
            clock.set(&mut command);
        }
        let done = run(command.args(arguments), LIMIT);
        self.wait_until_served();
        done
    }

    /// Waits until every running server of this repository serves its timestamp: servers do not look at the disk for every request.
    pub fn wait_until_served(&self) {
        const PATIENCE: Duration = Duration::from_secs(20);
        let Ok(wanted) = fs::read(self.dir.join("metadata/timestamp.json")) else { return };
        let served = self.world.served.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (_, name, address) in served.iter().filter(|(dir, ..)| *dir == self.dir) {
            let started = Instant::now();
            while get(*address, &format!("/repo/{name}/metadata/timestamp.json")).is_some_and(|answer| !answer.ends_with(&wanted)) {
                assert!(started.elapsed() < PATIENCE, "`{name}` at {address} does not serve what was published {PATIENCE:?} ago");
            }
        }
    }

    /// Its path as an argument.
    pub fn text(&self) -> &str {
        self.dir.to_str().expect("temporary paths are UTF-8")
    }
}

/// A folder with a build that is to be published.
#[derive(Debug, Clone)]
pub struct Build {
    /// Where it lies.
    pub dir: PathBuf,
}

impl Build {
    /// A file of mode 0644 with this content and time, in whole seconds.
    pub fn file(&self, path: &str, content: impl AsRef<[u8]>, mtime: i64) -> &Build {
        self.write(path, content.as_ref(), mtime, 0o644)
    }

    /// A file of mode 0755.
    pub fn exec(&self, path: &str, content: impl AsRef<[u8]>, mtime: i64) -> &Build {
        self.write(path, content.as_ref(), mtime, 0o755)
    }

    /// A symbolic link.
    pub fn link(&self, path: &str, target: &str) -> &Build {
        symlink(target, self.parent_made(path)).unwrap_or_else(|e| panic!("cannot make the link `{path}`: {e}"));
        self
    }

    /// An empty folder.
    pub fn folder(&self, path: &str) -> &Build {
        fs::create_dir_all(self.parent_made(path)).unwrap_or_else(|e| panic!("cannot make `{path}`: {e}"));
        self
    }

    /// Removes a file.
    pub fn remove(&self, path: &str) -> &Build {
        fs::remove_file(self.dir.join(path)).unwrap_or_else(|e| panic!("cannot remove `{path}`: {e}"));
        self
    }

    /// A copy of this build under another name beside it, times and modes kept.
    pub fn copy(&self, name: &str) -> Build {
        let dir = self.dir.with_file_name(name);
        copy_tree(&self.dir, &dir);
        Build { dir }
    }

    /// What a station has that holds this build and nothing else.
    pub fn tree(&self) -> Tree {
        Tree::read(&self.dir).as_released()
    }

    fn write(&self, path: &str, content: &[u8], mtime: i64, mode: u32) -> &Build {
        let path = self.parent_made(path);
        fs::write(&path, content).unwrap_or_else(|e| panic!("cannot write `{}`: {e}", path.display()));
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("mode set");
        set_mtime(&path, mtime);
        self
    }

    fn parent_made(&self, path: &str) -> PathBuf {
        let path = self.dir.join(path);
        let parent = path.parent().expect("below the build folder");
        fs::create_dir_all(parent).unwrap_or_else(|e| panic!("cannot make `{}`: {e}", parent.display()));
        path
    }

    fn text(&self) -> &str {
        self.dir.to_str().expect("temporary paths are UTF-8")
    }
}

/// The whole answer to one request; `None` when nobody is there any more.
pub fn get(address: SocketAddr, path: &str) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    Some(answer)
}

/// Copies a folder with all times, modes and links. Panics when it cannot.
pub fn copy_tree(from: &Path, to: &Path) {
    run(Command::new("cp").arg("-a").arg(from).arg(to), LIMIT).succeeded("cp -a");
}

/// Sets the time of a file, in seconds since 1970; it may be negative.
pub fn set_mtime(path: &Path, unix: i64) {
    let away = Duration::from_secs(unix.unsigned_abs());
    let time = if unix < 0 { UNIX_EPOCH - away } else { UNIX_EPOCH + away };
    let file = File::options().write(true).open(path).unwrap_or_else(|e| panic!("cannot open `{}`: {e}", path.display()));
    file.set_modified(time).unwrap_or_else(|e| panic!("cannot set the time of `{}`: {e}", path.display()));
}

/// The time of a file, in whole seconds since 1970.
pub fn mtime(path: &Path) -> i64 {
    use std::os::unix::fs::MetadataExt;
    fs::symlink_metadata(path).unwrap_or_else(|e| panic!("cannot look at `{}`: {e}", path.display())).mtime()
}

/// Bytes that do not compress, the same for the same seed.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&random(&mut state).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// The next number of a seeded series (SplitMix64).
pub fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
