//! Reads what the user named: a binary, or text that is assembled first.

use anyhow::{Context, Result, anyhow, bail};
use std::path::Path;
use wasmparser::{Encoding, Parser, Payload};

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

/// The two kinds of binaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A core module.
    Module,
    /// A component.
    Component,
}

/// Which kind a binary is, by its head.
///
/// # Errors
/// If it is neither.
pub fn kind(wasm: &[u8]) -> Result<Kind> {
    match Parser::new(0).parse_all(wasm).next() {
        Some(Ok(Payload::Version { encoding, .. })) => Ok(match encoding {
            Encoding::Module => Kind::Module,
            Encoding::Component => Kind::Component,
        }),
        Some(Err(error)) => Err(anyhow!("{error}")),
        _ => Err(anyhow!("the file is empty")),
    }
}
