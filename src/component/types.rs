//! Types as an embedder sees them: reflection over a component's imports and exports.
//!
//! Names and shapes follow wasmtime's `component::types`. Every type here is a shared reference to a
//! component's tables and an index, so that it is cheap to clone and outlives the component. Two
//! value types are equal if they have the same structure, whichever components they come from.

mod externs;
#[cfg(test)]
mod tests;

pub use externs::{ComponentExtern, ComponentItem};

use self::externs::{item, items};
use super::func;
use super::resource::ResourceType;
use super::typed::{ComponentNamedList, InstanceType, Lift, Lower};
use crate::code::module::{ExternType, FuncType, GlobalType, MemoryType, TableType, ValType};
use crate::error::{Error, ErrorKind, OutOfMemory, Result};
use crate::fallible::Shared;
use crate::tables::*;
use crate::wasm::Engine;
use alloc::vec::Vec;
use core::fmt;

/// Tables, and what their resource types are bound to once there is an instance.
#[derive(Clone)]
pub(crate) struct Scope {
    pub tables: Shared<ComponentTables>,
    /// For each row of `resources`; none before instantiation.
    pub resources: Option<Shared<Vec<ResourceType>>>,
}

impl Scope {
    /// Types of a component that isn't instantiated.
    pub fn uninstantiated(tables: Shared<ComponentTables>) -> Scope {
        Scope {
            tables,
            resources: None,
        }
    }

    /// What checks Rust types against these.
    pub fn instance_type(&self) -> InstanceType<'_> {
        InstanceType {
            tables: &self.tables,
            resources: self.resources.as_deref().map_or(&[], |bound| bound),
        }
    }

    fn resource(&self, id: ResourceId) -> ResourceType {
        let bound = self.resources.as_ref().and_then(|all| all.get(id.index()));
        bound
            .copied()
            .unwrap_or_else(|| ResourceType::uninstantiated(Shared::address(&self.tables), id))
    }

    fn same(&self, other: &Scope) -> bool {
        let same_resources = match (&self.resources, &other.resources) {
            (Some(a), Some(b)) => Shared::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        same_resources && Shared::ptr_eq(&self.tables, &other.tables)
    }
}

/// A type that is a row of tables.
#[derive(Clone)]
struct Handle<I> {
    scope: Scope,
    id: I,
}

impl<I> Handle<I> {
    fn at(&self, ty: TypeId) -> Type {
        Type::new(&self.scope, ty)
    }

    fn optional(&self, ty: TypeId) -> Option<Type> {
        ty.some().map(|ty| self.at(ty))
    }
}

impl Handle<TypeId> {
    fn row(&self) -> TypeRow {
        self.scope.tables.ty(self.id)
    }

    fn element(&self) -> Type {
        self.at(self.row().element())
    }

    fn fields(&self) -> impl ExactSizeIterator<Item = FieldRow> + '_ {
        let fields = self.scope.tables.fields(self.row().span());
        fields.iter().copied()
    }

    fn cases(&self) -> impl ExactSizeIterator<Item = CaseRow> + '_ {
        self.scope.tables.cases(self.row().span()).iter().copied()
    }

    fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.cases().map(|case| self.scope.tables.name(case.name))
    }
}

macro_rules! value_types {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone)]
            pub struct $name(Handle<TypeId>);

            impl PartialEq for $name {
                fn eq(&self, other: &$name) -> bool {
                    same(&self.0.scope, self.0.id, &other.0.scope, other.0.id)
                }
            }

            impl Eq for $name {}

            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write(f, &self.0.scope, self.0.id, WRITTEN_DEPTH)
                }
            }
        )*
    };
}

value_types! {
    /// `list<T>`.
    List;
    /// `list<T, N>`.
    FixedLengthList;
    /// `map<K, V>`.
    Map;
    /// A record.
    Record;
    /// A tuple.
    Tuple;
    /// A variant.
    Variant;
    /// An enum.
    Enum;
    /// `option<T>`.
    OptionType;
    /// `result<T, E>`.
    ResultType;
    /// Flags.
    Flags;
    /// `stream<T>`.
    StreamType;
    /// `future<T>`.
    FutureType;
}

impl List {
    /// The elements' type.
    pub fn ty(&self) -> Type {
        self.0.element()
    }
}

impl FixedLengthList {
    /// The elements' type.
    pub fn ty(&self) -> Type {
        self.0.element()
    }

    /// How many there are.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> u32 {
        let TypeRow { b: count, .. } = self.0.row();
        count
    }
}

impl Map {
    fn entry(&self, field: usize) -> Type {
        let tables = &self.0.scope.tables;
        let entry = tables.fields(tables.ty(self.0.row().element()).span());
        self.0.at(entry[field].ty)
    }

    /// The keys' type.
    pub fn key(&self) -> Type {
        self.entry(0)
    }

    /// The values' type.
    pub fn value(&self) -> Type {
        self.entry(1)
    }
}

/// A field of a record.
#[derive(Clone, Debug)]
pub struct Field<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its type.
    pub ty: Type,
}

impl Record {
    /// The fields in order.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = Field<'_>> {
        self.0.fields().map(|field| Field {
            name: self.0.scope.tables.name(field.name),
            ty: self.0.at(field.ty),
        })
    }
}

impl Tuple {
    /// The parts' types in order.
    pub fn types(&self) -> impl ExactSizeIterator<Item = Type> + '_ {
        self.0.fields().map(|field| self.0.at(field.ty))
    }
}

/// A case of a variant.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// Its name.
    pub name: &'a str,
    /// The type of its payload, if it has one.
    pub ty: Option<Type>,
}

impl Variant {
    /// The cases in order.
    pub fn cases(&self) -> impl ExactSizeIterator<Item = Case<'_>> {
        self.0.cases().map(|case| Case {
            name: self.0.scope.tables.name(case.name),
            ty: self.0.optional(case.ty),
        })
    }
}

impl Enum {
    /// The cases' names in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.names()
    }
}

impl Flags {
    /// The flags' names in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.names()
    }
}

impl OptionType {
    /// The type of what may be there.
    pub fn ty(&self) -> Type {
        let cases = self.0.scope.tables.cases(self.0.row().span());
        self.0.at(cases[1].ty)
    }
}

impl ResultType {
    fn case(&self, case: usize) -> Option<Type> {
        let cases = self.0.scope.tables.cases(self.0.row().span());
        self.0.optional(cases[case].ty)
    }

    /// The type of success, if it carries a value.
    pub fn ok(&self) -> Option<Type> {
        self.case(0)
    }

    /// The type of failure, if it carries a value.
    pub fn err(&self) -> Option<Type> {
        self.case(1)
    }
}

impl StreamType {
    /// The elements' type, if they have one.
    pub fn ty(&self) -> Option<Type> {
        self.0.optional(self.0.row().element())
    }
}

impl FutureType {
    /// The value's type, if it has one.
    pub fn ty(&self) -> Option<Type> {
        self.0.optional(self.0.row().element())
    }
}

/// The type of a value.
///
/// ```
/// use cellule::Engine;
/// use cellule::component::Component;
/// use cellule::component::types::{ComponentItem, Type};
///
/// # fn main() -> cellule::Result<()> {
/// let engine = Engine::default();
/// let component = Component::new(&engine, wat::parse_str(
///     r#"(component
///         (import "my:host/store" (instance
///             (type $entry' (record (field "key" string) (field "hits" (option u32))))
///             (export "entry" (type $entry (eq $entry')))
///             (export "find" (func (param "key" string) (result $entry))))))"#,
/// ).expect("valid text"))?;
/// let ty = component.component_type();
/// let store = ty.get_import(&engine, "my:host/store").expect("an import");
/// let ComponentItem::ComponentInstance(store) = store.ty else {
///     unreachable!()
/// };
/// let entry = store.get_export(&engine, "entry").expect("a type");
/// let ComponentItem::Type(Type::Record(entry)) = entry.ty else {
///     unreachable!()
/// };
/// let hits = entry.fields().last().expect("two fields");
/// assert_eq!(hits.name, "hits");
/// assert_eq!(hits.ty.unwrap_option().ty(), Type::U32);
/// assert_eq!(hits.ty.to_string(), "option<u32>");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum Type {
    /// `bool`.
    Bool,
    /// `s8`.
    S8,
    /// `u8`.
    U8,
    /// `s16`.
    S16,
    /// `u16`.
    U16,
    /// `s32`.
    S32,
    /// `u32`.
    U32,
    /// `s64`.
    S64,
    /// `u64`.
    U64,
    /// `f32`.
    Float32,
    /// `f64`.
    Float64,
    /// `char`.
    Char,
    /// `string`.
    String,
    /// `list<T>`.
    List(List),
    /// `list<T, N>`.
    FixedLengthList(FixedLengthList),
    /// `map<K, V>`.
    Map(Map),
    /// A record.
    Record(Record),
    /// A tuple.
    Tuple(Tuple),
    /// A variant.
    Variant(Variant),
    /// An enum.
    Enum(Enum),
    /// `option<T>`.
    Option(OptionType),
    /// `result<T, E>`.
    Result(ResultType),
    /// Flags.
    Flags(Flags),
    /// A handle that owns a resource.
    Own(ResourceType),
    /// A handle that borrows a resource.
    Borrow(ResourceType),
    /// `stream<T>`.
    Stream(StreamType),
    /// `future<T>`.
    Future(FutureType),
    /// `error-context`.
    ErrorContext,
}

macro_rules! unwraps {
    ($($name:ident $variant:ident $ty:ident)*) => {
        impl Type {
            $(
                #[doc = concat!("The `", stringify!($ty), "` that it is.")]
                ///
                /// # Panics
                /// If it is of another kind.
                pub fn $name(&self) -> &$ty {
                    match self {
                        Type::$variant(ty) => ty,
                        other => panic!("the type is no {}: {other}", stringify!($ty)),
                    }
                }
            )*
        }
    };
}

unwraps! {
    unwrap_list List List
    unwrap_record Record Record
    unwrap_tuple Tuple Tuple
    unwrap_variant Variant Variant
    unwrap_enum Enum Enum
    unwrap_option Option OptionType
    unwrap_result Result ResultType
    unwrap_flags Flags Flags
    unwrap_own Own ResourceType
    unwrap_borrow Borrow ResourceType
}

impl Type {
    /// The type of a row.
    pub(crate) fn new(scope: &Scope, id: TypeId) -> Type {
        let row = scope.tables.ty(id);
        let handle = || Handle {
            scope: scope.clone(),
            id,
        };
        match row.kind {
            TypeKind::Bool => Type::Bool,
            TypeKind::S8 => Type::S8,
            TypeKind::U8 => Type::U8,
            TypeKind::S16 => Type::S16,
            TypeKind::U16 => Type::U16,
            TypeKind::S32 => Type::S32,
            TypeKind::U32 => Type::U32,
            TypeKind::S64 => Type::S64,
            TypeKind::U64 => Type::U64,
            TypeKind::F32 => Type::Float32,
            TypeKind::F64 => Type::Float64,
            TypeKind::Char => Type::Char,
            TypeKind::String => Type::String,
            TypeKind::ErrorContext => Type::ErrorContext,
            TypeKind::List => Type::List(List(handle())),
            TypeKind::FixedList => Type::FixedLengthList(FixedLengthList(handle())),
            TypeKind::Map => Type::Map(Map(handle())),
            TypeKind::Record => Type::Record(Record(handle())),
            TypeKind::Tuple => Type::Tuple(Tuple(handle())),
            TypeKind::Variant => Type::Variant(Variant(handle())),
            TypeKind::Enum => Type::Enum(Enum(handle())),
            TypeKind::Option => Type::Option(OptionType(handle())),
            TypeKind::Result => Type::Result(ResultType(handle())),
            TypeKind::Flags => Type::Flags(Flags(handle())),
            TypeKind::Own => Type::Own(scope.resource(row.resource())),
            TypeKind::Borrow => Type::Borrow(scope.resource(row.resource())),
            TypeKind::Stream => Type::Stream(StreamType(handle())),
            TypeKind::Future => Type::Future(FutureType(handle())),
        }
    }

    /// The row of a compound type.
    fn handle(&self) -> Option<&Handle<TypeId>> {
        match self {
            Type::List(List(handle))
            | Type::FixedLengthList(FixedLengthList(handle))
            | Type::Map(Map(handle))
            | Type::Record(Record(handle))
            | Type::Tuple(Tuple(handle))
            | Type::Variant(Variant(handle))
            | Type::Enum(Enum(handle))
            | Type::Option(OptionType(handle))
            | Type::Result(ResultType(handle))
            | Type::Flags(Flags(handle))
            | Type::Stream(StreamType(handle))
            | Type::Future(FutureType(handle)) => Some(handle),
            _ => None,
        }
    }
}

impl fmt::Display for Type {
    /// As WIT would write it; parts that lie very deep are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Bool => f.write_str("bool"),
            Type::S8 => f.write_str("s8"),
            Type::U8 => f.write_str("u8"),
            Type::S16 => f.write_str("s16"),
            Type::U16 => f.write_str("u16"),
            Type::S32 => f.write_str("s32"),
            Type::U32 => f.write_str("u32"),
            Type::S64 => f.write_str("s64"),
            Type::U64 => f.write_str("u64"),
            Type::Float32 => f.write_str("f32"),
            Type::Float64 => f.write_str("f64"),
            Type::Char => f.write_str("char"),
            Type::String => f.write_str("string"),
            Type::ErrorContext => f.write_str("error-context"),
            Type::Own(_) => f.write_str("own<…>"),
            Type::Borrow(_) => f.write_str("borrow<…>"),
            compound => match compound.handle() {
                Some(handle) => write(f, &handle.scope, handle.id, WRITTEN_DEPTH),
                None => Ok(()),
            },
        }
    }
}

impl fmt::Debug for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How deep a type is written out.
const WRITTEN_DEPTH: u32 = 6;

/// Writes a row as WIT would; `depth` bounds the recursion.
fn write(f: &mut fmt::Formatter<'_>, scope: &Scope, id: TypeId, depth: u32) -> fmt::Result {
    let tables = &scope.tables;
    let row = tables.ty(id);
    let Some(depth) = depth.checked_sub(1) else {
        return f.write_str("…");
    };
    let inner = |f: &mut fmt::Formatter<'_>, ty: TypeId| match ty.some() {
        Some(ty) => write(f, scope, ty, depth),
        None => f.write_str("_"),
    };
    match row.kind {
        TypeKind::List | TypeKind::FixedList => {
            f.write_str("list<")?;
            inner(f, row.element())?;
            if row.kind == TypeKind::FixedList {
                write!(f, ", {}", row.b)?;
            }
            f.write_str(">")
        }
        TypeKind::Map | TypeKind::Tuple => {
            let (name, row) = match row.kind {
                TypeKind::Map => ("map<", tables.ty(row.element())),
                _ => ("tuple<", row),
            };
            f.write_str(name)?;
            for (at, field) in tables.fields(row.span()).iter().enumerate() {
                f.write_str(if at > 0 { ", " } else { "" })?;
                inner(f, field.ty)?;
            }
            f.write_str(">")
        }
        TypeKind::Record => {
            f.write_str("record {")?;
            for (at, field) in tables.fields(row.span()).iter().enumerate() {
                let comma = if at > 0 { "," } else { "" };
                write!(f, "{comma} {}: ", tables.name(field.name))?;
                inner(f, field.ty)?;
            }
            f.write_str(" }")
        }
        TypeKind::Variant | TypeKind::Enum | TypeKind::Flags => {
            f.write_str(match row.kind {
                TypeKind::Variant => "variant {",
                TypeKind::Enum => "enum {",
                _ => "flags {",
            })?;
            for (at, case) in tables.cases(row.span()).iter().enumerate() {
                let comma = if at > 0 { "," } else { "" };
                write!(f, "{comma} {}", tables.name(case.name))?;
                if let Some(ty) = case.ty.some() {
                    f.write_str("(")?;
                    inner(f, ty)?;
                    f.write_str(")")?;
                }
            }
            f.write_str(" }")
        }
        TypeKind::Option => {
            f.write_str("option<")?;
            inner(f, tables.cases(row.span())[1].ty)?;
            f.write_str(">")
        }
        TypeKind::Result => {
            let cases = tables.cases(row.span());
            f.write_str("result<")?;
            inner(f, cases[0].ty)?;
            f.write_str(", ")?;
            inner(f, cases[1].ty)?;
            f.write_str(">")
        }
        TypeKind::Stream | TypeKind::Future => {
            f.write_str(match row.kind {
                TypeKind::Stream => "stream<",
                _ => "future<",
            })?;
            inner(f, row.element())?;
            f.write_str(">")
        }
        _ => fmt::Display::fmt(&Type::new(scope, id), f),
    }
}

/// Whether two rows have the same structure. Rows are unique in their tables, so within one the
/// indices say it; else both are walked, which types' limited depth bounds.
fn same(a: &Scope, a_id: TypeId, b: &Scope, b_id: TypeId) -> bool {
    if a.same(b) {
        return a_id == b_id;
    }
    let (x, y) = (a.tables.ty(a_id), b.tables.ty(b_id));
    // Cheap facts first: they tell most unequal types apart.
    if (x.kind, x.size, x.flat_count, x.depth) != (y.kind, y.size, y.flat_count, y.depth) {
        return false;
    }
    let optional = |x: TypeId, y: TypeId| match (x.some(), y.some()) {
        (Some(x), Some(y)) => same(a, x, b, y),
        (x, y) => x.is_none() && y.is_none(),
    };
    match x.kind {
        TypeKind::Record | TypeKind::Tuple => {
            let fields = (a.tables.fields(x.span()), b.tables.fields(y.span()));
            fields.0.len() == fields.1.len()
                && fields.0.iter().zip(fields.1).all(|(x, y)| {
                    a.tables.name(x.name) == b.tables.name(y.name) && optional(x.ty, y.ty)
                })
        }
        TypeKind::Variant
        | TypeKind::Enum
        | TypeKind::Option
        | TypeKind::Result
        | TypeKind::Flags => {
            let cases = (a.tables.cases(x.span()), b.tables.cases(y.span()));
            cases.0.len() == cases.1.len()
                && cases.0.iter().zip(cases.1).all(|(x, y)| {
                    a.tables.name(x.name) == b.tables.name(y.name) && optional(x.ty, y.ty)
                })
        }
        TypeKind::List | TypeKind::Map | TypeKind::Stream | TypeKind::Future => {
            optional(x.element(), y.element())
        }
        TypeKind::FixedList => x.b == y.b && optional(x.element(), y.element()),
        TypeKind::Own | TypeKind::Borrow => a.resource(x.resource()) == b.resource(y.resource()),
        _ => true,
    }
}

/// The type of a component function.
///
/// ```
/// use cellule::Engine;
/// use cellule::component::Component;
/// use cellule::component::types::{ComponentItem, Type};
///
/// # fn main() -> cellule::Result<()> {
/// let engine = Engine::default();
/// let component = Component::new(&engine, wat::parse_str(
///     r#"(component
///         (core module $m (func (export "add") (param i32 i32) (result i32)
///             (i32.add (local.get 0) (local.get 1))))
///         (core instance $i (instantiate $m))
///         (func (export "add") (param "a" u32) (param "b" u32) (result u32)
///             (canon lift (core func $i "add"))))"#,
/// ).expect("valid text"))?;
/// let ty = component.component_type();
/// let add = ty.get_export(&engine, "add").expect("an export");
/// let ComponentItem::ComponentFunc(add) = add.ty else {
///     unreachable!()
/// };
/// assert!(add.params().eq([("a", Type::U32), ("b", Type::U32)]));
/// assert!(add.results().eq([Type::U32]));
/// add.typecheck::<(u32, u32), (u32,)>(&ty.instance_type())?;
/// assert!(add.typecheck::<(u32, u64), (u32,)>(&ty.instance_type()).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ComponentFunc(Handle<FuncTypeId>);

impl ComponentFunc {
    pub(crate) fn new(scope: &Scope, id: FuncTypeId) -> ComponentFunc {
        let scope = scope.clone();
        ComponentFunc(Handle { scope, id })
    }

    /// Whether it is declared `async`.
    pub fn async_(&self) -> bool {
        self.0.scope.tables.func_type(self.0.id).is_async
    }

    /// Names and types of the parameters.
    pub fn params(&self) -> impl ExactSizeIterator<Item = (&str, Type)> {
        let tables = &self.0.scope.tables;
        let params = tables.params(self.0.id).iter();
        params.map(|param| (tables.name(param.name), self.0.at(param.ty)))
    }

    /// An error unless Rust types are its types: parameters and result as tuples. `cx` is of the component
    /// that the function's type was taken from.
    ///
    /// # Errors
    /// What differs.
    pub fn typecheck<Params, Return>(&self, cx: &InstanceType<'_>) -> Result<()>
    where
        Params: ComponentNamedList + Lower,
        Return: ComponentNamedList + Lift,
    {
        if !Shared::ptr_eq(cx.tables, &self.0.scope.tables) {
            let why = "the function's type is of another component";
            return Err(Error::of(ErrorKind::Type, why));
        }
        func::typecheck::<Params, Return>(cx, self.0.id)
    }

    /// The result's type: none or one.
    pub fn results(&self) -> impl ExactSizeIterator<Item = Type> + '_ {
        let result = self.0.scope.tables.func_type(self.0.id).result;
        self.0.optional(result).into_iter()
    }
}

impl fmt::Debug for ComponentFunc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("func(")?;
        for (at, (name, ty)) in self.params().enumerate() {
            write!(f, "{}{name}: {ty}", if at > 0 { ", " } else { "" })?;
        }
        f.write_str(")")?;
        self.results().try_for_each(|ty| write!(f, " -> {ty}"))
    }
}

/// The type of a core module.
#[derive(Clone)]
pub struct Module(Handle<ModuleTypeId>);

impl Module {
    pub(crate) fn new(scope: &Scope, id: ModuleTypeId) -> Module {
        let scope = scope.clone();
        Module(Handle { scope, id })
    }

    /// Module name, field name and type of what it imports.
    pub fn imports<'a>(
        &'a self,
        _engine: &'a Engine,
    ) -> impl ExactSizeIterator<Item = ((&'a str, &'a str), ExternType)> {
        let tables = &self.0.scope.tables;
        let rows = tables.core_externs(tables.module_type(self.0.id).imports);
        rows.iter().map(|row| {
            let names = (tables.name(row.module), tables.name(row.name));
            (names, core_extern(tables, row))
        })
    }

    /// Name and type of what it exports.
    pub fn exports<'a>(
        &'a self,
        _engine: &'a Engine,
    ) -> impl ExactSizeIterator<Item = (&'a str, ExternType)> {
        let tables = &self.0.scope.tables;
        let rows = tables.core_externs(tables.module_type(self.0.id).exports);
        rows.iter()
            .map(|row| (tables.name(row.name), core_extern(tables, row)))
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("core module")
    }
}

fn val_type(ty: CoreType) -> ValType {
    match ty {
        CoreType::I32 => ValType::I32,
        CoreType::I64 => ValType::I64,
        CoreType::F32 => ValType::F32,
        CoreType::F64 => ValType::F64,
        CoreType::V128 => ValType::V128,
        CoreType::FuncRef => ValType::FuncRef,
        CoreType::ExternRef => ValType::ExternRef,
        CoreType::ExnRef => ValType::ExnRef,
    }
}

/// The core signatures of the tables, in order.
pub(crate) fn core_sigs(
    tables: &ComponentTables,
) -> impl Iterator<Item = Result<FuncType, OutOfMemory>> + '_ {
    tables
        .core_sigs
        .iter()
        .map(|sig| try_core_func(tables, *sig))
}

/// A signature's type; it panics if the host has no memory for it.
pub(crate) fn core_func(tables: &ComponentTables, sig: CoreSigRow) -> FuncType {
    try_core_func(tables, sig).expect(NO_ROOM)
}

fn try_core_func(tables: &ComponentTables, sig: CoreSigRow) -> Result<FuncType, OutOfMemory> {
    let list = |span| tables.flat(span).iter().map(|ty| val_type(*ty));
    FuncType::try_new(list(sig.params), list(sig.results))
}

/// A core import's or export's type; it panics if the host has no memory for it.
pub(crate) fn core_extern(tables: &ComponentTables, row: &CoreExternRow) -> ExternType {
    try_core_extern(tables, row).expect(NO_ROOM)
}

/// What describing a function takes.
const NO_ROOM: &str = "memory for a function's type";

/// The same, or an error.
pub(crate) fn try_core_extern(
    tables: &ComponentTables,
    row: &CoreExternRow,
) -> Result<ExternType, OutOfMemory> {
    let has = |flag: u8| row.flags & flag != 0;
    let maximum = has(CoreExternRow::BOUNDED).then_some(row.b.into());
    let wide = has(CoreExternRow::WIDE);
    Ok(match row.kind {
        CoreKind::Func => {
            ExternType::Func(try_core_func(tables, tables.core_sig(CoreSigId(row.a)))?)
        }
        CoreKind::Tag => ExternType::Tag(try_core_func(tables, tables.core_sig(CoreSigId(row.a)))?),
        CoreKind::Table => ExternType::Table(TableType {
            element: val_type(row.ty),
            minimum: row.a.into(),
            maximum,
            table64: wide,
        }),
        CoreKind::Memory => ExternType::Memory(MemoryType {
            minimum: row.a.into(),
            maximum,
            memory64: wide,
            page_size_log2: if has(CoreExternRow::BYTES) { 0 } else { 16 },
        }),
        CoreKind::Global => ExternType::Global(GlobalType {
            content: val_type(row.ty),
            mutable: row.flags & CoreExternRow::MUTABLE != 0,
        }),
    })
}

/// The type of an instance.
#[derive(Clone)]
pub struct ComponentInstance(Handle<Span>);

impl ComponentInstance {
    pub(crate) fn new(scope: &Scope, id: InstanceTypeId) -> ComponentInstance {
        ComponentInstance(Handle {
            scope: scope.clone(),
            id: scope.tables.instance_type(id),
        })
    }

    /// What it exports.
    pub fn exports<'a>(
        &'a self,
        _engine: &'a Engine,
    ) -> impl ExactSizeIterator<Item = (&'a str, ComponentExtern<'a>)> {
        items(&self.0.scope, self.0.id)
    }

    /// An export by its name.
    pub fn get_export<'a>(
        &'a self,
        _engine: &'a Engine,
        name: &str,
    ) -> Option<ComponentExtern<'a>> {
        item(&self.0.scope, self.0.id, name)
    }
}

impl fmt::Debug for ComponentInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exports = items(&self.0.scope, self.0.id);
        f.debug_map().entries(exports).finish()
    }
}

/// The type of a component.
///
/// ```
/// use cellule::Engine;
/// use cellule::component::Component;
/// use cellule::component::types::ComponentItem;
///
/// # fn main() -> cellule::Result<()> {
/// let engine = Engine::default();
/// let component = Component::new(&engine, wat::parse_str(
///     r#"(component
///         (import "my:host/store" (instance
///             (type $entry' (record (field "key" string) (field "hits" (option u32))))
///             (export "entry" (type $entry (eq $entry')))
///             (export "find" (func (param "key" string) (result $entry))))))"#,
/// ).expect("valid text"))?;
/// let ty = component.component_type();
/// for (name, import) in ty.imports(&engine) {
///     assert_eq!(name, "my:host/store");
///     assert!(matches!(import.ty, ComponentItem::ComponentInstance(_)));
/// }
/// assert!(ty.get_import(&engine, "my:host/other").is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Component(Handle<ComponentTypeRow>);

impl Component {
    pub(crate) fn new(scope: &Scope, row: ComponentTypeRow) -> Component {
        let scope = scope.clone();
        Component(Handle { scope, id: row })
    }

    /// What it imports.
    pub fn imports<'a>(
        &'a self,
        _engine: &'a Engine,
    ) -> impl ExactSizeIterator<Item = (&'a str, ComponentExtern<'a>)> {
        items(&self.0.scope, self.0.id.imports)
    }

    /// An import by its name.
    pub fn get_import<'a>(
        &'a self,
        _engine: &'a Engine,
        name: &str,
    ) -> Option<ComponentExtern<'a>> {
        item(&self.0.scope, self.0.id.imports, name)
    }

    /// What it exports.
    pub fn exports<'a>(
        &'a self,
        _engine: &'a Engine,
    ) -> impl ExactSizeIterator<Item = (&'a str, ComponentExtern<'a>)> {
        items(&self.0.scope, self.0.id.exports)
    }

    /// An export by its name.
    pub fn get_export<'a>(
        &'a self,
        _engine: &'a Engine,
        name: &str,
    ) -> Option<ComponentExtern<'a>> {
        item(&self.0.scope, self.0.id.exports, name)
    }
}

impl Component {
    /// Its types, for [`ComponentFunc::typecheck`].
    pub fn instance_type(&self) -> InstanceType<'_> {
        self.0.scope.instance_type()
    }
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |span| items(&self.0.scope, span);
        f.debug_map()
            .entries(list(self.0.id.imports))
            .entries(list(self.0.id.exports))
            .finish()
    }
}
