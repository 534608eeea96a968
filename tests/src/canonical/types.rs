//! Random component types: every constructor, nested six deep at most.

use super::rng::Rng;
use serde_json::{Value, json};
use std::fmt::{self, Write};

/// A type without names: members have them from their positions.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Ty {
    /// A scalar or `string`, by its name.
    Plain(&'static str),
    List(Box<Ty>),
    Fixed(Box<Ty>, u32),
    Record(Vec<Ty>),
    Tuple(Vec<Ty>),
    Variant(Vec<Option<Ty>>),
    Enum(usize),
    Option(Box<Ty>),
    Result(Option<Box<Ty>>, Option<Box<Ty>>),
    Flags(usize),
    Map(Box<Ty>, Box<Ty>),
    /// Handles of the one resource type, which is the host's.
    Own,
    Borrow,
    ErrorContext,
}

/// Which handles may be in a type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Handles {
    /// None.
    None,
    /// Of a result.
    Own,
    /// Of a parameter.
    OwnAndBorrow,
}

const DEPTH: u32 = 6;
/// Members of all parts of a type that isn't behind a pointer: keeps products of nested lengths small.
const HEAVIEST: usize = 200;
const PLAIN: [&str; 13] = [
    "bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char", "string",
];
const KEYS: [&str; 11] = [
    "bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "char", "string",
];

impl Ty {
    /// A type for a parameter or a result.
    pub fn random(rng: &mut Rng, handles: Handles) -> Ty {
        let mut parts = 60;
        let ty = Ty::within(rng, DEPTH, &mut parts, handles);
        match ty.weight() > HEAVIEST {
            true => Ty::Plain(rng.pick(&PLAIN)),
            false => ty,
        }
    }

    fn within(rng: &mut Rng, depth: u32, parts: &mut usize, handles: Handles) -> Ty {
        *parts = parts.saturating_sub(1);
        if depth <= 1 || *parts == 0 || rng.one_in(4) {
            let lends = handles == Handles::OwnAndBorrow && rng.one_in(2);
            if handles != Handles::None && rng.one_in(3) {
                if rng.one_in(3) {
                    return Ty::ErrorContext;
                }
                return if lends { Ty::Borrow } else { Ty::Own };
            }
            return match rng.below(8) {
                0 => Ty::Enum(members(rng)),
                1 => Ty::Flags(1 + rng.below(32)),
                2 => Ty::Plain("string"),
                _ => Ty::Plain(rng.pick(&PLAIN)),
            };
        }
        let mut inner = |rng: &mut Rng| Ty::within(rng, depth - 1, parts, handles);
        match rng.below(10) {
            0 | 1 => Ty::List(Box::new(inner(rng))),
            2 => {
                let length = if rng.one_in(8) { 20 } else { 4 };
                Ty::Fixed(Box::new(inner(rng)), 1 + rng.below(length) as u32)
            }
            3 => {
                let length = 1 + rng.below(6);
                Ty::Record((0..length).map(|_| inner(rng)).collect())
            }
            4 => {
                let length = 1 + rng.below(6);
                Ty::Tuple((0..length).map(|_| inner(rng)).collect())
            }
            5 | 6 => Ty::variant(rng, inner),
            7 => Ty::Option(Box::new(inner(rng))),
            8 => {
                let ok = (!rng.one_in(4)).then(|| Box::new(inner(rng)));
                Ty::Result(ok, (!rng.one_in(4)).then(|| Box::new(inner(rng))))
            }
            _ => {
                let key = Ty::Plain(rng.pick(&KEYS));
                // Handles may not be in maps.
                let value = Ty::within(rng, depth - 1, parts, Handles::None);
                Ty::Map(Box::new(key), Box::new(value))
            }
        }
    }

    fn variant(rng: &mut Rng, mut inner: impl FnMut(&mut Rng) -> Ty) -> Ty {
        let count = members(rng);
        let mut nested = 4;
        let case = |_| match rng.below(3) {
            0 => None,
            1 if nested > 0 => {
                nested -= 1;
                Some(inner(rng))
            }
            _ => Some(Ty::Plain(rng.pick(&PLAIN))),
        };
        Ty::Variant((0..count).map(case).collect())
    }

    /// How many members a value has where it isn't behind pointers.
    fn weight(&self) -> usize {
        match self {
            Ty::Fixed(ty, length) => *length as usize * ty.weight(),
            Ty::Record(types) | Ty::Tuple(types) => types.iter().map(Ty::weight).sum(),
            Ty::Variant(cases) => {
                let heaviest = cases.iter().flatten().map(Ty::weight).max();
                1 + heaviest.unwrap_or(0)
            }
            Ty::Option(ty) => 1 + ty.weight(),
            Ty::Result(ok, err) => {
                let weight = |ty: &Option<Box<Ty>>| ty.as_ref().map_or(0, |ty| ty.weight());
                1 + weight(ok).max(weight(err))
            }
            // What is behind a pointer is counted too, so that it is bounded in the same way.
            Ty::List(ty) => 2.max(ty.weight()),
            Ty::Map(_, ty) => 2 + ty.weight(),
            _ => 1,
        }
    }

    /// As the reference reads it.
    pub fn json(&self) -> Value {
        let optional = |ty: Option<&Ty>| ty.map_or(Value::Null, Ty::json);
        let all = |types: &[Ty]| types.iter().map(Ty::json).collect::<Vec<_>>();
        match self {
            Ty::Plain(name) => json!(name),
            Ty::List(ty) => json!(["list", ty.json()]),
            Ty::Fixed(ty, length) => json!(["fixed", ty.json(), length]),
            Ty::Record(types) => json!(["record", all(types)]),
            Ty::Tuple(types) => json!(["tuple", all(types)]),
            Ty::Variant(cases) => {
                let cases = cases.iter().map(|ty| optional(ty.as_ref()));
                json!(["variant", cases.collect::<Vec<_>>()])
            }
            Ty::Enum(count) => json!(["enum", count]),
            Ty::Option(ty) => json!(["option", ty.json()]),
            Ty::Result(ok, err) => {
                json!(["result", optional(ok.as_deref()), optional(err.as_deref())])
            }
            Ty::Flags(count) => json!(["flags", count]),
            Ty::Map(key, value) => json!(["map", key.json(), value.json()]),
            Ty::Own => json!(["own"]),
            Ty::Borrow => json!(["borrow"]),
            Ty::ErrorContext => json!("error-context"),
        }
    }
}

/// How many cases: few, or about where a discriminant gets wider.
fn members(rng: &mut Rng) -> usize {
    match rng.below(12) {
        0 => 254 + rng.below(5),
        1 => 1 + rng.below(300),
        _ => 1 + rng.below(6),
    }
}

/// As in WIT, with members written in place.
impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |types: &[Ty]| {
            let types: Vec<String> = types.iter().map(Ty::to_string).collect();
            types.join(", ")
        };
        match self {
            Ty::Plain(name) => f.write_str(name),
            Ty::List(ty) => write!(f, "list<{ty}>"),
            Ty::Fixed(ty, length) => write!(f, "list<{ty}, {length}>"),
            Ty::Record(types) => write!(f, "record {{ {} }}", list(types)),
            Ty::Tuple(types) => write!(f, "tuple<{}>", list(types)),
            Ty::Variant(cases) => {
                let mut text = String::new();
                for (at, ty) in cases.iter().enumerate() {
                    let payload = ty.as_ref().map_or(String::new(), |ty| format!("({ty})"));
                    write!(text, "c{at}{payload}, ")?;
                }
                write!(f, "variant {{ {text}}}")
            }
            Ty::Enum(count) => write!(f, "enum of {count}"),
            Ty::Option(ty) => write!(f, "option<{ty}>"),
            Ty::Result(ok, err) => {
                let part =
                    |ty: &Option<Box<Ty>>| ty.as_ref().map_or("_".to_owned(), |ty| ty.to_string());
                write!(f, "result<{}, {}>", part(ok), part(err))
            }
            Ty::Flags(count) => write!(f, "flags of {count}"),
            Ty::Map(key, value) => write!(f, "map<{key}, {value}>"),
            Ty::Own => f.write_str("res"),
            Ty::Borrow => f.write_str("borrow<res>"),
            Ty::ErrorContext => f.write_str("error-context"),
        }
    }
}

/// A function's type.
#[derive(Clone, Debug)]
pub struct Signature {
    /// The parameters, one at least.
    pub params: Vec<Ty>,
    /// The result.
    pub result: Ty,
    /// Whether there may be handles in it.
    pub handles: bool,
}

impl Signature {
    /// A function with a result, and sometimes more parameters than fit in core ones.
    pub fn random(rng: &mut Rng) -> Signature {
        let count = 1 + rng.below(3);
        let handles = rng.one_in(3);
        let (given, returned) = match handles {
            true => (Handles::OwnAndBorrow, Handles::Own),
            false => (Handles::None, Handles::None),
        };
        Signature {
            params: (0..count).map(|_| Ty::random(rng, given)).collect(),
            result: Ty::random(rng, returned),
            handles,
        }
    }

    /// As the reference reads it.
    pub fn json(&self) -> Value {
        let params: Vec<Value> = self.params.iter().map(Ty::json).collect();
        json!({ "params": params, "result": self.result.json() })
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let params: Vec<String> = self.params.iter().map(Ty::to_string).collect();
        write!(f, "func({}) -> {}", params.join(", "), self.result)
    }
}
