//! The house's style as tests: file heads, file lengths, and docs that name only what exists.

use cellule_tests::root;
use std::path::{Path, PathBuf};

/// No source file is longer.
const LONGEST: usize = 1000;

/// Folders that hold no sources of the project.
const PASSED_OVER: [&str; 3] = ["target", ".git", "node_modules"];

fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            let name = path.file_name().unwrap_or_default();
            if !PASSED_OVER.iter().any(|passed| name == *passed) {
                files(&path, extension, found);
            }
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
}

fn all(extension: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    files(&root(), extension, &mut found);
    found.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a readable file");
        (
            path.strip_prefix(root())
                .unwrap_or(&path)
                .display()
                .to_string(),
            text,
        )
    };
    found.into_iter().map(read).collect()
}

#[test]
fn every_source_file_begins_with_what_it_is_for() {
    let bare: Vec<String> = all("rs")
        .into_iter()
        .filter(|(name, text)| {
            !text.trim_start().starts_with("//!") && !name.ends_with("bindings.rs")
        })
        .map(|(name, _)| name)
        .collect();
    assert!(bare.is_empty(), "no `//!` head: {bare:?}");
}

#[test]
fn no_source_file_is_too_long() {
    let long: Vec<String> = all("rs")
        .into_iter()
        .filter(|(_, text)| text.lines().count() > LONGEST)
        .map(|(name, text)| format!("{name}: {}", text.lines().count()))
        .collect();
    assert!(long.is_empty(), "longer than {LONGEST} lines: {long:?}");
}

#[test]
fn nothing_is_left_to_be_written_later() {
    let macros = ["todo", "unimplemented"].map(|name| format!("{name}!("));
    let open: Vec<String> = all("rs")
        .into_iter()
        .filter(|(_, text)| macros.iter().any(|name| text.contains(name.as_str())))
        .map(|(name, _)| name)
        .collect();
    assert!(open.is_empty(), "placeholders in {open:?}");
}

/// Paths in backquotes that begin with a top folder of the repository must exist there, or beside the text that names them
/// (an example's README speaks of its own `src`).
#[test]
fn every_path_that_the_docs_name_exists() {
    let folders = [
        "src/",
        "capi/",
        "cli/",
        "include/",
        "tests/",
        "benches/",
        "examples/",
        "macros/",
        "examples-embedded/",
        "docs/",
        ".ci/",
    ];
    let mut missing = Vec::new();
    for (name, text) in all("md") {
        let file = root().join(&name);
        let here = file.parent().expect("a file lies in a folder");
        for word in text.split('`').skip(1).step_by(2) {
            let path = word.split_whitespace().next().unwrap_or_default();
            let path = path
                .split(['{', '*', ':', '#', '<'])
                .next()
                .unwrap_or_default();
            if folders.iter().any(|folder| path.starts_with(folder))
                && ![&root(), here].iter().any(|at| at.join(path).exists())
            {
                missing.push(format!("{name}: {path}"));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "docs name what isn't there: {missing:?}"
    );
}

/// What the porting guide says is shown by a test is named as `tests/file.rs::module::test`.
#[test]
fn every_test_that_the_porting_guide_names_exists() {
    let guide = std::fs::read_to_string(root().join("docs/porting-from-wasmtime.md"))
        .expect("the porting guide");
    let named: Vec<&str> = guide
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| word.starts_with("tests/"))
        .collect();
    assert!(named.len() > 30, "the guide names {} tests", named.len());
    let missing: Vec<&str> = named.into_iter().filter(|name| !is_a_test(name)).collect();
    assert!(missing.is_empty(), "no such test: {missing:?}");
}

/// Whether `file.rs::module::test` is a function marked as a test, in modules of these names.
fn is_a_test(name: &str) -> bool {
    let mut parts = name.split("::");
    let file = parts.next().unwrap_or_default();
    let Ok(text) = std::fs::read_to_string(root().join(file)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((test, modules)) = parts.split_last() else {
        return false;
    };
    let mut rest = text.as_str();
    for module in modules {
        match rest.split_once(&format!("mod {module} {{")) {
            Some((_, inside)) => rest = inside,
            None => return false,
        }
    }
    let Some((before, _)) = rest.split_once(&format!("fn {test}()")) else {
        return false;
    };
    before.trim_end().ends_with("#[test]")
}

/// The README counts the official component suite as its pins do.
#[test]
fn the_readme_counts_what_the_pins_say() {
    let read = |name: &str| std::fs::read_to_string(root().join(name)).expect(name);
    let pins = read("tests/pins/component-model.txt");
    let mut passed = 0;
    // What is to be found in a reason for a skip, and what the README calls it; the first counts.
    let names = [
        ("async", "need async"),
        ("threading", "threading"),
        ("gc", "garbage collection"),
    ];
    let mut skipped = [0u32; 3];
    for part in pins.lines().flat_map(|line| line.split('[')) {
        if let Some((count, reason)) = part
            .strip_prefix("skipped ")
            .and_then(|rest| rest.split_once(": "))
        {
            let group = names.iter().position(|(word, _)| reason.contains(word));
            let group = group.unwrap_or_else(|| panic!("no group for `{reason}`"));
            skipped[group] += count.parse::<u32>().expect("a count");
        } else {
            let counts = part
                .split([' ', '='])
                .filter_map(|word| word.parse::<u32>().ok());
            passed += counts.sum::<u32>();
        }
    }
    let readme = read("README.md").replace('\n', " ");
    let total: u32 = skipped.iter().sum();
    let head = format!("{passed} pass, 0 fail, and {total} are skipped:");
    assert!(readme.contains(&head), "{head}");
    for (count, (_, name)) in skipped.iter().zip(names) {
        let said = format!(" {count} {name}");
        assert!(readme.contains(&said), "the README doesn't say{said}");
    }
}

/// The types, traits and macros that an embedder meets first, by the file that declares them.
const MAIN_TYPES: [(&str, &str); 31] = [
    ("src/wasm/engine.rs", "Config Engine"),
    ("src/wasm/store.rs", "Store"),
    ("src/wasm/context.rs", "AsContextMut Caller"),
    ("src/wasm/limiter.rs", "ResourceLimiter StoreLimits"),
    ("src/limits.rs", "Limits"),
    ("src/wasm/module.rs", "Module"),
    ("src/wasm/instance.rs", "Instance"),
    ("src/wasm/linker.rs", "Linker InstancePre"),
    ("src/wasm/func.rs", "Func"),
    ("src/wasm/typed.rs", "TypedFunc"),
    ("src/wasm/items.rs", "Memory Table Global"),
    ("src/wasm/val.rs", "Val"),
    ("src/error.rs", "Error"),
    ("src/error/context.rs", "Context"),
    ("src/component/load.rs", "Component ComponentExportIndex"),
    ("src/component/linker.rs", "Linker LinkerInstance"),
    ("src/component/instance.rs", "InstancePre Instance"),
    ("src/component/func.rs", "Func TypedFunc"),
    ("src/component/val.rs", "Val List"),
    ("src/component/typed.rs", "ComponentType"),
    ("src/component/typed/views.rs", "WasmStr WasmList"),
    ("src/component/resource/mod.rs", "Resource"),
    ("src/component/resource/any.rs", "ResourceAny"),
    ("src/component/resource/dynamic.rs", "ResourceDynamic"),
    ("src/component/resource/table.rs", "ResourceTable"),
    ("src/store/resource_type.rs", "ResourceType"),
    ("src/component/types.rs", "Type ComponentFunc Component"),
    (
        "src/component/types/externs.rs",
        "ComponentItem ComponentExtern",
    ),
    ("src/component/has_data.rs", "HasData"),
    ("src/component/access.rs", "Access"),
    (
        "src/component/macros.rs",
        "ComponentType Lift Lower flags bindgen",
    ),
];

/// Each main type shows by an example how it is used, and the example runs as a test.
#[test]
fn every_main_type_has_an_example_that_runs() {
    let mut without = Vec::new();
    for (file, names) in MAIN_TYPES {
        let text = std::fs::read_to_string(root().join(file)).expect(file);
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for name in names.split(' ') {
            if !has_example(&lines, name) {
                without.push(format!("{file}: {name}"));
            }
        }
    }
    assert!(without.is_empty(), "no example that runs: {without:?}");
}

/// Whether the documentation before the declaration of `name` has a code block that is a test.
fn has_example(lines: &[&str], name: &str) -> bool {
    let declaration = lines.iter().position(|line| declares(line, name));
    let Some(at) = declaration else {
        return false;
    };
    let before = lines[..at].iter().rev();
    let attached = before.take_while(|line| line.starts_with("///") || line.starts_with('#'));
    // What opens a block may say that it isn't run; what closes one says nothing.
    let fences: Vec<&str> = attached
        .filter_map(|line| line.strip_prefix("/// ```"))
        .collect();
    let opening = fences.iter().rev().step_by(2);
    opening.into_iter().any(|info| info.is_empty()) && fences.len().is_multiple_of(2)
}

/// Whether a line declares a type, trait or macro: by its keyword, as a re-export of a derive or macro, or as
/// the name that a macro is given.
fn declares(line: &str, name: &str) -> bool {
    let word = |rest: &str| {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        &rest[..end.unwrap_or(rest.len())] == name
    };
    let keywords = [
        "pub struct ",
        "pub enum ",
        "pub trait ",
        "pub use cellule_macros::",
    ];
    line == name
        || keywords
            .iter()
            .any(|start| line.strip_prefix(start).is_some_and(word))
}
