//! The rows of a component's tables and the indices that name them.
//!
//! Integers only, so that a row means the same in memory and in an image.

use core::ops::Range;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
            #[repr(transparent)]
            pub(crate) struct $name(pub u32);

            // Not every table is looked up by every way that there is.
            #[allow(dead_code)]
            impl $name {
                /// Stands where there is none.
                pub const NONE: $name = $name(u32::MAX);

                /// As an index of its table.
                pub const fn index(self) -> usize {
                    self.0 as usize
                }

                /// `None` for [`Self::NONE`].
                pub const fn some(self) -> Option<$name> {
                    if self.0 == u32::MAX { None } else { Some(self) }
                }
            }

            impl Default for $name {
                fn default() -> $name {
                    $name::NONE
                }
            }
        )*
    };
}

ids! {
    /// A row of `names`.
    NameId;
    /// A row of `types`.
    TypeId;
    /// A row of `func_types`.
    FuncTypeId;
    /// A row of `instance_types`.
    InstanceTypeId;
    /// A row of `component_types`.
    ComponentTypeId;
    /// A row of `module_types`.
    ModuleTypeId;
    /// A row of `core_sigs`.
    CoreSigId;
    /// A row of `resources`.
    ResourceId;
    /// A row of `leaves`.
    LeafId;
    /// A row of `instances`: a component instance.
    InstanceId;
    /// A row of `modules`: a core module of the binary.
    ModuleId;
    /// A core instance, by the order in which `inits` makes them.
    CoreInstanceId;
    /// A row of `core_defs`.
    CoreDefId;
    /// A row of `options`.
    OptionsId;
    /// A row of `funcs`: a component function.
    FuncId;
    /// A row of `trampolines`.
    TrampolineId;
    /// A row of `exports`.
    ExportId;
    /// A row of `templates`.
    TemplateId;
}

/// A range of a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Span {
    pub start: u32,
    pub len: u32,
}

impl Span {
    /// As a range of indices.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.start as usize + self.len as usize
    }
}

/// A name's bytes in `strings`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NameRow {
    pub offset: u32,
    pub len: u32,
}

/// What a value type is. The first ones, up to `ErrorContext`, are primitive: row n of `types` is
/// the primitive type of number n.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum TypeKind {
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    F32,
    F64,
    Char,
    String,
    ErrorContext,
    /// `span()`: fields.
    Record,
    /// `span()`: fields, without names.
    Tuple,
    /// `span()`: cases.
    Variant,
    /// `span()`: cases, none with a type.
    Enum,
    /// `span()`: the cases `none` and `some`.
    Option,
    /// `span()`: the cases `ok` and `error`.
    Result,
    /// `span()`: cases that are the flags' names.
    Flags,
    /// `element()`.
    List,
    /// `element()`, `b` of them.
    FixedList,
    /// `element()` is the tuple of key and value.
    Map,
    /// `resource()`.
    Own,
    /// `resource()`.
    Borrow,
    /// `element()` or none.
    Stream,
    /// `element()` or none.
    Future,
}

/// How a value may be moved from one memory to another: the most demanding of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Class {
    /// Integers only: bytes may be copied as they are.
    Plain,
    /// No pointers, but values that must be checked or made canonical: bool, char, floats,
    /// discriminants, flags.
    Checked,
    /// Strings, lists, maps.
    Pointer,
    /// Handles that move: own, stream, future, error-context.
    Own,
    /// Handles that are lent.
    Borrow,
}

/// A value type with its layout in memory and its flat form (Canonical ABI; for 32-bit pointers, unless
/// [`TypeRow::WIDE`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TypeRow {
    pub kind: TypeKind,
    pub class: Class,
    /// Alignment in bytes: 1, 2, 4 or 8.
    pub align: u8,
    /// How many core values it flattens to, or [`TypeRow::IN_MEMORY`] if more than a function may
    /// take flat.
    pub flat_count: u8,
    /// Bit set of [`TypeRow::HAS_RESOURCE`] and the like.
    pub flags: u8,
    /// Bytes of the discriminant (1, 2 or 4) of variant, enum, option and result.
    pub discriminant: u8,
    /// How many types lie one in the other, itself counted: bounds recursion over it.
    pub depth: u16,
    /// Size in bytes.
    pub size: u32,
    /// Start of the flat types in `flat`.
    pub flat_start: u32,
    /// Start of fields or cases; element type; resource.
    pub a: u32,
    /// Count of fields or cases; length of a fixed-length list.
    pub b: u32,
    /// Offset of the payload of a variant, option or result.
    pub payload: u32,
}

impl TypeRow {
    /// A `flat_count` that means: always through memory.
    pub const IN_MEMORY: u8 = 255;
    /// Some part is an own or borrow handle.
    pub const HAS_RESOURCE: u8 = 1;
    /// Some part is a borrow handle.
    pub const HAS_BORROW: u8 = 2;
    /// Some byte of its layout belongs to no part.
    pub const HAS_PADDING: u8 = 4;
    /// Some part is a string, list or map, so that lifting or lowering needs a memory.
    pub const HAS_POINTER: u8 = 8;
    /// Some part is a stream or future.
    pub const HAS_ASYNC: u8 = 16;
    /// Some part is a fixed-length list, which costs fuel by its length.
    pub const HAS_FIXED: u8 = 32;
    /// Laid out for 64-bit pointers, of which there are some in it.
    pub const WIDE: u8 = 64;

    /// Fields or cases.
    pub fn span(self) -> Span {
        Span {
            start: self.a,
            len: self.b,
        }
    }

    /// The element of a list, fixed-length list, map, stream or future.
    pub fn element(self) -> TypeId {
        TypeId(self.a)
    }

    /// The resource of a handle.
    pub fn resource(self) -> ResourceId {
        ResourceId(self.a)
    }

    /// Whether a flag is set.
    pub fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

impl TypeId {
    /// How many primitive types there are.
    pub const PRIMITIVES: u32 = TypeKind::ErrorContext as u32 + 1;

    /// The row of a primitive type.
    pub const fn primitive(kind: TypeKind) -> TypeId {
        debug_assert!((kind as u32) < TypeId::PRIMITIVES);
        TypeId(kind as u32)
    }
}

/// A field of a record or tuple, or a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FieldRow {
    pub name: NameId,
    pub ty: TypeId,
    /// Offset in bytes.
    pub offset: u32,
}

/// A case of a variant, enum, option or result; a flag's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CaseRow {
    pub name: NameId,
    pub ty: TypeId,
}

/// The type of a core value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum CoreType {
    I32,
    I64,
    F32,
    F64,
    V128,
    FuncRef,
    ExternRef,
    ExnRef,
}

/// The type of a component function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FuncTypeRow {
    /// A record of the parameters: their layout where they are passed in memory.
    pub params: TypeId,
    pub result: TypeId,
    /// Whether it is declared `async`.
    pub is_async: bool,
}

/// What an import or export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum ExternKind {
    /// `a`: [`FuncTypeId`].
    Func,
    /// `a`: [`ModuleTypeId`].
    Module,
    /// `a`: [`InstanceTypeId`].
    Instance,
    /// `a`: [`ComponentTypeId`].
    Component,
    /// A value type, `a`: [`TypeId`].
    Type,
    /// A type of functions, `a`: [`FuncTypeId`].
    FuncType,
    /// A type of instances, `a`: [`InstanceTypeId`].
    InstanceType,
    /// A type of components, `a`: [`ComponentTypeId`].
    ComponentType,
    /// A resource type that whoever provides it chooses (`sub resource`), `a`: [`ResourceId`].
    Resource,
    /// A resource type that must be the same as an earlier one (`eq`), `a`: [`ResourceId`].
    ResourceEq,
}

/// An import or export of an instance or component type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ExternRow {
    pub name: NameId,
    /// The interface that it implements, where the binary says so.
    pub implements: NameId,
    /// An identifier of the outside world, where the binary has one.
    pub external_id: NameId,
    pub kind: ExternKind,
    pub a: u32,
}

/// Imports and exports of a component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct ComponentTypeRow {
    pub imports: Span,
    pub exports: Span,
}

/// The type of a core function: spans of `flat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CoreSigRow {
    pub params: Span,
    pub results: Span,
}

/// What a core import or export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum CoreKind {
    /// `a`: [`CoreSigId`].
    Func,
    /// `ty` elements, from `a` to `b` of them.
    Table,
    /// From `a` to `b` pages.
    Memory,
    /// `ty`, mutable if `flags` says so.
    Global,
    /// `a`: [`CoreSigId`] of what exceptions with it carry.
    Tag,
}

/// An import or export of a core module type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CoreExternRow {
    /// The module name of an import.
    pub module: NameId,
    pub name: NameId,
    pub kind: CoreKind,
    pub ty: CoreType,
    /// Bit set of [`CoreExternRow::MUTABLE`] and so on.
    pub flags: u8,
    pub a: u32,
    pub b: u32,
}

impl CoreExternRow {
    /// The global is mutable.
    pub const MUTABLE: u8 = 1;
    /// The table or memory has a maximum, `b`.
    pub const BOUNDED: u8 = 2;
    /// The table or memory is addressed by 64 bits.
    pub const WIDE: u8 = 4;
    /// The memory's pages are bytes.
    pub const BYTES: u8 = 8;
}

/// The type of a core module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ModuleTypeRow {
    pub imports: Span,
    pub exports: Span,
}

/// A resource type. Generative: each instantiation of the component that defines it has a row of
/// its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ResourceRow {
    /// What binds an imported one; none for one that a component defines.
    pub leaf: LeafId,
    /// The instance that defines it; none for an imported one.
    pub owner: InstanceId,
    /// Its destructor, if it has one.
    pub dtor: CoreDefId,
    /// Its name for messages, where one is known.
    pub name: NameId,
}

/// What a leaf is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum LeafKind {
    /// `a`: [`FuncTypeId`].
    Func,
    /// `a`: [`ModuleTypeId`].
    Module,
    /// `a`: [`ResourceId`].
    Resource,
    /// `a`: [`ComponentTypeId`]. It must be given before anything else can be known.
    Component,
}

/// Something inside the imports that the component uses: the only things bound at link time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LeafRow {
    /// Index in the root's imports.
    pub import: u32,
    /// Names below it, in `paths`; empty if the import itself is meant.
    pub path: Span,
    pub kind: LeafKind,
    pub a: u32,
}

/// A component instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InstanceRow {
    /// The instance in which it was instantiated; none for the root.
    pub parent: InstanceId,
    /// A name for backtraces, where the binary has one.
    pub name: NameId,
}

/// A core module of the binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ModuleRow {
    /// Its type, if it can be seen from outside: it is exported.
    pub ty: ModuleTypeId,
    /// Its bytes in the binary.
    pub start: u32,
    pub end: u32,
}

/// Index space of a core definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum CoreSpace {
    Func,
    Table,
    Memory,
    Global,
    Tag,
}

/// Where a core definition comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum CoreDefKind {
    /// `a`: [`CoreInstanceId`] of a module of the binary, `b`: position in the module's exports.
    Export,
    /// `a`: [`CoreInstanceId`] of an imported module, `b`: [`NameId`].
    ExportByName,
    /// `a`: [`TrampolineId`].
    Trampoline,
}

/// A core function, table, memory or global.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CoreDefRow {
    pub kind: CoreDefKind,
    pub space: CoreSpace,
    pub a: u32,
    pub b: u32,
}

/// Encoding of strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Encoding {
    Utf8,
    Utf16,
    /// Latin-1 or UTF-16, as a bit of the length tells.
    CompactUtf16,
}

/// The options of a lift, a lower or a built-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct OptionsRow {
    /// Whose handle table and flags they work on.
    pub instance: InstanceId,
    pub encoding: Encoding,
    pub memory: CoreDefId,
    /// Whether addresses and lengths have 64 bits.
    pub wide: bool,
    pub realloc: CoreDefId,
    pub post_return: CoreDefId,
    /// The type of the core function that is lifted, or that lowering makes.
    pub sig: CoreSigId,
}

/// Where a component function comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum FuncKind {
    /// A core function, lifted: `core` and `options`.
    Lifted,
    /// Imported: `leaf`.
    Imported,
}

/// A component function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FuncRow {
    pub kind: FuncKind,
    pub ty: FuncTypeId,
    pub core: CoreDefId,
    pub options: OptionsId,
    pub leaf: LeafId,
}

/// What a trampoline does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum TrampolineKind {
    /// Calls an imported function, `func`, lowered with `options`.
    Lower,
    /// Calls another component's function, the lifted `func`, lowered with `options`.
    Adapter,
    /// `resource.new` of `resource`, in `instance`.
    ResourceNew,
    /// `resource.rep` of `resource`, in `instance`.
    ResourceRep,
    /// `resource.drop` of `resource`, in `instance`.
    ResourceDrop,
    /// `error-context.new` with `options`.
    ErrorContextNew,
    /// `error-context.debug-message` with `options`.
    ErrorContextMessage,
    /// `error-context.drop`, in `instance`.
    ErrorContextDrop,
}

/// A core function that the component runtime provides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TrampolineRow {
    pub kind: TrampolineKind,
    pub sig: CoreSigId,
    /// Whose code may call it: the instance that defined it.
    pub instance: InstanceId,
    pub func: FuncId,
    /// The type that the caller sees.
    pub ty: FuncTypeId,
    pub options: OptionsId,
    pub resource: ResourceId,
}

/// A side effect of instantiation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum InitKind {
    /// Instantiates the module `a` ([`ModuleId`]) with the span of `args`; makes core instance
    /// `core`.
    Instantiate,
    /// Instantiates the imported module `a` ([`LeafId`]) with the span of `named_args`; makes core
    /// instance `core`.
    InstantiateImported,
    /// From here on the memory and functions of the options `a` ([`OptionsId`]) exist.
    Resolve,
    /// From here on the resource `a` ([`ResourceId`]) and its destructor exist.
    Define,
}

/// One step of instantiation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InitRow {
    pub kind: InitKind,
    pub a: u32,
    /// The component instance in which it happens.
    pub instance: InstanceId,
    pub core: CoreInstanceId,
    pub args: Span,
}

/// An argument of the instantiation of an imported module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct NamedArgRow {
    pub module: NameId,
    pub name: NameId,
    pub def: CoreDefId,
}

/// What an export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum ExportKind {
    /// `a`: [`FuncId`].
    Func,
    /// A module of the binary, `a`: [`ModuleId`].
    Module,
    /// An imported module, `a`: [`LeafId`].
    ImportedModule,
    /// `children()`, and `ty`: [`InstanceTypeId`].
    Instance,
    /// A value type, `a`: [`TypeId`].
    Type,
    /// A resource type, `a`: [`ResourceId`].
    Resource,
    /// A type of functions, `ty`: [`FuncTypeId`].
    FuncType,
    /// A type of instances, `ty`: [`InstanceTypeId`].
    InstanceType,
    /// A type of components, `ty`: [`ComponentTypeId`].
    ComponentType,
    /// A component, `a`: [`TemplateId`], `ty`: [`ComponentTypeId`].
    Component,
}

/// A component that is exported: instantiating it needs its plan, which is in the binary, and what it
/// captured where it was defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TemplateRow {
    /// A component of the binaries that the tables were made of, in the order of their ends.
    pub plan: u32,
    /// Of `template_modules`.
    pub modules: Span,
    /// Of `template_components`.
    pub components: Span,
}

/// A core module that a template captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TemplateModuleRow {
    Static(ModuleId),
    Imported(LeafId),
}

/// A node of the tree of exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExportRow {
    pub name: NameId,
    pub kind: ExportKind,
    /// The declared type's index: [`FuncTypeId`], [`ModuleTypeId`], [`InstanceTypeId`] or
    /// [`ComponentTypeId`] by kind.
    pub ty: u32,
    pub a: u32,
    pub b: u32,
}

impl ExportRow {
    /// The exports of an exported instance.
    pub fn children(self) -> Span {
        Span {
            start: self.a,
            len: self.b,
        }
    }
}
