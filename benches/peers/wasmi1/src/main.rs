//! The peer that is wasmi 1, in its default configuration.

use anyhow::{Result, bail};
use peer_protocol::Instance;
use std::any::Any;
use wasmi::{CompilationMode, Config, Engine, ExternType, Linker, Module, Store, TypedFunc};

fn main() {
    peer_protocol::serve(|options| match options {
        [] => Ok(Wasmi),
        _ => bail!("wasmi takes no options"),
    });
}

struct Wasmi;

impl peer_protocol::Engine for Wasmi {
    fn instantiate(&self, wasm: &[u8]) -> Result<Box<dyn Instance>> {
        let engine = Engine::default();
        let module = Module::new(&engine, wasm)?;
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate_and_start(&mut store, &module)?;
        let run = instance.get_typed_func(&store, "run")?;
        Ok(Box::new(Workload { store, run }))
    }

    fn start(
        &self,
        wasm: &[u8],
        eager: bool,
        module_made: &mut dyn FnMut(),
    ) -> Result<Box<dyn Any>> {
        let mut config = Config::default();
        config.compilation_mode(match eager {
            true => CompilationMode::Eager,
            false => CompilationMode::LazyTranslation,
        });
        let engine = Engine::new(&config);
        let module = Module::new(&engine, wasm)?;
        module_made();
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::<()>::new(&engine);
        for import in module.imports() {
            let ExternType::Func(ty) = import.ty() else {
                bail!("an import that isn't a function: {}", import.name());
            };
            linker.func_new(import.module(), import.name(), ty.clone(), |_, _, _| {
                Err(wasmi::Error::new("an import was called"))
            })?;
        }
        linker.instantiate_and_start(&mut store, &module)?;
        Ok(Box::new((store, module)))
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
