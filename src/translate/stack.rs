//! Operands: where each value of the operand stack is, and how it gets elsewhere.
//!
//! An operand has a *home*: the slot of its place on the stack, above the locals. It need not be
//! there: it may still be a constant, a local, or the accumulator of its class. `acc` says what each
//! accumulator holds; slots are always true where the accumulator is only a copy.
//!
//! Every step is of constant cost, amortised: operands that name the same local form a chain, and
//! everything below `settled` is known to be at home, so no step walks the whole stack twice.

use super::Translator;
use super::emit::{Src, Want};
use crate::code::module::ValType;
use crate::code::{a_of, bc_of, op, word, word_u32};
use crate::error::{Error, ErrorKind, Result};

/// Where an operand's value is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    Const(u64),
    Local(u16),
    Home,
    Acc,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Operand {
    pub ty: ValType,
    pub place: Place,
    /// One above the next lower operand that names the same local, or 0.
    below: u32,
}

impl Operand {
    /// A constant that isn't on the stack.
    pub(super) fn constant(value: i64) -> Operand {
        Operand {
            ty: ValType::I64,
            place: Place::Const(value as u64),
            below: 0,
        }
    }
}

/// What an accumulator holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Held {
    Nothing,
    /// The operand at this height; it is nowhere else.
    Temp(usize),
    /// A copy of this slot.
    Copy(u16),
}

/// The accumulator that a type belongs to.
pub(super) fn class(ty: ValType) -> usize {
    match ty {
        ValType::F32 => 1,
        ValType::F64 => 2,
        _ => 0,
    }
}

/// The sources that an operand could be read from, the best first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    list: [Src; 3],
    len: usize,
}

impl Choice {
    pub(super) fn one(src: Src) -> Choice {
        Choice {
            list: [src; 3],
            len: 1,
        }
    }

    pub(super) fn two(best: Src, other: Src) -> Choice {
        Choice {
            list: [best, other, other],
            len: 2,
        }
    }

    fn add(&mut self, src: Src) {
        self.list[self.len] = src;
        self.len += 1;
    }

    pub(super) fn all(&self) -> &[Src] {
        &self.list[..self.len]
    }

    /// The only source, if it is a constant.
    pub(super) fn constant(&self) -> Option<i64> {
        match *self.all() {
            [Src::Imm(imm)] => Some(imm.into()),
            [Src::Wide(bits)] => Some(bits as i64),
            _ => None,
        }
    }
}

impl Translator<'_> {
    pub(super) fn home(&self, height: usize) -> Result<u16> {
        let slot = self.locals.len() + height;
        // Room for a call's linkage above the highest operand.
        u16::try_from(slot + 8).map_err(|_| {
            Error::at(
                ErrorKind::Unsupported,
                "a function that needs more than 65,535 slots",
                self.offset,
            )
        })?;
        Ok(slot as u16)
    }

    pub(super) fn use_slots(&mut self, end: usize) {
        self.frame = self.frame.max(end);
    }

    pub(super) fn push(&mut self, ty: ValType, place: Place) -> Result<()> {
        let height = self.stack.len();
        self.use_slots(self.home(height)? as usize + 1);
        let mut below = 0;
        if let Place::Local(local) = place {
            let named = &mut self.named[local as usize];
            below = core::mem::replace(named, height as u32 + 1);
        }
        self.stack.push(Operand { ty, place, below });
        Ok(())
    }

    pub(super) fn pop(&mut self) -> Operand {
        // Validation guarantees an operand; a filler keeps a body that wasn't validated harmless.
        let operand = self.stack.pop().unwrap_or(Operand {
            ty: ValType::I32,
            place: Place::Const(0),
            below: 0,
        });
        if let Place::Local(local) = operand.place {
            self.named[local as usize] = operand.below;
        }
        self.settled = self.settled.min(self.stack.len());
        operand
    }

    pub(super) fn truncate(&mut self, height: usize) {
        while self.stack.len() > height {
            self.pop();
        }
    }

    /// Gives the top operand another type; its bits stay.
    pub(super) fn retype(&mut self, ty: ValType) -> Result<()> {
        let top = self.stack.len() - 1;
        if self.stack[top].place == Place::Acc && class(self.stack[top].ty) != class(ty) {
            self.settle(top)?;
        }
        self.stack[top].ty = ty;
        Ok(())
    }

    /// A slot has been written: an accumulator that copied it no longer does.
    pub(super) fn wrote(&mut self, slot: u16) {
        for held in &mut self.acc {
            if *held == Held::Copy(slot) {
                *held = Held::Nothing;
            }
        }
    }

    /// The ways to read the operand that is or was at `height`. In the base tier, a constant that no field can
    /// hold is put into its home.
    pub(super) fn choices(&mut self, height: usize, operand: Operand) -> Result<Choice> {
        let slot = match operand.place {
            Place::Acc => return Ok(Choice::one(Src::Acc)),
            Place::Const(bits) => {
                let value = match operand.ty {
                    ValType::I32 => i64::from(bits as i32),
                    _ => bits as i64,
                };
                if let (0, Ok(imm)) = (class(operand.ty), i16::try_from(value)) {
                    return Ok(Choice::one(Src::Imm(imm)));
                }
                if self.fast {
                    return Ok(Choice::one(Src::Wide(value as u64)));
                }
                return Ok(Choice::one(Src::Slot(self.slot_of(height, operand)?)));
            }
            Place::Local(local) => local,
            Place::Home => self.home(height)?,
        };
        let mut choice = Choice::one(Src::Slot(slot));
        choice.len = 0;
        if self.pin == Some(slot) && class(operand.ty) == 0 {
            choice.add(Src::Pin);
        }
        if self.fast && self.acc[class(operand.ty)] == Held::Copy(slot) {
            choice.add(Src::Acc);
        }
        choice.add(Src::Slot(slot));
        Ok(choice)
    }

    /// The operand as a slot, or the accumulator if it is there.
    pub(super) fn acc_or_slot(&mut self, height: usize, operand: Operand) -> Result<Src> {
        let slot = self.slot_or_acc_only(height, operand)?;
        Ok(match slot {
            Some(slot) if self.fast && self.acc[class(operand.ty)] == Held::Copy(slot) => Src::Acc,
            Some(slot) => Src::Slot(slot),
            None => Src::Acc,
        })
    }

    fn slot_or_acc_only(&mut self, height: usize, operand: Operand) -> Result<Option<u16>> {
        match operand.place {
            Place::Acc => Ok(None),
            _ => self.slot_of(height, operand).map(Some),
        }
    }

    /// Writes a constant to a slot. Two short ones to neighbouring slots become one instruction.
    pub(super) fn load_const(&mut self, slot: u16, ty: ValType, bits: u64) {
        let bits = if ty == ValType::I32 {
            i64::from(bits as i32) as u64
        } else {
            bits
        };
        if let Some((at, both)) = self.joined_const(slot, bits) {
            self.code[at] = both.to_le();
            self.constant = None;
        } else if i64::from(bits as i32) as u64 == bits || ty == ValType::F32 {
            self.constant = Some(self.code.len());
            self.emit(word_u32(op::Const, slot, bits as u32));
        } else {
            self.emit2(word(op::ConstWide, slot, 0, 0), bits);
        }
        self.wrote(slot);
        self.use_slots(slot as usize + 1);
    }

    /// The newest instruction with this constant too, if it writes a short one to a neighbouring slot and no
    /// label stands behind it.
    fn joined_const(&self, slot: u16, bits: u64) -> Option<(usize, u64)> {
        let at = self.constant?;
        if at + 1 != self.code.len() || at < self.label {
            return None;
        }
        let before = u64::from_le(self.code[at]);
        let short = |value: i64| i16::try_from(value).ok().map(|value| value as u16);
        let first = short(i64::from(bc_of(before) as i32))?;
        let second = short(bits as i64)?;
        let other = a_of(before);
        if other.checked_add(1) == Some(slot) {
            Some((at, word(op::Const2, other, first, second)))
        } else if slot.checked_add(1) == Some(other) {
            Some((at, word(op::Const2, slot, second, first)))
        } else {
            None
        }
    }

    /// The operand at `height` in a slot that an instruction can name.
    pub(super) fn slot_of(&mut self, height: usize, operand: Operand) -> Result<u16> {
        match operand.place {
            Place::Local(local) => Ok(local),
            Place::Home => self.home(height),
            Place::Const(_) | Place::Acc => {
                let home = self.home(height)?;
                self.move_to(home, height, operand)?;
                Ok(home)
            }
        }
    }

    /// Copies the operand at `height` into `slot`.
    pub(super) fn move_to(&mut self, slot: u16, height: usize, operand: Operand) -> Result<()> {
        match operand.place {
            Place::Const(bits) => self.load_const(slot, operand.ty, bits),
            Place::Local(from) => self.copy(slot, from),
            Place::Home => {
                let from = self.home(height)?;
                self.copy(slot, from);
            }
            Place::Acc => {
                let made = self.made(height, Want::Acc);
                let moved =
                    made && (self.retarget(Want::Slot(slot)) || self.retarget(Want::Both(slot)));
                let home = slot == self.home(height)?;
                if !(moved || home && self.rewrite(class(operand.ty), height, slot)) {
                    self.store_acc(class(operand.ty), slot);
                }
            }
        }
        Ok(())
    }

    /// `S[slot] := ` the accumulator of a class, which is then a copy of it.
    pub(super) fn store_acc(&mut self, class: usize, slot: u16) {
        let mov = [op::MovSr, op::MovSf, op::MovSd][class];
        self.emit(word(mov, slot, 0, 0));
        self.simple = Some(self.code.len() - 1);
        self.wrote(slot);
        self.acc[class] = Held::Copy(slot);
        self.makers[class] = None;
        self.use_slots(slot as usize + 1);
    }

    /// Copies a slot. Two copies into neighbouring slots become one instruction.
    pub(super) fn copy(&mut self, to: u16, from: u16) {
        if to == from {
            return;
        }
        self.use_slots(to as usize + 1);
        let pair = self.simple.and_then(|at| {
            let before = u64::from_le(*self.code.get(at)?);
            let (a, b) = (crate::code::a_of(before), crate::code::b_of(before));
            let joins = at + 1 == self.code.len()
                && at >= self.label
                && crate::code::op_of(before) == op::Copy
                && from != a;
            if joins && to.checked_sub(1) == Some(a) {
                Some((at, word(op::Copy2, a, b, from)))
            } else if joins && a.checked_sub(1) == Some(to) {
                Some((at, word(op::Copy2, to, from, b)))
            } else {
                None
            }
        });
        if let Some((at, word)) = pair {
            self.code[at] = word.to_le();
            self.last = None;
            self.simple = None;
        } else {
            self.emit(word(op::Copy, to, from, 0));
            self.simple = Some(self.code.len() - 1);
        }
        self.wrote(to);
    }

    /// Puts the operand at `height` (still on the stack) into its home.
    pub(super) fn settle(&mut self, height: usize) -> Result<()> {
        let operand = self.stack[height];
        if operand.place == Place::Home {
            return Ok(());
        }
        if let Place::Local(local) = operand.place {
            self.unname(local, height, operand.below);
        }
        let home = self.home(height)?;
        self.move_to(home, height, operand)?;
        self.stack[height].place = Place::Home;
        Ok(())
    }

    /// Takes the operand at `height` out of the chain of operands that name `local`.
    fn unname(&mut self, local: u16, height: usize, below: u32) {
        let mut at = self.named[local as usize];
        if at == height as u32 + 1 {
            self.named[local as usize] = below;
            return;
        }
        while let Some(operand) = at
            .checked_sub(1)
            .and_then(|at| self.stack.get_mut(at as usize))
        {
            if operand.below == height as u32 + 1 {
                operand.below = below;
                return;
            }
            at = operand.below;
        }
    }

    /// Puts every operand from `height` on into its home.
    pub(super) fn settle_all(&mut self, height: usize) -> Result<()> {
        // The newest first: only it can have its maker's destination changed.
        let from = height.max(self.settled);
        for at in (from..self.stack.len()).rev() {
            self.settle(at)?;
        }
        if self.settled >= height {
            self.settled = self.stack.len();
        }
        Ok(())
    }

    /// Before a local is written: operands that still name it get its old value.
    pub(super) fn save_named(&mut self, local: u16) -> Result<()> {
        while let Some(at) = self.named[local as usize].checked_sub(1) {
            self.settle(at as usize)?;
        }
        Ok(())
    }

    /// The operand that is nowhere but in the accumulator of this class.
    pub(super) fn occupant(&self, class_: usize) -> Option<usize> {
        let Held::Temp(height) = self.acc[class_] else {
            return None;
        };
        let operand = self.stack.get(height)?;
        (operand.place == Place::Acc && class(operand.ty) == class_).then_some(height)
    }

    /// Whether the next result can go to the accumulator of a class. An operand that is there gives way if the
    /// instruction that made it can still write it into its home instead: what is computed last is most often
    /// used first.
    pub(super) fn vacate(&mut self, class: usize) -> Result<bool> {
        if !self.fast {
            return Ok(false);
        }
        let Some(height) = self.occupant(class) else {
            return Ok(true);
        };
        let home = self.home(height)?;
        let newest = self.made(height, Want::Acc);
        let moved = match newest {
            true => {
                let maker = self.makers[class];
                let moved = self.retarget(Want::Slot(home)) || self.retarget(Want::Both(home));
                self.vacated = maker.filter(|_| moved);
                moved
            }
            false => self.rewrite(class, height, home),
        };
        if moved {
            self.stack[height].place = Place::Home;
        }
        Ok(moved)
    }

    /// Frees the accumulator of a class from an operand that is nowhere else.
    pub(super) fn spill(&mut self, class: usize) -> Result<()> {
        match self.occupant(class) {
            Some(height) => self.settle(height),
            None => Ok(()),
        }
    }

    /// Frees all accumulators from operands below `height`.
    pub(super) fn spill_below(&mut self, height: usize) -> Result<()> {
        for class in 0..self.acc.len() {
            if let Some(at) = self.occupant(class)
                && at < height
            {
                self.settle(at)?;
            }
        }
        Ok(())
    }

    /// `local.set` and `local.tee`: the top operand into a local.
    pub(super) fn assign(&mut self, local: u16) -> Result<()> {
        let operand = self.pop();
        let height = self.stack.len();
        if operand.place == Place::Local(local) {
            return Ok(());
        }
        self.save_named(local)?;
        if self.pin == Some(local) {
            return self.assign_pinned(local, height, operand);
        }
        let home = self.home(height)?;
        // The accumulator of what was computed, whatever it has been reinterpreted as since.
        let made_in = self.last.map_or(0, |last| class(last.ty));
        let class = class(operand.ty);
        let made_home = operand.place == Place::Home && self.made(height, Want::Slot(home));
        let made_acc = operand.place == Place::Acc && self.made(height, Want::Acc);
        let free = made_acc || made_home && self.fast && self.occupant(made_in).is_none();
        if free && self.retarget(Want::Both(local)) {
            return Ok(());
        }
        if (made_home || made_acc) && self.retarget(Want::Slot(local)) {
            return Ok(());
        }
        // A copy from the accumulator saves reading a slot that was just written.
        if self.fast && operand.place == Place::Home && self.acc[class] == Held::Copy(home) {
            self.store_acc(class, local);
            return Ok(());
        }
        self.move_to(local, height, operand)
    }

    /// The local that `r1` mirrors: both are written.
    fn assign_pinned(&mut self, local: u16, height: usize, operand: Operand) -> Result<()> {
        let home = self.home(height)?;
        match operand.place {
            Place::Acc if self.made(height, Want::Acc) && self.retarget(Want::Pin(local)) => {}
            Place::Acc => self.pin_acc(local),
            Place::Home if self.acc[0] == Held::Copy(home) => self.pin_acc(local),
            Place::Const(bits) => {
                self.load_const(local, operand.ty, bits);
                self.emit(word(op::MovPs, 0, local, 0));
            }
            Place::Home
                if self.made(height, Want::Slot(home)) && self.retarget(Want::Slot(local)) =>
            {
                self.emit(word(op::MovPs, 0, local, 0));
            }
            Place::Home | Place::Local(_) => {
                let from = self.slot_of(height, operand)?;
                self.emit(word(op::MovPss, local, from, 0));
                self.wrote(local);
            }
        }
        Ok(())
    }

    fn pin_acc(&mut self, local: u16) {
        self.emit(word(op::MovPr, local, 0, 0));
        self.wrote(local);
        self.acc[0] = Held::Copy(local);
    }
}
