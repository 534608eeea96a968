//! Branches: conditions fused into them, what they carry, and what they charge.

use super::Translator;
use super::control::{CREDIT, Frame, Kind, Patch};
use super::emit::Src;
use super::numeric;
use super::stack::{Choice, Held, Place, class};
use crate::code::module::ValType;
use crate::code::{Op, Row, a_of, b_of, c_of, form, op, op_of, select, word, word_u32};
use crate::error::Result;
use alloc::vec::Vec;

/// A condition, ready to be a branch. Its operands have been popped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Condition {
    row: Row,
    a: Choice,
    b: Choice,
}

impl Translator<'_> {
    /// The condition on top of the stack: the comparison that made it, or whether it isn't zero.
    pub(super) fn condition(&mut self) -> Result<Condition> {
        if let Some((row, a, b)) = self.absorb_compare() {
            let (a, b) = (self.or_slot(a)?, self.or_slot(b)?);
            return Ok(Condition { row, a, b });
        }
        let operand = self.pop();
        let height = self.stack.len();
        let a = match operand.place {
            Place::Const(_) => Choice::one(Src::Slot(self.slot_of(height, operand)?)),
            _ => self.choices(height, operand)?,
        };
        Ok(Condition {
            row: Row::I32Ne,
            a,
            b: Choice::one(Src::Imm(0)),
        })
    }

    /// A comparison's source as a branch may have it: where `r1` is none, the slot that it mirrors; and a
    /// constant that is too wide for a branch in a slot above the comparison's operands.
    fn or_slot(&mut self, src: Src) -> Result<Choice> {
        Ok(match (src, self.pin) {
            (Src::Pin, Some(local)) => Choice::two(src, Src::Slot(local)),
            (Src::Wide(bits), _) if i32::try_from(bits as i64).is_err() => {
                let slot = self.home(self.stack.len() + 2)?;
                self.load_const(slot, ValType::I64, bits);
                Choice::one(Src::Slot(slot))
            }
            _ => Choice::one(src),
        })
    }

    /// Emits a branch that is taken when the condition is `when`; the word of the branch.
    pub(super) fn branch_if(
        &mut self,
        condition: &Condition,
        when: bool,
        charged: bool,
    ) -> Result<usize> {
        // Every comparison row has its branches.
        let (yes, no) = numeric::branch(condition.row).ok_or_else(|| self.no_form())?;
        let row = if when { yes } else { no };
        let (a, b) = (condition.a, condition.b);
        self.makers = [None; 3];
        if let Some(at) = self.step(row, &a, &b, charged) {
            return Ok(at);
        }
        let commutes = numeric::commutes(condition.row);
        for &x in a.all() {
            for &y in b.all() {
                for (x, y) in [(x, y), (y, x)] {
                    if let Some(op) = branch_op(row, x, y, charged) {
                        let at = self.code.len();
                        let first = match y {
                            Src::Wide(bits) => word_u32(op, x.field(), bits as u32),
                            _ => word(op, 0, x.field(), y.field()),
                        };
                        self.emit2(first, 0);
                        return Ok(at);
                    }
                    if !commutes {
                        break;
                    }
                }
            }
        }
        Err(self.no_form())
    }

    /// If the newest instruction adds a constant to the local that this branch tests, makes both one.
    fn step(&mut self, row: Row, a: &Choice, b: &Choice, charged: bool) -> Option<usize> {
        use form::step::*;
        let row = numeric::step(row).filter(|_| self.fast)?;
        let at = self.code.len().checked_sub(1)?;
        let add = u64::from_le(self.code[at]);
        let slot = a_of(add);
        let adds = match row {
            Row::StepI64Ne | Row::StepI64LtS | Row::StepI64LtU | Row::StepI64GeS => op::I64Add::Tsi,
            _ => op::I32Add::Tsi,
        };
        // Only where it is known that an instruction begins there.
        let newest = self.stepped == Some(at) && at >= self.label;
        if !newest || op_of(add) != adds || b_of(add) != slot {
            return None;
        }
        let tested = |src: &Src| match src {
            Src::Slot(tested) => *tested == slot,
            Src::Acc => self.acc[0] == Held::Copy(slot),
            _ => false,
        };
        let form = match *b.all().last()? {
            Src::Imm(_) if charged => Ci,
            Src::Imm(_) => Bi,
            Src::Slot(other) if other == slot => return None,
            Src::Slot(_) if charged => Cs,
            Src::Slot(_) => Bs,
            _ => return None,
        };
        if !a.all().iter().any(tested) {
            return None;
        }
        let op = select(row, form as u32)?;
        let right = b.all().last()?.field();
        self.code.truncate(at);
        self.emit2(word(op, slot, right, c_of(add)), 0);
        Some(at)
    }

    /// The frame that a branch to `depth` goes to, the height of its operands, and how many it carries.
    pub(super) fn destination(&self, depth: u32) -> (usize, usize, usize) {
        let index = self.frames.len() - 1 - depth as usize;
        let frame = &self.frames[index];
        let arity = match frame.kind {
            Kind::Loop { .. } => frame.params,
            _ => frame.results,
        };
        (index, frame.height, arity)
    }

    /// Whether the top operands already are where a branch to `depth` must bring them.
    fn in_place(&self, depth: u32) -> bool {
        let (_, height, arity) = self.destination(depth);
        let from = self.stack.len() - arity;
        arity == 0
            || from == height
                && self.stack[from..]
                    .iter()
                    .all(|operand| operand.place == Place::Home)
    }

    /// Emits the moves of a branch; the operands stay as they are for code that isn't branched from.
    fn carry(&mut self, height: usize, arity: usize) -> Result<()> {
        let from = self.stack.len() - arity;
        let all_home = || (from..from + arity).all(|at| self.stack[at].place == Place::Home);
        if arity > 2 && from != height && all_home() {
            let (to, from) = (self.home(height)?, self.home(from)?);
            self.emit(word(op::CopySpan, to, from, arity as u16));
            for i in 0..arity as u16 {
                self.wrote(to + i);
            }
            return Ok(());
        }
        // Upwards: a destination is never above its source, so no source is lost.
        for i in 0..arity {
            let operand = self.stack[from + i];
            let to = self.home(height + i)?;
            self.move_to(to, from + i, operand)?;
        }
        Ok(())
    }

    /// An unconditional branch, moves included. `credit`: it gives back what it skips.
    fn jump(&mut self, depth: u32, credit: bool) -> Result<()> {
        let (index, height, arity) = self.destination(depth);
        if index == 0 {
            return self.return_from(credit);
        }
        self.carry(height, arity)?;
        if let Kind::Loop { start, cost, .. } = self.frames[index].kind {
            let charge = self.charge_since(cost);
            if let Some((test, exit)) = self.frames[index].test
                && (!self.fuel || numeric::has_charged_branch(test.row))
            {
                // Tests here what the loop tests first, and saves a branch for each round.
                let at = self.branch_if(&test, false, self.fuel)?;
                self.patch_to(at, at + 1, start + 2, charge);
                self.jump_to_end(exit, None, charge);
                return Ok(());
            }
            let at = self.code.len();
            let op = if self.fuel { op::BrCharge } else { op::Br };
            self.emit2(word(op, 0, 0, 0), 0);
            self.patch_to(at, at + 1, start, charge);
        } else {
            self.jump_to_end(index, credit.then_some(self.cost), 0);
        }
        Ok(())
    }

    /// The fuel of a branch back to where the cost was `cost`.
    pub(super) fn charge_since(&self, cost: u32) -> i32 {
        if self.fuel {
            (self.cost - cost) as i32
        } else {
            0
        }
    }

    pub(super) fn br(&mut self, depth: u32) -> Result<()> {
        self.jump(depth, true)?;
        self.stop();
        Ok(())
    }

    pub(super) fn br_if(&mut self, depth: u32) -> Result<()> {
        let condition = self.condition()?;
        self.br_when(&condition, depth)
    }

    /// Whether the slot's reference is null, or isn't.
    fn null_test(slot: u16, null: bool) -> Condition {
        Condition {
            row: if null { Row::I32Eq } else { Row::I32Ne },
            a: Choice::one(Src::Slot(slot)),
            b: Choice::one(Src::Imm(0)),
        }
    }

    /// The slot of the top operand, which stays on the stack.
    fn top_slot(&mut self) -> Result<u16> {
        let top = self.stack.len() - 1;
        if let Place::Local(local) = self.stack[top].place {
            return Ok(local);
        }
        self.settle(top)?;
        self.home(top)
    }

    /// Branches without the top operand if that is null, and goes on with it if it isn't.
    pub(super) fn br_on_null(&mut self, depth: u32) -> Result<()> {
        let slot = self.top_slot()?;
        let reference = self.pop();
        self.br_when(&Self::null_test(slot, true), depth)?;
        self.push(reference.ty, reference.place)
    }

    /// Branches with the top operand if that isn't null, and goes on without it if it is.
    pub(super) fn br_on_non_null(&mut self, depth: u32) -> Result<()> {
        let slot = self.top_slot()?;
        self.br_when(&Self::null_test(slot, false), depth)?;
        self.pop();
        Ok(())
    }

    pub(super) fn as_non_null(&mut self) -> Result<()> {
        let slot = self.top_slot()?;
        self.emit(word(op::RefAsNonNull, slot, 0, 0));
        Ok(())
    }

    /// Branches if the condition holds.
    fn br_when(&mut self, condition: &Condition, depth: u32) -> Result<()> {
        let (index, ..) = self.destination(depth);
        if index != 0 && self.in_place(depth) {
            return self.br_if_in_place(condition, index);
        }
        // Over the moves, which only the branch makes.
        let skip = self.branch_if(condition, false, false)?;
        let held = self.acc;
        self.jump(depth, false)?;
        self.acc = held;
        self.patch(skip, skip + 1);
        Ok(())
    }

    /// A conditional branch that needs no moves.
    fn br_if_in_place(&mut self, condition: &Condition, index: usize) -> Result<()> {
        if let Kind::Loop { start, cost, .. } = self.frames[index].kind {
            if self.fuel && !numeric::has_charged_branch(condition.row) {
                let skip = self.branch_if(condition, false, false)?;
                let at = self.code.len();
                self.emit2(word(op::BrCharge, 0, 0, 0), 0);
                self.patch_to(at, at + 1, start, self.charge_since(cost));
                self.patch(skip, skip + 1);
                return Ok(());
            }
            let at = self.branch_if(condition, true, self.fuel)?;
            self.patch_to(at, at + 1, start, self.charge_since(cost));
        } else {
            let begins = self.code.len();
            let branch = self.branch_if(condition, true, false)?;
            // A step would add where only a test is wanted.
            if branch == begins {
                self.note_test(condition, branch, index);
            }
            self.branch_to_end(
                index,
                Patch {
                    branch,
                    target: branch + 1,
                    credit_from: None,
                    charge: 0,
                    moved: false,
                },
            );
        }
        Ok(())
    }

    /// If a loop begins with this branch out of it, branches back to the loop can test at once.
    fn note_test(&mut self, condition: &Condition, branch: usize, exit: usize) {
        let begins =
            |frame: &Frame| matches!(frame.kind, Kind::Loop { start, .. } if start == branch);
        if self.label == branch
            && let Some(frame) = self.frames[exit + 1..]
                .iter_mut()
                .rev()
                .find(|frame| begins(frame))
        {
            frame.test = Some((*condition, exit));
        }
    }

    pub(super) fn br_table(&mut self, targets: &[u32]) -> Result<()> {
        let index = self.pop();
        let count = targets.len() - 1;
        let src = self.acc_or_slot(self.stack.len(), index)?;
        let table = self.code.len();
        match src {
            Src::Slot(slot) => self.emit(word_u32(op::BrTable, slot, count as u32)),
            _ => self.emit(word_u32(op::BrTableR, 0, count as u32)),
        }
        self.code.resize(self.code.len() + targets.len(), 0);
        let mut stubs = Vec::new();
        for (i, &depth) in targets.iter().enumerate() {
            let (to, ..) = self.destination(depth);
            let target = table + 1 + i;
            if to == 0 || !self.in_place(depth) {
                stubs.push((depth, target));
            } else if let Kind::Loop { start, cost, .. } = self.frames[to].kind {
                self.patch_to(table, target, start, self.charge_since(cost));
            } else {
                let credit_from = Some(self.cost);
                self.branch_to_end(
                    to,
                    Patch {
                        branch: table,
                        target,
                        credit_from,
                        charge: 0,
                        moved: false,
                    },
                );
            }
        }
        // One stub serves all entries of a label.
        stubs.sort_unstable();
        let held = self.acc;
        for (i, &(depth, target)) in stubs.iter().enumerate() {
            self.patch(table, target);
            if stubs.get(i + 1).is_some_and(|next| next.0 == depth) {
                continue;
            }
            self.acc = held;
            self.jump(depth, true)?;
        }
        self.stop();
        Ok(())
    }

    pub(super) fn return_(&mut self) -> Result<()> {
        self.return_from(true)?;
        self.stop();
        Ok(())
    }

    /// Returns the top operands. `credit`: gives back what the function's rest would have cost.
    fn return_from(&mut self, credit: bool) -> Result<()> {
        if credit {
            self.credit_rest();
        }
        self.return_values()
    }

    /// Gives back what the function's rest would have cost, if that is much.
    pub(super) fn credit_rest(&mut self) {
        let skipped = self.total_cost.saturating_sub(self.cost);
        if self.fuel && skipped >= CREDIT {
            let at = self.code.len();
            self.emit2(word(op::BrCharge, 0, 0, 0), 0);
            self.patch_to(at, at + 1, at + 2, -(skipped.min(i32::MAX as u32) as i32));
            self.bind();
        }
    }

    /// Returns the top operands, which stay as they are.
    pub(super) fn return_values(&mut self) -> Result<()> {
        let count = self.results.len();
        let from = self.stack.len() - count;
        match count {
            0 => self.emit(word(op::Ret, 0, 0, 0)),
            1 => self.return_one(from)?,
            _ => {
                let first = self.stack[from].place;
                let span = self.stack[from..].iter().enumerate().all(|(i, operand)| {
                    match (first, operand.place) {
                        (Place::Local(first), Place::Local(local)) => {
                            usize::from(local) == usize::from(first) + i
                        }
                        _ => false,
                    }
                });
                let start = match first {
                    Place::Local(first) if span => first,
                    _ => {
                        self.carry(from, count)?;
                        self.home(from)?
                    }
                };
                self.emit(word(op::RetSpan, start, count as u16, 0));
            }
        }
        Ok(())
    }

    fn return_one(&mut self, from: usize) -> Result<()> {
        let operand = self.stack[from];
        match operand.place {
            Place::Const(bits)
                if operand.ty == ValType::I32
                    || operand.ty == ValType::F32
                    || i64::from(bits as i32) as u64 == bits =>
            {
                self.emit(word_u32(op::RetI, 0, bits as u32));
            }
            Place::Acc => {
                let op = [op::RetR, op::RetF, op::RetD][class(operand.ty)];
                self.emit(word(op, 0, 0, 0));
            }
            _ => {
                let slot = self.slot_of(from, operand)?;
                self.emit(word(op::RetS, slot, 0, 0));
            }
        }
        Ok(())
    }
}

/// The branch with these sources, if there is such a form.
fn branch_op(row: Row, x: Src, y: Src, charged: bool) -> Option<Op> {
    use Src::{Acc, Imm, Pin, Slot, Wide};
    use form::br::*;
    let (plain, charging) = match (x, y) {
        (Slot(_), Slot(_)) => (Bss, Css),
        (Slot(_), Imm(_)) => (Bsi, Csi),
        (Acc, Slot(_)) => (Brs, Crs),
        (Slot(_), Acc) => (Bsr, Csr),
        (Acc, Imm(_)) => (Bri, Cri),
        (Pin, Slot(_)) => (Bps, Cps),
        (Slot(_), Pin) => (Bsp, Csp),
        (Pin, Imm(_)) => (Bpi, Cpi),
        (Slot(_), Wide(_)) => (Bsj, Csj),
        (Acc, Wide(_)) => (Brj, Crj),
        _ => return None,
    };
    select(row, if charged { charging } else { plain } as u32)
}
