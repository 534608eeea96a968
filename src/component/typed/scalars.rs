//! Numbers, booleans, characters and handles.

use super::*;
use crate::component::abi::{canonical_f32, canonical_f64, character};
use crate::component::error_context::ErrorContext;
use crate::component::resource::{Resource, ResourceAny, ResourceDynamic};
use crate::fallible::{collect, copied};
use core::any::type_name;

/// Scalars: a type, its kind, its size, and the way between its value and a slot.
macro_rules! scalars {
    ($($ty:ty: $kind:ident $bytes:literal, $into:expr, $from:expr, $list:ident;)*) => {
        $(
            impl ComponentType for $ty {
                const SIZE32: usize = $bytes;
                const ALIGN32: u32 = $bytes;
                const SIZE64: usize = $bytes;
                const ALIGN64: u32 = $bytes;
                const FLAT_COUNT: usize = 1;
                const PLAIN: bool = scalars!(plain $list);

                fn typecheck(ty: InterfaceType, types: &InstanceType<'_>) -> Result<()> {
                    types.expect(ty, TypeKind::$kind, stringify!($ty)).map(drop)
                }
            }

            impl Lower for $ty {
                #[inline]
                fn linear_lower_to_flat<T: 'static>(
                    &self,
                    _: &mut LowerContext<'_, T>,
                    _: InterfaceType,
                    dst: &mut [u64],
                ) -> Result<()> {
                    dst[0] = ($into)(*self);
                    Ok(())
                }

                #[inline]
                fn linear_lower_to_memory<T: 'static>(
                    &self,
                    cx: &mut LowerContext<'_, T>,
                    _: InterfaceType,
                    offset: usize,
                ) -> Result<()> {
                    let bytes = ($into)(*self).to_le_bytes();
                    cx.bytes(offset, $bytes).copy_from_slice(&bytes[..$bytes]);
                    Ok(())
                }

                fn linear_store_list_to_memory<T: 'static>(
                    cx: &mut LowerContext<'_, T>,
                    _: InterfaceType,
                    offset: usize,
                    items: &[Self],
                ) -> Result<()> {
                    let places = cx.bytes(offset, (items.len() * $bytes) as u32);
                    for (place, item) in places.chunks_exact_mut($bytes).zip(items) {
                        place.copy_from_slice(&($into)(*item).to_le_bytes()[..$bytes]);
                    }
                    Ok(())
                }
            }

            impl Lift for $ty {
                #[inline]
                fn linear_lift_from_flat(
                    _: &mut LiftContext<'_>,
                    _: InterfaceType,
                    src: &[u64],
                ) -> Result<Self> {
                    ($from)(src[0])
                }

                #[inline]
                fn linear_lift_from_memory(
                    _: &mut LiftContext<'_>,
                    _: InterfaceType,
                    bytes: &[u8],
                ) -> Result<Self> {
                    let mut word = [0; 8];
                    word[..$bytes].copy_from_slice(&bytes[..$bytes]);
                    ($from)(u64::from_le_bytes(word))
                }

                scalars!(list $list);
            }
        )*
    };
    (list bytes) => {
        fn linear_lift_list_from_memory(
            _: &mut LiftContext<'_>,
            _: InterfaceType,
            bytes: &[u8],
        ) -> Result<Vec<Self>> {
            Ok(copied(bytes)?)
        }
    };
    (list number) => {
        fn linear_lift_list_from_memory(
            _: &mut LiftContext<'_>,
            _: InterfaceType,
            bytes: &[u8],
        ) -> Result<Vec<Self>> {
            let items = bytes.chunks_exact(size_of::<Self>());
            let items = items.map(|item| Self::from_le_bytes(item.try_into().unwrap_or_default()));
            Ok(collect(items)?)
        }
    };
    (list each) => {};
    (plain each) => {
        false
    };
    (plain $other:ident) => {
        true
    };
}

scalars! {
    u8: U8 1, u64::from, |x| Ok(x as u8), bytes;
    i8: S8 1, |x| u64::from(i32::from(x) as u32), |x| Ok(x as i8), number;
    u16: U16 2, u64::from, |x| Ok(x as u16), number;
    i16: S16 2, |x| u64::from(i32::from(x) as u32), |x| Ok(x as i16), number;
    u32: U32 4, u64::from, |x| Ok(x as u32), number;
    i32: S32 4, |x| u64::from(x as u32), |x| Ok(x as i32), number;
    u64: U64 8, |x: u64| x, Ok, number;
    i64: S64 8, |x| x as u64, |x| Ok(x as i64), number;
    f32: F32 4, |x: f32| u64::from(canonical_f32(x.to_bits())),
        |x| Ok(f32::from_bits(canonical_f32(x as u32))), each;
    f64: F64 8, |x: f64| canonical_f64(x.to_bits()), |x| Ok(f64::from_bits(canonical_f64(x))), each;
    bool: Bool 1, u64::from, |x| Ok(x as u32 != 0), each;
    char: Char 4, |x| u64::from(u32::from(x)), |x| Ok(character(x as u32)?), each;
}

/// Values that become an index in the guest's table.
macro_rules! indices {
    ($([$($generic:tt)*] $ty:ty: $lower:expr, $lift:expr;)*) => {
        $(
            impl $($generic)* Lower for $ty {
                fn linear_lower_to_flat<T: 'static>(
                    &self,
                    cx: &mut LowerContext<'_, T>,
                    ty: InterfaceType,
                    dst: &mut [u64],
                ) -> Result<()> {
                    let index: u32 = ($lower)(self, cx.typed(ty))?;
                    dst[0] = index.into();
                    Ok(())
                }

                fn linear_lower_to_memory<T: 'static>(
                    &self,
                    cx: &mut LowerContext<'_, T>,
                    ty: InterfaceType,
                    offset: usize,
                ) -> Result<()> {
                    let index: u32 = ($lower)(self, cx.typed(ty))?;
                    cx.bytes(offset, 4).copy_from_slice(&index.to_le_bytes());
                    Ok(())
                }
            }

            impl $($generic)* Lift for $ty {
                fn linear_lift_from_flat(
                    cx: &mut LiftContext<'_>,
                    ty: InterfaceType,
                    src: &[u64],
                ) -> Result<Self> {
                    ($lift)(cx, ty, src[0] as u32)
                }

                fn linear_lift_from_memory(
                    cx: &mut LiftContext<'_>,
                    ty: InterfaceType,
                    bytes: &[u8],
                ) -> Result<Self> {
                    let mut word = [0; 4];
                    word.copy_from_slice(&bytes[..4]);
                    ($lift)(cx, ty, u32::from_le_bytes(word))
                }
            }
        )*
    };
}

/// Handles of resources.
macro_rules! handles {
    ($([$($generic:tt)*] $ty:ty: $check:expr, $lower:expr, $lift:expr;)*) => {
        $(
            impl $($generic)* ComponentType for $ty {
                const SIZE32: usize = 4;
                const ALIGN32: u32 = 4;
                const SIZE64: usize = 4;
                const ALIGN64: u32 = 4;
                const FLAT_COUNT: usize = 1;
                const HAS_HANDLES: bool = true;

                fn typecheck(ty: InterfaceType, types: &InstanceType<'_>) -> Result<()> {
                    let row = types.row(ty);
                    if !matches!(row.kind, TypeKind::Own | TypeKind::Borrow) {
                        return Err(types.mismatch(type_name::<$ty>(), ty));
                    }
                    ($check)(types.resource(row))
                }
            }
        )*
        indices! { $([$($generic)*] $ty: $lower, $lift;)* }
    };
}

handles! {
    [<R: 'static>] Resource<R>:
        |found: Option<ResourceType>| match found.is_some_and(|found| found.is_host::<R>()) {
            true => Ok(()),
            false => Err(mismatch()),
        },
        |resource: &Resource<R>, (cx, ty): Typed<'_, '_, T>| {
            cx.handle(ty, resource.rep(), resource.owned())
        },
        |cx: &mut LiftContext<'_>, ty: InterfaceType, index| {
            let (rep, owned) = cx.handle(ty.0, index)?;
            Ok(if owned { Resource::new_own(rep) } else { Resource::new_borrow(rep) })
        };
    [] ResourceDynamic:
        |found: Option<ResourceType>| match found.and_then(|found| found.as_host_dynamic()) {
            Some(_) => Ok(()),
            None => Err(mismatch()),
        },
        // Which of the dynamic types it is differs from value to value.
        |resource: &ResourceDynamic, (cx, ty): Typed<'_, '_, T>| {
            match cx.resource_type_of(ty).as_host_dynamic() == Some(resource.ty()) {
                true => cx.handle(ty, resource.rep(), resource.owned()),
                false => Err(mismatch()),
            }
        },
        |cx: &mut LiftContext<'_>, ty: InterfaceType, index| {
            let of = cx.resource_type_of(ty.0).as_host_dynamic().ok_or_else(mismatch)?;
            let (rep, owned) = cx.handle(ty.0, index)?;
            Ok(match owned {
                true => ResourceDynamic::new_own(rep, of),
                false => ResourceDynamic::new_borrow(rep, of),
            })
        };
    [] ResourceAny:
        |_| Ok(()),
        |resource: &ResourceAny, (cx, ty): Typed<'_, '_, T>| cx.resource_any(ty, resource),
        |cx: &mut LiftContext<'_>, ty: InterfaceType, index| cx.resource_any(ty.0, index);
}

indices! {
    [] ErrorContext:
        |context: &ErrorContext, (cx, _): Typed<'_, '_, T>| cx.error_context(context),
        |cx: &mut LiftContext<'_>, _: InterfaceType, index| cx.error_context(index);
}

fn mismatch() -> Error {
    Error::of(ErrorKind::Type, "resource type mismatch")
}

/// A context and the type of what is lowered.
type Typed<'c, 'a, T> = (&'c mut LowerContext<'a, T>, TypeId);

impl<'a, T: 'static> LowerContext<'a, T> {
    fn typed(&mut self, ty: InterfaceType) -> Typed<'_, 'a, T> {
        (self, ty.0)
    }
}
