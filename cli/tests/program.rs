//! The built program from outside: output, exit codes, and errors that name what and where.

use std::path::Path;
use std::process::{Command, Output};

fn cellule(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cellule"))
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .output()
        .expect("the program starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8 on stdout")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8 on stderr")
}

#[test]
fn help_shows_examples_and_succeeds() {
    let output = cellule(&["--help"]);
    assert!(output.status.success());
    assert!(stdout(&output).contains("Examples:"), "{}", stdout(&output));
}

#[test]
fn inspect_tells_the_world_modules_and_needs_of_every_guest() {
    for guest in ["rust-depot", "c-depot", "rust-sensor"] {
        let output = cellule(&["inspect", &format!("tests/guests/{guest}.wasm")]);
        assert!(output.status.success(), "{guest}: {}", stderr(&output));
        let text = stdout(&output);
        assert!(text.starts_with("component, "), "{guest}: {text}");
        assert!(text.contains("\nexport "), "{guest}: {text}");
        assert!(text.contains("core module 0: "), "{guest}: {text}");
        assert!(text.contains("needs: "), "{guest}: {text}");
    }
}

#[test]
fn a_missing_file_is_named_and_the_exit_code_is_1() {
    let output = cellule(&["inspect", "no/such/file.wasm"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("no/such/file.wasm"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn bad_text_is_refused_with_its_place() {
    let output = cellule(&["inspect", "Cargo.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("Cargo.toml:1:1"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_truncated_component_is_refused_with_an_offset() {
    let whole = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/guests/rust-depot.wasm");
    let bytes = std::fs::read(whole).expect("the guest is there");
    let cut = std::env::temp_dir().join(format!("cellule-cut-{}.wasm", std::process::id()));
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).expect("the temporary folder is writable");
    let output = cellule(&["inspect", cut.to_str().expect("a UTF-8 path")]);
    let _ = std::fs::remove_file(&cut);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("at offset 0x"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_wrong_command_line_has_exit_code_1_too() {
    assert_eq!(cellule(&["frobnicate"]).status.code(), Some(1));
}

/// Writes a module's text where the program can read it.
fn module(name: &str, text: &str) -> std::path::PathBuf {
    let file = format!("cellule-{name}-{}.wat", std::process::id());
    let path = std::env::temp_dir().join(file);
    std::fs::write(&path, text).expect("the temporary folder is writable");
    path
}

const FIB: &str = r#"(module
    (func $fib (export "fib") (param i32) (result i32)
        (if (result i32) (i32.lt_s (local.get 0) (i32.const 2))
            (then (local.get 0))
            (else (i32.add
                (call $fib (i32.sub (local.get 0) (i32.const 1)))
                (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
    (func $deep (export "divide") (param i32 i32) (result i32)
        (i32.div_s (local.get 0) (local.get 1))))"#;

#[test]
fn run_prints_one_line_a_call_in_order() {
    let path = module("fib", FIB);
    let file = path.to_str().expect("a UTF-8 path");
    for tier in [&[][..], &["--base-tier"]] {
        let calls = ["run", file, "--invoke", "fib(20)", "-i", "divide(-7, 2)"];
        let output = cellule(&[&calls[..], tier].concat());
        assert_eq!(stdout(&output), "6765\n-3\n", "{}", stderr(&output));
        assert!(output.status.success());
    }
    let _ = std::fs::remove_file(&path);
}

#[test]
fn a_trap_prints_its_reason_and_the_functions_by_name() {
    let path = module("trap", FIB);
    let output = cellule(&["run", path.to_str().expect("UTF-8"), "-i", "divide(1, 0)"]);
    let _ = std::fs::remove_file(&path);
    assert_eq!(output.status.code(), Some(1));
    let text = stderr(&output);
    assert!(
        text.contains("integer divide by zero") && text.contains("0: deep"),
        "{text}"
    );
}

#[test]
fn bad_calls_and_missing_imports_are_told_with_what_is_expected() {
    let path = module("calls", FIB);
    let file = path.to_str().expect("UTF-8");
    for (call, expected) in [
        ("fib(x)", "`x` is no i32"),
        ("fib()", "has 0 arguments"),
        ("fob(1)", "exported are: fib, divide"),
    ] {
        let output = cellule(&["run", file, "--invoke", call]);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            stderr(&output).contains(expected),
            "{call}: {}",
            stderr(&output)
        );
    }
    let _ = std::fs::remove_file(&path);
    let path = module(
        "imports",
        r#"(module (import "a" "b" (func)) (import "c" "d" (func)))"#,
    );
    let output = cellule(&["run", path.to_str().expect("UTF-8")]);
    let _ = std::fs::remove_file(&path);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("`a` `b`") && stderr(&output).contains("`c` `d`"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn fuel_that_runs_out_ends_the_call() {
    let path = module("fuel", FIB);
    let output = cellule(&[
        "run",
        path.to_str().expect("UTF-8"),
        "-i",
        "fib(25)",
        "--fuel",
        "1000",
    ]);
    let _ = std::fs::remove_file(&path);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("fuel"), "{}", stderr(&output));
}

#[test]
fn disasm_shows_the_fused_compare_and_branch_of_a_function() {
    let output = cellule(&["disasm", "examples/fib.wat", "fib"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("br.i32.ge_s.Bsi s0 #2"), "{text}");
    let output = cellule(&["disasm", "examples/fib.wat", "nobody"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("`nobody`"), "{}", stderr(&output));
}

#[test]
fn stats_tell_each_instruction_its_tier_and_the_share_of_fast_ones() {
    let stats = |call: &str, more: &[&str]| {
        let run = ["run", "examples/fib.wat", "-i", call, "--stats"];
        let output = cellule(&[&run[..], more].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        let lines: Vec<String> = stdout(&output)
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        lines
    };
    let lines = stats("fib(10)", &[]);
    assert_eq!(lines[..2], ["55", "instruction tier count share"]);
    // 177 calls compute the tenth number, each but the first from an instruction.
    let calls = lines
        .iter()
        .filter(|line| line.starts_with("call base 176"));
    assert_eq!(calls.count(), 1, "{lines:?}");
    let counts = lines[2..lines.len() - 2].iter().map(|line| {
        let count = line.split(' ').nth(2).and_then(|count| count.parse().ok());
        count.expect("a count in the third column")
    });
    let counts: Vec<u64> = counts.collect();
    assert!(counts.is_sorted_by(|a, b| a >= b), "{lines:?}");
    let total = format!("total {} 100.00 %", counts.iter().sum::<u64>());
    assert_eq!(lines[lines.len() - 2], total);
    // Nothing of the fast tier, but with it something.
    let without = stats("fib(10)", &["--base-tier"]);
    let fast = |lines: &[String]| lines.last().expect("a last line").clone();
    assert_eq!(fast(&without), "of them fast 0 0.00 %");
    assert_ne!(fast(&lines), fast(&without));
}

#[test]
fn stats_are_told_of_a_call_that_traps() {
    let path = module("stats", FIB);
    let file = path.to_str().expect("UTF-8");
    let output = cellule(&["run", file, "-i", "divide(1, 0)", "--stats"]);
    let _ = std::fs::remove_file(&path);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("i32.div_s"), "{}", stdout(&output));
}

#[test]
fn a_component_is_refused_by_name_and_never_called_invalid() {
    let output = cellule(&["run", "tests/guests/rust-depot.wasm"]);
    assert_eq!(output.status.code(), Some(1));
    let text = stderr(&output);
    assert!(text.contains("not supported: components"), "{text}");
    assert!(!text.contains("invalid"), "{text}");
}
