//! The peer that is cellule, in its default configuration or with the options `--fuel` and `--base`, the tier without
//! accumulator and fused forms.

use anyhow::{Context, Result, bail};
use cellule::{Config, Engine, Func, Linker, Module, Store, TypedFunc, Val};
use peer_protocol::{Calls, Instance, Kind};
use std::any::Any;

fn main() {
    peer_protocol::serve(Cellule::of);
}

/// What the options ask for.
struct Cellule {
    config: Config,
    fuel: bool,
}

impl Cellule {
    fn of(options: &[String]) -> Result<Cellule> {
        let mut config = Config::new();
        let mut fuel = false;
        for option in options {
            match option.as_str() {
                "--base" => config.fast_tier(false),
                "--fuel" => {
                    fuel = true;
                    config.consume_fuel(true)
                }
                other => bail!("no such option: {other}"),
            };
        }
        Ok(Cellule { config, fuel })
    }

    fn store(&self, engine: &Engine) -> Result<Store<()>> {
        let mut store = Store::new(engine, ());
        if self.fuel {
            store.set_fuel(1 << 60)?;
        }
        Ok(store)
    }
}

impl peer_protocol::Engine for Cellule {
    fn instantiate(&self, wasm: &[u8]) -> Result<Box<dyn Instance>> {
        let engine = Engine::new(&self.config)?;
        let module = Module::new(&engine, wasm)?;
        let mut store = self.store(&engine)?;
        let instance = Linker::new(&engine).instantiate(&mut store, &module)?;
        let run = instance.get_typed_func(&store, "run")?;
        Ok(Box::new(Workload { store, run }))
    }

    fn start(
        &self,
        wasm: &[u8],
        eager: bool,
        module_made: &mut dyn FnMut(),
    ) -> Result<Box<dyn Any>> {
        let mut config = self.config.clone();
        let engine = Engine::new(config.eager_translation(eager))?;
        let module = Module::new(&engine, wasm)?;
        module_made();
        let mut store = self.store(&engine)?;
        let mut linker = Linker::new(&engine);
        linker.define_unknown_imports_as_traps(&module)?;
        linker.instantiate(&mut store, &module)?;
        Ok(Box::new((store, module)))
    }

    fn calls(&self, called: &[u8], trivial: &[u8]) -> Result<Box<dyn Calls>> {
        let engine = Engine::new(&self.config)?;
        let module = Module::new(&engine, called)?;
        let mut store = self.store(&engine)?;
        let mut linker = Linker::new(&engine);
        linker.func_wrap("host", "add", |a: i32, b: i32| a.wrapping_add(b))?;
        let instance = linker.instantiate(&mut store, &module)?;
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
                let pre = Linker::<()>::new(&self.engine).instantiate_pre(&self.trivial)?;
                for _ in 0..n / 1000 {
                    let mut store = Store::new(&self.engine, ());
                    for _ in 0..1000 {
                        pre.instantiate(&mut store)?;
                        sum += 1;
                    }
                }
            }
            Kind::Store => {
                let pre = Linker::<()>::new(&self.engine).instantiate_pre(&self.trivial)?;
                for _ in 0..n {
                    pre.instantiate(Store::new(&self.engine, ()))?;
                    sum += 1;
                }
            }
        }
        Ok(sum.into())
    }
}
