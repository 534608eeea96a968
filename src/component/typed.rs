//! Rust types as component types: [`ComponentType`], [`Lift`] and [`Lower`].
//!
//! A Rust type that implements them is lifted from and lowered to a guest's memory directly: no
//! [`Val`](super::Val) in between, no names looked up, lists of numbers in one copy. Whether a function
//! has these types is checked once, when it is bound.

mod containers;
pub mod internal;
mod maps;
mod pairs;
mod scalars;
mod tuples;
mod views;
mod wrappers;

pub use tuples::ComponentNamedList;
pub use views::{WasmList, WasmStr};

use super::abi::lift::LiftContext;
use super::abi::lower::LowerContext;
use super::resource::ResourceType;
use super::types::{Scope, Type};
use crate::error::{Error, ErrorKind, OutOfMemory, Result};
use crate::fallible::Shared;
use crate::tables::{ComponentTables, TypeId, TypeKind, TypeRow};
use alloc::string::String;
use alloc::vec::Vec;

/// A component type, within the component that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InterfaceType(pub(crate) TypeId);

impl InterfaceType {
    /// Where a type has no parts that matter.
    pub(crate) const NONE: InterfaceType = InterfaceType(TypeId::NONE);
    /// In an index: what is meant is the tuple of that type alone.
    const SINGLE: u32 = 1 << 31;

    /// The tuple of one type, which has no row of its own.
    pub(crate) const fn single(ty: TypeId) -> InterfaceType {
        InterfaceType(TypeId(ty.0 | Self::SINGLE))
    }
}

/// The types of a component, and what its resource types are bound to.
pub struct InstanceType<'a> {
    pub(crate) tables: &'a Shared<ComponentTables>,
    pub(crate) resources: &'a [ResourceType],
}

impl InstanceType<'_> {
    pub(crate) fn row(&self, ty: InterfaceType) -> TypeRow {
        self.tables.ty(ty.0)
    }

    pub(crate) fn resource(&self, row: TypeRow) -> Option<ResourceType> {
        self.resources.get(row.resource().index()).copied()
    }

    /// The error for a Rust type that isn't of the component's type.
    pub(crate) fn mismatch(&self, rust: &str, ty: InterfaceType) -> Error {
        let scope = Scope::uninstantiated(self.tables.clone());
        let found = Type::new(&scope, ty.0);
        Error::of(
            ErrorKind::Type,
            format_args!("expected `{rust}` found `{found}`"),
        )
    }

    /// An error unless the type is of a kind.
    pub(crate) fn expect(&self, ty: InterfaceType, kind: TypeKind, rust: &str) -> Result<TypeRow> {
        let row = self.row(ty);
        if row.kind == kind {
            Ok(row)
        } else {
            Err(self.mismatch(rust, ty))
        }
    }
}

/// A Rust type that stands for a component type.
///
/// The layouts that its constants tell are the Canonical ABI's, for memories of either width of addresses.
///
/// ```
/// use cellule::component::ComponentType;
///
/// # fn main() -> cellule::Result<()> {
/// // The layout that guests see: a record of a byte and a pointer with a length.
/// assert_eq!(<(u8, String)>::SIZE32, 12);
/// assert_eq!(<(u8, String)>::ALIGN32, 4);
/// assert_eq!(<(u8, String)>::FLAT_COUNT, 3);
/// // In a 64-bit memory pointers and lengths are larger.
/// assert_eq!(<(u8, String)>::SIZE64, 24);
/// assert_eq!(<(u8, String)>::ALIGN64, 8);
/// # Ok(())
/// # }
/// ```
pub trait ComponentType: Send + Sync {
    /// Size in bytes.
    const SIZE32: usize;
    /// Alignment in bytes.
    const ALIGN32: u32;
    /// Size in bytes in a 64-bit memory.
    const SIZE64: usize;
    /// Alignment in bytes in a 64-bit memory.
    const ALIGN64: u32;
    /// How many core values it flattens to.
    const FLAT_COUNT: usize;
    /// Whether handles are in it, so that lifting and lowering need the component's own type.
    const HAS_HANDLES: bool = false;
    /// Whether its values are moved as bytes: integers without padding between them.
    const PLAIN: bool = false;

    /// An error unless it stands for the type.
    fn typecheck(ty: InterfaceType, types: &InstanceType<'_>) -> Result<()>;
}

/// A type whose values can be passed to guests.
pub trait Lower: ComponentType {
    /// Lowers to core values: `dst` has at least as many slots as it flattens to, all of which are
    /// written.
    fn linear_lower_to_flat<T: 'static>(
        &self,
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        dst: &mut [u64],
    ) -> Result<()>;

    /// Stores at an address whose range was checked.
    fn linear_lower_to_memory<T: 'static>(
        &self,
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        offset: usize,
    ) -> Result<()>;

    /// Stores a list's elements at an address whose range was checked.
    fn linear_store_list_to_memory<T: 'static>(
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        mut offset: usize,
        items: &[Self],
    ) -> Result<()>
    where
        Self: Sized,
    {
        for item in items {
            item.linear_lower_to_memory(cx, ty, offset)?;
            offset += size::<Self>(cx.wide());
        }
        Ok(())
    }
}

/// A type whose values can be taken from guests.
pub trait Lift: ComponentType + Sized {
    /// Lifts from core values, of which `src` has at least as many as it flattens to.
    fn linear_lift_from_flat(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        src: &[u64],
    ) -> Result<Self>;

    /// Lifts from its place in memory, which is as many bytes as its size.
    fn linear_lift_from_memory(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        bytes: &[u8],
    ) -> Result<Self>;

    /// Lifts a list's elements from their bytes.
    fn linear_lift_list_from_memory(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        bytes: &[u8],
    ) -> Result<Vec<Self>> {
        let size = size::<Self>(cx.wide()).max(1);
        // Reserved as the elements come: each is many times the size of what it is lifted from.
        let mut items = Vec::new();
        items
            .try_reserve(bytes.len() / size)
            .map_err(OutOfMemory::from)?;
        for place in bytes.chunks_exact(size) {
            items.push(Self::linear_lift_from_memory(cx, ty, place)?);
        }
        Ok(items)
    }
}

/// Size in bytes, for pointers of that width.
#[inline]
pub(crate) const fn size<A: ComponentType + ?Sized>(wide: bool) -> usize {
    if wide { A::SIZE64 } else { A::SIZE32 }
}

/// Alignment in bytes, for pointers of that width.
#[inline]
pub(crate) const fn align<A: ComponentType + ?Sized>(wide: bool) -> u32 {
    if wide { A::ALIGN64 } else { A::ALIGN32 }
}

/// The smallest address that an alignment allows from `offset` on.
pub(crate) const fn align_to(offset: usize, align: u32) -> usize {
    offset.next_multiple_of(align as usize)
}

/// The larger of two alignments, in constants.
pub(crate) const fn max_align(a: u32, b: u32) -> u32 {
    if a > b { a } else { b }
}

/// The larger of two, in constants.
pub(crate) const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

/// The trap for a discriminant that no case has.
fn bad_discriminant(case: u64, count: u32) -> Error {
    let why = format_args!("discriminant {case} out of range [0..{count})");
    Error::of(ErrorKind::Trap, why)
}

/// The type of a variant's case, where it matters.
pub(crate) fn case_type(
    tables: &ComponentTables,
    ty: InterfaceType,
    case: usize,
    matters: bool,
) -> InterfaceType {
    if !matters {
        return InterfaceType::NONE;
    }
    let row = tables.ty(ty.0);
    InterfaceType(tables.cases(row.span())[case].ty)
}
