//! The reference as a process that is asked in batches.

use crate::root;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running reference. It ends when this is dropped.
#[derive(Debug)]
pub struct Reference {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

/// The file `definitions.py`, from `CELLULE_CANONICAL_ABI`, and the Python that runs it.
///
/// Without either a test says so and passes over. Where `CI` is set to `true` they have to be there.
fn found() -> Result<(PathBuf, &'static str), String> {
    let file = std::env::var_os("CELLULE_CANONICAL_ABI")
        .ok_or("CELLULE_CANONICAL_ABI names no file definitions.py")?;
    let file = PathBuf::from(file);
    assert!(
        file.is_file(),
        "CELLULE_CANONICAL_ABI names no file: {}",
        file.display()
    );
    let check = "import sys; sys.exit(sys.version_info < (3, 11))";
    for python in ["python3", "python"] {
        let status = Command::new(python).args(["-c", check]).status();
        if status.is_ok_and(|status| status.success()) {
            return Ok((file, python));
        }
    }
    Err("there is no Python 3.11 or newer".to_owned())
}

impl Reference {
    /// Starts it; none, with a message, where it can't run.
    ///
    /// # Panics
    /// In CI where it can't run, or if the file that is named doesn't exist.
    pub fn start() -> Option<Reference> {
        let (file, python) = match found() {
            Ok(found) => found,
            Err(why) => {
                let in_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
                assert!(!in_ci, "the Canonical ABI's reference would not run: {why}");
                eprintln!("passed over without the Canonical ABI's reference: {why}");
                return None;
            }
        };
        let mut child = Command::new(python)
            .arg(root().join("tests/canonical-abi/reference.py"))
            .arg(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process of Python");
        let to = child.stdin.take();
        let from = BufReader::new(child.stdout.take().expect("its output"));
        Some(Reference { child, to, from })
    }

    /// Its answers to a request, one for each of its parts.
    ///
    /// # Panics
    /// If it ended.
    pub fn ask(&mut self, request: &Value) -> Vec<Value> {
        let to = self.to.as_mut().expect("its input");
        writeln!(to, "{request}").expect("the reference reads");
        to.flush().expect("the reference reads");
        let mut line = String::new();
        self.from
            .read_line(&mut line)
            .expect("the reference answers");
        let answers: Value = serde_json::from_str(&line).expect("an answer of the reference");
        match answers {
            Value::Array(answers) => answers,
            other => panic!("the reference answered {other}"),
        }
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        // Its input ends, so it does.
        drop(self.to.take());
        let _ = self.child.wait();
    }
}
