//! python-tuf as a judge: one process for as long as a test runs, asked in lines of JSON (`python/oracle.py`).

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use manifests::time::UtcTime;
use serde_json::{Value, json};

use crate::case::{Case, Verdict};

/// Names the Python that has the packages of `requirements.txt`; without it, that of `target/venv`, which `tests/run` makes.
pub const PYTHON: &str = "ORACLE_PYTHON";

/// A running python-tuf.
#[derive(Debug)]
pub struct Python {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Python {
    /// Starts it. Panics when it is not installed: a judge that is missing must not look like one that agrees.
    pub fn start() -> Python {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = std::env::var_os(PYTHON).map_or_else(|| here.join("../../target/venv/bin/python"), PathBuf::from);
        let mut command = Command::new(&python);
        // No proxy stands between a client and a server on the same machine; nothing is left in the source tree.
        command.env_remove("http_proxy").env("no_proxy", "*").env("PYTHONDONTWRITEBYTECODE", "1");
        command.arg(here.join("python/oracle.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| {
            panic!("cannot start `{}` ({error}): `tests/run` installs python-tuf there, or name another with {PYTHON}", python.display())
        });
        let questions = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("stdout is piped"));
        Python { child, questions, answers }
    }

    /// Asks, and returns what came back. Panics when the question could not be dealt with.
    pub fn ask(&mut self, what: &str, mut question: Value) -> Value {
        question["do"] = json!(what);
        let mut line = question.to_string();
        line.push('\n');
        let lost = "python-tuf has died; what it said stands above (is it installed? `tests/run` does that)";
        self.questions.as_mut().expect("open until dropped").write_all(line.as_bytes()).expect(lost);
        let mut answer = String::new();
        assert!(self.answers.read_line(&mut answer).expect(lost) > 0, "{lost}");
        let mut answer: Value = serde_json::from_str(&answer).expect("an answer is JSON");
        match answer.get_mut("ok") {
            Some(ok) => ok.take(),
            None => panic!("python-tuf cannot answer `{what}`: {}", answer["failed"].as_str().unwrap_or_default()),
        }
    }

    /// Judges every step of `case` with one folder of trusted metadata.
    pub fn judge(&mut self, case: &Case) -> Vec<Verdict> {
        let hexed = |files: &crate::case::Files| files.iter().map(|(path, bytes)| (path.clone(), json!(hex::encode(bytes)))).collect();
        let steps: Vec<Value> = case
            .steps
            .iter()
            .map(|step| json!({"now": UtcTime::from_unix(step.now), "files": Value::Object(hexed(&step.files))}))
            .collect();
        let answer = self.ask("judge", json!({"root": hex::encode(&case.root), "target": case.target, "steps": steps}));
        answer.as_array().expect("a verdict for each step").iter().map(verdict).collect()
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.questions.take());
        let _ = self.child.wait();
    }
}

fn verdict(answer: &Value) -> Verdict {
    match (answer["accepted"].as_str(), answer["refused"].as_str()) {
        (Some(digest), None) => Verdict::Accepted(digest.to_owned()),
        (None, Some(reason)) => Verdict::Refused(reason.to_owned()),
        _ => panic!("`{answer}` is no verdict"),
    }
}
