//! The peer that is wasmtime: `--pulley` interprets, `--cranelift` compiles and shows how fast it can be where a JIT
//! may run.

use anyhow::{Result, bail};
use peer_protocol::Instance;
use wasmtime::{Config, Engine, Linker, Module, Store, TypedFunc};

fn main() {
    peer_protocol::serve(|options| match options {
        [option] if option == "--pulley" => Ok(Wasmtime { pulley: true }),
        [option] if option == "--cranelift" => Ok(Wasmtime { pulley: false }),
        _ => bail!("wasmtime wants one option, --pulley or --cranelift"),
    });
}

struct Wasmtime {
    pulley: bool,
}

impl peer_protocol::Engine for Wasmtime {
    fn instantiate(&self, wasm: &[u8]) -> Result<Box<dyn Instance>> {
        let mut config = Config::new();
        if self.pulley {
            config.target("pulley64")?;
        }
        let engine = Engine::new(&config)?;
        let module = Module::new(&engine, wasm)?;
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate(&mut store, &module)?;
        let run = instance.get_typed_func(&mut store, "run")?;
        Ok(Box::new(Workload { store, run }))
    }
}

struct Workload {
    store: Store<()>,
    run: TypedFunc<i32, i64>,
}

impl Instance for Workload {
    fn run(&mut self, n: i32) -> Result<i64> {
        Ok(self.run.call(&mut self.store, n)?)
    }
}
