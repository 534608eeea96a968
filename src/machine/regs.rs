//! What travels from handler to handler, and the accessors through which handlers touch memory.
//!
//! The invariants that make these accessors sound are upheld by `code::verify` (every slot below
//! the frame's size, every index naming an entity) and by the call handlers (a frame fits between
//! `sp` and `ctx.stack_end`); with the feature `extra-checks` they are checked again here.

use crate::code::MEMORY64;
use crate::code::module::FuncDecl;
use crate::error::Trap;
use crate::store::{ArenaFunc, MemoryEntity, TableEntity};

/// Raw views of one core instance and of the store, valid for one entry into the machine.
#[repr(C)]
pub(crate) struct Ctx {
    pub mem_len: usize,
    pub fuel: i64,
    pub stack_end: *mut u64,
    pub funcs: *const FuncDecl,
    pub cells: *mut u64,
    pub globals: *const u32,
    pub memories: *mut MemoryEntity,
    pub memory_ids: *const u32,
    pub tables: *mut TableEntity,
    pub table_ids: *const u32,
    pub arena: *const ArenaFunc,
    pub arena_len: usize,
    pub type_ids: *const u32,
    pub instance: u32,
    pub imported_funcs: u32,
    pub fuel_on: bool,
    /// There is a memory 0, with addresses of 32 bits.
    pub memory32: bool,
    /// Where the registers go at an exit.
    pub saved: *mut Saved,
}

/// The registers at an exit.
#[derive(Clone, Copy)]
pub(crate) struct Saved {
    pub ip: *const u64,
    pub sp: *mut u64,
    pub r0: u64,
    pub r1: u64,
    pub s0: f32,
    pub d0: f64,
}

/// The machine's registers: parameters of every handler.
pub(crate) struct Regs {
    pub ctx: *mut Ctx,
    /// The instruction that runs.
    pub ip: *const u64,
    /// Slot 0 of the running frame.
    pub sp: *mut u64,
    /// First byte of memory 0.
    pub mem: *mut u8,
    pub r0: u64,
    pub r1: u64,
    pub s0: f32,
    pub d0: f64,
}

/// Why the machine was left. `ip` stays at the instruction for `Slow`; it is the target for `Fuel`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(crate) enum Exit {
    Halt = 0,
    Slow = 1,
    Fuel = 2,
    Far = 3,
    Trap = 16,
}

/// What a handler asks of its dispatcher.
pub(crate) enum Flow {
    Next,
    /// As `Next`, behind a branch that was taken: apart, so that each way has a jump of its own.
    Taken,
    /// An [`Exit`], for traps with the trap's number added.
    Exit(u32),
}

impl From<Exit> for Flow {
    #[inline(always)]
    fn from(exit: Exit) -> Flow {
        Flow::Exit(exit as u32)
    }
}

impl From<Trap> for Flow {
    #[inline(always)]
    fn from(trap: Trap) -> Flow {
        Flow::Exit(Exit::Trap as u32 + trap as u32)
    }
}

impl Regs {
    #[inline(always)]
    pub fn word(&self) -> u64 {
        // SAFETY: `ip` is the start of an instruction of translated code.
        u64::from_le(unsafe { *self.ip })
    }
    #[inline(always)]
    pub fn ext(&self) -> u64 {
        // SAFETY: only handlers of instructions with an extension word call this.
        u64::from_le(unsafe { *self.ip.add(1) })
    }
    #[inline(always)]
    pub fn ext_high(&self) -> u32 {
        // SAFETY: as in `ext`; the second half of that word.
        u32::from_le(unsafe { *self.ip.cast::<u32>().add(3) })
    }
    #[inline(always)]
    pub fn ext_at(&self, index: usize) -> u64 {
        // SAFETY: the caller keeps `index` within the words that its instruction has.
        u64::from_le(unsafe { *self.ip.add(1 + index) })
    }
    /// The first word, by a read that the compiler doesn't join with the one of another path.
    #[cfg(cellule_tail)]
    #[inline(always)]
    pub fn word_apart(&self) -> u64 {
        // SAFETY: as in `word`.
        u64::from_le(unsafe { self.ip.read_volatile() })
    }
    /// A field by a read of its own: that is one instruction, where a part of a word that has been read
    /// already takes two and a register.
    #[inline(always)]
    fn field(&self, index: usize) -> u16 {
        // SAFETY: a word has four fields, in the order of their bytes on every target.
        u16::from_le(unsafe { *self.ip.cast::<u16>().add(index) })
    }
    #[inline(always)]
    pub fn a(&self) -> u16 {
        self.field(1)
    }
    #[inline(always)]
    pub fn b(&self) -> u16 {
        self.field(2)
    }
    #[inline(always)]
    pub fn c(&self) -> u16 {
        self.field(3)
    }
    #[inline(always)]
    pub fn bc(&self) -> u32 {
        // SAFETY: the second half of a word.
        u32::from_le(unsafe { *self.ip.cast::<u32>().add(1) })
    }
    #[inline(always)]
    pub fn step(&mut self, words: usize) {
        // SAFETY: a function's last instruction never falls through, so there is a next one.
        self.ip = unsafe { self.ip.add(words) };
    }
    #[inline(always)]
    pub fn jump(&mut self, words: i32) {
        // SAFETY: branch targets are instructions of the same function.
        self.ip = unsafe { self.ip.offset(words as isize) };
    }
    #[inline(always)]
    pub fn get(&self, slot: u16) -> u64 {
        self.check(slot);
        // SAFETY: the slot lies below the frame's size and the frame below the stack's end.
        unsafe { *self.sp.add(slot as usize) }
    }
    #[inline(always)]
    pub fn set(&mut self, slot: u16, value: u64) {
        self.check(slot);
        // SAFETY: as in `get`.
        unsafe { *self.sp.add(slot as usize) = value }
    }
    #[inline(always)]
    pub(super) fn check(&self, _slot: u16) {
        #[cfg(feature = "extra-checks")]
        assert!(
            self.sp.wrapping_add(_slot as usize) < self.ctx().stack_end,
            "slot beyond the stack"
        );
    }
    #[inline(always)]
    pub fn ctx(&self) -> &Ctx {
        // SAFETY: `ctx` outlives the run and nothing else refers to it meanwhile.
        unsafe { &*self.ctx }
    }
    #[inline(always)]
    pub fn ctx_mut(&mut self) -> &mut Ctx {
        // SAFETY: as in `ctx`.
        unsafe { &mut *self.ctx }
    }
    /// Puts the registers where the driver finds them: in the thread itself, because a copy that is read
    /// right after it was written waits for the writes.
    #[inline(always)]
    pub fn save(&mut self) {
        // SAFETY: `ctx` and what `saved` points to are valid for the whole run, and nobody else reads
        // or writes there meanwhile.
        unsafe {
            *(*self.ctx).saved = Saved {
                ip: self.ip,
                sp: self.sp,
                r0: self.r0,
                r1: self.r1,
                s0: self.s0,
                d0: self.d0,
            };
        }
    }
    /// The address of `N` bytes of memory 0 at `address + offset`.
    #[inline(always)]
    pub fn at<const N: usize>(&self, address: u32, offset: u32) -> Result<*mut [u8; N], Trap> {
        let at = u64::from(address) + u64::from(offset);
        if at + N as u64 > self.ctx().mem_len as u64 {
            return Err(Trap::MemoryOutOfBounds);
        }
        // SAFETY: the range lies within memory 0, whose bytes start at `mem`.
        Ok(unsafe { self.mem.add(at as usize) }.cast())
    }
    /// The address of `len` bytes of memory 0.
    #[inline(always)]
    pub fn span(&self, address: u32, len: u32) -> Result<*mut u8, Trap> {
        if u64::from(address) + u64::from(len) > self.ctx().mem_len as u64 {
            return Err(Trap::MemoryOutOfBounds);
        }
        // SAFETY: the range lies within memory 0, whose bytes start at `mem`.
        Ok(unsafe { self.mem.add(address as usize) })
    }
    /// As `at`, in any memory (a field `Memory16`) and with any offset.
    #[inline(always)]
    pub fn wide<const N: usize>(
        &self,
        memory: u16,
        address: u64,
        offset: u64,
    ) -> Result<*mut [u8; N], Trap> {
        let ctx = self.ctx();
        let address = match memory & MEMORY64 {
            0 => u64::from(address as u32),
            _ => address,
        };
        let memory = memory & !MEMORY64;
        // SAFETY: the index names a memory of the instance and its id one of the store.
        let memory = unsafe {
            &mut *ctx
                .memories
                .add(*ctx.memory_ids.add(memory as usize) as usize)
        };
        let end = address
            .checked_add(offset)
            .and_then(|at| at.checked_add(N as u64));
        match end {
            Some(end) if end <= memory.bytes.len() as u64 => {
                // SAFETY: the range was just checked.
                Ok(unsafe { memory.bytes.as_mut_ptr().add(end as usize - N) }.cast())
            }
            _ => Err(Trap::MemoryOutOfBounds),
        }
    }
    /// The place that a field `Aligned` asks for, where there are so many bytes.
    #[inline(always)]
    pub fn aligned(&self, field: u16, address: u64, offset: u64) -> Result<u64, Trap> {
        let ctx = self.ctx();
        let address = match field & MEMORY64 {
            0 => u64::from(address as u32),
            _ => address,
        };
        let size = 1u64 << (field >> 8 & 3);
        // SAFETY: the index names a memory of the instance and its id one of the store.
        let memory = unsafe {
            &*ctx
                .memories
                .add(*ctx.memory_ids.add(usize::from(field & 0xff)) as usize)
        };
        // Alignment comes first; a sum that doesn't fit has the alignment of what is left of it.
        let at = address.wrapping_add(offset);
        if at & (size - 1) != 0 {
            return Err(Trap::UnalignedAtomic);
        }
        match at.checked_add(size) {
            Some(end) if at >= offset && end <= memory.bytes.len() as u64 => Ok(at),
            _ => Err(Trap::MemoryOutOfBounds),
        }
    }
    /// The cell of a global.
    #[inline(always)]
    pub fn global(&self, index: u32) -> *mut u64 {
        let ctx = self.ctx();
        // SAFETY: the index names a global of the instance and its id a cell of the store.
        unsafe { ctx.cells.add(*ctx.globals.add(index as usize) as usize) }
    }
    /// The table that an instance's index names.
    #[inline(always)]
    pub fn table(&self, index: u16) -> *mut TableEntity {
        let ctx = self.ctx();
        // SAFETY: the index names a table of the instance and its id one of the store.
        unsafe { ctx.tables.add(*ctx.table_ids.add(index as usize) as usize) }
    }
}

/// A value in a slot, an accumulator or an immediate.
pub(crate) trait Value: Copy {
    fn from_bits(bits: u64) -> Self;
    fn into_bits(self) -> u64;
    fn acc(r: &Regs) -> Self;
    fn set_acc(self, r: &mut Regs);
}

impl Value for u32 {
    #[inline(always)]
    fn from_bits(bits: u64) -> u32 {
        bits as u32
    }
    #[inline(always)]
    fn into_bits(self) -> u64 {
        self.into()
    }
    #[inline(always)]
    fn acc(r: &Regs) -> u32 {
        r.r0 as u32
    }
    #[inline(always)]
    fn set_acc(self, r: &mut Regs) {
        r.r0 = self.into();
    }
}
impl Value for u64 {
    #[inline(always)]
    fn from_bits(bits: u64) -> u64 {
        bits
    }
    #[inline(always)]
    fn into_bits(self) -> u64 {
        self
    }
    #[inline(always)]
    fn acc(r: &Regs) -> u64 {
        r.r0
    }
    #[inline(always)]
    fn set_acc(self, r: &mut Regs) {
        r.r0 = self;
    }
}
impl Value for f32 {
    #[inline(always)]
    fn from_bits(bits: u64) -> f32 {
        f32::from_bits(bits as u32)
    }
    #[inline(always)]
    fn into_bits(self) -> u64 {
        self.to_bits().into()
    }
    #[inline(always)]
    fn acc(r: &Regs) -> f32 {
        r.s0
    }
    #[inline(always)]
    fn set_acc(self, r: &mut Regs) {
        r.s0 = self;
    }
}
impl Value for f64 {
    #[inline(always)]
    fn from_bits(bits: u64) -> f64 {
        f64::from_bits(bits)
    }
    #[inline(always)]
    fn into_bits(self) -> u64 {
        self.to_bits()
    }
    #[inline(always)]
    fn acc(r: &Regs) -> f64 {
        r.d0
    }
    #[inline(always)]
    fn set_acc(self, r: &mut Regs) {
        r.d0 = self;
    }
}

/// Where an operand comes from, given its field.
pub(crate) trait Src {
    fn get<V: Value>(r: &Regs, field: u16) -> V;
}
/// Where a result goes, given its field.
pub(crate) trait Dst {
    fn put<V: Value>(r: &mut Regs, field: u16, value: V);
}

/// A slot.
pub(crate) struct S;
/// The accumulator of the value's class.
pub(crate) struct R;
/// The slot and the accumulator.
pub(crate) struct T;
/// The pinned register `r1`; as a destination the slot as well.
pub(crate) struct P;
/// A signed 16-bit immediate.
pub(crate) struct I;
/// The slot that field `a` names.
pub(crate) struct A;
/// A signed 32-bit immediate in fields `b` and `c`.
pub(crate) struct J;
/// A 64-bit immediate in the second word.
pub(crate) struct K;
/// A signed 32-bit immediate in the second word's low half.
pub(crate) struct L;

impl Src for S {
    #[inline(always)]
    fn get<V: Value>(r: &Regs, field: u16) -> V {
        V::from_bits(r.get(field))
    }
}
impl Src for R {
    #[inline(always)]
    fn get<V: Value>(r: &Regs, _: u16) -> V {
        V::acc(r)
    }
}
impl Src for P {
    #[inline(always)]
    fn get<V: Value>(r: &Regs, _: u16) -> V {
        V::from_bits(r.r1)
    }
}
impl Src for I {
    #[inline(always)]
    fn get<V: Value>(_: &Regs, field: u16) -> V {
        V::from_bits(i64::from(field as i16) as u64)
    }
}
impl Src for A {
    #[inline(always)]
    fn get<V: Value>(r: &Regs, _: u16) -> V {
        V::from_bits(r.get(r.a()))
    }
}
impl Src for J {
    #[inline(always)]
    fn get<V: Value>(r: &Regs, _: u16) -> V {
        V::from_bits(i64::from(r.bc() as i32) as u64)
    }
}
impl Src for L {
    #[inline(always)]
    fn get<V: Value>(r: &Regs, _: u16) -> V {
        V::from_bits(i64::from(r.ext() as i32) as u64)
    }
}
impl Src for K {
    #[inline(always)]
    fn get<V: Value>(r: &Regs, _: u16) -> V {
        V::from_bits(r.ext())
    }
}
impl Dst for S {
    #[inline(always)]
    fn put<V: Value>(r: &mut Regs, field: u16, value: V) {
        r.set(field, value.into_bits());
    }
}
impl Dst for R {
    #[inline(always)]
    fn put<V: Value>(r: &mut Regs, _: u16, value: V) {
        value.set_acc(r);
    }
}
impl Dst for T {
    #[inline(always)]
    fn put<V: Value>(r: &mut Regs, field: u16, value: V) {
        r.set(field, value.into_bits());
        value.set_acc(r);
    }
}
impl Dst for P {
    #[inline(always)]
    fn put<V: Value>(r: &mut Regs, field: u16, value: V) {
        r.set(field, value.into_bits());
        r.r1 = value.into_bits();
    }
}
