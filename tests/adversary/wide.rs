//! Strings that pass between memories with 32-bit and 64-bit addresses, in all pairs: wrong addresses and
//! lengths of the source, and wrong answers of the destination's `realloc`. No half of a word may get lost.
//!
//! What the host lifts and lowers itself is in `memory64.rs`.

use super::{call, is_locked, is_trap, pair};
use cellule::Result;
use cellule::component::Val;

const OUT: &str = "string content out-of-bounds";
const UNALIGNED: &str = "unaligned pointer";
const MEMORY: u64 = super::MEMORY as u64;
/// The tag of a UTF-16 string.
const TAG: [u64; 2] = [1 << 31, 1 << 63];

/// A side's memory, encoding and core types.
#[derive(Clone, Copy, Debug)]
struct Side {
    wide: bool,
    encoding: &'static str,
}

impl Side {
    fn ptr(self) -> &'static str {
        if self.wide { "i64" } else { "i32" }
    }

    fn memory(self) -> &'static str {
        if self.wide { "i64 1 1" } else { "1 1" }
    }

    /// A word as one of its own.
    fn word(self, get: &str) -> String {
        match self.wide {
            true => get.to_owned(),
            false => format!("(i32.wrap_i64 {get})"),
        }
    }
}

/// `cross` has a string moved whose address and length are given, and returns its address at the
/// destination, whose `realloc` says what the third argument is.
fn component(from: Side, to: Side) -> String {
    let (p, q) = (from.ptr(), to.ptr());
    let (at, len) = (from.word("(local.get 0)"), from.word("(local.get 1)"));
    let answer = to.word("(global.get $answer)");
    let half = if from.wide { 8 } else { 4 };
    let loaded = if to.wide { "i64.load" } else { "i64.load32_u" };
    let params = r#"(param "a" u64) (param "b" u64)"#;
    format!(
        r#"(component
        (component $inner
            (core module $m (memory (export "memory") {memory})
                (func (export "get") (param i64 i64) (result {p})
                    ({p}.store ({p}.const 16) {at})
                    ({p}.store offset={half} ({p}.const 16) {len})
                    ({p}.const 16)))
            (core instance $i (instantiate $m))
            (func (export "get") {params} (result string) (canon lift (core func $i "get")
                (memory (core memory $i "memory")) string-encoding={encoding})))
        (instance $inner (instantiate $inner))
        (core module $libc (memory (export "memory") {to_memory})
            (global $answer (export "answer") (mut i64) (i64.const 0))
            (func (export "realloc") (param {q} {q} {q} {q}) (result {q}) {answer}))
        (core instance $libc (instantiate $libc))
        (core func $get (canon lower (func $inner "get") (memory (core memory $libc "memory"))
            (realloc (core func $libc "realloc")) string-encoding={to_encoding}))
        (core module $m (import "" "get" (func $get (param i64 i64 {q})))
            (import "" "memory" (memory {to_memory}))
            (import "" "answer" (global $answer (mut i64)))
            (func (export "cross") (param i64 i64 i64) (result i64)
                (global.set $answer (local.get 2))
                (call $get (local.get 0) (local.get 1) ({q}.const 16))
                ({loaded} ({q}.const 16))))
        (core instance $i (instantiate $m (with "" (instance (export "get" (func $get))
            (export "memory" (memory $libc "memory")) (export "answer" (global $libc "answer"))))))
        (func (export "cross") {params} (param "c" u64) (result u64)
            (canon lift (core func $i "cross"))))"#,
        memory = from.memory(),
        encoding = from.encoding,
        to_memory = to.memory(),
        to_encoding = to.encoding,
    )
}

/// Moves a string in one of two instances; the other one still works, and the first if that went well.
fn crossed(text: &str, args: [u64; 3]) -> Result<u64> {
    let args = args.map(Val::U64);
    let (mut store, one, two) = pair(text);
    let moved = call(&mut store, &one, "cross", &args);
    if moved.is_err() {
        is_locked(&mut store, &one, "cross", &args);
    }
    let good = [0, 0, 1024].map(Val::U64);
    let other = call(&mut store, &two, "cross", &good);
    assert_eq!(other.expect("unharmed"), Some(Val::U64(1024)));
    moved.map(|value| match value {
        Some(Val::U64(value)) => value,
        other => panic!("{other:?}"),
    })
}

fn sides(encoding: &'static str) -> [Side; 2] {
    [false, true].map(|wide| Side { wide, encoding })
}

#[test]
fn strings_of_either_width_that_end_past_memory() {
    for (encoding, unit) in [("utf8", 1), ("utf16", 2), ("latin1+utf16", 2)] {
        for from in sides(encoding) {
            for to in sides("utf8") {
                let text = component(from, to);
                let tag = match encoding {
                    "latin1+utf16" => TAG[usize::from(from.wide)],
                    _ => 0,
                };
                let moved = |at, len| crossed(&text, [at, len, 1024]);
                assert_eq!(moved(MEMORY - 8, (8 / unit) | tag).unwrap(), 1024);
                assert_eq!(moved(MEMORY, tag).unwrap(), 1024);
                let wrong = |at, len| {
                    let error = moved(at, len).expect_err("moved");
                    is_trap(&error, OUT);
                };
                wrong(MEMORY - 8 + unit, (8 / unit) | tag);
                wrong(MEMORY - 2, 4 | tag);
                wrong(MEMORY + 2, tag);
                wrong(0, 0x7fff_ffff | tag);
                if from.wide {
                    // What it would be if half of it were lost lies in the memory.
                    wrong(1 << 32 | 8, 2 | tag);
                    wrong(1 << 63, tag);
                    wrong(8, 1 << 32 | tag);
                    wrong(8, 1 << 62 | 2 | tag);
                    wrong(u64::MAX - 1, 2 | tag);
                    wrong(8, u64::MAX);
                }
                if unit == 2 {
                    is_trap(&moved(9, 2 | tag).expect_err("moved"), UNALIGNED);
                }
            }
        }
    }
}

#[test]
fn the_tag_of_another_width_is_part_of_a_length() {
    for from in sides("latin1+utf16") {
        for to in sides("latin1+utf16") {
            let text = component(from, to);
            let other = TAG[usize::from(!from.wide)];
            let moved = crossed(&text, [8, 2 | other, 1024]);
            match from.wide {
                // A length of 2³¹ and more.
                true => is_trap(&moved.expect_err("moved"), OUT),
                // The word has no such bit.
                false => assert_eq!(moved.unwrap(), 1024),
            }
        }
    }
}

#[test]
fn room_of_either_width_that_is_none() {
    for (encoding, align) in [("utf8", 1), ("utf16", 2), ("latin1+utf16", 2)] {
        for from in sides("utf8") {
            for to in sides(encoding) {
                let text = component(from, to);
                // In a memory full of zeroes: four bytes, or eight as UTF-16.
                let size = if encoding == "utf16" { 8 } else { 4 };
                let moved = |answer| crossed(&text, [256, 4, answer]);
                for answer in [0, 1024, MEMORY - size] {
                    assert_eq!(moved(answer).unwrap(), answer, "{to:?}");
                }
                let wrong = |answer, words| is_trap(&moved(answer).expect_err("moved"), words);
                for answer in [MEMORY - size + 2, MEMORY, u32::MAX as u64 - 1] {
                    wrong(answer, OUT);
                }
                if to.wide {
                    for answer in [1 << 32, 1 << 32 | 1024, 1 << 63, u64::MAX - 1] {
                        wrong(answer, OUT);
                    }
                }
                if align == 2 {
                    wrong(1025, UNALIGNED);
                }
            }
        }
    }
}
