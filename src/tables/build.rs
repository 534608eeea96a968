//! Fills the tables: equal rows are made once, and layouts are computed as types are made.
//!
//! Used while a component is decoded, and by tests that want tables without a binary. The indices
//! for finding equal rows live here and are dropped with the builder.

use super::layout::{self, Parts, TooLarge};
use super::rows::*;
use super::{ComponentTables, CoreSignature};
use core::hash::{BuildHasher, Hash, Hasher};
use hashbrown::{DefaultHashBuilder, HashTable};

/// Makes the rows of a [`ComponentTables`].
#[derive(Default)]
pub(crate) struct TablesBuilder {
    /// What has been made so far.
    pub tables: ComponentTables,
    hasher: DefaultHashBuilder,
    names: HashTable<u32>,
    types: HashTable<u32>,
    func_types: HashTable<u32>,
    instance_types: HashTable<u32>,
    component_types: HashTable<u32>,
    module_types: HashTable<u32>,
    core_sigs: HashTable<u32>,
    core_defs: HashTable<u32>,
    options: HashTable<u32>,
    funcs: HashTable<u32>,
    trampolines: HashTable<u32>,
    flat: HashTable<(u32, u32)>,
}

/// Finds the row that equals the newest of a table, by what `view` shows of it; drops the newest
/// if there is one. The row's index.
macro_rules! intern {
    ($self:ident, $index:ident, $len:expr, $view:expr) => {{
        let tables = &$self.tables;
        let hasher = &$self.hasher;
        let view = $view;
        let newest = ($len - 1) as u32;
        let hash = hasher.hash_one(view(tables, newest));
        let found = $self
            .$index
            .find(hash, |&row| view(tables, row) == view(tables, newest))
            .copied();
        if found.is_none() {
            $self
                .$index
                .insert_unique(hash, newest, |&row| hasher.hash_one(view(tables, row)));
        }
        found
    }};
}

impl TablesBuilder {
    /// Tables with the primitive types and nothing else.
    pub fn new() -> TablesBuilder {
        use TypeKind::*;
        let mut builder = TablesBuilder::default();
        for kind in [
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
        ] {
            let (class, size, flat) = layout::primitive(kind);
            let flat_start = builder.flat(flat);
            let is_string = kind == String;
            builder.tables.types.push(TypeRow {
                kind,
                class,
                align: size,
                flat_count: flat.len() as u8,
                flags: if is_string { TypeRow::HAS_POINTER } else { 0 },
                discriminant: 0,
                depth: 1,
                size: u32::from(size) * (1 + u32::from(is_string)),
                flat_start,
                a: u32::MAX,
                b: 0,
                payload: 0,
            });
        }
        builder
    }

    /// The tables, done.
    pub fn finish(self) -> ComponentTables {
        self.tables
    }

    /// A name's row.
    pub fn name(&mut self, text: &str) -> NameId {
        let tables = &mut self.tables;
        let hash = self.hasher.hash_one(text);
        let equal = |&row: &u32| tables.name(NameId(row)) == text;
        if let Some(row) = self.names.find(hash, equal) {
            return NameId(*row);
        }
        let id = tables.names.len() as u32;
        tables.names.push(NameRow {
            offset: tables.strings.len() as u32,
            len: text.len() as u32,
        });
        tables.strings.to_mut().push_str(text);
        let hasher = &self.hasher;
        self.names
            .insert_unique(hash, id, |&row| hasher.hash_one(tables.name(NameId(row))));
        NameId(id)
    }

    /// Like [`Self::name`], none for none.
    pub fn optional_name(&mut self, text: Option<&str>) -> NameId {
        text.map_or(NameId::NONE, |text| self.name(text))
    }

    /// Start of these core types in `flat`.
    fn flat(&mut self, flat: &[CoreType]) -> u32 {
        let pool = &mut self.tables.flat;
        let hash = self.hasher.hash_one(flat);
        let slice = |pool: &[CoreType], (start, len): (u32, u32)| {
            let start = start as usize;
            alloc::vec::Vec::from(&pool[start..start + len as usize])
        };
        let equal = |&(start, len): &(u32, u32)| {
            let start = start as usize;
            pool[start..start + len as usize] == *flat
        };
        if let Some((start, _)) = self.flat.find(hash, equal) {
            return *start;
        }
        let start = pool.len() as u32;
        pool.extend_from_slice(flat);
        let hasher = &self.hasher;
        self.flat
            .insert_unique(hash, (start, flat.len() as u32), |&row| {
                hasher.hash_one(slice(pool, row).as_slice())
            });
        start
    }

    fn span(&mut self, flat: &[CoreType]) -> Span {
        Span {
            start: self.flat(flat),
            len: flat.len() as u32,
        }
    }

    /// A record, or a tuple where no field has a name.
    pub fn record(
        &mut self,
        kind: TypeKind,
        fields: impl IntoIterator<Item = (NameId, TypeId)>,
    ) -> Result<TypeId, TooLarge> {
        let start = self.tables.fields.len();
        let mut parts = Parts::new();
        for (name, ty) in fields {
            let tables = &mut self.tables;
            let offset = parts.field(tables.ty(ty), tables.flat_types(ty))?;
            tables.fields.push(FieldRow { name, ty, offset });
        }
        parts.finish_record()?;
        let count = self.tables.fields.len() - start;
        self.add(kind, parts, start as u32, count as u32, 0, 0)
    }

    /// A variant, enum, option or result.
    pub fn variant(
        &mut self,
        kind: TypeKind,
        cases: impl IntoIterator<Item = (NameId, TypeId)>,
    ) -> Result<TypeId, TooLarge> {
        let start = self.tables.cases.len();
        let mut parts = Parts::new();
        for (name, ty) in cases {
            let tables = &mut self.tables;
            if let Some(ty) = ty.some() {
                parts.case(tables.ty(ty), tables.flat_types(ty));
            }
            tables.cases.push(CaseRow { name, ty });
        }
        let count = self.tables.cases.len() - start;
        let discriminant = layout::discriminant_size(count);
        let payload = parts.finish_variant(discriminant)?;
        self.add(
            kind,
            parts,
            start as u32,
            count as u32,
            discriminant,
            payload,
        )
    }

    /// `option<ty>`.
    pub fn option(&mut self, ty: TypeId) -> Result<TypeId, TooLarge> {
        let (none, some) = (self.name("none"), self.name("some"));
        self.variant(TypeKind::Option, [(none, TypeId::NONE), (some, ty)])
    }

    /// `result<ok, error>`, either of which may be none.
    pub fn result(&mut self, ok: TypeId, error: TypeId) -> Result<TypeId, TooLarge> {
        let names = (self.name("ok"), self.name("error"));
        self.variant(TypeKind::Result, [(names.0, ok), (names.1, error)])
    }

    /// Flags by their names.
    pub fn flags(&mut self, names: impl IntoIterator<Item = NameId>) -> Result<TypeId, TooLarge> {
        let start = self.tables.cases.len();
        let ty = TypeId::NONE;
        let cases = names.into_iter().map(|name| CaseRow { name, ty });
        self.tables.cases.extend(cases);
        let count = self.tables.cases.len() - start;
        let mut parts = Parts::new();
        parts.class = Class::Checked;
        parts.align = layout::flags_size(count);
        parts.size = u64::from(parts.align);
        parts.flat = Some(alloc::vec![CoreType::I32]);
        self.add(TypeKind::Flags, parts, start as u32, count as u32, 0, 0)
    }

    /// `list<element>`.
    pub fn list(&mut self, element: TypeId) -> Result<TypeId, TooLarge> {
        self.pointer(TypeKind::List, element)
    }

    /// `map<key, value>`.
    pub fn map(&mut self, key: TypeId, value: TypeId) -> Result<TypeId, TooLarge> {
        let entry = [(NameId::NONE, key), (NameId::NONE, value)];
        let entry = self.record(TypeKind::Tuple, entry)?;
        self.pointer(TypeKind::Map, entry)
    }

    fn pointer(&mut self, kind: TypeKind, element: TypeId) -> Result<TypeId, TooLarge> {
        let parts = Parts::pointer(self.tables.ty(element), false);
        self.add(kind, parts, element.0, 0, 0, 0)
    }

    /// `list<element, count>`.
    pub fn fixed_list(&mut self, element: TypeId, count: u32) -> Result<TypeId, TooLarge> {
        let mut parts = Parts::new();
        let tables = &self.tables;
        parts.finish_fixed_list(tables.ty(element), tables.flat_types(element), count)?;
        self.add(TypeKind::FixedList, parts, element.0, count, 0, 0)
    }

    /// `own<resource>` or `borrow<resource>`.
    pub fn handle(&mut self, kind: TypeKind, resource: ResourceId) -> Result<TypeId, TooLarge> {
        let mut parts = Self::handle_parts();
        parts.flags = TypeRow::HAS_RESOURCE;
        if kind == TypeKind::Borrow {
            parts.class = Class::Borrow;
            parts.flags |= TypeRow::HAS_BORROW;
        }
        self.add(kind, parts, resource.0, 0, 0, 0)
    }

    /// `stream<element>` or `future<element>`.
    pub fn channel(&mut self, kind: TypeKind, element: TypeId) -> Result<TypeId, TooLarge> {
        let mut parts = Self::handle_parts();
        parts.flags = TypeRow::HAS_ASYNC;
        if let Some(element) = element.some() {
            let row = self.tables.ty(element);
            parts.depth = row.depth;
            parts.flags |= row.flags & TypeRow::HAS_RESOURCE;
        }
        self.add(kind, parts, element.0, 0, 0, 0)
    }

    fn handle_parts() -> Parts {
        let mut parts = Parts::new();
        parts.class = Class::Own;
        parts.align = 4;
        parts.size = 4;
        parts.flat = Some(alloc::vec![CoreType::I32]);
        parts
    }

    pub(super) fn add(
        &mut self,
        kind: TypeKind,
        parts: Parts,
        a: u32,
        b: u32,
        discriminant: u8,
        payload: u32,
    ) -> Result<TypeId, TooLarge> {
        let (flat_count, flat_start) = match &parts.flat {
            Some(flat) => (flat.len() as u8, self.flat(flat)),
            None => (TypeRow::IN_MEMORY, 0),
        };
        self.tables.types.push(TypeRow {
            kind,
            class: parts.class,
            align: parts.align,
            flat_count,
            flags: parts.flags,
            discriminant,
            depth: parts.depth.saturating_add(1),
            size: parts.size as u32,
            flat_start,
            a,
            b,
            payload,
        });
        let found = intern!(self, types, self.tables.types.len(), type_view);
        let Some(found) = found else {
            return Ok(TypeId(self.tables.types.len() as u32 - 1));
        };
        self.tables.types.pop();
        // The pools end with the parts of the row that was not needed.
        match kind {
            TypeKind::Record | TypeKind::Tuple => self.tables.fields.truncate(a as usize),
            TypeKind::Variant
            | TypeKind::Enum
            | TypeKind::Option
            | TypeKind::Result
            | TypeKind::Flags => self.tables.cases.truncate(a as usize),
            _ => {}
        }
        Ok(TypeId(found))
    }

    /// The type of a component function.
    pub fn func_type(
        &mut self,
        params: impl IntoIterator<Item = (NameId, TypeId)>,
        result: TypeId,
        is_async: bool,
    ) -> Result<FuncTypeId, TooLarge> {
        let params = self.record(TypeKind::Record, params)?;
        self.tables.func_types.push(FuncTypeRow {
            params,
            result,
            is_async,
        });
        let len = self.tables.func_types.len();
        let found = intern!(self, func_types, len, |t: &ComponentTables, row: u32| t
            .func_types[row as usize]);
        Ok(FuncTypeId(found.map_or(len as u32 - 1, |row| {
            self.tables.func_types.pop();
            row
        })))
    }

    /// The type of instances with these exports.
    pub fn instance_type(&mut self, exports: &[ExternRow]) -> InstanceTypeId {
        let start = self.tables.externs.len();
        let span = self.externs(exports);
        self.tables.instance_types.push(span);
        let len = self.tables.instance_types.len();
        let found = intern!(self, instance_types, len, instance_view);
        InstanceTypeId(found.map_or(len as u32 - 1, |row| {
            self.tables.instance_types.pop();
            self.tables.externs.truncate(start);
            row
        }))
    }

    /// The type of components with these imports and exports.
    pub fn component_type(
        &mut self,
        imports: &[ExternRow],
        exports: &[ExternRow],
    ) -> ComponentTypeId {
        let start = self.tables.externs.len();
        let imports = self.externs(imports);
        let exports = self.externs(exports);
        let row = ComponentTypeRow { imports, exports };
        self.tables.component_types.push(row);
        let len = self.tables.component_types.len();
        let found = intern!(self, component_types, len, component_view);
        ComponentTypeId(found.map_or(len as u32 - 1, |row| {
            self.tables.component_types.pop();
            self.tables.externs.truncate(start);
            row
        }))
    }

    /// Appends imports or exports as they are.
    pub fn externs(&mut self, externs: &[ExternRow]) -> Span {
        let start = self.tables.externs.len() as u32;
        self.tables.externs.extend_from_slice(externs);
        Span {
            start,
            len: externs.len() as u32,
        }
    }

    /// The type of core modules with these imports and exports.
    pub fn module_type(
        &mut self,
        imports: &[CoreExternRow],
        exports: &[CoreExternRow],
    ) -> ModuleTypeId {
        let start = self.tables.core_externs.len();
        let pool = &mut self.tables.core_externs;
        pool.extend_from_slice(imports);
        pool.extend_from_slice(exports);
        let imports = Span {
            start: start as u32,
            len: imports.len() as u32,
        };
        let exports = Span {
            start: imports.start + imports.len,
            len: exports.len() as u32,
        };
        let row = ModuleTypeRow { imports, exports };
        self.tables.module_types.push(row);
        let len = self.tables.module_types.len();
        let found = intern!(self, module_types, len, module_view);
        ModuleTypeId(found.map_or(len as u32 - 1, |row| {
            self.tables.module_types.pop();
            self.tables.core_externs.truncate(start);
            row
        }))
    }

    /// The type of a core function.
    pub fn core_sig(&mut self, sig: &CoreSignature) -> CoreSigId {
        let params = self.span(&sig.params);
        let results = self.span(&sig.results);
        self.tables.core_sigs.push(CoreSigRow { params, results });
        let len = self.tables.core_sigs.len();
        let found = intern!(self, core_sigs, len, |t: &ComponentTables, row: u32| t
            .core_sigs[row as usize]);
        CoreSigId(found.map_or(len as u32 - 1, |row| {
            self.tables.core_sigs.pop();
            row
        }))
    }
}

macro_rules! plain_rows {
    ($($(#[$doc:meta])* $name:ident: $table:ident, $row:ty => $id:ident;)*) => {
        impl TablesBuilder {
            $($(#[$doc])*
            pub fn $name(&mut self, row: $row) -> $id {
                self.tables.$table.push(row);
                let len = self.tables.$table.len();
                let found = intern!(self, $table, len, |t: &ComponentTables, row: u32| t
                    .$table[row as usize]);
                $id(found.map_or(len as u32 - 1, |row| {
                    self.tables.$table.pop();
                    row
                }))
            })*
        }
    };
}

plain_rows! {
    /// A core definition.
    core_def: core_defs, CoreDefRow => CoreDefId;
    /// Canonical options.
    option_set: options, OptionsRow => OptionsId;
    /// A component function.
    func: funcs, FuncRow => FuncId;
    /// A core function that the runtime provides.
    trampoline: trampolines, TrampolineRow => TrampolineId;
}

/// What makes two types the same: their kind, their parts and the width of pointers. Layouts follow from
/// these.
#[derive(PartialEq, Eq)]
enum TypeView<'a> {
    Fields(TypeKind, &'a [FieldRow]),
    Cases(TypeKind, &'a [CaseRow]),
    Of(TypeKind, u32, u32, bool),
}

impl Hash for TypeView<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            TypeView::Fields(kind, fields) => (kind, fields).hash(state),
            TypeView::Cases(kind, cases) => (kind, cases).hash(state),
            TypeView::Of(kind, a, b, wide) => (kind, a, b, wide).hash(state),
        }
    }
}

fn type_view(tables: &ComponentTables, row: u32) -> TypeView<'_> {
    let row = tables.types[row as usize];
    match row.kind {
        TypeKind::Record | TypeKind::Tuple => TypeView::Fields(row.kind, tables.fields(row.span())),
        TypeKind::Variant
        | TypeKind::Enum
        | TypeKind::Option
        | TypeKind::Result
        | TypeKind::Flags => TypeView::Cases(row.kind, tables.cases(row.span())),
        _ => TypeView::Of(row.kind, row.a, row.b, row.has(TypeRow::WIDE)),
    }
}

fn instance_view(tables: &ComponentTables, row: u32) -> &[ExternRow] {
    tables.externs(tables.instance_types[row as usize])
}

fn component_view(tables: &ComponentTables, row: u32) -> (&[ExternRow], &[ExternRow]) {
    let row = tables.component_types[row as usize];
    (tables.externs(row.imports), tables.externs(row.exports))
}

fn module_view(tables: &ComponentTables, row: u32) -> (&[CoreExternRow], &[CoreExternRow]) {
    let row = tables.module_types[row as usize];
    (
        tables.core_externs(row.imports),
        tables.core_externs(row.exports),
    )
}
