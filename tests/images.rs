//! Components and modules from images: equal results and fuel, and an error or a safe run whatever the
//! bytes say.

use cellule::code::verify::Rule;
use cellule::code::{header, op, word, word_u32};
use cellule::component::{Component, Linker};
use cellule::{Config, Engine, ErrorKind, ImageError, Module, Result, Store};
use cellule_cli::wast::script::{self, Script};
use cellule_cli::wast::{self, Options};
use cellule_tests::conformance;
use cellule_tests::images::rehash;
use std::path::PathBuf;

/// The guests of this repository.
fn guests() -> Vec<(String, Vec<u8>)> {
    let folder = cellule_tests::root().join("tests/guests");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|found| found == "wasm") {
            let name = path.file_name().unwrap_or_default();
            let bytes = std::fs::read(&path).expect("a file");
            found.push((name.to_string_lossy().into_owned(), bytes));
        }
    }
    found.sort();
    assert!(found.len() > 3, "guests are missing");
    found
}

fn engine(fuel: bool, fast: bool) -> Engine {
    let mut config = Config::new();
    config.consume_fuel(fuel).fast_tier(fast);
    Engine::new(&config).expect("an engine")
}

#[test]
fn every_guest_loads_from_its_image() {
    for (fuel, fast) in [(false, true), (true, true), (true, false)] {
        let engine = engine(fuel, fast);
        for (name, wasm) in guests() {
            if !wasm.starts_with(b"\0asm\x0d\0\x01\0") {
                continue;
            }
            let component = Component::new(&engine, &wasm).expect("a component");
            let image = match component.to_image() {
                Ok(image) => image,
                Err(error) => panic!("{name}: {error:#}"),
            };
            let again = Component::from_image_vec(&engine, image.clone());
            let again = again.unwrap_or_else(|error| panic!("{name}: {error:#}"));
            let names = |component: &Component| -> Vec<String> {
                let ty = component.component_type();
                let exports = ty.exports(&engine).map(|(name, _)| name.to_string());
                exports
                    .chain(ty.imports(&engine).map(|(name, _)| name.to_string()))
                    .collect()
            };
            assert_eq!(names(&component), names(&again), "{name}");
            // What it makes of itself is the same again.
            assert!(again.to_image().expect("an image") == image, "{name}");
        }
    }
}

/// Scripts of a suite's folder.
fn scripts(folder: &str) -> Vec<PathBuf> {
    let Some(suites) = conformance() else {
        return Vec::new();
    };
    let folder = suites.join(folder);
    match folder.is_dir() {
        true => script::find(&folder).expect("a readable folder"),
        false => Vec::new(),
    }
}

/// Runs scripts from binaries and from images: no verdict may differ.
fn same_verdicts(folders: &[&str], fuel: bool) {
    let options = |images: bool| Options {
        fuel,
        images,
        names_are_importable: true,
        ..Options::default()
    };
    for path in folders.iter().flat_map(|folder| scripts(folder)) {
        // Takes minutes in builds without optimisation, twice.
        if path.ends_with("big-strings.wast") {
            continue;
        }
        // Some of wasmtime's need a grammar that is gone.
        let Ok(script) = Script::read(&path) else {
            continue;
        };
        let lines = |images: bool| -> Vec<String> {
            wast::run(&script, &options(images)).details().collect()
        };
        assert_eq!(lines(false), lines(true), "{}", path.display());
    }
}

#[test]
fn component_scripts_pass_from_images() {
    same_verdicts(&["component-model/test"], false);
    same_verdicts(&["wasmtime/tests/misc_testsuite/component-model"], true);
}

#[test]
fn core_scripts_pass_from_images() {
    same_verdicts(&["core-testsuite-extra"], true);
    same_verdicts(&["wasmtime/tests/misc_testsuite/winch"], false);
}

/// Strings, lists, a resource and two components that call each other.
const PAIR: &str = r#"(component
    (component $inner
        (core module $m
            (memory (export "memory") 1)
            (global $end (mut i32) (i32.const 1024))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                (global.get $end)
                (global.set $end (i32.and (i32.const -8)
                    (i32.add (i32.const 7) (i32.add (global.get $end) (local.get 3))))))
            (func (export "count") (param i32 i32) (result i32) (local $sum i32)
                (loop $again
                    (if (local.get 1) (then
                        (local.set $sum (i32.add (local.get $sum) (i32.load8_u (local.get 0))))
                        (local.set 0 (i32.add (local.get 0) (i32.const 1)))
                        (local.set 1 (i32.sub (local.get 1) (i32.const 1)))
                        (br $again))))
                (local.get $sum)))
        (core instance $i (instantiate $m))
        (func (export "count") (param "text" string) (result u32)
            (canon lift (core func $i "count") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
    (instance $inner (instantiate $inner))
    (alias export $inner "count" (func $count))
    (core module $libc
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 2048)))
    (core instance $libc (instantiate $libc))
    (core func $count (canon lower (func $count) (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
    (type $t (resource (rep i32)))
    (core func $new (canon resource.new $t))
    (core func $rep (canon resource.rep $t))
    (core func $drop (canon resource.drop $t))
    (core module $main
        (import "env" "count" (func $count (param i32 i32) (result i32)))
        (import "env" "new" (func $new (param i32) (result i32)))
        (import "env" "rep" (func $rep (param i32) (result i32)))
        (import "env" "drop" (func $drop (param i32)))
        (import "env" "memory" (memory 1))
        (table 2 funcref)
        (elem (i32.const 0) $count $twice)
        (type $unary (func (param i32) (result i32)))
        (data (i32.const 16) "some text")
        (func $twice (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
        (func (export "run") (param i32 i32) (result i32) (local $own i32)
            (local.set $own (call $new (call $count (local.get 0) (local.get 1))))
            (call_indirect (type $unary) (call $rep (local.get $own)) (i32.const 1))
            (call $drop (local.get $own))))
    (core instance $main (instantiate $main (with "env" (instance
        (export "count" (func $count)) (export "new" (func $new)) (export "rep" (func $rep))
        (export "drop" (func $drop)) (export "memory" (memory $libc "memory"))))))
    (func (export "run") (param "text" string) (result u32)
        (canon lift (core func $main "run") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")))))"#;

fn compile(engine: &Engine, text: &str) -> Component {
    let wasm = wat::parse_str(text).expect("valid text");
    Component::new(engine, wasm).expect("a component")
}

/// Calls `run`; what is left of the fuel as well.
fn run(engine: &Engine, component: &Component) -> (Result<u32>, u64) {
    let mut store = Store::new(engine, ());
    store.set_fuel(1_000_000).expect("fuel");
    let mut call = || {
        let instance = Linker::new(engine).instantiate(&mut store, component)?;
        let run = instance.get_typed_func::<(&str,), (u32,)>(&mut store, "run")?;
        Ok(run.call(&mut store, ("hello",))?.0)
    };
    let result = call();
    (result, store.get_fuel().expect("fuel"))
}

#[test]
fn an_image_gives_the_same_results_and_fuel() {
    for fast in [false, true] {
        let engine = engine(true, fast);
        let component = compile(&engine, PAIR);
        let (result, left) = run(&engine, &component);
        assert_eq!(result.expect("a result"), 2 * 532);
        let image: &'static [u8] = component.to_image().expect("an image").leak();
        let copied = Component::from_image_vec(&engine, image.to_vec()).expect("an image");
        let (result, again) = run(&engine, &copied);
        assert_eq!((result.expect("a result"), again), (2 * 532, left));
        // A vector's bytes lie at a multiple of sixteen where the allocator is the system's.
        if (image.as_ptr() as usize).is_multiple_of(8) {
            let in_place = Component::from_image(&engine, image).expect("an image");
            let (result, again) = run(&engine, &in_place);
            assert_eq!((result.expect("a result"), again), (2 * 532, left));
        }
    }
}

/// The image error of a result.
fn refusal<T>(result: Result<T>) -> ImageError {
    let error = result.err().expect("a refusal");
    assert_eq!(error.kind(), ErrorKind::Image);
    *error.downcast_ref::<ImageError>().expect("an image error")
}

#[test]
fn a_truncated_image_is_refused_at_every_length() {
    let engine = engine(true, true);
    let image = compile(&engine, PAIR).to_image().expect("an image");
    for length in 0..image.len() {
        let error = refusal(Component::from_image_vec(&engine, image[..length].to_vec()));
        assert_eq!(error, ImageError::Truncated, "at {length}");
    }
    let longer = [&image[..], &[0]].concat();
    assert_eq!(
        refusal(Component::from_image_vec(&engine, longer)),
        ImageError::TooLong
    );
}

#[test]
fn a_flipped_byte_is_noticed() {
    let engine = engine(true, true);
    let image = compile(&engine, PAIR).to_image().expect("an image");
    for at in 0..image.len() {
        let mut other = image.clone();
        other[at] ^= 1 << (at % 8);
        let error = refusal(Component::from_image_vec(&engine, other));
        assert!(at < 64 || error == ImageError::Damaged, "{error:?} at {at}");
    }
}

#[test]
fn a_flipped_byte_under_the_right_hash_is_an_error_or_a_safe_run() {
    let engine = engine(true, true);
    let image = compile(&engine, PAIR).to_image().expect("an image");
    let (mut refused, mut ran) = (0, 0);
    for at in 0..image.len() {
        for change in [1, 0x80, 0xff] {
            let mut other = image.clone();
            other[at] ^= change;
            rehash(&mut other);
            match Component::from_image_vec(&engine, other) {
                Ok(component) => {
                    // Whatever it does, it ends.
                    let _ = run(&engine, &component);
                    ran += 1;
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 1000 && ran > 1000, "{refused} refused, {ran} ran");
}

#[test]
fn a_word_of_the_tables_that_is_another_is_an_error_or_a_safe_run() {
    let engine = engine(true, true);
    let image = compile(&engine, PAIR).to_image().expect("an image");
    let start = u32_at(&image, 64) as usize;
    let end = u32_at(&image, 80) as usize;
    for at in (start..end).step_by(4) {
        let word = u32_at(&image, at);
        for other in [
            0,
            1,
            2,
            word.wrapping_add(1),
            word.wrapping_sub(1),
            u32::MAX,
            1 << 31,
        ] {
            let mut image = image.clone();
            image[at..at + 4].copy_from_slice(&other.to_le_bytes());
            rehash(&mut image);
            if let Ok(component) = Component::from_image_vec(&engine, image) {
                let ty = component.component_type();
                assert!(ty.exports(&engine).count() < 100);
                let _ = run(&engine, &component);
            }
        }
    }
}

fn u32_at(image: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(image[at..at + 4].try_into().expect("four bytes"))
}

#[test]
fn headers_that_are_not_for_this_build_are_told_apart() {
    let engine = engine(true, true);
    let image = compile(&engine, PAIR).to_image().expect("an image");
    let changed = |at: usize, byte: u8| {
        let mut image = image.clone();
        image[at] ^= byte;
        rehash(&mut image);
        refusal(Component::from_image_vec(&engine, image))
    };
    assert_eq!(changed(1, 1), ImageError::Magic);
    assert_eq!(changed(8, 3), ImageError::Version(2));
    assert_eq!(changed(12, 1), ImageError::Kind);
    assert_eq!(changed(16, 1), ImageError::InstructionSet);
    assert_eq!(changed(48, 2), ImageError::Fuel);
    assert_eq!(changed(56, 8), ImageError::Section("code"));
    let without = self::engine(false, true);
    assert_eq!(
        refusal(Component::from_image_vec(&without, image.clone())),
        ImageError::Fuel
    );
    assert_eq!(
        refusal(Module::from_image_vec(&engine, image.clone())),
        ImageError::Kind
    );
    let mut odd = vec![0; 8 + image.len()];
    let at = if (odd.as_ptr() as usize).is_multiple_of(8) {
        4
    } else {
        8 - (odd.as_ptr() as usize) % 8 + 4
    };
    odd[at..at + image.len()].copy_from_slice(&image);
    let odd = &odd.leak()[at..at + image.len()];
    assert_eq!(
        refusal(Component::from_image(&engine, odd)),
        ImageError::Misaligned
    );
}

/// A module with something of everything; its only function's code is replaced.
fn with_code(memory: &str, fuel: bool, code: &[u64]) -> Result<Module> {
    let engine = engine(fuel, true);
    let body = "(drop (i32.div_u (local.get 0) (i32.const 77777)))".repeat(24);
    let text = format!(
        r#"(module (import "env" "host" (func (param i32)))
            {memory} (table 4 funcref) (table 4 externref)
            (global i64 (i64.const 1)) (global (mut i64) (i64.const 1))
            (global (mut v128) (v128.const i64x2 1 2)) (tag (param i32))
            (func (export "f") (param i32) (result i32) {body} (local.get 0)))"#
    );
    let module = Module::new(&engine, wat::parse_str(&text).expect("valid text"))?;
    let mut image = module.to_image()?;
    let start = u32_at(&image, 56) as usize;
    let room = u32_at(&image, 60) as usize / 8;
    assert!(code.len() <= room, "{} of {room}", code.len());
    // What is left is filled with returns, which are fine.
    let handlers = usize::from((code[0] >> 48) as u16) * 3;
    let (code, behind) = code.split_at(code.len() - handlers);
    let filler = vec![word(op::RetS, 0, 0, 0); room - code.len() - handlers];
    let all = [code, &filler, behind].concat();
    for (at, word) in all.iter().enumerate() {
        image[start + at * 8..][..8].copy_from_slice(&word.to_le_bytes());
    }
    rehash(&mut image);
    Module::from_image_vec(&engine, image)
}

const MEMORY: &str = "(memory 1)";

/// The rule that code breaks which begins with a right header.
fn broken(code: &[u64]) -> Rule {
    rule(with_code(
        MEMORY,
        false,
        &[&header(8, 1, 1, 9, 0)[..], code].concat(),
    ))
}

fn rule(result: Result<Module>) -> Rule {
    match refusal(result) {
        ImageError::Code { rule, .. } => rule,
        other => panic!("{other}"),
    }
}

#[test]
fn the_replaced_code_runs_where_it_is_right() {
    let code = [&header(8, 1, 1, 9, 0)[..], &[word(op::RetS, 0, 0, 0)]].concat();
    let module = with_code(MEMORY, false, &code).expect("right code");
    assert!(module.get_export("f").is_some());
}

#[test]
fn forged_references_are_refused() {
    // Another function of the module, a host function that isn't imported, a type that there isn't.
    assert_eq!(broken(&[word_u32(op::Call, 4, 1)]), Rule::Index);
    assert_eq!(broken(&[word_u32(op::CallImport, 4, 1)]), Rule::Index);
    assert_eq!(broken(&[word(op::CallIndirect, 4, 0, 0), 99]), Rule::Index);
    // Through a table of something else.
    assert_eq!(
        broken(&[word(op::CallIndirect, 4, 0, 1), 0]),
        Rule::ElementKind
    );
}

#[test]
fn globals_are_written_and_read_as_what_they_are() {
    assert_eq!(
        broken(&[word_u32(op::GlobalSet, 0, 0)]),
        Rule::ConstantGlobal
    );
    assert_eq!(broken(&[word_u32(op::GlobalGet, 0, 2)]), Rule::GlobalWidth);
    assert_eq!(broken(&[word_u32(op::GlobalGet, 0, 3)]), Rule::Index);
    let wide = (0..u16::MAX)
        .find(|op| cellule::code::info(*op).is_some_and(|info| info.name == "v128.global.get"));
    if let Some(wide) = wide {
        assert_eq!(broken(&[word_u32(wide, 0, 1)]), Rule::GlobalWidth);
    }
}

#[test]
fn addresses_have_the_width_of_the_memory() {
    let load = word(op::Load32S::Ss, 0, 0, 0);
    let code = [&header(8, 1, 1, 9, 0)[..], &[load]].concat();
    assert!(with_code(MEMORY, false, &code).is_ok());
    assert_eq!(
        rule(with_code("(memory i64 1)", false, &code)),
        Rule::AddressWidth
    );
}

#[test]
fn internal_instructions_and_unknown_ones_are_refused() {
    assert_eq!(broken(&[word(op::FarReturn, 0, 0, 0)]), Rule::Internal);
    assert_eq!(broken(&[word(u16::MAX, 0, 0, 0)]), Rule::UnknownOpcode);
}

#[test]
fn branches_go_to_instructions() {
    // Into the second word of a wide constant, out of the function, and the same by a table.
    assert_eq!(
        broken(&[word(op::Br, 0, 0, 0), 3, word(op::ConstWide, 0, 0, 0), 7]),
        Rule::TargetNotAnInstruction
    );
    assert_eq!(
        broken(&[word(op::Br, 0, 0, 0), 4000]),
        Rule::TargetNotAnInstruction
    );
    assert_eq!(
        broken(&[word(op::Br, 0, 0, 0), u64::from(-2i32 as u32)]),
        Rule::TargetNotAnInstruction
    );
    assert_eq!(
        broken(&[word_u32(op::BrTable, 0, 1), 3, 4000]),
        Rule::TargetNotAnInstruction
    );
}

#[test]
fn headers_of_functions_tell_the_truth() {
    let ret = word(op::RetS, 0, 0, 0);
    let lies = [
        header(0, 1, 1, 9, 0),
        header(8, 2, 1, 9, 0),
        header(8, 1, 0, 9, 0),
        header(8, 1, 1, 9, 1),
    ];
    for [first, second] in lies {
        assert_eq!(
            rule(with_code(MEMORY, false, &[first, second, ret])),
            Rule::Header
        );
    }
    assert_eq!(broken(&[word(op::Copy, 8, 0, 0)]), Rule::SlotBeyondFrame);
    assert_eq!(
        broken(&[word(op::CopySpan, 4, 0, 5)]),
        Rule::SlotBeyondFrame
    );
    assert_eq!(broken(&[word_u32(op::CallImport, 1, 0)]), Rule::CallFrame);
    assert_eq!(broken(&[word(op::Ret, 0, 0, 0)]), Rule::ReturnedResults);
}

#[test]
fn handlers_lie_within_the_function() {
    let handler = |target: u64, tag: u64, slot: u64| {
        let mut head = header(8, 1, 1, 9, 0);
        head[0] |= 1 << 48;
        let entry = [2 | 3 << 32, target | slot << 32, tag];
        rule(with_code(
            MEMORY,
            false,
            &[&head[..], &[word(op::RetS, 0, 0, 0)], &entry].concat(),
        ))
    };
    assert_eq!(handler(4000, 0, 0), Rule::Handler);
    assert_eq!(handler(2, 1, 0), Rule::Handler);
    assert_eq!(handler(2, 0, 8), Rule::Handler);
}

#[test]
fn costs_and_credits_cannot_make_a_loop_free() {
    let code = |cost: u32, words: &[u64]| {
        with_code(
            MEMORY,
            true,
            &[&header(8, 1, 1, cost, 0)[..], words].concat(),
        )
    };
    let (branch, back) = (word(op::BrCharge, 0, 0, 0), u64::from(-2i32 as u32));
    let copy = [word(op::Copy, 1, 0, 0), word(op::Copy, 1, 0, 0)];
    let round = |charge: u64| [&copy[..], &[branch, back | charge << 32]].concat();
    assert!(code(9, &round(1)).is_ok());
    assert_eq!(rule(code(9, &round(0))), Rule::Fuel);
    assert_eq!(rule(code(9, &round(u32::MAX.into()))), Rule::Fuel);
    // Not charged at all; a function that costs nothing; a skip that gives back more than the function costs.
    assert_eq!(
        rule(code(
            9,
            &[&copy[..], &[word(op::Br, 0, 0, 0), back]].concat()
        )),
        Rule::Fuel
    );
    assert_eq!(rule(code(0, &[word_u32(op::CallImport, 4, 0)])), Rule::Fuel);
    assert_eq!(
        rule(code(9, &[branch, 2 | u64::from(-10i32 as u32) << 32])),
        Rule::Fuel
    );
    assert!(code(9, &[branch, 2 | u64::from(-9i32 as u32) << 32]).is_ok());
    assert_eq!(rule(code(9, &[word_u32(op::Call, 4, 0)])), Rule::Fuel);
}
