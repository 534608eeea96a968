//! The engines under one trait: what differs is how each makes an instance and calls `run`.

use anyhow::{Context, Result};
use cellule::code::Tier;

/// An instance of a workload.
pub trait Instance {
    /// Calls `run(n)`.
    fn run(&mut self, n: i32) -> Result<i64>;
}

/// Makes an instance of a module.
type Instantiate = fn(&[u8], &Options) -> Result<Box<dyn Instance>>;

/// An engine, and how it makes an instance.
pub struct Engine {
    pub name: String,
    pub instantiate: Instantiate,
}

/// What can be chosen about cellule.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub base_tier: bool,
}

/// All engines; cellule, which the others are compared with, is the first.
pub fn all() -> Vec<Engine> {
    vec![
        Engine {
            name: "cellule".to_string(),
            instantiate: |wasm, options| Ok(Box::new(Cellule::new(wasm, options, false)?)),
        },
        Engine {
            name: format!("wasmi {}", wasmi_version('2')),
            instantiate: |wasm, _| Ok(Box::new(Wasmi2::new(wasm)?)),
        },
        Engine {
            name: format!("wasmi {}", wasmi_version('1')),
            instantiate: |wasm, _| Ok(Box::new(Wasmi1::new(wasm)?)),
        },
    ]
}

/// The version of wasmi that this bench was built with, as its lock file has it.
fn wasmi_version(major: char) -> &'static str {
    include_str!("../Cargo.lock")
        .split("name = \"wasmi\"\nversion = \"")
        .filter_map(|rest| rest.split('"').next())
        .find(|version| version.starts_with(major))
        .unwrap_or("?")
}

/// cellule, and what it has executed if it counts.
pub struct Cellule {
    store: cellule::Store<()>,
    run: cellule::Func,
}

impl Cellule {
    pub fn new(wasm: &[u8], options: &Options, count: bool) -> Result<Cellule> {
        let mut config = cellule::Config::new();
        config.count_instructions(count);
        if options.base_tier {
            config.fast_tier(false);
        }
        let engine = cellule::Engine::new(&config)?;
        let module = cellule::Module::new(&engine, wasm)?;
        let mut store = cellule::Store::new(&engine, ());
        let instance = cellule::Linker::new(&engine).instantiate(&mut store, &module)?;
        let run = instance.get_func(&store, "run").context("no `run`")?;
        Ok(Cellule { store, run })
    }

    /// Executed instructions, and those of them that the fast tier has.
    pub fn executed(&self) -> (u64, u64) {
        let counts = self.store.instruction_counts();
        counts.fold((0, 0), |(all, fast), (info, count)| {
            let counted = if info.tier == Tier::Fast { count } else { 0 };
            (all + count, fast + counted)
        })
    }
}

impl Instance for Cellule {
    fn run(&mut self, n: i32) -> Result<i64> {
        let mut results = [cellule::Val::I64(0)];
        let args = [cellule::Val::I32(n)];
        self.run.call(&mut self.store, &args, &mut results)?;
        match results {
            [cellule::Val::I64(checksum)] => Ok(checksum),
            [other] => anyhow::bail!("`run` returned {other:?}"),
        }
    }
}

/// Both versions of wasmi have the same interface as far as it is needed here.
macro_rules! wasmi_instance {
    ($name:ident $wasmi:ident) => {
        struct $name {
            store: $wasmi::Store<()>,
            run: $wasmi::TypedFunc<i32, i64>,
        }

        impl $name {
            fn new(wasm: &[u8]) -> Result<$name> {
                let engine = $wasmi::Engine::default();
                let module = $wasmi::Module::new(&engine, wasm)?;
                let mut store = $wasmi::Store::new(&engine, ());
                let linker = $wasmi::Linker::new(&engine);
                let instance = linker.instantiate_and_start(&mut store, &module)?;
                let run = instance.get_typed_func(&store, "run")?;
                Ok($name { store, run })
            }
        }

        impl Instance for $name {
            fn run(&mut self, n: i32) -> Result<i64> {
                Ok(self.run.call(&mut self.store, n)?)
            }
        }
    };
}
wasmi_instance!(Wasmi2 wasmi);
wasmi_instance!(Wasmi1 wasmi1);
