//! One linear, type-free pass that decides whether code is safe to run.
//!
//! It trusts nothing about who made the code: every opcode known and of an allowed tier, every slot
//! below the frame's size, every branch target the start of an instruction of the same function,
//! every index naming an entity of the right kind and mutability, the last instruction one that
//! never falls through. Linear memory, tables and the stack's limit stay checked while running.

pub mod fuel;

use super::handlers::{self, HANDLER_WORDS, Handler};
use super::module::{ModuleData, ValType};
use super::operands::{Ext, Field, length};
use super::{
    HEADER_WORDS, LINKAGE_SLOTS, MEMORY64, Op, Tier, a_of, b_of, bc_of, c_of, info, op, op_of,
};
use crate::error::Trap;
use alloc::vec;
use alloc::vec::Vec;

/// Why code was refused, and at which word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The rule that it breaks.
    pub rule: Rule,
    /// The word of the offending instruction.
    pub at: usize,
}

/// The rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Rule {
    Header,
    UnknownOpcode,
    Tier,
    Internal,
    TruncatedInstruction,
    UnusedFieldNotZero,
    SlotBeyondFrame,
    CallFrame,
    ReturnedResults,
    TargetNotAnInstruction,
    Index,
    ElementKind,
    AddressWidth,
    ConstantGlobal,
    GlobalWidth,
    Lane,
    TrapCode,
    FallsOffTheEnd,
    Handler,
    Fuel,
}

/// Checks one function's code against the module that it runs in. `fast` allows the fast tier.
pub fn function(
    module: &ModuleData,
    defined: u32,
    code: &[u64],
    fast: bool,
) -> Result<(), Refused> {
    let Some((code, handlers)) = handlers::split(code) else {
        return refuse(Rule::Header, 0);
    };
    let mut check = Check {
        module,
        code,
        handlers,
        fast,
        frame: 0,
        results: 0,
        starts: vec![false; code.len()],
    };
    check.header(defined)?;
    let mut at = HEADER_WORDS;
    let mut last = None;
    while at < code.len() {
        check.starts[at] = true;
        last = Some((at, op_of(check.word(at))));
        at += check.instruction(at)?;
    }
    match last {
        Some((_, op)) if never_falls_through(op) => {}
        Some((at, _)) => return refuse(Rule::FallsOffTheEnd, at),
        None => return refuse(Rule::FallsOffTheEnd, HEADER_WORDS),
    }
    check.targets()?;
    check.handlers()
}

fn refuse<T>(rule: Rule, at: usize) -> Result<T, Refused> {
    Err(Refused { rule, at })
}

fn never_falls_through(op: Op) -> bool {
    matches!(
        op,
        op::Trap
            | op::Br
            | op::BrCharge
            | op::BrTable
            | op::BrTableR
            | op::ReturnCall
            | op::ReturnCallCharge
            | op::ReturnCallImport
            | op::ReturnCallIndirect
            | op::ReturnCallRef
            | op::Ret
            | op::RetS
            | op::RetI
            | op::RetSpan
            | op::Throw
            | op::ThrowRef
            | op::RetR
            | op::RetF
            | op::RetD
    )
}

struct Check<'a> {
    module: &'a ModuleData,
    /// Without the handlers.
    code: &'a [u64],
    handlers: &'a [[u64; HANDLER_WORDS]],
    fast: bool,
    frame: u32,
    results: u16,
    starts: Vec<bool>,
}

impl Check<'_> {
    fn word(&self, at: usize) -> u64 {
        u64::from_le(self.code[at])
    }

    fn header(&mut self, defined: u32) -> Result<(), Refused> {
        let module = self.module;
        if self.code.len() <= HEADER_WORDS || defined as usize >= module.funcs.len() {
            return refuse(Rule::Header, 0);
        }
        let (header, facts) = (self.word(0), self.word(1));
        let ty = module.func_type(module.imported_funcs + defined);
        self.frame = u32::from(header as u16);
        self.results = (header >> 32) as u16;
        let honest = (header >> 16) as u16 as usize == ty.param_slots()
            && usize::from(self.results) == ty.result_slots()
            && self.frame as usize >= ty.param_slots().max(ty.result_slots())
            && (facts >> 32) as u32 == defined;
        if honest {
            Ok(())
        } else {
            refuse(Rule::Header, 0)
        }
    }

    /// Checks the instruction at `at`; the number of its words.
    fn instruction(&self, at: usize) -> Result<usize, Refused> {
        let word = self.word(at);
        let op = op_of(word);
        let Some(info) = info(op) else {
            return refuse(Rule::UnknownOpcode, at);
        };
        match info.tier {
            Tier::Internal => return refuse(Rule::Internal, at),
            Tier::Fast if !self.fast => return refuse(Rule::Tier, at),
            _ => {}
        }
        let words = length(&info.operands, word);
        if words > (self.code.len() - at) as u64 {
            return refuse(Rule::TruncatedInstruction, at);
        }
        let operands = &info.operands;
        self.field(at, op, operands.a, a_of(word), 0)?;
        self.field(at, op, operands.b, b_of(word), bc_of(word))?;
        if !operands.b.spans_b_and_c() {
            self.field(at, op, operands.c, c_of(word), 0)?;
        }
        self.spans(at, op, word)?;
        self.extension(at, operands.ext)?;
        Ok(words as usize)
    }

    fn field(&self, at: usize, op: Op, field: Field, value: u16, bc: u32) -> Result<(), Refused> {
        let module = self.module;
        let slot = |count: u32| match u32::from(value) + count <= self.frame {
            true => Ok(()),
            false => refuse(Rule::SlotBeyondFrame, at),
        };
        let below = |index: u32, len: usize| match (index as usize) < len {
            true => Ok(()),
            false => refuse(Rule::Index, at),
        };
        match field {
            Field::None if value != 0 => refuse(Rule::UnusedFieldNotZero, at),
            Field::Def | Field::Use => slot(1),
            Field::Def2 | Field::Use2 => slot(2),
            Field::Lane if value >= 16 => refuse(Rule::Lane, at),
            Field::Code
                if op == op::Trap
                    && value > Trap::OutOfFuel as u16
                    && value != Trap::AtomicWait as u16 =>
            {
                refuse(Rule::TrapCode, at)
            }
            Field::Aligned if value & !MEMORY64 >= 4 << 8 => refuse(Rule::UnusedFieldNotZero, at),
            Field::Memory16 | Field::Aligned => {
                let wide = value & MEMORY64 != 0;
                let index = match field {
                    Field::Aligned => value & 0xff,
                    _ => value & !MEMORY64,
                };
                below(index.into(), module.memories.len())?;
                match module.memories[usize::from(index)].memory64 == wide {
                    true => Ok(()),
                    false => refuse(Rule::AddressWidth, at),
                }
            }
            // The other forms are of memory 0, and their addresses have 32 bits.
            Field::Offset | Field::Address
                if module.memories.first().is_none_or(|first| first.memory64) =>
            {
                refuse(Rule::AddressWidth, at)
            }
            Field::Table => below(value.into(), module.tables.len()),
            Field::Global | Field::GlobalMut | Field::Global2 | Field::Global2Mut => {
                below(bc, module.globals.len())?;
                let global = module.globals[bc as usize];
                let wide = matches!(field, Field::Global2 | Field::Global2Mut);
                let written = matches!(field, Field::GlobalMut | Field::Global2Mut);
                match (global.content == ValType::V128) == wide {
                    true if written && !global.mutable => refuse(Rule::ConstantGlobal, at),
                    true => Ok(()),
                    false => refuse(Rule::GlobalWidth, at),
                }
            }
            Field::Func => below(bc, module.funcs.len()),
            Field::FuncAny => below(bc, module.func_types.len()),
            Field::Import => below(bc, module.imported_funcs as usize),
            Field::Memory => below(bc, module.memories.len()),
            Field::Data => below(bc, module.data.len()),
            Field::Elem => below(bc, module.elements.len()),
            Field::Tag => below(bc, module.tags.len()),
            _ => Ok(()),
        }
    }

    /// Spans of slots, frames of callees and returned results.
    fn spans(&self, at: usize, op: Op, word: u64) -> Result<(), Refused> {
        let (a, b, c) = (
            u32::from(a_of(word)),
            u32::from(b_of(word)),
            u32::from(c_of(word)),
        );
        let fits = |start: u32, count: u32| match start + count <= self.frame {
            true => Ok(()),
            false => refuse(Rule::SlotBeyondFrame, at),
        };
        let returns = |count: u32| match count == u32::from(self.results) {
            true => Ok(()),
            false => refuse(Rule::ReturnedResults, at),
        };
        let module = self.module;
        match op {
            op::CopySpan => fits(a, c).and(fits(b, c)),
            op::Zero => fits(a, b),
            op::Ret => returns(0),
            op::RetS | op::RetI | op::RetR | op::RetF | op::RetD => returns(1),
            op::RetSpan => returns(b).and(fits(a, b)),
            op::Throw => fits(a, module.tag_type(bc_of(word)).param_slots() as u32),
            op::Call | op::CallCharge => self.call(
                at,
                a,
                module.func_types[(module.imported_funcs + bc_of(word)) as usize],
            ),
            op::CallImport => self.call(at, a, module.func_types[bc_of(word) as usize]),
            op::ReturnCall | op::ReturnCallCharge => self.tail_call(
                at,
                a,
                module.func_types[(module.imported_funcs + bc_of(word)) as usize],
            ),
            op::ReturnCallImport => self.tail_call(at, a, module.func_types[bc_of(word) as usize]),
            op::CallIndirect
            | op::CallIndirectR
            | op::ReturnCallIndirect
            | op::CallRef
            | op::ReturnCallRef => {
                let ty = self.word(at + 1) as u32;
                if ty as usize >= module.types.len() {
                    return refuse(Rule::Index, at);
                }
                let by_table = !matches!(op, op::CallRef | op::ReturnCallRef);
                if by_table && self.element(c as usize) != ValType::FuncRef {
                    return refuse(Rule::ElementKind, at);
                }
                if matches!(op, op::ReturnCallIndirect | op::ReturnCallRef) {
                    self.tail_call(at, a, ty)
                } else {
                    self.call(at, a, ty)
                }
            }
            _ => Ok(()),
        }
    }

    /// Linkage and arguments lie in the caller's frame.
    fn call(&self, at: usize, shift: u32, ty: u32) -> Result<(), Refused> {
        let ty = &self.module.types[ty as usize];
        let params = ty.param_slots() as u32;
        let results = ty.result_slots() as u32;
        let ok = shift >= u32::from(LINKAGE_SLOTS)
            && shift + params <= self.frame
            && shift - u32::from(LINKAGE_SLOTS) + results <= self.frame
            && shift <= self.frame;
        if ok {
            Ok(())
        } else {
            refuse(Rule::CallFrame, at)
        }
    }

    fn tail_call(&self, at: usize, start: u32, ty: u32) -> Result<(), Refused> {
        let ty = &self.module.types[ty as usize];
        let params = ty.param_slots() as u32;
        if start + params > self.frame || params > self.frame {
            return refuse(Rule::CallFrame, at);
        }
        match ty.result_slots() == usize::from(self.results) {
            true => Ok(()),
            false => refuse(Rule::ReturnedResults, at),
        }
    }

    fn extension(&self, at: usize, ext: Ext) -> Result<(), Refused> {
        let module = self.module;
        if matches!(
            ext,
            Ext::None
                | Ext::Target
                | Ext::Targets
                | Ext::Imm64
                | Ext::Offset64
                | Ext::Sig
                | Ext::Vector
        ) {
            return Ok(());
        }
        // An offset may be any number; what can be wrong is behind it.
        let behind = matches!(ext, Ext::OffsetLane | Ext::OffsetLanePair);
        let word = self.word(at + 1 + usize::from(behind));
        let (lo, hi) = (word as u32 as usize, (word >> 32) as usize);
        let (memories, tables) = (module.memories.len(), module.tables.len());
        let ok = match ext {
            Ext::Cond => {
                return if word < u64::from(self.frame) {
                    Ok(())
                } else {
                    refuse(Rule::SlotBeyondFrame, at)
                };
            }
            Ext::Lane | Ext::OffsetLane if lo >= 16 || hi != 0 => return refuse(Rule::Lane, at),
            Ext::OffsetLanePair if lo >= 16 => return refuse(Rule::Lane, at),
            Ext::Pair | Ext::OffsetLanePair => {
                let pair = if ext == Ext::Pair { word } else { hi as u64 };
                return match pair < u64::from(self.frame.saturating_sub(1)) {
                    true => Ok(()),
                    false => refuse(Rule::SlotBeyondFrame, at),
                };
            }
            Ext::Slots2 => {
                return match lo < self.frame as usize && hi < self.frame as usize {
                    true => Ok(()),
                    false => refuse(Rule::SlotBeyondFrame, at),
                };
            }
            Ext::Displaced | Ext::Indexed
                if module.memories.first().is_none_or(|it| it.memory64) =>
            {
                return refuse(Rule::AddressWidth, at);
            }
            Ext::Indexed if lo != 0 => return refuse(Rule::UnusedFieldNotZero, at),
            Ext::Memory => lo < memories && hi == 0,
            Ext::Table => lo < tables && hi == 0,
            Ext::Memory2 => lo < memories && hi < memories,
            Ext::Table2 => lo < tables && hi < tables,
            Ext::MemoryData => lo < memories && hi < module.data.len(),
            Ext::TableElem => lo < tables && hi < module.elements.len(),
            _ => true,
        };
        if !ok {
            return refuse(Rule::Index, at);
        }
        let same = match ext {
            Ext::Table2 => self.element(lo) == self.element(hi),
            Ext::TableElem => self.element(lo) == module.elements[hi].element.kind(),
            _ => true,
        };
        if same {
            Ok(())
        } else {
            refuse(Rule::ElementKind, at)
        }
    }

    /// What kind of references a table holds, whose index has been checked.
    fn element(&self, table: usize) -> ValType {
        self.module.tables[table].0.element.kind()
    }

    /// Every handler goes to the start of an instruction, names a tag and is given slots of the frame.
    fn handlers(&self) -> Result<(), Refused> {
        let tags = &self.module.tags;
        for (number, words) in self.handlers.iter().enumerate() {
            let safe = Handler::decode(words).is_some_and(|handler| {
                let carried = match handler.takes.all {
                    true => (handler.tag == 0).then_some(0),
                    false => ((handler.tag as usize) < tags.len())
                        .then(|| self.module.tag_type(handler.tag).param_slots()),
                };
                let target = self.starts.get(handler.target as usize);
                carried.is_some_and(|carried| {
                    let end = carried + usize::from(handler.takes.reference);
                    usize::from(handler.slot) + end <= self.frame as usize
                }) && target.copied().unwrap_or(false)
                    && handler.start <= handler.end
                    && handler.end as usize <= self.code.len()
                    && i32::try_from(handler.fuel).is_ok()
            });
            if !safe {
                return refuse(Rule::Handler, self.code.len() + number * HANDLER_WORDS);
            }
        }
        Ok(())
    }

    /// Second pass: every branch goes to the start of an instruction.
    fn targets(&self) -> Result<(), Refused> {
        let mut at = HEADER_WORDS;
        while at < self.code.len() {
            let word = self.word(at);
            let Some(info) = info(op_of(word)) else {
                return refuse(Rule::UnknownOpcode, at);
            };
            let words = length(&info.operands, word) as usize;
            if matches!(info.operands.ext, Ext::Target | Ext::Targets) {
                for ext in at + 1..at + words {
                    let target = at as i64 + i64::from(self.word(ext) as i32);
                    if !usize::try_from(target)
                        .is_ok_and(|t| self.starts.get(t).copied().unwrap_or(false))
                    {
                        return refuse(Rule::TargetNotAnInstruction, at);
                    }
                }
            }
            at += words;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
