//! Types at each limit and one beyond it, types that double, and nesting without end on a small native stack.

use super::{ROOM, call, options, pair};
use cellule::component::{Component, Val};
use cellule::{Config, Engine, ErrorKind, Limits, Result};
use std::thread;

/// A native stack on which nothing that recurses with a guest's depth could run.
pub const SMALL_STACK: usize = 64 << 10;

/// Most members of a type that wasmparser allows, and the most parameters of a function.
const MEMBERS: usize = 10_000;
const PARAMS: usize = 1_000;

/// Two components: the inner one adds up what its parameters are times 1, 2, 3 …, the outer one passes them on.
fn sum(n: usize) -> String {
    let flat = n <= 16;
    let core = if flat {
        "i32 ".repeat(n)
    } else {
        "i32".to_string()
    };
    let add: String = (0..n)
        .map(|i| {
            let get = if flat {
                format!("(local.get {i})")
            } else {
                format!("(i32.load offset={} (local.get 0))", i * 4)
            };
            format!("(i32.mul {get} (i32.const {})) i32.add ", i + 1)
        })
        .collect();
    let params: String = (0..n).map(|i| format!(r#"(param "p{i}" u32)"#)).collect();
    format!(
        r#"(component
        (component $inner
            (core module $m {ROOM}
                (func (export "sum") (param {core}) (result i32) i32.const 0 {add}))
            (core instance $m (instantiate $m))
            (func (export "sum") {params} (result u32) (canon lift (core func $m "sum") {})))
        (instance $inner (instantiate $inner))
        (core module $libc {ROOM})
        (core instance $libc (instantiate $libc))
        (core func $sum (canon lower (func $inner "sum") {libc}))
        (func (export "sum") {params} (result u32) (canon lift (core func $sum) {libc})))"#,
        options("m"),
        libc = options("libc"),
    )
}

fn load(text: &str) -> Result<Component> {
    let wasm = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"));
    Component::new(&Engine::default(), wasm)
}

fn is_refused(text: &str, words: &str) {
    let error = load(text).map(drop).expect_err("more than the limit");
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error:#}");
    assert!(format!("{error:#}").contains(words), "{error:#}");
    assert!(error.offset().is_some(), "{error:#}");
}

#[test]
fn parameters_are_passed_by_address_from_seventeen_on_up_to_a_thousand() {
    for n in [0, 1, 2, 15, 16, 17, 18, PARAMS - 1, PARAMS] {
        let (mut store, one, two) = pair(&sum(n));
        let params: Vec<_> = (0..n as u32).map(|i| Val::U32(i + 3)).collect();
        let expected = (0..n as u32).map(|i| (i + 3) * (i + 1)).sum();
        for instance in [one, two, one] {
            let result = call(&mut store, &instance, "sum", &params).unwrap();
            assert_eq!(result, Some(Val::U32(expected)), "{n}");
        }
    }
    is_refused(&sum(PARAMS + 1), "param");
}

/// A function that returns the numbers from 7 on as a tuple.
fn tuple(n: usize) -> String {
    let stores: String = (0..n)
        .map(|i| format!("(i32.store (i32.const {}) (i32.const {})) ", i * 4, i + 7))
        .collect();
    let result = if n == 1 { 7 } else { 0 };
    let pages = n * 4 / 65536 + 1;
    format!(
        r#"(component
        (core module $m (memory (export "memory") {pages})
            (func (export "get") (result i32) {stores} (i32.const {result})))
        (core instance $m (instantiate $m))
        (func (export "get") (result (tuple {}))
            (canon lift (core func $m "get") (memory (core memory $m "memory")))))"#,
        "u32 ".repeat(n)
    )
}

#[test]
fn tuples_up_to_the_limit_are_returned_by_value_or_address() {
    for n in [1, 2, 3, 16, 17, MEMBERS - 1, MEMBERS] {
        let (mut store, one, _) = pair(&tuple(n));
        let result = call(&mut store, &one, "get", &[]).unwrap();
        let expected = Val::Tuple((0..n as u32).map(|i| Val::U32(i + 7)).collect());
        assert!(result == Some(expected), "{n}");
    }
    is_refused(&tuple(MEMBERS + 1), "tuple");
}

/// A component that defines a type of `n` members and a function that takes it.
fn members(kind: &str, n: usize) -> String {
    let all: String = (0..n)
        .map(|i| match kind {
            "record" => format!(r#"(field "m{i}" u8) "#),
            "variant" => format!(r#"(case "m{i}" u8) "#),
            _ => format!(r#""m{i}" "#),
        })
        .collect();
    format!(
        r#"(component (type $t' ({kind} {all})) (export $t "t" (type $t'))
        (core module $m (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
            (func (export "len") (param i32 i32) (result i32) (local.get 1)))
        (core instance $m (instantiate $m))
        (func (export "len") (param "x" (list $t)) (result u32) (canon lift (core func $m "len")
            (memory (core memory $m "memory")) (realloc (core func $m "realloc")))))"#
    )
}

fn last(kind: &str, n: usize) -> Val {
    let name = format!("m{}", n - 1);
    match kind {
        "record" => Val::Record(
            (0..n)
                .map(|i| (format!("m{i}"), Val::U8(i as u8)))
                .collect(),
        ),
        "variant" => Val::Variant(name, Some(Box::new(Val::U8(1)))),
        "enum" => Val::Enum(name),
        _ => Val::Flags(vec![name]),
    }
}

#[test]
fn each_type_constructor_takes_as_many_members_as_its_limit_and_not_one_more() {
    for (kind, limit) in [
        ("record", MEMBERS),
        ("variant", MEMBERS),
        ("enum", MEMBERS),
        ("flags", 32),
    ] {
        for n in [1, 2, 8, 9, 16, 17, 31, 32, 255, 256, 257, limit - 1, limit] {
            if n > limit {
                continue;
            }
            let (mut store, one, two) = pair(&members(kind, n));
            let value = Val::List([last(kind, n), last(kind, n)].into_iter().collect());
            for instance in [one, two] {
                let len = call(&mut store, &instance, "len", std::slice::from_ref(&value)).unwrap();
                assert_eq!(len, Some(Val::U32(2)), "{kind} {n}");
            }
        }
        is_refused(&members(kind, limit + 1), "");
        is_refused(&members(kind, 65_537), "");
        is_refused(&members(kind, 0), "");
    }
}

/// Runs something on a thread with a small native stack.
pub fn on_small_stack<R: Send + 'static>(run: impl FnOnce() -> R + Send + 'static) -> R {
    on_stack(SMALL_STACK, run)
}

/// Runs something on a thread with a native stack of that many bytes.
pub fn on_stack<R: Send + 'static>(bytes: usize, run: impl FnOnce() -> R + Send + 'static) -> R {
    let thread = thread::Builder::new().stack_size(bytes).spawn(run);
    thread.unwrap().join().expect("the thread ends well")
}

/// Loads on a small native stack; whether that works, else the error is about size or depth.
fn loads_small(wasm: Vec<u8>, limits: Limits) -> bool {
    on_small_stack(move || {
        let engine = Engine::new(Config::new().limits(limits)).unwrap();
        match Component::new(&engine, wasm) {
            Ok(_) => true,
            Err(error) => {
                let kinds = [ErrorKind::Invalid, ErrorKind::Limit, ErrorKind::Malformed];
                assert!(kinds.contains(&error.kind()), "{error:#}");
                let text = format!("{error:#}");
                let about = ["depth", "deep", "size", "limit", "nest"];
                assert!(about.iter().any(|word| text.contains(word)), "{text}");
                false
            }
        }
    })
}

/// A chain of types, each made of the one before, as `{}` says.
fn chain(levels: usize, link: &str) -> Vec<u8> {
    let types: String = (0..levels)
        .map(|level| {
            let link = link.replace("{}", &format!("$t{level}"));
            format!("(type $t{} {link})", level + 1)
        })
        .collect();
    let text =
        format!(r#"(component (type $t0 u8) {types} (import "f" (func (param "x" $t{levels}))))"#);
    wat::parse_str(text).expect("well-formed text")
}

#[test]
fn types_that_double_in_size_are_refused_without_unfolding_them() {
    let doubling = [
        "(tuple {} {})",
        "(result {} (error {}))",
        "(tuple (list {}) (list {}))",
        "(result (list {}) (error (list {})))",
    ];
    for link in doubling {
        assert!(loads_small(chain(8, link), Limits::server()), "{link}");
        // Unfolded these have 2⁴⁰ and 2⁴⁰⁰ parts.
        for levels in [40, 400] {
            let loads = loads_small(chain(levels, link), Limits::server());
            assert!(!loads, "{link} {levels}");
        }
    }
}

/// Two components, of which one calls the other with a value of a type whose parts double with each level,
/// behind lists: what is passed stays as small as it is.
fn doubling_lists(levels: usize) -> String {
    let types: String = (0..levels)
        .map(|level| {
            let next = level + 1;
            format!("(type $t{next} (tuple (list $t{level}) (list $t{level})))")
        })
        .collect();
    let memory = r#"(memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))"#;
    format!(
        r#"(component
        (component $inner (type $t0 u8) {types}
            (core module $m {memory} (func (export "len") (param i32 i32 i32 i32) (result i32)
                (i32.add (local.get 1) (local.get 3))))
            (core instance $m (instantiate $m))
            (func (export "len") (param "x" $t{levels}) (result u32)
                (canon lift (core func $m "len") {})))
        (type $t0 u8) {types}
        (instance $inner (instantiate $inner))
        (core module $libc {memory})
        (core instance $libc (instantiate $libc))
        (core func $len (canon lower (func $inner "len") {libc}))
        (func (export "len") (param "x" $t{levels}) (result u32)
            (canon lift (core func $len) {libc})))"#,
        options("m"),
        libc = options("libc"),
    )
}

#[test]
fn types_that_double_behind_lists_pass_an_adapter_as_long_as_their_size_fits() {
    for levels in [1, 10, 17] {
        let (mut store, one, two) = pair(&doubling_lists(levels));
        let empty = || Val::List(Vec::<Val>::new().into());
        let value = Val::Tuple(vec![empty(), empty()]);
        for instance in [one, two] {
            let len = call(&mut store, &instance, "len", std::slice::from_ref(&value)).unwrap();
            assert_eq!(len, Some(Val::U32(0)));
        }
    }
    is_refused(&doubling_lists(40), "type size exceeds the limit");
}

#[test]
fn types_nested_a_hundred_thousand_deep_need_no_native_stack() {
    for link in ["(list {})", "(option {})", "(tuple {})", "(result {})"] {
        assert!(loads_small(chain(20, link), Limits::server()), "{link}");
        assert!(
            !loads_small(chain(100_000, link), Limits::server()),
            "{link}"
        );
    }
}

/// The bytes of a number as binaries have it.
pub fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}

/// A component in a component, so many times; nothing else is in them.
fn components(depth: usize) -> Vec<u8> {
    const PREAMBLE: &[u8] = b"\0asm\x0d\0\x01\0";
    let mut sizes = vec![PREAMBLE.len()];
    for level in 0..depth {
        let inner = sizes[level];
        sizes.push(PREAMBLE.len() + 1 + leb(inner).len() + inner);
    }
    let mut wasm = PREAMBLE.to_vec();
    for inner in sizes[..depth].iter().rev() {
        wasm.push(4);
        wasm.extend(leb(*inner));
        wasm.extend(PREAMBLE);
    }
    wasm
}

#[test]
fn components_nested_a_hundred_thousand_deep_need_no_native_stack() {
    for depth in [0, 1, 50] {
        assert!(loads_small(components(depth), Limits::server()));
    }
    for depth in [1_000, 100_000] {
        assert!(!loads_small(components(depth), Limits::server()), "{depth}");
    }
}
