//! Values of core functions as embedders see them.

use super::exception::ExnRef;
use super::func::Func;
use crate::code::module::{HeapType, ValType};
use crate::error::{OutOfMemory, Result};
use crate::fallible::filled;
use crate::store::StoreInner;

/// A number of the embedder's that guests can hold and hand back, but not look into.
///
/// It is not owned: what it names, for instance an entry of a table, is the embedder's to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExternRef(u32);

impl ExternRef {
    /// A reference with this number; `None` for the one number that stands for null.
    pub fn new(number: u32) -> Option<ExternRef> {
        (number != u32::MAX).then_some(ExternRef(number))
    }

    /// Its number.
    pub fn number(self) -> u32 {
        self.0
    }
}

/// A vector of 128 bits: its lanes are those of its bytes, the lowest first.
///
/// ```
/// use cellule::V128;
///
/// let lanes = V128::from(0x0000_0003_0000_0002_0000_0001_0000_0000);
/// assert_eq!(lanes.as_u128() as u32, 0);
/// assert_eq!(V128::from(u128::from_le_bytes([7; 16])).as_u128() >> 120, 7);
/// ```
// Two halves, so that values needn't be aligned as integers of this width are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct V128([u64; 2]);

impl V128 {
    /// As an integer, the first lane in its lowest bits.
    pub fn as_u128(self) -> u128 {
        u128::from(self.0[0]) | u128::from(self.0[1]) << 64
    }

    pub(super) fn halves(self) -> [u64; 2] {
        self.0
    }

    pub(super) fn of(halves: [u64; 2]) -> V128 {
        V128(halves)
    }
}

impl From<u128> for V128 {
    fn from(bits: u128) -> V128 {
        V128([bits as u64, (bits >> 64) as u64])
    }
}

impl From<V128> for u128 {
    fn from(vector: V128) -> u128 {
        vector.as_u128()
    }
}

/// A core value. Floats are given by their bits, so that NaNs keep theirs.
///
/// ```
/// use cellule::{Val, ValType};
///
/// let value = Val::from(1.5f32);
/// assert_eq!(value.ty(), ValType::F32);
/// assert_eq!(value.f32(), Some(1.5));
/// assert_eq!(value.i32(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Val {
    /// An integer of 32 bits, with or without a sign.
    I32(i32),
    /// An integer of 64 bits, with or without a sign.
    I64(i64),
    /// The bits of a float.
    F32(u32),
    /// The bits of a float.
    F64(u64),
    /// A vector.
    V128(V128),
    /// A function, or null.
    FuncRef(Option<Func>),
    /// Something of the embedder's, or null.
    ExternRef(Option<ExternRef>),
    /// An exception, or null.
    ExnRef(Option<ExnRef>),
}

impl Val {
    /// Its type.
    pub fn ty(&self) -> ValType {
        match self {
            Val::I32(_) => ValType::I32,
            Val::I64(_) => ValType::I64,
            Val::F32(_) => ValType::F32,
            Val::F64(_) => ValType::F64,
            Val::V128(_) => ValType::V128,
            Val::FuncRef(_) => ValType::FuncRef,
            Val::ExternRef(_) => ValType::ExternRef,
            Val::ExnRef(_) => ValType::ExnRef,
        }
    }

    /// Whether it is a value of a type, in the store with this data.
    pub(super) fn fits(&self, inner: &StoreInner, ty: ValType) -> bool {
        let Some((nullable, heap)) = ty.as_reference() else {
            return self.ty() == ty;
        };
        match self {
            Val::FuncRef(None) => nullable && ty.kind() == ValType::FuncRef,
            Val::FuncRef(Some(func)) => match heap {
                HeapType::Concrete(id) => inner
                    .funcs
                    .get(func.entity as usize)
                    .is_some_and(|entity| entity.ty == id),
                heap => heap == HeapType::Func,
            },
            Val::ExternRef(reference) => {
                heap == HeapType::Extern && (nullable || reference.is_some())
            }
            Val::ExnRef(exception) => heap == HeapType::Exn && (nullable || exception.is_some()),
            _ => false,
        }
    }

    /// Zero or null of a type, or of the kind of references that it is a type of.
    pub fn default_of(ty: ValType) -> Val {
        match ty.kind() {
            ValType::I32 => Val::I32(0),
            ValType::I64 => Val::I64(0),
            ValType::F32 => Val::F32(0),
            ValType::F64 => Val::F64(0),
            ValType::V128 => Val::V128(V128([0; 2])),
            ValType::FuncRef => Val::FuncRef(None),
            ValType::ExternRef => Val::ExternRef(None),
            // A kind is no other type.
            ValType::ExnRef | ValType::Ref(_) => Val::ExnRef(None),
        }
    }
}

macro_rules! accessors {
    ($($variant:ident $ty:ty: $get:ident $unwrap:ident, |$value:ident| $made:expr;)*) => {
        impl Val {
            $(
                #[doc = concat!("The `", stringify!($ty), "`, if it is one.")]
                pub fn $get(&self) -> Option<$ty> {
                    match self {
                        Val::$variant($value) => Some($made),
                        _ => None,
                    }
                }

                #[doc = concat!("The `", stringify!($ty), "` that it is.")]
                ///
                /// # Panics
                /// If it is of another type.
                pub fn $unwrap(&self) -> $ty {
                    match self.$get() {
                        Some(value) => value,
                        None => panic!("the value is no {} but of type {}", stringify!($ty), self.ty()),
                    }
                }
            )*
        }
    };
}

accessors! {
    I32 i32: i32 unwrap_i32, |value| *value;
    I64 i64: i64 unwrap_i64, |value| *value;
    F32 f32: f32 unwrap_f32, |value| f32::from_bits(*value);
    F64 f64: f64 unwrap_f64, |value| f64::from_bits(*value);
    V128 V128: v128 unwrap_v128, |value| *value;
    FuncRef Option<Func>: funcref unwrap_funcref, |value| *value;
    ExternRef Option<ExternRef>: externref unwrap_externref, |value| *value;
    ExnRef Option<ExnRef>: exnref unwrap_exnref, |value| *value;
}

impl From<i32> for Val {
    fn from(value: i32) -> Val {
        Val::I32(value)
    }
}

impl From<i64> for Val {
    fn from(value: i64) -> Val {
        Val::I64(value)
    }
}

impl From<f32> for Val {
    fn from(value: f32) -> Val {
        Val::F32(value.to_bits())
    }
}

impl From<f64> for Val {
    fn from(value: f64) -> Val {
        Val::F64(value.to_bits())
    }
}

impl From<V128> for Val {
    fn from(value: V128) -> Val {
        Val::V128(value)
    }
}

pub(crate) fn extern_slot(reference: Option<ExternRef>) -> u64 {
    reference.map_or(0, |reference| u64::from(reference.0) + 1)
}

pub(crate) fn extern_of(slot: u64) -> Option<ExternRef> {
    (slot as u32).checked_sub(1).map(ExternRef)
}

/// The store as far as references need it, to become slots and values again.
#[doc(hidden)]
pub struct Refs<'a> {
    pub(super) id: u32,
    pub(super) inner: &'a mut StoreInner,
    /// The host had no memory for a reference: what was lowered may not be used.
    pub(super) failed: bool,
}

impl Refs<'_> {
    /// After something was lowered.
    pub(super) fn lowered(&self) -> Result<(), OutOfMemory> {
        match self.failed {
            true => Err(OutOfMemory),
            false => Ok(()),
        }
    }

    /// The slot of a reference to a function.
    ///
    /// # Panics
    /// If the function is of another store.
    pub(super) fn func_slot(&mut self, func: Option<Func>) -> u64 {
        func.map_or(0, |func| {
            assert_eq!(func.store, self.id, "a handle of another store");
            let slot = self.inner.intern(0, func.entity);
            self.failed |= slot.is_err();
            slot.unwrap_or(0).into()
        })
    }

    pub(super) fn func_of(&self, slot: u64) -> Option<Func> {
        func_of(self.inner, self.id, slot)
    }

    /// The slot of a value, the first of a vector.
    ///
    /// # Panics
    /// If it is a reference of another store, or an exception that is gone.
    pub(super) fn lower(&mut self, value: &Val) -> u64 {
        match value {
            Val::V128(vector) => vector.halves()[0],
            Val::I32(x) => u64::from(*x as u32),
            Val::I64(x) => *x as u64,
            Val::F32(bits) => u64::from(*bits),
            Val::F64(bits) => *bits,
            Val::FuncRef(func) => self.func_slot(*func),
            Val::ExternRef(reference) => extern_slot(*reference),
            Val::ExnRef(exception) => exception.map_or(0, |exception| exception.slot(self)),
        }
    }

    /// The value that begins with the first of these slots.
    pub(super) fn lift(&self, ty: ValType, slots: &[u64]) -> Val {
        lift(self.inner, self.id, ty, slots)
    }
}

fn func_of(inner: &StoreInner, id: u32, slot: u64) -> Option<Func> {
    let func = inner.deref(0, slot as u32)?;
    Some(Func {
        store: id,
        entity: func.entity,
    })
}

/// The value of the store with this id that begins with the first of these slots; those that aren't there
/// are zero.
pub(super) fn lift(inner: &StoreInner, id: u32, ty: ValType, slots: &[u64]) -> Val {
    let slot = slots.first().copied().unwrap_or(0);
    match ty.kind() {
        ValType::V128 => Val::V128(V128([slot, slots.get(1).copied().unwrap_or(0)])),
        ValType::I32 => Val::I32(slot as i32),
        ValType::I64 => Val::I64(slot as i64),
        ValType::F32 => Val::F32(slot as u32),
        ValType::F64 => Val::F64(slot),
        ValType::FuncRef => Val::FuncRef(func_of(inner, id, slot)),
        ValType::ExternRef => Val::ExternRef(extern_of(slot)),
        ValType::ExnRef | ValType::Ref(_) => Val::ExnRef(ExnRef::of(inner, id, slot)),
    }
}

/// How many slots fit without an allocation.
const FEW: usize = 16;

/// Lends zeroed slots, without an allocation where they are few.
pub(super) fn with_slots<R>(count: usize, run: impl FnOnce(&mut [u64]) -> Result<R>) -> Result<R> {
    if count <= FEW {
        run(&mut [0; FEW][..count])
    } else {
        run(&mut filled(0, count)?)
    }
}

/// Lends values, without an allocation where they are few.
pub(super) fn with_values<R>(count: usize, run: impl FnOnce(&mut [Val]) -> Result<R>) -> Result<R> {
    if count <= FEW {
        run(&mut [Val::I32(0); FEW][..count])
    } else {
        run(&mut filled(Val::I32(0), count)?)
    }
}
