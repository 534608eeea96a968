//! Values, types and calls as deep as they may be, and far deeper, on a small native stack.

use super::limits::{SMALL_STACK, on_small_stack, on_stack};
use super::{call, is_trap};
use cellule::component::{Component, Instance, Linker, Val};
use cellule::{Config, Engine, ErrorKind, Limits, Result, Store, StoreContextMut, Trap};

fn engine(limits: Limits) -> Engine {
    let mut config = Config::new();
    config.wasm_component_model_map(true);
    config.wasm_component_model_fixed_length_lists(true);
    config.limits(limits);
    Engine::new(&config).unwrap()
}

/// A way to make a type of another one, and a value of that of one of the other.
#[derive(Clone, Copy)]
struct Link {
    /// With `{}` for the other type.
    text: &'static str,
    value: fn(Val) -> Val,
    /// Whether it has to be imported to have a name.
    nominal: bool,
}

const LINKS: [Link; 8] = [
    Link {
        text: "(list {})",
        value: |inner| Val::List([inner].into_iter().collect()),
        nominal: false,
    },
    Link {
        text: "(list {} 1)",
        value: |inner| Val::FixedLengthList([inner].into_iter().collect()),
        nominal: false,
    },
    Link {
        text: "(option {})",
        value: |inner| Val::Option(Some(Box::new(inner))),
        nominal: false,
    },
    Link {
        text: "(tuple {})",
        value: |inner| Val::Tuple(vec![inner]),
        nominal: false,
    },
    Link {
        text: "(result (error {}))",
        value: |inner| Val::Result(Err(Some(Box::new(inner)))),
        nominal: false,
    },
    Link {
        text: "(map u8 {})",
        value: |inner| Val::Map(vec![(Val::U8(7), inner)]),
        nominal: false,
    },
    Link {
        text: r#"(record (field "f" {}))"#,
        value: |inner| Val::Record(vec![("f".to_string(), inner)]),
        nominal: true,
    },
    Link {
        text: r#"(variant (case "a") (case "b" {}))"#,
        value: |inner| Val::Variant("b".to_string(), Some(Box::new(inner))),
        nominal: true,
    },
];

/// A component that passes a list of deep values through another one to the host, and back again.
fn echo(link: Link, levels: usize) -> Vec<u8> {
    let mut types = "(type $t0 u8)".to_string();
    let mut with = String::new();
    for level in 0..levels {
        let next = level + 1;
        let text = link.text.replace("{}", &format!("$t{level}"));
        if link.nominal {
            types += &format!(
                r#"(type $d{next} {text}) (import "t{next}" (type $t{next} (eq $d{next})))"#
            );
            with += &format!(r#"(with "t{next}" (type $t{next}))"#);
        } else {
            types += &format!("(type $t{next} {text})");
        }
    }
    let sort = format!(r#"(param "x" (list $t{levels})) (result (list $t{levels}))"#);
    let options = r#"(memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))"#;
    let guest = format!(
        r#"(import "f" (func $f {sort}))
        (core module $libc (memory (export "memory") 2)
            (global $next (mut i32) (i32.const 1024))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                (global.get $next)
                (global.set $next (i32.and (i32.const -8)
                    (i32.add (global.get $next) (i32.add (local.get 3) (i32.const 7)))))))
        (core instance $libc (instantiate $libc))
        (core func $f (canon lower (func $f) {options}))
        (core module $m (import "" "f" (func $f (param i32 i32 i32)))
            (func (export "f") (param i32 i32) (result i32)
                (call $f (local.get 0) (local.get 1) (i32.const 16)) (i32.const 16)))
        (core instance $m (instantiate $m (with "" (instance (export "f" (func $f))))))
        (func (export "f") {sort} (canon lift (core func $m "f") {options}))"#
    );
    let text = format!(
        r#"(component {types} (import "h" (func $h {sort}))
        (component $one {types} {guest})
        (component $two {types} {guest})
        (instance $one (instantiate $one {with} (with "f" (func $h))))
        (instance $two (instantiate $two {with} (with "f" (func $one "f"))))
        (export "f" (func $two "f")))"#
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The most levels that load.
fn deepest(link: Link) -> usize {
    let engine = engine(Limits::server());
    let loads = |levels: &usize| Component::new(&engine, echo(link, *levels)).is_ok();
    // One more has to be refused, else it isn't the deepest.
    let deepest = (1..200).take_while(loads).last().expect("some levels load");
    assert!(deepest < 199, "{}", link.text);
    deepest
}

fn nested(link: Link, levels: usize) -> Val {
    (0..levels).fold(Val::U8(9), |inner, _| (link.value)(inner))
}

#[test]
fn values_as_deep_as_types_may_be_cross_on_a_small_native_stack() {
    for link in LINKS {
        let levels = deepest(link);
        assert!(levels > 40, "{}: {levels}", link.text);
        let wasm = echo(link, levels);
        on_small_stack(move || {
            let engine = engine(Limits::server());
            let component = Component::new(&engine, wasm).unwrap();
            let mut linker = Linker::<()>::new(&engine);
            let host = |_: StoreContextMut<'_, ()>, _, params: &[Val], results: &mut [Val]| {
                results[0] = params[0].clone();
                Ok(())
            };
            linker.root().func_new("h", host).unwrap();
            if link.nominal {
                linker.define_unknown_imports_as_traps(&component).unwrap();
            }
            let mut store = Store::new(&engine, ());
            let instance = linker.instantiate(&mut store, &component).unwrap();
            for _ in 0..3 {
                let value = Val::List([nested(link, levels)].into_iter().collect());
                let params = [value];
                let back = call(&mut store, &instance, "f", &params).unwrap();
                assert!(back.as_ref() == Some(&params[0]), "{}", link.text);
            }
        });
    }
}

/// Takes a value apart without recursion.
fn dismantle(mut value: Val) -> usize {
    let mut levels = 0;
    loop {
        value = match value {
            Val::Option(Some(inner)) => *inner,
            Val::Tuple(mut inner) => inner.pop().expect("one"),
            Val::U8(9) => return levels,
            _ => panic!("none of these"),
        };
        levels += 1;
    }
}

#[test]
fn values_deeper_than_types_may_be_are_refused_on_a_small_native_stack() {
    for link in [LINKS[2], LINKS[3]] {
        let wasm = echo(link, 20);
        on_small_stack(move || {
            let engine = engine(Limits::server());
            let component = Component::new(&engine, wasm).unwrap();
            let mut linker = Linker::<()>::new(&engine);
            linker.define_unknown_imports_as_traps(&component).unwrap();
            let mut store = Store::new(&engine, ());
            let instance = linker.instantiate(&mut store, &component).unwrap();
            for levels in [21, 1_000, 100_000] {
                // A value of the host's own making: guests give none that is deeper than its type.
                let params = [Val::List([nested(link, levels)].into_iter().collect())];
                let error = call(&mut store, &instance, "f", &params).unwrap_err();
                let kinds = [ErrorKind::Type, ErrorKind::Limit];
                assert!(kinds.contains(&error.kind()), "{error:#}");
                let [Val::List(cellule::component::List::Vals(mut list))] = params else {
                    panic!("the list that was made above")
                };
                assert_eq!(dismantle(list.pop().expect("one")), levels);
            }
        });
    }
}

/// Instance or component types in each other: their bytes.
fn nested_types(opcode: u8, levels: usize) -> Vec<u8> {
    let mut body = Vec::new();
    for _ in 0..levels {
        // One declaration, of a type.
        body.extend([opcode, 1, 1]);
    }
    body.extend([opcode, 0]);
    let mut section = vec![1];
    section.extend(&body);
    let mut wasm = b"\0asm\x0d\0\x01\0\x07".to_vec();
    wasm.extend(super::limits::leb(section.len()));
    wasm.extend(section);
    wasm
}

/// The native stack on which wasmparser reads and validates such types to the end: it recurses, a hundred
/// levels deep at most, with two kilobytes for each.
const PARSER_STACK: usize = 512 << 10;

#[test]
fn types_of_instances_and_components_nested_in_each_other_are_read_only_so_deep() {
    for opcode in [0x41, 0x42] {
        for (levels, fits) in [
            (1, true),
            (10, true),
            (90, true),
            (1_000, false),
            (100_000, false),
        ] {
            let wasm = nested_types(opcode, levels);
            let load = move || {
                let engine = engine(Limits::server());
                Component::new(&engine, wasm).map(drop)
            };
            let loaded = match levels {
                0..=10 => on_small_stack(load),
                _ => on_stack(PARSER_STACK, load),
            };
            match loaded {
                Ok(()) => assert!(fits, "{opcode:#x} {levels}"),
                Err(error) => {
                    assert!(!fits, "{opcode:#x} {levels}: {error:#}");
                    let kinds = [ErrorKind::Invalid, ErrorKind::Malformed, ErrorKind::Limit];
                    assert!(kinds.contains(&error.kind()), "{error:#}");
                }
            }
        }
    }
}

/// A component calls another one, which calls the first one again, and so on as deep as `n` says. `down` is called
/// with `n` and what `more` says, and returns twice the depth.
fn cycle(ty: &str, core: &str, get: &str) -> Vec<u8> {
    let sort = format!(r#"(param "n" u32) {ty} (result u32)"#);
    let memory = r#"(memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))"#;
    let options = r#"(memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))"#;
    let text = format!(
        r#"(component
        (core module $libc {memory} (table (export "t") 1 1 funcref)
            (type $f (func (param i32 {core}) (result i32)))
            (func (export "back") (type $f)
                (call_indirect (type $f) (local.get 0) {get} (i32.const 0))))
        (core instance $libc (instantiate $libc))
        (func $back {sort} (canon lift (core func $libc "back") {options}))
        (component $other (import "back" (func $back {sort}))
            (core module $libc {memory})
            (core instance $libc (instantiate $libc))
            (core func $back (canon lower (func $back) {options}))
            (core module $m (import "" "back" (func $back (param i32 {core}) (result i32)))
                (func (export "f") (param i32 {core}) (result i32)
                    (i32.add (call $back (local.get 0) {get}) (i32.const 1))))
            (core instance $m (instantiate $m (with "" (instance (export "back" (func $back))))))
            (func (export "f") {sort} (canon lift (core func $m "f") {options})))
        (instance $other (instantiate $other (with "back" (func $back))))
        (core func $f (canon lower (func $other "f") {options}))
        (core module $m (import "" "f" (func $f (param i32 {core}) (result i32)))
            (import "" "t" (table 1 funcref))
            (func $down (export "down") (param i32 {core}) (result i32)
                (if (result i32) (local.get 0)
                    (then (i32.add (i32.const 1)
                        (call $f (i32.sub (local.get 0) (i32.const 1)) {get})))
                    (else (i32.const 0))))
            (elem (i32.const 0) func $down))
        (core instance $m (instantiate $m (with "" (instance
            (export "f" (func $f)) (export "t" (table $libc "t"))))))
        (func (export "down") {sort} (canon lift (core func $m "down") {options})))"#
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn down(store: &mut Store<()>, instance: &Instance, n: u32, text: bool) -> Result<Option<Val>> {
    let params = [Val::U32(n), Val::String("some text".to_string())];
    call(store, instance, "down", &params[..1 + usize::from(text)])
}

#[test]
fn guests_call_each_other_in_turn_a_hundred_thousand_deep_on_a_small_native_stack() {
    for text in [false, true] {
        let wasm = match text {
            false => cycle("", "", ""),
            true => cycle(
                r#"(param "s" string)"#,
                "i32 i32",
                "(local.get 1) (local.get 2)",
            ),
        };
        on_small_stack(move || {
            let roomy = Limits {
                stack_bytes: 512 << 20,
                ..Limits::server()
            };
            for (limits, deep) in [(roomy, 100_000), (Limits::server(), 1_000)] {
                let engine = engine(limits);
                let component = Component::new(&engine, &wasm).unwrap();
                let pre = Linker::<()>::new(&engine)
                    .instantiate_pre(&component)
                    .unwrap();
                let mut store = Store::new(&engine, ());
                let one = pre.instantiate(&mut store).unwrap();
                let two = pre.instantiate(&mut store).unwrap();
                for n in [0, 1, 2, deep] {
                    let depth = down(&mut store, &one, n, text).unwrap();
                    assert_eq!(depth, Some(Val::U32(2 * n)), "{text} {n}");
                }
                // Without an end it is the guests' stack that is exhausted, not the native one.
                let error = down(&mut store, &one, u32::MAX, text).unwrap_err();
                assert_eq!(error.trap(), Some(Trap::StackOverflow), "{error}");
                is_trap(
                    &down(&mut store, &one, 1, text).unwrap_err(),
                    "cannot enter",
                );
                let depth = down(&mut store, &two, deep, text).unwrap();
                assert_eq!(depth, Some(Val::U32(2 * deep)), "{text}");
                let held = store.held();
                assert_eq!((held.scopes, held.loans, held.handles), (0, 0, 0));
            }
        });
    }
    assert_eq!(SMALL_STACK, 64 << 10);
}
