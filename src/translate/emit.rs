//! Operands and the choice of forms.
//!
//! An operand has a *home*: the slot of its place on the stack, above the locals. It need not be
//! there: it may still be a constant, a local, or the accumulator of its class. `acc` says what each
//! accumulator holds; slots are always true where the accumulator is only a copy.

use super::Translator;
use super::numeric;
use crate::code::module::ValType;
use crate::code::{Op, Row, form, op, select, word, word_u32};
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

/// A source as an instruction's field can name it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Src {
    Slot(u16),
    Acc,
    Imm(i16),
}

impl Src {
    fn field(self) -> u16 {
        match self {
            Src::Slot(slot) => slot,
            Src::Acc => 0,
            Src::Imm(imm) => imm as u16,
        }
    }
}

/// The newest instruction, if its destination may still change or a branch may absorb it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Last {
    pub start: usize,
    pub row: Row,
    pub made: Made,
    /// What the accumulators held before.
    held: [Held; 3],
    ty: ValType,
    /// Where its result went, and the operand that it is.
    want: Want,
    height: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Made {
    Bin(Src, Src),
    Un(Src),
    Load(Src, u16),
}

/// Where a result is wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Want {
    Acc,
    Slot(u16),
    Both(u16),
}

pub(super) fn class(ty: ValType) -> usize {
    match ty {
        ValType::F32 => 1,
        ValType::F64 => 2,
        _ => 0,
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
        self.stack.push(Operand { ty, place });
        Ok(())
    }

    pub(super) fn emit(&mut self, word: u64) {
        self.last = None;
        self.code.push(word.to_le());
    }

    pub(super) fn emit2(&mut self, word: u64, ext: u64) {
        self.emit(word);
        self.code.push(ext.to_le());
    }

    /// A slot has been written: an accumulator that copied it no longer does.
    pub(super) fn wrote(&mut self, slot: u16) {
        for held in &mut self.acc {
            if *held == Held::Copy(slot) {
                *held = Held::Nothing;
            }
        }
    }

    /// The operand at `height` as an instruction's source. Constants become immediates where `imm` allows.
    pub(super) fn source(&mut self, height: usize, operand: Operand, imm: bool) -> Result<Src> {
        let slot = match operand.place {
            Place::Acc => return Ok(Src::Acc),
            Place::Const(bits) => {
                let value = match operand.ty {
                    ValType::I32 => i64::from(bits as i32),
                    _ => bits as i64,
                };
                if imm && class(operand.ty) == 0 && i16::try_from(value).is_ok() {
                    return Ok(Src::Imm(value as i16));
                }
                let home = self.home(height)?;
                self.load_const(home, operand.ty, bits);
                home
            }
            Place::Local(local) => local,
            Place::Home => self.home(height)?,
        };
        if self.fast && self.acc[class(operand.ty)] == Held::Copy(slot) {
            return Ok(Src::Acc);
        }
        Ok(Src::Slot(slot))
    }

    pub(super) fn load_const(&mut self, slot: u16, ty: ValType, bits: u64) {
        let bits = if class(ty) == 0 && ty == ValType::I32 {
            i64::from(bits as i32) as u64
        } else {
            bits
        };
        if i64::from(bits as i32) as u64 == bits || ty == ValType::F32 {
            self.emit(word_u32(op::Const, slot, bits as u32));
        } else {
            self.emit2(word(op::ConstWide, slot, 0, 0), bits);
        }
        self.wrote(slot);
        self.use_slots(slot as usize + 1);
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
                if !(self.made(height, Want::Acc) && self.retarget(Want::Slot(slot))) {
                    let mov = [op::MovSr, op::MovSf, op::MovSd][class(operand.ty)];
                    self.emit(word(mov, slot, 0, 0));
                    self.wrote(slot);
                    self.acc[class(operand.ty)] = Held::Copy(slot);
                }
                self.use_slots(slot as usize + 1);
            }
        }
        Ok(())
    }

    pub(super) fn copy(&mut self, to: u16, from: u16) {
        if to != from {
            self.emit(word(op::Copy, to, from, 0));
            self.wrote(to);
            self.use_slots(to as usize + 1);
        }
    }

    /// Puts the operand at `height` (still on the stack) into its home.
    pub(super) fn settle(&mut self, height: usize) -> Result<()> {
        let operand = self.stack[height];
        if operand.place != Place::Home {
            let home = self.home(height)?;
            self.move_to(home, height, operand)?;
            self.stack[height].place = Place::Home;
        }
        Ok(())
    }

    /// Puts every operand from `height` on into its home.
    pub(super) fn settle_all(&mut self, height: usize) -> Result<()> {
        // The newest first: only it can have its maker's destination changed.
        for at in (height..self.stack.len()).rev() {
            self.settle(at)?;
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

    /// Frees the accumulator of a class from an operand that is nowhere else.
    pub(super) fn spill(&mut self, class: usize) -> Result<()> {
        match self.occupant(class) {
            Some(height) => self.settle(height),
            None => Ok(()),
        }
    }

    /// Whether the newest instruction made the operand that is or was at `height`.
    fn made(&self, height: usize, want: Want) -> bool {
        self.last
            .is_some_and(|last| last.height == height && last.want == want)
    }

    /// Changes the destination of the newest instruction, which made an accumulator's value.
    fn retarget(&mut self, want: Want) -> bool {
        let Some(last) = self.last else { return false };
        let Some((op, a)) = encode(last.row, last.made, want) else {
            return false;
        };
        self.code.truncate(last.start);
        self.acc = last.held;
        self.put(last.row, last.made, op, a, want, last.ty, last.height);
        self.last = None;
        true
    }

    #[allow(clippy::too_many_arguments)]
    fn put(
        &mut self,
        row: Row,
        made: Made,
        op: Op,
        a: u16,
        want: Want,
        ty: ValType,
        height: usize,
    ) {
        let held = self.acc;
        let start = self.code.len();
        let (b, c) = match made {
            Made::Bin(lhs, rhs) => (lhs.field(), rhs.field()),
            Made::Un(src) => (src.field(), 0),
            Made::Load(address, offset) => (address.field(), offset),
        };
        self.code.push(word(op, a, b, c).to_le());
        match want {
            Want::Acc => self.acc[class(ty)] = Held::Nothing,
            Want::Slot(slot) => self.wrote(slot),
            Want::Both(slot) => {
                self.wrote(slot);
                self.acc[class(ty)] = Held::Copy(slot);
            }
        }
        if let Want::Slot(slot) | Want::Both(slot) = want {
            self.use_slots(slot as usize + 1);
        }
        self.last = Some(Last {
            start,
            row,
            made,
            held,
            ty,
            want,
            height,
        });
    }

    /// Emits an instruction whose operands have been popped and pushes its result.
    fn produce(&mut self, row: Row, made: Made, ty: ValType) -> Result<bool> {
        let height = self.stack.len();
        let home = self.home(height)?;
        let free = self.occupant(class(ty)).is_none();
        let wants = match (self.fast, free) {
            (true, true) => [Want::Acc, Want::Slot(home)],
            _ => [Want::Slot(home), Want::Acc],
        };
        for want in wants {
            if want == Want::Acc && !(self.fast && free) {
                continue;
            }
            let Some((op, a)) = encode(row, made, want) else {
                continue;
            };
            self.put(row, made, op, a, want, ty, height);
            if want == Want::Acc {
                self.acc[class(ty)] = Held::Temp(height);
                self.push(ty, Place::Acc)?;
            } else {
                self.push(ty, Place::Home)?;
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// A binary operator or comparison over the two newest operands.
    pub(super) fn binary(&mut self, row: Row, exchange: bool, ty: ValType) -> Result<()> {
        let (mut y, mut x) = (self.pop(), self.pop());
        let height = self.stack.len();
        let (mut hy, mut hx) = (height + 1, height);
        if exchange || (numeric::commutes(row) && matches!(x.place, Place::Const(_))) {
            (x, y, hx, hy) = (y, x, hy, hx);
        }
        // Where neither form exists, first the immediates and then the accumulators give way.
        for imm in [true, false] {
            let mut a = self.source(hx, x, imm)?;
            let mut b = self.source(hy, y, imm)?;
            if a == Src::Acc && b == Src::Acc {
                b = Src::Slot(self.slot_of(hy, y)?);
            }
            if b == Src::Acc && matches!(a, Src::Slot(_)) && numeric::commutes(row) {
                (a, b) = (b, a);
            }
            if self.produce(row, Made::Bin(a, b), ty)? {
                return Ok(());
            }
        }
        let a = Src::Slot(self.slot_of(hx, x)?);
        let b = Src::Slot(self.slot_of(hy, y)?);
        if !self.produce(row, Made::Bin(a, b), ty)? {
            self.spill(class(ty))?;
            self.produce(row, Made::Bin(a, b), ty)?;
        }
        Ok(())
    }

    /// `i32.eqz` and `i64.eqz`: the opposite comparison, where the operand is one.
    pub(super) fn eqz(&mut self, row: Row, ty: ValType) -> Result<()> {
        if ty == ValType::I32
            && let Some((compare, a, b)) = self.absorb_compare()
        {
            if let Some(opposite) = numeric::opposite(compare)
                && self.produce(opposite, Made::Bin(a, b), ValType::I32)?
            {
                return Ok(());
            }
            self.produce(compare, Made::Bin(a, b), ValType::I32)?;
        }
        self.push(ty, Place::Const(0))?;
        self.binary(row, false, ValType::I32)
    }

    pub(super) fn unary(&mut self, row: Row, ty: ValType) -> Result<()> {
        let x = self.pop();
        let height = self.stack.len();
        let src = self.source(height, x, false)?;
        if !self.produce(row, Made::Un(src), ty)? {
            let src = Src::Slot(self.slot_of(height, x)?);
            self.produce(row, Made::Un(src), ty)?;
        }
        Ok(())
    }

    pub(super) fn load(&mut self, row: Row, memory: u32, offset: u64, ty: ValType) -> Result<()> {
        let x = self.pop();
        let height = self.stack.len();
        if let (0, Ok(offset)) = (memory, u16::try_from(offset)) {
            let row = match (self.fast, ty) {
                (true, ValType::F32) => Row::LoadF32,
                (true, ValType::F64) => Row::LoadF64,
                _ => row,
            };
            if matches!(row, Row::LoadF32 | Row::LoadF64) {
                self.spill(class(ty))?;
            }
            let src = self.source(height, x, false)?;
            if self.produce(row, Made::Load(src, offset), ty)? {
                return Ok(());
            }
            let src = Src::Slot(self.slot_of(height, x)?);
            self.produce(row, Made::Load(src, offset), ty)?;
            return Ok(());
        }
        let address = self.slot_of(height, x)?;
        let home = self.home(height)?;
        let op = self.must(row, form::load::W as u32)?;
        self.emit2(word(op, home, address, memory as u16), offset);
        self.wrote(home);
        self.push(ty, Place::Home)
    }

    pub(super) fn store(&mut self, row: Row, memory: u32, offset: u64) -> Result<()> {
        use form::store::*;
        let (y, x) = (self.pop(), self.pop());
        let height = self.stack.len();
        if let (0, Ok(offset)) = (memory, u16::try_from(offset)) {
            let mut value = self.source(height + 1, y, true)?;
            let mut address = self.source(height, x, false)?;
            if value == Src::Acc && address == Src::Acc && class(y.ty) == 0 {
                value = Src::Slot(self.slot_of(height + 1, y)?);
            }
            let row = match (value, y.ty) {
                (Src::Acc, ValType::F32) => Row::StoreF32,
                (Src::Acc, ValType::F64) => Row::StoreF64,
                _ => row,
            };
            if matches!(row, Row::StoreF32 | Row::StoreF64) && address == Src::Acc {
                address = Src::Slot(self.slot_of(height, x)?);
            }
            let form = match (address, value) {
                (Src::Slot(_), Src::Slot(_)) => Mss,
                (Src::Slot(_), Src::Imm(_)) => Msi,
                (Src::Slot(_), Src::Acc) => Msr,
                (_, Src::Slot(_)) => Mrs,
                (_, Src::Imm(_)) => Mri,
                (_, Src::Acc) => Msr,
            };
            let op = self.must(row, form as u32)?;
            self.emit(word(op, value.field(), address.field(), offset));
            return Ok(());
        }
        let value = self.slot_of(height + 1, y)?;
        let address = self.slot_of(height, x)?;
        let op = self.must(row, form::store::W as u32)?;
        self.emit2(word(op, value, address, memory as u16), offset);
        Ok(())
    }

    pub(super) fn must(&self, row: Row, form: u32) -> Result<Op> {
        // A form that the table lists; a missing one is a fault of this crate, not of the input.
        select(row, form).ok_or_else(|| {
            Error::at(
                ErrorKind::Unsupported,
                "an operator in this form",
                self.offset,
            )
        })
    }

    /// `local.set` and `local.tee`, after the operands that name the local were saved.
    pub(super) fn assign(&mut self, local: u16) -> Result<()> {
        let named = |operand: &Operand| operand.place == Place::Local(local);
        let below = self.stack.len() - 1;
        for at in 0..below {
            if named(&self.stack[at]) {
                self.settle(at)?;
            }
        }
        let operand = self.pop();
        let home = self.home(below)?;
        match operand.place {
            Place::Acc if self.made(below, Want::Acc) && self.retarget(Want::Both(local)) => {}
            Place::Home
                if self.made(below, Want::Slot(home)) && self.retarget(Want::Slot(local)) => {}
            _ => self.move_to(local, below, operand)?,
        }
        Ok(())
    }

    /// If the newest instruction is a comparison that made the top operand, removes both.
    pub(super) fn absorb_compare(&mut self) -> Option<(Row, Src, Src)> {
        let last = self.last?;
        let Made::Bin(a, b) = last.made else {
            return None;
        };
        numeric::branch(last.row)?;
        let top = self.stack.len() - 1;
        let on_top = last.height == top
            && match self.stack[top].place {
                Place::Acc => last.want == Want::Acc,
                Place::Home => {
                    matches!(last.want, Want::Slot(slot) if usize::from(slot) == self.locals.len() + top)
                }
                _ => false,
            };
        if !on_top {
            return None;
        }
        self.code.truncate(last.start);
        self.acc = last.held;
        self.last = None;
        self.pop();
        Some((last.row, a, b))
    }
}

/// The opcode and field `a` of an instruction with its result where it is wanted.
fn encode(row: Row, made: Made, want: Want) -> Option<(Op, u16)> {
    let a = match want {
        Want::Acc => 0,
        Want::Slot(slot) | Want::Both(slot) => slot,
    };
    let form = match made {
        Made::Bin(x, y) => bin_form(x, y, want)? as u32,
        Made::Un(Src::Slot(_)) => match want {
            Want::Acc => form::un::Rs as u32,
            Want::Slot(_) => form::un::Ss as u32,
            Want::Both(_) => return None,
        },
        Made::Un(_) => match want {
            Want::Acc => form::un::Rr as u32,
            Want::Both(_) => form::un::Tr as u32,
            Want::Slot(_) => return None,
        },
        Made::Load(Src::Slot(_), _) => match want {
            Want::Acc => form::load::Rs as u32,
            Want::Slot(_) => form::load::Ss as u32,
            Want::Both(_) => form::load::Ts as u32,
        },
        Made::Load(..) => match want {
            Want::Acc => form::load::Rr as u32,
            Want::Both(_) => form::load::Tr as u32,
            Want::Slot(_) => return None,
        },
    };
    Some((select(row, form)?, a))
}

fn bin_form(x: Src, y: Src, want: Want) -> Option<form::bin> {
    use Src::{Acc, Imm, Slot};
    use form::bin::*;
    let forms = match (x, y) {
        (Slot(_), Slot(_)) => [Some(Sss), Some(Rss), Some(Tss)],
        (Slot(_), Imm(_)) => [Some(Ssi), Some(Rsi), Some(Tsi)],
        (Imm(_), Slot(_)) => [Some(Sis), Some(Ris), None],
        (Acc, Slot(_)) => [None, Some(Rrs), Some(Trs)],
        (Slot(_), Acc) => [None, Some(Rsr), Some(Tsr)],
        (Acc, Imm(_)) => [None, Some(Rri), Some(Tri)],
        (Imm(_), Acc) => [None, Some(Rir), None],
        _ => return None,
    };
    match want {
        Want::Slot(_) => forms[0],
        Want::Acc => forms[1],
        Want::Both(_) => forms[2],
    }
}
