//! Values apart from any engine: made at random, given to both engines, compared as text.

use super::rng::Rng;
use super::ty::Ty;
use std::fmt;

/// A value. Floats are bits, NaNs all the same; resources are what the host knows of them.
#[derive(Clone, PartialEq)]
pub enum Value {
    Bool(bool),
    S8(i8),
    U8(u8),
    S16(i16),
    U16(u16),
    S32(i32),
    U32(u32),
    S64(i64),
    U64(u64),
    F32(u32),
    F64(u64),
    Char(char),
    String(String),
    List(Vec<Value>),
    Fixed(Vec<Value>),
    Map(Vec<(Value, Value)>),
    Record(Vec<(String, Value)>),
    Tuple(Vec<Value>),
    Variant(String, Option<Box<Value>>),
    Enum(String),
    Option(Option<Box<Value>>),
    Result(Result<Option<Box<Value>>, Option<Box<Value>>>),
    Flags(Vec<String>),
    Own(u32),
    Borrow(u32),
}

/// Letters of each width in each encoding.
const LETTERS: [char; 12] = [
    'a',
    'Z',
    '0',
    '\0',
    'é',
    'ÿ',
    '\u{80}',
    'Ā',
    '€',
    '\u{ffff}',
    '𝄞',
    '\u{10ffff}',
];

impl Value {
    /// A random value of a type.
    pub fn random(rng: &mut Rng, ty: &Ty) -> Value {
        let random = |rng: &mut Rng, ty: &Ty| Value::random(rng, ty);
        let boxed = |rng: &mut Rng, ty: &Ty| Box::new(Value::random(rng, ty));
        match ty {
            Ty::Bool => Value::Bool(rng.percent(50)),
            Ty::S8 => Value::S8(rng.edgy() as i8),
            Ty::U8 => Value::U8(rng.edgy() as u8),
            Ty::S16 => Value::S16(rng.edgy() as i16),
            Ty::U16 => Value::U16(rng.edgy() as u16),
            Ty::S32 => Value::S32(rng.edgy() as i32),
            Ty::U32 => Value::U32(rng.edgy() as u32),
            Ty::S64 => Value::S64(rng.edgy() as i64),
            Ty::U64 => Value::U64(rng.edgy()),
            Ty::F32 => Value::f32(f32::from_bits(rng.edgy() as u32)),
            Ty::F64 => Value::f64(f64::from_bits(rng.edgy())),
            Ty::Char => Value::Char(*rng.pick(&LETTERS)),
            Ty::String => Value::String(string(rng)),
            Ty::List(ty) => Value::List((0..length(rng)).map(|_| random(rng, ty)).collect()),
            Ty::Fixed(ty, count) => Value::Fixed((0..*count).map(|_| random(rng, ty)).collect()),
            Ty::Map(key, value) => {
                let entries = (0..length(rng)).map(|_| (random(rng, key), random(rng, value)));
                Value::Map(entries.collect())
            }
            Ty::Record(items) => {
                let field = |(at, ty)| (format!("f{at}"), random(rng, ty));
                Value::Record(items.iter().enumerate().map(field).collect())
            }
            Ty::Tuple(items) => Value::Tuple(items.iter().map(|ty| random(rng, ty)).collect()),
            Ty::Variant(cases) => {
                let at = match rng.percent(80) {
                    true => rng.below(cases.len().min(6)),
                    false => rng.below(cases.len()),
                };
                let payload = cases[at].as_ref().map(|ty| boxed(rng, ty));
                Value::Variant(format!("c{at}"), payload)
            }
            Ty::Enum(count) => Value::Enum(format!("c{}", rng.below(*count as usize))),
            Ty::Option(ty) => Value::Option(rng.percent(60).then(|| boxed(rng, ty))),
            Ty::Result(ok, err) => Value::Result(match rng.percent(60) {
                true => Ok(ok.as_ref().map(|ty| boxed(rng, ty))),
                false => Err(err.as_ref().map(|ty| boxed(rng, ty))),
            }),
            Ty::Flags(count) => {
                let set = (0..*count).filter(|_| rng.percent(50));
                Value::Flags(set.map(|at| format!("b{at}")).collect())
            }
            Ty::Own => Value::Own(rng.below(1000) as u32),
            Ty::Borrow => Value::Borrow(rng.below(1000) as u32),
        }
    }

    /// A float; a NaN is the canonical one.
    pub fn f32(x: f32) -> Value {
        Value::F32(if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() })
    }

    /// A float; a NaN is the canonical one.
    pub fn f64(x: f64) -> Value {
        Value::F64(if x.is_nan() {
            0x7ff8 << 48
        } else {
            x.to_bits()
        })
    }
}

fn length(rng: &mut Rng) -> usize {
    match rng.below(20) {
        0 => 40,
        _ => rng.below(5),
    }
}

fn string(rng: &mut Rng) -> String {
    // Letters up to one: only ASCII, only Latin-1, or all, so that each way of storing is taken.
    let up_to = *rng.pick(&[4, 7, LETTERS.len()]);
    let length = match rng.below(20) {
        0 => 300,
        _ => rng.below(9),
    };
    let letter = |_| LETTERS[rng.below(up_to)];
    (0..length).map(letter).collect()
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(x) => write!(f, "{x}"),
            Value::S8(x) => write!(f, "{x}s8"),
            Value::U8(x) => write!(f, "{x}u8"),
            Value::S16(x) => write!(f, "{x}s16"),
            Value::U16(x) => write!(f, "{x}u16"),
            Value::S32(x) => write!(f, "{x}s32"),
            Value::U32(x) => write!(f, "{x}u32"),
            Value::S64(x) => write!(f, "{x}s64"),
            Value::U64(x) => write!(f, "{x}u64"),
            Value::F32(x) => write!(f, "{x:#x}f32"),
            Value::F64(x) => write!(f, "{x:#x}f64"),
            Value::Char(x) => write!(f, "{x:?}"),
            Value::String(x) => write!(f, "{x:?}"),
            Value::List(x) => write!(f, "{x:?}"),
            Value::Fixed(x) => write!(f, "fixed{x:?}"),
            Value::Map(x) => write!(f, "map{x:?}"),
            Value::Record(x) => write!(f, "record{x:?}"),
            Value::Tuple(x) => write!(f, "tuple{x:?}"),
            Value::Variant(name, x) => write!(f, "{name}({x:?})"),
            Value::Enum(name) => write!(f, "{name}"),
            Value::Option(x) => write!(f, "{x:?}"),
            Value::Result(x) => write!(f, "{x:?}"),
            Value::Flags(x) => write!(f, "flags{x:?}"),
            Value::Own(rep) => write!(f, "own {rep}"),
            Value::Borrow(rep) => write!(f, "borrow {rep}"),
        }
    }
}
