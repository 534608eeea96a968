//! A peer's process: lines to it and from it. The protocol is `benches/peers/protocol`.

use super::Built;
use anyhow::{Context, Result, bail, ensure};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running peer that is ready. It ends when this is dropped.
pub struct Session {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Session {
    /// Starts the program of the given link order and waits until it is ready.
    pub fn start(built: &Built, order: usize, what: &str, module: &Path) -> Result<Session> {
        let program = &built.programs[order % built.programs.len()];
        let mut child = Command::new(program)
            .arg(what)
            .arg(module)
            .args(built.peer.options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().context("no stdout")?);
        let mut session = Session {
            child,
            stdin,
            stdout,
        };
        let first = session.read()?;
        ensure!(first == "ready", "instead of being ready it says: {first}");
        Ok(session)
    }

    /// Sends a line; the numbers of the answer.
    pub fn ask<const N: usize>(&mut self, line: &str) -> Result<[i64; N]> {
        let stdin = self.stdin.as_mut().context("no stdin")?;
        writeln!(stdin, "{line}")?;
        stdin.flush()?;
        let answer = self.read()?;
        let Some(numbers) = answer.strip_prefix("ok ") else {
            bail!("{}", answer.strip_prefix("error ").unwrap_or(&answer));
        };
        let numbers: Vec<i64> = numbers
            .split(' ')
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        numbers
            .try_into()
            .ok()
            .context("an answer of another length")
    }

    fn read(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.stdout.read_line(&mut line)? == 0 {
            let status = self.child.wait()?;
            bail!("the peer ended: {status}");
        }
        Ok(line.trim_end().to_string())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It ends with its stdin. If it doesn't end well, what it answered before has told so.
        self.stdin = None;
        let _ = self.child.wait();
    }
}
