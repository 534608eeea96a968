//! Values of core functions as embedders see them.

use super::func::Func;
use crate::code::module::ValType;

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

/// A core value. Floats are given by their bits, so that NaNs keep theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Val {
    I32(i32),
    I64(i64),
    F32(u32),
    F64(u64),
    FuncRef(Option<Func>),
    ExternRef(Option<ExternRef>),
}

impl Val {
    /// Its type.
    pub fn ty(&self) -> ValType {
        match self {
            Val::I32(_) => ValType::I32,
            Val::I64(_) => ValType::I64,
            Val::F32(_) => ValType::F32,
            Val::F64(_) => ValType::F64,
            Val::FuncRef(_) => ValType::FuncRef,
            Val::ExternRef(_) => ValType::ExternRef,
        }
    }

    /// Zero or null of a type.
    pub fn default_of(ty: ValType) -> Val {
        match ty {
            ValType::I32 => Val::I32(0),
            ValType::I64 => Val::I64(0),
            ValType::F32 => Val::F32(0),
            ValType::F64 => Val::F64(0),
            ValType::FuncRef => Val::FuncRef(None),
            ValType::ExternRef => Val::ExternRef(None),
        }
    }
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

pub(crate) fn extern_slot(reference: Option<ExternRef>) -> u64 {
    reference.map_or(0, |reference| u64::from(reference.0) + 1)
}

pub(crate) fn extern_of(slot: u64) -> Option<ExternRef> {
    (slot as u32).checked_sub(1).map(ExternRef)
}
