//! Values that a guest passes and that aren't any: strings and lists past the end of memory, text that isn't
//! any, discriminants and characters out of range. Each is lifted by the host, typed and dynamic, and moved
//! by an adapter. And what looks like it but is allowed: unknown flags, bools above one.

use super::{MEMORY, call, index, is_locked, is_trap, pair};
use cellule::Result;
use cellule::component::{Lift, Val};

/// `get` stores the word at 64 and returns the value that `a` and `b` are: in memory at 16, or `a` itself.
/// `cross` has it moved by an adapter; of what arrives it returns the word at 20 or the value itself.
fn component(ty: &str, in_memory: bool, encoding: &str) -> String {
    let (param, stored, got, load) = if in_memory {
        (
            "(param i32)",
            "(i32.const 16)",
            "(call $get {} (i32.const 16))",
            "(i32.load (i32.const 20))",
        )
    } else {
        ("", "(local.get 0)", "(call $get {})", "")
    };
    let got = got.replace("{}", "(local.get 0) (local.get 1) (local.get 2)");
    let result = if in_memory { "" } else { "(result i32)" };
    let params = r#"(param "a" u32) (param "b" u32) (param "w" u64)"#;
    let param = format!("(param i32 i32 i64) {param} {result}");
    format!(
        r#"(component
        (component $inner
            (core module $m (memory (export "memory") 1 1)
                (func (export "get") (param i32 i32 i64) (result i32)
                    (i64.store (i32.const 64) (local.get 2))
                    (i32.store (i32.const 16) (local.get 0))
                    (i32.store (i32.const 20) (local.get 1))
                    {stored}))
            (core instance $i (instantiate $m))
            (func (export "get") {params} (result {ty}) (canon lift (core func $i "get")
                (memory (core memory $i "memory")) string-encoding={encoding})))
        (instance $inner (instantiate $inner))
        (core module $libc (memory (export "memory") 2)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
        (core instance $libc (instantiate $libc))
        (core func $get (canon lower (func $inner "get") (memory (core memory $libc "memory"))
            (realloc (core func $libc "realloc"))))
        (core module $m (import "" "get" (func $get {param}))
            (import "" "memory" (memory 1))
            (func (export "cross") (param i32 i32 i64) (result i32) {got} {load}))
        (core instance $i (instantiate $m (with "" (instance
            (export "get" (func $get)) (export "memory" (memory $libc "memory"))))))
        (export "inner" (instance $inner))
        (func (export "cross") {params} (result u32) (canon lift (core func $i "cross"))))"#
    )
}

struct Values {
    text: String,
}

type Three = (u32, u32, u64);

impl Values {
    fn of(ty: &str, in_memory: bool, encoding: &str) -> Values {
        let text = component(ty, in_memory, encoding);
        Values { text }
    }

    /// What the host lifts typed and dynamic, and what an adapter moves.
    fn tried<T: Lift + 'static>(&self, (a, b, w): Three) -> (Result<T>, Result<Val>, Result<u32>) {
        let args = [Val::U32(a), Val::U32(b), Val::U64(w)];
        let (mut store, one, two) = pair(&self.text);
        let get = index(&mut store, &one, "inner#get");
        let get = one.get_typed_func::<Three, (T,)>(&mut store, get).unwrap();
        let typed = get.call(&mut store, (a, b, w)).map(|(value,)| value);
        if typed.is_err() {
            is_locked(&mut store, &one, "inner#get", &args);
            is_locked(&mut store, &one, "cross", &args);
        }
        let dynamic = call(&mut store, &two, "inner#get", &args).map(Option::unwrap);
        let (mut store, one, two) = pair(&self.text);
        let crossed = call(&mut store, &one, "cross", &args).map(|value| match value {
            Some(Val::U32(value)) => value,
            other => panic!("{other:?}"),
        });
        // Nobody else notices what became of the one.
        if let Ok(value) = call(
            &mut store,
            &two,
            "cross",
            &[Val::U32(0), Val::U32(0), Val::U64(0)],
        ) {
            assert_eq!(value, Some(Val::U32(0)));
        } else {
            panic!("the other instance is harmed");
        }
        (typed, dynamic, crossed)
    }

    fn fails<T: Lift + 'static>(&self, args: Three, host: &str, adapter: &str) {
        let (typed, dynamic, crossed) = self.tried::<T>(args);
        let typed = typed.map(drop).expect_err("lifted typed");
        is_trap(&typed, host);
        is_trap(&dynamic.expect_err("lifted dynamic"), host);
        is_trap(&crossed.expect_err("moved"), adapter);
    }

    fn succeeds<T>(&self, args: Three, value: T, dynamic: Val, crossed: u32)
    where
        T: Lift + PartialEq + std::fmt::Debug + 'static,
    {
        let (typed, lifted, moved) = self.tried::<T>(args);
        assert_eq!(typed.expect("typed"), value);
        assert_eq!(lifted.expect("dynamic"), dynamic);
        assert_eq!(moved.expect("moved"), crossed);
    }
}

const STRING_OUT: [&str; 2] = [
    "string pointer/length out of bounds of memory",
    "string content out-of-bounds",
];

#[test]
fn strings_that_end_past_memory() {
    // Lengths of eight bytes as each encoding counts them.
    let compact_wide = 4 | 1 << 31;
    for (encoding, len, align) in [
        ("utf8", 8, 1),
        ("utf16", 4, 2),
        ("latin1+utf16", 8, 2),
        ("latin1+utf16", compact_wide, 2),
    ] {
        let values = Values::of("string", true, encoding);
        for past in 0..5 {
            let ptr = MEMORY - 8 + past;
            if !ptr.is_multiple_of(align) {
                let words = ["string pointer not aligned to 2", "unaligned pointer"];
                values.fails::<String>((ptr, len, 0), words[0], words[1]);
            } else if past > 0 {
                values.fails::<String>((ptr, len, 0), STRING_OUT[0], STRING_OUT[1]);
            } else {
                let count = if len == 8 { 8 } else { 4 };
                let text = "\0".repeat(count);
                values.succeeds((ptr, len, 0), text.clone(), Val::String(text), count as u32);
            }
        }
        // Longer than any memory, at the last address, and past all of them.
        for (ptr, len) in [
            (0, 0x7fff_ffff),
            (MEMORY, len),
            (u32::MAX - 1, len),
            (0, u32::MAX),
        ] {
            values.fails::<String>((ptr, len, 0), STRING_OUT[0], STRING_OUT[1]);
        }
    }
}

#[test]
fn an_empty_string_may_stand_at_the_end_of_memory_but_not_behind() {
    for encoding in ["utf8", "utf16", "latin1+utf16"] {
        let values = Values::of("string", true, encoding);
        values.succeeds((MEMORY, 0, 0), String::new(), Val::String(String::new()), 0);
        values.fails::<String>((MEMORY + 2, 0, 0), STRING_OUT[0], STRING_OUT[1]);
    }
}

#[test]
fn bytes_that_are_no_text() {
    let bytes = |bytes: &[u8]| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        (64, bytes.len() as u32, u64::from_le_bytes(word))
    };
    let values = Values::of("string", true, "utf8");
    let wrong: [&[u8]; 8] = [
        b"\xff",
        b"a\x80",
        b"\xc0\x80",
        b"\xe2\x82",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xf8\x88\x80\x80",
        b"abc\xf0\x9f\x98",
    ];
    for wrong in wrong {
        values.fails::<String>(bytes(wrong), "utf-8", "invalid utf-8");
    }
    let euro = "a€".to_string();
    values.succeeds(bytes("a€".as_bytes()), euro.clone(), Val::String(euro), 4);
}

#[test]
fn units_that_are_no_text() {
    for (encoding, tag) in [("utf16", 0), ("latin1+utf16", 1 << 31)] {
        let values = Values::of("string", true, encoding);
        let units = |units: &[u16]| {
            let word = units
                .iter()
                .rev()
                .fold(0, |word, unit| word << 16 | u64::from(*unit));
            (64, units.len() as u32 | tag, word)
        };
        let wrong: [&[u16]; 5] = [
            &[0xd800],
            &[0xdfff],
            &[0xdc00, 0xd800],
            &[0xd83d, 0x61],
            &[0x61, 0xd83d],
        ];
        for wrong in wrong {
            let words = "unpaired surrogate in utf-16";
            values.fails::<String>(units(wrong), words, words);
        }
        let face = "😀".to_string();
        values.succeeds(units(&[0xd83d, 0xde00]), face.clone(), Val::String(face), 4);
    }
}

#[test]
fn lists_that_end_past_memory() {
    let values = Values::of("(list u32)", true, "utf8");
    let words = [
        "list pointer/length out of bounds of memory",
        "list content out-of-bounds",
    ];
    for (ptr, len) in [
        (MEMORY - 4, 2),
        (MEMORY, 1),
        (0, MEMORY / 4 + 1),
        (0, 1 << 28),
        (0, 1 << 31),
        (0, 1 << 30),
        (0, u32::MAX),
        (u32::MAX - 3, 1),
    ] {
        values.fails::<Vec<u32>>((ptr, len, 0), words[0], words[1]);
    }
    values.fails::<Vec<u32>>(
        (2, 1, 0),
        "list pointer is not aligned",
        "unaligned pointer",
    );
    let two = vec![5u32, 6];
    let dynamic = Val::List(two.iter().copied().map(Val::U32).collect());
    values.succeeds((64, 2, 6 << 32 | 5), two, dynamic, 2);
    // Of bytes, where 2²⁸ elements are 2²⁸ bytes: one more than a list may have.
    let values = Values::of("(list u8)", true, "utf8");
    for len in [1 << 28, (1 << 28) - 1, 1 << 31] {
        values.fails::<Vec<u8>>((0, len, 0), words[0], words[1]);
    }
}

#[test]
fn results_whose_address_is_wrong() {
    let values = Values {
        text: component("(tuple u32 u32)", true, "utf8")
            .replace("(i32.const 16)))", "(local.get 0)))"),
    };
    for wrong in [MEMORY - 4, MEMORY, u32::MAX - 3, u32::MAX - 7] {
        let words = ["pointer out of bounds of memory", "pointer out-of-bounds"];
        values.fails::<(u32, u32)>((wrong, 0, 0), words[0], words[1]);
    }
    for wrong in [1, 2, 3, MEMORY - 1, u32::MAX] {
        values.fails::<(u32, u32)>((wrong, 0, 0), "pointer not aligned", "unaligned pointer");
    }
    for right in [0, 4, MEMORY - 8] {
        let nothing = Val::Tuple(vec![Val::U32(0), Val::U32(0)]);
        values.succeeds((right, 0, 0), (0u32, 0u32), nothing, 0);
    }
}

#[test]
fn numbers_that_are_no_characters() {
    let values = Values::of("char", false, "utf8");
    for wrong in [0xd800, 0xdfff, 0x11_0000, u32::MAX, 1 << 31] {
        let words = "`char` bit pattern";
        values.fails::<char>((wrong, 0, 0), "char", words);
    }
    for right in ['\0', '\u{d7ff}', '\u{e000}', '\u{10ffff}'] {
        values.succeeds((right.into(), 0, 0), right, Val::Char(right), right.into());
    }
}

#[test]
fn discriminants_out_of_range() {
    let words = "discriminant";
    let values = Values::of("(option u32)", true, "utf8");
    // Of the byte that is the discriminant only that byte counts.
    for wrong in [2, 255] {
        values.fails::<Option<u32>>((wrong, 7, 0), words, words);
    }
    let seven = Val::Option(Some(Box::new(Val::U32(7))));
    values.succeeds((0x101, 7, 0), Some(7u32), seven, 7);
    // A core value counts as a whole.
    let values = Values::of("(result)", false, "utf8");
    for wrong in [2, 256, u32::MAX] {
        values.fails::<std::result::Result<(), ()>>((wrong, 0, 0), words, words);
    }
    values.succeeds((1, 0, 0), Err::<(), ()>(()), Val::Result(Err(None)), 1);
}

#[test]
fn bools_above_one_are_true() {
    let values = Values::of("bool", false, "utf8");
    for bits in [1, 2, 256, 1 << 31, u32::MAX] {
        values.succeeds((bits, 0, 0), true, Val::Bool(true), 1);
    }
    values.succeeds((0, 0, 0), false, Val::Bool(false), 0);
}

/// Names a type of the inner component, as exported functions have to.
fn named(ty: &str, in_memory: bool) -> String {
    let inner = format!(r#"(component $inner (type $f' {ty}) (export $f "t" (type $f'))"#);
    component(ty, in_memory, "utf8")
        .replace("(component $inner", &inner)
        .replace(&format!("(result {ty})"), "(result $f)")
}

#[test]
fn unknown_flags_are_ignored() {
    let (mut store, one, _) = pair(&named(r#"(flags "a" "b" "c")"#, false));
    for (bits, names, known) in [(u32::MAX, "a b c", 7), (0xf8, "", 0), (0x102, "b", 2)] {
        let args = [Val::U32(bits), Val::U32(0), Val::U64(0)];
        let names = names.split_whitespace().map(str::to_string).collect();
        let lifted = call(&mut store, &one, "inner#get", &args).unwrap();
        assert_eq!(lifted, Some(Val::Flags(names)));
        let moved = call(&mut store, &one, "cross", &args).unwrap();
        assert_eq!(moved, Some(Val::U32(known)));
    }
}

#[test]
fn enums_out_of_range() {
    let text = named(r#"(enum "a" "b" "c")"#, false);
    for wrong in [3, 256, 1 << 31, u32::MAX] {
        let (mut store, one, two) = pair(&text);
        let args = |bits| [Val::U32(bits), Val::U32(0), Val::U64(0)];
        let error = call(&mut store, &one, "inner#get", &args(wrong)).unwrap_err();
        is_trap(&error, "discriminant");
        is_locked(&mut store, &one, "cross", &args(0));
        let error = call(&mut store, &two, "cross", &args(wrong)).unwrap_err();
        is_trap(&error, "invalid variant discriminant");
        let (mut store, one, _) = pair(&text);
        let lifted = call(&mut store, &one, "inner#get", &args(2)).unwrap();
        assert_eq!(lifted, Some(Val::Enum("c".to_string())));
        assert_eq!(
            call(&mut store, &one, "cross", &args(1)).unwrap(),
            Some(Val::U32(1))
        );
    }
}

/// A variant of `n` cases, the first and the last with a number.
fn cases(n: u32) -> String {
    let middle: String = (1..n - 1)
        .map(|case| format!(r#"(case "c{case}")"#))
        .collect();
    format!(
        r#"(variant (case "c0" u32) {middle} (case "c{}" u32))"#,
        n - 1
    )
}

#[test]
fn discriminants_are_as_wide_as_the_number_of_cases_asks() {
    for (n, width) in [(255, 1), (256, 1), (257, 2), (300, 2), (9_999, 2)] {
        let text = named(&cases(n), true);
        let case = |bits: u32| {
            let args = [Val::U32(bits), Val::U32(7), Val::U64(0)];
            let (mut store, one, two) = pair(&text);
            let lifted = call(&mut store, &one, "inner#get", &args);
            let moved = call(&mut store, &two, "cross", &args);
            assert_eq!(lifted.is_ok(), moved.is_ok(), "{n} {bits}");
            lifted
        };
        let above = 1 << (8 * width);
        for bits in [n - 1, above | (n - 1), u32::MAX << (8 * width) | (n - 1)] {
            let last = Val::Variant(format!("c{}", n - 1), Some(Box::new(Val::U32(7))));
            assert_eq!(case(bits).unwrap(), Some(last), "{n} {bits}");
        }
        assert_eq!(case(1).unwrap(), Some(Val::Variant("c1".to_string(), None)));
        if n < above {
            for bits in [n, above - 1] {
                is_trap(&case(bits).unwrap_err(), "discriminant");
            }
        }
    }
}
