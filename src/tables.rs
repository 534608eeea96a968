//! A component after loading: flat tables of small rows, and nothing else.
//!
//! Everything that makes components hard to run (nesting, aliases, `with` arguments, re-exports,
//! outer aliases, lookups by name) has been resolved by the time a [`ComponentTables`] exists: what
//! remains is types, the imports to bind, the side effects of instantiation in order, and the tree
//! of exports. Made by `component::binary` from bytes, read by the linker, by instantiation, by the
//! Canonical ABI and by reflection. They lie below the store, whose trees refer to them.
//!
//! # Form
//!
//! A row is a small `Copy` struct of integers. It names others by index ([`TypeId`], [`FuncId`], …)
//! or by a [`Span`] into a pool, never by pointer, and a row refers only to *earlier* rows of its own
//! table, so that no walk over the tables can loop. Names are ranges of one string.
//!
//! # Contract
//!
//! Whoever fills the tables guarantees that every index is in range; the accessors index directly.

mod build;
mod layout;
pub(crate) mod names;
mod rows;
pub(crate) mod sound;
#[cfg(test)]
mod tests;
mod wide;

pub(crate) use build::TablesBuilder;
pub(crate) use layout::{CoreSignature, MAX_FLAT_PARAMS};
pub(crate) use rows::*;

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use hashbrown::HashSet;

/// The tables of one component.
#[derive(Clone, Debug, Default)]
pub(crate) struct ComponentTables {
    /// Every name, one after the other; [`NameRow`]s are ranges of it.
    pub strings: Cow<'static, str>,
    pub names: Vec<NameRow>,
    /// Value types; the first [`TypeId::PRIMITIVES`] are the primitive ones in a fixed order.
    pub types: Vec<TypeRow>,
    /// For each type that is passed to or from a 64-bit memory and lies otherwise there, its row of that
    /// layout, and for that one the first; see `wide`.
    pub twins: Vec<TypeId>,
    /// Fields of records and tuples, parameters of functions.
    pub fields: Vec<FieldRow>,
    /// Cases of variants, enums, options and results; names of flags.
    pub cases: Vec<CaseRow>,
    /// Core types that value types flatten to, and those of core signatures.
    pub flat: Vec<CoreType>,
    pub func_types: Vec<FuncTypeRow>,
    /// Imports and exports of instance and component types.
    pub externs: Vec<ExternRow>,
    pub instance_types: Vec<Span>,
    pub component_types: Vec<ComponentTypeRow>,
    pub core_sigs: Vec<CoreSigRow>,
    /// Imports and exports of core module types.
    pub core_externs: Vec<CoreExternRow>,
    pub module_types: Vec<ModuleTypeRow>,
    pub resources: Vec<ResourceRow>,
    /// What the root component imports and exports, as declared.
    pub root: ComponentTypeRow,
    pub leaves: Vec<LeafRow>,
    /// Paths of leaves below their import.
    pub paths: Vec<NameId>,
    /// Component instances; 0 is the root.
    pub instances: Vec<InstanceRow>,
    /// One for each core module of the binary, in the order of the list of module data.
    pub modules: Vec<ModuleRow>,
    pub core_defs: Vec<CoreDefRow>,
    pub options: Vec<OptionsRow>,
    pub funcs: Vec<FuncRow>,
    pub trampolines: Vec<TrampolineRow>,
    pub inits: Vec<InitRow>,
    /// Arguments of core instantiations, in the order of the module's imports.
    pub args: Vec<CoreDefId>,
    /// Arguments of instantiations of imported modules.
    pub named_args: Vec<NamedArgRow>,
    /// How many core instances `inits` makes.
    pub core_instances: u32,
    /// The export trees: the children of an instance are one span, sorted by name, and stand before
    /// the row of the instance. Two exports of one instance share their children.
    pub exports: Vec<ExportRow>,
    /// The root's exports in `exports`.
    pub root_exports: Span,
    /// Components that are exported, each after those that it captured.
    pub templates: Vec<TemplateRow>,
    pub template_modules: Vec<TemplateModuleRow>,
    pub template_components: Vec<TemplateId>,
    /// The root imports components, which are yet to be given: there are types and no more.
    pub open: bool,
    /// The component instance that stands for the host where it calls a function of its own, which
    /// the component imports and exports again; none if there is no such function.
    pub relay: InstanceId,
}

macro_rules! lookups {
    ($($name:ident: $table:ident[$id:ty] -> $row:ty;)*) => {
        $(pub fn $name(&self, id: $id) -> $row {
            self.$table[id.index()]
        })*
    };
}

impl ComponentTables {
    lookups! {
        ty: types[TypeId] -> TypeRow;
        func_type: func_types[FuncTypeId] -> FuncTypeRow;
        instance_type: instance_types[InstanceTypeId] -> Span;
        component_type: component_types[ComponentTypeId] -> ComponentTypeRow;
        core_sig: core_sigs[CoreSigId] -> CoreSigRow;
        module_type: module_types[ModuleTypeId] -> ModuleTypeRow;
        resource: resources[ResourceId] -> ResourceRow;
        core_def: core_defs[CoreDefId] -> CoreDefRow;
        option: options[OptionsId] -> OptionsRow;
        func: funcs[FuncId] -> FuncRow;
        trampoline: trampolines[TrampolineId] -> TrampolineRow;
        export: exports[ExportId] -> ExportRow;
    }

    /// The text of a name; empty for [`NameId::NONE`].
    pub fn name(&self, name: NameId) -> &str {
        match self.names.get(name.0 as usize) {
            Some(row) => &self.strings[row.offset as usize..(row.offset + row.len) as usize],
            None => "",
        }
    }

    /// Fields of a record or tuple.
    pub fn fields(&self, span: Span) -> &[FieldRow] {
        &self.fields[span.range()]
    }

    /// Cases of a variant, enum, option or result; names of flags.
    pub fn cases(&self, span: Span) -> &[CaseRow] {
        &self.cases[span.range()]
    }

    /// The parameters of a function.
    pub fn params(&self, ty: FuncTypeId) -> &[FieldRow] {
        self.fields(self.ty(self.func_type(ty).params).span())
    }

    /// The core types of a span of `flat`.
    pub fn flat(&self, span: Span) -> &[CoreType] {
        &self.flat[span.range()]
    }

    /// The core types that a value of a type flattens to; `None` if they are too many, so that it
    /// always goes through memory.
    pub fn flat_types(&self, ty: TypeId) -> Option<&[CoreType]> {
        let row = self.ty(ty);
        (row.flat_count != TypeRow::IN_MEMORY).then(|| {
            self.flat(Span {
                start: row.flat_start,
                len: u32::from(row.flat_count),
            })
        })
    }

    /// Imports or exports of a span of `externs`.
    pub fn externs(&self, span: Span) -> &[ExternRow] {
        &self.externs[span.range()]
    }

    /// Imports or exports of a core module type.
    pub fn core_externs(&self, span: Span) -> &[CoreExternRow] {
        &self.core_externs[span.range()]
    }

    /// The names that lead from a leaf's import down to it.
    pub fn path(&self, leaf: LeafRow) -> &[NameId] {
        &self.paths[leaf.path.range()]
    }

    /// A leaf's whole path for messages: `a:b/c.d`.
    pub fn leaf_path(&self, leaf: LeafRow) -> String {
        let import = self.externs(self.root.imports)[leaf.import as usize];
        let mut text = String::from(self.name(import.name));
        for part in self.path(leaf) {
            text.push('.');
            text.push_str(self.name(*part));
        }
        text
    }

    /// An export of a span of siblings by its exact name.
    pub fn find_export(&self, siblings: Span, name: &str) -> Option<ExportId> {
        let rows = &self.exports[siblings.range()];
        let at = rows
            .binary_search_by(|row| self.name(row.name).cmp(name))
            .ok()?;
        Some(ExportId(siblings.start + at as u32))
    }

    /// An export of these tables in others that declare the same.
    pub fn same_export(&self, id: ExportId, others: &ComponentTables) -> Option<ExportId> {
        let mut seen = HashSet::new();
        let mut open = alloc::vec![(self.root_exports, others.root_exports)];
        while let Some((siblings, theirs)) = open.pop() {
            for at in siblings.start..siblings.start + siblings.len {
                let row = self.export(ExportId(at));
                let Some(same) = others.find_export(theirs, self.name(row.name)) else {
                    continue;
                };
                if at == id.0 {
                    return Some(same);
                }
                // Instances may share their exports.
                if row.kind == ExportKind::Instance && seen.insert(row.children()) {
                    open.push((row.children(), others.export(same).children()));
                }
            }
        }
        None
    }

    /// An export by its name or a compatible version of it: exactly if there is one, else the
    /// highest version that semver calls compatible.
    pub fn find_compatible_export(&self, siblings: Span, name: &str) -> Option<ExportId> {
        if let Some(exact) = self.find_export(siblings, name) {
            return Some(exact);
        }
        let (base, part, _) = names::split_version(name)?;
        let rows = &self.exports[siblings.range()];
        // Names that begin with `base@` are neighbours, because siblings are sorted.
        let versions = |row: &ExportRow| self.name(row.name).strip_prefix(base).unwrap_or("");
        let first = rows.partition_point(|row| {
            let name = self.name(row.name).as_bytes();
            name.cmp_prefix(base.as_bytes()) == Ordering::Less
        });
        rows.iter()
            .enumerate()
            .skip(first)
            .take_while(|(_, row)| self.name(row.name).starts_with(base))
            .filter(|(_, row)| versions(row).starts_with('@'))
            .filter_map(|(at, row)| {
                let (_, found, version) = names::split_version(self.name(row.name))?;
                (found == part).then_some((version, at))
            })
            .max()
            .map(|(_, at)| ExportId(siblings.start + at as u32))
    }
}

/// Order of a name against all names that have a prefix.
trait CmpPrefix {
    fn cmp_prefix(&self, prefix: &[u8]) -> Ordering;
}

impl CmpPrefix for [u8] {
    fn cmp_prefix(&self, prefix: &[u8]) -> Ordering {
        let shared = &self[..self.len().min(prefix.len())];
        shared.cmp(prefix)
    }
}
