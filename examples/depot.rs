//! A component in Rust whose imports nobody serves: those trap, and what doesn't call them runs.
//!
//! `cargo run --example depot -- 3 -4 10`

use cellule::component::{Component, Linker};
use cellule::{Engine, Result, Store, bail};

/// Sum, smallest, largest and mean.
type Stats = ((i64, Option<i32>, Option<i32>, f64),);

fn main() -> Result<()> {
    let arguments: core::result::Result<Vec<i32>, _> =
        std::env::args().skip(1).map(|text| text.parse()).collect();
    let Ok(numbers) = arguments else {
        bail!("arguments have to be whole numbers");
    };
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/guests/rust-depot.wasm");
    let engine = Engine::default();
    let component = Component::new(&engine, std::fs::read(path)?)?;
    let mut linker = Linker::<()>::new(&engine);
    linker.define_unknown_imports_as_traps(&component)?;
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &component)?;
    let depot = instance.get_export_index(&mut store, None, "cellule:depot/depot@1.2.0");
    let stats = instance.get_export_index(&mut store, depot.as_ref(), "stats");
    let Some(stats) = stats else {
        bail!("the component exports no `stats`");
    };
    let stats = instance.get_typed_func::<(&[i32],), Stats>(&mut store, &stats)?;
    let ((sum, smallest, largest, mean),) = stats.call(&mut store, (&numbers,))?;
    println!("sum {sum}, smallest {smallest:?}, largest {largest:?}, mean {mean}");
    Ok(())
}
