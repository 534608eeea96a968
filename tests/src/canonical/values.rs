//! Random values, and values between the host's form and the one in which they travel.
//!
//! They travel by position, so that names never matter: a record is an array, a variant
//! `[case, payload]`, flags are a number, a float is its bits, a character its number, an error context its
//! message.

use super::rng::Rng;
use super::types::Ty;
use cellule::component::{ErrorContext, List, ResourceAny, Val};
use serde_json::{Value, json};

/// Strings and list elements of one value, so that it fits in a page of memory several times.
const ROOM: usize = 600;

/// A random value of a type.
pub fn random(rng: &mut Rng, ty: &Ty) -> Value {
    let mut room = ROOM;
    within(rng, ty, &mut room)
}

fn within(rng: &mut Rng, ty: &Ty, room: &mut usize) -> Value {
    match ty {
        Ty::Plain(name) => plain(rng, name, room),
        Ty::List(element) => {
            let longest = if matches!(**element, Ty::Plain(name) if name != "string") {
                rng.pick(&[1, 4, 40])
            } else {
                4
            };
            let length = rng.below(longest + 1).min(*room);
            *room -= length;
            (0..length).map(|_| within(rng, element, room)).collect()
        }
        Ty::Fixed(element, length) => (0..*length).map(|_| within(rng, element, room)).collect(),
        Ty::Record(types) | Ty::Tuple(types) => {
            types.iter().map(|ty| within(rng, ty, room)).collect()
        }
        Ty::Variant(cases) => {
            let case = rng.below(cases.len());
            let payload = cases[case].as_ref();
            json!([case, payload.map(|ty| within(rng, ty, room))])
        }
        Ty::Enum(count) => json!([rng.below(*count), null]),
        Ty::Option(_) if rng.one_in(3) => json!([0, null]),
        Ty::Option(ty) => json!([1, within(rng, ty, room)]),
        Ty::Result(ok, err) => {
            let case = rng.below(2);
            let payload = [ok, err][case].as_ref();
            json!([case, payload.map(|ty| within(rng, ty, room))])
        }
        Ty::Flags(count) => json!(rng.number() as u32 & mask(*count)),
        Ty::Own | Ty::Borrow => json!(rng.number() as u32),
        Ty::ErrorContext => json!(text(rng, room)),
        Ty::Map(key, value) => {
            let length = rng.below(4).min(*room);
            *room -= length;
            let mut entry = |_| json!([within(rng, key, room), within(rng, value, room)]);
            (0..length).map(&mut entry).collect()
        }
    }
}

fn mask(flags: usize) -> u32 {
    u32::MAX >> (32 - flags)
}

/// Numbers at the edges as often as any others.
fn bits(rng: &mut Rng) -> u64 {
    match rng.below(6) {
        0 => 0,
        1 => u64::MAX,
        2 => 1 << rng.below(64),
        3 => (1 << rng.below(64)) - 1,
        _ => rng.number(),
    }
}

fn plain(rng: &mut Rng, name: &str, room: &mut usize) -> Value {
    let number = bits(rng);
    match name {
        "bool" => json!(number & 1 == 1),
        "s8" => json!(number as i8),
        "u8" => json!(number as u8),
        "s16" => json!(number as i16),
        "u16" => json!(number as u16),
        "s32" => json!(number as i32),
        "u32" => json!(number as u32),
        "s64" => json!(number as i64),
        "u64" => json!(number),
        "f32" => match rng.below(3) {
            // Not-a-numbers of all kinds, and infinities.
            0 => json!(0x7f80_0000 | number as u32),
            _ => json!(number as u32),
        },
        "f64" => match rng.below(3) {
            0 => json!(0x7ff0_0000_0000_0000 | number),
            _ => json!(number),
        },
        "char" => json!(u32::from(character(rng))),
        _ => json!(text(rng, room)),
    }
}

/// A string of one of the kinds for which transcoding takes different ways.
fn text(rng: &mut Rng, room: &mut usize) -> String {
    let kind = rng.below(5);
    let longest = rng.pick(&[1, 8, 8, 8, 150]);
    let length = rng.below(longest + 1).min(*room);
    *room -= length;
    let odd = rng.below(length + 1);
    let one = |at: usize| match kind {
        0 => ascii(rng),
        1 => latin1(rng),
        // One character that isn't like the others.
        2 if at == odd => character(rng),
        2 => ascii(rng),
        3 if at == odd => character(rng),
        3 => latin1(rng),
        _ => character(rng),
    };
    (0..length).map(one).collect()
}

fn ascii(rng: &mut Rng) -> char {
    char::from(rng.below(0x80) as u8)
}

fn latin1(rng: &mut Rng) -> char {
    char::from(rng.below(0x100) as u8)
}

fn character(rng: &mut Rng) -> char {
    let limit = rng.pick(&[0x80, 0x100, 0x101, 0x800, 0x1_0000, 0x11_0000]);
    let number = rng.below(limit) as u32;
    char::from_u32(number).unwrap_or('\u{d7ff}')
}

/// What members are called, in components and in the host's values.
pub fn name(of: &str, at: usize) -> String {
    format!("{of}{at}")
}

fn number(value: &Value) -> i128 {
    let unsigned = value.as_u64().map(i128::from);
    let number = unsigned.or_else(|| value.as_i64().map(i128::from));
    number.expect("a whole number")
}

fn items(value: &Value) -> &[Value] {
    value.as_array().expect("an array")
}

/// The host's form of a value; `hold` makes its handle of a resource.
///
/// # Panics
/// If it isn't of the type.
pub fn to_val(value: &Value, ty: &Ty, hold: &dyn Fn(u32) -> ResourceAny) -> Val {
    let payload = |ty: Option<&Ty>| ty.map(|ty| Box::new(to_val(&value[1], ty, hold)));
    let case = || number(&value[0]) as usize;
    match ty {
        Ty::Plain(name) => plain_val(value, name),
        Ty::List(ty) => Val::List(list(items(value), ty, hold)),
        Ty::Fixed(ty, _) => Val::FixedLengthList(list(items(value), ty, hold)),
        Ty::Record(types) => {
            let fields = types.iter().zip(items(value)).enumerate();
            Val::Record(
                fields
                    .map(|(at, (ty, value))| (name("f", at), to_val(value, ty, hold)))
                    .collect(),
            )
        }
        Ty::Tuple(types) => {
            let values = types.iter().zip(items(value));
            Val::Tuple(values.map(|(ty, value)| to_val(value, ty, hold)).collect())
        }
        Ty::Variant(cases) => Val::Variant(name("c", case()), payload(cases[case()].as_ref())),
        Ty::Enum(_) => Val::Enum(name("e", case())),
        Ty::Option(ty) => Val::Option(payload((case() == 1).then_some(ty))),
        Ty::Result(ok, _) if case() == 0 => Val::Result(Ok(payload(ok.as_deref()))),
        Ty::Result(_, err) => Val::Result(Err(payload(err.as_deref()))),
        Ty::Flags(count) => {
            let set = (0..*count).filter(|at| number(value) >> at & 1 == 1);
            Val::Flags(set.map(|at| name("b", at)).collect())
        }
        Ty::Own | Ty::Borrow => Val::Resource(hold(number(value) as u32)),
        Ty::ErrorContext => {
            let message = value.as_str().expect("a string");
            Val::ErrorContext(ErrorContext::new(message))
        }
        Ty::Map(key, ty) => {
            let entry = |entry: &Value| (to_val(&entry[0], key, hold), to_val(&entry[1], ty, hold));
            Val::Map(items(value).iter().map(entry).collect())
        }
    }
}

/// Lists of numbers are packed as the library itself packs them.
fn list(values: &[Value], ty: &Ty, hold: &dyn Fn(u32) -> ResourceAny) -> List {
    let numbers = values.iter().map(number);
    match ty {
        Ty::Plain("u8") => List::U8(numbers.map(|x| x as u8).collect()),
        Ty::Plain("s16") => List::S16(numbers.map(|x| x as i16).collect()),
        Ty::Plain("u64") => List::U64(numbers.map(|x| x as u64).collect()),
        Ty::Plain("f32") => List::Float32(numbers.map(|x| f32::from_bits(x as u32)).collect()),
        ty => values.iter().map(|value| to_val(value, ty, hold)).collect(),
    }
}

fn plain_val(value: &Value, name: &str) -> Val {
    match name {
        "bool" => Val::Bool(value.as_bool().expect("a boolean")),
        "s8" => Val::S8(number(value) as i8),
        "u8" => Val::U8(number(value) as u8),
        "s16" => Val::S16(number(value) as i16),
        "u16" => Val::U16(number(value) as u16),
        "s32" => Val::S32(number(value) as i32),
        "u32" => Val::U32(number(value) as u32),
        "s64" => Val::S64(number(value) as i64),
        "u64" => Val::U64(number(value) as u64),
        "f32" => Val::Float32(f32::from_bits(number(value) as u32)),
        "f64" => Val::Float64(f64::from_bits(number(value) as u64)),
        "char" => Val::Char(char::from_u32(number(value) as u32).expect("a character")),
        _ => Val::String(value.as_str().expect("a string").to_owned()),
    }
}

/// The number at the end of a member's name.
fn index(name: &str) -> usize {
    name[1..].parse().expect("a member's name")
}

/// The form in which a value of the host's travels; `rep` says what a handle of it stands for.
///
/// # Panics
/// If it isn't of the type.
pub fn from_val(value: &Val, ty: &Ty, rep: &dyn Fn(&ResourceAny) -> u32) -> Value {
    let payload = |value: &Option<Box<Val>>, ty: Option<&Ty>| match (value, ty) {
        (Some(value), Some(ty)) => from_val(value, ty, rep),
        (None, None) => Value::Null,
        _ => panic!("{value:?} where {ty:?} is expected"),
    };
    match (value, ty) {
        (Val::List(list), Ty::List(ty)) => list.iter().map(|val| from_val(&val, ty, rep)).collect(),
        (Val::FixedLengthList(list), Ty::Fixed(ty, length)) => {
            assert_eq!(list.len(), *length as usize);
            list.iter().map(|val| from_val(&val, ty, rep)).collect()
        }
        (Val::Record(fields), Ty::Record(types)) => {
            let fields = fields.iter().zip(types).enumerate();
            let field = |(at, ((known, val), ty)): (usize, (&(String, Val), &Ty))| {
                assert_eq!(*known, name("f", at));
                from_val(val, ty, rep)
            };
            fields.map(field).collect()
        }
        (Val::Tuple(values), Ty::Tuple(types)) => {
            let values = values.iter().zip(types);
            values.map(|(val, ty)| from_val(val, ty, rep)).collect()
        }
        (Val::Variant(name, val), Ty::Variant(cases)) => {
            let case = index(name);
            json!([case, payload(val, cases[case].as_ref())])
        }
        (Val::Enum(name), Ty::Enum(_)) => json!([index(name), null]),
        (Val::Option(None), Ty::Option(_)) => json!([0, null]),
        (Val::Option(val), Ty::Option(ty)) => json!([1, payload(val, Some(ty))]),
        (Val::Result(Ok(val)), Ty::Result(ok, _)) => json!([0, payload(val, ok.as_deref())]),
        (Val::Result(Err(val)), Ty::Result(_, err)) => json!([1, payload(val, err.as_deref())]),
        (Val::Flags(names), Ty::Flags(_)) => {
            json!(names.iter().map(|name| 1u32 << index(name)).sum::<u32>())
        }
        (Val::Map(entries), Ty::Map(key, ty)) => {
            let entry = |(k, v): &(Val, Val)| json!([from_val(k, key, rep), from_val(v, ty, rep)]);
            entries.iter().map(entry).collect()
        }
        (Val::Resource(resource), Ty::Own | Ty::Borrow) => {
            assert_eq!(resource.owned(), *ty == Ty::Own);
            json!(rep(resource))
        }
        (Val::ErrorContext(context), Ty::ErrorContext) => json!(context.debug_message()),
        (value, Ty::Plain(name)) => from_plain(value, name),
        (value, ty) => panic!("{value:?} where {ty} is expected"),
    }
}

fn from_plain(value: &Val, name: &str) -> Value {
    let (value, known) = match value {
        Val::Bool(x) => (json!(x), "bool"),
        Val::S8(x) => (json!(x), "s8"),
        Val::U8(x) => (json!(x), "u8"),
        Val::S16(x) => (json!(x), "s16"),
        Val::U16(x) => (json!(x), "u16"),
        Val::S32(x) => (json!(x), "s32"),
        Val::U32(x) => (json!(x), "u32"),
        Val::S64(x) => (json!(x), "s64"),
        Val::U64(x) => (json!(x), "u64"),
        Val::Float32(x) => (json!(x.to_bits()), "f32"),
        Val::Float64(x) => (json!(x.to_bits()), "f64"),
        Val::Char(x) => (json!(u32::from(*x)), "char"),
        Val::String(x) => (json!(x), "string"),
        other => panic!("{other:?} where {name} is expected"),
    };
    assert_eq!(known, name);
    value
}
