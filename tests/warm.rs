//! Warm calls from one guest into another, which allocate nothing on the host.

use cellule::component::{Component, Linker, TypedFunc};
use cellule::{Engine, Store};
use cellule_tests::heap::{Counting, allocations};

#[global_allocator]
static HEAP: Counting = Counting;

/// Two components: `run(n)` calls a function of the other one `n` times from core code, which copies
/// what it is given and returns it. The sum of the lengths that came back is the result.
fn echo(ty: &str, caller: &str, callee: &str, value: &str) -> String {
    let memory = r#"(memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))"#;
    let options = |name: &str| {
        format!(
            r#"(memory (core memory ${name} "memory")) (realloc (core func ${name} "realloc"))"#
        )
    };
    format!(
        r#"(component
        (component $callee
            (core module $m {memory}
                (global $cleaned (mut i32) (i32.const 0))
                (func (export "echo") (param i32 i32) (result i32)
                    (i32.store (i32.const 16) (local.get 0))
                    (i32.store (i32.const 20) (local.get 1))
                    (i32.const 16))
                (func (export "clean") (param i32)
                    (global.set $cleaned (i32.add (global.get $cleaned) (i32.const 1))))
                (func (export "cleaned") (result i32) (global.get $cleaned)))
            (core instance $i (instantiate $m))
            (func (export "cleaned") (result u32) (canon lift (core func $i "cleaned")))
            (func (export "echo") (param "x" {ty}) (result {ty})
                (canon lift (core func $i "echo") {callee} {callee_options}
                    (post-return (core func $i "clean")))))
        (instance $callee (instantiate $callee))
        (core module $libc {memory})
        (core instance $libc (instantiate $libc))
        (core func $echo (canon lower (func $callee "echo") {caller} {caller_options}))
        (core module $m
            (import "" "echo" (func $echo (param i32 i32 i32)))
            (import "" "memory" (memory 1))
            (data (i32.const 64) {value})
            (func (export "run") (param $n i32) (param $len i32) (result i32)
                (local $sum i32)
                (block $out (loop $again
                    (br_if $out (i32.eqz (local.get $n)))
                    (call $echo (i32.const 64) (local.get $len) (i32.const 16))
                    (local.set $sum (i32.add (local.get $sum) (i32.load (i32.const 20))))
                    (local.set $n (i32.sub (local.get $n) (i32.const 1)))
                    (br $again)))
                (local.get $sum)))
        (core instance $i (instantiate $m (with "" (instance
            (export "echo" (func $echo))
            (export "memory" (memory $libc "memory"))))))
        (func (export "run") (param "n" u32) (param "len" u32) (result u32)
            (canon lift (core func $i "run")))
        (export "cleaned" (func $callee "cleaned")))"#,
        callee_options = options("i"),
        caller_options = options("libc"),
    )
}

/// Calls it until it is warm, then counts the allocations of further calls.
fn warm(text: &str, len: u32) {
    let engine = Engine::default();
    let wasm = wat::parse_str(text).expect("well-formed text");
    let component = Component::new(&engine, wasm).expect("a valid component");
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine)
        .instantiate(&mut store, &component)
        .expect("no imports");
    let run: TypedFunc<(u32, u32), (u32,)> = instance.get_typed_func(&mut store, "run").unwrap();
    let cleaned: TypedFunc<(), (u32,)> = instance.get_typed_func(&mut store, "cleaned").unwrap();
    let (cold, some) = allocations(|| run.call(&mut store, (1, len)).unwrap().0);
    assert_eq!(cold, len);
    assert!(some > 0, "the counter counts");
    run.call(&mut store, (1, len)).unwrap();
    let (sum, many) = allocations(|| run.call(&mut store, (1000, len)).unwrap().0);
    assert_eq!((sum, many), (1000 * len, 0));
    assert_eq!(cleaned.call(&mut store, ()).unwrap(), (1002,));
}

#[test]
fn a_warm_call_with_a_string_allocates_nothing_on_the_host() {
    let words = r#""thirty-two bytes of plain ASCII.""#;
    warm(&echo("string", "", "", words), 32);
}

#[test]
fn a_warm_call_that_transcodes_a_string_allocates_nothing_on_the_host() {
    let utf16 = "string-encoding=utf16";
    let compact = "string-encoding=latin1+utf16";
    let words = r#""thirty-two bytes of plain ASCII.""#;
    warm(&echo("string", "", utf16, words), 32);
    warm(&echo("string", "", compact, words), 32);
    // Sixteen units of UTF-16, which become as many bytes and come back.
    warm(&echo("string", utf16, "", r#""a\00b\00c\00d\00""#), 4);
    warm(&echo("string", utf16, compact, r#""a\00b\00c\00d\00""#), 4);
}

#[test]
fn a_warm_call_with_a_list_allocates_nothing_on_the_host() {
    warm(&echo("(list u8)", "", "", r#""12345678""#), 8);
    // Eight strings that are empty, and eight options that are there.
    warm(&echo("(list string)", "", "", r#""""#), 8);
    warm(&echo("(list (option u32))", "", "", r#""\01""#), 8);
}

/// Loads a function of a type whose parts double with each level, behind lists; how many allocations that takes.
fn loading(levels: usize) -> u64 {
    let types: String = (0..levels)
        .map(|level| {
            let next = level + 1;
            format!("(type $t{next} (tuple (list $t{level}) (list $t{level})))")
        })
        .collect();
    let text =
        format!(r#"(component (type $t0 u8) {types} (import "f" (func (param "x" $t{levels}))))"#);
    let wasm = wat::parse_str(text).expect("well-formed text");
    let (component, many) = allocations(|| Component::new(&Engine::default(), wasm));
    component.expect("a valid component");
    many
}

#[test]
fn types_that_double_cost_as_many_allocations_as_they_have_levels() {
    // Unfolded, the last one has 2¹² times as many parts as the first one.
    let (few, many) = (loading(5), loading(17));
    assert!(few > 0 && many < 4 * few, "{few} {many}");
}
