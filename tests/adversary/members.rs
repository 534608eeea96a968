//! Each type constructor with as many members as core values hold, one fewer and one more; and how many members
//! there may be where no core values limit them.

use super::{ROOM, call, options};
use cellule::component::{Component, Instance, Linker, Val};
use cellule::{Config, Engine, ErrorKind, Result, Store};

/// Core values that parameters take at most before they are passed in memory.
const FLAT: usize = 16;

fn engine() -> Engine {
    let mut config = Config::new();
    config.wasm_component_model_map(true);
    config.wasm_component_model_fixed_length_lists(true);
    Engine::new(&config).unwrap()
}

fn load(text: &str) -> Result<Component> {
    let wasm = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"));
    Component::new(&engine(), wasm)
}

/// A kind of type of `n` words, of which the first one may be a discriminant.
#[derive(Clone, Copy)]
struct Kind {
    text: fn(usize) -> String,
    value: fn(Vec<Val>) -> Val,
    discriminant: Option<u32>,
}

fn numbers(n: usize) -> String {
    "u32 ".repeat(n)
}

fn tuple(values: Vec<Val>) -> Option<Box<Val>> {
    Some(Box::new(Val::Tuple(values)))
}

const KINDS: [Kind; 4] = [
    Kind {
        text: |n| format!("(list u32 {n})"),
        value: |values| Val::FixedLengthList(values.into()),
        discriminant: None,
    },
    Kind {
        text: |n| format!("(tuple {})", numbers(n)),
        value: Val::Tuple,
        discriminant: None,
    },
    Kind {
        text: |n| format!("(option (tuple {}))", numbers(n - 1)),
        value: |values| Val::Option(tuple(values)),
        discriminant: Some(1),
    },
    Kind {
        text: |n| format!("(result (tuple {}))", numbers(n - 1)),
        value: |values| Val::Result(Ok(tuple(values))),
        discriminant: Some(0),
    },
];

/// Two components: the inner one adds up the words of its parameter times 1, 2, 3 …, the outer one passes it on;
/// `back` returns the same value, from where it was passed.
fn component(kind: Kind, n: usize) -> String {
    let ty = (kind.text)(n);
    let flat = n <= FLAT;
    let core = if flat { "i32 ".repeat(n) } else { "i32".into() };
    let add: String = (0..n)
        .map(|at| {
            let load = match (at, kind.discriminant) {
                (0, Some(_)) => "i32.load8_u",
                _ => "i32.load",
            };
            let get = match flat {
                true => format!("(local.get {at})"),
                false => format!("({load} offset={} (local.get 0))", at * 4),
            };
            format!("(i32.mul {get} (i32.const {})) i32.add ", at + 1)
        })
        .collect();
    format!(
        r#"(component
        (component $inner
            (core module $m {ROOM}
                (func (export "sum") (param {core}) (result i32) i32.const 0 {add})
                (func (export "back") (param i32 i32) (result i32) (local.get 0)))
            (core instance $m (instantiate $m))
            (func (export "sum") (param "x" {ty}) (result u32)
                (canon lift (core func $m "sum") {options}))
            (func (export "back") (param "x" (list {ty})) (result {ty})
                (canon lift (core func $m "back") {options})))
        (instance $inner (instantiate $inner))
        (core module $libc {ROOM})
        (core instance $libc (instantiate $libc))
        (core func $sum (canon lower (func $inner "sum") {libc}))
        (func (export "sum") (param "x" {ty}) (result u32) (canon lift (core func $sum) {libc}))
        (export "inner-sum" (func $inner "sum"))
        (export "back" (func $inner "back")))"#,
        options = options("m"),
        libc = options("libc"),
    )
}

fn start(text: &str) -> (Store<()>, Instance) {
    let component = load(text).unwrap_or_else(|error| panic!("{error:#}"));
    let mut store = Store::new(component.engine(), ());
    let linker = Linker::new(component.engine());
    let instance = linker.instantiate(&mut store, &component).unwrap();
    (store, instance)
}

#[test]
fn members_cross_as_core_values_up_to_sixteen_and_in_memory_from_seventeen_on() {
    for kind in KINDS {
        for n in [2, 3, FLAT - 1, FLAT, FLAT + 1, FLAT + 2, 255, 1_000] {
            let what = (kind.text)(n).chars().take(40).collect::<String>();
            let (mut store, instance) = start(&component(kind, n));
            let members = n - usize::from(kind.discriminant.is_some());
            let words: Vec<u32> = (0..members as u32).map(|at| at * 3 + 5).collect();
            let value = (kind.value)(words.iter().copied().map(Val::U32).collect());
            let all = kind.discriminant.into_iter().chain(words);
            let sum: u32 = (1..).zip(all).map(|(at, word)| at * word).sum();
            for name in ["sum", "inner-sum", "sum"] {
                let params = std::slice::from_ref(&value);
                let result = call(&mut store, &instance, name, params).unwrap();
                assert_eq!(result, Some(Val::U32(sum)), "{what} {name} {n}");
            }
            let list = [Val::List(vec![value.clone(), value.clone()].into())];
            if n > 1 {
                let back = call(&mut store, &instance, "back", &list).unwrap();
                assert!(back == Some(value), "{what} {n}");
            }
        }
    }
}

#[test]
fn a_list_of_fixed_length_is_as_large_as_a_types_values_may_be_and_not_larger() {
    let text = |element: &str, n: usize| {
        format!(r#"(component (import "f" (func (param "x" (list {element} {n})))))"#)
    };
    for (element, size) in [("u8", 1), ("u32", 4), ("(tuple u64 u8)", 16)] {
        let most = (1 << 28) / size;
        let fits = |n| load(&text(element, n)).is_ok();
        assert!(fits(1) && fits(most - 1), "{element}");
        for n in [most + 1, most * 2, 1 << 30, u32::MAX as usize] {
            let error = load(&text(element, n)).map(drop).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{element} {n}: {error:#}");
            assert!(error.offset().is_some(), "{element} {n}: {error:#}");
        }
        // None at all isn't a type.
        assert!(load(&text(element, 0)).is_err(), "{element}");
    }
}

/// How many entries a map has is counted as those of lists are.
const MAP: &str = r#"(component
    (core module $m (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
        (func (export "same") (param i32 i32) (result i32)
            (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1))
            (i32.const 16)))
    (core instance $m (instantiate $m))
    (func (export "same") (param "x" (map u16 u32)) (result (map u16 u32))
        (canon lift (core func $m "same") (memory (core memory $m "memory"))
            (realloc (core func $m "realloc")))))"#;

#[test]
fn a_map_has_as_many_entries_as_the_guest_has_room_for_and_not_one_more() {
    let most = (65536 - 1024) / 8;
    for n in [0, 1, 2, most - 1, most, most + 1] {
        let (mut store, instance) = start(MAP);
        let entries = (0..n as u32).map(|at| (Val::U16(at as u16), Val::U32(at * 7)));
        let map = [Val::Map(entries.collect())];
        let back = call(&mut store, &instance, "same", &map);
        if n > most {
            super::is_trap(&back.unwrap_err(), "realloc return: beyond end of memory");
            super::is_locked(&mut store, &instance, "same", &[Val::Map(Vec::new())]);
        } else {
            let [map] = map;
            assert!(back.unwrap() == Some(map), "{n}");
        }
    }
}

#[test]
fn a_function_has_one_result_at_most() {
    // A type section with one function type without parameters, and so many results.
    let component = |results: &[u8]| {
        let mut section = vec![1, 0x40, 0];
        section.extend(results);
        let mut wasm = b"\0asm\x0d\0\x01\0\x07".to_vec();
        wasm.push(section.len() as u8);
        wasm.extend(section);
        Component::new(&engine(), wasm)
    };
    let (none, one) = (&[1, 0][..], &[0, 0x79][..]);
    assert!(component(none).is_ok());
    assert!(component(one).is_ok());
    // As there once were: named ones.
    for several in [
        &[1, 1, 1, b'a', 0x79][..],
        &[1, 2, 1, b'a', 0x79, 1, b'b', 0x79],
    ] {
        let error = component(several).map(drop).unwrap_err();
        let kinds = [ErrorKind::Malformed, ErrorKind::Invalid];
        assert!(kinds.contains(&error.kind()), "{error:#}");
        assert!(error.offset().is_some(), "{error:#}");
    }
}
