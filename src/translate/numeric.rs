//! Which row of the instruction table computes a numeric operator.

use crate::code::Row;
use crate::code::module::ValType;
use wasmparser::Operator as O;

/// A binary operator or comparison: the row, whether operands are exchanged first, the result's type.
pub(crate) fn binary(op: &O) -> Option<(Row, bool, ValType)> {
    use Row::*;
    use ValType::{F32, F64, I32, I64};
    Some(match op {
        O::I32Add => (I32Add, false, I32),
        O::I32Sub => (I32Sub, false, I32),
        O::I32Mul => (I32Mul, false, I32),
        O::I32And => (I32And, false, I32),
        O::I32Or => (I32Or, false, I32),
        O::I32Xor => (I32Xor, false, I32),
        O::I32Shl => (I32Shl, false, I32),
        O::I32ShrS => (I32ShrS, false, I32),
        O::I32ShrU => (I32ShrU, false, I32),
        O::I32Rotl => (I32Rotl, false, I32),
        O::I32Rotr => (I32Rotr, false, I32),
        O::I32DivS => (I32DivS, false, I32),
        O::I32DivU => (I32DivU, false, I32),
        O::I32RemS => (I32RemS, false, I32),
        O::I32RemU => (I32RemU, false, I32),
        O::I32Eq => (I32Eq, false, I32),
        O::I32Ne => (I32Ne, false, I32),
        O::I32LtS => (I32LtS, false, I32),
        O::I32LtU => (I32LtU, false, I32),
        O::I32GtS => (I32LtS, true, I32),
        O::I32GtU => (I32LtU, true, I32),
        O::I32LeS => (I32GeS, true, I32),
        O::I32LeU => (I32GeU, true, I32),
        O::I32GeS => (I32GeS, false, I32),
        O::I32GeU => (I32GeU, false, I32),
        O::I64Add => (I64Add, false, I64),
        O::I64Sub => (I64Sub, false, I64),
        O::I64Mul => (I64Mul, false, I64),
        O::I64And => (I64And, false, I64),
        O::I64Or => (I64Or, false, I64),
        O::I64Xor => (I64Xor, false, I64),
        O::I64Shl => (I64Shl, false, I64),
        O::I64ShrS => (I64ShrS, false, I64),
        O::I64ShrU => (I64ShrU, false, I64),
        O::I64Rotl => (I64Rotl, false, I64),
        O::I64Rotr => (I64Rotr, false, I64),
        O::I64DivS => (I64DivS, false, I64),
        O::I64DivU => (I64DivU, false, I64),
        O::I64RemS => (I64RemS, false, I64),
        O::I64RemU => (I64RemU, false, I64),
        O::I64Eq => (I64Eq, false, I32),
        O::I64Ne => (I64Ne, false, I32),
        O::I64LtS => (I64LtS, false, I32),
        O::I64LtU => (I64LtU, false, I32),
        O::I64GtS => (I64LtS, true, I32),
        O::I64GtU => (I64LtU, true, I32),
        O::I64LeS => (I64GeS, true, I32),
        O::I64LeU => (I64GeU, true, I32),
        O::I64GeS => (I64GeS, false, I32),
        O::I64GeU => (I64GeU, false, I32),
        O::F32Add => (F32Add, false, F32),
        O::F32Sub => (F32Sub, false, F32),
        O::F32Mul => (F32Mul, false, F32),
        O::F32Div => (F32Div, false, F32),
        O::F32Min => (F32Min, false, F32),
        O::F32Max => (F32Max, false, F32),
        O::F32Copysign => (F32Copysign, false, F32),
        O::F32Eq => (F32Eq, false, I32),
        O::F32Ne => (F32Ne, false, I32),
        O::F32Lt => (F32Lt, false, I32),
        O::F32Le => (F32Le, false, I32),
        O::F32Gt => (F32Lt, true, I32),
        O::F32Ge => (F32Le, true, I32),
        O::F64Add => (F64Add, false, F64),
        O::F64Sub => (F64Sub, false, F64),
        O::F64Mul => (F64Mul, false, F64),
        O::F64Div => (F64Div, false, F64),
        O::F64Min => (F64Min, false, F64),
        O::F64Max => (F64Max, false, F64),
        O::F64Copysign => (F64Copysign, false, F64),
        O::F64Eq => (F64Eq, false, I32),
        O::F64Ne => (F64Ne, false, I32),
        O::F64Lt => (F64Lt, false, I32),
        O::F64Le => (F64Le, false, I32),
        O::F64Gt => (F64Lt, true, I32),
        O::F64Ge => (F64Le, true, I32),
        _ => return None,
    })
}

/// A unary operator: the row and the result's type.
pub(crate) fn unary(op: &O) -> Option<(Row, ValType)> {
    use Row::*;
    use ValType::{F32, F64, I32, I64};
    Some(match op {
        O::I32Clz => (I32Clz, I32),
        O::I32Ctz => (I32Ctz, I32),
        O::I32Popcnt => (I32Popcnt, I32),
        O::I64Clz => (I64Clz, I64),
        O::I64Ctz => (I64Ctz, I64),
        O::I64Popcnt => (I64Popcnt, I64),
        O::I32Extend8S => (Extend8S, I32),
        O::I32Extend16S => (Extend16S, I32),
        O::I64Extend8S => (Extend8S, I64),
        O::I64Extend16S => (Extend16S, I64),
        O::I64Extend32S | O::I64ExtendI32S => (Extend32S, I64),
        O::I64ExtendI32U => (Extend32U, I64),
        O::F32Abs => (F32Abs, F32),
        O::F32Neg => (F32Neg, F32),
        O::F32Ceil => (F32Ceil, F32),
        O::F32Floor => (F32Floor, F32),
        O::F32Trunc => (F32Trunc, F32),
        O::F32Nearest => (F32Nearest, F32),
        O::F32Sqrt => (F32Sqrt, F32),
        O::F64Abs => (F64Abs, F64),
        O::F64Neg => (F64Neg, F64),
        O::F64Ceil => (F64Ceil, F64),
        O::F64Floor => (F64Floor, F64),
        O::F64Trunc => (F64Trunc, F64),
        O::F64Nearest => (F64Nearest, F64),
        O::F64Sqrt => (F64Sqrt, F64),
        O::I32TruncF32S => (I32TruncF32S, I32),
        O::I32TruncF32U => (I32TruncF32U, I32),
        O::I32TruncF64S => (I32TruncF64S, I32),
        O::I32TruncF64U => (I32TruncF64U, I32),
        O::I64TruncF32S => (I64TruncF32S, I64),
        O::I64TruncF32U => (I64TruncF32U, I64),
        O::I64TruncF64S => (I64TruncF64S, I64),
        O::I64TruncF64U => (I64TruncF64U, I64),
        O::I32TruncSatF32S => (I32TruncSatF32S, I32),
        O::I32TruncSatF32U => (I32TruncSatF32U, I32),
        O::I32TruncSatF64S => (I32TruncSatF64S, I32),
        O::I32TruncSatF64U => (I32TruncSatF64U, I32),
        O::I64TruncSatF32S => (I64TruncSatF32S, I64),
        O::I64TruncSatF32U => (I64TruncSatF32U, I64),
        O::I64TruncSatF64S => (I64TruncSatF64S, I64),
        O::I64TruncSatF64U => (I64TruncSatF64U, I64),
        O::F32ConvertI32S => (F32ConvertI32S, F32),
        O::F32ConvertI32U => (F32ConvertI32U, F32),
        O::F32ConvertI64S => (F32ConvertI64S, F32),
        O::F32ConvertI64U => (F32ConvertI64U, F32),
        O::F64ConvertI32S => (F64ConvertI32S, F64),
        O::F64ConvertI32U => (F64ConvertI32U, F64),
        O::F64ConvertI64S => (F64ConvertI64S, F64),
        O::F64ConvertI64U => (F64ConvertI64U, F64),
        O::F32DemoteF64 => (F32DemoteF64, F32),
        O::F64PromoteF32 => (F64PromoteF32, F64),
        _ => return None,
    })
}

/// A load: the row into a slot, the memory argument and the result's type.
pub(crate) fn load<'a>(op: &'a O) -> Option<(Row, &'a wasmparser::MemArg, ValType)> {
    use Row::*;
    use ValType::{F32, F64, I32, I64};
    Some(match op {
        O::I32Load { memarg } => (Load32, memarg, I32),
        O::I64Load { memarg } => (Load64, memarg, I64),
        O::F32Load { memarg } => (Load32, memarg, F32),
        O::F64Load { memarg } => (Load64, memarg, F64),
        O::I32Load8S { memarg } => (Load8S, memarg, I32),
        O::I32Load8U { memarg } => (Load8U, memarg, I32),
        O::I32Load16S { memarg } => (Load16S, memarg, I32),
        O::I32Load16U { memarg } => (Load16U, memarg, I32),
        O::I64Load8S { memarg } => (Load8S, memarg, I64),
        O::I64Load8U { memarg } => (Load8U, memarg, I64),
        O::I64Load16S { memarg } => (Load16S, memarg, I64),
        O::I64Load16U { memarg } => (Load16U, memarg, I64),
        O::I64Load32S { memarg } => (Load32S, memarg, I64),
        O::I64Load32U { memarg } => (Load32, memarg, I64),
        _ => return None,
    })
}

/// A store: the row from a slot and the memory argument.
pub(crate) fn store<'a>(op: &'a O) -> Option<(Row, &'a wasmparser::MemArg)> {
    use Row::*;
    Some(match op {
        O::I32Store { memarg } | O::F32Store { memarg } | O::I64Store32 { memarg } => {
            (Store32, memarg)
        }
        O::I64Store { memarg } | O::F64Store { memarg } => (Store64, memarg),
        O::I32Store8 { memarg } | O::I64Store8 { memarg } => (Store8, memarg),
        O::I32Store16 { memarg } | O::I64Store16 { memarg } => (Store16, memarg),
        _ => return None,
    })
}

/// Whether exchanging a row's operands changes nothing.
pub(crate) fn commutes(row: Row) -> bool {
    use Row::*;
    matches!(
        row,
        I32Add
            | I32Mul
            | I32And
            | I32Or
            | I32Xor
            | I32Eq
            | I32Ne
            | I64Add
            | I64Mul
            | I64And
            | I64Or
            | I64Xor
            | I64Eq
            | I64Ne
            | F32Add
            | F32Mul
            | F32Min
            | F32Max
            | F32Eq
            | F32Ne
            | F64Add
            | F64Mul
            | F64Min
            | F64Max
            | F64Eq
            | F64Ne
    )
}

/// The branch that is taken when the comparison holds, and the one when it doesn't.
pub(crate) fn branch(row: Row) -> Option<(Row, Row)> {
    use Row::*;
    Some(match row {
        I32Eq => (BrI32Eq, BrI32Ne),
        I32Ne => (BrI32Ne, BrI32Eq),
        I32LtS => (BrI32LtS, BrI32GeS),
        I32LtU => (BrI32LtU, BrI32GeU),
        I32GeS => (BrI32GeS, BrI32LtS),
        I32GeU => (BrI32GeU, BrI32LtU),
        I64Eq => (BrI64Eq, BrI64Ne),
        I64Ne => (BrI64Ne, BrI64Eq),
        I64LtS => (BrI64LtS, BrI64GeS),
        I64LtU => (BrI64LtU, BrI64GeU),
        I64GeS => (BrI64GeS, BrI64LtS),
        I64GeU => (BrI64GeU, BrI64LtU),
        F32Eq => (BrF32Eq, BrF32Ne),
        F32Ne => (BrF32Ne, BrF32Eq),
        F32Lt => (BrF32Lt, BrF32NotLt),
        F32Le => (BrF32Le, BrF32NotLe),
        F32NotLt => (BrF32NotLt, BrF32Lt),
        F32NotLe => (BrF32NotLe, BrF32Le),
        F64Eq => (BrF64Eq, BrF64Ne),
        F64Ne => (BrF64Ne, BrF64Eq),
        F64Lt => (BrF64Lt, BrF64NotLt),
        F64Le => (BrF64Le, BrF64NotLe),
        F64NotLt => (BrF64NotLt, BrF64Lt),
        F64NotLe => (BrF64NotLe, BrF64Le),
        _ => return None,
    })
}

/// The comparison that holds when this one doesn't, if it is a row of its own.
pub(crate) fn opposite(row: Row) -> Option<Row> {
    use Row::*;
    Some(match row {
        I32Eq => I32Ne,
        I32Ne => I32Eq,
        I32LtS => I32GeS,
        I32LtU => I32GeU,
        I32GeS => I32LtS,
        I32GeU => I32LtU,
        I64Eq => I64Ne,
        I64Ne => I64Eq,
        I64LtS => I64GeS,
        I64LtU => I64GeU,
        I64GeS => I64LtS,
        I64GeU => I64LtU,
        F32Eq => F32Ne,
        F32Ne => F32Eq,
        F32Lt => F32NotLt,
        F32Le => F32NotLe,
        F32NotLt => F32Lt,
        F32NotLe => F32Le,
        F64Eq => F64Ne,
        F64Ne => F64Eq,
        F64Lt => F64NotLt,
        F64Le => F64NotLe,
        F64NotLt => F64Lt,
        F64NotLe => F64Le,
        _ => return None,
    })
}

/// `imm op x` as `x op' imm'`, for rows that have no form with the constant on the left.
pub(crate) fn exchanged(row: Row, imm: i64) -> Option<(Row, i64)> {
    use Row::*;
    if commutes(row) {
        return Some((row, imm));
    }
    // imm < x is x >= imm + 1, and imm >= x is x < imm + 1, unless imm is the greatest of all.
    let (other, greatest) = match row {
        I32LtS => (I32GeS, i32::MAX.into()),
        I32GeS => (I32LtS, i32::MAX.into()),
        I64LtS => (I64GeS, i64::MAX),
        I64GeS => (I64LtS, i64::MAX),
        // All bits set, which is −1 as a signed number.
        I32LtU => (I32GeU, -1),
        I32GeU => (I32LtU, -1),
        I64LtU => (I64GeU, -1),
        I64GeU => (I64LtU, -1),
        _ => return None,
    };
    if imm == greatest {
        return None;
    }
    let next = match row {
        I32LtU | I32GeU => i64::from((imm as i32).wrapping_add(1)),
        _ => imm.wrapping_add(1),
    };
    Some((other, next))
}

/// The row that adds before it branches as this one does.
pub(crate) fn step(branch: Row) -> Option<Row> {
    use Row::*;
    Some(match branch {
        BrI32Ne => StepI32Ne,
        BrI32LtS => StepI32LtS,
        BrI32LtU => StepI32LtU,
        BrI32GeS => StepI32GeS,
        BrI64Ne => StepI64Ne,
        BrI64LtS => StepI64LtS,
        BrI64LtU => StepI64LtU,
        BrI64GeS => StepI64GeS,
        _ => return None,
    })
}

/// The row that does the same with what that load reads on the right.
pub(crate) fn with_load(row: Row, load: Row) -> Option<Row> {
    use Row::*;
    Some(match (row, load) {
        (I32Add, Load32) => I32AddMem,
        (I32Sub, Load32) => I32SubMem,
        (I32Mul, Load32) => I32MulMem,
        (I32And, Load32) => I32AndMem,
        (I32Or, Load32) => I32OrMem,
        (I32Xor, Load32) => I32XorMem,
        (I64Add, Load64) => I64AddMem,
        (I64Sub, Load64) => I64SubMem,
        (I64Mul, Load64) => I64MulMem,
        (I64And, Load64) => I64AndMem,
        (I64Or, Load64) => I64OrMem,
        (I64Xor, Load64) => I64XorMem,
        (F32Add, LoadF32) => F32AddMem,
        (F32Sub, LoadF32) => F32SubMem,
        (F32Mul, LoadF32) => F32MulMem,
        (F64Add, LoadF64) => F64AddMem,
        (F64Sub, LoadF64) => F64SubMem,
        (F64Mul, LoadF64) => F64MulMem,
        _ => return None,
    })
}

/// The row that adds, if this one subtracts integers.
pub(crate) fn subtracts(row: Row) -> Option<Row> {
    match row {
        Row::I32Sub => Some(Row::I32Add),
        Row::I64Sub => Some(Row::I64Add),
        _ => None,
    }
}

/// Whether the branches of a comparison have forms that charge fuel.
pub(crate) fn has_charged_branch(row: Row) -> bool {
    use crate::code::{form::br, select};
    branch(row).is_some_and(|(yes, _)| select(yes, br::Css as u32).is_some())
}
