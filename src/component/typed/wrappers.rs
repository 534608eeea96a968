//! References, smart pointers and owners: lowered as what they point to, lifted into it.

use super::*;
use crate::fallible;
use alloc::boxed::Box;
use alloc::sync::Arc;

/// Types that stand for what another stands for, and dereference to it: the bounds of
/// [`ComponentType`] and of [`Lower`].
macro_rules! lowers {
    ($([$($generic:tt)*] [$($lower:tt)*] $ty:ty as $of:ty;)*) => {
        $(
            impl<$($generic)*> ComponentType for $ty {
                const SIZE32: usize = <$of>::SIZE32;
                const ALIGN32: u32 = <$of>::ALIGN32;
                const SIZE64: usize = <$of>::SIZE64;
                const ALIGN64: u32 = <$of>::ALIGN64;
                const FLAT_COUNT: usize = <$of>::FLAT_COUNT;
                const HAS_HANDLES: bool = <$of>::HAS_HANDLES;
                const PLAIN: bool = <$of>::PLAIN;

                fn typecheck(ty: InterfaceType, types: &InstanceType<'_>) -> Result<()> {
                    <$of>::typecheck(ty, types)
                }
            }

            impl<$($lower)*> Lower for $ty {
                fn linear_lower_to_flat<T: 'static>(
                    &self,
                    cx: &mut LowerContext<'_, T>,
                    ty: InterfaceType,
                    dst: &mut [u64],
                ) -> Result<()> {
                    <$of>::linear_lower_to_flat(self, cx, ty, dst)
                }

                fn linear_lower_to_memory<T: 'static>(
                    &self,
                    cx: &mut LowerContext<'_, T>,
                    ty: InterfaceType,
                    offset: usize,
                ) -> Result<()> {
                    <$of>::linear_lower_to_memory(self, cx, ty, offset)
                }
            }
        )*
    };
}

lowers! {
    ['a, A: ComponentType + ?Sized] ['a, A: Lower + ?Sized] &'a A as A;
    [A: ComponentType + ?Sized] [A: Lower + ?Sized] Box<A> as A;
    [A: ComponentType + ?Sized] [A: Lower + ?Sized] Arc<A> as A;
    [A: ComponentType] [A: Lower] Vec<A> as [A];
    [] [] String as str;
}

/// Types that are lifted by way of another.
macro_rules! lifts {
    ($([$($generic:tt)*] $ty:ty as $from:ty, |$value:ident| $into:expr;)*) => {
        $(
            impl<$($generic)*> Lift for $ty {
                fn linear_lift_from_flat(
                    cx: &mut LiftContext<'_>,
                    ty: InterfaceType,
                    src: &[u64],
                ) -> Result<Self> {
                    let $value = <$from>::linear_lift_from_flat(cx, ty, src)?;
                    $into
                }

                fn linear_lift_from_memory(
                    cx: &mut LiftContext<'_>,
                    ty: InterfaceType,
                    bytes: &[u8],
                ) -> Result<Self> {
                    let $value = <$from>::linear_lift_from_memory(cx, ty, bytes)?;
                    $into
                }
            }
        )*
    };
}

lifts! {
    [] Box<str> as String, |text| fallible::boxed_str(text).map_err(Into::into);
    [A: Lift] Box<[A]> as Vec<A>, |items| fallible::boxed_slice(items).map_err(Into::into);
    // Whose room nobody can ask for: see `OutOfMemory`.
    [] Arc<str> as String, |text| Ok(text.into());
    [A: Lift] Arc<[A]> as Vec<A>, |items| Ok(items.into());
}
