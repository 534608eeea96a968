//! A compiled core module.

#[cfg(feature = "compile")]
use super::decode;
use super::describe::{ExportType, ImportType, ModuleExport, ResourcesRequired};
use super::engine::Engine;
#[cfg(feature = "compile")]
use crate::code::module::FuncFacts;
use crate::code::module::{ExternType, ModuleData};
use crate::error::Result;
use crate::fallible::Shared;
#[cfg(feature = "compile")]
use alloc::boxed::Box;

/// A decoded and validated module, to be instantiated any number of times. Cheap to clone.
///
/// ```
/// use cellule::{Engine, ErrorKind, Module};
///
/// # fn main() -> cellule::Result<()> {
/// let engine = Engine::default();
/// let text = r#"(module
///     (import "env" "log" (func (param i32)))
///     (func (export "run") (result i32) (i32.const 1)))"#;
/// let module = Module::new(&engine, wat::parse_str(text).expect("valid text"))?;
/// let import = module.imports().next().expect("an import");
/// assert_eq!((import.module(), import.name()), ("env", "log"));
/// assert!(module.get_export("run").is_some());
/// let error = Module::new(&engine, b"no module").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Malformed);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Module {
    pub(crate) engine: Engine,
    pub(crate) data: Shared<ModuleData>,
}

impl Module {
    /// Decodes and validates a binary.
    #[cfg(feature = "compile")]
    pub fn new(engine: &Engine, wasm: impl AsRef<[u8]>) -> Result<Module> {
        Module::from_data(engine, decode::module(engine, wasm.as_ref())?)
    }

    /// A module that was decoded and validated.
    #[cfg(feature = "compile")]
    pub(crate) fn from_data(engine: &Engine, data: ModuleData) -> Result<Module> {
        let module = Module {
            engine: engine.clone(),
            data: Shared::new(data)?,
        };
        if engine.config().eager {
            for func in 0..module.data.funcs.len() {
                translate_one(engine, &module.data, func as u32)?;
            }
        }
        Ok(module)
    }

    /// The same as [`Module::new`]: this crate reads no text format.
    ///
    /// # Errors
    /// As [`Module::new`].
    #[cfg(feature = "compile")]
    pub fn from_binary(engine: &Engine, binary: &[u8]) -> Result<Module> {
        Module::new(engine, binary)
    }

    /// As [`Module::new`], with the binary in a file.
    ///
    /// # Errors
    /// As [`Module::new`], or what reading fails with.
    #[cfg(all(feature = "std", feature = "compile"))]
    pub fn from_file(engine: &Engine, file: impl AsRef<std::path::Path>) -> Result<Module> {
        Module::new(engine, read_file(file.as_ref())?)
    }

    /// Whether a binary is a valid module that [`Module::new`] would take.
    ///
    /// # Errors
    /// Why it isn't.
    #[cfg(feature = "compile")]
    pub fn validate(engine: &Engine, binary: &[u8]) -> Result<()> {
        let data = decode::module(engine, binary)?;
        let Some(bodies) = &data.bodies else {
            return Ok(());
        };
        // What would be validated when it is entered.
        let mut funcs = 0..data.funcs.len() as u32;
        funcs.try_for_each(|func| bodies.facts(&data, func).map(drop))
    }

    /// Whether both are the same module: clones of one.
    pub fn same(a: &Module, b: &Module) -> bool {
        Shared::ptr_eq(&a.data, &b.data)
    }

    /// The engine that it was made with.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Imports in order.
    pub fn imports(&self) -> impl ExactSizeIterator<Item = ImportType<'_>> {
        let data = &self.data;
        data.imports.iter().map(move |import| ImportType {
            module: &import.module,
            name: &import.name,
            ty: data.extern_type(import.index),
        })
    }

    /// Exports in order.
    pub fn exports(&self) -> impl ExactSizeIterator<Item = ExportType<'_>> {
        let data = &self.data;
        data.exports.iter().map(move |export| ExportType {
            name: &export.name,
            ty: data.extern_type(export.index),
        })
    }

    /// The type of an export.
    pub fn get_export(&self, name: &str) -> Option<ExternType> {
        let mut exports = self.exports();
        let export = exports.find(|export| export.name() == name)?;
        Some(export.ty)
    }

    /// An export, to be found in instances without its name.
    pub fn get_export_index(&self, name: &str) -> Option<ModuleExport> {
        let mut exports = self.data.exports.iter();
        let index = exports.position(|export| &*export.name == name)?;
        Some(ModuleExport {
            module: self.clone(),
            index: index as u32,
        })
    }

    /// The memories and tables that instantiating it makes.
    pub fn resources_required(&self) -> ResourcesRequired {
        let mut all = ResourcesRequired::default();
        let memories = &self.data.memories[self.data.imported_memories as usize..];
        memories.iter().for_each(|ty| all.memory(ty));
        let tables = &self.data.tables[self.data.imported_tables as usize..];
        tables.iter().for_each(|(ty, _)| all.table(ty));
        all
    }

    /// Its name, where the binary has one.
    pub fn name(&self) -> Option<&str> {
        self.data.name.as_deref()
    }

    /// The functions that the module defines: index and, where the binary has one, name.
    pub fn functions(&self) -> impl Iterator<Item = (u32, Option<&str>)> {
        let all = self.data.imported_funcs..self.data.func_types.len() as u32;
        all.map(|func| (func, self.data.func_name(func)))
    }

    /// The translated code of a function, by its index in the module, as text.
    pub fn disassemble(&self, func: u32) -> Result<alloc::string::String> {
        let defined = func.checked_sub(self.data.imported_funcs);
        let Some(decl) = defined.and_then(|at| self.data.funcs.get(at as usize)) else {
            let why = format_args!("the module defines no function {func}");
            return Err(crate::Error::of(crate::ErrorKind::Type, why));
        };
        translate_one(&self.engine, &self.data, func - self.data.imported_funcs)?;
        Ok(decl
            .code
            .get()
            .map(|code| crate::code::disasm::function(code))
            .unwrap_or_default())
    }
}

/// Without a translator every function came with its code.
#[cfg(not(feature = "compile"))]
pub(crate) fn translate_one(_engine: &Engine, module: &ModuleData, func: u32) -> Result<()> {
    match module.funcs[func as usize].code.get() {
        Some(_) => Ok(()),
        None => Err(crate::Error::of(
            crate::ErrorKind::Unsupported,
            "a function without code in a build without `compile`",
        )),
    }
}

/// For tools that check the translator.
#[cfg(all(feature = "compile", feature = "extra-checks"))]
#[doc(hidden)]
impl Module {
    /// The verified code of a function, by its index in the module.
    pub fn checked_code(&self, func: u32) -> Result<&[u64]> {
        self.disassemble(func)?;
        let defined = func - self.data.imported_funcs;
        let code = self.data.funcs[defined as usize].code.get();
        let code = code.map(|code| &code[..]).unwrap_or_default();
        check(&self.data, defined, code).map(|()| code)
    }

    /// Whether some code could be that of a function, by its index in the module.
    pub fn verify(&self, func: u32, code: &[u64]) -> Result<(), crate::code::verify::Refused> {
        let defined = func.wrapping_sub(self.data.imported_funcs);
        crate::code::verify::function(&self.data, defined, code, cfg!(feature = "fast"))
    }
}

/// Translates a defined function unless that has been done; the code is published once.
#[cfg(feature = "compile")]
pub(crate) fn translate_one(engine: &Engine, module: &ModuleData, func: u32) -> Result<()> {
    let decl = &module.funcs[func as usize];
    if decl.code.get().is_none() {
        let config = engine.config();
        let facts = match &module.bodies {
            Some(bodies) => decl.facts.try_call_once(|| bodies.facts(module, func))?,
            None => decl.facts.call_once(FuncFacts::default),
        };
        let options = crate::translate::Options {
            fast: config.fast,
            fuel: config.fuel,
        };
        let code: Box<[u64]> = crate::translate::function(module, func, facts, options)?;
        check(module, func, &code)?;
        decl.code.call_once(|| code.into());
    }
    Ok(())
}

/// In debug and `extra-checks` builds, the structural verifier judges what the translator made.
#[cfg(feature = "compile")]
fn check(module: &ModuleData, func: u32, code: &[u64]) -> Result<()> {
    if !cfg!(any(debug_assertions, feature = "extra-checks")) {
        return Ok(());
    }
    crate::code::verify::function(module, func, code, cfg!(feature = "fast")).map_err(|refused| {
        let why = format_args!(
            "translated code breaks the rule {:?} at word {}:\n{}",
            refused.rule,
            refused.at,
            crate::code::disasm::function(code)
        );
        crate::Error::of(crate::ErrorKind::Host, why)
    })
}

/// A file's bytes.
#[cfg(all(feature = "std", feature = "compile"))]
pub(crate) fn read_file(file: &std::path::Path) -> Result<alloc::vec::Vec<u8>> {
    use crate::error::Context as _;
    std::fs::read(file).with_context(|| alloc::format!("reading {}", file.display()))
}
