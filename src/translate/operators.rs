//! One operator at a time.

use super::Translator;
use super::cost::cost;
use super::emit::{Held, Operand, Place, Src, class};
use super::{numeric, val_type};
use crate::code::module::ValType;
use crate::code::{Row, op, word, word_u32};
use crate::error::{Error, ErrorKind, Result};
use alloc::format;
use alloc::vec::Vec;
use wasmparser::{BlockType, Operator as O};

/// The memory; arrays as targets belong to a proposal that validation refuses.
fn memory_of(memarg: &wasmparser::MemArg) -> u32 {
    match memarg.target {
        wasmparser::MemArgTarget::Memory(memory) | wasmparser::MemArgTarget::Array(memory) => {
            memory
        }
    }
}

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
            return self.load(row, memory_of(memarg), memarg.offset, ty);
        }
        if let Some((row, memarg)) = numeric::store(operator) {
            return self.store(row, memory_of(memarg), memarg.offset);
        }
        if self.values(operator)? || self.flow(operator)? || self.bulk(operator)? {
            return Ok(());
        }
        // Validation admits what we translate; this names what it should have refused.
        Err(Error::at(
            ErrorKind::Unsupported,
            format!("the operator {operator:?}"),
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
                let ty = val_type(
                    wasmparser::ValType::Ref(
                        wasmparser::RefType::new(true, hty).unwrap_or(wasmparser::RefType::FUNCREF),
                    ),
                    self.offset,
                )?;
                self.push(ty, Place::Const(0))?;
            }
            O::RefIsNull => {
                let operand = self.pop();
                self.stack.push(Operand {
                    ty: ValType::I32,
                    place: operand.place,
                });
                self.push(ValType::I32, Place::Const(0))?;
                self.binary(Row::I32Eq, false, ValType::I32)?;
            }
            O::RefFunc { function_index } => {
                let home = self.home(self.stack.len())?;
                self.emit(word_u32(op::RefFunc, home, function_index));
                self.wrote(home);
                self.push(ValType::FuncRef, Place::Home)?;
            }
            O::LocalGet { local_index } => {
                let ty = self.locals[local_index as usize];
                self.push(ty, Place::Local(local_index as u16))?;
            }
            O::LocalSet { local_index } => self.assign(local_index as u16)?,
            O::LocalTee { local_index } => {
                let ty = self.locals[local_index as usize];
                self.assign(local_index as u16)?;
                self.push(ty, Place::Local(local_index as u16))?;
            }
            O::GlobalGet { global_index } => {
                let ty = self.module.globals[global_index as usize].content;
                let height = self.stack.len();
                let home = self.home(height)?;
                if self.fast && class(ty) == 0 && self.occupant(0).is_none() {
                    self.emit(word_u32(op::GlobalGetR, 0, global_index));
                    self.acc[0] = Held::Temp(height);
                    self.push(ty, Place::Acc)?;
                } else {
                    self.emit(word_u32(op::GlobalGet, home, global_index));
                    self.wrote(home);
                    self.push(ty, Place::Home)?;
                }
            }
            O::GlobalSet { global_index } => {
                let operand = self.pop();
                let height = self.stack.len();
                match self.source(height, operand, false)? {
                    Src::Acc if class(operand.ty) == 0 => {
                        self.emit(word_u32(op::GlobalSetR, 0, global_index))
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
            O::Drop => {
                self.pop();
            }
            O::Select | O::TypedSelect { .. } => self.select()?,
            O::Nop => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The same bits as another type.
    fn retype(&mut self, ty: ValType) -> Result<()> {
        let top = self.stack.len() - 1;
        if self.stack[top].place == Place::Acc && class(self.stack[top].ty) != class(ty) {
            self.settle(top)?;
        }
        self.stack[top].ty = ty;
        Ok(())
    }

    fn select(&mut self) -> Result<()> {
        let (cond, no, yes) = (self.pop(), self.pop(), self.pop());
        let height = self.stack.len();
        let home = self.home(height)?;
        let in_acc = cond.place == Place::Acc;
        let b = self.slot_of(height, yes)?;
        let c = self.slot_of(height + 1, no)?;
        if in_acc && self.acc[0] == Held::Temp(height + 2) {
            self.emit(word(op::SelectSr, home, b, c));
        } else {
            let slot = self.slot_of(height + 2, cond)?;
            self.emit2(word(op::Select, home, b, c), slot.into());
        }
        self.wrote(home);
        self.push(yes.ty, Place::Home)
    }

    fn signature(&self, ty: BlockType) -> Result<(Vec<ValType>, Vec<ValType>)> {
        Ok(match ty {
            BlockType::Empty => (Vec::new(), Vec::new()),
            BlockType::Type(ty) => (Vec::new(), [val_type(ty, self.offset)?].into()),
            BlockType::FuncType(index) => {
                let ty = &self.module.types[index as usize];
                (ty.params().to_vec(), ty.results().to_vec())
            }
        })
    }

    /// Control operators and calls.
    fn flow(&mut self, operator: &O) -> Result<bool> {
        let fuel = self.fuel;
        let imported = self.module.imported_funcs;
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
            O::Block { blockty } => {
                let (params, results) = self.signature(blockty)?;
                self.block(params, results)?;
            }
            O::Loop { blockty } => {
                let (params, results) = self.signature(blockty)?;
                self.loop_(params, results)?;
            }
            O::If { blockty } => {
                let (params, results) = self.signature(blockty)?;
                self.if_(params, results)?;
            }
            O::Else => self.else_()?,
            O::End => self.end()?,
            O::Br { relative_depth } => self.br(relative_depth)?,
            O::BrIf { relative_depth } => self.br_if(relative_depth)?,
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
            O::Return => self.return_()?,
            O::Call { function_index } => {
                let ty = self.module.func_types[function_index as usize];
                self.call(ty, |t, frame| {
                    let word = match function_index.checked_sub(imported) {
                        Some(defined) if fuel => word_u32(op::CallCharge, frame, defined),
                        Some(defined) => word_u32(op::Call, frame, defined),
                        None => word_u32(op::CallImport, frame, function_index),
                    };
                    t.emit(word);
                })?;
            }
            O::CallIndirect {
                type_index,
                table_index,
            } => {
                let params = self.module.types[type_index as usize].params().len();
                let slot = self.call_index(params)?;
                self.call(type_index, |t, frame| {
                    let ext = u64::from(type_index) | u64::from(fuel) << 32;
                    t.emit2(word(op::CallIndirect, frame, slot, table_index as u16), ext);
                })?;
            }
            O::ReturnCall { function_index } => {
                let ty = self.module.func_types[function_index as usize];
                self.return_call(ty, |t, start| {
                    let word = match function_index.checked_sub(imported) {
                        Some(defined) if fuel => word_u32(op::ReturnCallCharge, start, defined),
                        Some(defined) => word_u32(op::ReturnCall, start, defined),
                        None => word_u32(op::ReturnCallImport, start, function_index),
                    };
                    t.emit(word);
                })?;
            }
            O::ReturnCallIndirect {
                type_index,
                table_index,
            } => {
                let params = self.module.types[type_index as usize].params().len();
                let slot = self.call_index(params)?;
                self.return_call(type_index, |t, start| {
                    t.emit2(
                        word(op::ReturnCallIndirect, start, slot, table_index as u16),
                        type_index.into(),
                    );
                })?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Memories, tables and segments.
    fn bulk(&mut self, operator: &O) -> Result<bool> {
        let pair = |lo: u32, hi: u32| u64::from(lo) | u64::from(hi) << 32;
        match *operator {
            O::MemorySize { mem, .. } => self.sized(|home| word_u32(op::MemorySize, home, mem))?,
            O::TableSize { table } => {
                self.sized(|home| word(op::TableSize, home, 0, table as u16))?
            }
            O::MemoryGrow { mem, .. } => {
                let [delta] = self.slots()?;
                let home = self.home(self.stack.len())?;
                self.emit2(word(op::MemoryGrow, home, delta, 0), mem.into());
                self.wrote(home);
                self.push(ValType::I32, Place::Home)?;
            }
            O::TableGrow { table } => {
                let [value, delta] = self.slots()?;
                let home = self.home(self.stack.len())?;
                self.emit2(word(op::TableGrow, home, value, delta), table.into());
                self.wrote(home);
                self.push(ValType::I32, Place::Home)?;
            }
            O::TableGet { table } => {
                let [index] = self.slots()?;
                let home = self.home(self.stack.len())?;
                self.emit(word(op::TableGet, home, index, table as u16));
                self.wrote(home);
                let ty = self.module.tables[table as usize].0.element;
                self.push(ty, Place::Home)?;
            }
            O::TableSet { table } => {
                let [index, value] = self.slots()?;
                self.emit(word(op::TableSet, value, index, table as u16));
            }
            O::MemoryFill { mem } => self.bulk3(op::MemoryFill, mem.into())?,
            O::MemoryCopy { dst_mem, src_mem } => {
                self.bulk3(op::MemoryCopy, pair(dst_mem, src_mem))?
            }
            O::MemoryInit { data_index, mem } => {
                self.bulk3(op::MemoryInit, pair(mem, data_index))?
            }
            O::TableFill { table } => self.bulk3(op::TableFill, table.into())?,
            O::TableCopy {
                dst_table,
                src_table,
            } => self.bulk3(op::TableCopy, pair(dst_table, src_table))?,
            O::TableInit { elem_index, table } => {
                self.bulk3(op::TableInit, pair(table, elem_index))?
            }
            O::DataDrop { data_index } => self.emit(word_u32(op::DataDrop, 0, data_index)),
            O::ElemDrop { elem_index } => self.emit(word_u32(op::ElemDrop, 0, elem_index)),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn sized(&mut self, word: impl FnOnce(u16) -> u64) -> Result<()> {
        let home = self.home(self.stack.len())?;
        self.emit(word(home));
        self.wrote(home);
        self.push(ValType::I32, Place::Home)
    }

    /// Pops operands into slots, the deepest first.
    fn slots<const N: usize>(&mut self) -> Result<[u16; N]> {
        let from = self.stack.len() - N;
        let mut slots = [0; N];
        for i in (0..N).rev() {
            let operand = self.stack[from + i];
            slots[i] = self.slot_of(from + i, operand)?;
        }
        self.stack.truncate(from);
        Ok(slots)
    }

    fn bulk3(&mut self, op: u16, ext: u64) -> Result<()> {
        let [a, b, c] = self.slots()?;
        self.emit2(word(op, a, b, c), ext);
        Ok(())
    }
}
