//! Atomic operators on memories that aren't shared.
//!
//! No one else looks at such a memory, so an atomic operator is what its plain parts do one after the
//! other: one instruction checks the alignment and gives the address, and loads, stores and arithmetic
//! as they are do the rest.

use super::Translator;
use super::stack::Place;
use crate::code::module::ValType;
use crate::code::{MEMORY64, Row, form, op, word};
use crate::error::{Result, Trap};
use wasmparser::{MemArg, Operator as O};

/// What an atomic operator does.
#[derive(Clone, Copy)]
enum Does {
    Load,
    Store,
    /// Computes with a row, or exchanges.
    Change(Option<Row>),
    CompareExchange,
    Notify,
    Wait,
}

/// The operator: what it does, the binary logarithm of its size, the type of its values.
fn atomic<'a>(operator: &'a O) -> Option<(Does, &'a MemArg, u16, ValType)> {
    use Does::{Change, CompareExchange, Load, Notify, Store, Wait};
    use ValType::{I32, I64};
    let add = Change(Some(Row::I64Add));
    let sub = Change(Some(Row::I64Sub));
    let and = Change(Some(Row::I64And));
    let or = Change(Some(Row::I64Or));
    let xor = Change(Some(Row::I64Xor));
    let exchange = Change(None);
    macro_rules! operators {
        ($($does:expr => $($name:ident $size:literal $ty:ident)*;)*) => {
            match operator {
                $($( O::$name { memarg } => ($does, memarg, $size, $ty), )*)*
                _ => return None,
            }
        };
    }
    Some(operators! {
        Load => I32AtomicLoad 2 I32 I64AtomicLoad 3 I64 I32AtomicLoad8U 0 I32 I32AtomicLoad16U 1 I32
            I64AtomicLoad8U 0 I64 I64AtomicLoad16U 1 I64 I64AtomicLoad32U 2 I64;
        Store => I32AtomicStore 2 I32 I64AtomicStore 3 I64 I32AtomicStore8 0 I32 I32AtomicStore16 1 I32
            I64AtomicStore8 0 I64 I64AtomicStore16 1 I64 I64AtomicStore32 2 I64;
        add => I32AtomicRmwAdd 2 I32 I64AtomicRmwAdd 3 I64 I32AtomicRmw8AddU 0 I32
            I32AtomicRmw16AddU 1 I32 I64AtomicRmw8AddU 0 I64 I64AtomicRmw16AddU 1 I64
            I64AtomicRmw32AddU 2 I64;
        sub => I32AtomicRmwSub 2 I32 I64AtomicRmwSub 3 I64 I32AtomicRmw8SubU 0 I32
            I32AtomicRmw16SubU 1 I32 I64AtomicRmw8SubU 0 I64 I64AtomicRmw16SubU 1 I64
            I64AtomicRmw32SubU 2 I64;
        and => I32AtomicRmwAnd 2 I32 I64AtomicRmwAnd 3 I64 I32AtomicRmw8AndU 0 I32
            I32AtomicRmw16AndU 1 I32 I64AtomicRmw8AndU 0 I64 I64AtomicRmw16AndU 1 I64
            I64AtomicRmw32AndU 2 I64;
        or => I32AtomicRmwOr 2 I32 I64AtomicRmwOr 3 I64 I32AtomicRmw8OrU 0 I32
            I32AtomicRmw16OrU 1 I32 I64AtomicRmw8OrU 0 I64 I64AtomicRmw16OrU 1 I64
            I64AtomicRmw32OrU 2 I64;
        xor => I32AtomicRmwXor 2 I32 I64AtomicRmwXor 3 I64 I32AtomicRmw8XorU 0 I32
            I32AtomicRmw16XorU 1 I32 I64AtomicRmw8XorU 0 I64 I64AtomicRmw16XorU 1 I64
            I64AtomicRmw32XorU 2 I64;
        exchange => I32AtomicRmwXchg 2 I32 I64AtomicRmwXchg 3 I64 I32AtomicRmw8XchgU 0 I32
            I32AtomicRmw16XchgU 1 I32 I64AtomicRmw8XchgU 0 I64 I64AtomicRmw16XchgU 1 I64
            I64AtomicRmw32XchgU 2 I64;
        CompareExchange => I32AtomicRmwCmpxchg 2 I32 I64AtomicRmwCmpxchg 3 I64
            I32AtomicRmw8CmpxchgU 0 I32 I32AtomicRmw16CmpxchgU 1 I32 I64AtomicRmw8CmpxchgU 0 I64
            I64AtomicRmw16CmpxchgU 1 I64 I64AtomicRmw32CmpxchgU 2 I64;
        Notify => MemoryAtomicNotify 2 I32;
        Wait => MemoryAtomicWait32 2 I32 MemoryAtomicWait64 3 I64;
    })
}

/// The load and the store of a size, and the field that names the memory.
#[derive(Clone, Copy)]
struct Access {
    size: u16,
    memory: u16,
    /// The slot of the address.
    address: u16,
}

impl Translator<'_> {
    pub(super) fn atomic(&mut self, operator: &O) -> Result<bool> {
        if matches!(operator, O::AtomicFence { .. }) {
            return Ok(true);
        }
        let Some((does, memarg, size, ty)) = atomic(operator) else {
            return Ok(false);
        };
        match does {
            Does::Load => {
                let [address] = self.slots()?;
                let access = self.access(memarg, size, address)?;
                let row = [Row::Load8U, Row::Load16U, Row::Load32, Row::Load64];
                let op = self.must(row[usize::from(size)], form::load::W as u32)?;
                self.produce_plain(op, access.address, access.memory, Some(0), ty)?;
            }
            Does::Store => {
                let [address, value] = self.slots()?;
                let access = self.access(memarg, size, address)?;
                self.put_atomic(access, value)?;
            }
            Does::Change(row) => {
                let [address, value] = self.slots()?;
                let access = self.access(memarg, size, address)?;
                let old = self.old(access)?;
                let new = match row {
                    Some(row) => {
                        let new = access.address + 1;
                        let op = self.must(row, form::bin::Sss as u32)?;
                        self.emit(word(op, new, old, value));
                        self.wrote(new);
                        new
                    }
                    None => value,
                };
                self.put_atomic(access, new)?;
                self.push(ty, Place::Home)?;
            }
            Does::CompareExchange => {
                let [address, expected, replacement] = self.slots()?;
                let access = self.access(memarg, size, address)?;
                let old = self.old(access)?;
                let new = access.address + 1;
                let equal = match ty {
                    ValType::I32 => Row::I32Eq,
                    _ => Row::I64Eq,
                };
                let op = self.must(equal, form::bin::Sss as u32)?;
                self.emit(word(op, new, old, expected));
                self.emit2(word(op::Select, new, replacement, old), new.into());
                self.wrote(new);
                self.put_atomic(access, new)?;
                self.push(ty, Place::Home)?;
            }
            Does::Notify => {
                let [address, _] = self.slots()?;
                self.access(memarg, size, address)?;
                // Nobody can wait there.
                self.push(ValType::I32, Place::Const(0))?;
            }
            Does::Wait => {
                let [address, _, _] = self.slots()?;
                self.access(memarg, size, address)?;
                self.emit(word(op::Trap, Trap::AtomicWait as u16, 0, 0));
                self.push(ValType::I32, Place::Const(0))?;
            }
        }
        Ok(true)
    }

    /// Emits the check of an address; the operands have been popped.
    fn access(&mut self, memarg: &MemArg, size: u16, address: u16) -> Result<Access> {
        let memory = self.memory_field(memarg);
        // Above the homes of three operands, and with one more slot above it.
        let to = self.home(self.stack.len() + 3)?;
        self.use_slots(usize::from(to) + 2);
        let field = memory & (MEMORY64 | 0xff) | size << 8;
        self.emit2(word(op::AtomicAddress, to, address, field), memarg.offset);
        self.wrote(to);
        Ok(Access {
            size,
            memory,
            address: to,
        })
    }

    /// Loads what is there into the result's home.
    fn old(&mut self, access: Access) -> Result<u16> {
        let old = self.home(self.stack.len())?;
        let row = [Row::Load8U, Row::Load16U, Row::Load32, Row::Load64];
        let op = self.must(row[usize::from(access.size)], form::load::W as u32)?;
        self.emit2(word(op, old, access.address, access.memory), 0);
        self.wrote(old);
        self.use_slots(usize::from(old) + 1);
        Ok(old)
    }

    fn put_atomic(&mut self, access: Access, value: u16) -> Result<()> {
        let row = [Row::Store8, Row::Store16, Row::Store32, Row::Store64];
        let op = self.must(row[usize::from(access.size)], form::store::W as u32)?;
        self.emit2(word(op, value, access.address, access.memory), 0);
        Ok(())
    }
}
