//! Rows as 32-bit words: what each kind of field is written as, and read back from.
//!
//! Reading an enum refuses numbers that none of its values has; whether an index names something is
//! for the checks to say.

use crate::tables::*;
#[cfg(feature = "compile")]
use alloc::vec::Vec;

/// Words that are read one after the other.
#[derive(Clone)]
pub(crate) struct Cells<'a> {
    bytes: &'a [u8],
}

impl<'a> Cells<'a> {
    pub fn new(bytes: &'a [u8]) -> Cells<'a> {
        Cells { bytes }
    }

    /// The next word.
    pub fn next(&mut self) -> Option<u32> {
        let (word, rest) = self.bytes.split_first_chunk::<4>()?;
        self.bytes = rest;
        Some(u32::from_le_bytes(*word))
    }

    /// The next two words as one.
    pub fn wide(&mut self) -> Option<u64> {
        let low = self.next()?;
        Some(u64::from(low) | u64::from(self.next()?) << 32)
    }

    /// A count of things that take at least so many words each: no more than there can be.
    pub fn count(&mut self, words: usize) -> Option<usize> {
        let count = self.next()? as usize;
        (count <= self.bytes.len() / (4 * words)).then_some(count)
    }

    /// Whether nothing is left but what fills up the last eight bytes.
    pub fn is_done(&self) -> bool {
        self.bytes.len() < 8 && self.bytes.iter().all(|byte| *byte == 0)
    }
}

/// Written as words.
pub(crate) trait Cell: Sized {
    /// How many.
    const WORDS: usize;
    #[cfg(feature = "compile")]
    fn put(self, out: &mut Vec<u32>);
    /// `None` if there is no such value.
    fn take(cells: &mut Cells<'_>) -> Option<Self>;
}

impl Cell for u32 {
    const WORDS: usize = 1;
    #[cfg(feature = "compile")]
    fn put(self, out: &mut Vec<u32>) {
        out.push(self);
    }
    fn take(cells: &mut Cells<'_>) -> Option<u32> {
        cells.next()
    }
}

macro_rules! narrow {
    ($($ty:ty)*) => {
        $(impl Cell for $ty {
            const WORDS: usize = 1;
            #[cfg(feature = "compile")]
            fn put(self, out: &mut Vec<u32>) {
                out.push(self.into());
            }
            fn take(cells: &mut Cells<'_>) -> Option<$ty> {
                <$ty>::try_from(cells.next()?).ok()
            }
        })*
    };
}

narrow!(u8 u16);

impl Cell for bool {
    const WORDS: usize = 1;
    #[cfg(feature = "compile")]
    fn put(self, out: &mut Vec<u32>) {
        out.push(self.into());
    }
    fn take(cells: &mut Cells<'_>) -> Option<bool> {
        match cells.next()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

macro_rules! ids {
    ($($name:ident)*) => {
        $(impl Cell for $name {
            const WORDS: usize = 1;
            #[cfg(feature = "compile")]
            fn put(self, out: &mut Vec<u32>) {
                out.push(self.0);
            }
            fn take(cells: &mut Cells<'_>) -> Option<$name> {
                Some($name(cells.next()?))
            }
        })*
    };
}

ids! {
    NameId TypeId FuncTypeId InstanceTypeId ComponentTypeId ModuleTypeId CoreSigId ResourceId LeafId InstanceId
    CoreInstanceId CoreDefId OptionsId FuncId TrampolineId
}

macro_rules! enums {
    ($($name:ident: $($value:ident)*;)*) => {
        $(impl Cell for $name {
            const WORDS: usize = 1;
            #[cfg(feature = "compile")]
            fn put(self, out: &mut Vec<u32>) {
                out.push(self as u32);
            }
            fn take(cells: &mut Cells<'_>) -> Option<$name> {
                let number = cells.next()?;
                $(if number == $name::$value as u32 {
                    return Some($name::$value);
                })*
                None
            }
        })*
    };
}

enums! {
    TypeKind: Bool S8 U8 S16 U16 S32 U32 S64 U64 F32 F64 Char String ErrorContext Record Tuple Variant Enum Option
        Result Flags List FixedList Map Own Borrow Stream Future;
    Class: Plain Checked Pointer Own Borrow;
    CoreType: I32 I64 F32 F64 V128 FuncRef ExternRef ExnRef;
    ExternKind: Func Module Instance Component Type FuncType InstanceType ComponentType Resource ResourceEq;
    CoreKind: Func Table Memory Global Tag;
    LeafKind: Func Module Resource Component;
    CoreSpace: Func Table Memory Global Tag;
    CoreDefKind: Export ExportByName Trampoline;
    Encoding: Utf8 Utf16 CompactUtf16;
    FuncKind: Lifted Imported;
    TrampolineKind: Lower Adapter ResourceNew ResourceRep ResourceDrop ErrorContextNew ErrorContextMessage
        ErrorContextDrop;
    InitKind: Instantiate InstantiateImported Resolve Define;
    ExportKind: Func Module ImportedModule Instance Type Resource FuncType InstanceType ComponentType Component;
}

macro_rules! structs {
    ($($name:ident: $($field:ident: $ty:ty),*;)*) => {
        $(impl Cell for $name {
            const WORDS: usize = 0 $(+ <$ty>::WORDS)*;
            #[cfg(feature = "compile")]
            fn put(self, out: &mut Vec<u32>) {
                $(self.$field.put(out);)*
            }
            fn take(cells: &mut Cells<'_>) -> Option<$name> {
                Some($name { $($field: <$ty>::take(cells)?),* })
            }
        })*
    };
}

structs! {
    Span: start: u32, len: u32;
    NameRow: offset: u32, len: u32;
    TypeRow: kind: TypeKind, class: Class, align: u8, flat_count: u8, flags: u8, discriminant: u8, depth: u16,
        size: u32, flat_start: u32, a: u32, b: u32, payload: u32;
    FieldRow: name: NameId, ty: TypeId, offset: u32;
    CaseRow: name: NameId, ty: TypeId;
    FuncTypeRow: params: TypeId, result: TypeId, is_async: bool;
    ExternRow: name: NameId, implements: NameId, external_id: NameId, kind: ExternKind, a: u32;
    ComponentTypeRow: imports: Span, exports: Span;
    CoreSigRow: params: Span, results: Span;
    CoreExternRow: module: NameId, name: NameId, kind: CoreKind, ty: CoreType, flags: u8, a: u32, b: u32;
    ModuleTypeRow: imports: Span, exports: Span;
    ResourceRow: leaf: LeafId, owner: InstanceId, dtor: CoreDefId, name: NameId;
    LeafRow: import: u32, path: Span, kind: LeafKind, a: u32;
    InstanceRow: parent: InstanceId, name: NameId;
    ModuleRow: ty: ModuleTypeId, start: u32, end: u32;
    CoreDefRow: kind: CoreDefKind, space: CoreSpace, a: u32, b: u32;
    OptionsRow: instance: InstanceId, encoding: Encoding, memory: CoreDefId, wide: bool, realloc: CoreDefId,
        post_return: CoreDefId, sig: CoreSigId;
    FuncRow: kind: FuncKind, ty: FuncTypeId, core: CoreDefId, options: OptionsId, leaf: LeafId;
    TrampolineRow: kind: TrampolineKind, sig: CoreSigId, instance: InstanceId, func: FuncId, ty: FuncTypeId,
        options: OptionsId, resource: ResourceId;
    InitRow: kind: InitKind, a: u32, instance: InstanceId, core: CoreInstanceId, args: Span;
    NamedArgRow: module: NameId, name: NameId, def: CoreDefId;
    ExportRow: name: NameId, kind: ExportKind, ty: u32, a: u32, b: u32;
}
