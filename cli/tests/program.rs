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
