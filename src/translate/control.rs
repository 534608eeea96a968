//! Blocks: where their labels are, what is in place there, and what the accumulators hold.

use super::Translator;
use super::branch::Condition;
use super::stack::Held;
use crate::code::module::ValType;
use crate::code::{a_of, b_of, op, op_of, word};
use crate::error::Result;
use alloc::vec::Vec;
use wasmparser::BlockType;

/// An open block.
#[derive(Debug)]
pub(super) struct Frame {
    pub kind: Kind,
    /// Operands below the block's parameters.
    pub height: usize,
    ty: BlockType,
    pub params: usize,
    pub results: usize,
    /// Branches to be pointed at the end.
    patches: Vec<Patch>,
    /// Handlers to be pointed at the end.
    pub handlers: Vec<usize>,
    /// Of a loop, the condition that it tests first, and the block whose end it goes to if that holds.
    pub test: Option<(Condition, usize)>,
    /// What the accumulators hold on every path to the end so far; `None` without such a path.
    pub held: Option<[Held; 3]>,
    /// The rest of the block can't be reached.
    unreachable: bool,
    /// Blocks opened inside the unreachable rest.
    skipped: u32,
}

/// A branch whose target isn't known yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patch {
    pub branch: usize,
    /// The word with its target.
    pub target: usize,
    /// The cost so far, if it gives fuel back.
    pub credit_from: Option<u32>,
    /// What it charges.
    pub charge: i32,
    /// The word before is an instruction that only brought the result home.
    pub moved: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Function,
    Block,
    /// Where what it covers begins, and its clauses among those of the open blocks.
    Try {
        start: usize,
        clauses: usize,
    },
    /// Where branches go, and the cost there.
    Loop {
        start: usize,
        cost: u32,
        pinned: bool,
    },
    /// The branch that is taken when the condition is false, and the accumulators there.
    If {
        skip: Option<(usize, [Held; 3])>,
    },
}

/// Operators that a forward skip must have before it gives fuel back.
pub(super) const CREDIT: u32 = 64;

impl Frame {
    pub(super) fn function(results: usize) -> Frame {
        Frame {
            kind: Kind::Function,
            height: 0,
            ty: BlockType::Empty,
            params: 0,
            results,
            patches: Vec::new(),
            handlers: Vec::new(),
            test: None,
            held: None,
            unreachable: false,
            skipped: 0,
        }
    }
}

/// What both paths to a label agree on. Operands that were in an accumulator alone are none of them.
fn agreed(one: Option<[Held; 3]>, other: [Held; 3]) -> [Held; 3] {
    let mut both = other;
    for (class, held) in both.iter_mut().enumerate() {
        let copies = matches!(held, Held::Copy(_));
        if !copies || one.is_some_and(|one| one[class] != *held) {
            *held = Held::Nothing;
        }
    }
    both
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
            O::Block { .. } | O::If { .. } | O::TryTable { .. } => frame.skipped += 1,
            O::Loop { .. } => {
                frame.skipped += 1;
                self.loops += 1;
            }
            O::End if frame.skipped > 0 => frame.skipped -= 1,
            O::End | O::Else if frame.skipped == 0 => return false,
            _ => {}
        }
        true
    }

    /// What follows can't be reached.
    pub(super) fn stop(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.unreachable = true;
            let height = frame.height;
            self.truncate(height);
        }
        self.last = None;
    }

    /// Nothing is known of the accumulators.
    pub(super) fn forget(&mut self) {
        self.acc = [Held::Nothing; 3];
        self.last = None;
        self.makers = [None; 3];
    }

    /// A label is bound here.
    pub(super) fn bind(&mut self) {
        let here = self.code.len();
        if self.label != here {
            self.arrived.clear();
        }
        self.label = here;
        self.last = None;
        self.makers = [None; 3];
    }

    pub(super) fn open(&mut self, kind: Kind, ty: BlockType) -> Result<()> {
        let (params, results) = match ty {
            BlockType::Empty => (0, 0),
            BlockType::Type(wasmparser::ValType::V128) => (0, ValType::V128.slots()),
            BlockType::Type(_) => (0, 1),
            BlockType::FuncType(index) => {
                let ty = &self.module.types[index as usize];
                (ty.param_slots(), ty.result_slots())
            }
        };
        let height = self.stack.len() - params;
        self.home(height + results)?;
        self.use_slots(self.locals.len() + height + results.max(params));
        self.frames.push(Frame {
            kind,
            height,
            ty,
            params,
            results,
            patches: Vec::new(),
            handlers: Vec::new(),
            test: None,
            held: None,
            unreachable: false,
            skipped: 0,
        });
        Ok(())
    }

    pub(super) fn block(&mut self, ty: BlockType) -> Result<()> {
        self.settle_all(0)?;
        self.open(Kind::Block, ty)
    }

    pub(super) fn loop_(&mut self, ty: BlockType) -> Result<()> {
        self.settle_all(0)?;
        self.forget();
        let record = self.records.get(self.loops as usize).copied();
        self.loops += 1;
        let pin = record
            .filter(|record| self.fast && !record.has_call_or_loop)
            .and_then(|record| record.hottest_local);
        if let Some(local) = pin {
            let slot = self.local(local);
            self.pin = Some(slot);
            self.emit(word(op::MovPs, 0, slot, 0));
        }
        self.bind();
        let kind = Kind::Loop {
            start: self.code.len(),
            cost: self.cost,
            pinned: pin.is_some(),
        };
        self.open(kind, ty)
    }

    pub(super) fn if_(&mut self, ty: BlockType) -> Result<()> {
        let condition = self.condition()?;
        // Only homes of operands below the condition's are written, and no accumulator is.
        self.settle_all(0)?;
        let at = self.branch_if(&condition, false, false)?;
        let skip = Some((at, self.acc));
        self.open(Kind::If { skip }, ty)
    }

    /// Points the branch at `branch` whose target word is `target` to the next instruction.
    pub(super) fn patch(&mut self, branch: usize, target: usize) {
        self.patch_to(branch, target, self.code.len(), 0);
        self.bind();
    }

    pub(super) fn patch_to(&mut self, branch: usize, target: usize, to: usize, fuel: i32) {
        let offset = to as i64 - branch as i64;
        self.code[target] =
            (u64::from(offset as i32 as u32) | u64::from(fuel as u32) << 32).to_le();
    }

    /// Emits an unconditional branch to the end of the block at `index`.
    pub(super) fn jump_to_end(&mut self, index: usize, credit_from: Option<u32>, charge: i32) {
        let branch = self.code.len();
        let moved = self.simple.is_some_and(|at| at + 1 == branch);
        self.emit2(word(op::Br, 0, 0, 0), 0);
        let target = branch + 1;
        self.branch_to_end(
            index,
            Patch {
                branch,
                target,
                credit_from,
                charge,
                moved,
            },
        );
    }

    /// Notes a branch to the end of the block at `index`, as things are now.
    pub(super) fn branch_to_end(&mut self, index: usize, patch: Patch) {
        let frame = &mut self.frames[index];
        frame.held = Some(agreed(frame.held, self.acc));
        frame.patches.push(patch);
    }

    pub(super) fn else_(&mut self) -> Result<()> {
        let Some(index) = self.frames.len().checked_sub(1) else {
            return Ok(());
        };
        if !self.unreachable() {
            self.settle_all(self.frames[index].height)?;
            self.jump_to_end(index, Some(self.cost), 0);
        }
        self.forget();
        let frame = &mut self.frames[index];
        frame.unreachable = false;
        let (height, ty) = (frame.height, frame.ty);
        if let Kind::If { skip } = &mut frame.kind
            && let Some((at, held)) = skip.take()
        {
            self.acc = agreed(None, held);
            self.patch(at, at + 1);
        }
        match ty {
            BlockType::FuncType(index) => {
                self.restack(height, self.module.types[index as usize].params())
            }
            _ => self.restack(height, &[]),
        }
    }

    /// The operands after a label: all at home.
    fn restack(&mut self, height: usize, types: &[ValType]) -> Result<()> {
        self.truncate(height);
        for &ty in types {
            self.push_home(ty)?;
        }
        if self.settled >= height {
            self.settled = self.stack.len();
        }
        Ok(())
    }

    pub(super) fn end(&mut self) -> Result<()> {
        let reached = !self.unreachable();
        if self.frames.len() == 1 {
            self.frames.pop();
            return self.end_function(reached);
        }
        let Some(index) = self.frames.len().checked_sub(1) else {
            return Ok(());
        };
        if reached {
            self.settle_all(self.frames[index].height)?;
        }
        if let Kind::If {
            skip: Some((at, held)),
        } = self.frames[index].kind
        {
            // Without an else, the parameters are the results, and they are at home.
            let now = core::mem::replace(&mut self.acc, held);
            self.branch_to_end(
                index,
                Patch {
                    branch: at,
                    target: at + 1,
                    credit_from: None,
                    charge: 0,
                    moved: false,
                },
            );
            self.acc = now;
        }
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        match frame.kind {
            Kind::Loop { pinned: true, .. } => self.pin = None,
            Kind::Try { start, clauses } => self.close_try(start, clauses),
            _ => {}
        }
        // The accumulators survive the end of a block that nothing branches to.
        match frame.held {
            Some(held) if reached => self.acc = agreed(Some(held), self.acc),
            Some(held) => self.acc = held,
            None if !reached => self.forget(),
            None => {}
        }
        self.arrive(&frame.patches, &frame.handlers);
        let module = self.module;
        match frame.ty {
            BlockType::FuncType(index) => {
                self.restack(frame.height, module.types[index as usize].results())
            }
            BlockType::Type(ty) => {
                let ty = super::val_type(ty, &module.type_ids, self.offset)?;
                self.restack(frame.height, &[ty])
            }
            BlockType::Empty => self.restack(frame.height, &[]),
        }
    }

    /// Points branches and handlers to the next instruction.
    fn arrive(&mut self, patches: &[Patch], handlers: &[usize]) {
        self.last = None;
        if patches.is_empty() && handlers.is_empty() {
            return;
        }
        self.bind();
        let here = self.code.len();
        self.handlers_arrive(handlers);
        for patch in patches {
            let skipped = patch.credit_from.map_or(0, |from| self.cost - from);
            let mut fuel = patch.charge;
            let plain = op_of(u64::from_le(self.code[patch.branch])) == op::Br;
            if self.fuel && skipped >= CREDIT {
                fuel -= skipped as i32;
            }
            if fuel != 0 && plain {
                self.code[patch.branch] = word(op::BrCharge, 0, 0, 0).to_le();
            } else if plain {
                self.arrived.push((patch.branch, patch.moved));
            }
            self.patch_to(patch.branch, patch.target, here, fuel);
        }
    }

    /// The last `end`: branches to the function's own label have returned at once.
    fn end_function(&mut self, reached: bool) -> Result<()> {
        let here = self.code.len();
        if reached {
            self.return_values()?;
        } else if here == crate::code::HEADER_WORDS {
            self.emit(word(op::Trap, 0, 0, 0));
        }
        // A branch to a return of the same slot returns at once.
        let returns = self.code.get(here).map_or(0, |word| u64::from_le(*word));
        let single = matches!(op_of(returns), op::Ret | op::RetS) && here + 1 == self.code.len();
        if reached && single && self.label == here {
            for (at, moved) in core::mem::take(&mut self.arrived) {
                self.code[at] = returns.to_le();
                self.code[at + 1] = word(op::Trap, 0, 0, 0).to_le();
                if moved && op_of(returns) == op::RetS {
                    self.return_before(at, a_of(returns));
                }
            }
        }
        self.return_handled()
    }

    /// The word before a return of `slot` only moved something there: returns that at once.
    fn return_before(&mut self, at: usize, slot: u16) {
        let before = u64::from_le(self.code[at - 1]);
        let direct = match op_of(before) {
            _ if a_of(before) != slot => return,
            op::Copy => word(op::RetS, b_of(before), 0, 0),
            op::MovSr => word(op::RetR, 0, 0, 0),
            op::MovSf => word(op::RetF, 0, 0, 0),
            op::MovSd => word(op::RetD, 0, 0, 0),
            _ => return,
        };
        self.code[at - 1] = direct.to_le();
    }
}
