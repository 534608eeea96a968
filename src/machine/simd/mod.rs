//! The handlers of instructions on vectors: operands from slots, semantics from `crate::simd`.
//!
//! None of them jumps, and of the registers they change `ip` alone.
#![allow(non_snake_case)]

mod regs;

use super::regs::{Flow, Regs};
use crate::code::simd::for_each_simd;
use crate::simd as semantics;

#[inline(always)]
fn next(r: &mut Regs, words: usize) -> Flow {
    r.step(words);
    Flow::Next
}

/// Writes a result.
#[inline(always)]
fn put(r: &mut Regs, v: semantics::V, words: usize) -> Flow {
    r.set_vector(r.a(), v);
    next(r, words)
}

/// Lane and vector of the last word of a load of a lane, or the lane of a store's.
#[inline(always)]
fn lane_word(r: &Regs) -> (u8, u16) {
    let word = r.ext_at(1);
    (word as u8, (word >> 32) as u16)
}

macro_rules! handler {
    (unary $row:ident $n:literal) => {
        #[inline(always)]
        pub(crate) fn $row(r: &mut Regs) -> Flow {
            let v = semantics::$row(r.vector(r.b()));
            put(r, v, 1)
        }
    };
    (binary $row:ident $n:literal) => {
        #[inline(always)]
        pub(crate) fn $row(r: &mut Regs) -> Flow {
            let v = semantics::$row(r.vector(r.b()), r.vector(r.c()));
            put(r, v, 1)
        }
    };
    (ternary $row:ident $n:literal) => {
        #[inline(always)]
        pub(crate) fn $row(r: &mut Regs) -> Flow {
            let third = r.vector(r.ext() as u16);
            let v = semantics::$row(r.vector(r.b()), r.vector(r.c()), third);
            put(r, v, 2)
        }
    };
    (shift $row:ident $n:literal) => {
        #[inline(always)]
        pub(crate) fn $row(r: &mut Regs) -> Flow {
            let v = semantics::$row(r.vector(r.b()), r.get(r.c()) as u32);
            put(r, v, 1)
        }
    };
    (splat $row:ident $n:literal) => {
        #[inline(always)]
        pub(crate) fn $row(r: &mut Regs) -> Flow {
            let v = semantics::$row(r.get(r.b()));
            put(r, v, 1)
        }
    };
    (test $row:ident $n:literal) => {
        #[inline(always)]
        pub(crate) fn $row(r: &mut Regs) -> Flow {
            let bits = semantics::$row(r.vector(r.b()));
            r.set(r.a(), bits.into());
            next(r, 1)
        }
    };
    (extract $row:ident $n:literal) => {
        #[inline(always)]
        pub(crate) fn $row(r: &mut Regs) -> Flow {
            let bits = semantics::$row(r.vector(r.b()), r.c() as u8);
            r.set(r.a(), bits);
            next(r, 1)
        }
    };
    (replace $row:ident $n:literal) => {
        #[inline(always)]
        pub(crate) fn $row(r: &mut Regs) -> Flow {
            let v = semantics::$row(r.vector(r.b()), r.ext() as u8, r.get(r.c()));
            put(r, v, 2)
        }
    };
    (load $row:ident $n:literal) => {
        #[inline(always)]
        pub(crate) fn $row(r: &mut Regs) -> Flow {
            r.load_wide::<$n>(r.c(), (r.get(r.b()), r.ext()), semantics::$row, 2)
        }
    };
    (load_lane $row:ident $n:literal) => {
        #[inline(always)]
        pub(crate) fn $row(r: &mut Regs) -> Flow {
            let (lane, slot) = lane_word(r);
            let v = r.vector(slot);
            let make = |bytes| semantics::with_lane::<$n>(v, lane, bytes);
            r.load_wide::<$n>(r.c(), (r.get(r.b()), r.ext()), make, 3)
        }
    };
    (store_lane $row:ident $n:literal) => {
        #[inline(always)]
        pub(crate) fn $row(r: &mut Regs) -> Flow {
            let (lane, _) = lane_word(r);
            let bytes = semantics::lane_of::<$n>(r.vector(r.a()), lane);
            r.store_wide(r.c(), (r.get(r.b()), r.ext()), bytes, 3)
        }
    };
    // The others are no families.
    ($group:ident $row:ident $n:literal) => {};
}
macro_rules! families {
    ($( $group:ident { $( $row:ident $mnemonic:literal $n:literal; )* } )*) => {
        $($( handler!($group $row $n); )*)*
    };
}
for_each_simd!(families);

/// Loads of what is near, which do the same with their bytes as the others.
macro_rules! near {
    ($($near:ident $row:ident;)*) => {
        $(#[inline(always)]
        pub(crate) fn $near(r: &mut Regs) -> Flow {
            r.load((r.get(r.b()), r.c().into()), semantics::$row, 1)
        })*
    };
}
near! {
    NearLoad V128Load;
    NearLoad8x8S V128Load8x8S;
    NearLoad8x8U V128Load8x8U;
    NearLoad16x4S V128Load16x4S;
    NearLoad16x4U V128Load16x4U;
    NearLoad32x2S V128Load32x2S;
    NearLoad32x2U V128Load32x2U;
    NearLoad8Splat V128Load8Splat;
    NearLoad16Splat V128Load16Splat;
    NearLoad32Splat V128Load32Splat;
    NearLoad64Splat V128Load64Splat;
    NearLoad32Zero V128Load32Zero;
    NearLoad64Zero V128Load64Zero;
}

#[inline(always)]
pub(crate) fn NearStore(r: &mut Regs) -> Flow {
    r.store((r.get(r.b()), r.c().into()), r.vector(r.a()), 1)
}
#[inline(always)]
pub(crate) fn V128Store(r: &mut Regs) -> Flow {
    r.store_wide(r.c(), (r.get(r.b()), r.ext()), r.vector(r.a()), 2)
}
#[inline(always)]
pub(crate) fn V128Const(r: &mut Regs) -> Flow {
    let v = r.immediate();
    put(r, v, 3)
}
#[inline(always)]
pub(crate) fn I8x16Shuffle(r: &mut Regs) -> Flow {
    let v = semantics::I8x16Shuffle(r.vector(r.b()), r.vector(r.c()), r.immediate());
    put(r, v, 3)
}
#[inline(always)]
pub(crate) fn V128Select(r: &mut Regs) -> Flow {
    let chosen = match r.get(r.ext() as u16) as u32 {
        0 => r.c(),
        _ => r.b(),
    };
    let v = r.vector(chosen);
    put(r, v, 2)
}
#[inline(always)]
pub(crate) fn V128GlobalGet(r: &mut Regs) -> Flow {
    let v = r.global_vector(r.bc());
    put(r, v, 1)
}
#[inline(always)]
pub(crate) fn V128GlobalSet(r: &mut Regs) -> Flow {
    let v = r.vector(r.a());
    r.set_global_vector(r.bc(), v);
    next(r, 1)
}
