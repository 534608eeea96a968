//! The validator's types → rows of the tables.
//!
//! The validator names resource types by ids that mean something within one component of the binary.
//! A [`Scope`] says which rows they are for one instantiation of it, so types that mention resources
//! are converted once for each scope and all others once for the whole binary.

use crate::error::{Error, ErrorKind, Result};
use crate::tables::*;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use hashbrown::HashMap;
use wasmparser::PrimitiveValType;
use wasmparser::collections::IndexMap;
use wasmparser::component_types as wp;
use wasmparser::types::{EntityType, Types};

/// What types mean in one instantiation of a component.
#[derive(Default)]
pub(super) struct Scope {
    pub resources: HashMap<wp::ResourceId, ResourceId>,
    types: HashMap<wp::ComponentDefinedTypeId, TypeId>,
    funcs: HashMap<wp::ComponentFuncTypeId, FuncTypeId>,
    instances: HashMap<wp::ComponentInstanceTypeId, InstanceTypeId>,
    components: HashMap<wp::ComponentTypeId, ComponentTypeId>,
}

/// Converts types; owns the tables while they are made.
pub(super) struct Converter {
    pub builder: TablesBuilder,
    pub types: Box<Types>,
    /// Types that mention no resource.
    shared_types: HashMap<wp::ComponentDefinedTypeId, TypeId>,
    shared_funcs: HashMap<wp::ComponentFuncTypeId, FuncTypeId>,
    modules: HashMap<wp::ComponentCoreModuleTypeId, ModuleTypeId>,
}

impl Converter {
    pub fn new(types: Box<Types>) -> Converter {
        Converter {
            builder: TablesBuilder::new(),
            types,
            shared_types: HashMap::new(),
            shared_funcs: HashMap::new(),
            modules: HashMap::new(),
        }
    }

    /// The row of a resource type. One that nothing defines is bound by the type that mentions it
    /// (a type of components, say): it gets a row that nothing provides.
    pub fn resource(&mut self, scope: &mut Scope, id: wp::ResourceId) -> ResourceId {
        let rows = &mut self.builder.tables.resources;
        *scope.resources.entry(id).or_insert_with(|| {
            rows.push(ResourceRow {
                leaf: LeafId::NONE,
                owner: InstanceId::NONE,
                dtor: CoreDefId::NONE,
                name: NameId::NONE,
            });
            ResourceId(rows.len() as u32 - 1)
        })
    }

    /// A value type. What it is made of comes first, from a list: the validator bounds how deep types lie in
    /// each other, but not to what a small native stack would bear.
    pub fn value(&mut self, scope: &mut Scope, ty: wp::ComponentValType) -> Result<TypeId> {
        let id = match ty {
            wp::ComponentValType::Primitive(ty) => return Ok(primitive(ty)),
            wp::ComponentValType::Type(id) => id,
        };
        if let Some(known) = self.known(scope, id) {
            return Ok(known);
        }
        let mut waiting = Vec::from([id]);
        while let Some(&next) = waiting.last() {
            let before = waiting.len();
            for part in parts(&self.types[next]) {
                if self.known(scope, part).is_none() {
                    waiting.push(part);
                }
            }
            if waiting.len() > before {
                // The first one is the next.
                waiting[before..].reverse();
                continue;
            }
            waiting.pop();
            if self.known(scope, next).is_none() {
                let row = self.defined(scope, next)?;
                let tables = &self.builder.tables;
                if row.some().is_some() && tables.ty(row).has(TypeRow::HAS_RESOURCE) {
                    scope.types.insert(next, row);
                } else {
                    self.shared_types.insert(next, row);
                }
            }
        }
        self.known(scope, id).ok_or_else(too_large)
    }

    fn known(&self, scope: &Scope, id: wp::ComponentDefinedTypeId) -> Option<TypeId> {
        let known = self.shared_types.get(&id);
        known.or_else(|| scope.types.get(&id)).copied()
    }

    fn optional(&mut self, scope: &mut Scope, ty: Option<wp::ComponentValType>) -> Result<TypeId> {
        match ty {
            Some(ty) => self.value(scope, ty),
            None => Ok(TypeId::NONE),
        }
    }

    /// A type whose parts are known.
    fn defined(&mut self, scope: &mut Scope, id: wp::ComponentDefinedTypeId) -> Result<TypeId> {
        use wp::ComponentDefinedType as Defined;
        let converted = match self.types[id].clone() {
            Defined::Primitive(ty) => return Ok(primitive(ty)),
            Defined::Record(record) => {
                let mut fields = Vec::with_capacity(record.fields.len());
                for (name, ty) in &record.fields {
                    let name = self.builder.name(name);
                    fields.push((name, self.value(scope, *ty)?));
                }
                self.builder.record(TypeKind::Record, fields)
            }
            Defined::Tuple(tuple) => {
                let mut fields = Vec::with_capacity(tuple.types.len());
                for ty in &tuple.types {
                    fields.push((NameId::NONE, self.value(scope, *ty)?));
                }
                self.builder.record(TypeKind::Tuple, fields)
            }
            Defined::Variant(variant) => {
                let mut cases = Vec::with_capacity(variant.cases.len());
                for (name, case) in &variant.cases {
                    let name = self.builder.name(name);
                    cases.push((name, self.optional(scope, case.ty)?));
                }
                self.builder.variant(TypeKind::Variant, cases)
            }
            Defined::Enum(names) => {
                let names: Vec<_> = names
                    .iter()
                    .map(|name| (self.builder.name(name), TypeId::NONE))
                    .collect();
                self.builder.variant(TypeKind::Enum, names)
            }
            Defined::Flags(names) => {
                let names: Vec<_> = names.iter().map(|name| self.builder.name(name)).collect();
                self.builder.flags(names)
            }
            Defined::Option { ty, .. } => {
                let ty = self.value(scope, ty)?;
                self.builder.option(ty)
            }
            Defined::Result { ok, err, .. } => {
                let ok = self.optional(scope, ok)?;
                let error = self.optional(scope, err)?;
                self.builder.result(ok, error)
            }
            Defined::List { element, .. } => {
                let element = self.value(scope, element)?;
                self.builder.list(element)
            }
            Defined::FixedLengthList {
                element, length, ..
            } => {
                let element = self.value(scope, element)?;
                self.builder.fixed_list(element, length)
            }
            Defined::Map { key, value, .. } => {
                let key = self.value(scope, key)?;
                let value = self.value(scope, value)?;
                self.builder.map(key, value)
            }
            Defined::Own(id) => {
                let resource = self.resource(scope, id.resource());
                self.builder.handle(TypeKind::Own, resource)
            }
            Defined::Borrow(id) => {
                let resource = self.resource(scope, id.resource());
                self.builder.handle(TypeKind::Borrow, resource)
            }
            Defined::Stream { ty, .. } => {
                let element = self.optional(scope, ty)?;
                self.builder.channel(TypeKind::Stream, element)
            }
            Defined::Future { ty, .. } => {
                let element = self.optional(scope, ty)?;
                self.builder.channel(TypeKind::Future, element)
            }
        };
        converted.map_err(|_| too_large())
    }

    /// The type of a component function.
    pub fn func(&mut self, scope: &mut Scope, id: wp::ComponentFuncTypeId) -> Result<FuncTypeId> {
        if let Some(known) = self.shared_funcs.get(&id).or_else(|| scope.funcs.get(&id)) {
            return Ok(*known);
        }
        let ty = self.types[id].clone();
        let mut params = Vec::with_capacity(ty.params.len());
        for (name, ty) in &ty.params {
            let name = self.builder.name(name);
            params.push((name, self.value(scope, *ty)?));
        }
        let result = self.optional(scope, ty.result)?;
        let row = self.builder.func_type(params, result, ty.async_);
        let row = row.map_err(|_| too_large())?;
        let tables = &self.builder.tables;
        let has_resource = |ty: TypeId| match ty.some() {
            Some(ty) => tables.ty(ty).has(TypeRow::HAS_RESOURCE),
            None => false,
        };
        if has_resource(tables.func_type(row).params) || has_resource(result) {
            scope.funcs.insert(id, row);
        } else {
            self.shared_funcs.insert(id, row);
        }
        Ok(row)
    }

    /// Makes the layouts for 64-bit memories of what a function passes.
    pub fn widen(&mut self, ty: FuncTypeId) -> Result<()> {
        let row = self.builder.tables.func_type(ty);
        for ty in [row.params, row.result] {
            self.builder.widen(ty).map_err(|_| too_large())?;
        }
        Ok(())
    }

    /// An import or export. Types of instances lie in each other no deeper than the validator allows.
    pub fn entity(
        &mut self,
        scope: &mut Scope,
        name: &str,
        item: &wp::ComponentItem,
        offset: u64,
    ) -> Result<ExternRow> {
        use wp::ComponentAnyTypeId as Any;
        use wp::ComponentEntityType as Entity;
        let (kind, a) = match item.ty {
            Entity::Func(id) => (ExternKind::Func, self.func(scope, id)?.0),
            Entity::Module(id) => (ExternKind::Module, self.module(id, offset)?.0),
            Entity::Instance(id) => (ExternKind::Instance, self.instance(scope, id, offset)?.0),
            Entity::Component(id) => (ExternKind::Component, self.component(scope, id, offset)?.0),
            Entity::Value(_) => return Err(Error::at(ErrorKind::Unsupported, "values", offset)),
            Entity::Type {
                referenced,
                created,
            } => match created {
                Any::Resource(id) => {
                    let kind = if referenced == created {
                        ExternKind::Resource
                    } else {
                        ExternKind::ResourceEq
                    };
                    (kind, self.resource(scope, id.resource()).0)
                }
                Any::Defined(id) => {
                    let ty = wp::ComponentValType::Type(id);
                    (ExternKind::Type, self.value(scope, ty)?.0)
                }
                Any::Func(id) => (ExternKind::FuncType, self.func(scope, id)?.0),
                Any::Instance(id) => (
                    ExternKind::InstanceType,
                    self.instance(scope, id, offset)?.0,
                ),
                Any::Component(id) => (
                    ExternKind::ComponentType,
                    self.component(scope, id, offset)?.0,
                ),
            },
        };
        Ok(ExternRow {
            name: self.builder.name(name),
            implements: self.builder.optional_name(item.implements.as_deref()),
            external_id: self.builder.optional_name(item.external_id.as_deref()),
            kind,
            a,
        })
    }

    fn entities(
        &mut self,
        scope: &mut Scope,
        items: &IndexMap<String, wp::ComponentItem>,
        offset: u64,
    ) -> Result<Vec<ExternRow>> {
        let mut rows = Vec::with_capacity(items.len());
        for (name, item) in items {
            rows.push(self.entity(scope, name, item, offset)?);
        }
        Ok(rows)
    }

    /// The type of an instance.
    pub fn instance(
        &mut self,
        scope: &mut Scope,
        id: wp::ComponentInstanceTypeId,
        offset: u64,
    ) -> Result<InstanceTypeId> {
        if let Some(known) = scope.instances.get(&id) {
            return Ok(*known);
        }
        let exports = self.types[id].exports.clone();
        let rows = self.entities(scope, &exports, offset)?;
        let row = self.builder.instance_type(&rows);
        scope.instances.insert(id, row);
        Ok(row)
    }

    /// The type of a component.
    pub fn component(
        &mut self,
        scope: &mut Scope,
        id: wp::ComponentTypeId,
        offset: u64,
    ) -> Result<ComponentTypeId> {
        if let Some(known) = scope.components.get(&id) {
            return Ok(*known);
        }
        let ty = self.types[id].clone();
        let imports = self.entities(scope, &ty.imports, offset)?;
        let exports = self.entities(scope, &ty.exports, offset)?;
        let row = self.builder.component_type(&imports, &exports);
        scope.components.insert(id, row);
        Ok(row)
    }

    /// The type of a core module.
    pub fn module(
        &mut self,
        id: wp::ComponentCoreModuleTypeId,
        offset: u64,
    ) -> Result<ModuleTypeId> {
        if let Some(known) = self.modules.get(&id) {
            return Ok(*known);
        }
        let ty = self.types[id].clone();
        let mut imports = Vec::with_capacity(ty.imports.len());
        for ((module, name), entity) in &ty.imports {
            imports.push(self.core_extern(Some(module), name, entity, offset)?);
        }
        let mut exports = Vec::with_capacity(ty.exports.len());
        for (name, entity) in &ty.exports {
            exports.push(self.core_extern(None, name, entity, offset)?);
        }
        let row = self.builder.module_type(&imports, &exports);
        self.modules.insert(id, row);
        Ok(row)
    }

    fn core_extern(
        &mut self,
        module: Option<&str>,
        name: &str,
        entity: &EntityType,
        offset: u64,
    ) -> Result<CoreExternRow> {
        let mut row = CoreExternRow {
            module: self.builder.optional_name(module),
            name: self.builder.name(name),
            kind: CoreKind::Func,
            ty: CoreType::I32,
            flags: 0,
            a: 0,
            b: 0,
        };
        let size = |size: u64| {
            let why = "a table or memory of more than 2^32 elements or pages";
            u32::try_from(size).map_err(|_| Error::at(ErrorKind::Limit, why, offset))
        };
        match entity {
            EntityType::Func(id) | EntityType::FuncExact(id) | EntityType::Tag(id) => {
                if matches!(entity, EntityType::Tag(_)) {
                    row.kind = CoreKind::Tag;
                }
                let ty = self.types[*id].unwrap_func().clone();
                let list = |types: &[wasmparser::ValType]| -> Result<Vec<CoreType>> {
                    types.iter().map(|ty| core_type(*ty, offset)).collect()
                };
                let sig = CoreSignature {
                    params: list(ty.params())?,
                    results: list(ty.results())?,
                };
                row.a = self.builder.core_sig(&sig).0;
            }
            EntityType::Table(ty) => {
                row.kind = CoreKind::Table;
                row.ty = core_type(wasmparser::ValType::Ref(ty.element_type), offset)?;
                row.a = size(ty.initial)?;
                if let Some(maximum) = ty.maximum {
                    row.flags = CoreExternRow::BOUNDED;
                    row.b = size(maximum)?;
                }
                if ty.table64 {
                    row.flags |= CoreExternRow::WIDE;
                }
            }
            EntityType::Memory(ty) => {
                if ty.shared {
                    let what = "shared memories";
                    return Err(Error::at(ErrorKind::Unsupported, what, offset));
                }
                row.kind = CoreKind::Memory;
                row.a = size(ty.initial)?;
                if let Some(maximum) = ty.maximum {
                    row.flags = CoreExternRow::BOUNDED;
                    row.b = size(maximum)?;
                }
                if ty.memory64 {
                    row.flags |= CoreExternRow::WIDE;
                }
                if ty.page_size_log2 == Some(0) {
                    row.flags |= CoreExternRow::BYTES;
                }
            }
            EntityType::Global(ty) => {
                row.kind = CoreKind::Global;
                row.ty = core_type(ty.content_type, offset)?;
                if ty.mutable {
                    row.flags = CoreExternRow::MUTABLE;
                }
            }
        }
        Ok(row)
    }
}

fn too_large() -> Error {
    Error::of(ErrorKind::Limit, "a value type larger than 256 MiB")
}

fn primitive(ty: PrimitiveValType) -> TypeId {
    TypeId::primitive(match ty {
        PrimitiveValType::Bool => TypeKind::Bool,
        PrimitiveValType::S8 => TypeKind::S8,
        PrimitiveValType::U8 => TypeKind::U8,
        PrimitiveValType::S16 => TypeKind::S16,
        PrimitiveValType::U16 => TypeKind::U16,
        PrimitiveValType::S32 => TypeKind::S32,
        PrimitiveValType::U32 => TypeKind::U32,
        PrimitiveValType::S64 => TypeKind::S64,
        PrimitiveValType::U64 => TypeKind::U64,
        PrimitiveValType::F32 => TypeKind::F32,
        PrimitiveValType::F64 => TypeKind::F64,
        PrimitiveValType::Char => TypeKind::Char,
        PrimitiveValType::String => TypeKind::String,
        PrimitiveValType::ErrorContext => TypeKind::ErrorContext,
    })
}

fn core_type(ty: wasmparser::ValType, offset: u64) -> Result<CoreType> {
    use crate::code::module::ValType;
    Ok(match crate::translate::val_type(ty, &[], offset)? {
        ValType::I32 => CoreType::I32,
        ValType::I64 => CoreType::I64,
        ValType::F32 => CoreType::F32,
        ValType::F64 => CoreType::F64,
        ValType::V128 => CoreType::V128,
        ValType::FuncRef => CoreType::FuncRef,
        ValType::ExternRef => CoreType::ExternRef,
        ValType::ExnRef => CoreType::ExnRef,
        ValType::Ref(_) => {
            let what = "references that aren't null in the type of a module";
            return Err(Error::at(ErrorKind::Unsupported, what, offset));
        }
    })
}

/// The types that a type is made of, but for primitive ones.
fn parts(ty: &wp::ComponentDefinedType) -> Vec<wp::ComponentDefinedTypeId> {
    use wp::ComponentDefinedType as Defined;
    let mut parts = Vec::new();
    let mut part = |ty: &wp::ComponentValType| {
        if let wp::ComponentValType::Type(id) = ty {
            parts.push(*id);
        }
    };
    match ty {
        Defined::Record(record) => record.fields.values().for_each(part),
        Defined::Tuple(tuple) => tuple.types.iter().for_each(part),
        Defined::Variant(variant) => {
            let cases = variant.cases.values();
            cases.filter_map(|case| case.ty.as_ref()).for_each(part);
        }
        Defined::Option { ty, .. } => part(ty),
        Defined::Result { ok, err, .. } => ok.iter().chain(err).for_each(part),
        Defined::List { element, .. } | Defined::FixedLengthList { element, .. } => part(element),
        Defined::Map { key, value, .. } => {
            part(key);
            part(value);
        }
        Defined::Stream { ty, .. } | Defined::Future { ty, .. } => ty.iter().for_each(part),
        Defined::Primitive(_)
        | Defined::Enum(_)
        | Defined::Flags(_)
        | Defined::Own(_)
        | Defined::Borrow(_) => {}
    }
    parts
}
