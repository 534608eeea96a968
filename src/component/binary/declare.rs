//! A root that imports components, before it is known which: its tables hold what it declares.
//!
//! What such a component does can be worked out only when its arguments are given; until then it can
//! be reflected on. The tree of exports follows the declared types and leads to nothing.

use super::exports::exports;
use super::flatten::Flattener;
use super::plan::{Plan, StepKind};
use crate::error::{ErrorKind, Result};
use crate::tables::*;
use alloc::string::String;
use alloc::vec::Vec;
use hashbrown::{HashMap, HashSet};
use wasmparser::component_types as wp;

impl Flattener<'_, '_> {
    /// An import or export of the root, as the validator knows it.
    pub(super) fn root_item(&self, name: &str, import: bool) -> Option<wp::ComponentItem> {
        let types = self.convert.types.as_ref();
        match (self.root_type(), import) {
            (Some(ty), true) => types[ty].imports.get(name).cloned(),
            (Some(ty), false) => types[ty].exports.get(name).cloned(),
            (None, true) => types.component_item_for_import(name).cloned(),
            (None, false) => types.component_item_for_export(name).cloned(),
        }
    }

    /// Whether some import of the root is a component, or an instance with one in it.
    pub(super) fn imports_components(&mut self, plan: &Plan) -> Result<bool> {
        let mut seen = HashSet::new();
        let mut open: Vec<wp::ComponentEntityType> = plan
            .steps
            .iter()
            .filter_map(|step| match step.kind {
                StepKind::Import { ty, .. } => Some(ty),
                _ => None,
            })
            .collect();
        while let Some(ty) = open.pop() {
            self.work(1)?;
            match ty {
                wp::ComponentEntityType::Component(_) => return Ok(true),
                wp::ComponentEntityType::Instance(id) if seen.insert(id) => {
                    let exports = &self.convert.types[id].exports;
                    open.extend(exports.values().map(|item| item.ty));
                }
                _ => {}
            }
        }
        Ok(false)
    }

    /// Makes the tables of what the root declares.
    pub(super) fn declare(&mut self, plan: &Plan) -> Result<()> {
        for step in &plan.steps {
            if let StepKind::Import { name, ty } = &step.kind {
                self.offset = step.offset.into();
                self.declare_import(name, ty)?;
            }
        }
        let (mut rows, mut nodes) = (Vec::new(), Vec::new());
        let mut shared = HashMap::new();
        for (name, ty, offset) in exports(plan) {
            self.offset = offset.into();
            rows.push(self.export_row(name)?);
            nodes.push(self.declared(name, ty, &mut shared)?);
        }
        self.finish_tables(&rows, nodes);
        self.tables().open = true;
        Ok(())
    }

    /// One export. Instances lie in each other no deeper than the validator allows.
    fn declared(
        &mut self,
        name: &str,
        ty: wp::ComponentEntityType,
        shared: &mut HashMap<wp::ComponentInstanceTypeId, Span>,
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
        match ty {
            Entity::Func(id) => {
                row.kind = ExportKind::Func;
                row.ty = self.convert.func(&mut self.scopes[0], id)?.0;
            }
            Entity::Module(id) => {
                row.kind = ExportKind::Module;
                row.ty = self.convert.module(id, self.offset)?.0;
            }
            Entity::Component(id) => {
                row.kind = ExportKind::Component;
                let scope = &mut self.scopes[0];
                row.ty = self.convert.component(scope, id, self.offset)?.0;
            }
            Entity::Instance(id) => {
                let children = self.declared_children(id, shared)?;
                row.kind = ExportKind::Instance;
                (row.a, row.b) = (children.start, children.len);
                let scope = &mut self.scopes[0];
                row.ty = self.convert.instance(scope, id, self.offset)?.0;
            }
            Entity::Type { created, .. } => self.export_type(&mut row, created)?,
            Entity::Value(_) => return Err(self.error(ErrorKind::Unsupported, "values")),
        }
        Ok(row)
    }

    fn declared_children(
        &mut self,
        ty: wp::ComponentInstanceTypeId,
        shared: &mut HashMap<wp::ComponentInstanceTypeId, Span>,
    ) -> Result<Span> {
        if let Some(known) = shared.get(&ty) {
            return Ok(*known);
        }
        let exports: Vec<(String, wp::ComponentEntityType)> = self.convert.types[ty]
            .exports
            .iter()
            .map(|(name, item)| (name.clone(), item.ty))
            .collect();
        let mut nodes = Vec::with_capacity(exports.len());
        for (name, ty) in exports {
            nodes.push(self.declared(&name, ty, shared)?);
        }
        let span = self.siblings(nodes);
        shared.insert(ty, span);
        Ok(span)
    }
}
