//! Core modules: their numbers are written as WAVE writes numbers.

use super::call::Call;
use super::{called_unserved, ended, results, unserved};
use crate::args::{RunArgs, UnknownImports};
use crate::images;
use crate::near;
use anyhow::{Context, Result, anyhow, bail};
use cellule::{ExternType, Instance, Linker, Module, Store, Val, ValType};
use wasm_wave::ast::Node;

/// An instance and its module.
pub struct Guest {
    module: Module,
    instance: Instance,
}

impl Guest {
    /// Loads, links and instantiates a module.
    pub fn new(args: &RunArgs, store: &mut Store<()>, wasm: &[u8]) -> Result<Guest> {
        let file = args.file.display();
        let module = images::module(store.engine(), wasm)
            .map_err(anyhow::Error::from)
            .with_context(|| format!("in {file}"))?;
        let linker = link(args, &module)?;
        let instance = linker
            .instantiate(store, &module)
            .map_err(anyhow::Error::from)
            .with_context(|| format!("can't instantiate {file}"))?;
        Ok(Guest { module, instance })
    }

    /// The functions that can be called, a line each.
    pub fn functions(&self) -> Vec<String> {
        functions(&self.module)
    }

    /// Makes one call; its results as text.
    pub fn invoke(&self, store: &mut Store<()>, call: &Call) -> Result<String> {
        let name = call.whole_name();
        let func = self
            .instance
            .get_func(&*store, name)
            .ok_or_else(|| no_function(&self.module, name))?;
        let ty = func.ty(&*store);
        let given = call.arguments();
        if given.len() != ty.params().len() {
            let (text, count) = (call.text, call.count());
            bail!("`{text}` has {count}, but {name} is {ty}");
        }
        let arguments = given.iter().zip(ty.params());
        let arguments: Vec<Val> = arguments
            .map(|(node, ty)| number(call, node, *ty))
            .collect::<Result<_>>()?;
        let mut values: Vec<Val> = ty.results().iter().map(|ty| Val::default_of(*ty)).collect();
        func.call(&mut *store, &arguments, &mut values)
            .map_err(|error| ended(call, error))?;
        Ok(results(&values.iter().map(show).collect::<Vec<_>>()))
    }
}

/// A linker with what the arguments say about imports.
fn link(args: &RunArgs, module: &Module) -> Result<Linker<()>> {
    let mut linker = Linker::new(module.engine());
    let mut missing = Vec::new();
    for import in module.imports() {
        let (space, name) = (import.module(), import.name());
        match import.ty() {
            ExternType::Func(ty) if args.unknown_imports != UnknownImports::Refuse => {
                let full = format!("{space} {name}");
                let print = args.unknown_imports == UnknownImports::Print;
                let returns = !ty.results().is_empty();
                // The same import twice is one definition.
                linker.allow_shadowing(true);
                linker.func_new(space, name, ty, move |_, values, _| {
                    if !print || returns {
                        return Err(called_unserved(&full));
                    }
                    let text: Vec<String> = values.iter().map(show).collect();
                    eprintln!("{full}({})", text.join(", "));
                    Ok(())
                })?;
            }
            ty => missing.push(format!("`{space}` `{name}`: {ty}")),
        }
    }
    if missing.is_empty() {
        return Ok(linker);
    }
    Err(unserved(args, &missing))
}

fn no_function(module: &Module, name: &str) -> anyhow::Error {
    let lines = functions(module);
    if lines.is_empty() {
        return anyhow!("no function is exported");
    }
    let names = module.exports().map(|export| export.name());
    anyhow!(
        "no function `{name}` is exported{}; these are:\n  {}",
        near::hint(name, names),
        lines.join("\n  ")
    )
}

/// The exported functions, a line each.
fn functions(module: &Module) -> Vec<String> {
    let exports = module.exports();
    let functions = exports.filter(|export| matches!(export.ty(), ExternType::Func(_)));
    functions
        .map(|export| format!("{}: {}", export.name(), export.ty()))
        .collect()
}

/// An argument; integers may be signed or unsigned.
fn number(call: &Call, node: &Node, ty: ValType) -> Result<Val> {
    let source = call.source();
    let value = match ty {
        ValType::I32 => {
            let unsigned = |_| node.as_number::<u32>(source).map(|value| value as i32);
            node.as_number(source).or_else(unsigned).map(Val::I32)
        }
        ValType::I64 => {
            let unsigned = |_| node.as_number::<u64>(source).map(|value| value as i64);
            node.as_number(source).or_else(unsigned).map(Val::I64)
        }
        ValType::F32 => node.as_number::<f32>(source).map(Val::from),
        ValType::F64 => node.as_number::<f64>(source).map(Val::from),
        // An integer with the first lane in its lowest bits.
        ValType::V128 => node
            .as_number::<u128>(source)
            .map(|bits| Val::V128(bits.into())),
        _ => {
            bail!("a {ty} can't be written as text")
        }
    };
    value.map_err(|_| {
        let (written, marks) = (call.written(node), call.pointed(node.span()));
        anyhow!("`{written}` is no {ty}{marks}")
    })
}

fn show(value: &Val) -> String {
    let float = |value: String| match value.as_str() {
        "NaN" => "nan".to_string(),
        _ => value,
    };
    match value {
        Val::I32(x) => x.to_string(),
        Val::I64(x) => x.to_string(),
        Val::F32(bits) => float(f32::from_bits(*bits).to_string()),
        Val::F64(bits) => float(f64::from_bits(*bits).to_string()),
        Val::V128(vector) => vector.as_u128().to_string(),
        Val::FuncRef(reference) => reference.map_or("null", |_| "funcref").to_string(),
        Val::ExternRef(reference) => reference.map_or("null", |_| "externref").to_string(),
        Val::ExnRef(reference) => reference.map_or("null", |_| "exnref").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_by_their_type() {
        let read = |text: &str, ty| {
            let text = format!("f({text})");
            let call = Call::parse(&text)?;
            number(&call, call.arguments()[0], ty)
        };
        assert_eq!(read("4294967295", ValType::I32).unwrap(), Val::I32(-1));
        assert_eq!(read("-1", ValType::I64).unwrap(), Val::I64(-1));
        assert_eq!(read("2.5", ValType::F64).unwrap(), Val::from(2.5));
        let vector = read("340282366920938463463374607431768211455", ValType::V128).unwrap();
        assert_eq!(show(&vector), u128::MAX.to_string());
        assert_eq!(
            read("-inf", ValType::F64).unwrap(),
            Val::from(f64::NEG_INFINITY)
        );
        assert_eq!(show(&read("nan", ValType::F32).unwrap()), "nan");
        assert!(read("4294967296", ValType::I32).is_err());
        let error = read("two", ValType::I32).unwrap_err().to_string();
        assert!(error.contains("`two` is no i32"), "{error}");
    }
}
