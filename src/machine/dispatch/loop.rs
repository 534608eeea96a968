//! One loop around one match.

use super::*;
#[cfg(feature = "stats")]
use crate::code::operands::length;

macro_rules! dispatcher {
    (
        families { $( $fam:ident { $( $row:ident $mn:literal : $($b:ident)* | $($f:ident)* ; )* } )* }
        singles { $( $s:ident $smn:literal $tier:ident ($a:tt $bb:tt $c:tt) $ext:ident : $doc:literal ; )* }
    ) => {
        #[allow(unused_variables)]
        // Inlined even where a build has both loops, so that counting costs the other one nothing.
        #[inline(always)]
        fn step(r: &mut Regs) -> Flow {
            match op_of(r.word()) {
                $($(
                    $( op::$row::$b => handler::$fam::<rows::$row, forms::$fam::$b>(r), )*
                    $( #[cfg(feature = "fast")] op::$row::$f => handler::$fam::<rows::$row, forms::$fam::$f>(r), )*
                )*)*
                $( op::$s => singles::$s(r), )*
                #[cfg(feature = "simd")]
                op if op >= crate::code::simd::FIRST => on_vectors(r),
                // Nothing that `verify` accepts.
            _ => crate::error::Trap::UnreachableCodeReached.into(),
            }
        }
    };
}
for_each_instruction!(dispatcher);

#[cfg(feature = "simd")]
macro_rules! vector_dispatcher {
    ($( $group:ident { $( $row:ident $mnemonic:literal $n:literal; )* } )*) => {
        /// The instructions on vectors: a match of their own in a function of its own, so that the loop
        /// stays what it is without them.
        #[inline(never)]
        fn vector_step(mut r: Regs) -> (*const u64, u32) {
            let flow = match op_of(r.word()) {
                $($( crate::code::simd::op::$row => simd::$row(&mut r), )*)*
                // Nothing that `verify` accepts.
                _ => crate::error::Trap::UnreachableCodeReached.into(),
            };
            match flow {
                Flow::Next | Flow::Taken => (r.ip, NEXT),
                Flow::Exit(reason) => (r.ip, reason),
            }
        }
    };
}
#[cfg(feature = "simd")]
for_each_simd!(vector_dispatcher);

/// No reason to leave the machine.
#[cfg(feature = "simd")]
const NEXT: u32 = u32::MAX;

/// A copy of the registers goes there, of which only `ip` comes back: what another function could reach would
/// not stay in the processor's registers.
#[cfg(feature = "simd")]
#[inline(always)]
fn on_vectors(r: &mut Regs) -> Flow {
    let (ip, reason) = vector_step(Regs { ..*r });
    r.ip = ip;
    match reason {
        NEXT => Flow::Next,
        reason => Flow::Exit(reason),
    }
}

/// Runs until something leaves the machine; the registers are then where `Ctx::saved` points.
#[cfg(not(cellule_tail))]
pub(crate) fn run(r: Regs) -> u32 {
    each(r, |_, _| ())
}

/// Like `run`; notes each execution of an instruction in `counts`.
#[cfg(feature = "stats")]
pub(crate) fn counted(r: Regs, counts: &mut crate::store::counts::Counts) -> u32 {
    each(r, |word, at| {
        let op = op_of(word);
        let words = crate::code::info(op).map_or(1, |info| length(&info.operands, word));
        counts.note(op, at as usize, at as usize + 8 * words as usize);
    })
}

/// Runs, and tells `before` the first word of each instruction and where it is.
#[inline(always)]
fn each(mut r: Regs, mut before: impl FnMut(u64, *const u64)) -> u32 {
    loop {
        before(r.word(), r.ip);
        if let Flow::Exit(reason) = step(&mut r) {
            r.save();
            return reason;
        }
    }
}
