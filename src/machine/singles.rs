//! The handlers of single instructions: moves, constants, globals, branches, calls and returns.
//!
//! What isn't fast leaves the machine with `Exit::Slow` and `ip` at the instruction; `driver.rs`
//! does the work there and enters again.
#![allow(non_snake_case)]

use super::families::{charged_jump, plain_jump};
use super::regs::{Exit, Flow, Regs};
use crate::code::{HEADER_WORDS, op, word_u32};
use crate::error::Trap;

/// Work for the driver.
#[inline(always)]
fn slow(_: &mut Regs) -> Flow {
    Exit::Slow.into()
}

macro_rules! slow_instructions {
    ($($name:ident)*) => { $( #[inline(always)] pub(crate) fn $name(r: &mut Regs) -> Flow { slow(r) } )* };
}
slow_instructions! {
    CallImport ReturnCall ReturnCallCharge ReturnCallImport ReturnCallIndirect ReturnCallRef
    MemoryGrow MemoryInit DataDrop
    TableGrow TableFill TableCopy TableInit ElemDrop RefFunc Abi Throw ThrowRef
}

#[inline(always)]
fn next(r: &mut Regs, words: usize) -> Flow {
    r.step(words);
    Flow::Next
}
#[inline(always)]
pub(crate) fn Trap(r: &mut Regs) -> Flow {
    Flow::Exit(Exit::Trap as u32 + u32::from(r.a()))
}
#[inline(always)]
pub(crate) fn Copy(r: &mut Regs) -> Flow {
    let value = r.get(r.b());
    r.set(r.a(), value);
    next(r, 1)
}
#[inline(always)]
pub(crate) fn Copy2(r: &mut Regs) -> Flow {
    let (first, second) = (r.get(r.b()), r.get(r.c()));
    let to = r.a();
    r.set(to, first);
    r.set(to + 1, second);
    next(r, 1)
}
#[inline(always)]
pub(crate) fn CopySpan(r: &mut Regs) -> Flow {
    let (to, from, count) = (r.a(), r.b(), r.c());
    if to < from {
        for i in 0..count {
            let value = r.get(from + i);
            r.set(to + i, value);
        }
    } else {
        for i in (0..count).rev() {
            let value = r.get(from + i);
            r.set(to + i, value);
        }
    }
    next(r, 1)
}
#[inline(always)]
pub(crate) fn Zero(r: &mut Regs) -> Flow {
    let (start, count) = (r.a(), r.b());
    for i in 0..count {
        r.set(start + i, 0);
    }
    next(r, 1)
}
#[inline(always)]
fn imm32(r: &Regs) -> u64 {
    i64::from(r.bc() as i32) as u64
}
#[inline(always)]
pub(crate) fn Const(r: &mut Regs) -> Flow {
    r.set(r.a(), imm32(r));
    next(r, 1)
}
#[inline(always)]
pub(crate) fn Const2(r: &mut Regs) -> Flow {
    let extended = |field: u16| i64::from(field as i16) as u64;
    let (first, second) = (extended(r.b()), extended(r.c()));
    let to = r.a();
    r.set(to, first);
    r.set(to + 1, second);
    next(r, 1)
}
#[inline(always)]
pub(crate) fn ConstWide(r: &mut Regs) -> Flow {
    r.set(r.a(), r.ext());
    next(r, 2)
}
#[inline(always)]
pub(crate) fn Select(r: &mut Regs) -> Flow {
    let chosen = if r.get(r.ext() as u16) as u32 != 0 {
        r.b()
    } else {
        r.c()
    };
    let value = r.get(chosen);
    r.set(r.a(), value);
    next(r, 2)
}
#[inline(always)]
pub(crate) fn GlobalGet(r: &mut Regs) -> Flow {
    // SAFETY: `global` gives the cell of a global of this instance.
    let value = unsafe { *r.global(r.bc()) };
    r.set(r.a(), value);
    next(r, 1)
}
#[inline(always)]
pub(crate) fn GlobalSet(r: &mut Regs) -> Flow {
    // SAFETY: as in `GlobalGet`.
    unsafe { *r.global(r.bc()) = r.get(r.a()) };
    next(r, 1)
}
#[inline(always)]
pub(crate) fn Br(r: &mut Regs) -> Flow {
    plain_jump(r)
}
#[inline(always)]
pub(crate) fn BrCharge(r: &mut Regs) -> Flow {
    charged_jump(r)
}
#[inline(always)]
fn table_jump(r: &mut Regs, index: u32) -> Flow {
    let entry = r.ext_at(index.min(r.bc()) as usize);
    r.jump(entry as i32);
    let charge = i64::from((entry >> 32) as i32);
    if charge != 0 {
        r.ctx_mut().fuel -= charge;
        if r.ctx().fuel < 0 && charge > 0 {
            return Exit::Fuel.into();
        }
    }
    Flow::Next
}
#[inline(always)]
pub(crate) fn BrTable(r: &mut Regs) -> Flow {
    let index = r.get(r.a()) as u32;
    table_jump(r, index)
}

/// Enters function `func` of this instance, `shift` slots above; `link` goes below its frame.
#[inline(always)]
fn enter(r: &mut Regs, func: u32, shift: u16, link: u64, words: usize, charge: bool) -> Flow {
    let ctx = r.ctx();
    // SAFETY: `func` is a defined function of this instance's module.
    let Some(code) = (unsafe { (*ctx.funcs.add(func as usize)).code.get() }) else {
        return Exit::Slow.into();
    };
    let code = code.as_ptr();
    // SAFETY: code starts with two header words.
    let (header, facts) = unsafe { (u64::from_le(*code), u64::from_le(*code.add(1))) };
    let frame = header as u16 as usize;
    let sp = r.sp.wrapping_add(shift as usize);
    // Both are far below the end of the address space.
    if sp as usize + frame * 8 > ctx.stack_end as usize {
        return Exit::Slow.into();
    }
    // SAFETY: `shift` is at least 2, so both linkage slots lie in the caller's frame, and the
    // callee's frame was just seen to fit.
    unsafe {
        *sp.sub(1) = link;
        *sp.sub(2) = r.ip.add(words) as usize as u64;
        r.ip = code.add(HEADER_WORDS);
    }
    r.sp = sp;
    if charge {
        r.ctx_mut().fuel -= i64::from(facts as u32);
        if r.ctx().fuel < 0 {
            return Exit::Fuel.into();
        }
    }
    Flow::Next
}
#[inline(always)]
pub(crate) fn Call(r: &mut Regs) -> Flow {
    enter(r, r.bc(), r.a(), r.word(), 1, false)
}
#[inline(always)]
pub(crate) fn CallCharge(r: &mut Regs) -> Flow {
    enter(r, r.bc(), r.a(), r.word(), 1, true)
}
/// The checks of an indirect call; a callee that isn't this instance's is the driver's work.
#[inline(always)]
fn indirect(r: &mut Regs, index: u32) -> Flow {
    // SAFETY: the index names a table of this instance.
    let table = unsafe { &*r.table(r.c()) };
    let Some(&reference) = table.elements.get(index as usize) else {
        return Trap::UndefinedElement.into();
    };
    through(r, reference, Trap::IndirectCallToNull)
}
/// A call of what a reference refers to; a callee that isn't this instance's is the driver's work.
#[inline(always)]
fn through(r: &mut Regs, reference: u32, null: Trap) -> Flow {
    let ext = r.ext();
    let ctx = r.ctx();
    let at = reference.wrapping_sub(1) as usize;
    if at >= ctx.arena_len {
        return null.into();
    }
    // SAFETY: below the arena's length; the type index names a type of this module.
    let (target, ty) = unsafe { (*ctx.arena.add(at), *ctx.type_ids.add(ext as u32 as usize)) };
    if target.ty != ty {
        return Trap::BadSignature.into();
    }
    if target.instance != ctx.instance || target.func < ctx.imported_funcs {
        return Exit::Slow.into();
    }
    let func = target.func - ctx.imported_funcs;
    enter(
        r,
        func,
        r.a(),
        word_u32(op::Call, r.a(), func),
        2,
        ext >> 32 != 0,
    )
}
#[inline(always)]
pub(crate) fn CallIndirect(r: &mut Regs) -> Flow {
    let index = r.get(r.b()) as u32;
    indirect(r, index)
}

#[inline(always)]
pub(crate) fn CallRef(r: &mut Regs) -> Flow {
    let reference = r.get(r.b()) as u32;
    through(r, reference, Trap::NullFunction)
}
#[inline(always)]
pub(crate) fn RefAsNonNull(r: &mut Regs) -> Flow {
    if r.get(r.a()) as u32 == 0 {
        return Trap::NullReference.into();
    }
    next(r, 1)
}

/// Leaves the frame; the linkage tells where to.
#[inline(always)]
fn leave(r: &mut Regs) -> Flow {
    // SAFETY: a frame always has its linkage below it, written when it was entered.
    unsafe {
        let link = *r.sp.sub(1);
        r.ip = *r.sp.sub(2) as usize as *const u64;
        r.sp = r.sp.sub((link >> 16) as u16 as usize);
    }
    Flow::Next
}
/// Leaves with one result: in the caller's slot and in every accumulator.
#[inline(always)]
fn leave_with(r: &mut Regs, value: u64) -> Flow {
    // SAFETY: as in `leave`; the first result replaces the return address, read before.
    unsafe {
        let link = *r.sp.sub(1);
        r.ip = *r.sp.sub(2) as usize as *const u64;
        *r.sp.sub(2) = value;
        r.sp = r.sp.sub((link >> 16) as u16 as usize);
    }
    r.r0 = value;
    r.s0 = f32::from_bits(value as u32);
    r.d0 = f64::from_bits(value);
    Flow::Next
}
#[inline(always)]
pub(crate) fn Ret(r: &mut Regs) -> Flow {
    leave(r)
}
#[inline(always)]
pub(crate) fn RetS(r: &mut Regs) -> Flow {
    let value = r.get(r.a());
    leave_with(r, value)
}
#[inline(always)]
pub(crate) fn RetI(r: &mut Regs) -> Flow {
    let value = imm32(r);
    leave_with(r, value)
}
#[inline(always)]
pub(crate) fn RetSpan(r: &mut Regs) -> Flow {
    let (start, count) = (r.a() as usize, r.b() as usize);
    // SAFETY: as in `leave`; results go up from the linkage, sources lie at or above them.
    unsafe {
        let link = *r.sp.sub(1);
        r.ip = *r.sp.sub(2) as usize as *const u64;
        for i in 0..count {
            *r.sp.sub(2).add(i) = *r.sp.add(start + i);
        }
        r.sp = r.sp.sub((link >> 16) as u16 as usize);
    }
    Flow::Next
}
#[inline(always)]
pub(crate) fn Halt(_: &mut Regs) -> Flow {
    Exit::Halt.into()
}
#[inline(always)]
pub(crate) fn FarReturn(_: &mut Regs) -> Flow {
    Exit::Far.into()
}

#[inline(always)]
pub(crate) fn MemorySize(r: &mut Regs) -> Flow {
    let ctx = r.ctx();
    // SAFETY: the index names a memory of the instance.
    let pages = unsafe {
        (*ctx
            .memories
            .add(*ctx.memory_ids.add(r.bc() as usize) as usize))
        .pages()
    };
    r.set(r.a(), pages);
    next(r, 1)
}
/// The operands of a bulk operation on memory 0, if the driver needn't do it: where to, what or where from, and
/// how many. What it costs has been paid.
#[inline(always)]
fn bulk(r: &mut Regs) -> Option<(u32, u32, u32)> {
    // Not through an array: its `map` would take the address of the registers.
    let (to, from, len) = (r.get(r.a()), r.get(r.b()), r.get(r.c()));
    let (to, from, len) = (to as u32, from as u32, len as u32);
    if r.ext() != 0 || !r.ctx().memory32 {
        return None;
    }
    if r.ctx().fuel_on {
        let left = r.ctx().fuel - i64::from(len / 8);
        if left < 0 {
            return None;
        }
        r.ctx_mut().fuel = left;
    }
    Some((to, from, len))
}
/// Goes on behind a bulk operation. No register has to outlive the call that moved the bytes.
#[inline(always)]
fn behind_bulk(r: &mut Regs) -> Flow {
    (r.r0, r.r1, r.s0, r.d0) = (0, 0, 0.0, 0.0);
    next(r, 2)
}
#[inline(always)]
pub(crate) fn MemoryFill(r: &mut Regs) -> Flow {
    let Some((to, value, len)) = bulk(r) else {
        return slow(r);
    };
    match r.span(to, len) {
        // SAFETY: a span is as many writable bytes.
        Ok(to) => unsafe { to.write_bytes(value as u8, len as usize) },
        Err(trap) => return trap.into(),
    }
    behind_bulk(r)
}
#[inline(always)]
pub(crate) fn MemoryCopy(r: &mut Regs) -> Flow {
    let Some((to, from, len)) = bulk(r) else {
        return slow(r);
    };
    match (r.span(to, len), r.span(from, len)) {
        // SAFETY: spans are as many bytes; they may overlap.
        (Ok(to), Ok(from)) => unsafe { to.copy_from(from, len as usize) },
        (Err(trap), _) | (_, Err(trap)) => return trap.into(),
    }
    behind_bulk(r)
}
#[inline(always)]
pub(crate) fn AtomicAddress(r: &mut Regs) -> Flow {
    match r.aligned(r.c(), r.get(r.b()), r.ext()) {
        Ok(at) => {
            r.set(r.a(), at);
            next(r, 2)
        }
        Err(trap) => trap.into(),
    }
}
/// The operands of a wide addition or subtraction.
#[inline(always)]
fn pairs(r: &Regs) -> (u128, u128) {
    let ext = r.ext();
    let pair = |lo: u16, hi: u16| u128::from(r.get(lo)) | u128::from(r.get(hi)) << 64;
    (pair(r.b(), r.c()), pair(ext as u16, (ext >> 32) as u16))
}
#[inline(always)]
fn set_pair(r: &mut Regs, value: u128, words: usize) -> Flow {
    let to = r.a();
    r.set(to, value as u64);
    r.set(to + 1, (value >> 64) as u64);
    next(r, words)
}
#[inline(always)]
pub(crate) fn I64Add128(r: &mut Regs) -> Flow {
    let (x, y) = pairs(r);
    set_pair(r, x.wrapping_add(y), 2)
}
#[inline(always)]
pub(crate) fn I64Sub128(r: &mut Regs) -> Flow {
    let (x, y) = pairs(r);
    set_pair(r, x.wrapping_sub(y), 2)
}
#[inline(always)]
pub(crate) fn I64MulWideS(r: &mut Regs) -> Flow {
    let signed = |slot: u64| i128::from(slot as i64);
    let product = signed(r.get(r.b())) * signed(r.get(r.c()));
    set_pair(r, product as u128, 1)
}
#[inline(always)]
pub(crate) fn I64MulWideU(r: &mut Regs) -> Flow {
    let product = u128::from(r.get(r.b())) * u128::from(r.get(r.c()));
    set_pair(r, product, 1)
}
#[inline(always)]
pub(crate) fn TableGet(r: &mut Regs) -> Flow {
    // SAFETY: the index names a table of the instance.
    let element = unsafe {
        (&*r.table(r.c()))
            .elements
            .get(r.get(r.b()) as u32 as usize)
            .copied()
    };
    match element {
        Some(value) => {
            r.set(r.a(), value.into());
            next(r, 1)
        }
        None => Trap::TableOutOfBounds.into(),
    }
}
#[inline(always)]
pub(crate) fn TableSet(r: &mut Regs) -> Flow {
    let (value, index) = (r.get(r.a()) as u32, r.get(r.b()) as u32);
    // SAFETY: the index names a table of the instance.
    match unsafe { (&mut *r.table(r.c())).elements.get_mut(index as usize) } {
        Some(element) => {
            *element = value;
            next(r, 1)
        }
        None => Trap::TableOutOfBounds.into(),
    }
}
#[inline(always)]
pub(crate) fn TableSize(r: &mut Regs) -> Flow {
    // SAFETY: the index names a table of the instance.
    let size = unsafe { (*r.table(r.c())).elements.len() };
    r.set(r.a(), size as u64);
    next(r, 1)
}

#[inline(always)]
pub(crate) fn MovSr(r: &mut Regs) -> Flow {
    r.set(r.a(), r.r0);
    next(r, 1)
}
#[inline(always)]
pub(crate) fn MovRs(r: &mut Regs) -> Flow {
    r.r0 = r.get(r.b());
    next(r, 1)
}
#[inline(always)]
pub(crate) fn MovSf(r: &mut Regs) -> Flow {
    r.set(r.a(), r.s0.to_bits().into());
    next(r, 1)
}
#[inline(always)]
pub(crate) fn MovFs(r: &mut Regs) -> Flow {
    r.s0 = f32::from_bits(r.get(r.b()) as u32);
    next(r, 1)
}
#[inline(always)]
pub(crate) fn MovSd(r: &mut Regs) -> Flow {
    r.set(r.a(), r.d0.to_bits());
    next(r, 1)
}
#[inline(always)]
pub(crate) fn MovDs(r: &mut Regs) -> Flow {
    r.d0 = f64::from_bits(r.get(r.b()));
    next(r, 1)
}
#[inline(always)]
pub(crate) fn MovPs(r: &mut Regs) -> Flow {
    r.r1 = r.get(r.b());
    next(r, 1)
}
#[inline(always)]
pub(crate) fn MovPr(r: &mut Regs) -> Flow {
    r.r1 = r.r0;
    r.set(r.a(), r.r0);
    next(r, 1)
}
#[inline(always)]
pub(crate) fn MovPss(r: &mut Regs) -> Flow {
    r.r1 = r.get(r.b());
    r.set(r.a(), r.r1);
    next(r, 1)
}
#[inline(always)]
pub(crate) fn ConstR(r: &mut Regs) -> Flow {
    r.r0 = imm32(r);
    next(r, 1)
}
#[inline(always)]
pub(crate) fn ConstF(r: &mut Regs) -> Flow {
    r.s0 = f32::from_bits(r.bc());
    next(r, 1)
}
#[inline(always)]
pub(crate) fn ConstD(r: &mut Regs) -> Flow {
    r.d0 = f64::from_bits(r.ext());
    next(r, 2)
}
#[inline(always)]
pub(crate) fn SelectSr(r: &mut Regs) -> Flow {
    let chosen = if r.r0 as u32 != 0 { r.b() } else { r.c() };
    let value = r.get(chosen);
    r.set(r.a(), value);
    next(r, 1)
}
#[inline(always)]
pub(crate) fn SelectRr(r: &mut Regs) -> Flow {
    let chosen = if r.r0 as u32 != 0 { r.b() } else { r.c() };
    r.r0 = r.get(chosen);
    next(r, 1)
}
#[inline(always)]
pub(crate) fn GlobalGetR(r: &mut Regs) -> Flow {
    // SAFETY: as in `GlobalGet`.
    r.r0 = unsafe { *r.global(r.bc()) };
    next(r, 1)
}
#[inline(always)]
pub(crate) fn GlobalSetR(r: &mut Regs) -> Flow {
    // SAFETY: as in `GlobalGet`.
    unsafe { *r.global(r.bc()) = r.r0 };
    next(r, 1)
}
#[inline(always)]
pub(crate) fn RetR(r: &mut Regs) -> Flow {
    leave_with(r, r.r0)
}
#[inline(always)]
pub(crate) fn RetF(r: &mut Regs) -> Flow {
    leave_with(r, r.s0.to_bits().into())
}
#[inline(always)]
pub(crate) fn RetD(r: &mut Regs) -> Flow {
    leave_with(r, r.d0.to_bits())
}
#[inline(always)]
pub(crate) fn BrTableR(r: &mut Regs) -> Flow {
    table_jump(r, r.r0 as u32)
}
#[inline(always)]
pub(crate) fn CallIndirectR(r: &mut Regs) -> Flow {
    indirect(r, r.r0 as u32)
}
