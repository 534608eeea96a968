//! The list of expected differences: directives where the suite demands its own engine's restriction.
//!
//! A line is `script:line reason`; `#` begins a comment. A script is named by the end of its path.

use super::report::Report;
use anyhow::{Context, Result, anyhow};
use std::path::Path;

/// The parsed list.
#[derive(Clone, Debug, Default)]
pub struct Differences {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    script: String,
    line: usize,
    reason: String,
}

impl Differences {
    /// Reads a list from a file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("can't read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    /// Parses a list.
    pub fn parse(text: &str) -> Result<Self> {
        let mut entries = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let bad = || anyhow!("line {}: expected `script:line reason`", number + 1);
            let (place, reason) = line.split_once(char::is_whitespace).ok_or_else(bad)?;
            let (script, at) = place.rsplit_once(':').ok_or_else(bad)?;
            let line = at.parse().map_err(|_| bad())?;
            entries.push(Entry {
                script: script.to_string(),
                line,
                reason: reason.trim().to_string(),
            });
        }
        Ok(Self { entries })
    }

    /// Excuses a report's expected failures; returns the entries for it that didn't fail.
    pub fn apply(&self, report: &mut Report) -> Vec<String> {
        let script = report.script.clone();
        let expected: Vec<(usize, String)> = self
            .entries
            .iter()
            .filter(|entry| {
                script == entry.script || script.ends_with(&format!("/{}", entry.script))
            })
            .map(|entry| (entry.line, entry.reason.clone()))
            .collect();
        let stale = report.excuse(&expected);
        stale
            .into_iter()
            .map(|line| format!("{script}:{line}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_no_entry_is_refused_with_its_number() {
        let error = Differences::parse("# comment\n\nx.wast:3 why\nx.wast why\n").unwrap_err();
        assert!(error.to_string().contains("line 4"), "{error}");
    }
}
