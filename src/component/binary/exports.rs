//! The root's exports, once everything is flattened: a tree of rows that the host looks names up in.
//!
//! The tree follows the declared types, which may hide some of what an instance holds. Instances of
//! the same contents and type share their rows, so the tree is no larger than the types are.

use super::flatten::{BagId, ClosureId, Def, Flattener, FuncDef, ModuleDef};
use super::plan::{Plan, StepKind};
use crate::error::Result;
use crate::tables::*;
use alloc::string::String;
use alloc::vec::Vec;
use hashbrown::{HashMap, HashSet};
use wasmparser::component_types as wp;

type Shared = HashMap<(BagId, wp::ComponentInstanceTypeId), Span>;

/// Name and type of the root's exports, and where each is in the binary.
pub(super) fn exports<'p>(
    plan: &'p Plan,
) -> impl Iterator<Item = (&'p str, wp::ComponentEntityType, u32)> {
    plan.steps.iter().filter_map(|step| match &step.kind {
        StepKind::Export { name, ty, .. } => Some((*name, *ty, step.offset)),
        _ => None,
    })
}

impl Flattener<'_, '_> {
    /// Ends the root.
    pub(super) fn finish_root(&mut self, plan: &Plan) -> Result<()> {
        let defs = self.root_defs();
        let mut rows = Vec::with_capacity(defs.len());
        let mut nodes = Vec::with_capacity(defs.len());
        let mut shared = Shared::new();
        for ((name, ty, offset), (_, def)) in exports(plan).zip(defs) {
            self.offset = offset.into();
            rows.push(self.export_row(name)?);
            nodes.push(self.export_node(name, def, ty, &mut shared)?);
        }
        self.finish_tables(&rows, nodes);
        Ok(())
    }

    /// The declared type of an export of the root.
    pub(super) fn export_row(&mut self, name: &str) -> Result<ExternRow> {
        let Some(item) = self.root_item(name, false) else {
            return Err(self.missing());
        };
        let scope = &mut self.scopes[0];
        self.convert.entity(scope, name, &item, self.offset)
    }

    /// The last rows: imports and exports as declared, and the first level of the tree.
    pub(super) fn finish_tables(&mut self, exports: &[ExternRow], nodes: Vec<ExportRow>) {
        let imports = self.import_rows();
        let imports = self.convert.builder.externs(&imports);
        let exports = self.convert.builder.externs(exports);
        let root_exports = self.siblings(nodes);
        let tables = self.tables();
        tables.root = ComponentTypeRow { imports, exports };
        tables.root_exports = root_exports;
    }

    /// Appends siblings, sorted by name.
    pub(super) fn siblings(&mut self, mut nodes: Vec<ExportRow>) -> Span {
        let tables = self.tables();
        nodes.sort_unstable_by(|a, b| tables.name(a.name).cmp(tables.name(b.name)));
        let start = tables.exports.len() as u32;
        let len = nodes.len() as u32;
        tables.exports.append(&mut nodes);
        Span { start, len }
    }

    /// One export. Instances lie in each other no deeper than the validator allows.
    fn export_node(
        &mut self,
        name: &str,
        def: Def,
        ty: wp::ComponentEntityType,
        shared: &mut Shared,
    ) -> Result<ExportRow> {
        use wp::ComponentEntityType as Entity;
        self.work(1)?;
        let mut row = ExportRow {
            name: self.convert.builder.name(name),
            kind: ExportKind::Type,
            ty: u32::MAX,
            a: u32::MAX,
            b: 0,
        };
        match (def, ty) {
            (Def::Func(func), Entity::Func(ty)) => {
                row.kind = ExportKind::Func;
                row.a = self.exported_func(func)?.0;
                row.ty = self.convert.func(&mut self.scopes[0], ty)?.0;
            }
            (Def::Module(module), Entity::Module(ty)) => {
                let declared = self.convert.module(ty, self.offset)?;
                row.ty = declared.0;
                match module {
                    ModuleDef::Static(module) => {
                        row.kind = ExportKind::Module;
                        row.a = module.0;
                        self.tables().modules[module.index()].ty = declared;
                    }
                    ModuleDef::Imported(node, imported) => {
                        let imported = self.convert.module(imported, self.offset)?;
                        row.kind = ExportKind::ImportedModule;
                        row.a = self.module_leaf(node, imported).0;
                    }
                }
            }
            (Def::Instance(bag), Entity::Instance(ty)) => {
                let children = self.children(bag, ty, shared)?;
                row.kind = ExportKind::Instance;
                (row.a, row.b) = (children.start, children.len);
                let scope = &mut self.scopes[0];
                row.ty = self.convert.instance(scope, ty, self.offset)?.0;
            }
            (Def::Resource(resource), _) => {
                row.kind = ExportKind::Resource;
                row.a = resource.0;
            }
            (Def::Type, Entity::Type { created, .. }) => self.export_type(&mut row, created)?,
            (Def::Component(closure), Entity::Component(ty)) => {
                row.kind = ExportKind::Component;
                row.a = self.template(closure)?.0;
                let scope = &mut self.scopes[0];
                row.ty = self.convert.component(scope, ty, self.offset)?.0;
            }
            _ => return Err(self.missing()),
        }
        Ok(row)
    }

    /// A function that the host can call. One that is imported and exported again is called as if a
    /// component instance of its own had lowered it, whose memory is the runtime's.
    fn exported_func(&mut self, func: FuncDef) -> Result<FuncId> {
        let id = self.func(func)?;
        let FuncDef::Imported(..) = func else {
            return Ok(id);
        };
        let instance = self.relay()?;
        let tables = self.tables();
        let imported = tables.func(id);
        let sig = tables.lower_signature(imported.ty, false);
        let sig = self.convert.builder.core_sig(&sig);
        let options = self.convert.builder.option_set(OptionsRow {
            instance,
            encoding: Encoding::Utf8,
            memory: CoreDefId::NONE,
            wide: false,
            realloc: CoreDefId::NONE,
            post_return: CoreDefId::NONE,
            sig,
        });
        let core = self.trampoline(TrampolineRow {
            kind: TrampolineKind::Lower,
            sig,
            instance,
            func: id,
            ty: imported.ty,
            options,
            resource: ResourceId::NONE,
        });
        Ok(self.convert.builder.func(FuncRow {
            core,
            options,
            ..imported
        }))
    }

    pub(super) fn export_type(
        &mut self,
        row: &mut ExportRow,
        ty: wp::ComponentAnyTypeId,
    ) -> Result<()> {
        use wp::ComponentAnyTypeId as Any;
        let scope = &mut self.scopes[0];
        match ty {
            Any::Defined(id) => {
                let ty = wp::ComponentValType::Type(id);
                row.a = self.convert.value(scope, ty)?.0;
            }
            Any::Func(id) => {
                row.kind = ExportKind::FuncType;
                row.ty = self.convert.func(scope, id)?.0;
            }
            Any::Instance(id) => {
                row.kind = ExportKind::InstanceType;
                row.ty = self.convert.instance(scope, id, self.offset)?.0;
            }
            Any::Component(id) => {
                row.kind = ExportKind::ComponentType;
                row.ty = self.convert.component(scope, id, self.offset)?.0;
            }
            Any::Resource(id) => {
                row.kind = ExportKind::Resource;
                row.a = self.convert.resource(scope, id.resource()).0;
            }
        }
        Ok(())
    }

    /// The row of a component that is exported, and of those that it captured.
    fn template(&mut self, closure: ClosureId) -> Result<TemplateId> {
        let mut needed = HashSet::new();
        let mut open = alloc::vec![closure];
        while let Some(id) = open.pop() {
            self.work(1)?;
            if !self.templates.contains_key(&id) && needed.insert(id) {
                open.extend(&self.closures[id as usize].components);
            }
        }
        let mut needed: Vec<_> = needed.into_iter().collect();
        // What a component captured was there before it.
        needed.sort_unstable();
        for id in needed {
            let row = self.template_row(id)?;
            let templates = &mut self.tables().templates;
            templates.push(row);
            let row = TemplateId(templates.len() as u32 - 1);
            self.templates.insert(id, row);
        }
        let known = self.templates.get(&closure).copied();
        known.ok_or_else(|| self.missing())
    }

    fn template_row(&mut self, id: ClosureId) -> Result<TemplateRow> {
        let closure = &self.closures[id as usize];
        let plan = closure.plan;
        let (modules, components) = (closure.modules.clone(), closure.components.clone());
        self.work(modules.len() + components.len())?;
        let mut captured = Vec::with_capacity(modules.len());
        for module in &modules {
            captured.push(match *module {
                ModuleDef::Static(module) => TemplateModuleRow::Static(module),
                ModuleDef::Imported(node, ty) => {
                    let ty = self.convert.module(ty, self.offset)?;
                    TemplateModuleRow::Imported(self.module_leaf(node, ty))
                }
            });
        }
        let components = components.iter().map(|id| self.templates.get(id).copied());
        let Some(components) = components.collect::<Option<Vec<_>>>() else {
            return Err(self.missing());
        };
        let tables = self.tables();
        let span = |start: usize, len: usize| Span {
            start: start as u32,
            len: len as u32,
        };
        let row = TemplateRow {
            plan,
            modules: span(tables.template_modules.len(), captured.len()),
            components: span(tables.template_components.len(), components.len()),
        };
        tables.template_modules.extend(captured);
        tables.template_components.extend(components);
        Ok(row)
    }

    fn children(
        &mut self,
        bag: BagId,
        ty: wp::ComponentInstanceTypeId,
        shared: &mut Shared,
    ) -> Result<Span> {
        if let Some(known) = shared.get(&(bag, ty)) {
            return Ok(*known);
        }
        let exports: Vec<(String, wp::ComponentEntityType)> = self.convert.types[ty]
            .exports
            .iter()
            .map(|(name, item)| (name.clone(), item.ty))
            .collect();
        let mut nodes = Vec::with_capacity(exports.len());
        for (name, ty) in exports {
            let def = self.lookup(bag, &name)?;
            nodes.push(self.export_node(&name, def, ty, shared)?);
        }
        let span = self.siblings(nodes);
        shared.insert((bag, ty), span);
        Ok(span)
    }
}
