//! What is a pointer and a length to the ABI: strings, lists, maps.
//!
//! The traits' forms that all of them share, so that each type says only what is its own: how its type
//! is checked, and how its pair comes from a value or becomes one.

use super::*;

/// [`ComponentType`]: whether handles are in it, and the check of its type.
macro_rules! pair_type {
    ([$($generic:tt)*] $ty:ty, $handles:expr, |$of:ident, $types:ident| $check:expr) => {
        impl<$($generic)*> ComponentType for $ty {
            const SIZE32: usize = 8;
            const ALIGN32: u32 = 4;
            const SIZE64: usize = 16;
            const ALIGN64: u32 = 8;
            const FLAT_COUNT: usize = 2;
            const HAS_HANDLES: bool = $handles;

            fn typecheck($of: InterfaceType, $types: &InstanceType<'_>) -> Result<()> {
                $check
            }
        }
    };
}

/// [`Lower`]: the pair of a value that was stored.
macro_rules! pair_lower {
    ([$($generic:tt)*] $ty:ty, |$value:ident, $cx:ident, $of:ident| $pair:expr) => {
        impl<$($generic)*> Lower for $ty {
            fn linear_lower_to_flat<T: 'static>(
                &self,
                $cx: &mut LowerContext<'_, T>,
                $of: InterfaceType,
                dst: &mut [u64],
            ) -> Result<()> {
                let $value = self;
                (dst[0], dst[1]) = $pair?;
                Ok(())
            }

            fn linear_lower_to_memory<T: 'static>(
                &self,
                $cx: &mut LowerContext<'_, T>,
                $of: InterfaceType,
                offset: usize,
            ) -> Result<()> {
                let $value = self;
                let pair = $pair?;
                $cx.set_pair(offset, pair);
                Ok(())
            }
        }
    };
}

/// [`Lift`]: the value of a pair.
macro_rules! pair_lift {
    ([$($generic:tt)*] $ty:ty, |$cx:ident, $of:ident, $pair:ident| $value:expr) => {
        impl<$($generic)*> Lift for $ty {
            fn linear_lift_from_flat(
                $cx: &mut LiftContext<'_>,
                $of: InterfaceType,
                src: &[u64],
            ) -> Result<Self> {
                let $pair = $cx.pair(src);
                $value
            }

            fn linear_lift_from_memory(
                $cx: &mut LiftContext<'_>,
                $of: InterfaceType,
                bytes: &[u8],
            ) -> Result<Self> {
                let $pair = pair(bytes, $cx.wide());
                $value
            }
        }
    };
}

pub(super) use {pair_lift, pair_lower, pair_type};

pub(super) use crate::component::abi::pair;

pair_type!([] str, false, |ty, types| types
    .expect(ty, TypeKind::String, "str")
    .map(drop));
pair_lower!([] str, |text, cx, _ty| cx.string(text));
pair_lift!([] String, |cx, _ty, pair| cx.string(pair.0, pair.1));
