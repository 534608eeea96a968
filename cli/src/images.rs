//! `cellule compile`, and images where other commands take a binary.

use crate::args::CompileArgs;
use crate::input::{self, Kind};
use anyhow::{Result, bail};
use cellule::component::Component;
use cellule::component::types::ComponentItem;
use cellule::{Config, Engine, Module};
use std::fmt::Write;

/// How an image begins.
const MAGIC: &[u8] = b"\0cellule";
/// Where its flags stand, and which of them says that it counts fuel.
const FLAGS: usize = 48;
const FUEL: u8 = 2;

/// Whether these bytes are an image.
pub fn is_image(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// The image of a component or core module.
///
/// # Errors
/// What can't be loaded or translated.
pub fn compile(args: &CompileArgs, wasm: &[u8]) -> Result<Vec<u8>> {
    if is_image(wasm) {
        bail!("{} is an image already", args.file.display());
    }
    let mut config = Config::new();
    config.consume_fuel(args.fuel).fast_tier(!args.base_tier);
    let engine = Engine::new(&config)?;
    Ok(match input::kind(wasm)? {
        Kind::Component => Component::new(&engine, wasm)?.to_image()?,
        Kind::Module => Module::new(&engine, wasm)?.to_image()?,
    })
}

/// Which kind an image is of.
pub fn kind(image: &[u8]) -> Kind {
    match image.get(12) {
        Some(0) => Kind::Module,
        _ => Kind::Component,
    }
}

/// A component from a binary or an image.
///
/// # Errors
/// What is wrong with it.
pub fn component(engine: &Engine, bytes: &[u8]) -> cellule::Result<Component> {
    match is_image(bytes) {
        true => Component::from_image_vec(engine, bytes.to_vec()),
        false => Component::new(engine, bytes),
    }
}

/// A core module from a binary or an image.
///
/// # Errors
/// What is wrong with it.
pub fn module(engine: &Engine, bytes: &[u8]) -> cellule::Result<Module> {
    match is_image(bytes) {
        true => Module::from_image_vec(engine, bytes.to_vec()),
        false => Module::new(engine, bytes),
    }
}

/// Describes an image: what it is of, imports and exports.
///
/// # Errors
/// What is wrong with it.
pub fn describe(image: &[u8]) -> Result<String> {
    let fuel = image.get(FLAGS).is_some_and(|flags| flags & FUEL != 0);
    let engine = Engine::new(Config::new().consume_fuel(fuel))?;
    let mut text = String::new();
    let counts = if fuel { ", counts fuel" } else { "" };
    match kind(image) {
        Kind::Module => {
            let module = module(&engine, image)?;
            let _ = writeln!(
                text,
                "image of a core module, {} bytes{counts}",
                image.len()
            );
            for import in module.imports() {
                let _ = writeln!(
                    text,
                    "import {}.{}: {}",
                    import.module(),
                    import.name(),
                    import.ty()
                );
            }
            for export in module.exports() {
                let _ = writeln!(text, "export {}: {}", export.name(), export.ty());
            }
        }
        Kind::Component => {
            let component = component(&engine, image)?;
            let _ = writeln!(text, "image of a component, {} bytes{counts}", image.len());
            let ty = component.component_type();
            for (name, item) in ty.imports(&engine) {
                let _ = writeln!(text, "import {name}: {}", what(&item.ty));
            }
            for (name, item) in ty.exports(&engine) {
                let _ = writeln!(text, "export {name}: {}", what(&item.ty));
            }
        }
    }
    Ok(text)
}

/// What an item is, in a word.
fn what(item: &ComponentItem) -> &'static str {
    match item {
        ComponentItem::ComponentFunc(_) => "func",
        ComponentItem::Module(_) => "core module",
        ComponentItem::Component(_) => "component",
        ComponentItem::ComponentInstance(_) => "instance",
        ComponentItem::Type(_) => "type",
        ComponentItem::Resource(_) => "resource",
    }
}
