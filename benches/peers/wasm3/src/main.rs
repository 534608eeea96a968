//! The peer that is wasm3, in its default configuration.

use anyhow::{Result, anyhow, bail};
use peer_protocol::Instance;
use wasm3x::{Engine, Linker, Module, Store, TypedFunc};

fn main() {
    peer_protocol::serve(|options| match options {
        [] => Ok(Wasm3),
        _ => bail!("wasm3 takes no options"),
    });
}

struct Wasm3;

impl peer_protocol::Engine for Wasm3 {
    fn instantiate(&self, wasm: &[u8]) -> Result<Box<dyn Instance>> {
        instantiate(wasm).map_err(|error| anyhow!("{error}"))
    }
}

fn instantiate(wasm: &[u8]) -> wasm3x::Result<Box<dyn Instance>> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let module = Module::new(&engine, wasm)?;
    let instance = Linker::<()>::new(&engine).instantiate_and_start(&mut store, &module)?;
    let run = instance.get_typed_func(&store, "run")?;
    Ok(Box::new(Workload { store, run }))
}

struct Workload {
    store: Store<()>,
    run: TypedFunc<i32, i64>,
}

impl Instance for Workload {
    fn run(&mut self, n: i32) -> Result<i64> {
        let result = self.run.call(&mut self.store, n);
        result.map_err(|error| anyhow!("{error}"))
    }
}
