//! A thread of execution: a stack of frames and the registers at its last suspension.

use super::regs::Saved;
use crate::error::Trap;
use crate::store::{FuncKind, StoreInner};
use alloc::vec::Vec;

/// A function that is entered when the thread is resumed: its arguments and linkage are in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub instance: u32,
    pub func: u32,
}

/// A host function that has been called and whose results are awaited.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HostCall {
    /// The closure's number.
    pub host: u32,
    /// The instance that called, if it was one.
    pub instance: Option<u32>,
    /// Where on the stack its arguments begin; results are written to the same place.
    pub args: usize,
    /// Slots of arguments.
    pub params: usize,
    /// Slots of results.
    pub results: usize,
    /// The calling frame is left with the results.
    tail: bool,
}

/// Frames and registers. Addresses on the stack are indices, so that it can move when it grows.
pub(crate) struct Thread {
    pub stack: Vec<u64>,
    pub sp: usize,
    pub instance: u32,
    pub(super) regs: Saved,
    pub(super) entry: Option<Entry>,
    pub(super) awaited: Option<HostCall>,
}

// SAFETY: the pointers in `regs` name code of modules that the store keeps alive, which is immutable
// once published; the stack pointer is made anew at every entry. A thread is used by one at a time.
unsafe impl Send for Thread {}
// SAFETY: a shared reference gives no access to what the pointers name.
unsafe impl Sync for Thread {}

impl Thread {
    pub fn new() -> Thread {
        let regs = Saved {
            ip: core::ptr::null(),
            sp: core::ptr::null_mut(),
            r0: 0,
            r1: 0,
            s0: 0.0,
            d0: 0.0,
        };
        Thread {
            stack: Vec::new(),
            sp: 0,
            instance: 0,
            regs,
            entry: None,
            awaited: None,
        }
    }

    /// Makes the stack at least `slots` long.
    pub(super) fn reserve(&mut self, slots: usize, store: &StoreInner) -> Result<(), Trap> {
        if slots <= self.stack.len() {
            return Ok(());
        }
        let limit = store.limits.stack_bytes / 8;
        if slots > limit {
            return Err(Trap::StackOverflow);
        }
        let wanted = slots.max(self.stack.len() * 2).clamp(256.min(limit), limit);
        self.stack
            .try_reserve_exact(wanted - self.stack.len())
            .map_err(|_| Trap::StackOverflow)?;
        self.stack.resize(wanted, 0);
        Ok(())
    }

    /// Prepares a call of a function from outside: `args` become the base frame's arguments.
    pub fn start(&mut self, store: &StoreInner, entity: u32, args: &[u64]) -> Result<(), Trap> {
        let func = store.funcs[entity as usize];
        self.awaited = None;
        self.reserve(2 + args.len().max(func.results as usize), store)?;
        self.stack[2..2 + args.len()].copy_from_slice(args);
        self.stack[0] = super::driver::halt_address();
        self.sp = 2;
        match func.kind {
            FuncKind::Wasm { instance, func } => {
                self.instance = instance;
                self.entry = Some(self.entry_of(store, instance, func));
                self.stack[1] = 2 << 16;
            }
            FuncKind::Host { host } => {
                self.entry = None;
                self.stack[1] = 2 << 16;
                self.awaited = Some(HostCall {
                    host,
                    instance: None,
                    args: 2,
                    params: func.params.into(),
                    results: func.results.into(),
                    tail: true,
                });
            }
        }
        Ok(())
    }

    /// The results of a call that is done.
    pub fn results(&self, count: usize) -> &[u64] {
        &self.stack[..count]
    }

    pub(super) fn entry_of(&self, store: &StoreInner, instance: u32, func: u32) -> Entry {
        let imported = store.instances[instance as usize].module.imported_funcs;
        Entry {
            instance,
            func: func - imported,
        }
    }

    pub(super) fn await_host(
        &mut self,
        store: &StoreInner,
        host: u32,
        args: usize,
        counts: (u16, u16),
        tail: bool,
    ) -> Result<(), Trap> {
        self.reserve(args + usize::from(counts.0.max(counts.1)), store)?;
        let instance = Some(self.instance);
        self.awaited = Some(HostCall {
            host,
            instance,
            args,
            params: counts.0.into(),
            results: counts.1.into(),
            tail,
        });
        Ok(())
    }

    /// The host function has written its results over its arguments: hands them to the caller.
    pub fn host_returned(&mut self) {
        let Some(call) = self.awaited.take() else {
            return;
        };
        let to = if call.tail {
            let link = self.stack[self.sp - 1];
            self.regs.ip = self.stack[self.sp - 2] as usize as *const u64;
            let to = self.sp - 2;
            self.sp -= (link >> 16) as u16 as usize;
            to
        } else {
            call.args - 2
        };
        self.stack
            .copy_within(call.args..call.args + call.results, to);
        self.load_accumulators(to);
    }

    /// Every return leaves its first result in every accumulator.
    pub(super) fn load_accumulators(&mut self, slot: usize) {
        let value = self.stack[slot];
        self.regs.r0 = value;
        self.regs.s0 = f32::from_bits(value as u32);
        self.regs.d0 = f64::from_bits(value);
    }
}
