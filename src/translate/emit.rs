//! Instructions: the choice of forms, and the newest one, whose destination may still change.

use super::Translator;
use super::memory::Address;
use super::numeric;
use super::stack::{Choice, Held, Operand, Place, class};
use crate::code::module::ValType;
use crate::code::{Op, Row, form, op, select, word, word_u32};
use crate::error::{Error, ErrorKind, Result};

/// A source as an instruction's field can name it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Src {
    Slot(u16),
    Acc,
    /// The local that `r1` mirrors.
    Pin,
    Imm(i16),
    /// A constant that the second word holds.
    Wide(u64),
}

impl Src {
    pub(super) fn field(self) -> u16 {
        match self {
            Src::Slot(slot) => slot,
            Src::Acc | Src::Pin | Src::Wide(_) => 0,
            Src::Imm(imm) => imm as u16,
        }
    }
}

/// The newest instruction, if its destination may still change or a branch may absorb it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Last {
    pub start: usize,
    pub made: Made,
    /// What the accumulators held before.
    pub held: [Held; 3],
    pub ty: ValType,
    /// Where its result went, and the operand that it is.
    pub want: Want,
    pub height: usize,
    /// What left the accumulator to it, and is in its home therefore.
    pub vacated: Option<Maker>,
    /// Where the instruction before it begins, if that has a result of its own.
    before: Option<usize>,
}

/// The instruction that made an operand which is nowhere but in an accumulator.
#[derive(Clone, Copy, Debug)]
pub(super) struct Maker {
    start: usize,
    made: Made,
    ty: ValType,
    height: usize,
}

/// What the newest instruction computes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Made {
    Bin(Row, Src, Src),
    Un(Row, Src),
    Load(Row, Address),
    /// An operator over a source and what is in memory at a slot, displaced, and an offset.
    Mem(Row, Src, u16, i32, u32),
    GlobalGet(u32),
    /// A choice by `r0` between two slots.
    Select(u16, u16),
    /// An instruction with a slot in field `a` as its only destination.
    Plain(Op, u16, u16, Option<u64>),
}

/// Where a result is wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Want {
    Acc,
    Slot(u16),
    /// The slot and the accumulator.
    Both(u16),
    /// The pinned local: its slot and `r1`.
    Pin(u16),
}

impl Translator<'_> {
    pub(super) fn emit(&mut self, word: u64) {
        self.last = None;
        self.vacated = None;
        self.stepped = None;
        self.code.push(word.to_le());
    }

    pub(super) fn emit2(&mut self, word: u64, ext: u64) {
        self.emit(word);
        self.code.push(ext.to_le());
    }

    /// Whether the newest instruction made the operand that is or was at `height`.
    pub(super) fn made(&self, height: usize, want: Want) -> bool {
        self.last
            .is_some_and(|last| last.height == height && last.want == want)
    }

    /// Changes the destination of the newest instruction, if it has a form for that.
    pub(super) fn retarget(&mut self, want: Want) -> bool {
        let Some(last) = self.last else { return false };
        let mut made = last.made;
        let mut words = encode(made, want, last.ty);
        if words.is_none() {
            made = self.unpinned(made);
            words = encode(made, want, last.ty);
        }
        let Some(words) = words else { return false };
        self.code.truncate(last.start);
        self.acc = last.held;
        self.put(made, words, want, last.ty, last.height);
        self.last = None;
        true
    }

    /// Lets the instruction that left the operand at `height` in an accumulator write it into its home, although
    /// others have been emitted since: they don't use what is in that accumulator.
    pub(super) fn rewrite(&mut self, class: usize, height: usize, home: u16) -> bool {
        let Some(maker) = self.makers[class].filter(|maker| maker.height == height) else {
            return false;
        };
        for want in [Want::Slot(home), Want::Both(home)] {
            if let Some((first, _)) = encode(maker.made, want, maker.ty) {
                self.code[maker.start] = first.to_le();
                self.vacated = self.makers[class].take();
                self.acc[class] = Held::Nothing;
                self.wrote(home);
                self.use_slots(usize::from(home) + 1);
                return true;
            }
        }
        false
    }

    /// The same with the pinned local's slot, which is as true as `r1`.
    fn unpinned(&self, made: Made) -> Made {
        let slot = |src| match (src, self.pin) {
            (Src::Pin, Some(local)) => Src::Slot(local),
            _ => src,
        };
        match made {
            Made::Bin(row, x, y) => Made::Bin(row, slot(x), slot(y)),
            Made::Load(row, at) => Made::Load(row, at.map(slot)),
            other => other,
        }
    }

    fn put(&mut self, made: Made, words: Words, want: Want, ty: ValType, height: usize) {
        let held = self.acc;
        let start = self.code.len();
        let before = self.stepped.replace(start);
        self.code.push(words.0.to_le());
        if let Some(ext) = words.1 {
            self.code.push(ext.to_le());
        }
        if let Want::Slot(slot) | Want::Both(slot) | Want::Pin(slot) = want {
            self.wrote(slot);
            self.use_slots(slot as usize + 1);
        }
        match want {
            Want::Acc => self.acc[class(ty)] = Held::Nothing,
            Want::Both(slot) => self.acc[class(ty)] = Held::Copy(slot),
            Want::Slot(_) | Want::Pin(_) => {}
        }
        self.last = Some(Last {
            start,
            made,
            held,
            ty,
            want,
            height,
            vacated: self.vacated.take(),
            before,
        });
        if want == Want::Acc {
            self.makers[class(ty)] = Some(Maker {
                start,
                made,
                ty,
                height,
            });
        }
    }

    /// Emits an instruction whose operands have been popped and pushes its result. False if it has
    /// no form for any place where the result could go now.
    pub(super) fn produce(&mut self, made: Made, ty: ValType) -> Result<bool> {
        let height = self.stack.len();
        let home = self.home(height)?;
        for want in [Want::Acc, Want::Slot(home)] {
            let Some(words) = encode(made, want, ty) else {
                continue;
            };
            if want == Want::Acc && !self.vacate(class(ty))? {
                continue;
            }
            self.put(made, words, want, ty, height);
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

    /// As `produce`, for what every tier has a form for.
    pub(super) fn produce_plain(
        &mut self,
        op: Op,
        b: u16,
        c: u16,
        ext: Option<u64>,
        ty: ValType,
    ) -> Result<()> {
        self.produce(Made::Plain(op, b, c, ext), ty).map(|_| ())
    }

    /// `produce` with the best sources that have a form.
    fn produce_bin(&mut self, row: Row, xs: &Choice, ys: &Choice, ty: ValType) -> Result<bool> {
        let home = self.home(self.stack.len())?;
        let vacant = self.vacate(class(ty))?;
        for want in [Want::Acc, Want::Slot(home)] {
            if want == Want::Acc && !vacant {
                continue;
            }
            for &x in xs.all() {
                for &y in ys.all() {
                    for made in [Made::Bin(row, x, y), Made::Bin(row, y, x)] {
                        if encode(made, want, ty).is_some() {
                            return self.produce(made, ty);
                        }
                        if !numeric::commutes(row) {
                            break;
                        }
                    }
                }
            }
        }
        Ok(false)
    }

    /// A binary operator or comparison over the two newest operands.
    pub(super) fn binary(&mut self, mut row: Row, exchange: bool, ty: ValType) -> Result<()> {
        let (mut y, mut x) = (self.pop(), self.pop());
        let height = self.stack.len();
        let (mut hy, mut hx) = (height + 1, height);
        if exchange {
            (x, y, hx, hy) = (y, x, hy, hx);
        }
        if let Some(made) = self.absorb_load(row, [(hx, x), (hy, y)])? {
            return self.produce(made, ty).map(|_| ());
        }
        let (mut xs, mut ys) = (self.choices(hx, x)?, self.choices(hy, y)?);
        if let (Some(imm), None) = (xs.constant(), ys.constant())
            && let Some((other, imm)) = numeric::exchanged(row, imm)
        {
            row = other;
            (x, y) = (y, Operand::constant(imm));
            (hx, hy) = (hy, hx);
            (xs, ys) = (ys, self.choices(hy, y)?);
        } else if let Some(sum) = numeric::subtracts(row)
            && let [Src::Wide(bits)] = *ys.all()
        {
            row = sum;
            y = Operand::constant((bits as i64).wrapping_neg());
            ys = self.choices(hy, y)?;
        }
        // Where no form exists, first the immediates give way and then the accumulators.
        loop {
            if self.produce_bin(row, &xs, &ys, ty)? {
                return Ok(());
            }
            let slot_of = |at: &Choice, only: fn(&Src) -> bool| at.all().iter().all(only);
            let imm: fn(&Src) -> bool = |src| matches!(src, Src::Imm(_) | Src::Wide(_));
            let acc: fn(&Src) -> bool = |src| *src == Src::Acc;
            if slot_of(&xs, imm) {
                xs = Choice::one(Src::Slot(self.slot_of(hx, x)?));
            } else if slot_of(&ys, imm) {
                ys = Choice::one(Src::Slot(self.slot_of(hy, y)?));
            } else if slot_of(&xs, acc) {
                xs = Choice::one(Src::Slot(self.slot_of(hx, x)?));
            } else if slot_of(&ys, acc) {
                ys = Choice::one(Src::Slot(self.slot_of(hy, y)?));
            } else {
                // Every row has a form from slots to a slot or to its accumulator.
                self.spill(class(ty))?;
                if !self.produce_bin(row, &xs, &ys, ty)? {
                    return Err(self.no_form());
                }
                return Ok(());
            }
        }
    }

    /// If the newest instruction is a load that made one operand, removes it: the operator reads memory. What the
    /// load took the accumulator from gets it back.
    fn absorb_load(
        &mut self,
        row: Row,
        [left, right]: [(usize, Operand); 2],
    ) -> Result<Option<Made>> {
        let Some(last) = self.last.filter(|last| self.fast && last.want == Want::Acc) else {
            return Ok(None);
        };
        let made_by_it = |(height, operand): (usize, Operand)| {
            operand.place == Place::Acc && last.height == height
        };
        let (height, other) = match numeric::commutes(row) && made_by_it(left) {
            true => right,
            false if made_by_it(right) => left,
            false => return Ok(None),
        };
        let Made::Load(load, at) = last.made else {
            return Ok(None);
        };
        let (Some(row), Some((base, by, offset))) =
            (numeric::with_load(row, load), at.in_slot(self.pin))
        else {
            return Ok(None);
        };
        let vacated = last.vacated.filter(|maker| maker.height == height);
        let mut source = match other.place {
            Place::Const(_) | Place::Acc => return Ok(None),
            Place::Home if vacated.is_some() => Src::Acc,
            _ => Src::Slot(self.slot_of(height, other)?),
        };
        self.code.truncate(last.start);
        self.acc = last.held;
        self.last = None;
        let class = class(last.ty);
        match (source, vacated) {
            (Src::Slot(slot), _) if self.acc[class] == Held::Copy(slot) => source = Src::Acc,
            (Src::Acc, Some(maker)) => {
                if let Some((first, _)) = encode(maker.made, Want::Acc, maker.ty) {
                    self.code[maker.start] = first.to_le();
                    self.acc[class] = Held::Nothing;
                }
            }
            _ => self.vacated = last.vacated,
        }
        Ok(Some(Made::Mem(row, source, base, by, offset)))
    }

    /// `i32.eqz` and `i64.eqz`: the opposite comparison, where the operand is one.
    pub(super) fn eqz(&mut self, row: Row, ty: ValType) -> Result<()> {
        if ty == ValType::I32
            && let Some((compare, a, b)) = self.absorb_compare()
        {
            if let Some(opposite) = numeric::opposite(compare)
                && self.produce(Made::Bin(opposite, a, b), ValType::I32)?
            {
                return Ok(());
            }
            self.produce(Made::Bin(compare, a, b), ValType::I32)?;
        }
        self.push(ty, Place::Const(0))?;
        self.binary(row, false, ValType::I32)
    }

    pub(super) fn unary(&mut self, row: Row, ty: ValType) -> Result<()> {
        let x = self.pop();
        let height = self.stack.len();
        let src = self.acc_or_slot(height, x)?;
        if !self.produce(Made::Un(row, src), ty)? {
            let src = Src::Slot(self.slot_of(height, x)?);
            self.produce(Made::Un(row, src), ty)?;
        }
        Ok(())
    }

    /// `select`: by a comparison with zero without making it, by `r0`, or by a slot.
    pub(super) fn select(&mut self) -> Result<()> {
        let zero_test = |row, b| matches!(row, Row::I32Eq | Row::I32Ne) && b == Src::Imm(0);
        let (cond, exchange) = match self.absorb_compare_if(zero_test) {
            // `r1` is no source of a select, but the slot that it mirrors is.
            Some((row, Src::Pin, _)) => {
                (Src::Slot(self.pin.unwrap_or_default()), row == Row::I32Eq)
            }
            Some((row, a, _)) => (a, row == Row::I32Eq),
            None => {
                let cond = self.pop();
                let height = self.stack.len();
                (self.acc_or_slot(height, cond)?, false)
            }
        };
        let (no, yes) = (self.pop(), self.pop());
        let height = self.stack.len();
        let mut b = self.slot_of(height, yes)?;
        let mut c = self.slot_of(height + 1, no)?;
        if exchange {
            (b, c) = (c, b);
        }
        match cond {
            Src::Slot(cond) => self.produce_plain(op::Select, b, c, Some(cond.into()), yes.ty),
            _ => self.produce(Made::Select(b, c), yes.ty).map(|_| ()),
        }
    }

    pub(super) fn must(&self, row: Row, form: u32) -> Result<Op> {
        select(row, form).ok_or_else(|| self.no_form())
    }

    /// A form that the table doesn't list is a fault of this crate, not of the input.
    pub(super) fn no_form(&self) -> Error {
        Error::at(
            ErrorKind::Unsupported,
            "an operator in this form",
            self.offset,
        )
    }

    /// If the newest instruction is a comparison that made the top operand, removes both.
    pub(super) fn absorb_compare(&mut self) -> Option<(Row, Src, Src)> {
        self.absorb_compare_if(|_, _| true)
    }

    fn absorb_compare_if(
        &mut self,
        wanted: impl FnOnce(Row, Src) -> bool,
    ) -> Option<(Row, Src, Src)> {
        let last = self.last?;
        let Made::Bin(row, a, b) = last.made else {
            return None;
        };
        numeric::branch(row)?;
        let top = self.stack.len().checked_sub(1)?;
        let on_top = last.height == top
            && match self.stack[top].place {
                Place::Acc => last.want == Want::Acc,
                Place::Home => {
                    matches!(last.want, Want::Slot(slot) if usize::from(slot) == self.locals.len() + top)
                }
                _ => false,
            };
        if !on_top || !wanted(row, b) {
            return None;
        }
        self.code.truncate(last.start);
        self.acc = last.held;
        self.last = None;
        self.stepped = last.before;
        self.pop();
        Some((row, a, b))
    }
}

/// An instruction's first word and its extension.
type Words = (u64, Option<u64>);

/// The instruction with its result where it is wanted, if there is such a form.
fn encode(made: Made, want: Want, ty: ValType) -> Option<Words> {
    let a = match want {
        Want::Acc => 0,
        Want::Slot(slot) | Want::Both(slot) | Want::Pin(slot) => slot,
    };
    let (op, b, c) = match made {
        Made::Bin(row, x, y) => {
            let op = select(row, bin_form(x, y, want)? as u32)?;
            let ext = match (x, y) {
                (Src::Wide(bits), _) | (_, Src::Wide(bits)) => Some(bits),
                _ => None,
            };
            return Some((word(op, a, x.field(), y.field()), ext));
        }
        Made::Un(row, src) => (select(row, un_form(src, want)? as u32)?, src.field(), 0),
        Made::Load(row, at) => {
            // Into a slot, the integer row does the same.
            let row = match (row, want) {
                (Row::LoadF32, Want::Slot(_)) => Row::Load32,
                (Row::LoadF64, Want::Slot(_)) => Row::Load64,
                _ => row,
            };
            return Some(at.words(select(row, load_form(at, want)? as u32)?, a));
        }
        Made::Mem(row, src, base, by, offset) => {
            let op = select(row, mem_form(src, want)? as u32)?;
            let ext = u64::from(by as u32) | u64::from(offset) << 32;
            return Some((word(op, a, src.field(), base), Some(ext)));
        }
        Made::GlobalGet(index) => {
            return match want {
                Want::Slot(_) => Some((word_u32(op::GlobalGet, a, index), None)),
                Want::Acc if class(ty) == 0 => Some((word_u32(op::GlobalGetR, 0, index), None)),
                _ => None,
            };
        }
        Made::Select(b, c) => match want {
            Want::Slot(_) => (op::SelectSr, b, c),
            Want::Acc if class(ty) == 0 => (op::SelectRr, b, c),
            _ => return None,
        },
        Made::Plain(op, b, c, ext) => {
            return matches!(want, Want::Slot(_)).then(|| (word(op, a, b, c), ext));
        }
    };
    Some((word(op, a, b, c), None))
}

fn un_form(src: Src, want: Want) -> Option<form::un> {
    Some(match (src, want) {
        (Src::Slot(_), Want::Acc) => form::un::Rs,
        (Src::Slot(_), Want::Slot(_)) => form::un::Ss,
        (Src::Acc, Want::Acc) => form::un::Rr,
        (Src::Acc, Want::Both(_)) => form::un::Tr,
        (Src::Slot(_), Want::Both(_)) => form::un::Ts,
        _ => return None,
    })
}

fn mem_form(src: Src, want: Want) -> Option<form::mem> {
    Some(match (src, want) {
        (Src::Slot(_), Want::Acc) => form::mem::Rs,
        (Src::Acc, Want::Acc) => form::mem::Rr,
        (Src::Slot(_), Want::Both(_)) => form::mem::Ts,
        (Src::Acc, Want::Both(_)) => form::mem::Tr,
        _ => return None,
    })
}

pub(super) fn load_form(at: Address, want: Want) -> Option<form::load> {
    use Address::{Absolute, Displaced, Indexed, Near};
    use Src::{Acc, Pin, Slot};
    use form::load::*;
    // To a slot, to the accumulator, to both.
    let forms = match at {
        Near(Slot(_), _) => [Some(Ss), Some(Rs), Some(Ts)],
        Near(Acc, _) => [None, Some(Rr), Some(Tr)],
        Near(Pin, _) => [Some(Sp), Some(Rp), None],
        Absolute(_) => [Some(Sa), Some(Ra), None],
        Displaced(Slot(_), ..) => [Some(Ssd), Some(Rsd), Some(Tsd)],
        Displaced(Acc, ..) => [None, Some(Rrd), Some(Trd)],
        Displaced(Pin, ..) => [None, Some(Rpd), None],
        Indexed(Slot(_), ..) => [Some(Sx), Some(Rx), Some(Tx)],
        Indexed(Acc, ..) => [None, Some(Rrx), Some(Trx)],
        _ => return None,
    };
    match want {
        Want::Slot(_) => forms[0],
        Want::Acc => forms[1],
        Want::Both(_) => forms[2],
        Want::Pin(_) => None,
    }
}

fn bin_form(x: Src, y: Src, want: Want) -> Option<form::bin> {
    use Src::{Acc, Imm, Pin, Slot, Wide};
    use form::bin::*;
    // To a slot, to the accumulator, to both, to the pinned local.
    let forms = match (x, y) {
        (Slot(_), Slot(_)) => [Some(Sss), Some(Rss), Some(Tss), Some(Pss)],
        (Slot(_), Imm(_)) => [Some(Ssi), Some(Rsi), Some(Tsi), Some(Psi)],
        (Imm(_), Slot(_)) => [Some(Sis), Some(Ris), None, None],
        (Acc, Slot(_)) => [None, Some(Rrs), Some(Trs), Some(Prs)],
        (Slot(_), Acc) => [None, Some(Rsr), Some(Tsr), None],
        (Acc, Imm(_)) => [None, Some(Rri), Some(Tri), Some(Pri)],
        (Imm(_), Acc) => [None, Some(Rir), None, None],
        (Pin, Slot(_)) => [None, Some(Rps), None, Some(Pps)],
        (Slot(_), Pin) => [None, Some(Rsp), None, None],
        (Pin, Imm(_)) => [None, Some(Rpi), None, Some(Ppi)],
        (Pin, Acc) => [None, Some(Rpr), None, Some(Ppr)],
        (Acc, Pin) => [None, Some(Rrp), None, None],
        (Slot(_), Wide(_)) => [None, Some(Rsk), Some(Tsk), None],
        (Acc, Wide(_)) => [None, Some(Rrk), Some(Trk), None],
        (Wide(_), Slot(_)) => [None, Some(Rks), None, None],
        (Wide(_), Acc) => [None, Some(Rkr), None, None],
        _ => return None,
    };
    match want {
        Want::Slot(_) => forms[0],
        Want::Acc => forms[1],
        Want::Both(_) => forms[2],
        Want::Pin(_) => forms[3],
    }
}
