//! [`Val`]s through the Canonical ABI, by their types' rows.
//!
//! Recursion is bounded by the depth of types, which loading limits to a hundred. So that values as deep as
//! that fit on a small native stack, what recurses is kept apart from what doesn't, and never inlined: a
//! frame holds what its own kind of value needs and no more.

use super::{List, Val};
use crate::component::abi::cross::{flags_mask, is_bytes, list_cost};
use crate::component::abi::lift::LiftContext;
use crate::component::abi::lower::LowerContext;
use crate::component::abi::{canonical_f32, canonical_f64, character, pair};
use crate::error::{Error, ErrorKind, OutOfMemory, Result, Trap};
use crate::fallible::{self, Grow, boxed, collect, copied, try_collect};
use crate::tables::{CaseRow, Span, TypeId, TypeKind, TypeRow};
use alloc::string::String;
use alloc::vec::Vec;

/// Where a value is lifted from: core values, or the bytes of its place in memory.
#[derive(Clone, Copy)]
enum From<'a> {
    Flat(&'a [u64]),
    Memory(&'a [u8]),
}

impl<'a> From<'a> {
    /// A scalar of `width` bytes at the start of the place.
    fn get(self, width: usize) -> u64 {
        match self {
            From::Flat(slots) => slots.first().copied().unwrap_or(0),
            From::Memory(bytes) => {
                let mut word = [0; 8];
                word[..width].copy_from_slice(&bytes[..width]);
                u64::from_le_bytes(word)
            }
        }
    }

    /// A pointer and a length.
    fn pair(self, cx: &LiftContext<'_>) -> (u64, u64) {
        match self {
            From::Flat(slots) => cx.pair(slots),
            From::Memory(bytes) => pair(bytes, cx.wide()),
        }
    }

    /// What comes `flat` core values or `bytes` bytes later.
    fn skip(self, flat: usize, bytes: usize) -> From<'a> {
        match self {
            From::Flat(slots) => From::Flat(slots.get(flat..).unwrap_or(&[])),
            From::Memory(memory) => From::Memory(&memory[bytes..]),
        }
    }
}

/// Lifts a value from core values.
pub(crate) fn lift_flat(cx: &mut LiftContext<'_>, ty: TypeId, src: &[u64]) -> Result<Val> {
    lift(cx, ty, From::Flat(src))
}

/// Lifts a value from its place in memory.
pub(crate) fn load(cx: &mut LiftContext<'_>, ty: TypeId, src: &[u8]) -> Result<Val> {
    lift(cx, ty, From::Memory(src))
}

fn lift(cx: &mut LiftContext<'_>, ty: TypeId, src: From<'_>) -> Result<Val> {
    let row = cx.tables.ty(ty);
    match row.kind {
        TypeKind::Record => lift_record(cx, row.span(), src),
        TypeKind::Tuple => lift_tuple(cx, row.span(), src),
        TypeKind::Variant | TypeKind::Enum | TypeKind::Option | TypeKind::Result => {
            lift_variant(cx, row, src)
        }
        TypeKind::List => lift_list(cx, row.element(), src).map(Val::List),
        TypeKind::Map => lift_map(cx, row.element(), src),
        TypeKind::FixedList => lift_fixed_list(cx, row, src),
        _ => lift_leaf(cx, ty, src),
    }
}

/// A value that has no others in it.
#[inline(never)]
fn lift_leaf(cx: &mut LiftContext<'_>, ty: TypeId, src: From<'_>) -> Result<Val> {
    let row = cx.tables.ty(ty);
    let width = row.size as usize;
    Ok(match row.kind {
        TypeKind::Bool => Val::Bool(src.get(width) as u32 != 0),
        TypeKind::S8 => Val::S8(src.get(width) as i8),
        TypeKind::U8 => Val::U8(src.get(width) as u8),
        TypeKind::S16 => Val::S16(src.get(width) as i16),
        TypeKind::U16 => Val::U16(src.get(width) as u16),
        TypeKind::S32 => Val::S32(src.get(width) as i32),
        TypeKind::U32 => Val::U32(src.get(width) as u32),
        TypeKind::S64 => Val::S64(src.get(width) as i64),
        TypeKind::U64 => Val::U64(src.get(width)),
        TypeKind::F32 => Val::Float32(f32::from_bits(canonical_f32(src.get(width) as u32))),
        TypeKind::F64 => Val::Float64(f64::from_bits(canonical_f64(src.get(width)))),
        TypeKind::Char => Val::Char(character(src.get(width) as u32)?),
        TypeKind::String => {
            let (ptr, len) = src.pair(cx);
            Val::String(cx.string(ptr, len)?)
        }
        TypeKind::Flags => {
            let bits = src.get(width) as u32 & flags_mask(row.b);
            let cases = cx.tables.cases(row.span()).iter().enumerate();
            let set = cases.filter(|(at, _)| bits >> at & 1 != 0);
            let set = set.map(|(_, case)| fallible::text(cx.tables.name(case.name)));
            Val::Flags(try_collect(set)?)
        }
        TypeKind::ErrorContext => Val::ErrorContext(cx.error_context(src.get(4) as u32)?),
        TypeKind::Own | TypeKind::Borrow => Val::Resource(cx.resource_any(ty, src.get(4) as u32)?),
        _ => return Err(Trap::UnreachableCodeReached.into()),
    })
}

#[inline(never)]
fn lift_record(cx: &mut LiftContext<'_>, fields: Span, mut src: From<'_>) -> Result<Val> {
    let fields = cx.tables.fields(fields);
    let mut values = Vec::with_room(fields.len())?;
    let mut before = 0;
    for field in fields {
        src = src.skip(0, (field.offset - before) as usize);
        before = field.offset;
        let value = lift(cx, field.ty, src)?;
        src = src.skip(cx.tables.ty(field.ty).flat_count.into(), 0);
        values.try_push((fallible::text(cx.tables.name(field.name))?, value))?;
    }
    Ok(Val::Record(values))
}

#[inline(never)]
fn lift_tuple(cx: &mut LiftContext<'_>, fields: Span, mut src: From<'_>) -> Result<Val> {
    let fields = cx.tables.fields(fields);
    let mut values = Vec::with_room(fields.len())?;
    let mut before = 0;
    for field in fields {
        src = src.skip(0, (field.offset - before) as usize);
        before = field.offset;
        values.try_push(lift(cx, field.ty, src)?)?;
        src = src.skip(cx.tables.ty(field.ty).flat_count.into(), 0);
    }
    Ok(Val::Tuple(values))
}

#[inline(never)]
fn lift_fixed_list(cx: &mut LiftContext<'_>, row: TypeRow, src: From<'_>) -> Result<Val> {
    let element = cx.tables.ty(row.element());
    cx.cost += list_cost(element, row.b, row.size.into());
    if let (From::Memory(bytes), TypeKind::U8) = (src, element.kind) {
        return Ok(Val::FixedLengthList(
            copied(&bytes[..row.size as usize])?.into(),
        ));
    }
    let mut list: Vec<Val> = Vec::new();
    for at in 0..row.b as usize {
        let place = src.skip(
            at * usize::from(element.flat_count),
            at * element.size as usize,
        );
        list.try_push(lift(cx, row.element(), place)?)?;
    }
    Ok(Val::FixedLengthList(list.into()))
}

#[inline(never)]
fn lift_variant(cx: &mut LiftContext<'_>, row: TypeRow, src: From<'_>) -> Result<Val> {
    let case = src.get(row.discriminant.into()) as u32;
    let cases = cx.tables.cases(row.span());
    let Some(found) = cases.get(case as usize) else {
        return Err(no_case(case, cases.len()));
    };
    let payload = match found.ty.some() {
        Some(ty) => Some(boxed(lift(cx, ty, src.skip(1, row.payload as usize))?)?),
        None => None,
    };
    let name = || fallible::text(cx.tables.name(found.name));
    Ok(match row.kind {
        TypeKind::Option => Val::Option(payload),
        TypeKind::Result if case == 0 => Val::Result(Ok(payload)),
        TypeKind::Result => Val::Result(Err(payload)),
        TypeKind::Enum => Val::Enum(name()?),
        _ => Val::Variant(name()?, payload),
    })
}

#[cold]
fn no_case(case: u32, count: usize) -> Error {
    let why = format_args!("discriminant {case} out of range [0..{count})");
    Error::of(ErrorKind::Trap, why)
}

macro_rules! packed {
    ($bytes:ident, $variant:ident, $ty:ty) => {
        List::$variant(collect($bytes.chunks_exact(size_of::<$ty>()).map(
            |item| <$ty>::from_le_bytes(item.try_into().unwrap_or_default()),
        ))?)
    };
}

/// The bytes of a list's elements.
#[inline(never)]
fn elements<'a>(cx: &mut LiftContext<'a>, element: TypeId, src: From<'_>) -> Result<&'a [u8]> {
    let element = cx.tables.ty(element);
    let (ptr, len) = src.pair(cx);
    let bytes = cx.list(ptr, len, element.size, element.align.into())?;
    cx.cost += list_cost(element, len as u32, bytes.len() as u64);
    Ok(bytes)
}

#[inline(never)]
fn lift_list(cx: &mut LiftContext<'_>, element: TypeId, src: From<'_>) -> Result<List> {
    let bytes = elements(cx, element, src)?;
    let row = cx.tables.ty(element);
    if let Some(list) = lift_packed(row.kind, bytes)? {
        return Ok(list);
    }
    // A value is many times the size of what it is lifted from, so its room is made as it is needed: the
    // guest has at least a byte for each.
    let mut list: Vec<Val> = Vec::new();
    for place in bytes.chunks_exact(row.size as usize) {
        list.try_push(lift(cx, element, From::Memory(place))?)?;
    }
    Ok(List::Vals(list))
}

#[inline(never)]
fn lift_map(cx: &mut LiftContext<'_>, entry: TypeId, src: From<'_>) -> Result<Val> {
    let bytes = elements(cx, entry, src)?;
    let row = cx.tables.ty(entry);
    let [key, value] = cx.tables.fields(row.span()) else {
        return Err(Trap::UnreachableCodeReached.into());
    };
    let mut entries: Vec<(Val, Val)> = Vec::new();
    for place in bytes.chunks_exact(row.size as usize) {
        let key = lift(cx, key.ty, From::Memory(place))?;
        let place = &place[value.offset as usize..];
        entries.try_push((key, lift(cx, value.ty, From::Memory(place))?))?;
    }
    Ok(Val::Map(entries))
}

/// A list of numbers, as which it is held.
#[inline(never)]
fn lift_packed(kind: TypeKind, bytes: &[u8]) -> Result<Option<List>, OutOfMemory> {
    Ok(Some(match kind {
        TypeKind::U8 => List::U8(copied(bytes)?),
        TypeKind::S8 => packed!(bytes, S8, i8),
        TypeKind::U16 => packed!(bytes, U16, u16),
        TypeKind::S16 => packed!(bytes, S16, i16),
        TypeKind::U32 => packed!(bytes, U32, u32),
        TypeKind::S32 => packed!(bytes, S32, i32),
        TypeKind::U64 => packed!(bytes, U64, u64),
        TypeKind::S64 => packed!(bytes, S64, i64),
        TypeKind::F32 => {
            let items = bytes.chunks_exact(4);
            List::Float32(collect(items.map(|item| {
                f32::from_bits(canonical_f32(From::Memory(item).get(4) as u32))
            }))?)
        }
        TypeKind::F64 => {
            let items = bytes.chunks_exact(8);
            List::Float64(collect(items.map(|item| {
                f64::from_bits(canonical_f64(From::Memory(item).get(8)))
            }))?)
        }
        _ => return Ok(None),
    }))
}

/// Where a value is lowered to: core values, or an address.
enum To<'a> {
    Flat(&'a mut [u64]),
    Memory(usize),
}

impl To<'_> {
    /// The place `flat` core values or `bytes` bytes later.
    fn skip(&mut self, flat: usize, bytes: u32) -> To<'_> {
        match self {
            To::Flat(slots) => To::Flat(slots.get_mut(flat..).unwrap_or_default()),
            To::Memory(at) => To::Memory(*at + bytes as usize),
        }
    }

    fn set<T: 'static>(&mut self, cx: &mut LowerContext<'_, T>, width: u32, value: u64) {
        match self {
            To::Flat(slots) => slots[0] = value,
            To::Memory(at) => {
                let bytes = value.to_le_bytes();
                cx.bytes(*at, width)
                    .copy_from_slice(&bytes[..width as usize]);
            }
        }
    }

    fn set_pair<T: 'static>(&mut self, cx: &mut LowerContext<'_, T>, pair: (u64, u64)) {
        match self {
            To::Flat(slots) => (slots[0], slots[1]) = pair,
            To::Memory(at) => cx.set_pair(*at, pair),
        }
    }
}

/// Lowers a value, which was checked against its type, to as many core values as it flattens to.
pub(crate) fn lower_flat<T: 'static>(
    value: &Val,
    cx: &mut LowerContext<'_, T>,
    ty: TypeId,
    dst: &mut [u64],
) -> Result<()> {
    lower(value, cx, ty, To::Flat(dst))
}

/// Stores a value, which was checked against its type.
pub(crate) fn store<T: 'static>(
    value: &Val,
    cx: &mut LowerContext<'_, T>,
    ty: TypeId,
    at: usize,
) -> Result<()> {
    lower(value, cx, ty, To::Memory(at))
}

fn lower<T: 'static>(
    value: &Val,
    cx: &mut LowerContext<'_, T>,
    ty: TypeId,
    mut dst: To<'_>,
) -> Result<()> {
    let row = cx.row(ty);
    let scalar = match value {
        Val::Bool(x) => u64::from(*x),
        Val::S8(x) => u64::from(i32::from(*x) as u32),
        Val::U8(x) => u64::from(*x),
        Val::S16(x) => u64::from(i32::from(*x) as u32),
        Val::U16(x) => u64::from(*x),
        Val::S32(x) => u64::from(*x as u32),
        Val::U32(x) => u64::from(*x),
        Val::S64(x) => *x as u64,
        Val::U64(x) => *x,
        Val::Float32(x) => canonical_f32(x.to_bits()).into(),
        Val::Float64(x) => canonical_f64(x.to_bits()),
        Val::Char(x) => u32::from(*x).into(),
        Val::Flags(names) => flags(cx, row, names)?.into(),
        Val::ErrorContext(context) => cx.error_context(context)?.into(),
        Val::Resource(resource) => cx.resource_any(ty, resource)?.into(),
        Val::String(text) => {
            let pair = cx.string(text)?;
            dst.set_pair(cx, pair);
            return Ok(());
        }
        Val::List(list) => {
            let pair = lower_list(list, cx, row)?;
            dst.set_pair(cx, pair);
            return Ok(());
        }
        Val::FixedLengthList(list) => return lower_fixed_list(list, cx, row, dst),
        Val::Map(entries) => return lower_map(entries, cx, row, dst),
        Val::Record(fields) => {
            return lower_fields(fields.iter().map(|(_, value)| value), cx, row, dst);
        }
        Val::Tuple(values) => return lower_fields(values.iter(), cx, row, dst),
        Val::Variant(name, payload) => {
            let case = find_case(cx, row, name)?;
            return lower_variant(payload.as_deref(), case, cx, row, dst);
        }
        Val::Enum(name) => {
            let case = find_case(cx, row, name)?;
            return lower_variant(None, case, cx, row, dst);
        }
        Val::Option(payload) => {
            let case = u32::from(payload.is_some());
            return lower_variant(payload.as_deref(), case, cx, row, dst);
        }
        Val::Result(Ok(payload)) => return lower_variant(payload.as_deref(), 0, cx, row, dst),
        Val::Result(Err(payload)) => return lower_variant(payload.as_deref(), 1, cx, row, dst),
    };
    dst.set(cx, row.size, scalar);
    Ok(())
}

fn cases<'c, T: 'static>(cx: &'c LowerContext<'_, T>, row: TypeRow) -> &'c [CaseRow] {
    cx.tables().cases(row.span())
}

#[inline(never)]
fn find_case<T: 'static>(cx: &LowerContext<'_, T>, row: TypeRow, name: &str) -> Result<u32> {
    let named = |case: &CaseRow| cx.tables().name(case.name) == name;
    let found = cases(cx, row).iter().position(named);
    found
        .map(|at| at as u32)
        .ok_or_else(|| super::check::unknown("case", name))
}

#[inline(never)]
fn flags<T: 'static>(cx: &LowerContext<'_, T>, row: TypeRow, names: &[String]) -> Result<u32> {
    let mut bits = 0;
    for name in names {
        bits |= 1u32.checked_shl(find_case(cx, row, name)?).unwrap_or(0);
    }
    Ok(bits)
}

#[inline(never)]
fn lower_fields<'v, T: 'static>(
    values: impl Iterator<Item = &'v Val>,
    cx: &mut LowerContext<'_, T>,
    row: TypeRow,
    mut dst: To<'_>,
) -> Result<()> {
    let mut flat = 0;
    for (at, value) in values.enumerate() {
        let field = cx.tables().fields(row.span())[at];
        lower(value, cx, field.ty, dst.skip(flat, field.offset))?;
        flat += usize::from(cx.row(field.ty).flat_count);
    }
    Ok(())
}

#[inline(never)]
fn lower_variant<T: 'static>(
    payload: Option<&Val>,
    case: u32,
    cx: &mut LowerContext<'_, T>,
    row: TypeRow,
    mut dst: To<'_>,
) -> Result<()> {
    let ty = cases(cx, row)[case as usize].ty;
    if let To::Flat(slots) = &mut dst {
        slots[..usize::from(row.flat_count)].fill(0);
    }
    dst.set(cx, row.discriminant.into(), case.into());
    match (payload, ty.some()) {
        (Some(value), Some(ty)) => lower(value, cx, ty, dst.skip(1, row.payload)),
        _ => Ok(()),
    }
}

#[inline(never)]
fn lower_fixed_list<T: 'static>(
    list: &List,
    cx: &mut LowerContext<'_, T>,
    row: TypeRow,
    mut dst: To<'_>,
) -> Result<()> {
    let element = cx.row(row.element());
    cx.spend(list_cost(element, row.b, row.size.into()));
    let flat = usize::from(element.flat_count);
    for at in 0..list.len() {
        let place = dst.skip(at * flat, at as u32 * element.size);
        match list {
            List::Vals(list) => lower(&list[at], cx, row.element(), place)?,
            packed => {
                if let Some(value) = packed.get(at) {
                    lower(&value, cx, row.element(), place)?;
                }
            }
        }
    }
    Ok(())
}

#[inline(never)]
fn lower_map<T: 'static>(
    entries: &[(Val, Val)],
    cx: &mut LowerContext<'_, T>,
    row: TypeRow,
    mut dst: To<'_>,
) -> Result<()> {
    let element = cx.row(row.element());
    let (ptr, len) = list_room(entries.len(), cx, element)?;
    let [key, value] = cx.tables().fields(element.span()) else {
        return Err(Trap::UnreachableCodeReached.into());
    };
    let (key, value) = ((key.ty, key.offset), (value.ty, value.offset));
    for (at, entry) in (0..len).zip(entries) {
        let place = ptr + (at * element.size) as usize;
        store(&entry.0, cx, key.0, place + key.1 as usize)?;
        store(&entry.1, cx, value.0, place + value.1 as usize)?;
    }
    dst.set_pair(cx, (ptr as u64, len.into()));
    Ok(())
}

/// Room for a list; its address and length.
#[inline(never)]
fn list_room<T: 'static>(
    len: usize,
    cx: &mut LowerContext<'_, T>,
    element: TypeRow,
) -> Result<(usize, u32)> {
    let (ptr, len) = cx.list_room(len, element.size, element.align.into())?;
    let bytes = u64::from(len) * u64::from(element.size);
    cx.spend(list_cost(element, len, bytes));
    Ok((ptr, len))
}

#[inline(never)]
fn lower_list<T: 'static>(
    list: &List,
    cx: &mut LowerContext<'_, T>,
    row: TypeRow,
) -> Result<(u64, u64)> {
    let element = cx.row(row.element());
    let (ptr, len) = list_room(list.len(), cx, element)?;
    if let (List::U8(bytes), true) = (list, is_bytes(element)) {
        cx.bytes(ptr, len).copy_from_slice(bytes);
        return Ok((ptr as u64, len.into()));
    }
    for at in 0..len {
        let place = ptr + (at * element.size) as usize;
        match list {
            List::Vals(list) => store(&list[at as usize], cx, row.element(), place)?,
            packed => {
                if let Some(value) = packed.get(at as usize) {
                    store(&value, cx, row.element(), place)?;
                }
            }
        }
    }
    Ok((ptr as u64, len.into()))
}
