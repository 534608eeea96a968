//! Values and types as both engines have them, so that what one has seen can be compared with the other.

use crate::random::Random;
use std::fmt;

/// What a value is, as far as it can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    I32(u32),
    I64(u64),
    F32(u32),
    F64(u64),
    V128(u128),
    /// None of a type.
    Null(Kind),
    /// Some function.
    Func,
    Extern(u32),
    /// Some exception.
    Exn,
    /// Of a type that neither has.
    Other,
}

/// The type of a parameter, a result, a global or a table's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    I32,
    I64,
    F32,
    F64,
    V128,
    /// Of functions, of any or of one type.
    Func,
    Extern,
    Exn,
    /// References that aren't null, which a host here has none of.
    NotNull,
}

impl Value {
    /// Some value of a type; `None` where there is none to be had.
    pub fn random(random: &mut Random, kind: Kind) -> Option<Value> {
        let bits = random.edgy();
        Some(match kind {
            Kind::I32 => Value::I32(bits as u32),
            Kind::I64 => Value::I64(bits),
            Kind::F32 => Value::F32(bits as u32),
            Kind::F64 => Value::F64(bits),
            Kind::V128 => Value::V128(u128::from(bits) << 64 | u128::from(random.edgy())),
            Kind::Extern if !random.one_in(4) => Value::Extern(bits as u32 & 0xffff),
            Kind::Func | Kind::Extern | Kind::Exn => Value::Null(kind),
            Kind::NotNull => return None,
        })
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::I32(x) => write!(f, "{x:#x}"),
            Value::I64(x) => write!(f, "{x:#x}l"),
            Value::F32(x) => write!(f, "f{x:#x}"),
            Value::F64(x) => write!(f, "d{x:#x}"),
            Value::V128(x) => write!(f, "v{x:#x}"),
            Value::Null(_) => f.write_str("null"),
            Value::Func => f.write_str("func"),
            Value::Extern(x) => write!(f, "extern {x}"),
            Value::Exn => f.write_str("exn"),
            Value::Other => f.write_str("?"),
        }
    }
}

/// Values in a row.
pub fn list(values: &[Value]) -> String {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    values.join(", ")
}
