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
        assert!(text.contains("\n  export "), "{guest}: {text}");
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
fn what_is_no_module_at_all_is_told_as_that() {
    let text = stderr(&cellule(&["run", "README.md"]));
    let expected = "error: README.md: neither a WebAssembly binary nor its text form: ";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn an_image_runs_and_is_inspected_like_its_binary() {
    let image = std::env::temp_dir().join(format!("cellule-{}.cell", std::process::id()));
    let image = image.to_str().expect("a path");
    let output = cellule(&["compile", "examples/fib.wat", "-o", image]);
    assert!(output.status.success(), "{}", stderr(&output));
    let (out, err, success) = run(image, &[], &["fib(10)"]);
    let (expected, _, _) = run("examples/fib.wat", &[], &["fib(10)"]);
    assert!(success && out == expected, "{out} {err}");
    let output = cellule(&["inspect", image]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.starts_with("image of a core module, "), "{text}");
    assert!(text.contains("export fib: func (i32) -> (i32)"), "{text}");
    // It doesn't count fuel.
    let output = cellule(&["run", image, "--fuel", "10"]);
    assert!(!output.status.success());
    std::fs::remove_file(image).expect("the image");
}

#[test]
fn without_a_call_the_functions_are_listed() {
    let (out, err, success) = run(DEPOT, &TRAP, &[]);
    assert!(success && out.is_empty(), "{err}");
    let expected = "instantiated; `--invoke 'NAME(ARGUMENTS)'` calls one of these:\n  audit: func(";
    assert!(err.starts_with(expected), "{err}");
    let (_, err, success) = run("examples/fib.wat", &[], &[]);
    assert!(
        success && err.contains("\n  fib: func (i32) -> (i32)\n"),
        "{err}"
    );
}

#[test]
fn names_that_there_are_not_are_told_with_those_that_are_near() {
    for (arguments, expected) in [
        (
            &["disasm", "examples/fib.wat", "fibb"][..],
            "defines a function `fibb`; did you mean `fib`?",
        ),
        (
            &["disasm", "examples/fib.wat", "--module", "0", "fibb"],
            "core module 0 defines no function `fibb`; did you mean `fib`?",
        ),
        (
            &["wast", "--features", "thread", "examples/fib.wat"],
            "error: unknown feature `thread`; did you mean `threads`",
        ),
        (
            &["run", "examples/fib.wat", "-i", "fib"],
            "here perhaps `fib()`",
        ),
        (
            &["inspect", "--wit", "examples/fib.wat"],
            "a core module has no world",
        ),
    ] {
        let output = cellule(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let text = stderr(&output);
        assert!(text.contains(expected), "{arguments:?}: {text}");
    }
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
        (
            "fob(1)",
            "these are:\n  fib: func (i32) -> (i32)\n  divide: func",
        ),
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

const DEPOT: &str = "tests/guests/rust-depot.wasm";

/// Runs calls in one instance; what goes to stdout and stderr, and whether all went well.
fn run(file: &str, options: &[&str], calls: &[&str]) -> (String, String, bool) {
    let mut arguments = vec!["run", file];
    arguments.extend(options);
    calls.iter().for_each(|call| arguments.extend(["-i", call]));
    let output = cellule(&arguments);
    (stdout(&output), stderr(&output), output.status.success())
}

/// Runs calls that succeed; the lines they print.
fn lines(file: &str, options: &[&str], calls: &[&str]) -> Vec<String> {
    let (out, err, success) = run(file, options, calls);
    assert!(success, "{err}");
    out.lines().map(ToString::to_string).collect()
}

/// Makes a call that fails; the error.
fn error(file: &str, options: &[&str], call: &str) -> String {
    let (_, err, success) = run(file, options, &[call]);
    assert!(!success, "{call}");
    err
}

const TRAP: [&str; 2] = ["--unknown-imports", "trap"];
const PRINT: [&str; 2] = ["--unknown-imports", "print"];

#[test]
fn components_are_called_with_wave_in_one_instance() {
    for guest in ["rust", "c"] {
        let file = format!("tests/guests/{guest}-depot.wasm");
        let told = [
            ("stats([3, -4, 10])", "(9, some(-4), some(10), 3)"),
            ("stats([])", "(0, none, none, 0)"),
            ("depot#transpose([[1, 2, 3], [4, 5]])", "[[1, 4], [2, 5]]"),
            (
                "cellule:depot/depot@1.2.0#labels({upright, express}, large)",
                "[\"large\", \"upright\", \"express\"]",
            ),
            ("turn(none)", "ok(none)"),
            // An argument at the end that is an option may be left out.
            ("turn()", "ok(none)"),
            ("turn(some(ok(3)))", "ok(some(3))"),
            ("turn(some(err(\"no\")))", "err(\"no\")"),
            ("[constructor]store(2)", "store-1"),
            ("store(2)", "store-2"),
            ("alive()", "2"),
        ];
        let calls = told.map(|(call, _)| call);
        let expected = told.map(|(_, result)| result);
        for tier in [&TRAP[..], &[TRAP[0], TRAP[1], "--base-tier"]] {
            assert_eq!(lines(&file, tier, &calls), expected, "{guest}");
        }
    }
}

#[test]
fn every_scalar_is_read_and_written() {
    let arguments = "true, -128, 255, -32768, 65535, -2147483648, 4294967295, \
                     -9223372036854775808, 18446744073709551615, 1.5, -inf, '\\u{1f600}', \"a\\n\", \
                     (1, 2, 3, 18446744073709551615), {fragile, cold}";
    let written = arguments.replace("\\u{1f600}", "😀");
    let call = format!("scalars({arguments})");
    assert_eq!(lines(DEPOT, &TRAP, &[&call]), [format!("({written})")]);
}

#[test]
fn arguments_that_do_not_fit_are_told_with_place_and_type() {
    for (call, expected) in [
        (
            "stats([1, x])",
            "argument 1 (`values`): wrong type at `x`; expected is\n  s32\nin\n  \
             stats([1, x])\n            ^\n",
        ),
        (
            "stats([3000000000])",
            "invalid value at `3000000000`; expected is\n  s32\nin\n  \
             stats([3000000000])\n         ^^^^^^^^^^\n",
        ),
        (
            "labels({}, lage)",
            "argument 2 (`s`): unknown case \"lage\"; did you mean `large`? at `lage`; expected is\n  \
             enum { small, medium, large }\nin\n  labels({}, lage)\n             ^^^^\n",
        ),
        ("labels({fragile, soft}, small)", "unknown flag \"soft\""),
        ("stats()", "has 0 arguments"),
        (
            "stats([], [])",
            "has 2 arguments, but the function is\n  cellule:depot/depot@1.2.0#stats: func(values: list<s32>)",
        ),
        (
            "sum([])",
            "[method]store.split: func(self: borrow<store>, at: u32) -> own<store>",
        ),
        ("stats([)", "unexpected token"),
        ("stats", "write NAME(ARGUMENTS)"),
        (
            "store.len(1)",
            "argument 1 (`self`): wrong type at `1`; expected is\n  borrow<store>",
        ),
        (
            "sum([])",
            "no function `sum` is exported; these are:\n  audit: func(titles: list<string>)",
        ),
        (
            "depot#satts([])",
            "no function `depot#satts` is exported; near are:\n  \
             cellule:depot/depot@1.2.0#stats: func(values: list<s32>) -> tuple<s64, option<s32>, \
             option<s32>, f64>\nwithout `--invoke` all are listed\n",
        ),
    ] {
        let text = error(DEPOT, &TRAP, call);
        assert!(text.contains(expected), "{call}: {text}");
    }
}

/// Both guests have a resource `store`, with `alive` to count them.
const GUESTS: [&str; 2] = [DEPOT, "tests/guests/c-depot.wasm"];

#[test]
fn a_resource_of_one_call_is_an_argument_of_later_ones() {
    for file in GUESTS {
        let told = [
            ("store(3)", "store-1"),
            (
                "store.put(store-1, {id: 1, weight: 2.5, size: small, handling: {}, notes: []})",
                "ok",
            ),
            (
                "store.put(store-1, {id: 7, weight: 9, size: large, handling: {cold}, notes: [\"a\"]})",
                "ok",
            ),
            // Lent ones stay.
            ("[method]store.len(store-1)", "2"),
            ("late = store.split(store-1, 1)", "late"),
            ("store.lighter(store-1, late)", "true"),
            ("alive()", "2"),
            // Those that are passed on are the guest's.
            ("both = store.merge(late, store-1)", "both"),
            ("store.len(both)", "2"),
            ("alive()", "1"),
            ("[drop](both)", "()"),
            ("alive()", "0"),
            // A name is free again.
            ("both = store(1)", "both"),
            ("store(1)", "store-2"),
            ("alive()", "2"),
        ];
        let calls = told.map(|(call, _)| call);
        let expected = told.map(|(_, result)| result);
        assert_eq!(lines(file, &TRAP, &calls), expected, "{file}");
    }
}

#[test]
fn a_resource_that_a_call_cannot_have_is_named_with_what_happened_to_it() {
    let make = ["a = store(1)", "b = store(1)"];
    for (calls, expected) in [
        (
            &["store.len(c)"][..],
            "no resource is named `c`; held are `a`, `b`; expected is\n  borrow<store>\nin\n  \
             store.len(c)\n            ^\n",
        ),
        (
            &["store.merge(a, b)", "store.len(a)"],
            "`a` isn't held any more: it was passed on by `store.merge(a, b)`; expected",
        ),
        (
            &["[drop](a)", "[drop](a)"],
            "`a` isn't held any more: it was dropped\n  [drop](a)\n         ^",
        ),
        (
            &["store.merge(a, a)"],
            "argument 2 (`b`): the same call is given `a` as its own before; expected",
        ),
        (
            &["b = store(2)"],
            "`b` is the name of a `store` that is still held; choose another",
        ),
        (
            &["n = alive()"],
            "`n` would name nothing: no resource is returned by\n  cellule:depot/depot@1.2.0#alive",
        ),
        (&["n_1 = store(1)"], "`n_1` can't name a resource"),
        (&["none = store(1)"], "`none` can't name a resource"),
        (
            &["[drop](1)"],
            "`1` can't name a resource\n  [drop](1)\n         ^",
        ),
        (&["[drop]()"], "write [drop](NAME)"),
    ] {
        let (_, err, success) = run(DEPOT, &TRAP, &[&make, calls].concat());
        assert!(!success, "{calls:?}");
        assert!(err.contains(expected), "{calls:?}: {err}");
    }
    let text = error(DEPOT, &TRAP, "store.len(store-1)");
    let expected = "no resource is named `store-1`: no call has returned one";
    assert!(text.contains(expected), "{text}");
}

/// Two types of resources; a dropped one tells the host its number, and traps if that is 9.
const RESOURCES: &str = r#"(component
    (import "dropped" (func $dropped (param "kind" char) (param "number" u32)))
    (core module $m
        (import "" "dropped" (func $dropped (param i32 i32)))
        (func (export "drop-one") (param i32) (call $dropped (i32.const 111) (local.get 0))
            (if (i32.eq (local.get 0) (i32.const 9)) (then unreachable)))
        (func (export "drop-two") (param i32) (call $dropped (i32.const 116) (local.get 0))))
    (core func $dropped' (canon lower (func $dropped)))
    (core instance $m (instantiate $m (with "" (instance (export "dropped" (func $dropped'))))))
    (type $one' (resource (rep i32) (dtor (core func $m "drop-one"))))
    (type $two' (resource (rep i32) (dtor (core func $m "drop-two"))))
    (export $one "one" (type $one'))
    (export $two "two" (type $two'))
    (core func $new-one (canon resource.new $one'))
    (core func $new-two (canon resource.new $two'))
    (core func $drop-two (canon resource.drop $two'))
    (core module $n
        (import "" "one" (func $one (param i32) (result i32)))
        (import "" "two" (func $two (param i32) (result i32)))
        (import "" "drop" (func $drop (param i32)))
        (memory (export "memory") 1)
        (func (export "one") (param i32) (result i32) (call $one (local.get 0)))
        (func (export "pair") (result i32)
            (i32.store (i32.const 0) (call $two (i32.const 3)))
            (i32.store (i32.const 4) (call $two (i32.const 4)))
            (i32.const 0))
        (func (export "some") (param i32) (result i32)
            (i32.store8 (i32.const 0) (local.get 0))
            (if (local.get 0) (then (i32.store (i32.const 4) (call $one (i32.const 5)))))
            (i32.const 0))
        (func (export "take") (param i32 i32) (call $drop (local.get 1)))
        (func (export "look") (param i32 i32) (result i32) (local.get 1)))
    (core instance $n (instantiate $n (with "" (instance
        (export "one" (func $new-one)) (export "two" (func $new-two))
        (export "drop" (func $drop-two))))))
    (func (export "make") (param "number" u32) (result (own $one)) (canon lift (core func $n "one")))
    (func (export "pair") (result (tuple (own $two) (own $two)))
        (canon lift (core func $n "pair") (memory (core memory $n "memory"))))
    (func (export "some") (param "is" bool) (result (option (own $one)))
        (canon lift (core func $n "some") (memory (core memory $n "memory"))))
    (func (export "take") (param "two" (option (own $two))) (canon lift (core func $n "take")))
    (func (export "look") (param "at" (option (borrow $one))) (result u32)
        (canon lift (core func $n "look"))))"#;

#[test]
fn what_is_held_at_the_end_is_dropped_and_destructors_run() {
    let path = module("resources", RESOURCES);
    let file = path.to_str().expect("UTF-8");
    let told = |calls: &[&str]| run(file, &PRINT, calls);
    let calls = [
        "make(1)",
        "make(2)",
        "[drop](one-1)",
        "some(true)",
        "some(false)",
        "pair()",
    ];
    let (out, err, success) = told(&calls);
    assert!(success, "{err}");
    let expected = "one-1\none-2\n()\nsome(one-3)\nnone\n(two-1, two-2)\n";
    assert_eq!(out, expected);
    // The newest first, after what was dropped before.
    let order = [('o', 1), ('t', 4), ('t', 3), ('o', 5), ('o', 2)];
    let order = order.map(|(kind, number)| format!("dropped('{kind}', {number})\n"));
    assert_eq!(err, order.concat());
    // What one name is for is numbered if there are several.
    let (out, err, _) = told(&["x = pair()", "take(x-2)", "take(some(x-1))", "look(none)"]);
    assert_eq!(out, "(x, x-1)\n", "{err}");
    let (_, err, success) = told(&["make(1)", "take(one-1)"]);
    assert!(!success);
    let expected = "argument 1 (`two`): `one-1` is of another type: a `one`; expected is\n  \
                    option<own<two>>";
    assert!(err.contains(expected), "{err}");
    // An error of a destructor is one of the program; after an error of the user destructors run too.
    let (out, err, success) = told(&["make(9)"]);
    assert!(!success);
    assert_eq!(out, "one-1\n");
    assert!(
        err.contains("dropped('o', 9)\nerror: dropping `one-1` at the end: wasm trap"),
        "{err}"
    );
    let (_, err, success) = told(&["make(7)", "made(8)"]);
    assert!(!success);
    assert!(
        err.starts_with("dropped('o', 7)\nerror: no function `made`"),
        "{err}"
    );
    assert!(
        err.contains("near are:\n  make: func(number: u32) -> own<one>\n  take:"),
        "{err}"
    );
    let _ = std::fs::remove_file(&path);
}

#[test]
fn a_name_that_several_functions_have_is_refused_with_all_of_them() {
    let text = r#"(component
        (core module $m
            (func (export "one") (result i32) (i32.const 1))
            (func (export "two") (result i32) (i32.const 2)))
        (core instance $i (instantiate $m))
        (func $one (result u32) (canon lift (core func $i "one")))
        (func $two (result u32) (canon lift (core func $i "two")))
        (instance $a (export "f" (func $one)) (export "g" (func $one)))
        (instance $b (export "f" (func $two)))
        (export "t:a/first@1.0.0" (instance $a))
        (export "t:a/second@1.0.0" (instance $b))
        (export "g" (func $two)))"#;
    let path = module("ambiguous", text);
    let file = path.to_str().expect("UTF-8");
    let ambiguous = error(file, &[], "f()");
    let calls = ["first#f()", "t:a/second#f()", "second@1.0.0#f()", "g()"];
    let told = lines(file, &[], &calls);
    let _ = std::fs::remove_file(&path);
    let expected = "`f` may be any of these; write more of the name:\n  \
                    t:a/first@1.0.0#f: func() -> u32\n  t:a/second@1.0.0#f: func() -> u32";
    assert!(ambiguous.contains(expected), "{ambiguous}");
    // The component's own `g` is meant by its full name.
    assert_eq!(told, ["1", "2", "2", "2"]);
}

#[test]
fn unknown_imports_are_refused_or_trap_or_are_printed() {
    let file = "tests/guests/rust-sensor.wasm";
    let refused = error(file, &[], "sample(\"tank\", 0)");
    assert!(
        refused.contains("serves:\n  function `read`\n  function `report`\n"),
        "{refused}"
    );
    assert_eq!(
        lines(file, &TRAP, &["sample(\"tank\", 0)"]),
        ["\"tank: no reading\""]
    );
    let trap = error(file, &PRINT, "sample(\"tank\", 1)");
    assert!(
        trap.contains("wasm trap: the import `read` was called, and nothing serves it"),
        "{trap}"
    );
    assert!(trap.contains("sample (function "), "{trap}");
    let text = r#"(component
        (import "t:a/b" (instance $b (export "tell" (func (param "x" u8) (param "y" (option char))))))
        (core module $m
            (import "" "tell" (func $tell (param i32 i32 i32)))
            (func (export "f") (call $tell (i32.const 7) (i32.const 1) (i32.const 97))))
        (core func $tell (canon lower (func $b "tell")))
        (core instance $i (instantiate $m (with "" (instance (export "tell" (func $tell))))))
        (func (export "f") (canon lift (core func $i "f"))))"#;
    let path = module("print", text);
    let (out, err, success) = run(path.to_str().expect("UTF-8"), &PRINT, &["f()"]);
    let _ = std::fs::remove_file(&path);
    assert!(success, "{err}");
    assert_eq!((&*out, &*err), ("()\n", "t:a/b#tell(7, some('a'))\n"));
}

#[test]
fn fuel_and_limits_hold_for_components() {
    let call = "stats([3, -4, 10])";
    let with = |option: &str, value: &str| {
        let (_, err, _) = run(DEPOT, &[TRAP[0], TRAP[1], option, value], &[call]);
        err
    };
    assert_eq!(with("--fuel", "1000000"), "");
    assert!(with("--fuel", "1000").contains("`stats([3, -4, 10])`: wasm trap: all fuel consumed"));
    assert!(with("--fuel", "1").contains("can't instantiate"));
    assert!(with("--max-memory", "65536").contains("a memory of 17 pages is beyond the limit"));
    assert!(with("--max-table", "1").contains("beyond the limit"));
}

#[test]
fn stats_count_what_a_component_executes() {
    let with = [TRAP[0], TRAP[1], "--stats"];
    let told = lines(DEPOT, &with, &["stats([3, -4, 10])"]);
    assert_eq!(told[0], "(9, some(-4), some(10), 3)");
    assert!(told[1].starts_with("instruction"), "{told:?}");
    assert!(
        told.last()
            .is_some_and(|line| line.starts_with("of them fast"))
    );
}

#[test]
fn core_modules_print_and_trap_on_unknown_imports_too() {
    let text = r#"(module
        (import "env" "tell" (func $tell (param i32 f64)))
        (import "env" "ask" (func $ask (result i32)))
        (func (export "f") (param f64) (result i32 f64)
            (call $tell (i32.const -1) (local.get 0)) (i32.const 3) (local.get 0))
        (func (export "g") (result i32) (call $ask)))"#;
    let path = module("core-imports", text);
    let file = path.to_str().expect("UTF-8");
    let (out, err, _) = run(file, &PRINT, &["f(nan)"]);
    assert_eq!((&*out, &*err), ("(3, nan)\n", "env tell(-1, nan)\n"));
    let trap = error(file, &PRINT, "g()");
    let _ = std::fs::remove_file(&path);
    assert!(trap.contains("the import `env ask` was called"), "{trap}");
}

#[test]
fn disasm_finds_functions_of_components() {
    let told = |arguments: &[&str]| {
        let output = cellule(&[&["disasm", DEPOT], arguments].concat());
        (stdout(&output), stderr(&output))
    };
    let (by_name, _) = told(&["hello"]);
    assert!(
        by_name.starts_with("core module 0\n\nfunction "),
        "{by_name}"
    );
    let index = by_name.split_whitespace().nth(4).expect("an index");
    assert_eq!(told(&["--module", "0", index]).0, by_name);
    let (base, _) = told(&["hello", "--base-tier"]);
    assert_ne!(base, by_name);
    let (_, err) = told(&["--module", "9"]);
    assert!(
        err.contains("there is no core module 9: the file has 3"),
        "{err}"
    );
    let (_, err) = told(&["nobody"]);
    assert!(err.contains("`nobody`"), "{err}");
}

#[test]
fn a_reader_that_goes_away_ends_the_program_quietly() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cellule"))
        .args(["disasm", DEPOT])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(stderr(&output), "");
}

/// The path of a guest of a real toolchain.
fn shared(name: &str) -> Option<String> {
    cellule_tests::shared_guest(name)?;
    let path = cellule_tests::conformance()?.join("../guests").join(name);
    // The program runs in another folder than the tests.
    let path = path.canonicalize().ok()?;
    path.to_str().map(ToString::to_string)
}

#[test]
fn guests_of_every_language_say_hello() {
    for (guest, language) in [
        ("rust-text.wasm", "rust"),
        ("js-qjs-text-sync-stubwasi.wasm", "js"),
        ("c-text.wasm", "c"),
    ] {
        let Some(file) = shared(guest) else { return };
        let expected = format!("\"hello wörld from {language} (5 chars)\"");
        assert_eq!(lines(&file, &TRAP, &["run(\"wörld\")"]), [expected]);
    }
}

#[test]
fn a_guest_with_records_variants_and_resources_answers() {
    let Some(file) = shared("rust-app.wasm") else {
        return;
    };
    let told = [
        ("run(\"abc\")", "\"cba\""),
        ("area(circle(2))", "ok(12.566370614359172)"),
        ("area(circle(-1))", "err(\"negative radius -1\")"),
        ("area(rect((2, 3.5)))", "ok(7)"),
        ("demo:app/shapes@0.1.0#area(empty)", "ok(0)"),
        (
            "area(poly([{x: 0, y: 0, label: \"\"}, {x: 4, y: 0, label: \"\"}, {label: \"\", y: 3, x: 0}]))",
            "ok(6)",
        ),
        (
            "centroid([{x: 0, y: 0, label: \"a\"}, {x: 4, y: 0, label: \"b\"}])",
            "some({x: 2, y: 0, label: \"a+b\"})",
        ),
        ("centroid([])", "none"),
        ("allow({read}, green)", "{read}"),
        ("allow({read}, blue)", "{read, exec}"),
        ("allow({read}, red)", "{}"),
        ("counter(5)", "counter-1"),
    ];
    let calls = told.map(|(call, _)| call);
    let (out, err, success) = run(&file, &PRINT, &calls);
    assert!(success, "{err}");
    let expected: Vec<&str> = told.iter().map(|(_, result)| *result).collect();
    assert_eq!(out.lines().collect::<Vec<_>>(), expected);
    assert_eq!(err, "log(\"run(abc)\")\n");
}

#[test]
fn maps_fixed_lists_and_error_contexts_are_read_and_written() {
    let text = r#"(component
        (core module $libc
            (memory (export "memory") 1)
            (global $next (mut i32) (i32.const 1024))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                (global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
                (global.get $next)
                (global.set $next (i32.add (global.get $next) (local.get 3)))))
        (core instance $libc (instantiate $libc))
        (core module $m
            (import "" "memory" (memory 1))
            ;; What is passed as address and length is returned in memory.
            (func (export "pair") (param i32 i32) (result i32)
                (i32.store (i32.const 8) (local.get 0))
                (i32.store (i32.const 12) (local.get 1))
                (i32.const 8))
            (func (export "three") (param i32 i32 i32) (result i32)
                (i32.store8 (i32.const 8) (local.get 2))
                (i32.store8 (i32.const 9) (local.get 1))
                (i32.store8 (i32.const 10) (local.get 0))
                (i32.const 8))
            (func (export "same") (param i32) (result i32) (local.get 0)))
        (alias core export $libc "memory" (core memory $memory))
        (alias core export $libc "realloc" (core func $realloc))
        (core instance $m (instantiate $m (with "" (instance (export "memory" (memory $memory))))))
        (func (export "scores") (param "of" (map string u8)) (result (map string u8))
            (canon lift (core func $m "pair") (memory $memory) (realloc $realloc)))
        (func (export "back") (param "of" (list u8 3)) (result (list u8 3))
            (canon lift (core func $m "three") (memory $memory)))
        (func (export "why") (param "is" error-context) (result error-context)
            (canon lift (core func $m "same"))))"#;
    let path = module("wave", text);
    let file = path.to_str().expect("UTF-8");
    let told = [
        (r#"scores({"a": 1, "bö": 255})"#, r#"{"a": 1, "bö": 255}"#),
        ("back([1, 2, 3])", "[3, 2, 1]"),
        (r#"why(error-context("tür"))"#, r#"error-context("tür")"#),
    ];
    let calls = told.map(|(call, _)| call);
    let shown = run(file, &[], &calls);
    let wrong = error(file, &[], "why(\"tür\")");
    let short = error(file, &[], "back([1, 2])");
    let _ = std::fs::remove_file(&path);
    assert!(shown.2, "{}", shown.1);
    let expected = told.map(|(_, result)| result);
    assert_eq!(shown.0.lines().collect::<Vec<_>>(), expected);
    assert!(
        wrong.contains("expected is\n  error-context\nin\n  why(\"tür\")\n      ^^^^^\n"),
        "{wrong}"
    );
    assert!(short.contains("back([1, 2])"), "{short}");
}

#[test]
fn the_innermost_part_that_does_not_fit_is_told() {
    let parcel = "{id: 1, weight: 2, size: small, handling: {}, place: {row: 1, shelf: 300, zone: 'a'}, \
                  notes: []}";
    for (call, expected) in [
        ("turn(some(ok(\"x\")))", "at `\"x\"`; expected is\n  u8\n"),
        ("transpose([[1, 2], [x]])", "at `x`; expected is\n  f64\n"),
        (
            &*format!("store.put(s, {parcel})"),
            "invalid value at `300`; expected is\n  u8\n",
        ),
        (
            "store.find(s, any-of([[1], [2, -3]]))",
            "at `-3`; expected is\n  u64\n",
        ),
        ("alive(3)", "`alive(3)` has 1 argument, but"),
    ] {
        let (_, err, success) = run(DEPOT, &TRAP, &["s = store(1)", call]);
        assert!(!success && err.contains(expected), "{call}: {err}");
    }
}
