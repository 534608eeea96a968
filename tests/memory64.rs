//! Components whose memories have 64-bit addresses: typed and dynamic calls, host functions, views, and
//! what is refused. Calls between the widths are compared with the reference in `canonical_abi.rs`.
#![forbid(unsafe_code)]

use cellule::component::{
    Component, ComponentType, ErrorContext, Instance, Lift, Linker, Lower, Val, WasmList, WasmStr,
    flags,
};
use cellule::{Config, Engine, ErrorKind, Store, StoreContextMut};
use cellule_tests::echo::Echo;
use cellule_tests::stories::{list, record, some, text};
use std::collections::BTreeMap;

#[derive(ComponentType, Lift, Lower, Clone, Debug, PartialEq)]
#[component(record)]
struct Person {
    age: u8,
    name: String,
    scores: Vec<u16>,
    tall: bool,
}

const PERSON: (&str, &str) = (
    "person",
    r#"(record (field "age" u8) (field "name" string) (field "scores" (list u16)) (field "tall" bool))"#,
);

fn person(age: u8, name: &str) -> (Person, Val) {
    let scores = vec![1, 500, u16::MAX];
    let dynamic = record([
        ("age", Val::U8(age)),
        ("name", text(name)),
        ("scores", Val::List(scores.clone().into())),
        ("tall", Val::Bool(true)),
    ]);
    let typed = Person {
        age,
        name: name.into(),
        scores,
        tall: true,
    };
    (typed, dynamic)
}

#[derive(ComponentType, Lift, Lower, Clone, Debug, PartialEq)]
#[component(variant)]
enum Shape {
    #[component(name = "nothing")]
    Nothing,
    #[component(name = "named")]
    Named(String),
    #[component(name = "size")]
    Size(f32),
    #[component(name = "many")]
    Many(Vec<Option<String>>),
}

const SHAPE: (&str, &str) = (
    "shape",
    r#"(variant (case "nothing") (case "named" string) (case "size" f32)
        (case "many" (list (option string))))"#,
);

flags! {
    Access {
        #[component(name = "read")]
        const READ;
        #[component(name = "write")]
        const WRITE;
    }
}

#[test]
fn pointers_and_lengths_take_eight_bytes_each() {
    let echo = Echo {
        types: &[PERSON],
        of: "$person",
        flat: "i32 i64 i64 i64 i64 i32",
        layout: (48, 8),
    };
    echo.check_wide([person(3, "wörld"), person(200, "")]);
    let echo = Echo {
        of: "(list $person)",
        flat: "i64 i64",
        layout: (16, 8),
        ..echo
    };
    let (a, b) = (person(1, "a"), person(2, "bc"));
    echo.check_wide([(vec![a.0, b.0], list([a.1, b.1])), (vec![], list([]))]);
}

#[test]
fn payloads_join_to_what_holds_pointers() {
    let echo = Echo {
        types: &[SHAPE],
        of: "$shape",
        flat: "i32 i64 i64",
        layout: (24, 8),
    };
    let case = |name: &str, payload: Option<Val>| Val::Variant(name.into(), payload.map(Box::new));
    let many = [Val::Option(some(text("x"))), Val::Option(None)];
    echo.check_wide([
        (Shape::Nothing, case("nothing", None)),
        (Shape::Named("n".into()), case("named", Some(text("n")))),
        (Shape::Size(0.5), case("size", Some(Val::Float32(0.5)))),
        (
            Shape::Many(vec![Some("x".into()), None]),
            case("many", Some(list(many))),
        ),
    ]);
}

#[test]
fn containers_are_laid_out_by_their_parts() {
    Echo {
        types: &[],
        of: "(result (list u8) (error u16))",
        flat: "i32 i64 i64",
        layout: (24, 8),
    }
    .check_wide([
        (
            Ok(vec![1u8, 2, 3]),
            Val::Result(Ok(Some(Box::new(Val::List(vec![1u8, 2, 3].into()))))),
        ),
        (Err(9u16), Val::Result(Err(Some(Box::new(Val::U16(9)))))),
    ]);
    Echo {
        types: &[],
        of: "(map string (tuple u8 string))",
        flat: "i64 i64",
        layout: (16, 8),
    }
    .check_wide([(
        BTreeMap::from([("k".to_owned(), (7u8, "v".to_owned()))]),
        Val::Map(vec![(text("k"), Val::Tuple(vec![Val::U8(7), text("v")]))]),
    )]);
    Echo {
        types: &[],
        of: "(list string 2)",
        flat: "i64 i64 i64 i64",
        layout: (32, 8),
    }
    .check_wide([(
        ["a".to_owned(), "bc".to_owned()],
        Val::FixedLengthList(vec![text("a"), text("bc")].into()),
    )]);
}

#[test]
fn what_has_no_pointers_is_laid_out_as_everywhere() {
    Echo {
        types: &[("access", r#"(flags "read" "write")"#)],
        of: "(tuple $access char u64)",
        flat: "i32 i32 i64",
        layout: (16, 8),
    }
    .check_wide([(
        (Access::WRITE, 'ß', 1u64 << 40),
        Val::Tuple(vec![
            Val::Flags(vec!["write".into()]),
            Val::Char('ß'),
            Val::U64(1u64 << 40),
        ]),
    )]);
}

/// Functions whose values lie where the test puts them, in a memory of 64-bit addresses.
const PLACES: &str = r#"(component
    (core module $m
        (memory (export "memory") i64 1)
        (data (i64.const 8) "hello")
        (data (i64.const 16) "\07\00\00\00\08\00\00\00\09\00\00\00")
        (global $at (export "at") (mut i64) (i64.const 1024))
        (func (export "realloc") (param i64 i64 i64 i64) (result i64) (global.get $at))
        (func (export "place") (param i64 i64) (global.set $at (local.get 0)))
        (func (export "give") (param i64 i64) (result i64)
            (i64.store (i64.const 512) (local.get 0))
            (i64.store (i64.const 520) (local.get 1))
            (i64.const 512))
        (func (export "give-at") (param i64) (result i64) (local.get 0))
        (func (export "take") (param i64 i64) (result i64) (local.get 0)))
    (core instance $i (instantiate $m))
    (func (export "place") (param "at" u64) (param "unused" u64)
        (canon lift (core func $i "place")))
    (func (export "string") (param "at" u64) (param "len" u64) (result string)
        (canon lift (core func $i "give") (memory (core memory $i "memory"))))
    (func (export "utf16") (param "at" u64) (param "len" u64) (result string)
        (canon lift (core func $i "give") (memory (core memory $i "memory"))
            string-encoding=latin1+utf16))
    (func (export "numbers") (param "at" u64) (param "len" u64) (result (list u32))
        (canon lift (core func $i "give") (memory (core memory $i "memory"))))
    (func (export "result-at") (param "at" u64) (result string)
        (canon lift (core func $i "give-at") (memory (core memory $i "memory"))))
    (func (export "take") (param "s" string) (result u64)
        (canon lift (core func $i "take") (memory (core memory $i "memory"))
            (realloc (core func $i "realloc"))))
    (func (export "take-numbers") (param "s" (list u64)) (result u64)
        (canon lift (core func $i "take") (memory (core memory $i "memory"))
            (realloc (core func $i "realloc")))))"#;

fn made(wat: &str) -> (Store<()>, Instance) {
    let engine = Engine::default();
    let component = Component::new(&engine, wat::parse_str(wat).expect("valid text")).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &component);
    (store, instance.unwrap())
}

/// The error of lifting what is said to lie there.
fn lifted(name: &str, at: u64, len: u64) -> String {
    let (mut store, instance) = made(PLACES);
    let func = instance.get_func(&mut store, name).unwrap();
    let mut results = [Val::Bool(false)];
    let error = func
        .call(&mut store, &[Val::U64(at), Val::U64(len)], &mut results)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Trap);
    format!("{error:#}")
}

#[test]
fn no_bit_of_an_address_or_a_length_is_lost() {
    let bounds = "string pointer/length out of bounds of memory";
    for (at, len) in [
        (1 << 32 | 8, 5),
        (8, 1 << 32 | 5),
        (8, 1 << 63 | 5),
        (u64::MAX - 4, 5),
        (65532, 5),
        (8, u64::MAX),
    ] {
        let error = lifted("string", at, len);
        assert!(error.contains(bounds), "{at:#x}, {len:#x}: {error}");
    }
    // Twice as many bytes as the length says: no more than fits either.
    for len in [1 << 63 | 1 << 62, 1 << 31 | 1, 1 << 63 | 40_000] {
        assert!(lifted("utf16", 8, len).contains(bounds), "{len:#x}");
    }
    let bounds = "list pointer/length out of bounds of memory";
    for (at, len) in [
        (1 << 32 | 16, 3),
        (16, 1 << 62),
        (16, 1 << 32 | 3),
        (65528, 3),
    ] {
        let error = lifted("numbers", at, len);
        assert!(error.contains(bounds), "{at:#x}, {len:#x}: {error}");
    }
    assert!(lifted("numbers", 18, 3).contains("list pointer is not aligned"));
    assert!(lifted("utf16", 9, 1 << 63 | 2).contains("string pointer not aligned to 2"));
}

#[test]
fn the_highest_bit_of_a_length_says_that_a_string_is_utf16() {
    let (mut store, instance) = made(PLACES);
    let func = instance.get_typed_func::<(u64, u64), (String,)>(&mut store, "utf16");
    let func = func.unwrap();
    let (wide,) = func.call(&mut store, (8, 1 << 63 | 2)).unwrap();
    assert_eq!(wide, "\u{6568}\u{6c6c}");
    let (narrow,) = func.call(&mut store, (8, 5)).unwrap();
    assert_eq!(narrow, "hello");
}

#[test]
fn a_result_lies_where_an_address_of_eight_bytes_says() {
    let (mut store, instance) = made(PLACES);
    let func = instance.get_typed_func::<(u64,), (String,)>(&mut store, "result-at");
    let func = func.unwrap();
    assert_eq!(func.call(&mut store, (768,)).unwrap().0, "");
    for (at, why) in [
        (1 << 32 | 768, "pointer out of bounds of memory"),
        (65528, "pointer out of bounds of memory"),
        (772, "pointer not aligned"),
    ] {
        let (mut store, instance) = made(PLACES);
        let func = instance.get_typed_func::<(u64,), (String,)>(&mut store, "result-at");
        let error = func.unwrap().call(&mut store, (at,)).unwrap_err();
        assert!(error.to_string().contains(why), "{at:#x}: {error}");
    }
}

#[test]
fn room_is_where_realloc_says_in_all_its_bits() {
    let call = |at: u64, name: &str, param: Val| {
        let (mut store, instance) = made(PLACES);
        let place = instance.get_typed_func::<(u64, u64), ()>(&mut store, "place");
        place.unwrap().call(&mut store, (at, 0)).unwrap();
        let func = instance.get_func(&mut store, name).unwrap();
        let mut results = [Val::Bool(false)];
        let called = func.call(&mut store, &[param], &mut results);
        called.map(|()| results[0].clone())
    };
    let string = |at| call(at, "take", text("hello"));
    let numbers = |at| call(at, "take-numbers", Val::List(vec![1u64, 2].into()));
    assert_eq!(string(1024).unwrap(), Val::U64(1024));
    assert_eq!(numbers(65520).unwrap(), Val::U64(65520));
    for at in [1 << 32 | 1024, 65532, 1 << 63, u64::MAX] {
        let error = string(at).unwrap_err().to_string();
        let bounds = "realloc return: beyond end of memory";
        assert!(error.contains(bounds), "{at:#x}: {error}");
    }
    for at in [1028, u64::MAX] {
        let error = numbers(at).unwrap_err().to_string();
        let unaligned = "realloc return: result not aligned";
        assert!(error.contains(unaligned), "{at:#x}: {error}");
    }
}

#[test]
fn views_stay_in_the_memory() {
    let (mut store, instance) = made(PLACES);
    let string = instance.get_typed_func::<(u64, u64), (WasmStr,)>(&mut store, "string");
    let (string,) = string.unwrap().call(&mut store, (8, 5)).unwrap();
    assert_eq!(string.to_str(&store).unwrap(), "hello");
    let numbers = instance.get_typed_func::<(u64, u64), (WasmList<u32>,)>(&mut store, "numbers");
    let (numbers,) = numbers.unwrap().call(&mut store, (16, 3)).unwrap();
    let all: Result<Vec<u32>, _> = numbers.iter(&mut store).unwrap().collect();
    assert_eq!(all.unwrap(), [7, 8, 9]);
    assert_eq!(numbers.get(&mut store, 1).unwrap().unwrap(), 8);
}

/// More parameters than are passed flat, a list of lists, from and to the host.
const MANY: &str = r#"(component
    (import "host" (func $host (param "a" (tuple string u8 string u8 string u8 string u8 string u8
        string u8)) (result (list (list string)))))
    (core module $libc
        (memory (export "memory") i64 1)
        (global $next (mut i64) (i64.const 1024))
        (func (export "realloc") (param i64 i64 i64 i64) (result i64)
            (global.set $next (i64.and
                (i64.add (global.get $next) (i64.const 7)) (i64.const -8)))
            (global.get $next)
            (global.set $next (i64.add (global.get $next) (local.get 3)))))
    (core instance $libc (instantiate $libc))
    (core func $host (canon lower (func $host)
        (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
    (core module $m
        (import "" "host" (func $host (param i64 i64)))
        (func (export "run") (param i64) (result i64)
            (call $host (local.get 0) (i64.const 64)) (i64.const 64)))
    (core instance $i (instantiate $m (with "" (instance (export "host" (func $host))))))
    (func (export "run") (param "a" (tuple string u8 string u8 string u8 string u8 string u8
        string u8)) (result (list (list string)))
        (canon lift (core func $i "run")
            (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")))))"#;

type Six<'a> = (
    &'a str,
    u8,
    &'a str,
    u8,
    &'a str,
    u8,
    &'a str,
    u8,
    &'a str,
    u8,
    &'a str,
    u8,
);
type SixOwned = (
    String,
    u8,
    String,
    u8,
    String,
    u8,
    String,
    u8,
    String,
    u8,
    String,
    u8,
);

#[test]
fn parameters_beyond_sixteen_core_values_are_passed_by_an_address() {
    let engine = Engine::default();
    let component = Component::new(&engine, wat::parse_str(MANY).unwrap()).unwrap();
    let mut linker = Linker::<()>::new(&engine);
    let host = |_: StoreContextMut<'_, ()>, (a,): (SixOwned,)| {
        let numbers = [a.1, a.3, a.5, a.7, a.9, a.11].map(|number| number.to_string());
        Ok((vec![
            vec![a.0, a.2, a.4, a.6, a.8, a.10],
            numbers.into(),
            vec![],
        ],))
    };
    linker.root().func_wrap("host", host).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let run = instance.get_typed_func::<(Six<'_>,), (Vec<Vec<String>>,)>(&mut store, "run");
    let six = ("a", 1, "", 2, "c", 3, "dé", 4, "e", 5, "f", 6);
    let (lists,) = run.unwrap().call(&mut store, (six,)).unwrap();
    let expected = [
        vec!["a", "", "c", "dé", "e", "f"],
        vec!["1", "2", "3", "4", "5", "6"],
        vec![],
    ];
    assert_eq!(lists, expected);
}

#[test]
fn error_contexts_take_and_give_their_messages() {
    let (mut store, instance) = made(
        r#"(component
        (core module $libc
            (memory (export "memory") i64 1)
            (func (export "realloc") (param i64 i64 i64 i64) (result i64) (i64.const 1024)))
        (core instance $libc (instantiate $libc))
        (alias core export $libc "memory" (core memory $memory))
        (alias core export $libc "realloc" (core func $realloc))
        (core func $new (canon error-context.new (memory $memory)))
        (core func $read (canon error-context.debug-message (memory $memory) (realloc $realloc)))
        (core module $m
            (import "" "new" (func $new (param i64 i64) (result i32)))
            (import "" "read" (func $read (param i32 i64)))
            (func (export "make") (param i64 i64) (result i32)
                (call $new (local.get 0) (local.get 1)))
            (func (export "read") (param i32 i64) (result i64)
                (call $read (local.get 0) (local.get 1))
                (local.get 1)))
        (core instance $i (instantiate $m (with "" (instance
            (export "new" (func $new)) (export "read" (func $read))))))
        (func (export "make") (param "s" string) (result error-context)
            (canon lift (core func $i "make") (memory $memory) (realloc $realloc)))
        (func (export "read") (param "e" error-context) (param "at" u64) (result string)
            (canon lift (core func $i "read") (memory $memory))))"#,
    );
    let make = instance.get_typed_func::<(&str,), (ErrorContext,)>(&mut store, "make");
    let (context,) = make
        .unwrap()
        .call(&mut store, ("what went wrong",))
        .unwrap();
    assert_eq!(context.debug_message(), "what went wrong");
    let read = instance.get_typed_func::<(ErrorContext, u64), (String,)>(&mut store, "read");
    let read = read.unwrap();
    let (message,) = read.call(&mut store, (context.clone(), 64)).unwrap();
    assert_eq!(message, "what went wrong");
    let error = read.call(&mut store, (context, 1 << 32 | 64)).unwrap_err();
    assert!(error.to_string().contains("invalid debug message pointer"));
}

#[test]
fn without_the_switch_a_64_bit_memory_is_not_valid_in_options() {
    let engine = Engine::new(Config::new().wasm_component_model_memory64(false)).unwrap();
    let error = Component::new(&engine, wat::parse_str(PLACES).unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("cm64"), "{error}");
}
