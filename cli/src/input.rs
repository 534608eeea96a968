//! Reads what the user named: a binary, or text that is assembled first.

use crate::images;
use anyhow::{Context, Result, anyhow, bail};
use std::path::Path;
use wasmparser::{Encoding, Parser, Payload};

/// The bytes of a component, core module or image; text is assembled.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let name = path.display();
    let bytes = std::fs::read(path).with_context(|| format!("can't read {name}"))?;
    if images::is_image(&bytes) {
        return Ok(bytes);
    }
    let wasm = match wat::parse_bytes(&bytes) {
        Ok(wasm) => wasm.into_owned(),
        Err(mut error) => {
            error.set_path(path);
            let kind = match looks_like_text(&bytes) {
                true => "bad text",
                false => "neither a WebAssembly binary nor its text form",
            };
            bail!("{name}: {kind}: {error}");
        }
    };
    if !wasm.starts_with(b"\0asm") {
        bail!("{name}: neither a WebAssembly binary nor its text form");
    }
    Ok(wasm)
}

/// Whether a file may be meant as text: it begins with a bracket or a comment.
fn looks_like_text(bytes: &[u8]) -> bool {
    let begin = bytes.trim_ascii_start();
    begin.starts_with(b"(") || begin.starts_with(b";;")
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
    if images::is_image(wasm) {
        return Ok(images::kind(wasm));
    }
    match Parser::new(0).parse_all(wasm).next() {
        Some(Ok(Payload::Version { encoding, .. })) => Ok(match encoding {
            Encoding::Module => Kind::Module,
            Encoding::Component => Kind::Component,
        }),
        Some(Err(error)) => Err(anyhow!("{error}")),
        _ => Err(anyhow!("the file is empty")),
    }
}
