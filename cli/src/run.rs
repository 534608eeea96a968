//! `cellule run` for core modules: instantiates one and calls its exports in order.
//!
//! Calls are written `NAME(ARGUMENTS)`; arguments are numbers, and results are printed as such, one
//! line a call.

use crate::args::RunArgs;
use crate::stats;
use anyhow::{Context, Result, anyhow, bail};
use cellule::{Config, Engine, ErrorKind, Instance, Limits, Linker, Module, Store, Val, ValType};

/// Runs the module; returns what is to be printed for each call.
pub fn run(args: &RunArgs, wasm: &[u8], mut print: impl FnMut(&str)) -> Result<()> {
    let mut config = Config::new();
    config.consume_fuel(args.fuel.is_some());
    config.count_instructions(args.stats);
    if args.base_tier {
        config.fast_tier(false);
    }
    let engine = Engine::new(&config);
    let module =
        Module::new(&engine, wasm).with_context(|| format!("in {}", args.file.display()))?;
    let mut store = Store::new(&engine, ());
    let mut limits = Limits::default();
    if let Some(bytes) = args.max_memory {
        limits.memory_bytes = bytes;
    }
    store.set_limits(limits);
    if let Some(fuel) = args.fuel {
        store.set_fuel(fuel)?;
    }
    let instance = Linker::new(&engine)
        .instantiate(&mut store, &module)
        .with_context(|| format!("can't instantiate {}", args.file.display()))?;
    // A trap ends the calls, but what was executed until then is told.
    let outcome = args.invoke.iter().try_for_each(|call| {
        let results = invoke(&mut store, instance, &module, call)?;
        print(&results);
        Ok(())
    });
    if args.stats {
        stats::lines(store.instruction_counts()).for_each(|line| print(&line));
    }
    outcome
}

/// Makes one call; its results as text.
fn invoke(
    store: &mut Store<()>,
    instance: Instance,
    module: &Module,
    call: &str,
) -> Result<String> {
    let (name, arguments) = split(call)?;
    let func = instance
        .get_func(store, name)
        .ok_or_else(|| no_function(module, name))?;
    let ty = func.ty(store);
    if arguments.len() != ty.params().len() {
        bail!(
            "`{call}` has {} arguments, but {name} is {ty}",
            arguments.len()
        );
    }
    let mut values = Vec::new();
    for (text, ty) in arguments.iter().zip(ty.params()) {
        values.push(parse(text, *ty).with_context(|| format!("in `{call}`"))?);
    }
    let mut results: Vec<Val> = ty.results().iter().map(|ty| Val::default_of(*ty)).collect();
    func.call(store, &values, &mut results)
        .map_err(|error| match error.kind() {
            ErrorKind::Trap => anyhow!("`{call}`: {error}"),
            _ => anyhow!(error).context(format!("`{call}` failed")),
        })?;
    let shown: Vec<String> = results.iter().map(show).collect();
    Ok(shown.join(" "))
}

fn no_function(module: &Module, name: &str) -> anyhow::Error {
    let known: Vec<&str> = module
        .exports()
        .filter(|(_, ty)| matches!(ty, cellule::ExternType::Func(_)))
        .map(|(name, _)| name)
        .collect();
    anyhow!(
        "no function is exported as `{name}`; exported are: {}",
        known.join(", ")
    )
}

/// The name and the arguments of a call.
fn split(call: &str) -> Result<(&str, Vec<&str>)> {
    let (name, rest) = call
        .split_once('(')
        .ok_or_else(|| anyhow!("`{call}` is no call: write NAME(ARGUMENTS)"))?;
    let inside = rest
        .trim_end()
        .strip_suffix(')')
        .ok_or_else(|| anyhow!("`{call}` lacks its closing bracket"))?;
    let arguments = match inside.trim() {
        "" => Vec::new(),
        list => list.split(',').map(str::trim).collect(),
    };
    Ok((name.trim(), arguments))
}

/// An argument; integers may be negative, unsigned, or hexadecimal.
fn parse(text: &str, ty: ValType) -> Result<Val> {
    let bad = || anyhow!("`{text}` is no {ty}");
    let integer = || -> Option<i128> {
        let (sign, digits) = text
            .strip_prefix('-')
            .map_or((1, text), |digits| (-1, digits));
        let value = match digits.strip_prefix("0x") {
            Some(hex) => i128::from_str_radix(hex, 16),
            None => digits.parse(),
        };
        value.ok().map(|value| sign * value)
    };
    match ty {
        ValType::I32 => {
            let value = integer().ok_or_else(bad)?;
            let fits =
                i32::try_from(value).or_else(|_| u32::try_from(value).map(|value| value as i32));
            fits.map(Val::I32).map_err(|_| bad())
        }
        ValType::I64 => {
            let value = integer().ok_or_else(bad)?;
            let fits =
                i64::try_from(value).or_else(|_| u64::try_from(value).map(|value| value as i64));
            fits.map(Val::I64).map_err(|_| bad())
        }
        ValType::F32 => text.parse::<f32>().map(Val::from).map_err(|_| bad()),
        ValType::F64 => text.parse::<f64>().map(Val::from).map_err(|_| bad()),
        ValType::FuncRef | ValType::ExternRef => bail!("a {ty} can't be written as an argument"),
    }
}

fn show(value: &Val) -> String {
    match value {
        Val::I32(x) => x.to_string(),
        Val::I64(x) => x.to_string(),
        Val::F32(bits) => f32::from_bits(*bits).to_string(),
        Val::F64(bits) => f64::from_bits(*bits).to_string(),
        Val::FuncRef(reference) => reference.map_or("null", |_| "funcref").to_string(),
        Val::ExternRef(reference) => reference.map_or("null", |_| "externref").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_split_and_arguments_parsed_by_type() {
        assert_eq!(split("add(1, -2)").unwrap(), ("add", vec!["1", "-2"]));
        assert!(
            split("add")
                .unwrap_err()
                .to_string()
                .contains("NAME(ARGUMENTS)")
        );
        assert_eq!(parse("0xffffffff", ValType::I32).unwrap(), Val::I32(-1));
        assert_eq!(parse("-1", ValType::I64).unwrap(), Val::I64(-1));
        assert_eq!(parse("2.5", ValType::F64).unwrap(), Val::from(2.5));
        assert!(parse("4294967296", ValType::I32).is_err());
        assert!(
            parse("two", ValType::I32)
                .unwrap_err()
                .to_string()
                .contains("`two` is no i32")
        );
    }
}
