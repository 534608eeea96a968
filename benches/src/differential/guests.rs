//! Writes a case's component: two guests, one of which calls the other, and what connects them.

use super::case::{Case, Fault, Guest, Loan, MAX_FLAT_PARAMS, Post, flat};
use super::ty::{Core, Ty, Writer};
use std::fmt::Write;

/// Where a guest lets results be written.
const RETURNED: u32 = 4096;

/// The component, as text.
pub fn component(case: &Case) -> String {
    let mut writer = Writer::default();
    let plain = signature(&mut writer, case);
    let types = format!(
        "(import \"res\" (type $res (sub resource)))\n{}",
        writer.text
    );
    let with: String = writer
        .imports
        .iter()
        .map(|name| format!("(with \"{name}\" (type ${name}))"))
        .collect();
    let led = case.loan.map(lead).unwrap_or_default();
    let inner = |name, guest| component_of(case, name, guest, &types, &plain);
    let (a, b) = (inner("a", &case.guests[0]), inner("b", &case.guests[1]));
    format!(
        r#"(component
{types}
(import "h" (func $h {plain}))
{b}
{a}
(instance $b (instantiate $b (with "res" (type $res)) {with} (with "f" (func $h))))
(alias export $b "gres" (type $g0))
(instance $a (instantiate $a (with "res" (type $res)) {with} (with "gres" (type $g0)) (with "f" (func $b "run"))))
(export $g "gres" (type $g0))
(export "run" (func $a "run") (func {led} {plain}))
(export "make" (func $b "make") (func (param "rep" u32) (result (own $g))))
(export "dropped" (func $b "dropped"))
(export "stat-a" (func $a "stat"))
(export "stat-b" (func $b "stat"))
)"#
    )
}

fn lead(loan: Loan) -> &'static str {
    match loan {
        Loan::Own => "(param \"g\" (own $g))",
        Loan::Borrow => "(param \"g\" (borrow $g))",
    }
}

fn signature(writer: &mut Writer, case: &Case) -> String {
    let mut text = String::new();
    for (at, ty) in case.params.iter().enumerate() {
        let name = writer.name(ty);
        write!(text, "(param \"p{at}\" {name}) ").expect("strings take everything");
    }
    if let Some(ty) = &case.result {
        let name = writer.name(ty);
        write!(text, "(result {name})").expect("strings take everything");
    }
    text
}

/// One guest: B if it defines the resource, A if it imports it.
fn component_of(case: &Case, name: &str, guest: &Guest, types: &str, plain: &str) -> String {
    let led = case.loan.map(lead).unwrap_or_default();
    let inner = name == "b";
    let (resource, imported) = match inner {
        true => (DEFINED.to_string(), plain.to_string()),
        false => (
            "(import \"gres\" (type $g (sub resource)))".to_string(),
            format!("{led} {plain}"),
        ),
    };
    let make = if inner { MAKE } else { "" };
    let memory = memory(guest);
    let code = code(case, guest, inner);
    let [exported, lowered] = guest.encodings;
    let post = match guest.post {
        Some(_) => "(post-return (core func $i \"post\"))",
        None => "",
    };
    format!(
        r#"(component ${name}
{types}
{resource}
(import "f" (func $f {imported}))
{memory}
(core instance $mem (instantiate $mem))
(core func $f' (canon lower (func $f) (memory (core memory $mem "memory")) (realloc (core func $mem "realloc")) string-encoding={lowered}))
(core func $drop (canon resource.drop $res))
(core func $gdrop (canon resource.drop $g))
{code}
(core instance $i (instantiate $m (with "m" (instance
  (export "memory" (memory $mem "memory")) (export "f" (func $f'))
  (export "drop" (func $drop)) (export "gdrop" (func $gdrop))
  (export "asked" (global $mem "asked")) (export "seen" (global $mem "seen"))))))
(func (export "run") {led} {plain}
  (canon lift (core func $i "run") (memory (core memory $mem "memory")) (realloc (core func $mem "realloc")) string-encoding={exported} {post}))
(func (export "stat") (result u64) (canon lift (core func $i "stat")))
{make})"#
    )
}

/// B's resource; the destructor keeps what it saw and in which order.
const DEFINED: &str = r#"(core module $d
  (global $seen (mut i32) (i32.const 7))
  (func (export "dropped") (result i32) (global.get $seen))
  (func (export "dtor") (param i32)
    (global.set $seen (i32.add (i32.mul (global.get $seen) (i32.const 31)) (local.get 0)))))
(core instance $d (instantiate $d))
(type $g' (resource (rep i32) (dtor (core func $d "dtor"))))
(export $g "gres" (type $g'))"#;

const MAKE: &str = r#"(core func $new (canon resource.new $g'))
(func (export "make") (param "rep" u32) (result (own $g)) (canon lift (core func $new)))
(func (export "dropped") (result u32) (canon lift (core func $d "dropped")))"#;

/// A memory with a `realloc` that hands out one place after another and keeps what it was asked.
fn memory(guest: &Guest) -> String {
    let mut bytes = String::new();
    for byte in &guest.bytes {
        write!(bytes, "\\{byte:02x}").expect("strings take everything");
    }
    let fault = match guest.fault {
        None => String::new(),
        Some((nth, fault)) => {
            let then = match fault {
                Fault::Misaligned => "(return (i32.const 30001))",
                Fault::OutOfRange => "(return (i32.const 1048576))",
                Fault::Last => "(return (i32.const 65528))",
                Fault::Null => "(return (i32.const 0))",
                Fault::Trap => "unreachable",
            };
            format!("(if (i32.eq (global.get $asked) (i32.const {nth})) (then {then}))")
        }
    };
    format!(
        r#"(core module $mem
  (memory (export "memory") 1)
  (data (i32.const {raw}) "{bytes}")
  (global $heap (mut i32) (i32.const 16384))
  (global $asked (export "asked") (mut i32) (i32.const 0))
  (global $seen (export "seen") (mut i32) (i32.const 0))
  (func $mix (param i32)
    (global.set $seen (i32.add (i32.mul (global.get $seen) (i32.const 31)) (local.get 0))))
  (func (export "realloc") (param $old i32) (param $had i32) (param $align i32) (param $size i32) (result i32)
    (local $place i32)
    (global.set $asked (i32.add (global.get $asked) (i32.const 1)))
    (call $mix (local.get $old)) (call $mix (local.get $had))
    (call $mix (local.get $align)) (call $mix (local.get $size))
    {fault}
    (local.set $place (i32.and
      (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get $align))))
    (if (i32.gt_u (i32.add (local.get $place) (local.get $size)) (i32.const 65536)) (then unreachable))
    (global.set $heap (i32.add (local.get $place) (local.get $size)))
    (if (local.get $had) (then (memory.copy (local.get $place) (local.get $old)
      (select (local.get $had) (local.get $size) (i32.lt_u (local.get $had) (local.get $size))))))
    (local.get $place)))"#,
        raw = super::case::RAW,
    )
}

fn list(of: &str, cores: &[Core]) -> String {
    let names: Vec<&str> = cores.iter().map(|core| core.text()).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!("({of} {})", names.join(" ")),
    }
}

fn constant(core: Core, bits: u64) -> String {
    match core {
        Core::I32 => format!("(i32.const {})", bits as u32),
        Core::I64 => format!("(i64.const {bits})"),
        Core::F32 => format!("(f32.reinterpret_i32 (i32.const {}))", bits as u32),
        Core::F64 => format!("(f64.reinterpret_i64 (i64.const {bits}))"),
    }
}

/// The guest's code: it passes on what it is given, without looking at it.
fn code(case: &Case, guest: &Guest, inner: bool) -> String {
    let mut plain = flat(&case.params);
    let in_memory = plain.len() > MAX_FLAT_PARAMS;
    if in_memory {
        plain = vec![Core::I32];
    }
    let mut returned = Vec::new();
    if let Some(ty) = &case.result {
        ty.flatten(&mut returned);
    }
    let pointed = returned.len() > 1;
    let led = usize::from(case.loan.is_some());
    let mut taken = vec![Core::I32; led];
    taken.extend(&plain);
    // B keeps the resource, A passes it on.
    let mut given = if inner { plain.clone() } else { taken.clone() };
    if pointed {
        given.push(Core::I32);
    }
    let results = if pointed { vec![Core::I32] } else { returned };
    let call_results = if pointed { Vec::new() } else { results.clone() };
    format!(
        r#"(core module $m
  (import "m" "memory" (memory 1))
  (import "m" "f" (func $f {given} {call_results}))
  (import "m" "drop" (func $drop (param i32)))
  (import "m" "gdrop" (func $gdrop (param i32)))
  (import "m" "asked" (global $asked (mut i32)))
  (import "m" "seen" (global $seen (mut i32)))
  (global $posts (mut i32) (i32.const 0))
  (func (export "run") {taken} {results}
(local $place i32) (local $left i32)
{body})
  (func (export "post") {posted}
    (global.set $posts (i32.add (global.get $posts) (i32.const 1)))
{post})
{STAT})"#,
        given = list("param", &given),
        call_results = list("result", &call_results),
        taken = list("param", &taken),
        posted = list("param", &results),
        post = post(guest, results.first().copied()),
        body = body(case, guest, inner, &plain, &results, pointed),
        results = list("result", &results),
    )
}

fn body(
    case: &Case,
    guest: &Guest,
    inner: bool,
    plain: &[Core],
    results: &[Core],
    pointed: bool,
) -> String {
    let led = usize::from(case.loan.is_some());
    let mut call = String::new();
    if led == 1 && !inner {
        call.push_str("(local.get 0) ");
    }
    for (at, core) in plain.iter().enumerate() {
        match &guest.raw_args {
            Some(raw) => call.push_str(&constant(*core, raw[at])),
            None => call.push_str(&format!("(local.get {}) ", at + led)),
        }
    }
    if pointed {
        call.push_str(&format!("(i32.const {RETURNED})"));
    }
    call.push_str(" call $f\n");
    let core = results.first().copied();
    let mut body = String::new();
    for at in 0..guest.calls {
        body.push_str(&call);
        let last = at + 1 == guest.calls && guest.raw_result.is_none();
        if !pointed && core.is_some() && !last {
            body.push_str("drop\n");
        }
    }
    if guest.drops {
        body.push_str(&drops(case, inner, led));
    }
    match (core, guest.raw_result) {
        (None, _) => {}
        (Some(core), Some(raw)) => body.push_str(&constant(core, raw)),
        (Some(core), None) if guest.calls == 0 => body.push_str(&constant(core, 0)),
        (Some(_), None) if pointed => body.push_str(&format!("(i32.const {RETURNED})")),
        (Some(_), None) => {}
    }
    body
}

/// Gives back what was lent; B ends the resource that it was given.
fn drops(case: &Case, inner: bool, led: usize) -> String {
    let mut text = String::new();
    match case.loan {
        Some(Loan::Own) if inner => text.push_str("(call $gdrop (local.get 0))\n"),
        Some(Loan::Borrow) if !inner => text.push_str("(call $gdrop (local.get 0))\n"),
        // B gets the representation.
        Some(Loan::Borrow) => text.push_str("(global.set $seen (local.get 0))\n"),
        _ => {}
    }
    let mut at = led;
    for ty in &case.params {
        back(ty, at, &mut text);
        at += flat(std::slice::from_ref(ty)).len();
    }
    text
}

/// Gives back what was lent in a value whose first core value is that parameter.
fn back(ty: &Ty, at: usize, text: &mut String) {
    let all = |types: &mut dyn Iterator<Item = &Ty>, text: &mut String| {
        let mut at = at;
        for ty in types {
            back(ty, at, text);
            at += flat(std::slice::from_ref(ty)).len();
        }
    };
    match ty {
        Ty::Borrow => text.push_str(&format!("(call $drop (local.get {at}))\n")),
        Ty::Record(types) | Ty::Tuple(types) => all(&mut types.iter(), text),
        Ty::Fixed(ty, count) if ty.lends() => {
            all(&mut (0..*count).map(|_| ty.as_ref()), text);
        }
        Ty::Option(ty) if ty.lends() => {
            text.push_str(&format!("(if (local.get {at}) (then "));
            back(ty, at + 1, text);
            text.push_str("))\n");
        }
        Ty::Variant(cases) if ty.lends() => {
            backs(ty, &mut cases.iter().map(Option::as_ref), at, text);
        }
        Ty::Result(ok, err) if ty.lends() => {
            backs(
                ty,
                &mut [ok, err].into_iter().map(Option::as_deref),
                at,
                text,
            );
        }
        Ty::List(ty) if ty.lends() => {
            let length = at + 1;
            text.push_str(&format!(
                "(local.set $place (local.get {at})) (local.set $left (local.get {length}))
(block $done (loop $again (br_if $done (i32.eqz (local.get $left)))
  (call $drop (i32.load (local.get $place)))
  (local.set $place (i32.add (local.get $place) (i32.const 4)))
  (local.set $left (i32.sub (local.get $left) (i32.const 1))) (br $again)))\n"
            ));
        }
        _ => {}
    }
}

/// Gives back what was lent as the payload of a case.
fn backs(ty: &Ty, cases: &mut dyn Iterator<Item = Option<&Ty>>, at: usize, text: &mut String) {
    // Other cases may have made its place one of 64 bits.
    let handle = match flat(std::slice::from_ref(ty))[1] {
        Core::I64 => format!("(i32.wrap_i64 (local.get {}))", at + 1),
        _ => format!("(local.get {})", at + 1),
    };
    for (case, payload) in cases.enumerate() {
        if payload == Some(&Ty::Borrow) {
            text.push_str(&format!(
                "(if (i32.eq (local.get {at}) (i32.const {case})) (then (call $drop {handle})))\n"
            ));
        }
    }
}

/// Keeps what `post-return` is given, and does what it does.
fn post(guest: &Guest, core: Option<Core>) -> String {
    let given = match core {
        None => "(i32.const 1)",
        Some(Core::I32) => "(local.get 0)",
        Some(Core::I64) => "(i32.wrap_i64 (local.get 0))",
        Some(Core::F32) => "(i32.reinterpret_f32 (local.get 0))",
        Some(Core::F64) => "(i32.wrap_i64 (i64.reinterpret_f64 (local.get 0)))",
    };
    let then = match guest.post {
        Some(Post::Traps) => "unreachable",
        Some(Post::Leaves) => "(call $drop (i32.const 0))",
        Some(Post::Returns) | None => "",
    };
    format!(
        "    (global.set $seen (i32.add (i32.mul (global.get $seen) (i32.const 31)) {given}))\n    {then}"
    )
}

/// A number that every byte of the memory and every `realloc` has a part in.
const STAT: &str = r#"  (func (export "stat") (result i64)
    (local $at i32) (local $sum i64)
    (loop $again
      (local.set $sum (i64.add
        (i64.mul (local.get $sum) (i64.const 1099511628211)) (i64.load (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $again (i32.lt_u (local.get $at) (i32.const 65536))))
    (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 31)) (i64.extend_i32_u (global.get $asked))))
    (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 31)) (i64.extend_i32_u (global.get $seen))))
    (i64.add (i64.mul (local.get $sum) (i64.const 31)) (i64.extend_i32_u (global.get $posts))))"#;
