//! Whether a component's tables from an image can be trusted as if they had been made here.
//!
//! Every index names a row that there is; rows that refer to each other can't go round in circles; types
//! have the layouts that their parts come to. What functions are called with is in [`signatures`].

use super::signatures;
use crate::code::module::ModuleData;
use crate::image::{ImageError, lie};
use crate::tables::sound::{unsound_twin, unsound_type};
use crate::tables::*;

/// Checks all tables of a component with these core modules.
pub(super) fn tables(t: &ComponentTables, modules: &[&ModuleData]) -> Result<(), ImageError> {
    names(t)?;
    types(t)?;
    declarations(t)?;
    definitions(t)?;
    initializers(t, modules)?;
    exports(t)?;
    signatures::check(t, modules)
}

/// Every row has to pass.
fn each<T: Copy>(
    table: &'static str,
    rows: &[T],
    mut passes: impl FnMut(usize, T) -> bool,
) -> Result<(), ImageError> {
    let wrong = rows
        .iter()
        .enumerate()
        .position(|(at, row)| !passes(at, *row));
    wrong.map_or(Ok(()), |row| Err(lie(table, row)))
}

fn within(span: Span, len: usize) -> bool {
    let end = (span.start as usize).checked_add(span.len as usize);
    end.is_some_and(|end| end <= len)
}

fn end(span: Span) -> u64 {
    u64::from(span.start) + u64::from(span.len)
}

/// Whether there is such a row.
fn there<T>(index: u32, table: &[T]) -> bool {
    (index as usize) < table.len()
}

/// The same, or that none is meant.
fn maybe<T>(index: u32, table: &[T]) -> bool {
    index == u32::MAX || there(index, table)
}

fn names(t: &ComponentTables) -> Result<(), ImageError> {
    each("names", &t.names, |_, row| {
        let end = (row.offset as usize).checked_add(row.len as usize);
        end.is_some_and(|end| t.strings.get(row.offset as usize..end).is_some())
    })?;
    each("paths", &t.paths, |_, name| there(name.0, &t.names))
}

fn types(t: &ComponentTables) -> Result<(), ImageError> {
    if let Some(row) = unsound_type(t) {
        return Err(lie("types", row));
    }
    each("fields", &t.fields, |_, row| {
        maybe(row.name.0, &t.names) && there(row.ty.0, &t.types)
    })?;
    each("cases", &t.cases, |_, row| {
        there(row.name.0, &t.names) && maybe(row.ty.0, &t.types)
    })?;
    if let Some(row) = unsound_twin(t) {
        return Err(lie("twins", row));
    }
    each("func_types", &t.func_types, |_, row| {
        let params = t.types.get(row.params.index());
        params.is_some_and(|params| params.kind == TypeKind::Record)
            && maybe(row.result.0, &t.types)
            && !row.is_async
    })?;
    each("core_sigs", &t.core_sigs, |_, row| {
        let fits = |span: Span| within(span, t.flat.len()) && span.len <= 1000;
        fits(row.params) && fits(row.results)
    })
}

/// Types of instances, components and core modules. What a type refers to stands before it in `externs`.
fn declarations(t: &ComponentTables) -> Result<(), ImageError> {
    each("externs", &t.externs, |_, row| {
        there(row.name.0, &t.names)
            && maybe(row.implements.0, &t.names)
            && maybe(row.external_id.0, &t.names)
            && match row.kind {
                ExternKind::Func | ExternKind::FuncType => there(row.a, &t.func_types),
                ExternKind::Module => there(row.a, &t.module_types),
                ExternKind::Instance | ExternKind::InstanceType => there(row.a, &t.instance_types),
                ExternKind::Component | ExternKind::ComponentType => {
                    there(row.a, &t.component_types)
                }
                ExternKind::Type => there(row.a, &t.types),
                ExternKind::Resource | ExternKind::ResourceEq => there(row.a, &t.resources),
            }
    })?;
    each("instance_types", &t.instance_types, |_, span| {
        within(span, t.externs.len()) && refer_back(t, span, span.start)
    })?;
    each("component_types", &t.component_types, |_, row| {
        let first = row.imports.start.min(row.exports.start);
        let both = [row.imports, row.exports];
        both.iter()
            .all(|span| within(*span, t.externs.len()) && refer_back(t, *span, first))
    })?;
    each("core_externs", &t.core_externs, |_, row| {
        maybe(row.module.0, &t.names)
            && there(row.name.0, &t.names)
            && match row.kind {
                CoreKind::Func | CoreKind::Tag => there(row.a, &t.core_sigs),
                CoreKind::Table => matches!(
                    row.ty,
                    CoreType::FuncRef | CoreType::ExternRef | CoreType::ExnRef
                ),
                CoreKind::Memory | CoreKind::Global => true,
            }
    })?;
    each("module_types", &t.module_types, |_, row| {
        within(row.imports, t.core_externs.len()) && within(row.exports, t.core_externs.len())
    })?;
    let root = within(t.root.imports, t.externs.len()) && within(t.root.exports, t.externs.len());
    if root { Ok(()) } else { Err(lie("root", 0)) }
}

/// Whether what a span of `externs` refers to ends before `first`: so no type is part of itself.
fn refer_back(t: &ComponentTables, span: Span, first: u32) -> bool {
    let before = |span: Span| span.len == 0 || end(span) <= first.into();
    t.externs(span).iter().all(|row| match row.kind {
        ExternKind::Instance | ExternKind::InstanceType => {
            before(t.instance_type(InstanceTypeId(row.a)))
        }
        ExternKind::Component | ExternKind::ComponentType => {
            let inner = t.component_type(ComponentTypeId(row.a));
            before(inner.imports) && before(inner.exports)
        }
        _ => true,
    })
}

fn definitions(t: &ComponentTables) -> Result<(), ImageError> {
    each("resources", &t.resources, |_, row| {
        let leaf = t.leaves.get(row.leaf.index());
        maybe(row.leaf.0, &t.leaves)
            && leaf.is_none_or(|leaf| leaf.kind == LeafKind::Resource)
            && maybe(row.owner.0, &t.instances)
            && maybe(row.dtor.0, &t.core_defs)
            && maybe(row.name.0, &t.names)
    })?;
    each("leaves", &t.leaves, |_, row| {
        row.import < t.root.imports.len
            && within(row.path, t.paths.len())
            && match row.kind {
                LeafKind::Func => there(row.a, &t.func_types),
                LeafKind::Module => there(row.a, &t.module_types),
                LeafKind::Resource => there(row.a, &t.resources),
                // Such a component can't be an image.
                LeafKind::Component => false,
            }
    })?;
    each("instances", &t.instances, |at, row| {
        (row.parent.0 == u32::MAX || row.parent.index() < at) && maybe(row.name.0, &t.names)
    })?;
    if t.instances.is_empty() || !maybe(t.relay.0, &t.instances) {
        return Err(lie("instances", 0));
    }
    each("options", &t.options, |_, row| {
        let defs = [row.memory, row.realloc, row.post_return];
        there(row.instance.0, &t.instances)
            && defs.iter().all(|def| maybe(def.0, &t.core_defs))
            && there(row.sig.0, &t.core_sigs)
    })?;
    each("funcs", &t.funcs, |_, row| {
        there(row.ty.0, &t.func_types)
            && match row.kind {
                FuncKind::Lifted => {
                    there(row.core.0, &t.core_defs) && there(row.options.0, &t.options)
                }
                FuncKind::Imported => {
                    let leaf = t.leaves.get(row.leaf.index());
                    leaf.is_some_and(|leaf| leaf.kind == LeafKind::Func)
                        && maybe(row.core.0, &t.core_defs)
                        && match row.core.some() {
                            // The host calls its own function, through the relay.
                            Some(_) => {
                                let options = t.options.get(row.options.index());
                                options.is_some_and(|options| options.instance == t.relay)
                            }
                            None => maybe(row.options.0, &t.options),
                        }
                }
            }
    })?;
    each("trampolines", &t.trampolines, |at, row| {
        there(row.sig.0, &t.core_sigs)
            && there(row.instance.0, &t.instances)
            && maybe(row.resource.0, &t.resources)
            && trampoline(t, at, row)
    })
}

fn trampoline(t: &ComponentTables, at: usize, row: TrampolineRow) -> bool {
    let func = t.funcs.get(row.func.index());
    let calls = |kind: FuncKind| {
        func.is_some_and(|func| func.kind == kind)
            && there(row.ty.0, &t.func_types)
            && there(row.options.0, &t.options)
    };
    let lone = row.func.some().is_none() && maybe(row.ty.0, &t.func_types);
    match row.kind {
        TrampolineKind::Lower => calls(FuncKind::Imported),
        // A chain of adapters leads back to earlier ones, so that it ends.
        TrampolineKind::Adapter => {
            let core = func.and_then(|func| t.core_defs.get(func.core.index()));
            calls(FuncKind::Lifted)
                && core.is_some_and(|core| {
                    core.kind != CoreDefKind::Trampoline || (core.a as usize) < at
                })
        }
        TrampolineKind::ResourceNew
        | TrampolineKind::ResourceRep
        | TrampolineKind::ResourceDrop => {
            lone && there(row.resource.0, &t.resources) && maybe(row.options.0, &t.options)
        }
        TrampolineKind::ErrorContextNew | TrampolineKind::ErrorContextMessage => {
            lone && there(row.options.0, &t.options)
        }
        TrampolineKind::ErrorContextDrop => lone && maybe(row.options.0, &t.options),
    }
}

fn initializers(t: &ComponentTables, modules: &[&ModuleData]) -> Result<(), ImageError> {
    if t.modules.len() != modules.len() {
        return Err(lie("modules", modules.len()));
    }
    each("modules", &t.modules, |_, row| {
        maybe(row.ty.0, &t.module_types)
    })?;
    each("args", &t.args, |_, def| there(def.0, &t.core_defs))?;
    each("named_args", &t.named_args, |_, row| {
        there(row.module.0, &t.names)
            && there(row.name.0, &t.names)
            && there(row.def.0, &t.core_defs)
    })?;
    let mut made = 0;
    each("inits", &t.inits, |_, row| {
        let makes = matches!(
            row.kind,
            InitKind::Instantiate | InitKind::InstantiateImported
        );
        if makes {
            made += 1;
        }
        there(row.instance.0, &t.instances)
            && (!makes || row.core.0.checked_add(1) == Some(made))
            && match row.kind {
                InitKind::Instantiate => there(row.a, modules) && within(row.args, t.args.len()),
                InitKind::InstantiateImported => {
                    let leaf = t.leaves.get(row.a as usize);
                    leaf.is_some_and(|leaf| leaf.kind == LeafKind::Module)
                        && within(row.args, t.named_args.len())
                }
                InitKind::Resolve => there(row.a, &t.options),
                InitKind::Define => there(row.a, &t.resources),
            }
    })?;
    if made != t.core_instances {
        return Err(lie("inits", t.inits.len()));
    }
    each("core_defs", &t.core_defs, |_, row| match row.kind {
        CoreDefKind::Export => row.a < made,
        CoreDefKind::ExportByName => row.a < made && there(row.b, &t.names),
        CoreDefKind::Trampoline => there(row.a, &t.trampolines) && row.space == CoreSpace::Func,
    })
}

/// The exports of an instance are sorted, and stand before the row of the instance.
fn exports(t: &ComponentTables) -> Result<(), ImageError> {
    each("exports", &t.exports, |at, row| {
        there(row.name.0, &t.names)
            && match row.kind {
                ExportKind::Func => there(row.a, &t.funcs),
                ExportKind::Module => there(row.a, &t.modules) && there(row.ty, &t.module_types),
                ExportKind::ImportedModule => {
                    let leaf = t.leaves.get(row.a as usize);
                    leaf.is_some_and(|leaf| leaf.kind == LeafKind::Module)
                        && there(row.ty, &t.module_types)
                }
                ExportKind::Instance => {
                    there(row.ty, &t.instance_types) && end(row.children()) <= at as u64
                }
                ExportKind::Type => there(row.a, &t.types),
                ExportKind::Resource => there(row.a, &t.resources),
                ExportKind::FuncType => there(row.ty, &t.func_types),
                ExportKind::InstanceType => there(row.ty, &t.instance_types),
                ExportKind::ComponentType => there(row.ty, &t.component_types),
                // Exported components aren't part of images.
                ExportKind::Component => false,
            }
    })?;
    let sorted = |span: Span| {
        let rows = &t.exports[span.range()];
        rows.is_sorted_by(|a, b| t.name(a.name) < t.name(b.name))
    };
    if !within(t.root_exports, t.exports.len()) || !sorted(t.root_exports) {
        return Err(lie("root", 0));
    }
    each("exports", &t.exports, |_, row| {
        row.kind != ExportKind::Instance || sorted(row.children())
    })
}
