//! What an operator costs in fuel: fixed by the operator alone, the same for every tier and target.

use wasmparser::Operator;

/// 1, or 0 for operators that only name, hold or reinterpret a value, or only structure code.
#[cfg_attr(feature = "fast", inline(always))]
pub(crate) fn cost(op: &Operator) -> u32 {
    match op {
        Operator::LocalGet { .. }
        | Operator::LocalSet { .. }
        | Operator::LocalTee { .. }
        | Operator::I32Const { .. }
        | Operator::I64Const { .. }
        | Operator::F32Const { .. }
        | Operator::F64Const { .. }
        | Operator::Block { .. }
        | Operator::Loop { .. }
        | Operator::TryTable { .. }
        | Operator::End
        | Operator::Nop
        | Operator::Drop
        | Operator::I32WrapI64
        | Operator::I32ReinterpretF32
        | Operator::I64ReinterpretF64
        | Operator::F32ReinterpretI32
        | Operator::F64ReinterpretI64 => 0,
        #[cfg(feature = "simd")]
        Operator::V128Const { .. } => 0,
        _ => 1,
    }
}
