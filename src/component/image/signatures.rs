//! Whether what core code is called with, and what it calls, is what it takes: for tables that come from
//! an image.
//!
//! Instantiation relies on this where the binary's validator has seen to it: it doesn't compare the
//! types of what it binds again.

use crate::code::module::{ExternType, ModuleData, ValType};
use crate::component::types::{core_extern, core_func};
use crate::image::{ImageError, lie};
use crate::tables::sound::same_form;
use crate::tables::*;
use alloc::vec::Vec;

/// What the core instances are of.
enum Made {
    Own(usize),
    Imported(LeafId),
}

struct Check<'a> {
    t: &'a ComponentTables,
    modules: &'a [&'a ModuleData],
    made: Vec<Made>,
}

/// Checks definitions, initializers, options, functions and trampolines, whose indices have been checked.
pub(super) fn check(t: &ComponentTables, modules: &[&ModuleData]) -> Result<(), ImageError> {
    let made = t.inits.iter().filter_map(|row| match row.kind {
        InitKind::Instantiate => Some(Made::Own(row.a as usize)),
        InitKind::InstantiateImported => Some(Made::Imported(LeafId(row.a))),
        InitKind::Resolve | InitKind::Define => None,
    });
    let check = Check {
        t,
        modules,
        made: made.collect(),
    };
    let all = |table, len: usize, passes: &dyn Fn(usize) -> Option<bool>| {
        let wrong = (0..len).find(|row| passes(*row) != Some(true));
        wrong.map_or(Ok(()), |row| Err(lie(table, row)))
    };
    all("core_defs", t.core_defs.len(), &|row| {
        let ty = check.ty(CoreDefId(row as u32))?;
        Some(space(&ty) == t.core_defs[row].space)
    })?;
    all("inits", t.inits.len(), &|row| check.init(t.inits[row]))?;
    all("resources", t.resources.len(), &|row| {
        check.is_func(t.resources[row].dtor, &[ValType::I32], &[])
    })?;
    all("options", t.options.len(), &|row| {
        check.options(t.options[row])
    })?;
    all("funcs", t.funcs.len(), &|row| check.func(t.funcs[row]))?;
    all("trampolines", t.trampolines.len(), &|row| {
        check.trampoline(t.trampolines[row])
    })
}

fn space(ty: &ExternType) -> CoreSpace {
    match ty {
        ExternType::Func(_) => CoreSpace::Func,
        ExternType::Table(_) => CoreSpace::Table,
        ExternType::Memory(_) => CoreSpace::Memory,
        ExternType::Global(_) => CoreSpace::Global,
        ExternType::Tag(_) => CoreSpace::Tag,
    }
}

/// Whether something can be given where something is asked for.
fn fits(given: &ExternType, asked: &ExternType) -> bool {
    match (given, asked) {
        (ExternType::Func(given), ExternType::Func(asked))
        | (ExternType::Tag(given), ExternType::Tag(asked)) => given == asked,
        (ExternType::Global(given), ExternType::Global(asked)) => given.fits(asked),
        (ExternType::Table(given), ExternType::Table(asked)) => given.fits(given.minimum, asked),
        (ExternType::Memory(given), ExternType::Memory(asked)) => given.fits(given.minimum, asked),
        _ => false,
    }
}

impl Check<'_> {
    /// The type of a core definition.
    fn ty(&self, id: CoreDefId) -> Option<ExternType> {
        let t = self.t;
        let def = t.core_def(id);
        match def.kind {
            CoreDefKind::Trampoline => {
                let row = t.trampoline(TrampolineId(def.a));
                Some(ExternType::Func(core_func(t, t.core_sig(row.sig))))
            }
            CoreDefKind::Export => {
                let Made::Own(module) = self.made[def.a as usize] else {
                    return None;
                };
                let module = self.modules[module];
                Some(module.extern_type(module.exports.get(def.b as usize)?.index))
            }
            CoreDefKind::ExportByName => {
                let Made::Imported(leaf) = self.made[def.a as usize] else {
                    return None;
                };
                let ty = t.module_type(ModuleTypeId(t.leaves[leaf.index()].a));
                let name = t.name(NameId(def.b));
                let mut exports = t.core_externs(ty.exports).iter();
                let export = exports.find(|row| t.name(row.name) == name)?;
                Some(core_extern(t, export))
            }
        }
    }

    fn init(&self, row: InitRow) -> Option<bool> {
        let t = self.t;
        match row.kind {
            InitKind::Instantiate => {
                let module = self.modules[row.a as usize];
                let args = &t.args[row.args.range()];
                let mut pairs = args.iter().zip(&module.imports);
                let fit = args.len() == module.imports.len()
                    && pairs.all(|(arg, import)| {
                        let given = self.ty(*arg);
                        given.is_some_and(|given| fits(&given, &module.extern_type(import.index)))
                    });
                Some(fit)
            }
            InitKind::InstantiateImported => {
                let args = &t.named_args[row.args.range()];
                let ty = t.module_type(ModuleTypeId(t.leaves[row.a as usize].a));
                let mut asked = t.core_externs(ty.imports).iter();
                Some(asked.all(|asked| {
                    let name = (t.name(asked.module), t.name(asked.name));
                    let mut args = args.iter();
                    let arg = args.find(|arg| (t.name(arg.module), t.name(arg.name)) == name);
                    let given = arg.and_then(|arg| self.ty(arg.def));
                    given.is_some_and(|given| fits(&given, &core_extern(t, asked)))
                }))
            }
            InitKind::Resolve | InitKind::Define => Some(true),
        }
    }

    /// Whether a definition, if there is one, is a function of this type.
    fn is_func(&self, id: CoreDefId, params: &[ValType], results: &[ValType]) -> Option<bool> {
        let Some(id) = id.some() else {
            return Some(true);
        };
        let ExternType::Func(ty) = self.ty(id)? else {
            return Some(false);
        };
        Some(ty.params() == params && ty.results() == results)
    }

    fn options(&self, row: OptionsRow) -> Option<bool> {
        if let Some(memory) = row.memory.some() {
            let ExternType::Memory(ty) = self.ty(memory)? else {
                return Some(false);
            };
            if ty.memory64 != row.wide {
                return Some(false);
            }
        }
        let pointer = if row.wide { ValType::I64 } else { ValType::I32 };
        let realloc = self.is_func(row.realloc, &[pointer; 4], &[pointer])?;
        let sig = core_func(self.t, self.t.core_sig(row.sig));
        Some(realloc && self.is_func(row.post_return, sig.results(), &[])?)
    }

    /// Whether a signature is the one that a function's type comes to.
    fn has(&self, sig: CoreSigId, wanted: &CoreSignature) -> bool {
        let (t, row) = (self.t, self.t.core_sig(sig));
        t.flat(row.params) == wanted.params && t.flat(row.results) == wanted.results
    }

    fn func(&self, row: FuncRow) -> Option<bool> {
        let t = self.t;
        match row.kind {
            FuncKind::Lifted => {
                let options = t.option(row.options);
                let sig = core_func(t, t.core_sig(options.sig));
                let core = self.is_func(row.core, sig.params(), sig.results())?;
                Some(core && self.has(options.sig, &t.lift_signature(row.ty, options.wide)))
            }
            FuncKind::Imported => {
                let leaf = t.leaves[row.leaf.index()];
                let same = self.same(row.ty, FuncTypeId(leaf.a));
                let Some(core) = row.core.some() else {
                    return Some(same);
                };
                let sig = t.option(row.options).sig;
                let ty = core_func(t, t.core_sig(sig));
                let core = self.is_func(core, ty.params(), ty.results())?;
                Some(same && core && self.has(sig, &t.lower_signature(row.ty, false)))
            }
        }
    }

    /// Whether two types of functions are the same but for resources.
    fn same(&self, a: FuncTypeId, b: FuncTypeId) -> bool {
        let t = self.t;
        let (a, b) = (t.func_type(a), t.func_type(b));
        let result = match (a.result.some(), b.result.some()) {
            (Some(a), Some(b)) => same_form(t, a, b),
            (None, None) => true,
            _ => false,
        };
        result && same_form(t, a.params, b.params)
    }

    fn trampoline(&self, row: TrampolineRow) -> Option<bool> {
        let t = self.t;
        let wide = match row.options.some() {
            Some(options) => t.option(options).wide,
            None => false,
        };
        let pointer = CoreType::pointer(wide);
        let plain = |params: &[CoreType], results: &[CoreType]| {
            let wanted = CoreSignature {
                params: params.to_vec(),
                results: results.to_vec(),
            };
            Some(self.has(row.sig, &wanted))
        };
        let (one, none) = ([CoreType::I32], []);
        match row.kind {
            TrampolineKind::Lower | TrampolineKind::Adapter => {
                let sig = self.has(row.sig, &t.lower_signature(row.ty, wide));
                Some(sig && self.same(row.ty, t.func(row.func).ty))
            }
            TrampolineKind::ResourceNew | TrampolineKind::ResourceRep => plain(&one, &one),
            TrampolineKind::ResourceDrop | TrampolineKind::ErrorContextDrop => plain(&one, &none),
            TrampolineKind::ErrorContextNew => plain(&[pointer; 2], &one),
            TrampolineKind::ErrorContextMessage => plain(&[CoreType::I32, pointer], &none),
        }
    }
}
