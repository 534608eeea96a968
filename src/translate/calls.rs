//! Calls: arguments into the callee's frame, results where operands live.

use super::Translator;
use super::emit::Src;
use super::stack::{Held, Place, class};
use crate::code::{LINKAGE_SLOTS, op, word, word_u32};
use crate::error::Result;

impl Translator<'_> {
    /// `call` and `return_call`.
    pub(super) fn call_direct(&mut self, func: u32, tail: bool) -> Result<()> {
        let ty = self.module.func_types[func as usize];
        let (op, index) = match func.checked_sub(self.module.imported_funcs) {
            Some(defined) => {
                let op = match (tail, self.fuel) {
                    (false, false) => op::Call,
                    (false, true) => op::CallCharge,
                    (true, false) => op::ReturnCall,
                    (true, true) => op::ReturnCallCharge,
                };
                (op, defined)
            }
            None if tail => (op::ReturnCallImport, func),
            None => (op::CallImport, func),
        };
        if tail {
            self.return_call(ty, |t, start| t.emit(word_u32(op, start, index)))
        } else {
            self.call(ty, |t, frame| t.emit(word_u32(op, frame, index)))
        }
    }

    /// `call_indirect` and `return_call_indirect`.
    pub(super) fn call_indirect(&mut self, ty: u32, table: u32, tail: bool) -> Result<()> {
        self.narrow_index(table)?;
        let table = table as u16;
        let index = self.call_index(tail)?;
        // The extension says whether the callee's cost is charged.
        let ext = u64::from(ty) | u64::from(self.fuel && !tail) << 32;
        let (op, slot) = match index {
            Src::Slot(slot) if tail => (op::ReturnCallIndirect, slot),
            Src::Slot(slot) => (op::CallIndirect, slot),
            _ => (op::CallIndirectR, 0),
        };
        if tail {
            self.return_call(ty, |t, start| t.emit2(word(op, start, slot, table), ext))
        } else {
            self.call(ty, |t, frame| t.emit2(word(op, frame, slot, table), ext))
        }
    }

    /// `call_ref` and `return_call_ref`.
    pub(super) fn call_ref(&mut self, ty: u32, tail: bool) -> Result<()> {
        let index = self.call_index(true)?;
        let ext = u64::from(ty) | u64::from(self.fuel && !tail) << 32;
        let slot = index.field();
        if tail {
            self.return_call(ty, |t, start| {
                t.emit2(word(op::ReturnCallRef, start, slot, 0), ext);
            })
        } else {
            self.call(ty, |t, frame| {
                t.emit2(word(op::CallRef, frame, slot, 0), ext)
            })
        }
    }

    /// The index operand of an indirect call, or the reference: in `r0`, or in a slot that the arguments' moves don't touch.
    fn call_index(&mut self, tail: bool) -> Result<Src> {
        let index = self.pop();
        let height = self.stack.len();
        let home = self.home(height)?;
        match index.place {
            // Nothing that moves arguments writes an accumulator.
            Place::Acc if !tail => return Ok(Src::Acc),
            Place::Home if !tail && self.fast && self.acc[0] == Held::Copy(home) => {
                return Ok(Src::Acc);
            }
            Place::Local(local) => return Ok(Src::Slot(local)),
            _ => {}
        }
        // Arguments end two slots above their homes.
        let above = self.home(height + 4)?;
        self.move_to(above, height, index)?;
        self.use_slots(usize::from(above) + 1);
        Ok(Src::Slot(above))
    }

    /// Emits a call whose arguments are the top operands; `emit` gets the callee's frame.
    fn call(&mut self, ty: u32, emit: impl FnOnce(&mut Self, u16)) -> Result<()> {
        let module = self.module;
        let ty = &module.types[ty as usize];
        let count = ty.param_slots();
        let height = self.stack.len() - count;
        self.spill_below(height)?;
        let frame = self.home(height)? + LINKAGE_SLOTS;
        self.arguments(count, frame.into())?;
        self.use_slots(usize::from(frame) + count.max(ty.result_slots()));
        emit(self, frame);
        self.forget();
        for &result in ty.results() {
            self.push_home(result)?;
        }
        // Every return of one slot leaves it in the accumulators.
        if let (true, [result], 1) = (self.fast, ty.results(), ty.result_slots()) {
            self.acc[class(*result)] = Held::Copy(self.home(height)?);
        }
        Ok(())
    }

    /// Moves a call's arguments to `to` and up, and pops them.
    fn arguments(&mut self, count: usize, to: usize) -> Result<()> {
        let from = self.stack.len() - count;
        self.use_slots(to + count);
        // Downwards: an argument in its home lies two slots below where it goes.
        for i in (0..count).rev() {
            let operand = self.stack[from + i];
            // The frame's size refuses what has no number.
            let slot = u16::try_from(to + i).unwrap_or(u16::MAX);
            self.move_to(slot, from + i, operand)?;
        }
        self.truncate(from);
        Ok(())
    }

    /// Emits a tail call; `emit` gets the slot where the arguments begin.
    fn return_call(&mut self, ty: u32, emit: impl FnOnce(&mut Self, u16)) -> Result<()> {
        let count = self.module.types[ty as usize].param_slots();
        let start = self.stack.len() - count;
        for at in (start..self.stack.len()).rev() {
            self.settle(at)?;
        }
        self.credit_rest();
        let start = self.home(start)?;
        self.use_slots((usize::from(start) + count).max(count));
        emit(self, start);
        self.stop();
        Ok(())
    }
}
