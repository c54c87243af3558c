//! Windows programs under test, run by Wine against servers of this machine.
//!
//! One Wine prefix in the target folder serves all tests; it is made when it is first needed. A Windows program sees the folders of this machine as drive `Z:`, so that what it does is
//! judged from outside, with the system calls of Linux ([`crate::tree`]). `docs/windows.md` says what Wine can prove and what it cannot.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crate::process::{Finished, Watch, run, wait_unreaped};
use crate::station::Station;
use crate::tree::sha256_of;
use crate::world::program;

/// What the Windows programs are built for.
const TRIPLE: &str = "x86_64-pc-windows-gnu";
/// Longest that making the prefix may take.
const SETUP_LIMIT: Duration = Duration::from_secs(300);
/// Longest that the compiler may take.
const COMPILE_LIMIT: Duration = Duration::from_secs(120);
/// Longest that building unit tests may take, where `tests/run` has not done so.
const BUILD_LIMIT: Duration = Duration::from_secs(600);
/// Longest that a client may take to start or to end.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long Wine's server outlives the last program, in seconds: between two tests, and no longer.
const SERVER_PERSISTS: &str = "-p20";

/// A Wine that is ready to run programs.
#[derive(Debug)]
pub struct Wine {
    loader: PathBuf,
    prefix: PathBuf,
}

impl Wine {
    /// The Wine of this target folder. Panics when there is none: a test that silently does not run proves nothing.
    pub fn ready() -> &'static Wine {
        static WINE: OnceLock<Wine> = OnceLock::new();
        WINE.get_or_init(|| {
            let wine = Wine { loader: loader(), prefix: target_folder().join("wine") };
            wine.set_up();
            wine
        })
    }

    /// A station at `dir` whose updater is the Windows program.
    pub fn station(&self, dir: PathBuf) -> Station {
        let station = Station::at(dir.clone()).through(&[self.loader.to_str().expect("UTF-8")]);
        let station = station.running(&windows_program("updater"), &drive_path(&dir));
        self.environment().into_iter().fold(station, |station, (name, value)| station.with_env(name, &value))
    }

    /// A new folder at the top of drive `C:`, which on Windows only administrators change; with what Windows programs call it. `Z:` is no such place: everybody writes `/tmp`.
    pub fn place_on_c(&self) -> (tempfile::TempDir, String) {
        let place = tempfile::tempdir_in(self.prefix.join("drive_c")).expect("the prefix can be written");
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).expect("mode set");
        let name = format!(r"C:\{}", place.path().file_name().and_then(|name| name.to_str()).expect("UTF-8"));
        (place, name)
    }

    /// A program that runs what follows it without an administrator's rights.
    pub fn guest(&self) -> PathBuf {
        let path = self.prefix.join("drive_c/guest.exe");
        static MADE: OnceLock<()> = OnceLock::new();
        MADE.get_or_init(|| {
            compile(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/wine/guest.c"), &path, &["-municode", "-s", "-ladvapi32"])
        });
        path
    }

    /// The Windows program `program`, ready to be started with further arguments.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(&self.loader);
        command.arg(program).envs(self.environment());
        command
    }

    /// Starts a client, `program` being what [`client`] made, and waits until it runs; it holds `file` if there is one.
    pub fn start_client(&self, program: &Path, file: Option<&Path>) -> Running {
        let mut command = self.command(program);
        command.args(file.map(drive_path)).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).process_group(0);
        let mut child = command.spawn().expect("wine can be started");
        let watch = Watch::start(&child, START_LIMIT);
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("stdout is piped")).read_line(&mut line).expect("read");
        assert!(!watch.stop() && line.trim_end() == "ready", "the client does not run: `{line}`");
        Running { child }
    }

    fn environment(&self) -> [(&'static str, String); 4] {
        let prefix = self.prefix.to_str().expect("UTF-8").to_owned();
        // No window, no complaint about what a console program does not need: .NET and a browser.
        [("WINEPREFIX", prefix), ("WINEDEBUG", "-all".into()), ("WINEDLLOVERRIDES", "mscoree,mshtml=".into()), ("DISPLAY", String::new())]
    }

    /// Makes the prefix unless it is there and of this Wine, and starts what Wine keeps running beside programs.
    fn set_up(&self) {
        let lock = File::create(self.prefix.with_extension("lock")).expect("the target folder can be written");
        lock.lock().expect("locked");
        let shim = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/wine/process_prng.c");
        let version = run(Command::new(&self.loader).arg("--version"), COMPILE_LIMIT).succeeded("wine --version").stdout;
        let wanted = format!("{version}{}\n", sha256_of(&shim));
        let stamp = self.prefix.join("made-by");
        let is_made = fs::read_to_string(&stamp).is_ok_and(|found| found == wanted);
        if !is_made {
            // A server that still works in a prefix that was here goes on with what it has in memory.
            self.server("-k");
            let _ = fs::remove_dir_all(&self.prefix);
            fs::create_dir_all(&self.prefix).expect("the target folder can be written");
            self.boot(&["-i"]);
            compile(&shim, &self.prefix.join("drive_c/windows/system32/bcryptprimitives.dll"), &["-shared", "-ladvapi32"]);
            // While the prefix is made, Wine starts two service control managers, and what one is told the other does not know.
            self.server("-k");
            self.server("-w");
            fs::write(&stamp, wanted).expect("written");
        }
        self.boot(&[]);
    }

    /// Starts Wine's server, which fails when it runs already, and then what Wine starts with the computer.
    fn boot(&self, how: &[&str]) {
        self.server(SERVER_PERSISTS);
        let status = start_and_leave(self.command(Path::new("wineboot")).args(how));
        assert!(status.success(), "`wineboot` fails in `{}`: {status}", self.prefix.display());
    }

    /// Tells Wine's server of this prefix something. It fails where none runs.
    fn server(&self, what: &str) {
        start_and_leave(Command::new("wineserver").arg(what).envs(self.environment()));
    }
}

/// A Windows program that runs until this is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
}

impl Running {
    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("our own child can be asked").is_none()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The end of its input is the end of the program.
        drop(self.child.stdin.take());
        let watch = Watch::start(&self.child, START_LIMIT);
        wait_unreaped(&self.child);
        watch.stop();
        let _ = self.child.wait();
    }
}

/// The bytes of a client program for Windows; those of different `version`s differ.
pub fn client(version: u64) -> Vec<u8> {
    static PROGRAM: OnceLock<Vec<u8>> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| {
        let place = tempfile::tempdir().expect("a temporary folder");
        let path = place.path().join("client.exe");
        compile(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/wine/client.c"), &path, &["-municode", "-s"]);
        fs::read(path).expect("compiled")
    });
    // What follows the last section of a program is not loaded.
    [program, version.to_le_bytes().as_slice()].concat()
}

/// The bytes of a client program for Windows that says of itself that it is `build`, four numbers with points between them.
pub fn client_of_build(build: &str) -> Vec<u8> {
    static MADE: Mutex<BTreeMap<String, Vec<u8>>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let make = || {
        let place = tempfile::tempdir().expect("a temporary folder");
        let [script, resource, program] = ["version.rc", "version.o", "client.exe"].map(|name| place.path().join(name));
        fs::write(&script, format!("1 VERSIONINFO FILEVERSION {0} PRODUCTVERSION {0}\nBEGIN\nEND\n", build.replace('.', ",")))
            .expect("written");
        run(Command::new("x86_64-w64-mingw32-windres").arg(&script).arg(&resource), COMPILE_LIMIT).succeeded("x86_64-w64-mingw32-windres");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/wine/client.c");
        compile(&source, &program, &["-municode", "-s", resource.to_str().expect("UTF-8")]);
        fs::read(program).expect("compiled")
    };
    made.entry(build.to_owned()).or_insert_with(make).clone()
}

/// Runs `command` to its end and leaves alone what it has started: Wine's server and services, which [`run`] would kill or wait for.
fn start_and_leave(command: &mut Command) -> ExitStatus {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let mut child = command.spawn().unwrap_or_else(|e| panic!("cannot start `{}`: {e}", command.get_program().display()));
    let watch = Watch::start(&child, SETUP_LIMIT);
    wait_unreaped(&child);
    let timed_out = watch.stop();
    let status = child.wait().expect("a child that has ended can be reaped");
    assert!(!timed_out, "`{}` did not end in {SETUP_LIMIT:?}", command.get_program().display());
    status
}

/// What a Windows program calls the absolute path `path` of this machine.
pub fn drive_path(path: &Path) -> String {
    format!("Z:{}", path.to_str().expect("temporary paths are UTF-8").replace('/', "\\"))
}

/// A Windows program under test. Panics when it was not built.
pub fn windows_program(name: &str) -> PathBuf {
    let path = target_folder().join(TRIPLE).join(profile_folder()).join(name).with_extension("exe");
    assert!(path.is_file(), "`{}` was not built; run `tests/run`", path.display());
    path
}

/// The unit tests of the library of `package`, as a program for Windows; built if need be.
pub fn windows_unit_tests(package: &str) -> PathBuf {
    let profile = match profile_folder().to_str().expect("UTF-8") {
        "debug" => "dev".to_owned(),
        named => named.to_owned(),
    };
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["test", "--locked", "--no-run", "--lib", "--all-features", "--message-format", "json", "--target", TRIPLE]);
    command.args(["--profile", &profile, "--package", package]).current_dir(env!("CARGO_MANIFEST_DIR"));
    // What cargo tells the tests of their own package; build scripts that look at it would run again.
    for (name, _) in std::env::vars_os()
        .filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_MANIFEST_") || name.to_string_lossy().starts_with("CARGO_PKG_"))
    {
        command.env_remove(name);
    }
    let built = run(&mut command, BUILD_LIMIT).succeeded("cargo test --no-run").stdout;
    let artifacts = built.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let tests =
        artifacts.filter(|artifact| artifact["profile"]["test"] == true).find_map(|artifact| Some(artifact["executable"].as_str()?.into()));
    tests.expect("cargo names the program that it built")
}

/// Compiles the C program `source` for Windows.
pub fn compile(source: &Path, to: &Path, options: &[&str]) {
    let mut command = Command::new("x86_64-w64-mingw32-gcc");
    let done: Finished = run(command.args(["-O2", "-Wall", "-Werror", "-o"]).arg(to).arg(source).args(options), COMPILE_LIMIT);
    done.succeeded("x86_64-w64-mingw32-gcc");
}

fn target_folder() -> PathBuf {
    let updater = program("updater");
    updater.parent().and_then(Path::parent).expect("<target>/<profile>/updater").to_owned()
}

/// The name of the folder of the profile that the tests are built with.
fn profile_folder() -> OsString {
    program("updater").parent().and_then(Path::file_name).expect("<target>/<profile>/updater").to_owned()
}

fn loader() -> PathBuf {
    // Debian's `wine` complains on every start where there is no 32-bit Wine; we need none.
    let known = ["/usr/lib/wine/wine64", "/usr/bin/wine64", "/usr/bin/wine"].map(PathBuf::from);
    known.into_iter().find(|path| path.is_file()).expect("Wine is installed; run `tests/run`, which installs it")
}
