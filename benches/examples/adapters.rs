//! What a call from one component into another takes, by the two shapes that an adapter may have.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --no-default-features --example adapters`
//!
//! Adapters are a native routine. As code of their own they would be an instance between caller and
//! callee; three core instances in a row, of which the middle one only passes values on, are the least
//! that this takes. Two in a row take what no adapter can go below. With a name and a count as
//! arguments it makes that many calls once, for counting instructions:
//! `valgrind --tool=callgrind … adapters scalars 20000`, less the same with 10000, by 10000.

use cellule::component::{self, Component};
use cellule::{Engine, Linker, Module, Result, Store, TypedFunc};
use std::time::Instant;

const ADD: &str = r#"(module (func (export "add") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1))))"#;

const PASS_ON: &str = r#"(module
    (import "a" "add" (func $add (param i32 i32) (result i32)))
    (func (export "add") (param i32 i32) (result i32)
        (i32.and (i32.const -1) (call $add
            (i32.and (local.get 0) (i32.const -1))
            (i32.and (local.get 1) (i32.const -1))))))"#;

const LOOP: &str = r#"(module
    (import "a" "add" (func $add (param i32 i32) (result i32)))
    (func (export "run") (param $n i32) (result i32) (local $s i32)
        (loop $l
            (local.set $s (call $add (local.get $s) (local.get $n)))
            (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $s)))"#;

const COMPONENT: &str = r#"(component
    (component $A
        (core module $m
            (memory (export "mem") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
            (func (export "add") (param i32 i32) (result i32)
                (i32.add (local.get 0) (local.get 1)))
            (func (export "len") (param i32 i32) (result i32) (local.get 1)))
        (core instance $i (instantiate $m))
        (func (export "add") (param "a" u32) (param "b" u32) (result u32)
            (canon lift (core func $i "add")))
        (func (export "len") (param "s" string) (result u32)
            (canon lift (core func $i "len") (memory (core memory $i "mem"))
                (realloc (core func $i "realloc")))))
    (component $B
        (import "add" (func $add (param "a" u32) (param "b" u32) (result u32)))
        (import "len" (func $len (param "s" string) (result u32)))
        (core module $libc (memory (export "mem") 1) (data (i32.const 16) "hello, 16 bytes!"))
        (core instance $libc (instantiate $libc))
        (core func $add' (canon lower (func $add)))
        (core func $len' (canon lower (func $len) (memory (core memory $libc "mem"))))
        (core module $m
            (import "" "add" (func $add (param i32 i32) (result i32)))
            (import "" "len" (func $len (param i32 i32) (result i32)))
            (func (export "scalars") (param $n i32) (result i32) (local $s i32)
                (loop $l
                    (local.set $s (call $add (local.get $s) (local.get $n)))
                    (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (local.get $s))
            (func (export "strings") (param $n i32) (result i32) (local $s i32)
                (loop $l
                    (local.set $s (i32.add (local.get $s)
                        (call $len (i32.const 16) (i32.const 16))))
                    (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (local.get $s)))
        (core instance $i (instantiate $m (with "" (instance
            (export "add" (func $add')) (export "len" (func $len'))))))
        (func (export "scalars") (param "n" u32) (result u32)
            (canon lift (core func $i "scalars")))
        (func (export "strings") (param "n" u32) (result u32)
            (canon lift (core func $i "strings"))))
    (instance $a (instantiate $A))
    (instance $b (instantiate $B (with "add" (func $a "add")) (with "len" (func $a "len"))))
    (export "scalars" (func $b "scalars"))
    (export "strings" (func $b "strings")))"#;

/// Makes so many calls.
type Run = Box<dyn FnMut(u32) -> Result<()>>;

fn module(engine: &Engine, text: &str) -> Result<Module> {
    Module::new(engine, wat::parse_str(text)?)
}

/// A loop of calls, straight into another instance or through one that passes on.
fn core(engine: &Engine, between: bool) -> Result<Run> {
    let mut store = Store::new(engine, ());
    let mut linker = Linker::<()>::new(engine);
    linker.allow_shadowing(true);
    let last = linker.instantiate(&mut store, &module(engine, ADD)?)?;
    linker.instance(&mut store, "a", last)?;
    if between {
        let middle = linker.instantiate(&mut store, &module(engine, PASS_ON)?)?;
        linker.instance(&mut store, "a", middle)?;
    }
    let first = linker.instantiate(&mut store, &module(engine, LOOP)?)?;
    let run: TypedFunc<i32, i32> = first.get_typed_func(&store, "run")?;
    Ok(Box::new(move |count| {
        run.call(&mut store, count as i32).map(drop)
    }))
}

/// A loop of calls through an adapter.
fn adapter(engine: &Engine, name: &str) -> Result<Run> {
    let component = Component::new(engine, wat::parse_str(COMPONENT)?)?;
    let mut store = Store::new(engine, ());
    let instance = component::Linker::<()>::new(engine).instantiate(&mut store, &component)?;
    let run = instance.get_typed_func::<(u32,), (u32,)>(&mut store, name)?;
    Ok(Box::new(move |count| {
        run.call(&mut store, (count,)).map(drop)
    }))
}

fn main() -> Result<()> {
    const ROUNDS: usize = 15;
    const CALLS: u32 = 200_000;
    let engine = Engine::default();
    let mut runs: Vec<(&str, Run)> = vec![
        ("direct", core(&engine, false)?),
        ("between", core(&engine, true)?),
        ("scalars", adapter(&engine, "scalars")?),
        ("strings", adapter(&engine, "strings")?),
    ];
    if let [name, count] = &std::env::args().skip(1).collect::<Vec<_>>()[..] {
        let found = runs.iter_mut().find(|(known, _)| known == name);
        let Some((_, run)) = found else {
            cellule::bail!("no such call: {name}");
        };
        return run(count.parse()?);
    }
    let mut times = vec![Vec::new(); runs.len()];
    for _ in 0..ROUNDS {
        for ((_, run), times) in runs.iter_mut().zip(&mut times) {
            let begun = Instant::now();
            run(CALLS)?;
            times.push(begun.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS));
        }
    }
    let medians: Vec<f64> = times
        .iter_mut()
        .map(|times| {
            times.sort_by(f64::total_cmp);
            times[ROUNDS / 2]
        })
        .collect();
    for ((name, _), median) in runs.iter().zip(&medians) {
        println!(
            "{name:8} {median:7.1} ns a call, {:.2} of direct",
            median / medians[0]
        );
    }
    Ok(())
}
