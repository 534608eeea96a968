//! Calls into other instances, the usual way: the callee is translated and the stack is large enough.
//!
//! Everything that isn't usual is left to `driver`, which does the same step by step. A call through
//! an adapter of scalars is such a call too: the rules for its values are applied in passing.

use super::driver::{far_address, far_link};
use super::thread::{CallSlots, Thread, callee_of};
use crate::code::{HEADER_WORDS, a_of, bc_of, op, op_of};
use crate::error::Trap;
use crate::store::scalar::Scalar;
use crate::store::{CalleeWord, FuncEntity, FuncKind, StoreInner};

/// What became of a far call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Far {
    /// The callee runs.
    Entered,
    /// The callee is not of a guest's, and is awaited.
    Awaited,
    /// The callee is a function of the host's.
    Import(Import),
    /// The callee is entered, and fuel is used up.
    OutOfFuel,
    /// Nothing was done.
    Unusual,
    /// A value may not cross.
    Trap(Trap),
}

/// A call of a function of the host's, and where its arguments are.
///
/// Such calls are many, and mostly done at once. So nothing is noted about one in the thread, until it has to
/// wait; and it is two words, which travel in registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Import {
    pub callee: CalleeWord,
    pub slots: CallSlots,
}

/// Where the count of results in a far pair holds the rule for the one that there is: a function has at
/// most 1,000.
const RULE_SHIFT: u32 = 12;

/// Does the `CallImport` that is `word`.
pub(super) fn call(store: &mut StoreInner, thread: &mut Thread, word: u64) -> Far {
    let entity = store.instances[thread.instance as usize].funcs[bc_of(word) as usize];
    let (mut func, mut cost) = (store.funcs[entity as usize], 0);
    let mut adapter = None;
    if let FuncKind::Native { tree, index } = func.kind {
        match store.direct_target(tree, index) {
            Some(direct) => {
                func = store.funcs[direct.target as usize];
                cost = direct.cost;
                adapter = Some(direct.adapter);
            }
            None => return outside(store, thread, func, word),
        }
    }
    let FuncKind::Wasm {
        instance,
        func: index,
    } = func.kind
    else {
        return outside(store, thread, func, word);
    };
    let module = &store.instances[instance as usize].module;
    let defined = index - module.imported_funcs;
    let Some(code) = module.funcs[defined as usize].code.get() else {
        return Far::Unusual;
    };
    let (header, facts) = (u64::from_le(code[0]), u64::from_le(code[1]));
    let shift = a_of(word);
    let callee = thread.sp + usize::from(shift);
    let (params, results) = (usize::from(func.params), usize::from(func.results));
    let end = callee + 2 + usize::from(header as u16).max(params).max(results);
    if instance == thread.instance || end > thread.stack.len() {
        return Far::Unusual;
    }
    let Some(frame) = thread.stack.get_mut(callee - 2..end) else {
        return Far::Unusual;
    };
    if let Some(adapter) = adapter
        && let Err(trap) = adapter.params(&mut frame[2..2 + params])
    {
        return Far::Trap(trap);
    }
    for at in (0..params).rev() {
        frame[at + 4] = frame[at + 2];
    }
    // SAFETY: a call is followed by another instruction.
    frame[0] = unsafe { thread.regs.ip.add(1) } as usize as u64;
    let rule = adapter.map_or(0, |adapter| adapter.result() as u16);
    frame[1] = far_link(func.results | rule << RULE_SHIFT, shift, thread.instance);
    frame[2] = far_address();
    frame[3] = 2 << 16 | u64::from(defined) << 32;
    thread.regs.ip = code[HEADER_WORDS..].as_ptr();
    thread.sp = callee + 2;
    thread.instance = instance;
    if store.fuel_on {
        store.fuel -= cost + i64::from(facts as u32);
        if store.fuel < 0 {
            return Far::OutOfFuel;
        }
    }
    Far::Entered
}

/// Does a call of a function that isn't WebAssembly's.
fn outside(store: &StoreInner, thread: &mut Thread, func: FuncEntity, word: u64) -> Far {
    match import_of(store, thread, func, word) {
        Ok(Some(import)) => return Far::Import(import),
        Ok(None) => {}
        Err(trap) => return Far::Trap(trap),
    }
    let args = thread.sp + usize::from(a_of(word));
    // SAFETY: a call is followed by another instruction.
    thread.regs.ip = unsafe { thread.regs.ip.add(1) };
    let (callee, counts) = (callee_of(func.kind), (func.params, func.results));
    match thread.await_host(store, callee, args, counts, false) {
        Ok(()) => Far::Awaited,
        Err(trap) => Far::Trap(trap),
    }
}

/// The call of the host that the instruction at `ip` makes, if it is one; then that is passed.
#[inline(always)]
pub(super) fn import(store: &StoreInner, thread: &mut Thread) -> Result<Option<Import>, Trap> {
    // SAFETY: the machine is left at the start of an instruction.
    let word = u64::from_le(unsafe { *thread.regs.ip });
    if op_of(word) != op::CallImport {
        return Ok(None);
    }
    let entity = store.instances[thread.instance as usize].funcs[bc_of(word) as usize];
    import_of(store, thread, store.funcs[entity as usize], word)
}

#[inline(always)]
fn import_of(
    store: &StoreInner,
    thread: &mut Thread,
    func: FuncEntity,
    word: u64,
) -> Result<Option<Import>, Trap> {
    let FuncKind::Host(callee) = func.kind else {
        return Ok(None);
    };
    let args = thread.sp + usize::from(a_of(word));
    let slots = thread.import_slots(store, args, (func.params, func.results))?;
    // SAFETY: a call is followed by another instruction.
    thread.regs.ip = unsafe { thread.regs.ip.add(1) };
    Ok(Some(Import { callee, slots }))
}

/// Back in the caller's instance: the pair below the far frame says which and where.
pub(super) fn far_return(thread: &mut Thread) -> Result<(), Trap> {
    let sp = thread.sp;
    let link = thread.stack[sp - 1];
    thread.regs.ip = thread.stack[sp - 2] as usize as *const u64;
    thread.instance = (link >> 32) as u32;
    let (results, rule) = (usize::from(link as u16 & 0xfff), link as u16 >> RULE_SHIFT);
    let span = &mut thread.stack[sp - 2..sp + results];
    for at in 0..results {
        span[at] = span[at + 2];
    }
    thread.sp = sp - usize::from((link >> 16) as u16);
    if rule != 0 {
        let value = Scalar::of(rule as u8).apply(thread.stack[sp - 2])?;
        thread.stack[sp - 2] = value;
        thread.load_accumulators(sp - 2);
    }
    Ok(())
}
