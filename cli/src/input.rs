//! Reads what the user named: a binary, or text that is assembled first.

use anyhow::{Context, Result, bail};
use std::path::Path;

/// The bytes of a component or core module; text is assembled.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let name = path.display();
    let bytes = std::fs::read(path).with_context(|| format!("can't read {name}"))?;
    let wasm = match wat::parse_bytes(&bytes) {
        Ok(wasm) => wasm.into_owned(),
        Err(mut error) => {
            error.set_path(path);
            bail!("{error}");
        }
    };
    if !wasm.starts_with(b"\0asm") {
        bail!("{name} is neither a WebAssembly binary nor its text form");
    }
    Ok(wasm)
}
