//! Tuples, which are also how parameters and results are named in types of functions.

use super::*;
use crate::fallible::collect;

/// Tuples of component types: parameters or results of a function.
pub trait ComponentNamedList: ComponentType {
    /// How many there are.
    const COUNT: usize;

    /// An error unless they are the types of these fields.
    #[doc(hidden)]
    fn typecheck_fields(fields: &[InterfaceType], types: &InstanceType<'_>) -> Result<()>;
}

/// The type of a record's field, where it matters.
pub(super) fn field_type(
    tables: &ComponentTables,
    ty: InterfaceType,
    at: usize,
    matters: bool,
) -> InterfaceType {
    if !matters {
        return InterfaceType::NONE;
    }
    if ty.0.0 & InterfaceType::SINGLE != 0 {
        return InterfaceType(TypeId(ty.0.0 & !InterfaceType::SINGLE));
    }
    let row = tables.ty(ty.0);
    InterfaceType(tables.fields(row.span())[at].ty)
}

macro_rules! tuples {
    ($count:literal $($name:ident $at:tt)*) => {
        #[allow(unused_mut, unused_variables, unused_assignments)]
        impl<$($name: ComponentType),*> ComponentType for ($($name,)*) {
            const SIZE32: usize = {
                let mut size = 0;
                $(size = align_to(size, $name::ALIGN32) + $name::SIZE32;)*
                align_to(size, Self::ALIGN32)
            };
            const ALIGN32: u32 = {
                let mut align = 1;
                $(align = max_align(align, $name::ALIGN32);)*
                align
            };
            const SIZE64: usize = {
                let mut size = 0;
                $(size = align_to(size, $name::ALIGN64) + $name::SIZE64;)*
                align_to(size, Self::ALIGN64)
            };
            const ALIGN64: u32 = {
                let mut align = 1;
                $(align = max_align(align, $name::ALIGN64);)*
                align
            };
            const FLAT_COUNT: usize = 0 $(+ $name::FLAT_COUNT)*;
            const HAS_HANDLES: bool = false $(|| $name::HAS_HANDLES)*;
            const PLAIN: bool = true $(&& $name::PLAIN)* && Self::SIZE32 == 0 $(+ $name::SIZE32)*;

            fn typecheck(ty: InterfaceType, types: &InstanceType<'_>) -> Result<()> {
                let row = types.expect(ty, TypeKind::Tuple, "tuple")?;
                let fields = types.tables.fields(row.span());
                let fields = collect(fields.iter().map(|field| InterfaceType(field.ty)))?;
                Self::typecheck_fields(&fields, types)
            }
        }

        #[allow(unused_variables)]
        impl<$($name: ComponentType),*> ComponentNamedList for ($($name,)*) {
            const COUNT: usize = $count;

            fn typecheck_fields(fields: &[InterfaceType], types: &InstanceType<'_>) -> Result<()> {
                if fields.len() != $count {
                    let why = format_args!("expected {} types, found {}", $count, fields.len());
                    return Err(Error::of(ErrorKind::Type, why));
                }
                $($name::typecheck(fields[$at], types)?;)*
                Ok(())
            }
        }

        #[allow(unused_mut, unused_variables, unused_assignments)]
        impl<$($name: Lower),*> Lower for ($($name,)*) {
            fn linear_lower_to_flat<T: 'static>(
                &self,
                cx: &mut LowerContext<'_, T>,
                ty: InterfaceType,
                dst: &mut [u64],
            ) -> Result<()> {
                let mut start = 0;
                $(
                    let part = field_type(cx.tables(), ty, $at, $name::HAS_HANDLES);
                    self.$at.linear_lower_to_flat(cx, part, &mut dst[start..start + $name::FLAT_COUNT])?;
                    start += $name::FLAT_COUNT;
                )*
                Ok(())
            }

            fn linear_lower_to_memory<T: 'static>(
                &self,
                cx: &mut LowerContext<'_, T>,
                ty: InterfaceType,
                offset: usize,
            ) -> Result<()> {
                let mut start = 0;
                let wide = cx.wide();
                $(
                    start = align_to(start, align::<$name>(wide));
                    let part = field_type(cx.tables(), ty, $at, $name::HAS_HANDLES);
                    self.$at.linear_lower_to_memory(cx, part, offset + start)?;
                    start += size::<$name>(wide);
                )*
                Ok(())
            }
        }

        #[allow(unused_mut, unused_variables, unused_assignments)]
        impl<$($name: Lift),*> Lift for ($($name,)*) {
            fn linear_lift_from_flat(
                cx: &mut LiftContext<'_>,
                ty: InterfaceType,
                src: &[u64],
            ) -> Result<Self> {
                let mut start = 0;
                Ok(($({
                    let part = field_type(cx.tables, ty, $at, $name::HAS_HANDLES);
                    let end = start + $name::FLAT_COUNT;
                    let value = $name::linear_lift_from_flat(cx, part, &src[start..end])?;
                    start = end;
                    value
                },)*))
            }

            fn linear_lift_from_memory(
                cx: &mut LiftContext<'_>,
                ty: InterfaceType,
                bytes: &[u8],
            ) -> Result<Self> {
                let mut start = 0;
                let wide = cx.wide();
                Ok(($({
                    start = align_to(start, align::<$name>(wide));
                    let part = field_type(cx.tables, ty, $at, $name::HAS_HANDLES);
                    let end = start + size::<$name>(wide);
                    let value = $name::linear_lift_from_memory(cx, part, &bytes[start..end])?;
                    start = end;
                    value
                },)*))
            }
        }
    };
}

tuples!(0);
tuples!(1 A0 0);
tuples!(2 A0 0 A1 1);
tuples!(3 A0 0 A1 1 A2 2);
tuples!(4 A0 0 A1 1 A2 2 A3 3);
tuples!(5 A0 0 A1 1 A2 2 A3 3 A4 4);
tuples!(6 A0 0 A1 1 A2 2 A3 3 A4 4 A5 5);
tuples!(7 A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6);
tuples!(8 A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7);
tuples!(9 A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7 A8 8);
tuples!(10 A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7 A8 8 A9 9);
tuples!(11 A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7 A8 8 A9 9 A10 10);
tuples!(12 A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7 A8 8 A9 9 A10 10 A11 11);
tuples!(13 A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7 A8 8 A9 9 A10 10 A11 11 A12 12);
tuples!(14 A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7 A8 8 A9 9 A10 10 A11 11 A12 12 A13 13);
tuples!(15 A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7 A8 8 A9 9 A10 10 A11 11 A12 12 A13 13 A14 14);
tuples!(16 A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7 A8 8 A9 9 A10 10 A11 11 A12 12 A13 13 A14 14 A15 15);
