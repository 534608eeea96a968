//! The official component scripts: what passes, fails and is skipped for which reason is pinned for
//! every one of them, in `tests/pins/`.
//!
//! With `CELLULE_PIN=1` in the environment the pins are written instead of compared; the change is to
//! be committed with what caused it.

use cellule_cli::wast::differences::Differences;
use cellule_cli::wast::report::{Kind, Report, Summary};
use cellule_cli::wast::script::{self, Script};
use cellule_cli::wast::{Options, run};
use cellule_tests::{conformance, root};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// A folder of scripts, and where its pins are.
struct Suite {
    /// Below the suites' folder.
    folder: &'static str,
    pins: &'static str,
    /// Whether folders in it belong to it.
    deep: bool,
    /// Scripts in folders that don't.
    others: &'static [&'static str],
}

const OFFICIAL: Suite = Suite {
    folder: "component-model/test",
    pins: "component-model.txt",
    deep: true,
    others: &[],
};
const WASMTIME: Suite = Suite {
    folder: "wasmtime/tests/misc_testsuite/component-model",
    pins: "wasmtime.txt",
    deep: false,
    // What lies with asynchronous scripts, or others that are not supported, and needs nothing of it.
    others: &["async/error-context.wast", "gc/empty.wast"],
};

/// Scripts about validation: some that are valid have imports, or bodies that trap, and aren't meant to
/// be run, so there are no pins and no expected differences.
const VALIDATION: Suite = Suite {
    folder: "wasm-tools/tests/cli",
    pins: "",
    deep: true,
    others: &[],
};

/// What of them is about components: what is valid there loads, or is skipped by the name of what it
/// needs.
const COMPONENTS: Suite = Suite {
    folder: "wasm-tools/tests/cli/component-model",
    pins: "wasm-tools.txt",
    deep: true,
    others: &[],
};

impl Suite {
    /// Its folder; none, with a message, where only the other suites are installed.
    fn path(&self) -> Option<PathBuf> {
        let path = conformance()?.join(self.folder);
        if !path.is_dir() {
            eprintln!("passed over: there is no {}", path.display());
            return None;
        }
        Some(path)
    }

    fn scripts(&self, folder: &Path) -> Vec<PathBuf> {
        let found = script::find(folder).expect("the suite is there");
        let other = |path: &PathBuf| self.others.iter().any(|name| path.ends_with(name));
        let own = |path: &PathBuf| self.deep || path.parent() == Some(folder) || other(path);
        found.into_iter().filter(own).collect()
    }

    /// Runs every script with these options; expected differences are excused.
    fn run(&self, folder: &Path, options: &Options) -> Vec<Report> {
        let differences = Differences::read(&root().join("tests/pins/differences.txt"));
        let differences = differences.expect("the list of differences");
        let run_one = |path: &PathBuf| {
            let mut report = run_script(path, options);
            let stale = differences.apply(&mut report);
            assert!(stale.is_empty(), "no difference any more: {stale:?}");
            report
        };
        self.scripts(folder).iter().map(run_one).collect()
    }

    fn pin(&self, folder: &Path, reports: &[Report]) -> String {
        let mut text = String::new();
        for report in reports {
            let path = Path::new(&report.script);
            let name = path.strip_prefix(folder).unwrap_or(path).display();
            let _ = writeln!(text, "{name}: {}", report.summary().pin());
        }
        text
    }
}

fn run_script(path: &Path, options: &Options) -> Report {
    match Script::read(path) {
        Ok(script) => run(&script, options),
        // Two scripts of wasmtime's need a grammar that is gone.
        Err(error) => Report::unreadable(&path.display().to_string(), &format!("{error:#}")),
    }
}

fn summary(reports: &[Report]) -> Summary {
    let mut summary = Summary::default();
    reports.iter().for_each(|report| summary.add(report));
    summary
}

fn failures(reports: &[Report]) -> Vec<String> {
    let lines = reports.iter().flat_map(Report::details);
    lines.filter(|line| line.starts_with("FAILED")).collect()
}

/// Runs a suite and compares it with its pins.
fn pinned(suite: &Suite, options: &Options) -> Option<Summary> {
    let folder = suite.path()?;
    let reports = suite.run(&folder, options);
    let failed = failures(&reports);
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    let file = root().join("tests/pins").join(suite.pins);
    let actual = suite.pin(&folder, &reports);
    if std::env::var_os("CELLULE_PIN").is_some() {
        std::fs::write(&file, &actual).expect("a writable pin file");
    }
    let expected = std::fs::read_to_string(&file).expect("a pin file");
    assert_eq!(
        actual, expected,
        "outcomes changed; with CELLULE_PIN=1 the pins are written anew"
    );
    Some(summary(&reports))
}

#[test]
fn the_official_suite_does_what_is_pinned() {
    let Some(summary) = pinned(&OFFICIAL, &Options::default()) else {
        return;
    };
    assert!(summary.passed_of(Kind::Return) >= 278, "{summary}");
    assert!(summary.passed_of(Kind::Trap) >= 33, "{summary}");
}

#[test]
fn wasmtimes_suite_does_what_is_pinned() {
    let Some(summary) = pinned(&WASMTIME, &Options::default()) else {
        return;
    };
    assert!(summary.passed_of(Kind::Return) >= 85, "{summary}");
    assert!(summary.passed_of(Kind::Trap) >= 65, "{summary}");
    assert!(summary.passed_of(Kind::Unlinkable) >= 20, "{summary}");
}

#[test]
fn the_components_of_the_validation_scripts_load_as_is_pinned() {
    let options = Options {
        definitions_only: true,
        ..Options::default()
    };
    let Some(summary) = pinned(&COMPONENTS, &options) else {
        return;
    };
    assert!(summary.passed_of(Kind::Action) >= 220, "{summary}");
}

/// What is to be refused is: as invalid, or for a feature that the script switches off.
#[test]
fn whatever_the_validation_scripts_refuse_is_refused() {
    let Some(folder) = VALIDATION.path() else {
        return;
    };
    let scripts = VALIDATION.scripts(&folder);
    let reports: Vec<Report> = scripts
        .iter()
        .map(|path| run_script(path, &Options::default()))
        .collect();
    let refused = |line: &String| line.contains(" invalid: ") || line.contains(" malformed: ");
    let accepted: Vec<String> = failures(&reports).into_iter().filter(refused).collect();
    assert!(accepted.is_empty(), "{}", accepted.join("\n"));
    let summary = summary(&reports);
    assert!(summary.passed_of(Kind::Invalid) >= 760, "{summary}");
    assert!(summary.passed_of(Kind::Malformed) >= 39, "{summary}");
}

/// The same verdicts with fuel that doesn't end, and in slices: stops lie inside adapters and the
/// `realloc`s that they call, start functions, destructors and `post-return`.
#[test]
fn slices_of_fuel_change_no_verdict() {
    for suite in [&OFFICIAL, &WASMTIME] {
        let Some(folder) = suite.path() else { return };
        let whole = suite.pin(&folder, &suite.run(&folder, &Options::default()));
        let metered = |fuel: bool, slice: Option<u64>| Options {
            fuel,
            slice,
            ..Options::default()
        };
        for options in [
            metered(true, None),
            metered(false, Some(1)),
            metered(false, Some(7)),
            metered(false, Some(1000)),
        ] {
            let reports = suite.run(&folder, &options);
            let failed = failures(&reports);
            assert!(
                failed.is_empty(),
                "slice {:?}: {}",
                options.slice,
                failed.join("\n")
            );
            assert_eq!(
                suite.pin(&folder, &reports),
                whole,
                "slice {:?}",
                options.slice
            );
        }
    }
}

#[test]
fn the_base_tier_changes_no_verdict() {
    for suite in [&OFFICIAL, &WASMTIME] {
        let Some(folder) = suite.path() else { return };
        let mut options = Options::default();
        options.config.fast_tier(false);
        let failed = failures(&suite.run(&folder, &options));
        assert!(failed.is_empty(), "{}", failed.join("\n"));
    }
}
