//! Loads, stores and the operators on whole memories and tables.

use super::Translator;
use super::emit::{Made, Src, Want, load_form};
use super::stack::{Choice, Operand, Place, class};
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
    /// The offset, where the instructions for memory 0 can hold it.
    fn short(&self, memarg: &MemArg) -> Option<u32> {
        let offset = match self.fast {
            true => u32::try_from(memarg.offset).ok(),
            false => u16::try_from(memarg.offset).ok().map(u32::from),
        };
        offset.filter(|_| memory_of(memarg) == 0 && !self.long(0))
    }

    /// The same, where it has to fit into a field.
    #[cfg(feature = "simd")]
    pub(super) fn short_field(&self, memarg: &MemArg) -> Option<u16> {
        u16::try_from(self.short(memarg)?).ok()
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
        let row = match ty {
            ValType::F32 if self.fast => Row::LoadF32,
            ValType::F64 if self.fast => Row::LoadF64,
            _ => row,
        };
        let vacant = self.vacate(class(ty))?;
        let has_form = |at| load_form(at, Want::Slot(0)).is_some() || vacant;
        for &at in self
            .addresses(height, x, offset, has_form)?
            .iter()
            .flatten()
        {
            if self.produce(Made::Load(row, at), ty)? {
                return Ok(());
            }
        }
        let address = Src::Slot(self.slot_of(height, x)?);
        self.produce(Made::Load(row, near(address, offset)), ty)?;
        Ok(())
    }

    /// The ways to address memory 0 by the operand that is or was at `height`, the best first. `has_form`: whether
    /// the access can have an address that is found only once an addition has been removed.
    fn addresses(
        &mut self,
        height: usize,
        x: Operand,
        offset: u32,
        has_form: impl Fn(Address) -> bool,
    ) -> Result<[Option<Address>; 3]> {
        if let (true, Place::Const(bits)) = (self.fast, x.place)
            && let Some(at) = (bits as u32).checked_add(offset)
        {
            return Ok([Some(Address::Absolute(at)), None, None]);
        }
        if let Some(sum) = self.absorb_sum(height, x, offset, has_form) {
            return Ok([Some(sum), None, None]);
        }
        let mut found = [None; 3];
        let choices = match x.place {
            Place::Const(_) => Choice::one(Src::Slot(self.slot_of(height, x)?)),
            _ => self.choices(height, x)?,
        };
        for (at, &src) in found.iter_mut().zip(choices.all()) {
            *at = Some(near(src, offset));
        }
        Ok(found)
    }

    /// If the newest instruction is an addition that made this address, removes it: the access adds.
    fn absorb_sum(
        &mut self,
        height: usize,
        x: Operand,
        offset: u32,
        has_form: impl Fn(Address) -> bool,
    ) -> Option<Address> {
        let last = self.last.filter(|_| self.fast)?;
        let home = self.home(height).ok()?;
        let there = match x.place {
            Place::Acc => self.made(height, Want::Acc),
            Place::Home => self.made(height, Want::Slot(home)),
            _ => false,
        };
        let Made::Bin(Row::I32Add, a, b) = last.made else {
            return None;
        };
        // Where `r1` is no source, the slot that it mirrors is.
        let slot = |src| match (src, self.pin) {
            (Src::Pin, Some(local)) => Src::Slot(local),
            _ => src,
        };
        let sums = match (a, b, slot(a), slot(b)) {
            (_, Src::Imm(by), base, _) => [a, base].map(|src| displaced(src, by.into(), offset)),
            (_, Src::Wide(by), base, _) => [a, base].map(|src| displaced(src, by as i32, offset)),
            (_, _, base, Src::Slot(index)) | (_, _, Src::Slot(index), base) => {
                [Address::Indexed(base, index, offset); 2]
            }
            _ => return None,
        };
        let sum = sums.into_iter().find(|sum| there && has_form(*sum))?;
        self.code.truncate(last.start);
        self.acc = last.held;
        self.last = None;
        self.vacated = last.vacated;
        Some(sum)
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
        if let [Src::Wide(_)] = values.all() {
            values = Choice::one(Src::Slot(self.slot_of(height + 1, y)?));
        }
        let has_form = |at| {
            let mut values = values.all().iter();
            values.any(|value| store_op(row, at, *value, y.ty).is_some())
        };
        let mut addresses = self.addresses(height, x, offset, has_form)?;
        loop {
            for &at in addresses.iter().flatten() {
                for &value in values.all() {
                    if let Some(op) = store_op(row, at, value, y.ty) {
                        let (first, ext) = at.words(op, value.field());
                        self.emit(first);
                        self.code.extend(ext.map(u64::to_le));
                        return Ok(());
                    }
                }
            }
            // First the value gives way and then the address; slots always have a form.
            let slot = |src: &Src| matches!(src, Src::Slot(_));
            if !values.all().iter().any(slot) {
                values = Choice::one(Src::Slot(self.slot_of(height + 1, y)?));
            } else if addresses.iter().flatten().any(Address::is_plain) {
                return Err(self.no_form());
            } else {
                let address = Src::Slot(self.slot_of(height, x)?);
                addresses = [Some(near(address, offset)), None, None];
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

/// Where in memory 0 an access is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Address {
    /// At a source, and an offset in a field.
    Near(Src, u16),
    Absolute(u32),
    /// At a source and what is added to it modulo 2³², and an offset.
    Displaced(Src, i32, u32),
    /// At the sum of a source and a slot modulo 2³², and an offset.
    Indexed(Src, u16, u32),
}

/// The address with that offset and something added.
fn displaced(src: Src, by: i32, offset: u32) -> Address {
    Address::Displaced(src, by, offset)
}

/// The address with that offset and nothing added.
fn near(src: Src, offset: u32) -> Address {
    match u16::try_from(offset) {
        Ok(offset) => Address::Near(src, offset),
        Err(_) => Address::Displaced(src, 0, offset),
    }
}

impl Address {
    /// With another source.
    pub(super) fn map(self, with: impl Fn(Src) -> Src) -> Address {
        match self {
            Address::Near(src, offset) => Address::Near(with(src), offset),
            Address::Absolute(at) => Address::Absolute(at),
            Address::Displaced(src, by, offset) => Address::Displaced(with(src), by, offset),
            Address::Indexed(src, index, offset) => Address::Indexed(with(src), index, offset),
        }
    }

    /// Whether an instruction can have it with any other operand in a slot.
    fn is_plain(&self) -> bool {
        matches!(self, Address::Near(Src::Slot(_), _))
    }

    /// The slot that it is reckoned from, what is added and the offset; `pin` is the local that `r1` mirrors.
    pub(super) fn in_slot(&self, pin: Option<u16>) -> Option<(u16, i32, u32)> {
        let (src, by, offset) = match *self {
            Address::Near(src, offset) => (src, 0, offset.into()),
            Address::Displaced(src, by, offset) => (src, by, offset),
            _ => return None,
        };
        match (src, pin) {
            (Src::Slot(slot), _) | (Src::Pin, Some(slot)) => Some((slot, by, offset)),
            _ => None,
        }
    }

    /// The words of the access `op` with this in field `a`.
    pub(super) fn words(self, op: Op, a: u16) -> (u64, Option<u64>) {
        let ext = |low: u32, high: u32| Some(u64::from(low) | u64::from(high) << 32);
        match self {
            Address::Near(src, offset) => (word(op, a, src.field(), offset), None),
            Address::Absolute(at) => (word_u32(op, a, at), None),
            Address::Displaced(src, by, offset) => {
                (word(op, a, src.field(), 0), ext(by as u32, offset))
            }
            Address::Indexed(src, index, offset) => {
                (word(op, a, src.field(), index), ext(0, offset))
            }
        }
    }
}

/// The store with these sources, if there is such a form.
fn store_op(row: Row, at: Address, value: Src, ty: ValType) -> Option<Op> {
    use Address::{Absolute, Displaced, Near};
    use Src::{Acc, Imm, Pin, Slot};
    use form::store::*;
    let row = match (value, ty) {
        (Acc, ValType::F32) => Row::StoreF32,
        (Acc, ValType::F64) => Row::StoreF64,
        _ => row,
    };
    let form = match (at, value) {
        (Near(Slot(_), _), Slot(_)) => Mss,
        (Near(Slot(_), _), Imm(_)) => Msi,
        (Near(Slot(_), _), Acc) => Msr,
        (Near(Acc, _), Slot(_)) => Mrs,
        (Near(Acc, _), Imm(_)) => Mri,
        (Near(Pin, _), Slot(_)) => Mps,
        (Near(Pin, _), Acc) => Mpr,
        (Near(Pin, _), Imm(_)) => Mpi,
        (Absolute(_), Slot(_)) => Mas,
        (Absolute(_), Acc) => Mar,
        (Absolute(_), Imm(_)) => Mai,
        (Displaced(Slot(_), ..), Slot(_)) => Mssd,
        (Displaced(Slot(_), ..), Acc) => Msrd,
        (Displaced(Slot(_), ..), Imm(_)) => Msid,
        (Displaced(Acc, ..), Slot(_)) => Mrsd,
        (Displaced(Acc, ..), Imm(_)) => Mrid,
        _ => return None,
    };
    select(row, form as u32)
}
