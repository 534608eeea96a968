//! Two dispatchers over one set of handlers, both generated from the instruction table.
//!
//! `tail`: every handler ends in a sibling call of the next one, so that the native stack stays
//! flat and each handler has its own indirect jump. `loop`: one loop around one match, for targets
//! and builds where a compiler doesn't make sibling calls. The loop also counts instructions for the
//! stores that want it (feature `stats`): a handler of `tail` can't be made to run alone.

use super::families::{self, forms, rows};
use super::regs::{Flow, Regs};
#[cfg(feature = "simd")]
use super::simd;
use super::singles;
#[cfg(feature = "simd")]
use crate::code::simd::for_each_simd;
use crate::code::{op, op_of, table::for_each_instruction};

// The table names a family's handler by the family alone; loads and stores also need their width,
// which their row implies.
mod handler {
    pub(super) use super::families::{bin, br, un};
    #[cfg(feature = "fast")]
    pub(super) use super::families::{mem, step};
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
pub(super) mod tail;
#[cfg(cellule_tail)]
pub(crate) use tail::run;

#[cfg(any(not(cellule_tail), feature = "stats"))]
mod r#loop;
#[cfg(feature = "stats")]
pub(crate) use r#loop::counted;
#[cfg(not(cellule_tail))]
pub(crate) use r#loop::run;
