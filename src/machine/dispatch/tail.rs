//! Handlers that end in a sibling call of the next one.
//!
//! A handler stays a sibling call only with no more integer arguments than the target passes in
//! registers, with no local whose reference escapes and nothing that must be dropped. That the
//! compiler made all of them so is what `machine::guard` checks.

use super::*;
use crate::code::COUNT;
#[cfg(test)]
use crate::code::Op;
#[cfg(not(feature = "fast"))]
use crate::error::Trap;
use crate::machine::regs::Ctx;
#[cfg(not(feature = "fast"))]
use crate::machine::regs::Exit;

macro_rules! handler_type {
    ($abi:literal) => {
        /// Six integers and two floats: all that the calling convention passes in registers.
        type Handler = unsafe extern $abi fn(*mut Ctx, *const u64, *mut u64, *mut u8, u64, u64, f32, f64) -> u32;

        /// Defines a function that dispatch can reach.
        macro_rules! handler {
            ($name:ident, $r:ident, $body:expr) => {
                unsafe extern $abi fn $name(
                    ctx: *mut Ctx, ip: *const u64, sp: *mut u64, mem: *mut u8,
                    r0: u64, r1: u64, s0: f32, d0: f64,
                ) -> u32 {
                    let mut $r = Regs { ctx, ip, sp, mem, r0, r1, s0, d0 };
                    $body
                }
            };
        }
    };
}
#[cfg(target_arch = "x86_64")]
handler_type!("sysv64");
#[cfg(not(target_arch = "x86_64"))]
handler_type!("C");

/// Calls the handler of the instruction that starts with a word.
macro_rules! go {
    ($r:ident, $word:expr) => {{
        let next = HANDLERS[op_of($word) as usize % HANDLERS.len()];
        // SAFETY: the registers describe a running frame, as they did for this one.
        unsafe { next($r.ctx, $r.ip, $r.sp, $r.mem, $r.r0, $r.r1, $r.s0, $r.d0) }
    }};
}

/// Turns a handler into a function that ends in a sibling call.
macro_rules! wrap {
    ($path:expr) => {{
        handler!(
            wrapped,
            r,
            match $path(&mut r) {
                Flow::Next => go!(r, r.word()),
                Flow::Taken => go!(r, r.word_apart()),
                Flow::Exit(reason) => exit(&mut r, reason),
            }
        );
        wrapped as Handler
    }};
}

/// Leaves the machine; the registers go where the driver finds them.
#[inline(always)]
fn exit(r: &mut Regs, reason: u32) -> u32 {
    r.save();
    reason
}

/// In the place of what this build lacks; code that needs it is refused before it runs.
#[cfg(not(feature = "fast"))]
handler!(absent, r, {
    let reason = Exit::Trap as u32 + Trap::UnreachableCodeReached as u32;
    exit(&mut r, reason)
});

#[cfg(feature = "fast")]
macro_rules! fast {
    ($handler:expr) => {
        $handler
    };
}
#[cfg(not(feature = "fast"))]
macro_rules! fast {
    ($handler:expr) => {
        absent as Handler
    };
}
macro_rules! single {
    (fast $handler:expr) => {
        fast!($handler)
    };
    ($tier:ident $handler:expr) => {
        $handler
    };
}

macro_rules! handlers {
    (
        families { $( $fam:ident { $( $row:ident $mn:literal : $($b:ident)* | $($f:ident)* ; )* } )* }
        singles { $( $s:ident $smn:literal $tier:ident ($a:tt $bb:tt $c:tt) $ext:ident : $doc:literal ; )* }
    ) => {
        const LIST: [Handler; COUNT] = [
            $($(
                $( wrap!(handler::$fam::<rows::$row, forms::$fam::$b>), )*
                $( fast!(wrap!(handler::$fam::<rows::$row, forms::$fam::$f>)), )*
            )*)*
            $( single!($tier wrap!(singles::$s)), )*
        ];
    };
}
for_each_instruction!(handlers);

#[cfg(feature = "simd")]
macro_rules! vector_handlers {
    ($( $group:ident { $( $row:ident $mnemonic:literal $n:literal; )* } )*) => {
        const VECTORS: [Handler; crate::code::simd::COUNT] = [ $($( wrap!(simd::$row), )*)* ];
    };
}
#[cfg(feature = "simd")]
for_each_simd!(vector_handlers);

/// Padded to a power of two, so that the compiler sees that no opcode is out of range.
static HANDLERS: [Handler; 2048] = {
    let mut all = [LIST[op::Halt as usize]; 2048];
    let mut at = 0;
    while at < LIST.len() {
        all[at] = LIST[at];
        at += 1;
    }
    #[cfg(feature = "simd")]
    {
        let mut at = 0;
        while at < VECTORS.len() {
            all[crate::code::simd::FIRST as usize + at] = VECTORS[at];
            at += 1;
        }
    }
    #[cfg(test)]
    {
        all[WRONG as usize] = wrong;
    }
    all
};

/// Runs until something leaves the machine; the registers are then where `Ctx::saved` points.
pub(crate) fn run(r: Regs) -> u32 {
    let first = HANDLERS[op_of(r.word()) as usize % HANDLERS.len()];
    // SAFETY: the driver made these registers from the store and a thread's frames.
    unsafe { first(r.ctx, r.ip, r.sp, r.mem, r.r0, r.r1, r.s0, r.d0) }
}

/// A handler made wrong on purpose: it calls the next one instead of ending in it. The guard's
/// tests show that they notice.
#[cfg(test)]
pub(crate) const WRONG: Op = 2047;
#[cfg(test)]
handler!(wrong, r, {
    r.step(1);
    let next = HANDLERS[op_of(r.word()) as usize % HANDLERS.len()];
    // SAFETY: as in `wrap`.
    let reason = unsafe { next(r.ctx, r.ip, r.sp, r.mem, r.r0, r.r1, r.s0, r.d0) };
    core::hint::black_box(reason)
});

/// Where the machine code of an instruction's handler begins.
#[cfg(test)]
pub(crate) fn address(op: Op) -> usize {
    HANDLERS[op as usize] as usize
}
