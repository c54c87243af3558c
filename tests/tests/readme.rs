//! What README.md and `docs/` tell a reader to do works, and their links lead somewhere.
//!
//! Fenced blocks whose language is `sh` are run by bash, top to bottom, one scratch folder per document. The scratch folder stands for a fresh clone
//! after its build: `target/release/` holds the programs under test and is on the search path, `cargo build` does nothing. A reader types all blocks in
//! one window, so what a block exports is there in the next. A command may end with exit code 10, which says that an update is available; any other code
//! but 0 fails the test. `127.0.0.1:8080` stands for a free port. What follows the language changes how a block is run:
//!
//! - `sh run: demo` is left running, as a reader would leave it in a first window. It listens on a free port; the `updater install …` line that
//!   it prints is run as it stands and once more for the folder `client`, then a file of the demo's folder is edited, and the test goes on when the next release is out.
//! - `sh run: serve` is left running until the end of the document. After each later block the test waits until the server serves what is in the folders.
//! - `sh run: in FOLDER` is run in that folder.
//! - `sh no-run: REASON` is only checked for its syntax.
//!
//! A block of the language `text shown` is what a reader sees: each of its lines stands in the output of the block before it, in that order. `…` in a line
//! stands for anything.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use system_tests::process::{Watch, run, signal_group, spawn, wait_unreaped};
use system_tests::world::{get, program};

const LIMIT: Duration = Duration::from_secs(120);

/// A fenced block of shell commands.
struct Block {
    line: usize,
    how: How,
    script: String,
}

#[derive(Debug, PartialEq, Eq)]
enum How {
    Run {
        folder: String,
    },
    Demo,
    Serve,
    NoRun,
    /// Not run: what the block before printed.
    Shown,
}

impl How {
    /// What the words after three back-ticks ask for; `None` when they open no shell block.
    fn parse(words: &str) -> Option<Result<How, String>> {
        if words == "text shown" {
            return Some(Ok(How::Shown));
        }
        let how = words.strip_prefix("sh").filter(|rest| rest.is_empty() || rest.starts_with(' '))?.trim();
        Some(match how.split_once(": ") {
            None if how.is_empty() => Ok(How::Run { folder: ".".into() }),
            Some(("run", "demo")) => Ok(How::Demo),
            Some(("run", "serve")) => Ok(How::Serve),
            Some(("run", place)) if place.starts_with("in ") => Ok(How::Run { folder: place[3..].trim().into() }),
            Some(("no-run", reason)) if !reason.trim().is_empty() => Ok(How::NoRun),
            _ => Err(format!("`{words}` is no way to mark a block; see tests/tests/readme.rs")),
        })
    }
}

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the workspace is above").to_owned()
}

/// Every Markdown file of the project.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("cannot list `{}`: {e}", folder.display())) {
            let path = entry.expect("listed").path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
                folders.push(path);
            } else if name.ends_with(".md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// README.md and what is directly in `docs/`.
fn manuals() -> Vec<PathBuf> {
    let root = root();
    documents().into_iter().filter(|path| *path == root.join("README.md") || path.parent() == Some(&root.join("docs"))).collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("cannot read `{}`: {e}", path.display()))
}

/// The shell blocks of a document.
fn blocks(text: &str, document: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String, String)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let fence = line.trim_start().strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(words)) => open = Some((number, words.trim().to_owned(), String::new())),
            (Some((_, _, script)), None) => *script += &format!("{line}\n"),
            (Some(_), Some(_)) => {
                let (line, words, script) = open.take().expect("just matched");
                if let Some(how) = How::parse(&words) {
                    let how = how.unwrap_or_else(|problem| panic!("{document}:{line}: {problem}"));
                    found.push(Block { line, how, script });
                }
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{document}: a block is not closed");
    found
}

/// A folder that looks like a fresh clone after `cargo build --release`.
fn fresh_clone() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = root();
    for entry in fs::read_dir(&root).expect("listed") {
        let path = entry.expect("listed").path();
        let name = path.file_name().expect("has a name");
        if name != "target" {
            symlink(&path, folder.path().join(name)).expect("linked");
        }
    }
    let release = folder.path().join("target/release");
    fs::create_dir_all(&release).expect("made");
    for name in ["manifests", "update-server", "updater"] {
        symlink(program(name), release.join(name)).expect("linked");
    }
    let tools = folder.path().join("target/tools");
    fs::create_dir_all(&tools).expect("made");
    let cargo = tools.join("cargo");
    fs::write(&cargo, "#!/bin/sh\n[ \"$1\" = build ] || { echo \"only cargo build is expected in a document, not: $*\" >&2; exit 1; }\n")
        .expect("written");
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).expect("mode set");
    folder
}

/// A program that was left running.
struct LeftRunning {
    child: Child,
    lines: Receiver<String>,
    seen: String,
}

impl LeftRunning {
    fn start(mut command: Command) -> LeftRunning {
        let mut child = spawn(&mut command);
        let (sender, lines) = channel();
        let outputs: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().expect("piped")), Box::new(child.stderr.take().expect("piped"))];
        for output in outputs {
            let sender = sender.clone();
            // Reads on when nobody listens any more, or the demo would block when the pipe is full.
            std::thread::spawn(move || BufReader::new(output).lines().map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        }
        LeftRunning { child, lines, seen: String::new() }
    }

    /// The rest of the next line that contains `text`, from there on.
    #[track_caller]
    fn wait_for(&mut self, text: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(LIMIT).unwrap_or_else(|_| panic!("it did not print `{text}`\n{}", self.seen));
            self.seen += &format!("{line}\n");
            if let Some(at) = line.find(text) {
                return line[at..].to_owned();
            }
        }
    }
}

impl Drop for LeftRunning {
    fn drop(&mut self) {
        signal_group(&self.child, Signal::TERM);
        let watch = Watch::start(&self.child, Duration::from_secs(20));
        wait_unreaped(&self.child);
        watch.stop();
        let _ = self.child.wait();
    }
}

/// A command that runs `script` in `place` of the clone `root`, in the environment that the script before it left. Exit code 10 of one of its commands is no failure.
fn bash(root: &Path, place: &str, script: &str) -> Command {
    let path = format!("{0}/target/tools:{0}/target/release:{1}", root.display(), std::env::var("PATH").unwrap_or_default());
    let environment = root.join("target/environment");
    let environment = environment.display();
    let script = format!(
        "[ ! -e '{environment}' ] || . '{environment}'\ntrap 'code=$?; [ $code = 10 ] || exit $code' ERR\n{script}\nexport -p > '{environment}'"
    );
    let mut command = Command::new("bash");
    command.args(["-Euo", "pipefail", "-c", &script]).current_dir(root.join(place)).env("PATH", path).env("HOME", root.join("target"));
    command
}

/// Starts a demo on a free port, does what it says, and makes it publish a second release.
fn play_demo(root: &Path, script: &str, place: &str) -> LeftRunning {
    let mut demo = LeftRunning::start(bash(root, ".", &format!("{} --listen 127.0.0.1:0", script.trim_end())));
    let serving = demo.wait_for("Serving ");
    let folder = serving
        .split_once(" from ")
        .and_then(|(_, rest)| rest.split_once(" on http"))
        .expect("it says which folder it publishes")
        .0
        .to_owned();
    let install = demo.wait_for("updater install ");
    demo.wait_for("Released ");
    run(&mut bash(root, ".", &install), LIMIT).succeeded(&format!("{place}: the line that the demo printed"));
    let link = install.split_whitespace().nth(2).expect("the link comes third");
    run(&mut bash(root, ".", &format!("updater install {link} --dir client")), LIMIT)
        .succeeded(&format!("{place}: the same link for `client`"));

    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the demo's folder")
        .map(|entry| entry.expect("listed").path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    fs::write(files.first().expect("the demo's folder holds a file"), "edited\n").expect("written");
    demo.wait_for("Released ");
    demo
}

/// An address that nobody listens on at this moment.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("there is a free port")
}

/// Waits until the server at `address` serves the timestamp of every repository in `root`: servers do not look at the disk for every request.
fn wait_until_served(root: &Path, address: SocketAddr) {
    let started = Instant::now();
    for entry in fs::read_dir(root).expect("listed") {
        let folder = entry.expect("listed").path();
        let Ok(wanted) = fs::read(folder.join("metadata/timestamp.json")) else { continue };
        let name = folder.file_name().expect("has a name").to_string_lossy().into_owned();
        let request = format!("/repo/{name}/metadata/timestamp.json");
        // A copy that the server knows nothing of is answered with an error.
        while get(address, &request).is_some_and(|answer| answer.starts_with(b"HTTP/1.1 200") && !answer.ends_with(&wanted)) {
            assert!(started.elapsed() < LIMIT, "`{name}` at {address} is not served as it is");
        }
    }
}

/// Fails unless each line of `shown` stands in `output`, in that order.
fn assert_shown(shown: &str, output: &str, place: &str) {
    let mut lines = output.lines();
    for wanted in shown.lines() {
        let is_it = |line: &str| {
            let mut pieces = wanted.split('…');
            let first = pieces.next().unwrap_or_default();
            let mut rest = line.strip_prefix(first);
            for piece in pieces {
                rest = rest.and_then(|rest| rest.find(piece).and_then(|at| rest.get(at + piece.len()..)));
            }
            rest.is_some_and(|rest| rest.is_empty() || wanted.ends_with('…'))
        };
        assert!(lines.any(is_it), "{place}: this line is not shown, or not here:\n{wanted}\n--- shown was\n{output}");
    }
}

/// Runs all blocks of a document.
fn play(document: &Path) {
    let name = document.strip_prefix(root()).expect("below the root").display().to_string();
    let clone = fresh_clone();
    let address = free_address();
    let (mut left_running, mut served, mut output) = (Vec::new(), false, String::new());
    for block in blocks(&read(document), &name) {
        let place = format!("{name}:{}", block.line);
        let script = block.script.replace("127.0.0.1:8080", &address.to_string());
        match block.how {
            How::NoRun => {
                run(Command::new("bash").args(["-n", "-c", &script]), LIMIT).succeeded(&place);
            }
            How::Demo => left_running.push(play_demo(clone.path(), &script, &place)),
            How::Serve => {
                let mut server = LeftRunning::start(bash(clone.path(), ".", &script));
                server.wait_for(&address.to_string());
                left_running.push(server);
                served = true;
            }
            How::Run { folder } => {
                let done = run(&mut bash(clone.path(), &folder, &script), LIMIT).succeeded(&place);
                output = done.stdout + &done.stderr;
                if served {
                    wait_until_served(clone.path(), address);
                }
            }
            How::Shown => assert_shown(&script, &output, &place),
        }
    }
    drop(left_running);
}

#[test]
fn the_commands_of_every_manual_work() {
    for document in manuals().iter().filter(|path| !path.ends_with("operating.md") && !path.ends_with("take-over.md")) {
        play(document);
    }
}

#[test]
fn the_commands_of_the_page_for_operators_work() {
    play(&root().join("docs/operating.md"));
}

#[test]
#[expect(clippy::print_stderr, reason = "the time is for whoever reads the output of the test")]
fn d_20_a_site_is_taken_over_by_the_commands_of_its_page() {
    let started = Instant::now();
    play(&root().join("docs/take-over.md"));
    // Said, never judged: the page promises minutes.
    eprintln!("a site was taken over, from its folders to an update and back, in {:.1} s", started.elapsed().as_secs_f64());
}

#[test]
fn the_readme_has_commands_that_run() {
    let blocks = blocks(&read(&root().join("README.md")), "README.md");
    assert!(blocks.iter().any(|block| block.how != How::NoRun), "README.md shows no command that is run by a test");
}

/// Targets of `[text](target)` outside of code, with their line.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        // Every second piece between back-ticks is code.
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`code`");
        for piece in prose.split("](").skip(1) {
            if let Some((target, _)) = piece.split_once(')') {
                found.push((number, target.split(' ').next().unwrap_or_default().to_owned()));
            }
        }
    }
    found
}

/// The anchors of a document's headings, made as forges make them.
fn anchors(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut found: Vec<String> = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        }
        let title = line.trim_start_matches('#');
        if fenced || title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let slug: String = title
            .trim()
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let again = found
            .iter()
            .filter(|known| **known == slug || known.strip_prefix(&format!("{slug}-")).is_some_and(|n| n.parse::<u32>().is_ok()))
            .count();
        found.push(if again == 0 { slug } else { format!("{slug}-{again}") });
    }
    found
}

#[test]
fn no_relative_link_of_a_document_is_dead() {
    let mut dead = Vec::new();
    for document in documents() {
        let text = read(&document);
        for (line, target) in links(&text) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let file = if path.is_empty() { document.clone() } else { document.parent().expect("in a folder").join(path) };
            let is_dead = !file.exists()
                || (!anchor.is_empty()
                    && file.extension().is_some_and(|e| e == "md")
                    && !anchors(&read(&file)).contains(&anchor.to_owned()));
            if is_dead {
                dead.push(format!("{}:{line}: {target}", document.strip_prefix(root()).expect("below").display()));
            }
        }
    }
    assert!(dead.is_empty(), "dead links:\n{}", dead.join("\n"));
}

#[test]
fn blocks_and_links_are_found() {
    let text = "# A title, `code` & more\ntext [a](x.md#y) `[not](a-link)`\n```sh\nrun\n```\n```json\n[no](link)\n```\n```sh no-run: why\nx\n```\n## A title, `code` & more\n";
    let found = blocks(text, "sample");
    assert_eq!(found.iter().map(|b| (b.line, &b.how)).collect::<Vec<_>>(), [(3, &How::Run { folder: ".".into() }), (9, &How::NoRun)]);
    assert_eq!(links(text), [(2, "x.md#y".to_owned())]);
    assert_eq!(anchors(text), ["a-title-code--more", "a-title-code--more-1"]);
    assert_eq!(How::parse("sh run: in client"), Some(Ok(How::Run { folder: "client".into() })));
    assert!(matches!(How::parse("sh no-run"), Some(Err(_))), "a block that is not run says why");
    assert_eq!(How::parse("shell"), None);
    assert_eq!((How::parse("text"), How::parse("text shown")), (None, Some(Ok(How::Shown))));
}

#[test]
fn what_a_page_shows_is_compared_with_what_was_printed() {
    let output = "made key 3f2a for root in stick\nother\nstations will see:\n  root 2: x\n";
    let shown = |text: &str| std::panic::catch_unwind(|| assert_shown(text, output, "sample")).is_ok();
    assert!(shown("made key … for root in …\nstations will see:\n  root 2: x"));
    assert!(!shown("stations will see:\nother"), "the order counts");
    assert!(!shown("made key 3f2a"), "a whole line");
    assert!(!shown("made key … for linux in …"));
}

#[test]
fn what_a_block_exports_is_there_in_the_next() {
    let clone = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(clone.path().join("target")).expect("made");
    run(&mut bash(clone.path(), ".", "export WORD='a b'\nOTHER=x"), LIMIT).succeeded("the first");
    let second = run(&mut bash(clone.path(), ".", "echo \"$WORD${OTHER-}\""), LIMIT).succeeded("the second");
    assert_eq!(second.stdout, "a b\n");
}

#[test]
fn only_exit_code_10_is_passed_over() {
    let clone = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(clone.path().join("target")).expect("made");
    let code = |script: &str| run(&mut bash(clone.path(), ".", script), LIMIT).code();
    assert_eq!(["true", "(exit 10)\ntrue", "(exit 10)", "(exit 3)\ntrue", "f() { (exit 4); true; }\nf"].map(code), [0, 0, 0, 3, 4]);
}
