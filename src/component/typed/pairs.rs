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
                let (ptr, len): (u32, u32) = $pair?;
                (dst[0], dst[1]) = (ptr.into(), len.into());
                Ok(())
            }

            fn linear_lower_to_memory<T: 'static>(
                &self,
                $cx: &mut LowerContext<'_, T>,
                $of: InterfaceType,
                offset: u32,
            ) -> Result<()> {
                let $value = self;
                let (ptr, len): (u32, u32) = $pair?;
                $cx.set_pair(offset, ptr, len);
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
                let $pair = (src[0] as u32, src[1] as u32);
                $value
            }

            fn linear_lift_from_memory(
                $cx: &mut LiftContext<'_>,
                $of: InterfaceType,
                bytes: &[u8],
            ) -> Result<Self> {
                let $pair = pair(bytes);
                $value
            }
        }
    };
}

pub(super) use {pair_lift, pair_lower, pair_type};

/// A pointer and length in memory.
pub(super) fn pair(bytes: &[u8]) -> (u32, u32) {
    let word = |at: usize| {
        let mut word = [0; 4];
        word.copy_from_slice(&bytes[at..at + 4]);
        u32::from_le_bytes(word)
    };
    (word(0), word(4))
}

impl<'a, T: 'static> LowerContext<'a, T> {
    /// Stores a pointer and a length.
    pub(crate) fn set_pair(&mut self, offset: u32, ptr: u32, len: u32) {
        let place = self.bytes(offset, 8);
        place[..4].copy_from_slice(&ptr.to_le_bytes());
        place[4..].copy_from_slice(&len.to_le_bytes());
    }
}

pair_type!([] str, false, |ty, types| types
    .expect(ty, TypeKind::String, "str")
    .map(drop));
pair_lower!([] str, |text, cx, _ty| cx.string(text));
pair_lift!([] String, |cx, _ty, pair| cx.string(pair.0, pair.1));
