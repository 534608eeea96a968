//! `cellule disasm`: the code that a module's functions are translated to.

use anyhow::{Result, bail};
use cellule::{Engine, Module};
use std::fmt::Write;

/// The code of one function by name or index, or of all.
///
/// # Errors
///
/// Bad bytes, or no such function.
pub fn disassemble(wasm: &[u8], wanted: Option<&str>) -> Result<String> {
    let module = Module::new(&Engine::default(), wasm)?;
    let mut text = String::new();
    for (index, name) in module.functions() {
        if wanted.is_none_or(|wanted| name == Some(wanted) || wanted.parse() == Ok(index)) {
            let code = module.disassemble(index)?;
            writeln!(
                text,
                "function {index} {}\n{code}",
                name.unwrap_or_default()
            )?;
        }
    }
    match wanted {
        Some(wanted) if text.is_empty() => bail!("the module defines no function `{wanted}`"),
        _ => Ok(text),
    }
}
