//! One loop around one match.

use super::*;
use crate::machine::regs::Saved;

macro_rules! dispatcher {
    (
        families { $( $fam:ident { $( $row:ident $mn:literal : $($b:ident)* | $($f:ident)* ; )* } )* }
        singles { $( $s:ident $smn:literal $tier:ident ($a:tt $bb:tt $c:tt) $ext:ident : $doc:literal ; )* }
    ) => {
        #[allow(unused_variables)]
        fn step(r: &mut Regs) -> Flow {
            match op_of(r.word()) {
                $($(
                    $( op::$row::$b => handler::$fam::<rows::$row, forms::$fam::$b>(r), )*
                    $( #[cfg(feature = "fast")] op::$row::$f => handler::$fam::<rows::$row, forms::$fam::$f>(r), )*
                )*)*
                $( op::$s => singles::$s(r), )*
                // Nothing that `verify` accepts.
            _ => crate::error::Trap::UnreachableCodeReached.into(),
            }
        }
    };
}
for_each_instruction!(dispatcher);

/// Runs until something leaves the machine; the registers are then in `ctx.saved`.
pub(crate) fn run(mut r: Regs) -> u32 {
    loop {
        if let Flow::Exit(reason) = step(&mut r) {
            r.ctx_mut().saved = Saved {
                ip: r.ip,
                sp: r.sp,
                r0: r.r0,
                r1: r.r1,
                s0: r.s0,
                d0: r.d0,
            };
            return reason;
        }
    }
}
