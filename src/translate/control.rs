//! Blocks, branches, calls and returns.

use super::Translator;
use super::emit::{Held, Operand, Place, Src, class};
use super::numeric;
use crate::code::module::ValType;
use crate::code::{LINKAGE_SLOTS, Row, form, op, word, word_u32};
use crate::error::Result;
use alloc::vec::Vec;

/// An open block.
#[derive(Debug)]
pub(super) struct Frame {
    kind: Kind,
    /// Operands below the block's parameters.
    height: usize,
    params: Vec<ValType>,
    results: Vec<ValType>,
    /// Branches to be pointed at the end: word of the branch, word of its target, cost so far if it gives fuel back.
    patches: Vec<Patch>,
    /// The rest of the block can't be reached.
    unreachable: bool,
    /// Blocks opened inside the unreachable rest.
    skipped: u32,
}

#[derive(Debug, Clone, Copy)]
struct Patch {
    branch: usize,
    target: usize,
    credit_from: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Function,
    Block,
    /// Where branches go, and the cost there.
    Loop {
        start: usize,
        cost: u32,
    },
    /// The branch that is taken when the condition is false.
    If {
        skip: Option<usize>,
    },
}

/// Operators that a forward skip must have before it gives fuel back.
const CREDIT: u32 = 64;

impl Frame {
    pub(super) fn function(_: usize) -> Frame {
        Frame {
            kind: Kind::Function,
            height: 0,
            params: Vec::new(),
            results: Vec::new(),
            patches: Vec::new(),
            unreachable: false,
            skipped: 0,
        }
    }
}

/// A condition, ready to be a branch.
struct Condition {
    row: Row,
    a: Src,
    b: Src,
}

impl Translator<'_> {
    pub(super) fn unreachable(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.unreachable)
    }

    /// Operators of the unreachable rest of a block: only its structure matters. True while skipping.
    pub(super) fn skip(&mut self, operator: &wasmparser::Operator) -> bool {
        use wasmparser::Operator as O;
        let Some(frame) = self.frames.last_mut() else {
            return true;
        };
        if !frame.unreachable {
            return false;
        }
        match operator {
            O::Block { .. } | O::Loop { .. } | O::If { .. } => frame.skipped += 1,
            O::End if frame.skipped > 0 => frame.skipped -= 1,
            O::End | O::Else if frame.skipped == 0 => return false,
            _ => {}
        }
        true
    }

    pub(super) fn stop(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.unreachable = true;
            self.stack.truncate(frame.height);
        }
        self.last = None;
    }

    fn forget(&mut self) {
        self.acc = [Held::Nothing; 3];
        self.last = None;
    }

    pub(super) fn block(&mut self, params: Vec<ValType>, results: Vec<ValType>) -> Result<()> {
        self.settle_all(0)?;
        self.open(Kind::Block, params, results)
    }

    fn open(&mut self, kind: Kind, params: Vec<ValType>, results: Vec<ValType>) -> Result<()> {
        let height = self.stack.len() - params.len();
        self.home(height + results.len())?;
        self.use_slots(self.locals.len() + height + results.len().max(params.len()));
        self.frames.push(Frame {
            kind,
            height,
            params,
            results,
            patches: Vec::new(),
            unreachable: false,
            skipped: 0,
        });
        Ok(())
    }

    pub(super) fn loop_(&mut self, params: Vec<ValType>, results: Vec<ValType>) -> Result<()> {
        self.settle_all(0)?;
        self.forget();
        let kind = Kind::Loop {
            start: self.code.len(),
            cost: self.cost,
        };
        self.open(kind, params, results)
    }

    pub(super) fn if_(&mut self, params: Vec<ValType>, results: Vec<ValType>) -> Result<()> {
        let below = self.stack.len() - 1;
        let condition = self.settled_condition(below)?;
        let at = self.branch_if(&condition, false, false)?;
        self.open(Kind::If { skip: Some(at) }, params, results)
    }

    /// The condition on top, with every operand below it in its home.
    fn settled_condition(&mut self, below: usize) -> Result<Condition> {
        // A comparison that was just made is absorbed; it must not lose its operands to the settling.
        let dirty = self.stack[..below]
            .iter()
            .any(|operand| operand.place != Place::Home);
        if !dirty {
            return self.condition();
        }
        let top = self.stack.len() - 1;
        self.settle(top)?;
        self.settle_all(0)?;
        self.condition()
    }

    fn condition(&mut self) -> Result<Condition> {
        if let Some((row, a, b)) = self.absorb_compare() {
            return Ok(Condition { row, a, b });
        }
        let operand = self.pop();
        let height = self.stack.len();
        let a = self.source(height, operand, false)?;
        Ok(Condition {
            row: Row::I32Ne,
            a,
            b: Src::Imm(0),
        })
    }

    /// Emits a branch that is taken when the condition is `when`; the word of the branch.
    fn branch_if(&mut self, condition: &Condition, when: bool, charged: bool) -> Result<usize> {
        use form::br::*;
        let Condition { row, mut a, mut b } = *condition;
        // Every comparison row has its branches.
        let (yes, no) = numeric::branch(row).unwrap_or((Row::BrI32Ne, Row::BrI32Eq));
        let row = if when { yes } else { no };
        if b == Src::Acc && numeric::commutes(compare_of(row)) {
            (a, b) = (b, a);
        }
        if let (Src::Imm(imm), Src::Slot(_) | Src::Acc) = (a, b) {
            // Commuting comparisons were exchanged before; the others have no such form of their own.
            let home = self.home(self.stack.len())?;
            self.load_const(home, ValType::I64, i64::from(imm) as u64);
            a = Src::Slot(home);
        }
        let form = match (a, b, charged) {
            (Src::Slot(_), Src::Slot(_), false) => Bss,
            (Src::Slot(_), Src::Slot(_), true) => Css,
            (Src::Slot(_), Src::Imm(_), false) => Bsi,
            (Src::Slot(_), Src::Imm(_), true) => Csi,
            (Src::Acc, Src::Slot(_), false) => Brs,
            (Src::Acc, Src::Slot(_), true) => Crs,
            (Src::Slot(_), Src::Acc, false) => Bsr,
            (Src::Slot(_), Src::Acc, true) => Csr,
            (Src::Acc, Src::Imm(_), true) => Cri,
            _ => Bri,
        };
        let op = self.must(row, form as u32)?;
        let at = self.code.len();
        self.emit2(word(op, 0, field(a), field(b)), 0);
        Ok(at)
    }

    /// Points the branch at `branch` whose target word is `target` to the next instruction.
    fn patch(&mut self, branch: usize, target: usize) {
        self.patch_to(branch, target, self.code.len(), 0);
    }

    fn patch_to(&mut self, branch: usize, target: usize, to: usize, fuel: i32) {
        let offset = to as i64 - branch as i64;
        self.code[target] =
            (u64::from(offset as i32 as u32) | u64::from(fuel as u32) << 32).to_le();
    }

    pub(super) fn else_(&mut self) -> Result<()> {
        let reached = !self.unreachable();
        if reached {
            self.results_home()?;
            let at = self.code.len();
            self.emit2(word(op::Br, 0, 0, 0), 0);
            let credit_from = Some(self.cost);
            if let Some(frame) = self.frames.last_mut() {
                frame.patches.push(Patch {
                    branch: at,
                    target: at + 1,
                    credit_from,
                });
            }
        }
        self.forget();
        let here = self.code.len();
        let Some(frame) = self.frames.last_mut() else {
            return Ok(());
        };
        frame.unreachable = false;
        let height = frame.height;
        let params = frame.params.clone();
        if let Kind::If { skip: Some(skip) } = frame.kind {
            frame.kind = Kind::If { skip: None };
            self.patch_to(skip, skip + 1, here, 0);
        }
        self.restack(height, &params)
    }

    fn restack(&mut self, height: usize, types: &[ValType]) -> Result<()> {
        self.stack.truncate(height);
        for ty in types {
            self.push(*ty, Place::Home)?;
        }
        Ok(())
    }

    /// Brings the current block's results to the places that branches bring them to.
    fn results_home(&mut self) -> Result<()> {
        let Some(frame) = self.frames.last() else {
            return Ok(());
        };
        let height = frame.height;
        self.settle_all(height)
    }

    pub(super) fn end(&mut self) -> Result<()> {
        let reached = !self.unreachable();
        let is_function = self.frames.len() == 1;
        if reached && is_function {
            self.return_values()?;
        } else if reached {
            self.results_home()?;
        }
        let Some(mut frame) = self.frames.pop() else {
            return Ok(());
        };
        if let Kind::If { skip: Some(skip) } = frame.kind {
            frame.patches.push(Patch {
                branch: skip,
                target: skip + 1,
                credit_from: None,
            });
        }
        if is_function {
            return self.function_end(&frame, reached);
        }
        let here = self.code.len();
        for patch in &frame.patches {
            let skipped = patch.credit_from.map_or(0, |from| self.cost - from);
            let mut fuel = 0;
            if self.fuel && skipped >= CREDIT {
                fuel = -(skipped as i32);
                let first = u64::from_le(self.code[patch.branch]);
                if crate::code::op_of(first) == op::Br {
                    self.code[patch.branch] = word(op::BrCharge, 0, 0, 0).to_le();
                }
            }
            self.patch_to(patch.branch, patch.target, here, fuel);
        }
        // The accumulators survive the end of a block that nothing branches to.
        if !frame.patches.is_empty() || !reached {
            self.forget();
        }
        self.last = None;
        self.restack(frame.height, &frame.results)
    }

    fn function_end(&mut self, _: &Frame, _: bool) -> Result<()> {
        // Branches to the function's label return at once, so none is left to patch; an empty
        // body's last instruction is its return.
        if self.code.len() == crate::code::HEADER_WORDS {
            self.emit(word(op::Trap, 0, 0, 0));
        }
        Ok(())
    }

    /// The values that a branch to the frame at `depth` carries, and where they go.
    fn label(&self, depth: u32) -> (usize, usize, usize) {
        let index = self.frames.len() - 1 - depth as usize;
        let frame = &self.frames[index];
        let arity = match frame.kind {
            Kind::Loop { .. } => frame.params.len(),
            Kind::Function => self.results.len(),
            _ => frame.results.len(),
        };
        (index, frame.height, arity)
    }

    /// Whether the top operands already are where a branch to `depth` must bring them.
    fn in_place(&self, depth: u32) -> bool {
        let (_, height, arity) = self.label(depth);
        let from = self.stack.len() - arity;
        arity == 0
            || from == height
                && self.stack[from..]
                    .iter()
                    .all(|operand| operand.place == Place::Home)
    }

    /// Emits the moves of a branch; the operands stay as they are for the code behind a condition.
    fn carry(&mut self, depth: u32) -> Result<()> {
        let (_, height, arity) = self.label(depth);
        let from = self.stack.len() - arity;
        // Upwards: a destination is never above its source, so no source is lost.
        for i in 0..arity {
            let operand = self.stack[from + i];
            let to = self.home(height + i)?;
            // The maker of the value may also serve the path that isn't taken.
            self.last = None;
            self.move_to(to, from + i, operand)?;
        }
        Ok(())
    }

    /// An unconditional branch, moves included.
    fn jump(&mut self, depth: u32) -> Result<()> {
        let (index, ..) = self.label(depth);
        if index == 0 {
            return self.return_from(true);
        }
        self.carry(depth)?;
        let at = self.code.len();
        match self.frames[index].kind {
            Kind::Loop { start, cost } => {
                let charge = self.cost - cost;
                let op = if self.fuel { op::BrCharge } else { op::Br };
                self.emit2(word(op, 0, 0, 0), 0);
                self.patch_to(at, at + 1, start, if self.fuel { charge as i32 } else { 0 });
            }
            _ => {
                self.emit2(word(op::Br, 0, 0, 0), 0);
                let credit_from = Some(self.cost);
                self.frames[index].patches.push(Patch {
                    branch: at,
                    target: at + 1,
                    credit_from,
                });
            }
        }
        Ok(())
    }

    pub(super) fn br(&mut self, depth: u32) -> Result<()> {
        self.jump(depth)?;
        self.stop();
        Ok(())
    }

    pub(super) fn br_if(&mut self, depth: u32) -> Result<()> {
        let (index, _, arity) = self.label_below_condition(depth);
        let back = matches!(self.frames[index].kind, Kind::Loop { .. });
        if arity > 0 || index == 0 {
            // Values must survive on both paths: settle them before the condition is read.
            let below = self.stack.len() - 1;
            let condition = self.settled_condition(below)?;
            if index != 0 && self.in_place(depth) {
                return self.direct(&condition, index, back);
            }
            let skip = self.branch_if(&condition, false, false)?;
            let held = self.acc;
            let operands = self.stack.clone();
            self.jump(depth)?;
            self.stack = operands;
            self.acc = held;
            self.last = None;
            self.patch(skip, skip + 1);
            return Ok(());
        }
        let condition = self.condition()?;
        self.direct(&condition, index, back)
    }

    fn label_below_condition(&self, depth: u32) -> (usize, usize, usize) {
        self.label(depth)
    }

    /// A conditional branch that needs no moves.
    fn direct(&mut self, condition: &Condition, index: usize, back: bool) -> Result<()> {
        let charged = back && self.fuel;
        let float = matches!(
            condition.row,
            Row::F32Eq
                | Row::F32Ne
                | Row::F32Lt
                | Row::F32Le
                | Row::F64Eq
                | Row::F64Ne
                | Row::F64Lt
                | Row::F64Le
        );
        if charged && float {
            let skip = self.branch_if(condition, false, false)?;
            self.back_edge(index)?;
            self.patch(skip, skip + 1);
            return Ok(());
        }
        let at = self.branch_if(condition, true, charged)?;
        match self.frames[index].kind {
            Kind::Loop { start, cost } => {
                let charge = if charged {
                    (self.cost - cost) as i32
                } else {
                    0
                };
                self.patch_to(at, at + 1, start, charge);
            }
            _ => self.frames[index].patches.push(Patch {
                branch: at,
                target: at + 1,
                credit_from: None,
            }),
        }
        Ok(())
    }

    fn back_edge(&mut self, index: usize) -> Result<()> {
        if let Kind::Loop { start, cost } = self.frames[index].kind {
            let at = self.code.len();
            let charge = (self.cost - cost) as i32;
            self.emit2(word(op::BrCharge, 0, 0, 0), 0);
            self.patch_to(at, at + 1, start, charge);
        }
        Ok(())
    }

    pub(super) fn br_table(&mut self, targets: &[u32]) -> Result<()> {
        let index = self.pop();
        let below = self.stack.len();
        let count = targets.len() - 1;
        let slot = self.slot_of(below, index)?;
        // Entries share the operands, so they rest in their homes.
        for at in (0..below).rev() {
            if self.stack[at].place == Place::Acc {
                self.settle(at)?;
            }
        }
        let table = self.code.len();
        self.emit(word_u32(op::BrTable, slot, count as u32));
        self.code.resize(self.code.len() + targets.len(), 0);
        let mut stubs = Vec::new();
        for (i, &depth) in targets.iter().enumerate() {
            let (to, ..) = self.label(depth);
            let entry = table + 1 + i;
            if to != 0 && self.in_place(depth) {
                match self.frames[to].kind {
                    Kind::Loop { start, cost } => {
                        let charge = if self.fuel {
                            (self.cost - cost) as i32
                        } else {
                            0
                        };
                        self.patch_to(table, entry, start, charge);
                    }
                    _ => {
                        let credit_from = Some(self.cost);
                        self.frames[to].patches.push(Patch {
                            branch: table,
                            target: entry,
                            credit_from,
                        });
                    }
                }
                continue;
            }
            stubs.push((depth, entry));
        }
        // One stub serves all entries of a label.
        stubs.sort_unstable();
        let mut at = 0;
        while at < stubs.len() {
            let depth = stubs[at].0;
            while at < stubs.len() && stubs[at].0 == depth {
                self.patch(table, stubs[at].1);
                at += 1;
            }
            let (held, operands) = (self.acc, self.stack.clone());
            self.last = None;
            self.jump(depth)?;
            self.stack = operands;
            self.acc = held;
        }
        self.stop();
        Ok(())
    }

    pub(super) fn return_(&mut self) -> Result<()> {
        self.return_from(true)?;
        self.stop();
        Ok(())
    }

    /// Returns the top operands; `early` gives back what the function's rest would have cost.
    fn return_from(&mut self, early: bool) -> Result<()> {
        let skipped = self.total_cost.saturating_sub(self.cost);
        if early && self.fuel && skipped >= CREDIT {
            let at = self.code.len();
            self.emit2(word(op::BrCharge, 0, 0, 0), 0);
            self.patch_to(at, at + 1, at + 2, -(skipped.min(i32::MAX as u32) as i32));
        }
        self.return_values()
    }

    fn return_values(&mut self) -> Result<()> {
        let count = self.results.len();
        let from = self.stack.len() - count;
        match count {
            0 => self.emit(word(op::Ret, 0, 0, 0)),
            1 => {
                let operand = self.stack[from];
                match operand.place {
                    Place::Const(bits)
                        if operand.ty == ValType::I32 || i64::from(bits as i32) as u64 == bits =>
                    {
                        self.emit(word_u32(op::RetI, 0, bits as u32));
                    }
                    Place::Acc => self.emit(word(
                        [op::RetR, op::RetF, op::RetD][class(operand.ty)],
                        0,
                        0,
                        0,
                    )),
                    _ => {
                        let slot = self.slot_of(from, operand)?;
                        self.emit(word(op::RetS, slot, 0, 0));
                    }
                }
            }
            _ => {
                for at in (from..self.stack.len()).rev() {
                    let operand = self.stack[at];
                    let home = self.home(at)?;
                    self.last = None;
                    self.move_to(home, at, operand)?;
                }
                let start = self.home(from)?;
                self.emit(word(op::RetSpan, start, count as u16, 0));
            }
        }
        Ok(())
    }

    /// Moves a call's arguments to `to` and up, and pops them.
    fn arguments(&mut self, count: usize, to: usize) -> Result<()> {
        let from = self.stack.len() - count;
        for i in (0..count).rev() {
            let operand = self.stack[from + i];
            let slot = u16::try_from(to + i).unwrap_or(u16::MAX);
            self.move_to(slot, from + i, operand)?;
        }
        self.use_slots(to + count);
        self.stack.truncate(from);
        Ok(())
    }

    /// What lies below a call's arguments must not be in an accumulator alone.
    fn before_call(&mut self, arguments: usize) -> Result<()> {
        let below = self.stack.len() - arguments;
        for at in (0..below).rev() {
            if self.stack[at].place == Place::Acc {
                self.settle(at)?;
            }
        }
        Ok(())
    }

    /// Emits a call whose arguments are the top operands; `emit` gets the callee's frame.
    pub(super) fn call(&mut self, ty: u32, emit: impl FnOnce(&mut Self, u16)) -> Result<()> {
        let module = self.module;
        let ty = &module.types[ty as usize];
        let count = ty.params().len();
        self.before_call(count)?;
        let height = self.stack.len() - count;
        let frame = self.home(height)? + LINKAGE_SLOTS;
        self.arguments(count, frame.into())?;
        self.use_slots(usize::from(frame) + count.max(ty.results().len()));
        emit(self, frame);
        self.forget();
        for &result in ty.results() {
            self.push(result, Place::Home)?;
        }
        if let (true, [result]) = (self.fast, ty.results()) {
            self.acc[class(*result)] = Held::Copy(self.home(height)?);
        }
        Ok(())
    }

    /// The index operand of an indirect call, in a slot that the arguments' moves don't touch.
    pub(super) fn call_index(&mut self, params: usize) -> Result<u16> {
        let index = self.pop();
        if let Place::Local(local) = index.place {
            return Ok(local);
        }
        let height = self.stack.len();
        let above = self.home(height + 4)?;
        let _ = params;
        self.move_to(above, height, index)?;
        self.use_slots(usize::from(above) + 1);
        Ok(above)
    }

    /// Emits a tail call; `emit` gets the slot where the arguments begin.
    pub(super) fn return_call(&mut self, ty: u32, emit: impl FnOnce(&mut Self, u16)) -> Result<()> {
        let module = self.module;
        let ty = &module.types[ty as usize];
        let count = ty.params().len();
        let start = self.stack.len() - count;
        for at in (start..self.stack.len()).rev() {
            let operand: Operand = self.stack[at];
            if operand.place != Place::Home {
                let home = self.home(at)?;
                self.move_to(home, at, operand)?;
            }
        }
        let skipped = self.total_cost.saturating_sub(self.cost);
        if self.fuel && skipped >= CREDIT {
            let at = self.code.len();
            self.emit2(word(op::BrCharge, 0, 0, 0), 0);
            self.patch_to(at, at + 1, at + 2, -(skipped.min(i32::MAX as u32) as i32));
        }
        let start = self.home(start)?;
        self.use_slots(usize::from(start) + count);
        self.use_slots(count);
        emit(self, start);
        self.stop();
        Ok(())
    }
}

fn field(src: Src) -> u16 {
    match src {
        Src::Slot(slot) => slot,
        Src::Acc => 0,
        Src::Imm(imm) => imm as u16,
    }
}

/// The comparison of a branch row, for asking whether its operands may be exchanged.
fn compare_of(row: Row) -> Row {
    match row {
        Row::BrI32Eq | Row::BrI32Ne | Row::BrI64Eq | Row::BrI64Ne => Row::I32Eq,
        Row::BrF32Eq | Row::BrF32Ne | Row::BrF64Eq | Row::BrF64Ne => Row::F32Eq,
        _ => Row::I32LtS,
    }
}
