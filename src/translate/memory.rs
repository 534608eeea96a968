//! Loads, stores and the operators on whole memories and tables.

use super::Translator;
use super::emit::{Made, Src};
use super::stack::{Choice, Place, class};
use crate::code::module::ValType;
use crate::code::{MEMORY64, Op, Row, form, op, select, word, word_u32};
use crate::error::Result;
use wasmparser::{MemArg, MemArgTarget, Operator as O};

/// The memory; arrays as targets belong to a proposal that validation refuses.
fn memory_of(memarg: &MemArg) -> u32 {
    match memarg.target {
        MemArgTarget::Memory(index) | MemArgTarget::Array(index) => index,
    }
}

impl Translator<'_> {
    /// The offset, where an instruction of one word can hold it.
    pub(super) fn short(&self, memarg: &MemArg) -> Option<u16> {
        (memory_of(memarg) == 0 && !self.long(0))
            .then(|| u16::try_from(memarg.offset).ok())
            .flatten()
    }

    /// The memory of a wide load or store.
    pub(super) fn memory_field(&self, memarg: &MemArg) -> u16 {
        let memory = memory_of(memarg);
        match self.long(memory) {
            true => memory as u16 | MEMORY64,
            false => memory as u16,
        }
    }

    /// Whether a memory is addressed by 64 bits.
    fn long(&self, memory: u32) -> bool {
        self.module.memories[memory as usize].memory64
    }

    /// The type of a memory's addresses and sizes.
    fn address_type(&self, memory: u32) -> ValType {
        match self.long(memory) {
            true => ValType::I64,
            false => ValType::I32,
        }
    }

    /// The type of a table's indices and sizes.
    fn index_type(&self, table: u32) -> ValType {
        match self.module.tables[table as usize].0.table64 {
            true => ValType::I64,
            false => ValType::I32,
        }
    }

    /// Makes the operand on top, an index of a table, one of 32 bits.
    pub(super) fn narrow_index(&mut self, table: u32) -> Result<()> {
        match self.index_type(table) {
            ValType::I64 => self.unary(Row::Clamp32U, ValType::I32),
            _ => Ok(()),
        }
    }

    pub(super) fn load(&mut self, row: Row, memarg: &MemArg, ty: ValType) -> Result<()> {
        let x = self.pop();
        let height = self.stack.len();
        let Some(offset) = self.short(memarg) else {
            let address = self.slot_of(height, x)?;
            let op = self.must(row, form::load::W as u32)?;
            let memory = self.memory_field(memarg);
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
        let Some(offset) = self.short(memarg) else {
            let value = self.slot_of(height + 1, y)?;
            let address = self.slot_of(height, x)?;
            let op = self.must(row, form::store::W as u32)?;
            let memory = self.memory_field(memarg);
            self.emit2(word(op, value, address, memory), memarg.offset);
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
        match *operator {
            O::MemorySize { mem, .. } => {
                let (lo, hi) = (mem as u16, (mem >> 16) as u16);
                self.produce_plain(op::MemorySize, lo, hi, None, self.address_type(mem))?;
            }
            O::TableSize { table } => {
                self.produce_plain(op::TableSize, 0, table as u16, None, self.index_type(table))?;
            }
            O::MemoryGrow { mem, .. } => {
                let [delta] = self.suspending_slots()?;
                let ty = self.address_type(mem);
                self.produce_plain(op::MemoryGrow, delta, 0, Some(mem.into()), ty)?;
            }
            O::TableGrow { table } => {
                let [value, delta] = self.suspending_slots()?;
                let ty = self.index_type(table);
                self.produce_plain(op::TableGrow, value, delta, Some(table.into()), ty)?;
            }
            O::TableGet { table } => {
                self.narrow_index(table)?;
                let [index] = self.slots()?;
                let ty = self.module.tables[table as usize].0.element;
                self.produce_plain(op::TableGet, index, table as u16, None, ty)?;
            }
            O::TableSet { table } => {
                let [index, value] = self.table_set_operands(table)?;
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

    /// The operands of `table.set` in slots, the index as one of 32 bits.
    fn table_set_operands(&mut self, table: u32) -> Result<[u16; 2]> {
        let [index, value] = self.slots()?;
        if self.index_type(table) == ValType::I32 {
            return Ok([index, value]);
        }
        // Above both operands' homes.
        let narrow = self.home(self.stack.len() + 2)?;
        self.use_slots(usize::from(narrow) + 1);
        let op = self.must(Row::Clamp32U, form::un::Ss as u32)?;
        self.emit(word(op, narrow, index, 0));
        self.wrote(narrow);
        Ok([narrow, value])
    }

    /// The operators on 128 bits, whose results are two.
    pub(super) fn wide(&mut self, operator: &O) -> Result<bool> {
        let (op, [b, c], ext) = match operator {
            O::I64Add128 | O::I64Sub128 => {
                let [x, x_high, y, y_high] = self.slots()?;
                let op = match operator {
                    O::I64Add128 => op::I64Add128,
                    _ => op::I64Sub128,
                };
                let ext = u64::from(y) | u64::from(y_high) << 32;
                (op, [x, x_high], Some(ext))
            }
            O::I64MulWideS => (op::I64MulWideS, self.slots()?, None),
            O::I64MulWideU => (op::I64MulWideU, self.slots()?, None),
            _ => return Ok(false),
        };
        let to = self.home(self.stack.len())?;
        self.home(self.stack.len() + 1)?;
        self.emit(word(op, to, b, c));
        self.code.extend(ext.map(u64::to_le));
        for slot in [to, to + 1] {
            self.wrote(slot);
            self.push(ValType::I64, Place::Home)?;
        }
        Ok(true)
    }

    /// Pops operands into slots, the newest first.
    pub(super) fn slots<const N: usize>(&mut self) -> Result<[u16; N]> {
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
