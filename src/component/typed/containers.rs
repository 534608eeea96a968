//! Lists, options and results.

use super::pairs::{pair, pair_lift, pair_lower, pair_type};
use super::*;
use crate::component::abi::elements_cost;
use crate::fallible::try_collect;

/// The element's type of a list.
pub(super) fn element(tables: &ComponentTables, ty: InterfaceType, matters: bool) -> InterfaceType {
    if matters {
        InterfaceType(tables.ty(ty.0).element())
    } else {
        InterfaceType::NONE
    }
}

pub(super) fn list_cost<A: ComponentType>(len: usize, wide: bool) -> i64 {
    let bytes = len as u64 * size::<A>(wide) as u64;
    elements_cost(A::PLAIN, size::<A>(wide) as u32, len as u32, bytes)
}

pair_type!([A: ComponentType] [A], A::HAS_HANDLES, |ty, types| {
    let row = types.expect(ty, TypeKind::List, "list")?;
    A::typecheck(InterfaceType(row.element()), types)
});
pair_lower!([A: Lower] [A], |items, cx, ty| lower_list(cx, ty, items));
pair_lift!([A: Lift] Vec<A>, |cx, ty, pair| lift_list(cx, ty, pair));

/// Makes room for a list of so many: its elements' type and its address.
fn room<A: Lower, T: 'static>(
    cx: &mut LowerContext<'_, T>,
    ty: InterfaceType,
    len: usize,
) -> Result<(InterfaceType, usize)> {
    let ty = element(cx.tables(), ty, A::HAS_HANDLES);
    let wide = cx.wide();
    let (ptr, _) = cx.list_room(len, size::<A>(wide) as u32, align::<A>(wide))?;
    cx.spend(list_cost::<A>(len, wide));
    Ok((ty, ptr))
}

fn lower_list<A: Lower, T: 'static>(
    cx: &mut LowerContext<'_, T>,
    ty: InterfaceType,
    items: &[A],
) -> Result<(u64, u64)> {
    let (ty, ptr) = room::<A, T>(cx, ty, items.len())?;
    A::linear_store_list_to_memory(cx, ty, ptr, items)?;
    Ok((ptr as u64, items.len() as u64))
}

/// Lowers a list whose elements don't lie in a row.
pub(super) fn lower_elements<A: Lower, T: 'static>(
    cx: &mut LowerContext<'_, T>,
    ty: InterfaceType,
    items: impl ExactSizeIterator<Item = A>,
) -> Result<(u64, u64)> {
    let len = items.len();
    let (ty, ptr) = room::<A, T>(cx, ty, len)?;
    let mut offset = ptr;
    for item in items.take(len) {
        item.linear_lower_to_memory(cx, ty, offset)?;
        offset += size::<A>(cx.wide());
    }
    Ok((ptr as u64, len as u64))
}

pub(super) fn lift_list<A: Lift>(
    cx: &mut LiftContext<'_>,
    ty: InterfaceType,
    (ptr, len): (u64, u64),
) -> Result<Vec<A>> {
    let ty = element(cx.tables, ty, A::HAS_HANDLES);
    let wide = cx.wide();
    let bytes = cx.list(ptr, len, size::<A>(wide) as u32, align::<A>(wide))?;
    cx.cost += list_cost::<A>(len as usize, wide);
    if A::SIZE32 == 0 {
        // Nothing of it is in memory; so the length alone must not make the host allocate.
        let nothing = (0..len).map(|_| A::linear_lift_from_memory(cx, ty, &[]));
        return try_collect(nothing);
    }
    A::linear_lift_list_from_memory(cx, ty, bytes)
}

/// A fixed-length list.
impl<A: ComponentType, const N: usize> ComponentType for [A; N] {
    const SIZE32: usize = N * A::SIZE32;
    const ALIGN32: u32 = A::ALIGN32;
    const SIZE64: usize = N * A::SIZE64;
    const ALIGN64: u32 = A::ALIGN64;
    const FLAT_COUNT: usize = N * A::FLAT_COUNT;
    const HAS_HANDLES: bool = A::HAS_HANDLES;

    fn typecheck(ty: InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        let row = types.expect(ty, TypeKind::FixedList, "list of fixed length")?;
        if row.b as usize != N {
            let why = format_args!(
                "expected a list of length {N}, found one of length {}",
                row.b
            );
            return Err(Error::of(ErrorKind::Type, why));
        }
        A::typecheck(InterfaceType(row.element()), types)
    }
}

impl<A: Lower, const N: usize> Lower for [A; N] {
    fn linear_lower_to_flat<T: 'static>(
        &self,
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        dst: &mut [u64],
    ) -> Result<()> {
        cx.spend(list_cost::<A>(N, cx.wide()));
        let ty = element(cx.tables(), ty, A::HAS_HANDLES);
        for (item, place) in self.iter().zip(dst.chunks_mut(A::FLAT_COUNT.max(1))) {
            item.linear_lower_to_flat(cx, ty, place)?;
        }
        Ok(())
    }

    fn linear_lower_to_memory<T: 'static>(
        &self,
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        offset: usize,
    ) -> Result<()> {
        cx.spend(list_cost::<A>(N, cx.wide()));
        let ty = element(cx.tables(), ty, A::HAS_HANDLES);
        A::linear_store_list_to_memory(cx, ty, offset, self)
    }
}

impl<A: Lift, const N: usize> Lift for [A; N] {
    fn linear_lift_from_flat(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        src: &[u64],
    ) -> Result<Self> {
        cx.cost += list_cost::<A>(N, cx.wide());
        let ty = element(cx.tables, ty, A::HAS_HANDLES);
        let places = src.chunks(A::FLAT_COUNT.max(1)).take(N);
        let items = places.map(|place| A::linear_lift_from_flat(cx, ty, place));
        exactly(try_collect(items)?)
    }

    fn linear_lift_from_memory(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        bytes: &[u8],
    ) -> Result<Self> {
        cx.cost += list_cost::<A>(N, cx.wide());
        let ty = element(cx.tables, ty, A::HAS_HANDLES);
        let bytes = &bytes[..size::<Self>(cx.wide())];
        exactly(A::linear_lift_list_from_memory(cx, ty, bytes)?)
    }
}

/// The array of a list that has as many elements.
fn exactly<A, const N: usize>(items: Vec<A>) -> Result<[A; N]> {
    let wrong = |items: Vec<A>| {
        let why = format_args!("a list of {} elements where {N} are expected", items.len());
        Error::of(ErrorKind::Type, why)
    };
    items.try_into().map_err(wrong)
}

/// Layout of a variant with a discriminant of one byte and these payloads' size and alignment.
const fn payload_offset(align: u32) -> usize {
    align_to(1, align)
}

impl<A: ComponentType> ComponentType for Option<A> {
    const SIZE32: usize = align_to(payload_offset(A::ALIGN32) + A::SIZE32, A::ALIGN32);
    const ALIGN32: u32 = A::ALIGN32;
    const SIZE64: usize = align_to(payload_offset(A::ALIGN64) + A::SIZE64, A::ALIGN64);
    const ALIGN64: u32 = A::ALIGN64;
    const FLAT_COUNT: usize = 1 + A::FLAT_COUNT;
    const HAS_HANDLES: bool = A::HAS_HANDLES;

    fn typecheck(ty: InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        types.expect(ty, TypeKind::Option, "option")?;
        A::typecheck(case_type(types.tables, ty, 1, true), types)
    }
}

impl<A: Lower> Lower for Option<A> {
    fn linear_lower_to_flat<T: 'static>(
        &self,
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        dst: &mut [u64],
    ) -> Result<()> {
        dst[0] = self.is_some().into();
        match self {
            Some(value) => {
                let ty = case_type(cx.tables(), ty, 1, A::HAS_HANDLES);
                value.linear_lower_to_flat(cx, ty, &mut dst[1..])
            }
            None => {
                dst[1..Self::FLAT_COUNT].fill(0);
                Ok(())
            }
        }
    }

    fn linear_lower_to_memory<T: 'static>(
        &self,
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        offset: usize,
    ) -> Result<()> {
        cx.bytes(offset, 1)[0] = self.is_some().into();
        let Some(value) = self else {
            return Ok(());
        };
        let ty = case_type(cx.tables(), ty, 1, A::HAS_HANDLES);
        let start = payload_offset(align::<A>(cx.wide()));
        value.linear_lower_to_memory(cx, ty, offset + start)
    }
}

impl<A: Lift> Lift for Option<A> {
    fn linear_lift_from_flat(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        src: &[u64],
    ) -> Result<Self> {
        match src[0] as u32 {
            0 => Ok(None),
            1 => {
                let ty = case_type(cx.tables, ty, 1, A::HAS_HANDLES);
                A::linear_lift_from_flat(cx, ty, &src[1..]).map(Some)
            }
            case => Err(bad_discriminant(case.into(), 2)),
        }
    }

    fn linear_lift_from_memory(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        bytes: &[u8],
    ) -> Result<Self> {
        match bytes[0] {
            0 => Ok(None),
            1 => {
                let ty = case_type(cx.tables, ty, 1, A::HAS_HANDLES);
                let start = payload_offset(align::<A>(cx.wide()));
                let end = start + size::<A>(cx.wide());
                A::linear_lift_from_memory(cx, ty, &bytes[start..end]).map(Some)
            }
            case => Err(bad_discriminant(case.into(), 2)),
        }
    }
}

impl<A: ComponentType, B: ComponentType> ComponentType for core::result::Result<A, B> {
    const SIZE32: usize = align_to(
        payload_offset(Self::ALIGN32) + max(A::SIZE32, B::SIZE32),
        Self::ALIGN32,
    );
    const ALIGN32: u32 = max_align(A::ALIGN32, B::ALIGN32);
    const SIZE64: usize = align_to(
        payload_offset(Self::ALIGN64) + max(A::SIZE64, B::SIZE64),
        Self::ALIGN64,
    );
    const ALIGN64: u32 = max_align(A::ALIGN64, B::ALIGN64);
    const FLAT_COUNT: usize = 1 + max(A::FLAT_COUNT, B::FLAT_COUNT);
    const HAS_HANDLES: bool = A::HAS_HANDLES || B::HAS_HANDLES;

    fn typecheck(ty: InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        types.expect(ty, TypeKind::Result, "result")?;
        optional_case::<A>(case_type(types.tables, ty, 0, true), types)?;
        optional_case::<B>(case_type(types.tables, ty, 1, true), types)
    }
}

/// A case without a payload is the unit type.
fn optional_case<A: ComponentType>(ty: InterfaceType, types: &InstanceType<'_>) -> Result<()> {
    if ty != InterfaceType::NONE {
        return A::typecheck(ty, types);
    }
    if A::SIZE32 == 0 && A::FLAT_COUNT == 0 {
        return Ok(());
    }
    Err(Error::of(
        ErrorKind::Type,
        "the case of the result carries no value: expected `()`",
    ))
}

impl<A: Lower, B: Lower> Lower for core::result::Result<A, B> {
    fn linear_lower_to_flat<T: 'static>(
        &self,
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        dst: &mut [u64],
    ) -> Result<()> {
        dst[..Self::FLAT_COUNT].fill(0);
        dst[0] = self.is_err().into();
        match self {
            Ok(value) => {
                let ty = case_type(cx.tables(), ty, 0, A::HAS_HANDLES);
                value.linear_lower_to_flat(cx, ty, &mut dst[1..])
            }
            Err(value) => {
                let ty = case_type(cx.tables(), ty, 1, B::HAS_HANDLES);
                value.linear_lower_to_flat(cx, ty, &mut dst[1..])
            }
        }
    }

    fn linear_lower_to_memory<T: 'static>(
        &self,
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        offset: usize,
    ) -> Result<()> {
        cx.bytes(offset, 1)[0] = self.is_err().into();
        let payload = offset + payload_offset(align::<Self>(cx.wide()));
        match self {
            Ok(value) => {
                let ty = case_type(cx.tables(), ty, 0, A::HAS_HANDLES);
                value.linear_lower_to_memory(cx, ty, payload)
            }
            Err(value) => {
                let ty = case_type(cx.tables(), ty, 1, B::HAS_HANDLES);
                value.linear_lower_to_memory(cx, ty, payload)
            }
        }
    }
}

impl<A: Lift, B: Lift> Lift for core::result::Result<A, B> {
    fn linear_lift_from_flat(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        src: &[u64],
    ) -> Result<Self> {
        match src[0] as u32 {
            0 => {
                let ty = case_type(cx.tables, ty, 0, A::HAS_HANDLES);
                A::linear_lift_from_flat(cx, ty, &src[1..]).map(Ok)
            }
            1 => {
                let ty = case_type(cx.tables, ty, 1, B::HAS_HANDLES);
                B::linear_lift_from_flat(cx, ty, &src[1..]).map(Err)
            }
            case => Err(bad_discriminant(case.into(), 2)),
        }
    }

    fn linear_lift_from_memory(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        bytes: &[u8],
    ) -> Result<Self> {
        let wide = cx.wide();
        let payload = &bytes[payload_offset(align::<Self>(wide))..];
        match bytes[0] {
            0 => {
                let ty = case_type(cx.tables, ty, 0, A::HAS_HANDLES);
                A::linear_lift_from_memory(cx, ty, &payload[..size::<A>(wide)]).map(Ok)
            }
            1 => {
                let ty = case_type(cx.tables, ty, 1, B::HAS_HANDLES);
                B::linear_lift_from_memory(cx, ty, &payload[..size::<B>(wide)]).map(Err)
            }
            case => Err(bad_discriminant(case.into(), 2)),
        }
    }
}
