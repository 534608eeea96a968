//! The peer that is WAMR's fast interpreter, in its default configuration.

use anyhow::{Result, anyhow, bail};
use peer_protocol::Instance;
use wamrx::{Engine, Linker, Module, Val};

fn main() {
    peer_protocol::serve(|options| match options {
        [] => Ok(Wamr),
        _ => bail!("WAMR takes no options"),
    });
}

struct Wamr;

impl peer_protocol::Engine for Wamr {
    fn instantiate(&self, wasm: &[u8]) -> Result<Box<dyn Instance>> {
        let make = || {
            let engine = Engine::new()?;
            let module = Module::new(&engine, wasm)?;
            Linker::new(&engine).instantiate(module)
        };
        let instance = make().map_err(|error: wamrx::Error| anyhow!("{error}"))?;
        Ok(Box::new(Workload { instance }))
    }
}

struct Workload {
    instance: wamrx::Instance,
}

impl Instance for Workload {
    fn run(&mut self, n: i32) -> Result<i64> {
        let mut results = [Val::I64(0)];
        // A function borrows its instance; looking it up takes nothing beside the call.
        let run = self.instance.get_func("run");
        let called = run.and_then(|run| run.call(&[Val::I32(n)], &mut results));
        called.map_err(|error| anyhow!("{error}"))?;
        match results {
            [Val::I64(checksum)] => Ok(checksum),
            [other] => bail!("`run` returned {other:?}"),
        }
    }
}
