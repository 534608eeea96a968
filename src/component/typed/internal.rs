//! What the code that derives, `flags!` and `bindgen!` expand to is built of.
//!
//! Not part of the API: it changes together with the crate of the macros.

use super::tuples::field_type;
use super::*;
use crate::component::{Component, ComponentExportIndex, TypedFunc};
use crate::fallible;
use core::fmt;

pub use alloc::boxed::Box;
pub use alloc::collections::BTreeMap;
pub use alloc::string::String;
pub use alloc::vec::Vec;

/// How values of a type lie in memory, and what they flatten to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Size in bytes.
    pub size: usize,
    /// Alignment in bytes.
    pub align: u32,
    /// Size in bytes in a 64-bit memory.
    pub size64: usize,
    /// Alignment in bytes in a 64-bit memory.
    pub align64: u32,
    /// How many core values it flattens to.
    pub flat: usize,
    /// Whether handles are in it.
    pub handles: bool,
    /// Whether it is integers without padding.
    pub plain: bool,
    /// How many cases a variant has.
    pub cases: usize,
    /// Offset of a variant's payload.
    pub payload: usize,
    /// Offset of a variant's payload in a 64-bit memory.
    pub payload64: usize,
}

impl Layout {
    const EMPTY: Layout = Layout {
        size: 0,
        align: 1,
        size64: 0,
        align64: 1,
        flat: 0,
        handles: false,
        plain: true,
        cases: 0,
        payload: 0,
        payload64: 0,
    };

    /// A type's layout, as a part of another one.
    pub const fn of<A: ComponentType>() -> Layout {
        Layout {
            size: A::SIZE32,
            align: A::ALIGN32,
            size64: A::SIZE64,
            align64: A::ALIGN64,
            flat: A::FLAT_COUNT,
            handles: A::HAS_HANDLES,
            plain: A::PLAIN,
            ..Layout::EMPTY
        }
    }

    const fn take_in(&mut self, part: Layout) {
        self.align = max_align(self.align, part.align);
        self.align64 = max_align(self.align64, part.align64);
        self.handles |= part.handles;
        self.plain &= part.plain;
    }

    /// A record of these fields.
    pub const fn record(fields: &[Layout]) -> Layout {
        let mut all = Layout::EMPTY;
        let mut used = 0;
        let mut at = 0;
        while at < fields.len() {
            let field = fields[at];
            all.take_in(field);
            all.flat += field.flat;
            all.size = align_to(all.size, field.align) + field.size;
            all.size64 = align_to(all.size64, field.align64) + field.size64;
            used += field.size;
            at += 1;
        }
        all.size = align_to(all.size, all.align);
        all.size64 = align_to(all.size64, all.align64);
        all.plain &= used == all.size;
        all
    }

    /// A variant of so many cases, some of which carry these payloads.
    pub const fn variant(cases: usize, payloads: &[Layout]) -> Layout {
        let mut all = Layout::EMPTY;
        let mut at = 0;
        while at < payloads.len() {
            let payload = payloads[at];
            all.take_in(payload);
            all.flat = max(all.flat, payload.flat);
            all.size = max(all.size, payload.size);
            all.size64 = max(all.size64, payload.size64);
            at += 1;
        }
        let discriminant = discriminant(cases);
        all.payload = align_to(discriminant, all.align);
        all.payload64 = align_to(discriminant, all.align64);
        all.align = max_align(discriminant as u32, all.align);
        all.align64 = max_align(discriminant as u32, all.align64);
        all.size = align_to(all.payload + all.size, all.align);
        all.size64 = align_to(all.payload64 + all.size64, all.align64);
        all.flat += 1;
        all.cases = cases;
        // A discriminant is checked.
        all.plain = false;
        all
    }
}

/// Offset of a variant's payload, for pointers of that width.
#[inline]
const fn payload_offset<V: Derived>(wide: bool) -> usize {
    match wide {
        true => V::LAYOUT.payload64,
        false => V::LAYOUT.payload,
    }
}

/// Bytes of the discriminant of so many cases.
const fn discriminant(cases: usize) -> usize {
    match cases {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 4,
    }
}

/// A type whose component type was derived.
pub trait Derived: ComponentType {
    /// Its layout.
    const LAYOUT: Layout;
}

/// Goes through a record's fields, in order.
pub struct Fields {
    ty: InterfaceType,
    index: usize,
    /// Where the next field begins: in core values or in bytes.
    start: usize,
}

impl Fields {
    /// Before the first field of a record of this type.
    #[inline]
    pub const fn new(ty: InterfaceType) -> Fields {
        Fields {
            ty,
            index: 0,
            start: 0,
        }
    }

    /// The type of the next field, where it matters.
    #[inline]
    fn ty(&mut self, tables: &ComponentTables, matters: bool) -> InterfaceType {
        self.index += 1;
        field_type(tables, self.ty, self.index - 1, matters)
    }

    /// The next field's core values.
    #[inline]
    fn flat<A: ComponentType>(&mut self) -> core::ops::Range<usize> {
        let start = self.start;
        self.start += A::FLAT_COUNT;
        start..self.start
    }

    /// The next field's bytes.
    #[inline]
    fn bytes<A: ComponentType>(&mut self, wide: bool) -> core::ops::Range<usize> {
        let start = align_to(self.start, align::<A>(wide));
        self.start = start + size::<A>(wide);
        start..self.start
    }

    /// Lowers the next field to core values.
    ///
    /// # Errors
    /// As lowering the field.
    #[inline]
    pub fn lower<A: Lower, T: 'static>(
        &mut self,
        field: &A,
        cx: &mut LowerContext<'_, T>,
        dst: &mut [u64],
    ) -> Result<()> {
        let ty = self.ty(cx.tables(), A::HAS_HANDLES);
        field.linear_lower_to_flat(cx, ty, &mut dst[self.flat::<A>()])
    }

    /// Stores the next field of the record at `offset`.
    ///
    /// # Errors
    /// As lowering the field.
    #[inline]
    pub fn store<A: Lower, T: 'static>(
        &mut self,
        field: &A,
        cx: &mut LowerContext<'_, T>,
        offset: usize,
    ) -> Result<()> {
        let ty = self.ty(cx.tables(), A::HAS_HANDLES);
        let start = self.bytes::<A>(cx.wide()).start;
        field.linear_lower_to_memory(cx, ty, offset + start)
    }

    /// Lifts the next field from core values.
    ///
    /// # Errors
    /// As lifting the field.
    #[inline]
    pub fn lift<A: Lift>(&mut self, cx: &mut LiftContext<'_>, src: &[u64]) -> Result<A> {
        let ty = self.ty(cx.tables, A::HAS_HANDLES);
        A::linear_lift_from_flat(cx, ty, &src[self.flat::<A>()])
    }

    /// Lifts the next field of the record that lies in `bytes`.
    ///
    /// # Errors
    /// As lifting the field.
    #[inline]
    pub fn load<A: Lift>(&mut self, cx: &mut LiftContext<'_>, bytes: &[u8]) -> Result<A> {
        let ty = self.ty(cx.tables, A::HAS_HANDLES);
        let place = self.bytes::<A>(cx.wide());
        A::linear_lift_from_memory(cx, ty, &bytes[place])
    }
}

/// Lowers a case without a payload to core values.
///
/// # Errors
/// None; the result is what a match arm needs.
#[inline]
pub fn lower_case<V: Derived>(case: u32, dst: &mut [u64]) -> Result<()> {
    // The slots of other cases' payloads are seen by the guest.
    dst[..V::LAYOUT.flat].fill(0);
    dst[0] = case.into();
    Ok(())
}

/// Lowers a case with its payload to core values.
///
/// # Errors
/// As lowering the payload.
#[inline]
pub fn lower_payload<V: Derived, A: Lower, T: 'static>(
    case: u32,
    payload: &A,
    cx: &mut LowerContext<'_, T>,
    ty: InterfaceType,
    dst: &mut [u64],
) -> Result<()> {
    lower_case::<V>(case, dst)?;
    let ty = case_type(cx.tables(), ty, case as usize, A::HAS_HANDLES);
    payload.linear_lower_to_flat(cx, ty, &mut dst[1..])
}

/// Stores a case without a payload.
///
/// # Errors
/// None; the result is what a match arm needs.
#[inline]
pub fn store_case<V: Derived, T: 'static>(
    case: u32,
    cx: &mut LowerContext<'_, T>,
    offset: usize,
) -> Result<()> {
    let bytes = case.to_le_bytes();
    store_bytes(cx, offset, &bytes[..discriminant(V::LAYOUT.cases)]);
    Ok(())
}

/// Stores a case with its payload.
///
/// # Errors
/// As lowering the payload.
#[inline]
pub fn store_payload<V: Derived, A: Lower, T: 'static>(
    case: u32,
    payload: &A,
    cx: &mut LowerContext<'_, T>,
    ty: InterfaceType,
    offset: usize,
) -> Result<()> {
    store_case::<V, T>(case, cx, offset)?;
    let ty = case_type(cx.tables(), ty, case as usize, A::HAS_HANDLES);
    let start = payload_offset::<V>(cx.wide());
    payload.linear_lower_to_memory(cx, ty, offset + start)
}

/// Stores bytes at an address whose range was checked.
#[inline]
pub fn store_bytes<T: 'static>(cx: &mut LowerContext<'_, T>, offset: usize, bytes: &[u8]) {
    cx.bytes(offset, bytes.len() as u32).copy_from_slice(bytes);
}

/// The bits of an integer of up to four bytes that are in a mask.
#[inline]
pub fn load_bits(bytes: &[u8], mask: u32) -> u32 {
    let mut word = [0; 4];
    word[..bytes.len()].copy_from_slice(bytes);
    u32::from_le_bytes(word) & mask
}

/// Which case the core values are of; it may be one that doesn't exist.
#[inline]
pub fn lifted_case(src: &[u64]) -> u32 {
    src[0] as u32
}

/// Which case is stored there; it may be one that doesn't exist.
#[inline]
pub fn loaded_case<V: Derived>(bytes: &[u8]) -> u32 {
    load_bits(&bytes[..discriminant(V::LAYOUT.cases)], u32::MAX)
}

/// Lifts a case's payload from the variant's core values.
///
/// # Errors
/// As lifting the payload.
#[inline]
pub fn lift_payload<A: Lift>(
    case: u32,
    cx: &mut LiftContext<'_>,
    ty: InterfaceType,
    src: &[u64],
) -> Result<A> {
    let ty = case_type(cx.tables, ty, case as usize, A::HAS_HANDLES);
    A::linear_lift_from_flat(cx, ty, &src[1..])
}

/// Lifts a case's payload from the variant's bytes.
///
/// # Errors
/// As lifting the payload.
#[inline]
pub fn load_payload<V: Derived, A: Lift>(
    case: u32,
    cx: &mut LiftContext<'_>,
    ty: InterfaceType,
    bytes: &[u8],
) -> Result<A> {
    let ty = case_type(cx.tables, ty, case as usize, A::HAS_HANDLES);
    let start = payload_offset::<V>(cx.wide());
    let end = start + size::<A>(cx.wide());
    A::linear_lift_from_memory(cx, ty, &bytes[start..end])
}

/// The trap for a discriminant that no case has.
#[cold]
pub fn no_such_case<V: Derived>(case: u32) -> Error {
    bad_discriminant(case.into(), V::LAYOUT.cases as u32)
}

/// The check of a part's type.
pub type Check = fn(InterfaceType, &InstanceType<'_>) -> Result<()>;

/// An error unless there are as many parts, such as `record of 2 fields`.
fn same_count(kind: &str, part: &str, expected: usize, found: usize) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    let why = format_args!("expected {kind} of {expected} {part}, found {found} {part}");
    Err(Error::of(ErrorKind::Type, why))
}

/// An error unless the names are the same.
fn same_name(part: &str, expected: &str, found: &str) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    let why = format_args!("expected {part} `{expected}`, found `{found}`");
    Err(Error::of(ErrorKind::Type, why))
}

/// An error with what it is about.
fn about(error: Error, what: fmt::Arguments<'_>) -> Error {
    match fallible::format(what) {
        Ok(what) => error.context(what),
        Err(none) => none.into(),
    }
}

/// An error unless it is a record of these fields.
///
/// # Errors
/// What differs.
pub fn typecheck_record(
    ty: InterfaceType,
    types: &InstanceType<'_>,
    fields: &[(&str, Check)],
) -> Result<()> {
    let row = types.expect(ty, TypeKind::Record, "record")?;
    let found = types.tables.fields(row.span());
    same_count("record", "fields", fields.len(), found.len())?;
    for ((name, check), field) in fields.iter().zip(found) {
        same_name("record field", name, types.tables.name(field.name))?;
        check(InterfaceType(field.ty), types)
            .map_err(|error| about(error, format_args!("type mismatch for field `{name}`")))?;
    }
    Ok(())
}

/// An error unless it is a variant of these cases.
///
/// # Errors
/// What differs.
pub fn typecheck_variant(
    ty: InterfaceType,
    types: &InstanceType<'_>,
    cases: &[(&str, Option<Check>)],
) -> Result<()> {
    let row = types.expect(ty, TypeKind::Variant, "variant")?;
    let found = types.tables.cases(row.span());
    same_count("variant", "cases", cases.len(), found.len())?;
    for ((name, check), case) in cases.iter().zip(found) {
        same_name("variant case", name, types.tables.name(case.name))?;
        let why = match (check, case.ty.some()) {
            (None, None) => continue,
            (Some(check), Some(ty)) => {
                check(InterfaceType(ty), types).map_err(|error| {
                    about(error, format_args!("type mismatch for case `{name}`"))
                })?;
                continue;
            }
            (Some(_), None) => ("with", "none"),
            (None, Some(_)) => ("without", "one"),
        };
        let (with, found) = why;
        let why = format_args!("expected variant case `{name}` {with} a value, found {found}");
        return Err(Error::of(ErrorKind::Type, why));
    }
    Ok(())
}

fn typecheck_names(
    (ty, kind, part): (InterfaceType, TypeKind, &str),
    (whole, parts): (&str, &str),
    types: &InstanceType<'_>,
    names: &[&str],
) -> Result<()> {
    let row = types.expect(ty, kind, whole)?;
    let found = types.tables.cases(row.span());
    same_count(whole, parts, names.len(), found.len())?;
    let mut pairs = names.iter().zip(found);
    pairs.try_for_each(|(name, case)| same_name(part, name, types.tables.name(case.name)))
}

/// An error unless it is an enum of these cases.
///
/// # Errors
/// What differs.
pub fn typecheck_enum(ty: InterfaceType, types: &InstanceType<'_>, names: &[&str]) -> Result<()> {
    typecheck_names(
        (ty, TypeKind::Enum, "enum case"),
        ("enum", "cases"),
        types,
        names,
    )
}

/// An error unless it is flags of these names.
///
/// # Errors
/// What differs.
pub fn typecheck_flags(ty: InterfaceType, types: &InstanceType<'_>, names: &[&str]) -> Result<()> {
    typecheck_names(
        (ty, TypeKind::Flags, "flag"),
        ("flags", "names"),
        types,
        names,
    )
}

/// Writes flags by their names: `Permissions(READ | EXEC)`.
///
/// # Errors
/// Those of the formatter.
pub fn fmt_flags(f: &mut fmt::Formatter<'_>, ty: &str, bits: u32, names: &[&str]) -> fmt::Result {
    write!(f, "{ty}(")?;
    let set = names
        .iter()
        .enumerate()
        .filter(|(at, _)| bits >> at & 1 != 0);
    for (count, (_, name)) in set.enumerate() {
        let between = if count == 0 { "" } else { " | " };
        write!(f, "{between}{name}")?;
    }
    f.write_str(")")
}

/// The same function, for parameters of other Rust types that are lowered to the same type: what is
/// borrowed for one call only, where the function was checked with what lives for ever.
///
/// Nothing but the lifetimes should differ. If more does, calls pass wrong values, which no more than
/// a guest of its own can harm.
#[inline]
pub fn with_params<A, B, Return>(func: &TypedFunc<A, Return>) -> TypedFunc<B, Return> {
    func.with_params()
}

/// The index of a function in an exported instance.
///
/// # Errors
/// If there is none: `lacks`, with its name.
pub fn index(
    component: &Component,
    instance: &ComponentExportIndex,
    name: &str,
    lacks: &str,
) -> Result<ComponentExportIndex> {
    let index = component.get_export_index(Some(instance), name);
    index.ok_or_else(|| Error::of(ErrorKind::Host, format_args!("{lacks}`{name}`")))
}
