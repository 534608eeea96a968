//! What operators compute, from the specification's definitions, by the mnemonics of the table.
//!
//! Integers are computed in 128 bits and bit by bit, floats by `float.rs`. Nothing here calls what the machine
//! or the translator computes with.

use super::float::{self, F32, F64, Format, Rounding};
use crate::error::Trap;
use core::cmp::Ordering;

/// The bits of a result, or a trap.
pub(super) type Outcome = Result<u64, Trap>;

/// What kind of value an operator takes or makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    I32,
    I64,
    F32,
    F64,
}

impl Kind {
    pub fn named(name: &str) -> Option<Kind> {
        Some(match name {
            "i32" => Kind::I32,
            "i64" => Kind::I64,
            "f32" => Kind::F32,
            "f64" => Kind::F64,
            _ => return None,
        })
    }
    /// The bits of a slot that count.
    pub fn mask(self) -> u64 {
        match self {
            Kind::I32 | Kind::F32 => u32::MAX.into(),
            Kind::I64 | Kind::F64 => u64::MAX,
        }
    }
    fn format(self) -> Option<Format> {
        match self {
            Kind::F32 => Some(F32),
            Kind::F64 => Some(F64),
            _ => None,
        }
    }
    fn bits(self) -> u32 {
        if self.mask() == u64::MAX { 64 } else { 32 }
    }
}

/// An integer of `bits` bits with a sign.
fn signed(x: u64, bits: u32) -> i128 {
    let x = i128::from(x) & ((1 << bits) - 1);
    if x >> (bits - 1) != 0 {
        x - (1 << bits)
    } else {
        x
    }
}

fn unsigned(x: u64, bits: u32) -> i128 {
    i128::from(x) & ((1 << bits) - 1)
}

fn wrapped(x: i128, bits: u32) -> u64 {
    (x & ((1 << bits) - 1)) as u64
}

/// A binary operator: what it takes, what it makes, and its result.
pub(super) fn binary(name: &str, a: u64, b: u64) -> Option<(Kind, Kind, Outcome)> {
    let (kind, operator) = name.split_once('.')?;
    let kind = Kind::named(kind)?;
    if let Some(format) = kind.format() {
        let (a, b) = (a & format.mask(), b & format.mask());
        if let Some(holds) = float_relation(format, operator, a, b) {
            return Some((kind, Kind::I32, Ok(holds.into())));
        }
        return Some((kind, kind, Ok(float_binary(format, operator, a, b)?)));
    }
    let bits = kind.bits();
    if let Some(holds) = integer_relation(operator, a, b, bits) {
        return Some((kind, Kind::I32, Ok(holds.into())));
    }
    Some((kind, kind, integer_binary(operator, a, b, bits)?))
}

fn integer_binary(operator: &str, a: u64, b: u64, bits: u32) -> Option<Outcome> {
    let (sa, sb) = (signed(a, bits), signed(b, bits));
    let (ua, ub) = (unsigned(a, bits), unsigned(b, bits));
    // Shifts are modulo the width.
    let by = ub % i128::from(bits);
    let power = 1i128 << by;
    let result = match operator {
        "add" => ua + ub,
        "sub" => ua - ub,
        // The low half of a product is the same for both signs; signed, it fits into 128 bits.
        "mul" => sa * sb,
        "and" => ua & ub,
        "or" => ua | ub,
        "xor" => (ua | ub) - (ua & ub),
        "shl" => (ua as u128).wrapping_mul(power as u128) as i128,
        "shr_u" => ua / power,
        "shr_s" => sa.div_euclid(power),
        "rotl" | "rotr" => {
            let left = match operator {
                "rotl" => by,
                _ => (i128::from(bits) - by) % i128::from(bits),
            };
            let (left, up) = (left as u32, ua as u128);
            ((up << left) | (up >> (bits - left))) as i128
        }
        "div_s" | "rem_s" | "div_u" | "rem_u" if ub == 0 => {
            return Some(Err(Trap::IntegerDivisionByZero));
        }
        "div_s" if sa / sb == 1 << (bits - 1) => return Some(Err(Trap::IntegerOverflow)),
        "div_s" => sa / sb,
        "rem_s" => sa - sb * (sa / sb),
        "div_u" => ua / ub,
        "rem_u" => ua - ub * (ua / ub),
        _ => return None,
    };
    Some(Ok(wrapped(result, bits)))
}

/// A comparison of integers, also that of a branch.
pub(super) fn integer_relation(operator: &str, a: u64, b: u64, bits: u32) -> Option<bool> {
    let signs = signed(a, bits).cmp(&signed(b, bits));
    let plain = unsigned(a, bits).cmp(&unsigned(b, bits));
    Some(match operator {
        "eq" => plain == Ordering::Equal,
        "ne" => plain != Ordering::Equal,
        "lt_s" => signs == Ordering::Less,
        "lt_u" => plain == Ordering::Less,
        "ge_s" => signs != Ordering::Less,
        "ge_u" => plain != Ordering::Less,
        _ => return None,
    })
}

/// A comparison of floats, also that of a branch.
pub(super) fn float_relation(format: Format, operator: &str, a: u64, b: u64) -> Option<bool> {
    let order = float::compare(format, a, b);
    let (less, same) = (
        order == Some(Ordering::Less),
        order == Some(Ordering::Equal),
    );
    Some(match operator {
        "eq" => same,
        "ne" => !same,
        "lt" => less,
        "le" => less || same,
        "not_lt" => !less,
        "not_le" => !(less || same),
        _ => return None,
    })
}

fn float_binary(format: Format, operator: &str, a: u64, b: u64) -> Option<u64> {
    let (x, y) = (format.decode(a), format.decode(b));
    Some(match operator {
        "add" => format.encode(float::add(x, y)),
        "sub" => format.encode(float::sub(x, y)),
        "mul" => format.encode(float::mul(x, y)),
        "div" => format.encode(float::div(x, y)),
        "copysign" => a & !format.sign() | b & format.sign(),
        "min" | "max" => match float::compare(format, a, b) {
            None => format.nan(),
            // Zeros that differ: the negative one is the smaller.
            Some(Ordering::Equal) if operator == "min" => a | b,
            Some(Ordering::Equal) => a & b,
            Some(order) => {
                if (order == Ordering::Less) == (operator == "min") {
                    a
                } else {
                    b
                }
            }
        },
        _ => return None,
    })
}

/// A unary operator: what it takes, what it makes, and its result.
pub(super) fn unary(name: &str, a: u64) -> Option<(Kind, Kind, Outcome)> {
    let narrow = |bits: u32| wrapped(signed(a, bits), 64);
    let (same, result) = match name {
        "extend8_s" => (Kind::I64, narrow(8)),
        "extend16_s" => (Kind::I64, narrow(16)),
        "extend32_s" => (Kind::I64, narrow(32)),
        "extend32_u" => (Kind::I64, wrapped(unsigned(a, 32), 64)),
        "clamp32_u" => (Kind::I64, if a >> 32 == 0 { a } else { u32::MAX.into() }),
        _ => {
            let (kind, operator) = name.split_once('.')?;
            let kind = Kind::named(kind)?;
            return match kind.format() {
                Some(format) => float_unary(kind, format, operator, a),
                None => integer_unary(kind, operator, a),
            };
        }
    };
    Some((same, same, Ok(result)))
}

fn integer_unary(kind: Kind, operator: &str, a: u64) -> Option<(Kind, Kind, Outcome)> {
    let bits = kind.bits();
    let bit = |at: u32| a >> at & 1 != 0;
    let count = match operator {
        "clz" => (0..bits).rev().take_while(|at| !bit(*at)).count(),
        "ctz" => (0..bits).take_while(|at| !bit(*at)).count(),
        "popcnt" => (0..bits).filter(|at| bit(*at)).count(),
        _ => {
            let (from, outcome) = truncation(operator, a, bits)?;
            return Some((from, kind, outcome));
        }
    };
    Some((kind, kind, Ok(count as u64)))
}

/// `trunc_f32_s` and the like.
fn truncation(operator: &str, a: u64, bits: u32) -> Option<(Kind, Outcome)> {
    let rest = operator.strip_prefix("trunc_")?;
    let (saturates, rest) = match rest.strip_prefix("sat_") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let (from, sign) = rest.split_once('_')?;
    let from = Kind::named(from)?;
    let format = from.format()?;
    let (least, most) = match sign {
        "s" => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
        _ => (0, (1i128 << bits) - 1),
    };
    let outcome = match float::towards_zero(format.decode(a & format.mask())) {
        None if saturates => Ok(0),
        None => Err(Trap::BadConversionToInteger),
        Some(value) if saturates => Ok(wrapped(value.clamp(least, most), bits)),
        Some(value) if (least..=most).contains(&value) => Ok(wrapped(value, bits)),
        Some(_) => Err(Trap::IntegerOverflow),
    };
    Some((from, outcome))
}

fn float_unary(
    kind: Kind,
    format: Format,
    operator: &str,
    a: u64,
) -> Option<(Kind, Kind, Outcome)> {
    let own = a & format.mask();
    let x = format.decode(own);
    let integral = |rounding| format.encode(float::integral(x, rounding));
    let (from, bits) = match operator {
        "abs" => (kind, own & !format.sign()),
        "neg" => (kind, own ^ format.sign()),
        "ceil" => (kind, integral(Rounding::Ceil)),
        "floor" => (kind, integral(Rounding::Floor)),
        "trunc" => (kind, integral(Rounding::Trunc)),
        "nearest" => (kind, integral(Rounding::Nearest)),
        "sqrt" => (kind, format.encode(float::sqrt(x))),
        "demote_f64" => (Kind::F64, format.encode(F64.decode(a))),
        "promote_f32" => (Kind::F32, format.encode(F32.decode(a & F32.mask()))),
        "convert_i32_s" => (Kind::I32, format.encode(float::integer(signed(a, 32)))),
        "convert_i32_u" => (Kind::I32, format.encode(float::integer(unsigned(a, 32)))),
        "convert_i64_s" => (Kind::I64, format.encode(float::integer(signed(a, 64)))),
        "convert_i64_u" => (Kind::I64, format.encode(float::integer(unsigned(a, 64)))),
        _ => return None,
    };
    Some((from, kind, Ok(bits)))
}

/// Whether a branch is taken: `br.i32.lt_s` and the like. With what it takes.
pub(super) fn branch(name: &str, a: u64, b: u64) -> Option<(Kind, bool)> {
    let (kind, operator) = name.strip_prefix("br.")?.split_once('.')?;
    let kind = Kind::named(kind)?;
    let taken = match kind.format() {
        Some(format) => float_relation(format, operator, a & format.mask(), b & format.mask())?,
        None => integer_relation(operator, a, b, kind.bits())?,
    };
    Some((kind, taken))
}

/// A load: bytes that it reads, what it makes, and whether it extends a sign.
pub(super) fn load(name: &str) -> Option<(usize, Kind, bool)> {
    Some(match name {
        "load8_s" => (1, Kind::I64, true),
        "load8_u" => (1, Kind::I64, false),
        "load16_s" => (2, Kind::I64, true),
        "load16_u" => (2, Kind::I64, false),
        "load32_s" => (4, Kind::I64, true),
        "load32" => (4, Kind::I64, false),
        "load64" => (8, Kind::I64, false),
        "load_f32" => (4, Kind::F32, false),
        "load_f64" => (8, Kind::F64, false),
        _ => return None,
    })
}

/// A store: bytes that it writes, and of what.
pub(super) fn store(name: &str) -> Option<(usize, Kind)> {
    Some(match name {
        "store8" => (1, Kind::I64),
        "store16" => (2, Kind::I64),
        "store32" => (4, Kind::I64),
        "store64" => (8, Kind::I64),
        "store_f32" => (4, Kind::F32),
        "store_f64" => (8, Kind::F64),
        _ => return None,
    })
}

/// A value of so many little-endian bytes.
pub(super) fn from_bytes(bytes: &[u8], extends: bool) -> u64 {
    let value = bytes
        .iter()
        .rev()
        .fold(0u64, |value, byte| value << 8 | u64::from(*byte));
    match extends {
        true => wrapped(signed(value, 8 * bytes.len() as u32), 64),
        false => value,
    }
}
