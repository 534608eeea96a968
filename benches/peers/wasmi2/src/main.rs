//! The peer that is wasmi 2, in its default configuration.

use anyhow::{Context, Result, bail};
use peer_protocol::{Calls, Instance, Kind};
use std::any::Any;
use wasmi::{
    CompilationMode, Config, Engine, ExternType, Func, Linker, Module, Store, TypedFunc, Val,
};

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

    fn calls(&self, called: &[u8], trivial: &[u8]) -> Result<Box<dyn Calls>> {
        let engine = Engine::default();
        let module = Module::new(&engine, called)?;
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        linker.func_wrap("host", "add", |a: i32, b: i32| a.wrapping_add(b))?;
        let instance = linker.instantiate_and_start(&mut store, &module)?;
        let add = instance.get_typed_func(&store, "add")?;
        let dynamic = instance.get_func(&store, "add").context("no `add`")?;
        let repeat = instance.get_typed_func(&store, "loop")?;
        let trivial = Module::new(&engine, trivial)?;
        Ok(Box::new(Crossing {
            engine,
            store,
            add,
            dynamic,
            repeat,
            trivial,
        }))
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

struct Crossing {
    engine: Engine,
    store: Store<()>,
    add: TypedFunc<(i32, i32), i32>,
    dynamic: Func,
    repeat: TypedFunc<i32, i32>,
    trivial: Module,
}

impl Calls for Crossing {
    fn call(&mut self, kind: Kind, n: u32) -> Result<i64> {
        let mut sum = 0_i32;
        match kind {
            Kind::Typed => {
                for i in 0..n as i32 {
                    sum = self.add.call(&mut self.store, (sum, i))?;
                }
            }
            Kind::Dynamic => {
                for i in 0..n as i32 {
                    let mut results = [Val::I32(0)];
                    let args = [Val::I32(sum), Val::I32(i)];
                    self.dynamic.call(&mut self.store, &args, &mut results)?;
                    sum = results[0].i32().context("`add` returned another type")?;
                }
            }
            Kind::Import => sum = self.repeat.call(&mut self.store, n as i32)?,
            Kind::Instance => {
                let linker = Linker::new(&self.engine);
                for _ in 0..n / 1000 {
                    let mut store = Store::new(&self.engine, ());
                    for _ in 0..1000 {
                        linker.instantiate_and_start(&mut store, &self.trivial)?;
                        sum += 1;
                    }
                }
            }
            Kind::Store => {
                let linker = Linker::new(&self.engine);
                for _ in 0..n {
                    let mut store = Store::new(&self.engine, ());
                    linker.instantiate_and_start(&mut store, &self.trivial)?;
                    sum += 1;
                }
            }
        }
        Ok(sum.into())
    }
}
