//! Loads, stores and the operators on whole memories and tables.

use super::Translator;
use super::emit::{Made, Src};
use super::stack::{Choice, class};
use crate::code::module::ValType;
use crate::code::{Op, Row, form, op, select, word, word_u32};
use crate::error::Result;
use wasmparser::{MemArg, MemArgTarget, Operator as O};

/// The memory; arrays as targets belong to a proposal that validation refuses.
fn memory_of(memarg: &MemArg) -> u32 {
    match memarg.target {
        MemArgTarget::Memory(index) | MemArgTarget::Array(index) => index,
    }
}

/// The offset, where an instruction of one word can hold it.
fn short(memarg: &MemArg) -> Option<u16> {
    (memory_of(memarg) == 0)
        .then(|| u16::try_from(memarg.offset).ok())
        .flatten()
}

impl Translator<'_> {
    pub(super) fn load(&mut self, row: Row, memarg: &MemArg, ty: ValType) -> Result<()> {
        let x = self.pop();
        let height = self.stack.len();
        let Some(offset) = short(memarg) else {
            let address = self.slot_of(height, x)?;
            let op = self.must(row, form::load::W as u32)?;
            let memory = memory_of(memarg) as u16;
            return self.produce_plain(op, address, memory, Some(memarg.offset), ty);
        };
        let mut addresses = self.choices(height, x)?;
        if addresses.imm().is_some() {
            addresses = Choice::one(Src::Slot(self.slot_of(height, x)?));
        }
        let free = self.fast && self.occupant(class(ty)).is_none();
        let row = match ty {
            ValType::F32 if free => Row::LoadF32,
            ValType::F64 if free => Row::LoadF64,
            _ => row,
        };
        for &address in addresses.all() {
            if self.produce(Made::Load(row, address, offset), ty)? {
                return Ok(());
            }
        }
        let address = Src::Slot(self.slot_of(height, x)?);
        self.produce(Made::Load(row, address, offset), ty)?;
        Ok(())
    }

    pub(super) fn store(&mut self, row: Row, memarg: &MemArg) -> Result<()> {
        let (y, x) = (self.pop(), self.pop());
        let height = self.stack.len();
        let Some(offset) = short(memarg) else {
            let value = self.slot_of(height + 1, y)?;
            let address = self.slot_of(height, x)?;
            let op = self.must(row, form::store::W as u32)?;
            self.emit2(
                word(op, value, address, memory_of(memarg) as u16),
                memarg.offset,
            );
            return Ok(());
        };
        let mut values = self.choices(height + 1, y)?;
        let mut addresses = self.choices(height, x)?;
        if addresses.imm().is_some() {
            addresses = Choice::one(Src::Slot(self.slot_of(height, x)?));
        }
        loop {
            for &address in addresses.all() {
                for &value in values.all() {
                    if let Some(op) = store_op(row, address, value, y.ty) {
                        self.emit(word(op, value.field(), address.field(), offset));
                        return Ok(());
                    }
                }
            }
            // First the value gives way and then the address; slots always have a form.
            let slot = |src: &Src| matches!(src, Src::Slot(_));
            if !values.all().iter().any(slot) {
                values = Choice::one(Src::Slot(self.slot_of(height + 1, y)?));
            } else if !addresses.all().iter().any(slot) {
                addresses = Choice::one(Src::Slot(self.slot_of(height, x)?));
            } else {
                return Err(self.no_form());
            }
        }
    }

    /// Memories, tables and segments.
    pub(super) fn bulk(&mut self, operator: &O) -> Result<bool> {
        let pair = |lo: u32, hi: u32| u64::from(lo) | u64::from(hi) << 32;
        let i32 = ValType::I32;
        match *operator {
            O::MemorySize { mem, .. } => {
                let (lo, hi) = (mem as u16, (mem >> 16) as u16);
                self.produce_plain(op::MemorySize, lo, hi, None, i32)?;
            }
            O::TableSize { table } => {
                self.produce_plain(op::TableSize, 0, table as u16, None, i32)?;
            }
            O::MemoryGrow { mem, .. } => {
                let [delta] = self.suspending_slots()?;
                self.produce_plain(op::MemoryGrow, delta, 0, Some(mem.into()), i32)?;
            }
            O::TableGrow { table } => {
                let [value, delta] = self.suspending_slots()?;
                self.produce_plain(op::TableGrow, value, delta, Some(table.into()), i32)?;
            }
            O::TableGet { table } => {
                let [index] = self.slots()?;
                let ty = self.module.tables[table as usize].0.element;
                self.produce_plain(op::TableGet, index, table as u16, None, ty)?;
            }
            O::TableSet { table } => {
                let [index, value] = self.slots()?;
                self.emit(word(op::TableSet, value, index, table as u16));
            }
            O::MemoryFill { mem } => self.bulk3(op::MemoryFill, mem.into())?,
            O::MemoryCopy { dst_mem, src_mem } => {
                self.bulk3(op::MemoryCopy, pair(dst_mem, src_mem))?;
            }
            O::MemoryInit { data_index, mem } => {
                self.bulk3(op::MemoryInit, pair(mem, data_index))?;
            }
            O::TableFill { table } => self.bulk3(op::TableFill, table.into())?,
            O::TableCopy {
                dst_table,
                src_table,
            } => self.bulk3(op::TableCopy, pair(dst_table, src_table))?,
            O::TableInit { elem_index, table } => {
                self.bulk3(op::TableInit, pair(table, elem_index))?;
            }
            O::DataDrop { data_index } => self.emit(word_u32(op::DataDrop, 0, data_index)),
            O::ElemDrop { elem_index } => self.emit(word_u32(op::ElemDrop, 0, elem_index)),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Pops operands into slots, the newest first.
    fn slots<const N: usize>(&mut self) -> Result<[u16; N]> {
        let from = self.stack.len() - N;
        let mut slots = [0; N];
        for i in (0..N).rev() {
            let operand = self.stack[from + i];
            slots[i] = self.slot_of(from + i, operand)?;
        }
        self.truncate(from);
        Ok(slots)
    }

    /// As `slots`, for an instruction after which only slots are sure to be what they were.
    fn suspending_slots<const N: usize>(&mut self) -> Result<[u16; N]> {
        self.spill_below(self.stack.len() - N)?;
        let slots = self.slots()?;
        self.forget();
        Ok(slots)
    }

    fn bulk3(&mut self, op: Op, ext: u64) -> Result<()> {
        let [a, b, c] = self.suspending_slots()?;
        self.emit2(word(op, a, b, c), ext);
        Ok(())
    }
}

/// The store with these sources, if there is such a form.
fn store_op(row: Row, address: Src, value: Src, ty: ValType) -> Option<Op> {
    use form::store::*;
    let row = match (value, ty) {
        (Src::Acc, ValType::F32) => Row::StoreF32,
        (Src::Acc, ValType::F64) => Row::StoreF64,
        _ => row,
    };
    let form = match (address, value) {
        (Src::Slot(_), Src::Slot(_)) => Mss,
        (Src::Slot(_), Src::Imm(_)) => Msi,
        (Src::Slot(_), Src::Acc) => Msr,
        (Src::Acc, Src::Slot(_)) => Mrs,
        (Src::Acc, Src::Imm(_)) => Mri,
        (Src::Pin, Src::Slot(_)) => Mps,
        (Src::Pin, Src::Acc) => Mpr,
        (Src::Pin, Src::Imm(_)) => Mpi,
        _ => return None,
    };
    select(row, form as u32)
}
