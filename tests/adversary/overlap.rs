//! Calls within one instance, so that source and destination are one memory, whose `realloc` overwrites what
//! is read or answers with its address: what arrives is what was there when the call began.

use super::{call, pair};
use cellule::component::Val;

const ENCODINGS: [&str; 3] = ["utf8", "utf16", "latin1+utf16"];

/// In the length of a string that may be either: it is UTF-16.
const TAG: u32 = 1 << 31;

/// A place in the memory, and what stands there.
type Data = (u32, Vec<u8>);

/// What `realloc` does to the source, which lies below 1024.
#[derive(Clone, Copy, Debug)]
enum Spoils {
    /// Overwrites all of it; rooms lie elsewhere.
    Overwrites,
    /// Gives it away as room, from the first string's second unit on.
    Reuses,
}

/// A component that lifts and lowers a function of its own: it is given (`params`) or returns a value that is
/// a pointer and a length. `ptr` and `len` are what arrived, `byte` reads the memory.
fn component(
    ty: &str,
    params: bool,
    (from, to): (&str, &str),
    spoils: Spoils,
    source: &[Data],
    (ptr, len): (u32, u32),
) -> String {
    let data: String = source
        .iter()
        .map(|(at, bytes)| {
            let bytes: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
            format!(r#"(data (i32.const {at}) "{bytes}")"#)
        })
        .collect();
    let (first, spoil) = match spoils {
        Spoils::Overwrites => (
            2048,
            "(memory.fill (i32.const 0) (i32.const 255) (i32.const 1024))",
        ),
        Spoils::Reuses => (66, ""),
    };
    let options = |encoding: &str| {
        format!(
            r#"(memory (core memory $i "memory")) (realloc (core func $i "realloc"))
            string-encoding={encoding}"#
        )
    };
    let (sort, core, core_lower, run) = if params {
        (
            format!(r#"(param "x" {ty})"#),
            "take",
            "(param i32 i32)",
            format!("(call $f (i32.const {ptr}) (i32.const {len}))"),
        )
    } else {
        (
            format!("(result {ty})"),
            "give",
            "(param i32)",
            "(call $f (i32.const 32)) (call $take (i32.load (i32.const 32)) (i32.load (i32.const 36)))"
                .to_string(),
        )
    };
    let (lift, lower) = if params { (to, from) } else { (from, to) };
    format!(
        r#"(component
        (core module $m (memory (export "memory") 1 1) {data}
            (global $next (mut i32) (i32.const {first}))
            (global $ptr (mut i32) (i32.const 0))
            (global $len (mut i32) (i32.const 0))
            (func (export "realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32)
                (result i32) (local $at i32)
                (local.set $at (global.get $next))
                (global.set $next (i32.add (local.get $at) (i32.const 128)))
                (memory.copy (local.get $at) (local.get $old) (select (local.get $size) (local.get $new)
                    (i32.lt_u (local.get $size) (local.get $new))))
                {spoil}
                (local.get $at))
            (func (export "take") (param i32 i32)
                (global.set $ptr (local.get 0)) (global.set $len (local.get 1)))
            (func (export "give") (result i32)
                (i32.store (i32.const 16) (i32.const {ptr}))
                (i32.store (i32.const 20) (i32.const {len}))
                (i32.const 16))
            (func (export "ptr") (result i32) (global.get $ptr))
            (func (export "len") (result i32) (global.get $len))
            (func (export "byte") (param i32) (result i32) (i32.load8_u (local.get 0))))
        (core instance $i (instantiate $m))
        (func $f {sort} (canon lift (core func $i "{core}") {}))
        (core func $f (canon lower (func $f) {}))
        (core module $n (import "" "f" (func $f {core_lower}))
            (import "" "take" (func $take (param i32 i32)))
            (import "" "memory" (memory 1))
            (func (export "run") {run}))
        (core instance $n (instantiate $n (with "" (instance (export "f" (func $f))
            (export "take" (func $i "take")) (export "memory" (memory $i "memory"))))))
        (func (export "run") (canon lift (core func $n "run")))
        (func (export "ptr") (result u32) (canon lift (core func $i "ptr")))
        (func (export "len") (result u32) (canon lift (core func $i "len")))
        (func (export "byte") (param "at" u32) (result u32) (canon lift (core func $i "byte"))))"#,
        options(lift),
        options(lower),
    )
}

/// What a call left in the guest's memory.
struct Arrived {
    store: cellule::Store<()>,
    instance: cellule::component::Instance,
}

impl Arrived {
    fn of(text: &str) -> Arrived {
        let (mut store, instance, _) = pair(text);
        let ran = call(&mut store, &instance, "run", &[]);
        assert_eq!(
            ran.unwrap_or_else(|error| panic!("{error:#}\n{text}")),
            None
        );
        Arrived { store, instance }
    }

    fn number(&mut self, name: &str, params: &[Val]) -> u32 {
        match call(&mut self.store, &self.instance, name, params).unwrap() {
            Some(Val::U32(x)) => x,
            other => panic!("{other:?}"),
        }
    }

    fn bytes(&mut self, at: u32, len: usize) -> Vec<u8> {
        (at..at + len as u32)
            .map(|at| self.number("byte", &[Val::U32(at)]) as u8)
            .collect()
    }

    fn word(&mut self, at: u32) -> u32 {
        let bytes = self.bytes(at, 4);
        u32::from_le_bytes(bytes.try_into().expect("four bytes"))
    }
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A string in an encoding: its bytes and length.
fn encoded(text: &str, encoding: &str) -> (Vec<u8>, u32) {
    let latin1: Option<Vec<u8>> = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).ok())
        .collect();
    match (encoding, latin1) {
        ("utf8", _) => (text.as_bytes().to_vec(), text.len() as u32),
        ("latin1+utf16", Some(latin1)) => (latin1.clone(), latin1.len() as u32),
        (_, _) => {
            let tag = if encoding == "utf16" { 0 } else { TAG };
            let bytes = utf16(text);
            let len = bytes.len() as u32 / 2;
            (bytes, len | tag)
        }
    }
}

/// A string as it can stand in a memory: what may be either is UTF-16 also where it need not be.
fn sources(text: &str, encoding: &str) -> Vec<(Vec<u8>, u32)> {
    let mut sources = vec![encoded(text, encoding)];
    if encoding == "latin1+utf16" {
        let bytes = utf16(text);
        let len = (bytes.len() as u32 / 2) | TAG;
        sources.push((bytes, len));
    }
    sources
}

#[test]
fn strings_of_each_pair_of_encodings_outlive_their_source() {
    let mut cases = 0;
    for text in [
        "",
        "plain text",
        "aéb",
        "ÿÿÿÿ",
        "aé€",
        "€uro",
        "a😀b😀",
        "😀",
    ] {
        for from in ENCODINGS {
            for to in ENCODINGS {
                for (bytes, len) in sources(text, from) {
                    for spoils in [Spoils::Overwrites, Spoils::Reuses] {
                        for params in [true, false] {
                            let source = [(64, bytes.clone())];
                            let pair = (from, to);
                            let guest =
                                component("string", params, pair, spoils, &source, (64, len));
                            let mut arrived = Arrived::of(&guest);
                            let (expected, len) = encoded(text, to);
                            let what = format!("{text} {from} {to} {spoils:?} {params}");
                            assert_eq!(arrived.number("len", &[]), len, "{what}");
                            let ptr = arrived.number("ptr", &[]);
                            assert_eq!(arrived.bytes(ptr, expected.len()), expected, "{what}");
                            cases += 1;
                        }
                    }
                }
            }
        }
    }
    assert_eq!(cases, 8 * 12 * 4);
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[test]
fn lists_in_lists_outlive_their_source() {
    let source = [
        (64, words(&[128, 3, 160, 0, 140, 1])),
        (128, words(&[7, 8, 9, 10])),
    ];
    for spoils in [Spoils::Overwrites, Spoils::Reuses] {
        for params in [true, false] {
            let pair = ("utf8", "utf8");
            // Rooms have to be aligned.
            let guest = component("(list (list u32))", params, pair, spoils, &source, (64, 3))
                .replace("(i32.const 66)", "(i32.const 68)");
            let mut arrived = Arrived::of(&guest);
            assert_eq!(arrived.number("len", &[]), 3);
            let outer = arrived.number("ptr", &[]);
            for (at, expected) in [(0, vec![7, 8, 9]), (1, vec![]), (2, vec![10])] {
                let (ptr, len) = (
                    arrived.word(outer + 8 * at),
                    arrived.word(outer + 8 * at + 4),
                );
                let what = format!("{spoils:?} {params} {at}");
                assert_eq!(len as usize, expected.len(), "{what}");
                assert_eq!(
                    arrived.bytes(ptr, 4 * len as usize),
                    words(&expected),
                    "{what}"
                );
            }
        }
    }
}

#[test]
fn strings_in_lists_outlive_their_source() {
    let texts = ["aé€", "plain", "😀"];
    for from in ENCODINGS {
        for to in ENCODINGS {
            let mut source = Vec::new();
            let mut pairs = Vec::new();
            for (at, text) in (128..).step_by(32).zip(texts) {
                let (bytes, len) = encoded(text, from);
                pairs.extend([at, len]);
                source.push((at, bytes));
            }
            source.push((64, words(&pairs)));
            for spoils in [Spoils::Overwrites, Spoils::Reuses] {
                for params in [true, false] {
                    let guest = component(
                        "(list string)",
                        params,
                        (from, to),
                        spoils,
                        &source,
                        (64, 3),
                    )
                    .replace("(i32.const 66)", "(i32.const 68)");
                    let mut arrived = Arrived::of(&guest);
                    let outer = arrived.number("ptr", &[]);
                    for (at, text) in (0..).zip(texts) {
                        let (expected, len) = encoded(text, to);
                        let what = format!("{text} {from} {to} {spoils:?} {params}");
                        assert_eq!(arrived.word(outer + 8 * at + 4), len, "{what}");
                        let ptr = arrived.word(outer + 8 * at);
                        assert_eq!(arrived.bytes(ptr, expected.len()), expected, "{what}");
                    }
                }
            }
        }
    }
}
