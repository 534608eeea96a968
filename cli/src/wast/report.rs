//! What came of a script, directive by directive, and the counts that are printed and pinned.

use std::collections::BTreeMap;
use std::fmt;

/// Which kind of directive an outcome belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A module or component that is compiled, instantiated or both; `register`; a plain `invoke`.
    Action,
    /// `assert_return`.
    Return,
    /// `assert_trap`.
    Trap,
    /// `assert_exhaustion`.
    Exhaustion,
    /// `assert_invalid`.
    Invalid,
    /// `assert_malformed`.
    Malformed,
    /// `assert_unlinkable`.
    Unlinkable,
    /// `assert_exception` and `assert_suspension`.
    Exception,
}

impl Kind {
    /// The name in reports and pin files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Action => "action",
            Self::Return => "return",
            Self::Trap => "trap",
            Self::Exhaustion => "exhaustion",
            Self::Invalid => "invalid",
            Self::Malformed => "malformed",
            Self::Unlinkable => "unlinkable",
            Self::Exception => "exception",
        }
    }
}

/// The outcome of one directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It did what the script demands.
    Passed,
    /// It didn't; the text says what happened instead.
    Failed(String),
    /// It wasn't judged; the text names the feature that isn't supported yet.
    Skipped(String),
}

/// One directive's verdict and where it stands.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Line in the script, counted from 1.
    pub line: usize,
    /// What was asserted.
    pub kind: Kind,
    /// What came of it.
    pub verdict: Verdict,
}

/// All outcomes of one script.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The script as it was named by the caller.
    pub script: String,
    /// Outcomes in the order of the directives.
    pub outcomes: Vec<Outcome>,
}

impl Report {
    /// A report without outcomes yet.
    pub fn new(script: &str) -> Self {
        Self {
            script: script.to_string(),
            outcomes: Vec::new(),
        }
    }

    /// The report of a script that can't be read: one failure.
    pub fn unreadable(script: &str, error: &str) -> Self {
        let mut report = Self::new(script);
        let verdict = Verdict::Failed(error.to_string());
        report.outcomes.push(Outcome {
            line: 1,
            kind: Kind::Action,
            verdict,
        });
        report
    }

    /// Counts of this script.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        summary.add(self);
        summary
    }

    /// Turns failures at lines that `expected` names into skips whose reason begins with
    /// `expected difference`. Returns the lines that it names and that didn't fail.
    pub fn excuse(&mut self, expected: &[(usize, String)]) -> Vec<usize> {
        let mut stale = Vec::new();
        for (line, reason) in expected {
            let mut used = false;
            for outcome in self
                .outcomes
                .iter_mut()
                .filter(|outcome| outcome.line == *line)
            {
                if matches!(outcome.verdict, Verdict::Failed(_)) {
                    outcome.verdict = Verdict::Skipped(format!("expected difference: {reason}"));
                    used = true;
                }
            }
            if !used {
                stale.push(*line);
            }
        }
        stale
    }

    /// Lines for `-v`: each failure and each skip with its reason.
    pub fn details(&self) -> impl Iterator<Item = String> + '_ {
        self.outcomes.iter().filter_map(|outcome| {
            let (word, text) = match &outcome.verdict {
                Verdict::Passed => return None,
                Verdict::Failed(text) => ("FAILED", text),
                Verdict::Skipped(text) => ("skipped", text),
            };
            Some(format!(
                "{word} {}:{} {}: {text}",
                self.script,
                outcome.line,
                outcome.kind.name()
            ))
        })
    }
}

/// Counts over one or many scripts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Passed directives by kind.
    pub passed: BTreeMap<Kind, usize>,
    /// Failed directives.
    pub failed: usize,
    /// Skipped directives by reason.
    pub skipped: BTreeMap<String, usize>,
}

impl Summary {
    /// Adds a script's outcomes.
    pub fn add(&mut self, report: &Report) {
        for outcome in &report.outcomes {
            match &outcome.verdict {
                Verdict::Passed => *self.passed.entry(outcome.kind).or_default() += 1,
                Verdict::Failed(_) => self.failed += 1,
                Verdict::Skipped(reason) => *self.skipped.entry(reason.clone()).or_default() += 1,
            }
        }
    }

    /// Passed directives of one kind.
    pub fn passed_of(&self, kind: Kind) -> usize {
        self.passed.get(&kind).copied().unwrap_or(0)
    }

    /// All passed directives.
    pub fn passed_total(&self) -> usize {
        self.passed.values().sum()
    }

    /// All skipped directives.
    pub fn skipped_total(&self) -> usize {
        self.skipped.values().sum()
    }

    /// The rest of a pin line: kinds, failures and skips in a fixed order.
    pub fn pin(&self) -> String {
        let mut text = String::new();
        for (kind, count) in &self.passed {
            text.push_str(&format!(" {}={count}", kind.name()));
        }
        if self.failed > 0 {
            text.push_str(&format!(" FAILED={}", self.failed));
        }
        for (reason, count) in &self.skipped {
            text.push_str(&format!(" [skipped {count}: {reason}]"));
        }
        text.trim_start().to_string()
    }
}

/// The last line of a run.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed_total(),
            self.failed,
            self.skipped_total()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(verdicts: &[(usize, Verdict)]) -> Report {
        let mut report = Report::new("x.wast");
        for (line, verdict) in verdicts {
            report.outcomes.push(Outcome {
                line: *line,
                kind: Kind::Return,
                verdict: verdict.clone(),
            });
        }
        report
    }

    #[test]
    fn the_summary_counts_by_verdict_and_reason() {
        let report = report(&[
            (1, Verdict::Passed),
            (2, Verdict::Failed("got 2".into())),
            (3, Verdict::Skipped("exceptions".into())),
            (4, Verdict::Skipped("exceptions".into())),
        ]);
        let summary = report.summary();
        assert_eq!(summary.to_string(), "1 passed, 1 failed, 2 skipped");
        assert_eq!(summary.pin(), "return=1 FAILED=1 [skipped 2: exceptions]");
        assert_eq!(
            report.details().next().unwrap(),
            "FAILED x.wast:2 return: got 2"
        );
    }

    #[test]
    fn an_excuse_covers_a_failure_and_reports_itself_when_stale() {
        let mut report = report(&[(1, Verdict::Passed), (2, Verdict::Failed("text".into()))]);
        let stale = report.excuse(&[(1, "gone".into()), (2, "their own rule".into())]);
        assert_eq!(stale, [1]);
        assert_eq!(
            report.summary().to_string(),
            "1 passed, 0 failed, 1 skipped"
        );
    }
}
