//! Component values as C has them: one opaque type for all, made by `make`, read by `read`.

pub mod make;
pub mod read;

use crate::boundary::quiet;
use cellule::component::Val;

/// A value of any type of the Component Model. Opaque. One that a function returns, or puts into a place, is yours
/// to delete unless its pointer is `const`: then it is lent by what it is a part of.
#[repr(transparent)]
pub struct Value(pub(crate) Val);

impl Value {
    /// A value of the library's, lent to C.
    pub(crate) fn lent(value: &Val) -> &Value {
        // SAFETY: `Value` is transparent, so that both have one layout, and the reference lives as long.
        unsafe { &*std::ptr::from_ref(value).cast() }
    }
}

/// Which type a value is of.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// There is no value: the pointer was `NULL`.
    None = 0,
    /// `bool`.
    Bool,
    /// `s8`.
    S8,
    /// `u8`.
    U8,
    /// `s16`.
    S16,
    /// `u16`.
    U16,
    /// `s32`.
    S32,
    /// `u32`.
    U32,
    /// `s64`.
    S64,
    /// `u64`.
    U64,
    /// `f32`.
    F32,
    /// `f64`.
    F64,
    /// `char`: a Unicode scalar value.
    Char,
    /// `string`: UTF-8.
    String,
    /// `list<T>`.
    List,
    /// `list<T, N>`.
    FixedLengthList,
    /// `map<K, V>`.
    Map,
    /// A record.
    Record,
    /// A tuple.
    Tuple,
    /// A variant.
    Variant,
    /// An enum.
    Enum,
    /// `option<T>`.
    Option,
    /// `result<T, E>`.
    Result,
    /// Flags.
    Flags,
    /// A handle to a resource.
    Resource,
    /// `error-context`: a message.
    ErrorContext,
}

/// Deletes a value and all of its parts; a resource that it is a handle to stays. `NULL` is fine.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_delete(value: Option<Box<Value>>) {
    quiet((), || drop(value));
}

/// A copy, yours to delete; of a handle to a resource, a second name for the same handle. `NULL` of `NULL`.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_clone(value: Option<&Value>) -> Option<Box<Value>> {
    quiet(None, || value.map(|value| Box::new(Value(value.0.clone()))))
}

/// Whether two values are equal; a `NaN` isn't equal to itself, and `NULL` to nothing.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_val_equal(a: Option<&Value>, b: Option<&Value>) -> bool {
    quiet(false, || match (a, b) {
        (Some(a), Some(b)) => a.0 == b.0,
        _ => false,
    })
}
