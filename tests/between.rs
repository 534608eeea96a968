//! Calls from one component into another: whichever way the adapter works, the same answers, and to the unit
//! the same fuel, at every pace.
//!
//! Scalars, strings and lists of plain elements cross in a straight line; a value that is wrapped in a tuple of
//! one takes the general way with the same core signature. Both are told to do the same here.

use cellule::component::Linker;
use cellule::{Config, Engine, ErrorKind};
use cellule_tests::guests::{Pace, Session};

/// `run` of the caller calls `say` of the callee, which checks what comes and gives back the text; `size` gives
/// its length.
fn pair([first, result, size]: [&str; 3], realloc: &str) -> String {
    format!(
        r#"(component
  (component $callee
    (core module $heap
      (memory (export "memory") 1)
      (global $next (mut i32) (i32.const 1024))
      (func (export "take") (param $size i32) (result i32)
        (local $place i32)
        (local.set $place (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
        (global.set $next (i32.add (local.get $place) (local.get $size)))
        (local.get $place)))
    (core instance $heap (instantiate $heap))
    (core module $m
      (import "heap" "memory" (memory 1))
      (import "heap" "take" (func $take (param i32) (result i32)))
      (global $next (mut i32) (i32.const 2048))
      (global $freed (mut i32) (i32.const 0))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        {realloc})
      (func (export "free") (param i32)
        (global.set $freed (i32.add (global.get $freed) (i32.const 1))))
      (func (export "freed") (result i32) (global.get $freed))
      (func (export "say") (param $first i32) (param $text i32) (param $length i32)
          (param $numbers i32) (param $count i32) (param $last i64) (result i32)
        (if (i32.ne (local.get $first) (i32.const 0x7f)) (then unreachable))
        (if (i64.ne (local.get $last) (i64.const -3)) (then unreachable))
        (if (i32.ne (local.get $count) (i32.const 3)) (then unreachable))
        (if (i32.ne (i32.load16_u offset=4 (local.get $numbers)) (i32.const 0xbeef)) (then unreachable))
        (i32.store (i32.const 16) (local.get $text))
        (i32.store (i32.const 20) (local.get $length))
        (i32.const 16))
      ;; The upper bits of a small number mean nothing.
      (func (export "size") (param $text i32) (param $length i32) (result i32)
        (i32.add (local.get $length) (i32.const 0xff00))))
    (core instance $i (instantiate $m (with "heap" (instance $heap))))
    (func (export "freed") (result u32) (canon lift (core func $i "freed")))
    (func (export "say") (param "first" {first}) (param "text" string) (param "numbers" (list u16))
        (param "last" s64) (result {result})
      (canon lift (core func $i "say") (memory (core memory $heap "memory"))
        (realloc (core func $i "realloc")) (post-return (core func $i "free"))))
    (func (export "size") (param "text" string) (result {size})
      (canon lift (core func $i "size") (memory (core memory $heap "memory"))
        (realloc (core func $i "realloc")))))

  (component $caller
    (import "say" (func $say (param "first" {first}) (param "text" string)
      (param "numbers" (list u16)) (param "last" s64) (result {result})))
    (import "size" (func $size (param "text" string) (result {size})))
    (core module $memory
      (memory (export "memory") 1)
      (data (i32.const 64) "sixteen letters.\01\00\02\00\ef\be")
      (func $place (result i32) (i32.const 1024))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (call $place)))
    (core instance $memory (instantiate $memory))
    (core func $say (canon lower (func $say) (memory (core memory $memory "memory"))
      (realloc (core func $memory "realloc"))))
    (core func $size (canon lower (func $size) (memory (core memory $memory "memory"))))
    (core module $m
      (import "callee" "size" (func $size (param i32 i32) (result i32)))
      (import "callee" "say" (func $say (param i32 i32 i32 i32 i32 i64 i32)))
      (import "memory" "memory" (memory 1))
      (func (export "run") (param $text i32) (param $length i32) (param $numbers i32) (result i32)
        (call $say (i32.const 0xff7f) (local.get $text) (local.get $length)
          (local.get $numbers) (i32.const 3) (i64.const -3) (i32.const 16))
        (i32.add
          (i32.mul (call $size (local.get $text) (local.get $length)) (i32.const 1000000))
          (i32.add (i32.mul (i32.load (i32.const 20)) (i32.const 1000))
            (i32.load8_u offset=2 (i32.load (i32.const 16)))))))
    (core instance $i (instantiate $m
      (with "callee" (instance (export "say" (func $say)) (export "size" (func $size))))
      (with "memory" (instance $memory))))
    (func (export "run") (param "text" u32) (param "length" u32) (param "numbers" u32) (result u32)
      (canon lift (core func $i "run"))))

  (instance $callee (instantiate $callee))
  (instance $caller (instantiate $caller 
    (with "say" (func $callee "say")) (with "size" (func $callee "size"))))
  (export "freed" (func $callee "freed"))
  (export "run" (func $caller "run")))"#
    )
}

/// What the callee's `realloc` does: it runs in one go, or calls into another core instance.
const REALLOCS: [&str; 2] = [
    "(global.set $next (i32.add (global.get $next) (i32.const 64)))
     (i32.sub (global.get $next) (i32.const 64))",
    "(call $take (local.get 3))",
];

/// The straight way, and two that lead through the general one.
const WAYS: [[&str; 3]; 3] = [
    ["u8", "string", "u8"],
    ["(tuple u8)", "string", "u8"],
    ["(tuple u8)", "(tuple string)", "(tuple u8)"],
];

fn engine(fast: bool) -> Engine {
    let mut config = Config::new();
    config.consume_fuel(true).fast_tier(fast);
    Engine::new(&config).unwrap()
}

type Place = (u32, u32, u32);

const TEXT: Place = (64, 16, 80);

#[test]
fn both_ways_give_the_same_and_take_the_same_fuel_at_every_pace() {
    let paces = [1, 2, 3, 7, 1000].map(Pace::Slices);
    for realloc in REALLOCS {
        let mut expected = None;
        for (way, fast) in WAYS.iter().flat_map(|way| [(way, false), (way, true)]) {
            let engine = engine(fast);
            let wasm = wat::parse_str(pair(*way, realloc)).unwrap();
            for pace in paces.into_iter().chain([Pace::Counted]) {
                let told = format!("{way:?}, fast: {fast}, {pace:?}, {realloc}");
                let mut session = Session::start(&Linker::new(&engine), &wasm, (), pace);
                for calls in 1..=2 {
                    let (answer,) = session.typed::<Place, (u32,)>("run", TEXT).unwrap();
                    assert_eq!(answer, 16_016_000 + u32::from(b'x'), "{told}");
                    let (freed,) = session.typed::<(), (u32,)>("freed", ()).unwrap();
                    assert_eq!(freed, calls, "{told}");
                }
                let used = session.fuel_used();
                assert_eq!(used, *expected.get_or_insert(used), "{told}");
            }
        }
    }
}

#[test]
fn both_ways_end_in_the_same_trap_and_take_the_same_fuel_to_it() {
    let engine = engine(true);
    let page = 65536;
    for (place, reason) in [
        ((page - 15, 16, 80), "out-of-bounds"),
        ((page, 0, 80), "done"),
        ((page + 1, 0, 80), "out-of-bounds"),
        ((0, 1 << 28, 80), "out-of-bounds"),
        // Three numbers that hold no 0xbeef, four bytes before the end or less, and at an odd address.
        ((64, 16, page - 6), "unreachable"),
        ((64, 16, page - 4), "out-of-bounds"),
        ((64, 16, 81), "unaligned"),
        // The last two bytes of the numbers are no UTF-8.
        ((80, 6, 80), "utf-8"),
    ] {
        for realloc in REALLOCS {
            let mut ends = Vec::new();
            for way in WAYS {
                let wasm = wat::parse_str(pair(way, realloc)).unwrap();
                for pace in [Pace::Counted, Pace::Slices(3)] {
                    let mut session = Session::start(&Linker::new(&engine), &wasm, (), pace);
                    let end = match session.typed::<Place, (u32,)>("run", place) {
                        Ok((answer,)) => format!("done: {answer}"),
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::Trap, "{place:?}");
                            error.root_cause().to_string()
                        }
                    };
                    let plain = end.to_lowercase().replace(' ', "-");
                    assert!(plain.contains(reason), "{place:?}: {end}");
                    ends.push((end, session.fuel_used()));
                }
            }
            ends.dedup();
            assert_eq!(ends.len(), 1, "{place:?}, {realloc}: {ends:?}");
        }
    }
}

/// Rooms that a `realloc` may not give, for the text and for the numbers.
#[test]
fn both_ways_refuse_the_same_rooms() {
    let engine = engine(true);
    for (room, reason) in [
        ("(i32.const 65521)", "out-of-bounds"),
        ("(i32.const -1)", "out-of-bounds"),
        (
            "(i32.or (i32.const 1025) (call $take (i32.const 16)))",
            "unaligned",
        ),
        ("unreachable", "unreachable"),
        // Both in one room: the numbers lie over the text, which is no UTF-8 then as it comes back.
        ("(i32.const 65520)", "utf-8"),
    ] {
        let ends = WAYS.map(|way| {
            let wasm = wat::parse_str(pair(way, room)).unwrap();
            let linker = Linker::new(&engine);
            let mut session = Session::start(&linker, &wasm, (), Pace::Counted);
            let ran = session.typed::<Place, (u32,)>("run", TEXT);
            let end = ran.map_or_else(|error| error.root_cause().to_string(), |_| "ran".into());
            (end, session.fuel_used())
        });
        let plain = ends[0].0.to_lowercase().replace(' ', "-");
        assert!(plain.contains(reason), "{room}: {plain}");
        assert!(ends.iter().all(|end| *end == ends[0]), "{room}: {ends:?}");
    }
}
