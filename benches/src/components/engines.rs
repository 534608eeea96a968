//! The engines of `components`: cellule, and wasmtime with its compiler and with its interpreter.

use super::on_cellule;
#[cfg(feature = "wasmtime")]
use super::on_wasmtime;
use super::rows::{Calls, What};
use anyhow::Result;

/// An engine, and how it prepares the calls of a row.
pub struct Engine {
    pub name: String,
    pub prepare: Box<Prepare>,
}

type Prepare = dyn Fn(What, &[u8]) -> Result<Calls>;

/// All engines; cellule, which the others are compared with, is the first.
pub fn all() -> Result<Vec<Engine>> {
    let cellule = cellule::Engine::default();
    let mut all = vec![Engine {
        name: "cellule".to_string(),
        prepare: Box::new(move |what, wasm| on_cellule::calls::prepare(&cellule, what, wasm)),
    }];
    all.extend(others()?);
    Ok(all)
}

#[cfg(feature = "wasmtime")]
fn others() -> Result<[Engine; 2]> {
    Ok([
        wasmtime("wasmtime", &wasmtime::Config::new())?,
        wasmtime("pulley", wasmtime::Config::new().target("pulley64")?)?,
    ])
}

#[cfg(not(feature = "wasmtime"))]
fn others() -> Result<[Engine; 0]> {
    Ok([])
}

#[cfg(feature = "wasmtime")]
fn wasmtime(name: &str, config: &wasmtime::Config) -> Result<Engine> {
    let engine = wasmtime::Engine::new(config)?;
    Ok(Engine {
        name: name.to_string(),
        prepare: Box::new(move |what, wasm| on_wasmtime::calls::prepare(&engine, what, wasm)),
    })
}
