//! How many instructions cellule executes: in this program, which has cellule with its counters.

use anyhow::Result;
use cellule::code::Tier;

/// What `run(n)` returns.
pub struct Counted {
    pub checksum: i64,
    /// Executed instructions, and those of them that the fast tier has.
    pub executed: (u64, u64),
}

/// Calls `run(n)` of the module once and counts.
pub fn count(wasm: &[u8], n: i32) -> Result<Counted> {
    let mut config = cellule::Config::new();
    config.count_instructions(true);
    let (checksum, store) = run(&config, wasm, n)?;
    let counts = store.instruction_counts();
    let executed = counts.fold((0, 0), |(all, fast), (info, count)| {
        let counted = if info.tier == Tier::Fast { count } else { 0 };
        (all + count, fast + counted)
    });
    Ok(Counted { checksum, executed })
}

/// Calls `run(n)` of the module once: what it returns, and the store with its counters.
pub fn run(config: &cellule::Config, wasm: &[u8], n: i32) -> Result<(i64, cellule::Store<()>)> {
    let engine = cellule::Engine::new(config)?;
    let module = cellule::Module::new(&engine, wasm)?;
    let mut store = cellule::Store::new(&engine, ());
    let instance = cellule::Linker::new(&engine).instantiate(&mut store, &module)?;
    let run = instance.get_typed_func::<i32, i64>(&store, "run")?;
    let checksum = run.call(&mut store, n)?;
    Ok((checksum, store))
}
