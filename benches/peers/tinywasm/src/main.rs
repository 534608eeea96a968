//! The peer that is tinywasm, in its default configuration.

use anyhow::{Result, anyhow, bail};
use peer_protocol::Instance;
use tinywasm::{FunctionTyped, ModuleInstance, Store};

fn main() {
    peer_protocol::serve(|options| match options {
        [] => Ok(Tinywasm),
        _ => bail!("tinywasm takes no options"),
    });
}

struct Tinywasm;

impl peer_protocol::Engine for Tinywasm {
    fn instantiate(&self, wasm: &[u8]) -> Result<Box<dyn Instance>> {
        let make = || {
            let module = tinywasm::parse_bytes(wasm)?;
            let mut store = Store::default();
            let instance = ModuleInstance::instantiate(&mut store, &module, None)?;
            let run = instance.func(&store, "run")?;
            Ok(Box::new(Workload { store, run }))
        };
        let workload = make().map_err(|error: tinywasm::Error| anyhow!("{error}"))?;
        Ok(workload)
    }
}

struct Workload {
    store: Store,
    run: FunctionTyped<i32, i64>,
}

impl Instance for Workload {
    fn run(&mut self, n: i32) -> Result<i64> {
        let result = self.run.call(&mut self.store, n);
        result.map_err(|error| anyhow!("{error}"))
    }
}
