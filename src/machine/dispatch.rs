//! Two dispatchers over one set of handlers, both generated from the instruction table.
//!
//! `tail`: every handler ends in a sibling call of the next one, so that the native stack stays
//! flat and each handler has its own indirect jump. `loop`: one loop around one match, for targets
//! and builds where a compiler doesn't make sibling calls.

use super::families::{self, forms, rows};
use super::regs::{Flow, Regs};
use super::singles;
use crate::code::{op, op_of, table::for_each_instruction};

// The table names a family's handler by the family alone; loads and stores also need their width,
// which their row implies.
mod handler {
    pub(super) use super::families::{bin, br, un};
    use super::{Flow, Regs, families};
    #[inline(always)]
    pub(super) fn load<O: Width, F: families::FormLoad>(r: &mut Regs) -> Flow {
        O::load::<F>(r)
    }
    #[inline(always)]
    pub(super) fn store<O: StoreWidth, F: families::FormStore>(r: &mut Regs) -> Flow {
        O::store::<F>(r)
    }
    pub(super) trait Width {
        fn load<F: families::FormLoad>(r: &mut Regs) -> Flow;
    }
    pub(super) trait StoreWidth {
        fn store<F: families::FormStore>(r: &mut Regs) -> Flow;
    }
    macro_rules! widths {
        ($($row:ident $n:literal)*; $($srow:ident $sn:literal)*) => {
            $( impl Width for families::rows::$row {
                #[inline(always)]
                fn load<F: families::FormLoad>(r: &mut Regs) -> Flow { families::load::<$n, Self, F>(r) }
            } )*
            $( impl StoreWidth for families::rows::$srow {
                #[inline(always)]
                fn store<F: families::FormStore>(r: &mut Regs) -> Flow { families::store::<$sn, Self, F>(r) }
            } )*
        };
    }
    widths! {
        Load8S 1 Load8U 1 Load16S 2 Load16U 2 Load32S 4 Load32 4 Load64 8 LoadF32 4 LoadF64 8;
        Store8 1 Store16 2 Store32 4 Store64 8 StoreF32 4 StoreF64 8
    }
}

#[cfg(cellule_tail)]
pub(crate) use tail::run;

#[cfg(cellule_tail)]
mod tail {
    use super::*;
    use crate::machine::regs::{Ctx, Saved};

    macro_rules! handler_type {
        ($abi:literal) => {
            type Handler = unsafe extern $abi fn(*mut Ctx, *const u64, *mut u64, *mut u8, u64, u64, f32, f64) -> u32;

            /// Defines the wrapper that turns a handler into one that ends in a sibling call.
            macro_rules! wrap {
                ($path:expr) => {{
                    unsafe extern $abi fn wrapped(
                        ctx: *mut Ctx, ip: *const u64, sp: *mut u64, mem: *mut u8,
                        r0: u64, r1: u64, s0: f32, d0: f64,
                    ) -> u32 {
                        let mut r = Regs { ctx, ip, sp, mem, r0, r1, s0, d0 };
                        match $path(&mut r) {
                            Flow::Next => {
                                let next = HANDLERS[op_of(r.word()) as usize % HANDLERS.len()];
                                // SAFETY: the registers describe a running frame, as they did for this one.
                                unsafe { next(r.ctx, r.ip, r.sp, r.mem, r.r0, r.r1, r.s0, r.d0) }
                            }
                            Flow::Exit(reason) => {
                                // SAFETY: `ctx` is valid for the whole run.
                                unsafe {
                                    (*r.ctx).saved = Saved { ip: r.ip, sp: r.sp, r0: r.r0, r1: r.r1, s0: r.s0, d0: r.d0 };
                                }
                                reason
                            }
                        }
                    }
                    wrapped as Handler
                }};
            }
        };
    }
    #[cfg(target_arch = "x86_64")]
    handler_type!("sysv64");
    #[cfg(not(target_arch = "x86_64"))]
    handler_type!("C");

    #[cfg(not(feature = "fast"))]
    unsafe extern "sysv64" fn absent(
        _: *mut Ctx,
        _: *const u64,
        _: *mut u64,
        _: *mut u8,
        _: u64,
        _: u64,
        _: f32,
        _: f64,
    ) -> u32 {
        unreachable!("code of a tier that this build lacks is refused before it runs")
    }

    macro_rules! handlers {
        (
            families { $( $fam:ident { $( $row:ident $mn:literal : $($b:ident)* | $($f:ident)* ; )* } )* }
            singles { $( $s:ident $smn:literal $tier:ident ($a:tt $bb:tt $c:tt) $ext:ident : $doc:literal ; )* }
        ) => {
            const LIST: [Handler; crate::code::COUNT] = [
                $($(
                    $( wrap!(handler::$fam::<rows::$row, forms::$fam::$b>), )*
                    $( fast!(wrap!(handler::$fam::<rows::$row, forms::$fam::$f>)), )*
                )*)*
                $( single!($tier wrap!(singles::$s)), )*
            ];
        };
    }
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
    for_each_instruction!(handlers);

    /// Padded to a power of two, so that the compiler sees that no opcode is out of range.
    static HANDLERS: [Handler; 2048] = {
        let mut all = [LIST[op::Halt as usize]; 2048];
        let mut at = 0;
        while at < LIST.len() {
            all[at] = LIST[at];
            at += 1;
        }
        all
    };

    /// Runs until something leaves the machine; the registers are then in `ctx.saved`.
    pub(crate) fn run(r: Regs) -> u32 {
        let first = HANDLERS[op_of(r.word()) as usize % HANDLERS.len()];
        // SAFETY: the driver made these registers from the store and a thread's frames.
        unsafe { first(r.ctx, r.ip, r.sp, r.mem, r.r0, r.r1, r.s0, r.d0) }
    }
}

#[cfg(not(cellule_tail))]
pub(crate) use looped::run;

#[cfg(not(cellule_tail))]
mod looped {
    use super::*;
    use crate::machine::regs::{Exit, Saved};

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
                    _ => Exit::Halt.into(),
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
}
