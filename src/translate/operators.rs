//! One operator at a time.

use super::Translator;
use super::cost::cost;
use super::emit::{Made, Src};
use super::stack::{Place, class};
use super::{numeric, val_type};
use crate::code::module::{ConstOp, ValType};
use crate::code::{Row, op, word, word_u32};
use crate::error::{Error, ErrorKind, Result};
use alloc::vec::Vec;
use wasmparser::Operator as O;

impl Translator<'_> {
    pub(super) fn operator(&mut self, operator: &O) -> Result<()> {
        self.cost = self.cost.saturating_add(cost(operator));
        if self.skip(operator) {
            return Ok(());
        }
        if let Some((row, exchange, ty)) = numeric::binary(operator) {
            return self.binary(row, exchange, ty);
        }
        if let Some((row, ty)) = numeric::unary(operator) {
            return self.unary(row, ty);
        }
        if let Some((row, memarg, ty)) = numeric::load(operator) {
            return self.load(row, memarg, ty);
        }
        if let Some((row, memarg)) = numeric::store(operator) {
            return self.store(row, memarg);
        }
        if self.values(operator)?
            || self.flow(operator)?
            || self.bulk(operator)?
            || self.wide(operator)?
            || self.atomic(operator)?
        {
            return Ok(());
        }
        #[cfg(feature = "simd")]
        if self.on_vectors(operator)? {
            return Ok(());
        }
        // Validation admits what we translate; this names what it should have refused.
        Err(Error::at(
            ErrorKind::Unsupported,
            format_args!("the operator {operator:?}"),
            self.offset,
        ))
    }

    /// Constants, locals, globals, references.
    fn values(&mut self, operator: &O) -> Result<bool> {
        match *operator {
            O::I32Const { value } => {
                self.push(ValType::I32, Place::Const(i64::from(value) as u64))?
            }
            O::I64Const { value } => self.push(ValType::I64, Place::Const(value as u64))?,
            O::F32Const { value } => self.push(ValType::F32, Place::Const(value.bits().into()))?,
            O::F64Const { value } => self.push(ValType::F64, Place::Const(value.bits()))?,
            O::RefNull { hty } => {
                let ty = wasmparser::RefType::new(true, hty).ok_or_else(|| self.no_form())?;
                let ty = wasmparser::ValType::Ref(ty);
                let ty = val_type(ty, &self.module.type_ids, self.offset)?;
                self.push(ty, Place::Const(0))?;
            }
            O::RefAsNonNull => self.as_non_null()?,
            O::RefIsNull => {
                self.retype(ValType::I32)?;
                self.push(ValType::I32, Place::Const(0))?;
                self.binary(Row::I32Eq, false, ValType::I32)?;
            }
            O::RefFunc { function_index } => {
                let (lo, hi) = (function_index as u16, (function_index >> 16) as u16);
                self.produce_plain(op::RefFunc, lo, hi, None, ValType::FuncRef)?;
            }
            O::LocalGet { local_index } => self.local_get(local_index)?,
            O::LocalSet { local_index } => self.local_set(local_index)?,
            O::LocalTee { local_index } => {
                self.local_set(local_index)?;
                self.local_get(local_index)?;
            }
            #[cfg(feature = "simd")]
            O::GlobalGet { global_index } if self.holds_vector(global_index) => {
                self.global_get_vector(global_index)?;
            }
            #[cfg(feature = "simd")]
            O::GlobalSet { global_index } if self.holds_vector(global_index) => {
                self.global_set_vector(global_index)?;
            }
            O::GlobalGet { global_index } => {
                let ty = self.module.globals[global_index as usize].content;
                match self.constant_global(global_index) {
                    Some(bits) => self.push(ty, Place::Const(bits))?,
                    None => self
                        .produce(Made::GlobalGet(global_index), ty)
                        .map(|_| ())?,
                }
            }
            O::GlobalSet { global_index } => {
                let operand = self.pop();
                let height = self.stack.len();
                match self.acc_or_slot(height, operand)? {
                    Src::Acc if class(operand.ty) == 0 => {
                        self.emit(word_u32(op::GlobalSetR, 0, global_index));
                    }
                    _ => {
                        let slot = self.slot_of(height, operand)?;
                        self.emit(word_u32(op::GlobalSet, slot, global_index));
                    }
                }
            }
            O::I32Eqz => self.eqz(Row::I32Eq, ValType::I32)?,
            O::I64Eqz => self.eqz(Row::I64Eq, ValType::I64)?,
            O::I32WrapI64 => self.retype(ValType::I32)?,
            O::I32ReinterpretF32 => self.retype(ValType::I32)?,
            O::I64ReinterpretF64 => self.retype(ValType::I64)?,
            O::F32ReinterpretI32 => self.retype(ValType::F32)?,
            O::F64ReinterpretI64 => self.retype(ValType::F64)?,
            O::Drop => self.drop_value(),
            #[cfg(feature = "simd")]
            O::Select | O::TypedSelect { .. } if self.chooses_vectors() => self.select_vector()?,
            O::Select | O::TypedSelect { .. } => self.select()?,
            O::Nop => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The value of a global of numbers that is the same in all instances.
    fn constant_global(&self, index: u32) -> Option<u64> {
        let ty = self.module.globals[index as usize];
        let number = matches!(
            ty.content,
            ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64
        );
        let defined = index.checked_sub(self.module.imported_globals)?;
        match **self.module.global_inits.get(defined as usize)? {
            [ConstOp::Const(bits)] if number && !ty.mutable => Some(bits),
            _ => None,
        }
    }

    /// Control operators and calls.
    fn flow(&mut self, operator: &O) -> Result<bool> {
        match *operator {
            O::Unreachable => {
                self.emit(word(
                    op::Trap,
                    crate::error::Trap::UnreachableCodeReached as u16,
                    0,
                    0,
                ));
                self.stop();
            }
            O::Block { blockty } => self.block(blockty)?,
            O::Loop { blockty } => self.loop_(blockty)?,
            O::If { blockty } => self.if_(blockty)?,
            O::Else => self.else_()?,
            O::End => self.end()?,
            O::Br { relative_depth } => self.br(relative_depth)?,
            O::BrIf { relative_depth } => self.br_if(relative_depth)?,
            O::BrOnNull { relative_depth } => self.br_on_null(relative_depth)?,
            O::BrOnNonNull { relative_depth } => self.br_on_non_null(relative_depth)?,
            O::BrTable { ref targets } => {
                let mut depths = Vec::with_capacity(targets.len() as usize + 1);
                for depth in targets.targets() {
                    depths.push(
                        depth.map_err(|e| {
                            Error::at(ErrorKind::Malformed, e.message(), e.offset())
                        })?,
                    );
                }
                depths.push(targets.default());
                self.br_table(&depths)?;
            }
            O::TryTable { ref try_table } => self.try_table(try_table)?,
            O::Throw { tag_index } => self.throw(tag_index)?,
            O::ThrowRef => self.throw_ref()?,
            O::Return => self.return_()?,
            O::Call { function_index } => self.call_direct(function_index, false)?,
            O::ReturnCall { function_index } => self.call_direct(function_index, true)?,
            O::CallRef { type_index } => self.call_ref(type_index, false)?,
            O::ReturnCallRef { type_index } => self.call_ref(type_index, true)?,
            O::CallIndirect {
                type_index,
                table_index,
            } => self.call_indirect(type_index, table_index, false)?,
            O::ReturnCallIndirect {
                type_index,
                table_index,
            } => self.call_indirect(type_index, table_index, true)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}
