//! Component values of scripts: arguments by their types, and results against what is expected.

use cellule::component::Val;
use cellule::component::types::Type;
use wast::component::WastVal;

/// A component argument of type `ty`; `Err` says why it can't be.
pub fn argument(arg: &WastVal<'_>, ty: &Type) -> Result<Val, String> {
    let all = |items: &[WastVal<'_>], ty: &Type| -> Result<Vec<Val>, String> {
        items.iter().map(|item| argument(item, ty)).collect()
    };
    Ok(match (arg, ty) {
        (WastVal::Bool(x), Type::Bool) => Val::Bool(*x),
        (WastVal::U8(x), Type::U8) => Val::U8(*x),
        (WastVal::S8(x), Type::S8) => Val::S8(*x),
        (WastVal::U16(x), Type::U16) => Val::U16(*x),
        (WastVal::S16(x), Type::S16) => Val::S16(*x),
        (WastVal::U32(x), Type::U32) => Val::U32(*x),
        (WastVal::S32(x), Type::S32) => Val::S32(*x),
        (WastVal::U64(x), Type::U64) => Val::U64(*x),
        (WastVal::S64(x), Type::S64) => Val::S64(*x),
        (WastVal::F32(x), Type::Float32) => Val::Float32(f32::from_bits(x.bits)),
        (WastVal::F64(x), Type::Float64) => Val::Float64(f64::from_bits(x.bits)),
        (WastVal::Char(x), Type::Char) => Val::Char(*x),
        (WastVal::String(x), Type::String) => Val::String((*x).into()),
        (WastVal::List(items), Type::List(list)) => Val::List(all(items, &list.ty())?.into()),
        (WastVal::List(items), Type::FixedLengthList(list)) => {
            Val::FixedLengthList(all(items, &list.ty())?.into())
        }
        (WastVal::Tuple(items), Type::Tuple(tuple)) => {
            let values = items
                .iter()
                .zip(tuple.types())
                .map(|(item, ty)| argument(item, &ty));
            Val::Tuple(values.collect::<Result<_, _>>()?)
        }
        (WastVal::Record(fields), Type::Record(record)) => {
            let mut values = Vec::new();
            for (field, (name, value)) in record.fields().zip(fields) {
                values.push(((*name).into(), argument(value, &field.ty)?));
            }
            Val::Record(values)
        }
        (WastVal::Variant(name, payload), Type::Variant(variant)) => {
            let case = variant.cases().find(|case| case.name == *name);
            let case = case.ok_or_else(|| format!("variant has no case {name:?}"))?;
            let payload = payload_of(payload.as_deref(), case.ty.as_ref())?;
            Val::Variant((*name).into(), payload)
        }
        (WastVal::Enum(name), Type::Enum(_)) => Val::Enum((*name).into()),
        (WastVal::Option(value), Type::Option(option)) => Val::Option(payload_of(
            value.as_deref(),
            value.as_ref().map(|_| option.ty()).as_ref(),
        )?),
        (WastVal::Result(Ok(value)), Type::Result(result)) => {
            Val::Result(Ok(payload_of(value.as_deref(), result.ok().as_ref())?))
        }
        (WastVal::Result(Err(value)), Type::Result(result)) => {
            Val::Result(Err(payload_of(value.as_deref(), result.err().as_ref())?))
        }
        (WastVal::Flags(names), Type::Flags(_)) => {
            Val::Flags(names.iter().map(|name| (*name).into()).collect())
        }
        (WastVal::Map(entries), Type::Map(map)) => {
            let (key_ty, value_ty) = (map.key(), map.value());
            let mut pairs = Vec::new();
            for (key, value) in entries {
                pairs.push((argument(key, &key_ty)?, argument(value, &value_ty)?));
            }
            Val::Map(pairs)
        }
        (arg, ty) => return Err(format!("{arg:?} is no value of type {ty}")),
    })
}

fn payload_of(value: Option<&WastVal<'_>>, ty: Option<&Type>) -> Result<Option<Box<Val>>, String> {
    match (value, ty) {
        (None, None) => Ok(None),
        (Some(value), Some(ty)) => Ok(Some(Box::new(argument(value, ty)?))),
        (Some(value), None) => Err(format!("unexpected payload {value:?}")),
        (None, Some(ty)) => Err(format!("a payload of type {ty} is missing")),
    }
}

/// Whether a component result is the expected one.
pub fn matches(actual: &Val, expected: &WastVal<'_>) -> bool {
    let payloads =
        |actual: &Option<Box<Val>>, expected: &Option<Box<WastVal<'_>>>| match (actual, expected) {
            (None, None) => true,
            (Some(actual), Some(expected)) => matches(actual, expected),
            _ => false,
        };
    match (expected, actual) {
        (WastVal::Bool(x), Val::Bool(y)) => x == y,
        (WastVal::U8(x), Val::U8(y)) => x == y,
        (WastVal::S8(x), Val::S8(y)) => x == y,
        (WastVal::U16(x), Val::U16(y)) => x == y,
        (WastVal::S16(x), Val::S16(y)) => x == y,
        (WastVal::U32(x), Val::U32(y)) => x == y,
        (WastVal::S32(x), Val::S32(y)) => x == y,
        (WastVal::U64(x), Val::U64(y)) => x == y,
        (WastVal::S64(x), Val::S64(y)) => x == y,
        (WastVal::F32(x), Val::Float32(y)) => {
            x.bits == y.to_bits() || (y.is_nan() && f32::from_bits(x.bits).is_nan())
        }
        (WastVal::F64(x), Val::Float64(y)) => {
            x.bits == y.to_bits() || (y.is_nan() && f64::from_bits(x.bits).is_nan())
        }
        (WastVal::Char(x), Val::Char(y)) => x == y,
        (WastVal::String(x), Val::String(y)) => *x == &**y,
        (WastVal::List(xs), Val::List(ys) | Val::FixedLengthList(ys)) => {
            xs.len() == ys.len() && xs.iter().zip(ys.iter()).all(|(x, y)| matches(&y, x))
        }
        (WastVal::Tuple(xs), Val::Tuple(ys)) => {
            xs.len() == ys.len() && xs.iter().zip(ys).all(|(x, y)| matches(y, x))
        }
        (WastVal::Record(xs), Val::Record(ys)) => {
            xs.len() == ys.len()
                && xs
                    .iter()
                    .zip(ys)
                    .all(|((name, x), (other, y))| *name == &**other && matches(y, x))
        }
        (WastVal::Map(xs), Val::Map(ys)) => {
            xs.len() == ys.len()
                && xs
                    .iter()
                    .zip(ys)
                    .all(|((k, x), (l, y))| matches(l, k) && matches(y, x))
        }
        (WastVal::Variant(x, payload), Val::Variant(y, actual)) => {
            *x == &**y && payloads(actual, payload)
        }
        (WastVal::Enum(x), Val::Enum(y)) => *x == &**y,
        (WastVal::Option(x), Val::Option(y)) => payloads(y, x),
        (WastVal::Result(Ok(x)), Val::Result(Ok(y)))
        | (WastVal::Result(Err(x)), Val::Result(Err(y))) => payloads(y, x),
        (WastVal::Flags(xs), Val::Flags(ys)) => {
            xs.len() == ys.len() && xs.iter().all(|x| ys.iter().any(|y| *x == &**y))
        }
        _ => false,
    }
}
