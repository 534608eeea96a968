//! Values made by C. What is given a value takes it over, whatever comes of it.
//!
//! A constructor has no place for an error: it answers null, and a call that is given null says which argument it is.

use crate::boundary::{bytes, elements, name, quiet, text};
use crate::value::{Value, ValueKind};
use cellule::component::{ErrorContext, List, Val};
use std::ffi::{c_char, c_void};

fn made(value: Val) -> Option<Box<Value>> {
    Some(Box::new(Value(value)))
}

/// A `bool`.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_bool(value: bool) -> Option<Box<Value>> {
    quiet(None, || made(Val::Bool(value)))
}

/// A `s8`.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_s8(value: i8) -> Option<Box<Value>> {
    quiet(None, || made(Val::S8(value)))
}

/// A `u8`.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_u8(value: u8) -> Option<Box<Value>> {
    quiet(None, || made(Val::U8(value)))
}

/// A `s16`.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_s16(value: i16) -> Option<Box<Value>> {
    quiet(None, || made(Val::S16(value)))
}

/// A `u16`.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_u16(value: u16) -> Option<Box<Value>> {
    quiet(None, || made(Val::U16(value)))
}

/// A `s32`.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_s32(value: i32) -> Option<Box<Value>> {
    quiet(None, || made(Val::S32(value)))
}

/// A `u32`.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_u32(value: u32) -> Option<Box<Value>> {
    quiet(None, || made(Val::U32(value)))
}

/// A `s64`.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_s64(value: i64) -> Option<Box<Value>> {
    quiet(None, || made(Val::S64(value)))
}

/// A `u64`.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_u64(value: u64) -> Option<Box<Value>> {
    quiet(None, || made(Val::U64(value)))
}

/// A `f32`.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_f32(value: f32) -> Option<Box<Value>> {
    quiet(None, || made(Val::Float32(value)))
}

/// A `f64`.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_f64(value: f64) -> Option<Box<Value>> {
    quiet(None, || made(Val::Float64(value)))
}

/// A `char`: a Unicode scalar value, else `NULL`.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_char(value: u32) -> Option<Box<Value>> {
    quiet(None, || made(Val::Char(char::from_u32(value)?)))
}

/// A `string` of so many bytes, which are copied: UTF-8, else `NULL`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cellule_val_string(data: *const c_char, len: usize) -> Option<Box<Value>> {
    quiet(None, || {
        // SAFETY: the caller says that so many bytes are there.
        let text = unsafe { text(data, len) }?;
        made(Val::String(text.into()))
    })
}

/// A `string` of text that ends with a NUL, which is copied: UTF-8, else `NULL`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cellule_val_text(data: *const c_char) -> Option<Box<Value>> {
    // SAFETY: the caller gives text that ends, or null.
    quiet(None, || made(Val::String(unsafe { name(data) }?.into())))
}

/// An `error-context` with a message of so many bytes, which are copied: UTF-8, else `NULL`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cellule_val_error_context(
    message: *const c_char,
    len: usize,
) -> Option<Box<Value>> {
    quiet(None, || {
        // SAFETY: the caller says that so many bytes are there.
        let message = unsafe { text(message, len) }?;
        made(Val::ErrorContext(ErrorContext::new(message)))
    })
}

/// A `list` without elements, which `cellule_val_push` adds.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_list() -> Option<Box<Value>> {
    quiet(None, || made(Val::List(List::Vals(Vec::new()))))
}

/// A `list<T, N>` without elements, which `cellule_val_push` adds.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_fixed_length_list() -> Option<Box<Value>> {
    quiet(None, || made(Val::FixedLengthList(List::Vals(Vec::new()))))
}

/// A `list` of numbers, which are copied from an array of `len` elements of the kind: `int8_t`, `uint8_t`, …, `float`,
/// `double`. `NULL` if the kind isn't of numbers, or the array isn't aligned. A list of bytes takes a
/// fraction of what its elements one by one would.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cellule_val_numbers(
    kind: ValueKind,
    data: *const c_void,
    len: usize,
) -> Option<Box<Value>> {
    macro_rules! copied {
        ($list:ident, $ty:ty) => {{
            // SAFETY: the caller says that so many elements of this kind are there.
            let elements = unsafe { elements::<$ty>(data.cast(), len) };
            List::$list(elements?.to_vec())
        }};
    }
    quiet(None, || {
        made(Val::List(match kind {
            // SAFETY: the caller says that so many bytes are there.
            ValueKind::U8 => List::U8(unsafe { bytes(data.cast(), len) }?.to_vec()),
            ValueKind::S8 => copied!(S8, i8),
            ValueKind::S16 => copied!(S16, i16),
            ValueKind::U16 => copied!(U16, u16),
            ValueKind::S32 => copied!(S32, i32),
            ValueKind::U32 => copied!(U32, u32),
            ValueKind::S64 => copied!(S64, i64),
            ValueKind::U64 => copied!(U64, u64),
            ValueKind::F32 => copied!(Float32, f32),
            ValueKind::F64 => copied!(Float64, f64),
            _ => return None,
        }))
    })
}

/// A tuple without fields, which `cellule_val_push` adds.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_tuple() -> Option<Box<Value>> {
    quiet(None, || made(Val::Tuple(Vec::new())))
}

/// Adds a value to a list, of any length or a fixed one, or to a tuple; whether it was added. Not to a list of
/// numbers. `item` is taken over in any case.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_push(value: Option<&mut Value>, item: Option<Box<Value>>) -> bool {
    quiet(false, || {
        let (Some(value), Some(item)) = (value, item) else {
            return false;
        };
        match &mut value.0 {
            Val::List(List::Vals(items)) | Val::FixedLengthList(List::Vals(items)) => {
                items.push(item.0);
            }
            Val::Tuple(items) => items.push(item.0),
            _ => return false,
        }
        true
    })
}

/// A record without fields, which `cellule_val_add_field` adds.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_record() -> Option<Box<Value>> {
    quiet(None, || made(Val::Record(Vec::new())))
}

/// Adds a field to a record, in the type's order; whether it was added. The name is copied, `field` is taken over in
/// any case.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cellule_val_add_field(
    record: Option<&mut Value>,
    name: *const c_char,
    field: Option<Box<Value>>,
) -> bool {
    quiet(false, || {
        // SAFETY: the caller gives text that ends, or null.
        let name = unsafe { self::name(name) };
        match (record, name, field) {
            (Some(Value(Val::Record(fields))), Some(name), Some(field)) => {
                fields.push((name.into(), field.0));
                true
            }
            _ => false,
        }
    })
}

/// A `map` without pairs, which `cellule_val_add_pair` adds.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_map() -> Option<Box<Value>> {
    quiet(None, || made(Val::Map(Vec::new())))
}

/// Adds a pair to a map; whether it was added. `key` and `item` are taken over in any case.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_add_pair(
    map: Option<&mut Value>,
    key: Option<Box<Value>>,
    item: Option<Box<Value>>,
) -> bool {
    quiet(false, || match (map, key, item) {
        (Some(Value(Val::Map(pairs))), Some(key), Some(item)) => {
            pairs.push((key.0, item.0));
            true
        }
        _ => false,
    })
}

fn payload(value: Option<Box<Value>>) -> Option<Box<Val>> {
    value.map(|value| Box::new(value.0))
}

/// A variant: the case's name, which is copied, and its payload, which is taken over; `NULL` where the case has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cellule_val_variant(
    name: *const c_char,
    payload: Option<Box<Value>>,
) -> Option<Box<Value>> {
    quiet(None, || {
        // SAFETY: the caller gives text that ends, or null.
        let name = unsafe { self::name(name) }?;
        made(Val::Variant(name.into(), self::payload(payload)))
    })
}

/// An enum: the case's name, which is copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cellule_val_enum(name: *const c_char) -> Option<Box<Value>> {
    quiet(None, || {
        // SAFETY: the caller gives text that ends, or null.
        let name = unsafe { self::name(name) }?;
        made(Val::Enum(name.into()))
    })
}

/// The `option` that has nothing.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_none() -> Option<Box<Value>> {
    quiet(None, || made(Val::Option(None)))
}

/// The `option` that has a value, which is taken over. `NULL` of `NULL`.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_some(value: Option<Box<Value>>) -> Option<Box<Value>> {
    quiet(None, || made(Val::Option(Some(payload(Some(value?))?))))
}

/// The `result` that went well, with its payload, which is taken over; `NULL` where the type has none.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_ok(payload: Option<Box<Value>>) -> Option<Box<Value>> {
    quiet(None, || made(Val::Result(Ok(self::payload(payload)))))
}

/// The `result` that is an error, with its payload, which is taken over; `NULL` where the type has none.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_err(payload: Option<Box<Value>>) -> Option<Box<Value>> {
    quiet(None, || made(Val::Result(Err(self::payload(payload)))))
}

/// Flags of which none is set, which `cellule_val_set_flag` does.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_flags() -> Option<Box<Value>> {
    quiet(None, || made(Val::Flags(Vec::new())))
}

/// Sets a flag, by its name, which is copied; whether it is set now.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cellule_val_set_flag(
    flags: Option<&mut Value>,
    name: *const c_char,
) -> bool {
    quiet(false, || {
        // SAFETY: the caller gives text that ends, or null.
        match (flags, unsafe { self::name(name) }) {
            (Some(Value(Val::Flags(flags))), Some(name)) => {
                if !flags.iter().any(|flag| flag == name) {
                    flags.push(name.into());
                }
                true
            }
            _ => false,
        }
    })
}
