//! A host in C, built by the machine's C compiler against the header and the static library, runs components.
//!
//! Once as it is, and once under the address sanitizer, which also tells what is leaked, and of Rust's too.

use cellule::component::Component;
use cellule::{Config, Engine};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The static library that this test was built with: it is where tests are.
fn library() -> PathBuf {
    let test = std::env::current_exe().expect("this test's path");
    test.with_file_name("libcellule_capi.a")
}

fn ran(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Builds a program of some files with flags, in a folder.
fn build(folder: &Path, files: &[&str], flags: &[&str]) -> PathBuf {
    std::fs::create_dir_all(folder).expect("a folder");
    let program = folder.join("program");
    let mut compiler = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
    compiler
        .args(["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"])
        .args(["-g", "-O1"])
        .args(flags)
        .arg("-I")
        .arg(here("../include"))
        .args(files.iter().map(|file| here("tests/c").join(file)))
        .arg(library())
        .args(["-lpthread", "-ldl", "-lm", "-o"])
        .arg(&program);
    ran(&mut compiler);
    program
}

/// The guest with records, resources and imports.
fn depot() -> PathBuf {
    here("../tests/guests/rust-depot.wasm")
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// A component's image, which counts fuel.
fn compiled(binary: &[u8]) -> Vec<u8> {
    let engine = Engine::new(Config::new().consume_fuel(true)).expect("an engine");
    let component = Component::new(&engine, binary).expect("a component");
    component.to_image().expect("an image")
}

/// Builds the test program with flags, and runs it.
fn all_of_it(name: &str, flags: &[&str]) {
    let folder = folder(name);
    let program = build(&folder, &["program.c", "values.c", "depot.c"], flags);
    let shapes = folder.join("shapes.wasm");
    let binary = wat::parse_file(here("tests/shapes.wat")).expect("valid text");
    std::fs::write(&shapes, &binary).expect("a writable file");
    let image = folder.join("shapes.cell");
    std::fs::write(&image, compiled(&binary)).expect("a writable file");
    let output = ran(Command::new(&program).arg(depot()).args([shapes, image]));
    let told = String::from_utf8(output.stdout).expect("text");
    assert_eq!(told.lines().last(), Some("all of it holds"), "{told}");
}

const SANITIZED: &[&str] = &["-fsanitize=address,undefined"];

#[test]
fn a_program_in_c_runs_components() {
    all_of_it("plain", &[]);
}

#[test]
fn a_program_in_c_neither_leaks_nor_reads_what_is_gone() {
    all_of_it("sanitized", SANITIZED);
}

#[test]
fn the_example_of_the_docs_tells_sum_mean_and_trap() {
    let program = build(&folder("numbers"), &["numbers.c"], SANITIZED);
    let output = ran(Command::new(&program).arg(depot()));
    let told = String::from_utf8(output.stdout).expect("text");
    let mut lines = told.lines();
    assert_eq!(lines.next(), Some("sum 9, mean 3"), "{told}");
    let error = lines.next().unwrap_or_default();
    assert!(
        error.starts_with("kind ") && error.contains("log"),
        "{told}"
    );
    assert!(
        lines.next().is_some_and(|line| line.starts_with("  in ")),
        "{told}"
    );
}
