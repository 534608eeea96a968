//! The root's imports while a component is flattened: symbols with a path, which become leaves of
//! the tables when something uses them.

use super::flatten::{Bag, BagId, ClosureId, Def, Flattener, FuncDef, ModuleDef};
use crate::error::{ErrorKind, Result};
use crate::tables::*;
use alloc::string::String;
use alloc::vec::Vec;
use hashbrown::HashMap;
use wasmparser::component_types as wp;

/// An import or something inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct NodeId(u32);

#[derive(Clone, Copy)]
struct Node {
    /// None for an import itself.
    parent: Option<NodeId>,
    import: u32,
    name: NameId,
}

/// Paths into the imports.
#[derive(Default)]
pub(super) struct Imports {
    nodes: Vec<Node>,
    children: HashMap<(NodeId, NameId), NodeId>,
    leaves: HashMap<NodeId, LeafId>,
    bags: HashMap<NodeId, BagId>,
    /// The root's imports as declared.
    rows: Vec<ExternRow>,
}

impl Imports {
    fn import(&mut self, name: NameId) -> NodeId {
        self.nodes.push(Node {
            parent: None,
            import: self.rows.len() as u32,
            name,
        });
        NodeId(self.nodes.len() as u32 - 1)
    }

    fn child(&mut self, parent: NodeId, name: NameId) -> NodeId {
        let nodes = &mut self.nodes;
        *self.children.entry((parent, name)).or_insert_with(|| {
            nodes.push(Node {
                parent: Some(parent),
                import: nodes[parent.0 as usize].import,
                name,
            });
            NodeId(nodes.len() as u32 - 1)
        })
    }

    /// The leaf that a node becomes when it is used.
    pub fn leaf(
        &mut self,
        tables: &mut ComponentTables,
        node: NodeId,
        kind: LeafKind,
        a: u32,
    ) -> LeafId {
        let nodes = &self.nodes;
        *self.leaves.entry(node).or_insert_with(|| {
            let start = tables.paths.len();
            let mut at = nodes[node.0 as usize];
            while let Some(parent) = at.parent {
                tables.paths.push(at.name);
                at = nodes[parent.0 as usize];
            }
            tables.paths[start..].reverse();
            let path = Span {
                start: start as u32,
                len: (tables.paths.len() - start) as u32,
            };
            let import = at.import;
            tables.leaves.push(LeafRow {
                import,
                path,
                kind,
                a,
            });
            LeafId(tables.leaves.len() as u32 - 1)
        })
    }
}

impl Flattener<'_, '_> {
    /// An import of the root: a symbol.
    pub(super) fn root_import(&mut self, name: &str, ty: &wp::ComponentEntityType) -> Result<Def> {
        let node = self.declare_import(name, ty)?;
        self.symbol(node, ty)
    }

    /// An import of the root, with its declared type for the linker to check.
    pub(super) fn declare_import(
        &mut self,
        name: &str,
        ty: &wp::ComponentEntityType,
    ) -> Result<NodeId> {
        let Some(item) = self.root_item(name, true) else {
            return Err(self.missing());
        };
        let name_id = self.convert.builder.name(name);
        let node = self.imports.import(name_id);
        self.bind_resources(node, ty)?;
        let scope = &mut self.scopes[0];
        let row = self.convert.entity(scope, name, &item, self.offset)?;
        self.imports.rows.push(row);
        Ok(node)
    }

    /// Gives every resource type that an import brings a row of its own, and a leaf to every component
    /// that is yet to be given. Instances lie in each other
    /// no deeper than the validator allows.
    fn bind_resources(&mut self, node: NodeId, ty: &wp::ComponentEntityType) -> Result<()> {
        self.work(1)?;
        match *ty {
            wp::ComponentEntityType::Component(id) if self.given.is_empty() => {
                let ty = self
                    .convert
                    .component(&mut self.scopes[0], id, self.offset)?;
                let tables = &mut self.convert.builder.tables;
                self.imports.leaf(tables, node, LeafKind::Component, ty.0);
            }
            wp::ComponentEntityType::Type {
                created: wp::ComponentAnyTypeId::Resource(id),
                ..
            } => {
                let id = id.resource();
                if !self.scopes[0].resources.contains_key(&id) {
                    let resource = self.convert.resource(&mut self.scopes[0], id);
                    let tables = &mut self.convert.builder.tables;
                    let kind = LeafKind::Resource;
                    let leaf = self.imports.leaf(tables, node, kind, resource.0);
                    let row = &mut tables.resources[resource.index()];
                    row.leaf = leaf;
                    row.name = self.imports.nodes[node.0 as usize].name;
                }
            }
            wp::ComponentEntityType::Instance(id) => {
                let exports = &self.convert.types[id].exports;
                let inner: Vec<(String, wp::ComponentEntityType)> = exports
                    .iter()
                    .filter(|(_, item)| may_hold_resources(item.ty))
                    .map(|(name, item)| (name.clone(), item.ty))
                    .collect();
                for (name, ty) in &inner {
                    let name = self.convert.builder.name(name);
                    let child = self.imports.child(node, name);
                    self.bind_resources(child, ty)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What a path into the imports stands for.
    fn symbol(&mut self, node: NodeId, ty: &wp::ComponentEntityType) -> Result<Def> {
        use wp::ComponentEntityType as Entity;
        Ok(match *ty {
            Entity::Func(ty) => Def::Func(FuncDef::Imported(node, ty)),
            Entity::Module(ty) => Def::Module(ModuleDef::Imported(node, ty)),
            Entity::Instance(ty) => {
                let bags = &mut self.bags;
                Def::Instance(*self.imports.bags.entry(node).or_insert_with(|| {
                    bags.push(Bag::Import(node, ty));
                    bags.len() as BagId - 1
                }))
            }
            Entity::Type {
                created: wp::ComponentAnyTypeId::Resource(id),
                ..
            } => {
                let scope = &mut self.scopes[0];
                Def::Resource(self.convert.resource(scope, id.resource()))
            }
            Entity::Type { .. } => Def::Type,
            Entity::Component(_) => Def::Component(self.given(node)?),
            Entity::Value(_) => return Err(self.error(ErrorKind::Unsupported, "values")),
        })
    }

    /// What an imported component is.
    fn given(&self, node: NodeId) -> Result<ClosureId> {
        let mut path = Vec::new();
        let mut at = Some(node);
        while let Some(node) = at {
            let node = self.imports.nodes[node.0 as usize];
            let name = self.convert.builder.tables.name(node.name);
            path.push(String::from(name));
            at = node.parent;
        }
        path.reverse();
        let given = self.given.get(&path).copied();
        given.ok_or_else(|| self.missing())
    }

    /// An export of an imported instance.
    pub(super) fn imported(
        &mut self,
        node: NodeId,
        ty: wp::ComponentInstanceTypeId,
        name: &str,
    ) -> Result<Def> {
        let Some(item) = self.convert.types[ty].exports.get(name) else {
            return Err(self.missing());
        };
        let ty = item.ty;
        let name = self.convert.builder.name(name);
        let child = self.imports.child(node, name);
        self.symbol(child, &ty)
    }

    /// The root's imports as rows, once all are known.
    pub(super) fn import_rows(&mut self) -> Vec<ExternRow> {
        core::mem::take(&mut self.imports.rows)
    }

    /// The leaf of an imported module.
    pub(super) fn module_leaf(&mut self, node: NodeId, ty: ModuleTypeId) -> LeafId {
        let tables = &mut self.convert.builder.tables;
        self.imports.leaf(tables, node, LeafKind::Module, ty.0)
    }
}

fn may_hold_resources(ty: wp::ComponentEntityType) -> bool {
    use wp::ComponentEntityType as Entity;
    match ty {
        Entity::Instance(_) | Entity::Component(_) => true,
        Entity::Type { created, .. } => matches!(created, wp::ComponentAnyTypeId::Resource(_)),
        _ => false,
    }
}
