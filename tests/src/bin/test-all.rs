//! Runs the tests in every setting that the library is built in: `cargo test-all`.
//!
//! A test sees one build; dispatchers, tiers and checks are choices of the build. So this runs `cargo`
//! once for each setting, and stops at the first that fails.

use std::process::{Command, ExitCode};
use std::time::Instant;

/// What is run, and why.
const SETTINGS: [(&str, &[&str]); 7] = [
    (
        "everything, on sibling calls where the target has them, both tiers",
        &["test", "--workspace"],
    ),
    (
        "everything again, on the portable loop, with every invariant checked again",
        &[
            "test",
            "--workspace",
            "--features",
            "dispatch-loop,extra-checks",
        ],
    ),
    (
        "sibling calls with every invariant checked again",
        &[
            "test",
            "--package",
            "cellule-tests",
            "--features",
            "cellule/extra-checks",
            "--test",
            "core",
            "--test",
            "component_scripts",
        ],
    ),
    (
        "the base tier alone",
        &[
            "test",
            "--package",
            "cellule",
            "--lib",
            "--no-default-features",
            "--features",
            "compile",
        ],
    ),
    (
        "the guard of the native stack, on the machine code that users get",
        &[
            "test",
            "--package",
            "cellule",
            "--lib",
            "--release",
            "guard",
        ],
    ),
    (
        "the library without the standard library",
        &[
            "check",
            "--package",
            "cellule",
            "--no-default-features",
            "--features",
            "compile",
        ],
    ),
    (
        "the library without wasmparser",
        &["check", "--package", "cellule", "--no-default-features"],
    ),
];

fn main() -> ExitCode {
    if let Some(argument) = std::env::args().nth(1) {
        println!("cargo test-all: runs the tests in every setting, in this order:");
        for (what, arguments) in SETTINGS {
            println!("  {what}\n    cargo {}", arguments.join(" "));
        }
        return match argument.as_str() {
            "--help" | "-h" => ExitCode::SUCCESS,
            other => {
                eprintln!("error: it takes no argument `{other}`");
                ExitCode::FAILURE
            }
        };
    }
    for (at, (what, arguments)) in SETTINGS.iter().enumerate() {
        println!(
            "[{}/{}] {what}: cargo {}",
            at + 1,
            SETTINGS.len(),
            arguments.join(" ")
        );
        let begun = Instant::now();
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args(*arguments)
            .arg("--locked")
            .status();
        match status {
            Ok(status) if status.success() => {
                println!(
                    "[{}/{}] passed in {} s",
                    at + 1,
                    SETTINGS.len(),
                    begun.elapsed().as_secs()
                );
            }
            Ok(status) => {
                eprintln!("error: `cargo {}` failed: {status}", arguments.join(" "));
                return ExitCode::FAILURE;
            }
            Err(error) => {
                eprintln!("error: can't run cargo: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
