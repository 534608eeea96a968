//! Core scripts beyond the specification's own: newer official ones, and wasmtime's. None may fail but for
//! the differences that are listed; what is skipped, for which reason, is pinned in
//! `tests/pins/core.txt`, which `CELLULE_PIN=1` writes anew.

use cellule_cli::wast::differences::Differences;
use cellule_cli::wast::report::{Report, Summary};
use cellule_cli::wast::script::{self, Script};
use cellule_cli::wast::{Options, run};
use cellule_tests::{conformance, root};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Folders of scripts, without the folders in them.
const FOLDERS: [&str; 11] = [
    "core-testsuite-extra",
    "core-testsuite-extra/custom",
    "wasmtime/tests/misc_testsuite",
    "wasmtime/tests/misc_testsuite/custom-page-sizes",
    "wasmtime/tests/misc_testsuite/function-references",
    "wasmtime/tests/misc_testsuite/memory64",
    "wasmtime/tests/misc_testsuite/multi-memory",
    "wasmtime/tests/misc_testsuite/simd",
    "wasmtime/tests/misc_testsuite/tail-call",
    "wasmtime/tests/misc_testsuite/threads",
    "wasmtime/tests/misc_testsuite/winch",
];

fn scripts(folder: &Path) -> Vec<PathBuf> {
    let found = script::find(folder).expect("a readable folder");
    let own = |path: &PathBuf| path.parent() == Some(folder);
    found.into_iter().filter(own).collect()
}

/// Runs all scripts; the failures that no difference excuses are shown.
fn run_all(suites: &Path, options: &Options) -> Vec<(String, Report)> {
    let differences = Differences::read(&root().join("tests/pins/differences.txt"));
    let differences = differences.expect("the list of differences");
    let mut reports = Vec::new();
    let mut failures = Vec::new();
    for folder in FOLDERS.iter().map(|folder| suites.join(folder)) {
        assert!(folder.is_dir(), "there is no {}", folder.display());
        for path in scripts(&folder) {
            let script = Script::read(&path).expect("a readable script");
            let mut report = run(&script, options);
            let stale = differences.apply(&mut report);
            assert!(stale.is_empty(), "no difference any more: {stale:?}");
            failures.extend(report.details().filter(|line| line.starts_with("FAILED")));
            let name = path.strip_prefix(suites).unwrap_or(&path);
            reports.push((name.display().to_string(), report));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    reports
}

fn options(fast: bool, fuel: bool) -> Options {
    let mut options = Options {
        fuel,
        names_are_importable: true,
        ..Options::default()
    };
    options.config.fast_tier(fast);
    options
}

#[test]
fn newer_scripts_and_wasmtimes_pass() {
    let Some(suites) = conformance() else { return };
    if !suites.join("core-testsuite-extra").is_dir() {
        eprintln!("passed over: only the component suite is there");
        return;
    }
    let reports = run_all(&suites, &options(true, false));
    let mut summary = Summary::default();
    let mut pins = String::new();
    for (name, report) in &reports {
        summary.add(report);
        let _ = writeln!(pins, "{name}: {}", report.summary().pin());
    }
    let file = root().join("tests/pins/core.txt");
    if std::env::var_os("CELLULE_PIN").is_some() {
        std::fs::write(&file, &pins).expect("a writable pin file");
    }
    let expected = std::fs::read_to_string(&file).expect("a pin file");
    assert_eq!(
        pins, expected,
        "with CELLULE_PIN=1 the pins are written anew"
    );
    assert!(summary.passed_total() >= 8_500, "{summary}");
}

#[test]
fn neither_the_base_tier_nor_fuel_changes_a_verdict() {
    let Some(suites) = conformance() else { return };
    if !suites.join("core-testsuite-extra").is_dir() {
        return;
    }
    run_all(&suites, &options(false, true));
}
