//! `cellule disasm`: the code that functions are translated to.

use crate::args::DisasmArgs;
use crate::inspect::modules;
use crate::near;
use anyhow::{Context, Result, bail};
use cellule::{Config, Engine, Module};
use std::fmt::Write;
use wasmparser::{ExternalKind, Parser, Payload};

/// The code of the functions that the arguments name, or of all.
///
/// # Errors
/// Bad bytes, or no such module or function.
pub fn disassemble(args: &DisasmArgs, wasm: &[u8]) -> Result<String> {
    let mut config = Config::new();
    config.fast_tier(!args.base_tier).consume_fuel(args.fuel);
    let engine = Engine::new(&config)?;
    let all = modules::binaries(wasm)?;
    if let Some(wanted) = args.module
        && wanted >= all.len()
    {
        bail!(
            "there is no core module {wanted}: the file has {}",
            all.len()
        );
    }
    let mut text = String::new();
    for (index, wasm) in all.iter().enumerate() {
        if args.module.is_some_and(|wanted| wanted != index) {
            continue;
        }
        let found = functions(&engine, wasm, args.function.as_deref());
        let found = found.with_context(|| format!("in core module {index}"))?;
        if !found.is_empty() && all.len() > 1 {
            writeln!(text, "core module {index}\n")?;
        }
        text.push_str(&found);
    }
    match &args.function {
        Some(wanted) if text.is_empty() => {
            let hint = near::hint(wanted, names(&engine, &all)?);
            match args.module {
                Some(index) => bail!("core module {index} defines no function `{wanted}`{hint}"),
                None => bail!("no core module defines a function `{wanted}`{hint}"),
            }
        }
        _ => Ok(text),
    }
}

/// The names of all functions that have one.
fn names(engine: &Engine, modules: &[&[u8]]) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for wasm in modules {
        let module = Module::new(engine, wasm)?;
        let named = module.functions().filter_map(|(_, name)| name);
        names.extend(named.map(ToString::to_string));
    }
    Ok(names)
}

/// The code of a module's functions of a name or index, or of all.
fn functions(engine: &Engine, wasm: &[u8], wanted: Option<&str>) -> Result<String> {
    let module = Module::new(engine, wasm)?;
    let exported = wanted.map(|wanted| exported(wasm, wanted)).transpose()?;
    let mut text = String::new();
    for (index, name) in module.functions() {
        let meant = wanted.is_none_or(|wanted| {
            name == Some(wanted) || wanted.parse() == Ok(index) || exported.flatten() == Some(index)
        });
        if meant {
            let code = module.disassemble(index)?;
            let name = name.map_or(String::new(), |name| format!(" {name}"));
            writeln!(text, "function {index}{name}\n{code}")?;
        }
    }
    Ok(text)
}

/// The index of the function that a module exports under a name.
fn exported(wasm: &[u8], name: &str) -> Result<Option<u32>> {
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::ExportSection(exports) = payload? {
            for export in exports {
                let export = export?;
                if export.kind == ExternalKind::Func && export.name == name {
                    return Ok(Some(export.index));
                }
            }
        }
    }
    Ok(None)
}
