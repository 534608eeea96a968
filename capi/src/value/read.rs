//! Values read by C. What a value is made of is lent by it: it lives until the value is changed or deleted.

use crate::boundary::{name, quiet};
use crate::value::{Value, ValueKind};
use cellule::component::{List, Val};
use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr::null;

/// Text that is lent: UTF-8 that no NUL ends. `data` is `NULL` if there is none.
#[repr(C)]
pub struct Text {
    /// Where it begins.
    pub data: *const c_char,
    /// How many bytes it has.
    pub len: usize,
}

impl Text {
    fn of(text: Option<&str>) -> Text {
        Text {
            data: text.map_or(null(), |text| text.as_ptr().cast()),
            len: text.map_or(0, str::len),
        }
    }
}

/// Which type a value is of.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_kind(value: Option<&Value>) -> ValueKind {
    let Some(value) = value else {
        return ValueKind::None;
    };
    match value.0 {
        Val::Bool(_) => ValueKind::Bool,
        Val::S8(_) => ValueKind::S8,
        Val::U8(_) => ValueKind::U8,
        Val::S16(_) => ValueKind::S16,
        Val::U16(_) => ValueKind::U16,
        Val::S32(_) => ValueKind::S32,
        Val::U32(_) => ValueKind::U32,
        Val::S64(_) => ValueKind::S64,
        Val::U64(_) => ValueKind::U64,
        Val::Float32(_) => ValueKind::F32,
        Val::Float64(_) => ValueKind::F64,
        Val::Char(_) => ValueKind::Char,
        Val::String(_) => ValueKind::String,
        Val::List(_) => ValueKind::List,
        Val::FixedLengthList(_) => ValueKind::FixedLengthList,
        Val::Map(_) => ValueKind::Map,
        Val::Record(_) => ValueKind::Record,
        Val::Tuple(_) => ValueKind::Tuple,
        Val::Variant(..) => ValueKind::Variant,
        Val::Enum(_) => ValueKind::Enum,
        Val::Option(_) => ValueKind::Option,
        Val::Result(_) => ValueKind::Result,
        Val::Flags(_) => ValueKind::Flags,
        Val::Resource(_) => ValueKind::Resource,
        Val::ErrorContext(_) => ValueKind::ErrorContext,
    }
}

macro_rules! read {
    ($value:expr, $out:expr, $variant:ident) => {
        match ($value, $out) {
            (Some(Value(Val::$variant(value))), Some(out)) => {
                out.write((*value).into());
                true
            }
            _ => false,
        }
    };
}

/// Reads a `bool`; whether it is one.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_get_bool(
    value: Option<&Value>,
    out: Option<&mut MaybeUninit<bool>>,
) -> bool {
    read!(value, out, Bool)
}

/// Reads a `s8`; whether it is one.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_get_s8(
    value: Option<&Value>,
    out: Option<&mut MaybeUninit<i8>>,
) -> bool {
    read!(value, out, S8)
}

/// Reads a `u8`; whether it is one.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_get_u8(
    value: Option<&Value>,
    out: Option<&mut MaybeUninit<u8>>,
) -> bool {
    read!(value, out, U8)
}

/// Reads a `s16`; whether it is one.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_get_s16(
    value: Option<&Value>,
    out: Option<&mut MaybeUninit<i16>>,
) -> bool {
    read!(value, out, S16)
}

/// Reads a `u16`; whether it is one.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_get_u16(
    value: Option<&Value>,
    out: Option<&mut MaybeUninit<u16>>,
) -> bool {
    read!(value, out, U16)
}

/// Reads a `s32`; whether it is one.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_get_s32(
    value: Option<&Value>,
    out: Option<&mut MaybeUninit<i32>>,
) -> bool {
    read!(value, out, S32)
}

/// Reads a `u32`; whether it is one.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_get_u32(
    value: Option<&Value>,
    out: Option<&mut MaybeUninit<u32>>,
) -> bool {
    read!(value, out, U32)
}

/// Reads a `s64`; whether it is one.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_get_s64(
    value: Option<&Value>,
    out: Option<&mut MaybeUninit<i64>>,
) -> bool {
    read!(value, out, S64)
}

/// Reads a `u64`; whether it is one.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_get_u64(
    value: Option<&Value>,
    out: Option<&mut MaybeUninit<u64>>,
) -> bool {
    read!(value, out, U64)
}

/// Reads a `f32`; whether it is one.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_get_f32(
    value: Option<&Value>,
    out: Option<&mut MaybeUninit<f32>>,
) -> bool {
    read!(value, out, Float32)
}

/// Reads a `f64`; whether it is one.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_get_f64(
    value: Option<&Value>,
    out: Option<&mut MaybeUninit<f64>>,
) -> bool {
    read!(value, out, Float64)
}

/// Reads a `char`; whether it is one.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_get_char(
    value: Option<&Value>,
    out: Option<&mut MaybeUninit<u32>>,
) -> bool {
    read!(value, out, Char)
}

/// The text of a `string`, or the message of an `error-context`; lent.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_get_string(value: Option<&Value>) -> Text {
    Text::of(match value.map(|value| &value.0) {
        Some(Val::String(text)) => Some(text),
        Some(Val::ErrorContext(context)) => Some(context.debug_message()),
        _ => None,
    })
}

/// How many parts a value has: a list's elements, a map's pairs, a record's or tuple's fields, flags that are set; one
/// or none of a variant, `option` and `result`. None of any other.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_len(value: Option<&Value>) -> usize {
    let Some(value) = value else {
        return 0;
    };
    match &value.0 {
        Val::List(list) | Val::FixedLengthList(list) => list.len(),
        Val::Map(pairs) => pairs.len(),
        Val::Record(fields) => fields.len(),
        Val::Tuple(fields) => fields.len(),
        Val::Flags(flags) => flags.len(),
        Val::Variant(_, payload) | Val::Option(payload) => payload.iter().len(),
        Val::Result(Ok(payload) | Err(payload)) => payload.iter().len(),
        _ => 0,
    }
}

/// A part of a value, lent: a list's element, a pair's value, a record's or tuple's field, the payload of a variant,
/// `option` or `result` (index 0). `NULL` beyond the last, and of a list of numbers, whose elements
/// `cellule_val_get_numbers` and `cellule_val_get_element` read.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_get(value: Option<&Value>, index: usize) -> Option<&Value> {
    let part = match &value?.0 {
        Val::List(List::Vals(items)) | Val::FixedLengthList(List::Vals(items)) => items.get(index),
        Val::Map(pairs) => pairs.get(index).map(|(_, value)| value),
        Val::Record(fields) => fields.get(index).map(|(_, field)| field),
        Val::Tuple(fields) => fields.get(index),
        Val::Variant(_, payload)
        | Val::Option(payload)
        | Val::Result(Ok(payload) | Err(payload)) => {
            let payload = payload.as_deref();
            payload.filter(|_| index == 0)
        }
        _ => None,
    };
    part.map(Value::lent)
}

/// A field of a record, lent, by its name. `NULL` if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cellule_val_get_field(
    record: Option<&Value>,
    name: *const c_char,
) -> Option<&Value> {
    let Val::Record(fields) = &record?.0 else {
        return None;
    };
    // SAFETY: the caller gives text that ends, or null.
    let name = unsafe { self::name(name) }?;
    let field = fields.iter().find(|(field, _)| field == name);
    field.map(|(_, field)| Value::lent(field))
}

/// The key of a map's pair, lent. `NULL` beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_get_key(map: Option<&Value>, index: usize) -> Option<&Value> {
    match &map?.0 {
        Val::Map(pairs) => pairs.get(index).map(|(key, _)| Value::lent(key)),
        _ => None,
    }
}

/// A name, lent: a record's field's, of a flag that is set, or the case's of a variant or enum (index 0).
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_get_name(value: Option<&Value>, index: usize) -> Text {
    Text::of(match value.map(|value| &value.0) {
        Some(Val::Record(fields)) => fields.get(index).map(|(name, _)| name.as_str()),
        Some(Val::Flags(flags)) => flags.get(index).map(String::as_str),
        Some(Val::Variant(name, _) | Val::Enum(name)) => (index == 0).then_some(name.as_str()),
        _ => None,
    })
}

/// Whether flags have one set, by its name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cellule_val_has_flag(flags: Option<&Value>, name: *const c_char) -> bool {
    // SAFETY: the caller gives text that ends, or null.
    match (flags, unsafe { self::name(name) }) {
        (Some(Value(Val::Flags(flags))), Some(name)) => flags.iter().any(|flag| flag == name),
        _ => false,
    }
}

/// Whether a `result` went well. No other value has.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_is_ok(result: Option<&Value>) -> bool {
    matches!(result, Some(Value(Val::Result(Ok(_)))))
}

/// A copy of a list's element, yours to delete, however the list is kept. `NULL` beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_get_element(
    list: Option<&Value>,
    index: usize,
) -> Option<Box<Value>> {
    quiet(None, || match &list?.0 {
        Val::List(list) | Val::FixedLengthList(list) => Some(Box::new(Value(list.get(index)?))),
        _ => None,
    })
}

/// The elements of a list of numbers, lent, as an array: `int8_t`, `uint8_t`, …, `float`, `double`, as `*kind` says;
/// `cellule_val_len` says how many. `NULL` of what is no list of numbers; one that a guest gives, or that
/// `cellule_val_numbers` makes, is one.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_get_numbers(
    list: Option<&Value>,
    kind: Option<&mut MaybeUninit<ValueKind>>,
) -> *const c_void {
    let list = match list.map(|list| &list.0) {
        Some(Val::List(list) | Val::FixedLengthList(list)) => list,
        _ => return null(),
    };
    let (data, of) = match list {
        List::S8(items) => (items.as_ptr().cast(), ValueKind::S8),
        List::U8(items) => (items.as_ptr().cast(), ValueKind::U8),
        List::S16(items) => (items.as_ptr().cast(), ValueKind::S16),
        List::U16(items) => (items.as_ptr().cast(), ValueKind::U16),
        List::S32(items) => (items.as_ptr().cast(), ValueKind::S32),
        List::U32(items) => (items.as_ptr().cast(), ValueKind::U32),
        List::S64(items) => (items.as_ptr().cast(), ValueKind::S64),
        List::U64(items) => (items.as_ptr().cast(), ValueKind::U64),
        List::Float32(items) => (items.as_ptr().cast(), ValueKind::F32),
        List::Float64(items) => (items.as_ptr().cast(), ValueKind::F64),
        _ => return null(),
    };
    if let Some(kind) = kind {
        kind.write(of);
    }
    data
}
