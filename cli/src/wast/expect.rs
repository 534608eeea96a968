//! Values of scripts: arguments to the engine's values, and results against what is expected.

use cellule::{ExternRef, V128, Val};
use std::fmt::Write;
use wast::core::{AbstractHeapType, HeapType, NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wast::token::{F32, F64};

/// A core argument; `Err` names what it would need.
pub fn core_argument(arg: &WastArgCore<'_>) -> Result<Val, String> {
    Ok(match arg {
        WastArgCore::I32(x) => Val::I32(*x),
        WastArgCore::I64(x) => Val::I64(*x),
        WastArgCore::F32(x) => Val::F32(x.bits),
        WastArgCore::F64(x) => Val::F64(x.bits),
        WastArgCore::RefNull(ty) => match abstract_type(ty) {
            Some(AbstractHeapType::Func) => Val::FuncRef(None),
            Some(AbstractHeapType::Extern) => Val::ExternRef(None),
            Some(AbstractHeapType::Exn) => Val::ExnRef(None),
            _ => return Err("gc".to_string()),
        },
        WastArgCore::RefExtern(x) => Val::ExternRef(ExternRef::new(*x)),
        WastArgCore::RefHost(_) => return Err("gc".to_string()),
        WastArgCore::V128(x) => Val::V128(V128::from(u128::from_le_bytes(x.to_le_bytes()))),
    })
}

fn abstract_type(ty: &HeapType<'_>) -> Option<AbstractHeapType> {
    match ty {
        HeapType::Abstract { ty, .. } => Some(*ty),
        _ => None,
    }
}

/// Whether a core result is the expected one.
pub fn core_matches(actual: &Val, expected: &WastRetCore<'_>) -> bool {
    match (expected, actual) {
        (WastRetCore::I32(x), Val::I32(y)) => x == y,
        (WastRetCore::I64(x), Val::I64(y)) => x == y,
        (WastRetCore::F32(x), Val::F32(y)) => f32_matches(x, *y),
        (WastRetCore::F64(x), Val::F64(y)) => f64_matches(x, *y),
        (WastRetCore::V128(x), Val::V128(y)) => v128_matches(x, y.as_u128()),
        (WastRetCore::RefNull(ty), Val::FuncRef(None)) => ty.as_ref().is_none_or(|ty| {
            matches!(
                abstract_type(ty),
                Some(AbstractHeapType::Func | AbstractHeapType::NoFunc)
            )
        }),
        (WastRetCore::RefNull(ty), Val::ExternRef(None)) => ty.as_ref().is_none_or(|ty| {
            matches!(
                abstract_type(ty),
                Some(AbstractHeapType::Extern | AbstractHeapType::NoExtern)
            )
        }),
        (WastRetCore::RefNull(ty), Val::ExnRef(None)) => ty.as_ref().is_none_or(|ty| {
            matches!(
                abstract_type(ty),
                Some(AbstractHeapType::Exn | AbstractHeapType::NoExn)
            )
        }),
        (WastRetCore::RefExtern(None), Val::ExternRef(Some(_))) => true,
        (WastRetCore::RefExtern(Some(x)), Val::ExternRef(Some(y))) => *x == y.number(),
        (WastRetCore::RefFunc(_), Val::FuncRef(Some(_))) => true,
        (WastRetCore::Either(cases), _) => cases.iter().any(|case| core_matches(actual, case)),
        _ => false,
    }
}

fn f32_matches(expected: &NanPattern<F32>, bits: u32) -> bool {
    match expected {
        NanPattern::CanonicalNan => bits & 0x7fff_ffff == 0x7fc0_0000,
        NanPattern::ArithmeticNan => bits & 0x7fc0_0000 == 0x7fc0_0000,
        NanPattern::Value(x) => x.bits == bits,
    }
}

/// Lane by lane, the first in the lowest bits.
fn v128_matches(expected: &V128Pattern, bits: u128) -> bool {
    let lanes = |width: usize| (0..).map(move |at: usize| bits >> (at * width));
    match expected {
        V128Pattern::I8x16(x) => x.iter().zip(lanes(8)).all(|(x, y)| *x == y as i8),
        V128Pattern::I16x8(x) => x.iter().zip(lanes(16)).all(|(x, y)| *x == y as i16),
        V128Pattern::I32x4(x) => x.iter().zip(lanes(32)).all(|(x, y)| *x == y as i32),
        V128Pattern::I64x2(x) => x.iter().zip(lanes(64)).all(|(x, y)| *x == y as i64),
        V128Pattern::F32x4(x) => x
            .iter()
            .zip(lanes(32))
            .all(|(x, y)| f32_matches(x, y as u32)),
        V128Pattern::F64x2(x) => x
            .iter()
            .zip(lanes(64))
            .all(|(x, y)| f64_matches(x, y as u64)),
    }
}

fn f64_matches(expected: &NanPattern<F64>, bits: u64) -> bool {
    match expected {
        NanPattern::CanonicalNan => bits & 0x7fff_ffff_ffff_ffff == 0x7ff8_0000_0000_0000,
        NanPattern::ArithmeticNan => bits & 0x7ff8_0000_0000_0000 == 0x7ff8_0000_0000_0000,
        NanPattern::Value(x) => x.bits == bits,
    }
}

/// Core values for a message; floats with their bits, which is what is compared.
pub fn show_core(values: &[Val]) -> String {
    let mut text = String::new();
    for value in values {
        let _ = match value {
            Val::I32(x) => write!(text, " i32 {x}"),
            Val::I64(x) => write!(text, " i64 {x}"),
            Val::F32(x) => write!(text, " f32 {} ({x:#010x})", f32::from_bits(*x)),
            Val::F64(x) => write!(text, " f64 {} ({x:#018x})", f64::from_bits(*x)),
            Val::V128(x) => write!(text, " v128 {:#034x}", x.as_u128()),
            other => write!(text, " {other:?}"),
        };
    }
    if text.is_empty() {
        "nothing".to_string()
    } else {
        text.trim_start().to_string()
    }
}
