//! The component of a batch, as text.
//!
//! Two guests of two encodings: each exports its functions `f-N`, which keep what they are passed, and
//! `call-N`, which pass on to the imports `h-N` what was laid down for them. The guest `b` imports from
//! the host, the guest `a` what `b` exports. A guest has three memories: `m`, which its values are in,
//! `s` beside it for core values and the log of `realloc`, so that `m` holds nothing else, and `io`,
//! through which the host sets and reads both.

use super::guest::{
    CALLS, DROPPED, DROPS, LOG, LOG_ENTRY, LOGGED_CALLS, MEMORY, NEXT, QUIRK_AT, QUIRK_MODE,
    QUIRK_VALUE, RECEIVED, SENT, SIDE,
};
use super::types::{Signature, Ty};
use super::values::name;
use serde_json::Value;
use std::fmt::Write;

/// The core types of addresses.
pub const POINTERS: [&str; 2] = ["i32", "i64"];
/// How strings are encoded, by the names that options and the reference share.
pub const ENCODINGS: [&str; 3] = ["utf8", "utf16", "latin1+utf16"];

/// The core types of a function, as the reference flattens them.
#[derive(Debug)]
pub struct Flat {
    /// Parameters.
    pub params: Vec<String>,
    /// Results, one at most.
    pub results: Vec<String>,
}

impl Flat {
    /// Of each core type of addresses, from the reference's answer.
    pub fn of_both(answer: &Value) -> [Flat; 2] {
        POINTERS.map(|pointer| Flat::read(&answer[pointer]))
    }

    fn read(answer: &Value) -> Flat {
        let types = |list: &Value| {
            let list = list.as_array().expect("core types");
            let name = |ty: &Value| ty.as_str().expect("a core type").to_owned();
            list.iter().map(name).collect()
        };
        Flat {
            params: types(&answer[0]),
            results: types(&answer[1]),
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (at, ty) in self.params.iter().enumerate() {
            let _ = write!(text, "(param $p{at} {ty}) ");
        }
        for ty in &self.results {
            let _ = write!(text, "(result {ty}) ");
        }
        text
    }
}

/// A signature, and its core types lifted and lowered, by the core types of addresses.
#[derive(Debug)]
pub struct Function {
    /// Of the component's level.
    pub signature: Signature,
    /// Of a core function that is lifted to it.
    pub lifted: [Flat; 2],
    /// Of a core function that it is lowered to.
    pub lowered: [Flat; 2],
}

/// Declarations of types: members' names, and an import for each type that has to have a name.
struct Types {
    text: String,
    count: usize,
    named: Vec<usize>,
}

impl Types {
    fn declare(&mut self, ty: &Ty) -> String {
        let labels = |kind: &str, of: &str, count: usize| {
            let labels = (0..count).map(|at| format!("\"{}\"", name(of, at)));
            format!("({kind} {})", labels.collect::<Vec<_>>().join(" "))
        };
        let (text, nominal) = match ty {
            Ty::Plain(name) => return (*name).to_owned(),
            Ty::Own => ("(own $res)".to_owned(), false),
            Ty::Borrow => ("(borrow $res)".to_owned(), false),
            Ty::ErrorContext => return "error-context".to_owned(),
            Ty::Enum(count) => (labels("enum", "e", *count), true),
            Ty::Flags(count) => (labels("flags", "b", *count), true),
            Ty::List(ty) => (format!("(list {})", self.declare(ty)), false),
            Ty::Fixed(ty, length) => (format!("(list {} {length})", self.declare(ty)), false),
            Ty::Option(ty) => (format!("(option {})", self.declare(ty)), false),
            Ty::Map(key, ty) => {
                let key = self.declare(key);
                (format!("(map {key} {})", self.declare(ty)), false)
            }
            Ty::Tuple(types) => {
                let types: Vec<String> = types.iter().map(|ty| self.declare(ty)).collect();
                (format!("(tuple {})", types.join(" ")), false)
            }
            Ty::Result(ok, err) => {
                let ok = ok.as_ref().map(|ty| self.declare(ty)).unwrap_or_default();
                let err = err.as_ref().map(|ty| self.declare(ty));
                let err = err.map_or(String::new(), |ty| format!("(error {ty})"));
                (format!("(result {ok} {err})"), false)
            }
            Ty::Record(types) => {
                let mut text = "(record".to_owned();
                for (at, ty) in types.iter().enumerate() {
                    let ty = self.declare(ty);
                    let _ = write!(text, " (field \"{}\" {ty})", name("f", at));
                }
                (text + ")", true)
            }
            Ty::Variant(cases) => {
                let mut text = "(variant".to_owned();
                for (at, ty) in cases.iter().enumerate() {
                    let ty = ty.as_ref().map(|ty| self.declare(ty)).unwrap_or_default();
                    let _ = write!(text, " (case \"{}\" {ty})", name("c", at));
                }
                (text + ")", true)
            }
        };
        self.add(&text, nominal)
    }

    fn add(&mut self, text: &str, nominal: bool) -> String {
        let at = self.count;
        self.count += 1;
        if nominal {
            let _ = writeln!(self.text, "(type $d{at} {text})");
            let _ = writeln!(self.text, "(import \"t-{at}\" (type $t{at} (eq $d{at})))");
            self.named.push(at);
        } else {
            let _ = writeln!(self.text, "(type $t{at} {text})");
        }
        format!("$t{at}")
    }

    fn function(&mut self, signature: &Signature) -> String {
        let mut text = String::new();
        for (at, ty) in signature.params.iter().enumerate() {
            let ty = self.declare(ty);
            let _ = write!(text, "(param \"p{at}\" {ty}) ");
        }
        let result = self.declare(&signature.result);
        text + &format!("(result {result})")
    }
}

/// How a guest passes values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Side {
    /// One of [`ENCODINGS`].
    pub encoding: &'static str,
    /// Whether its memory has 64-bit addresses.
    pub wide: bool,
}

impl Side {
    /// The core type of its addresses.
    pub fn pointer(self) -> &'static str {
        POINTERS[usize::from(self.wide)]
    }
}

/// The whole component: `a` passes values as the first side, `b` as the second.
pub fn text(functions: &[Function], sides: [Side; 2]) -> String {
    let mut types = Types {
        text: "(import \"res\" (type $res (sub resource)))\n".to_owned(),
        count: 0,
        named: Vec::new(),
    };
    let shapes: Vec<String> = functions
        .iter()
        .map(|function| types.function(&function.signature))
        .collect();
    let mut text = format!("(component\n{}", types.text);
    for (at, shape) in shapes.iter().enumerate() {
        let _ = writeln!(text, "(import \"h-{at}\" (func $h{at} {shape}))");
    }
    for (name, side) in ["A", "B"].iter().zip(sides) {
        let inner = guest(functions, &shapes, &types.text, side);
        let _ = writeln!(text, "(component ${name}\n{inner})");
    }
    let mut with = "(with \"res\" (type $res))".to_owned();
    for at in &types.named {
        let _ = write!(with, " (with \"t-{at}\" (type $t{at}))");
    }
    let imports = |from: &dyn Fn(usize) -> String| {
        let import = |at| format!(" (with \"h-{at}\" (func {}))", from(at));
        (0..functions.len()).map(import).collect::<String>()
    };
    let of_host = imports(&|at| format!("$h{at}"));
    let of_b = imports(&|at| format!("$b-f-{at}"));
    let _ = writeln!(text, "(instance $b (instantiate $B{with}{of_host}))");
    for guest in ["b", "a"] {
        if guest == "a" {
            let _ = writeln!(text, "(instance $a (instantiate $A{with}{of_b}))");
        }
        let calls = (0..functions.len()).map(|at| format!("call-{at}"));
        let kept = (0..functions.len()).map(|at| format!("f-{at}"));
        let own = [
            "set",
            "dump",
            "give",
            "drop",
            "give-error",
            "take-error",
            "drop-error",
        ];
        let own = own.map(str::to_owned);
        for name in own.into_iter().chain(calls).chain(kept) {
            let _ = writeln!(
                text,
                "(alias export ${guest} \"{name}\" (func ${guest}-{name}))"
            );
            let _ = writeln!(text, "(export \"{guest}-{name}\" (func ${guest}-{name}))");
        }
    }
    text + ")"
}

fn guest(functions: &[Function], shapes: &[String], types: &str, side: Side) -> String {
    let mut text = types.to_owned();
    let encoding = side.encoding;
    let options = format!("(memory $m) (realloc $realloc) string-encoding={encoding}");
    for (at, shape) in shapes.iter().enumerate() {
        let _ = writeln!(text, "(import \"h-{at}\" (func $h{at} {shape}))");
    }
    text += &libc(side);
    text += "(core func $drop (canon resource.drop $res))\n";
    text += "(core func $drop-error (canon error-context.drop))\n";
    let mut with = " (export \"drop\" (func $drop))".to_owned();
    for at in 0..functions.len() {
        let _ = writeln!(
            text,
            "(core func $l{at} (canon lower (func $h{at}) {options}))"
        );
        let _ = write!(with, " (export \"h-{at}\" (func $l{at}))");
    }
    text += &main_module(functions, usize::from(side.wide));
    let _ = writeln!(
        text,
        "(core instance $main (instantiate $main
           (with \"libc\" (instance $libc)) (with \"h\" (instance{with}))))"
    );
    for (at, shape) in shapes.iter().enumerate() {
        let _ = writeln!(
            text,
            "(alias core export $main \"f-{at}\" (core func $f{at}))
             (alias core export $main \"call-{at}\" (core func $call{at}))
             (func (export \"f-{at}\") {shape} (canon lift (core func $f{at}) {options}))
             (func (export \"call-{at}\") (canon lift (core func $call{at})))"
        );
    }
    text + "(func (export \"set\") (param \"bytes\" (list u8))
              (canon lift (core func $set) (memory $io) (realloc $io-realloc)))
            (func (export \"dump\") (result (list u8))
              (canon lift (core func $dump) (memory $io)))
            (func (export \"give\") (param \"r\" (own $res)) (result u32)
              (canon lift (core func $give)))
            (func (export \"drop\") (param \"index\" u32) (canon lift (core func $drop)))
            (func (export \"give-error\") (param \"e\" error-context) (result u32)
              (canon lift (core func $give)))
            (func (export \"take-error\") (param \"index\" u32) (result error-context)
              (canon lift (core func $give)))
            (func (export \"drop-error\") (param \"index\" u32)
              (canon lift (core func $drop-error)))\n"
}

/// The memories and `realloc`, which the reference's guest mirrors. What it does it does with 64 bits, so
/// that no width hides what it was called with.
fn libc(side: Side) -> String {
    let total = MEMORY + SIDE;
    let ptr = side.pointer();
    // Of a memory with 32-bit addresses.
    let (index, arguments, narrow) = match side.wide {
        true => ("i64", String::new(), ""),
        false => ("", "(i64.extend_i32_u ".to_owned(), "(i32.wrap_i64 "),
    };
    let close = if side.wide { "" } else { ")" };
    let given = |at: usize| format!("{arguments}(local.get {at}){close}");
    let given = [0, 1, 2, 3].map(given).join(" ");
    format!(
        r#"(core module $libc
  (memory $m (export "m") {index} 1) (memory $s (export "s") 1) (memory $io (export "io") 3)
  (func (export "io-realloc") (param i32 i32 i32 i32) (result i32) (i32.const 16))
  (func (export "set") (param i32 i32)
    (memory.copy $m $io ({ptr}.const 0) (i32.const 16) (i32.const {MEMORY}))
    (memory.copy $s $io (i32.const 0) (i32.const {from_side}) (i32.const {SIDE})))
  (func (export "dump") (result i32)
    (memory.copy $io $m (i32.const 16) ({ptr}.const 0) (i32.const {MEMORY}))
    (memory.copy $io $s (i32.const {from_side}) (i32.const 0) (i32.const {SIDE}))
    (i32.store $io (i32.const 0) (i32.const 16))
    (i32.store $io (i32.const 4) (i32.const {total}))
    (i32.const 0))
  (func (export "give") (param i32) (result i32) (local.get 0))
  (func (export "realloc") (param {ptr} {ptr} {ptr} {ptr}) (result {ptr})
    {narrow}(call $room {given}){close})
  (func $room (param $old i64) (param $old-size i64) (param $align i64) (param $size i64) (result i64)
    (local $call i32) (local $entry i32) (local $ptr i64)
    (local.set $call (i32.load $s (i32.const {CALLS})))
    (if (i32.ge_u (local.get $call) (i32.const {LOGGED_CALLS})) (then (unreachable)))
    (local.set $entry
      (i32.add (i32.const {LOG}) (i32.mul (local.get $call) (i32.const {LOG_ENTRY}))))
    (i64.store $s (local.get $entry) (local.get $old))
    (i64.store $s offset=8 (local.get $entry) (local.get $old-size))
    (i64.store $s offset=16 (local.get $entry) (local.get $align))
    (i64.store $s offset=24 (local.get $entry) (local.get $size))
    (i32.store $s (i32.const {CALLS}) (i32.add (local.get $call) (i32.const 1)))
    (if (i32.load $s (i32.const {QUIRK_MODE})) (then
      (if (i32.eq (local.get $call) (i32.load $s (i32.const {QUIRK_AT}))) (then
        (if (i32.eq (i32.load $s (i32.const {QUIRK_MODE})) (i32.const 2)) (then (unreachable)))
        (return (i64.load $s (i32.const {QUIRK_VALUE})))))))
    (local.set $ptr (i64.and
      (i64.add (i64.load32_u $s (i32.const {NEXT})) (i64.sub (local.get $align) (i64.const 1)))
      (i64.sub (i64.const 0) (local.get $align))))
    (if (i64.gt_u (i64.add (local.get $ptr) (local.get $size)) (i64.const {MEMORY}))
      (then (unreachable)))
    (i64.store32 $s (i32.const {NEXT}) (i64.add (local.get $ptr) (local.get $size)))
    (memory.copy $m $m {narrow}(local.get $ptr){close} {narrow}(local.get $old){close}
      {narrow}(select (local.get $old-size) (local.get $size)
        (i64.lt_u (local.get $old-size) (local.get $size))){close})
    (local.get $ptr)))
(core instance $libc (instantiate $libc))
(alias core export $libc "m" (core memory $m))
(alias core export $libc "io" (core memory $io))
(alias core export $libc "realloc" (core func $realloc))
(alias core export $libc "io-realloc" (core func $io-realloc))
(alias core export $libc "set" (core func $set))
(alias core export $libc "dump" (core func $dump))
(alias core export $libc "give" (core func $give))
"#,
        from_side = 16 + MEMORY,
    )
}

fn main_module(functions: &[Function], wide: usize) -> String {
    let mut text = r#"(core module $main (import "libc" "s" (memory 1))
  (import "h" "drop" (func $drop (param i32)))
"#
    .to_owned();
    for (at, function) in functions.iter().enumerate() {
        let shape = function.lowered[wide]
            .text()
            .replace('$', &format!("$h{at}"));
        let _ = writeln!(text, "(import \"h\" \"h-{at}\" (func $h{at} {shape}))");
    }
    text += &drops();
    for (at, function) in functions.iter().enumerate() {
        let _ = writeln!(
            text,
            "(func (export \"f-{at}\") {}",
            function.lifted[wide].text()
        );
        for (param, ty) in function.lifted[wide].params.iter().enumerate() {
            let place = RECEIVED + 8 * param;
            let _ = writeln!(
                text,
                "({ty}.store (i32.const {place}) (local.get $p{param}))"
            );
        }
        text += "(call $drops)";
        for ty in &function.lifted[wide].results {
            let _ = writeln!(text, "({ty}.load (i32.const {SENT}))");
        }
        let mut call = format!("(call $h{at}");
        for (param, ty) in function.lowered[wide].params.iter().enumerate() {
            let _ = write!(call, " ({ty}.load (i32.const {}))", SENT + 8 * param);
        }
        call.push(')');
        if let [ty] = function.lowered[wide].results.as_slice() {
            call = format!("({ty}.store (i32.const {RECEIVED}) {call})");
        }
        let _ = writeln!(text, ")\n(func (export \"call-{at}\") {call})");
    }
    text + ")\n"
}

/// Drops the borrows that were laid down for it.
fn drops() -> String {
    format!(
        r#"(func $drops (local $at i32)
    (block $done (loop $again
      (br_if $done (i32.ge_u (local.get $at) (i32.load (i32.const {DROPS}))))
      (call $drop (i32.load offset={DROPPED} (i32.mul (local.get $at) (i32.const 4))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $again))))
"#
    )
}
