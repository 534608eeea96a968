//! Core modules: one store and one linker for the whole script, instances by name.

use super::engine::{Compiled, ScriptEngine, Step, Stop, judge_exhaustion, judge_trap};
use super::expect::{core_argument, core_matches, show_core};
use super::spectest;
use cellule::{Error, ErrorKind, Extern, Func, Instance, Linker, Module, Store, Val};
use std::collections::HashMap;
use wast::token::Id;
use wast::{WastArg, WastInvoke, WastRet};

/// Core modules' part of a script.
pub struct CoreSide {
    store: Store<()>,
    linker: Linker<()>,
    last: Option<Instance>,
    named: HashMap<String, Instance>,
    /// A module's name in the script is also one to import from, as wasmtime's scripts want it.
    pub names_are_importable: bool,
}

impl CoreSide {
    /// A store with `spectest` in its linker.
    pub fn new(engine: &ScriptEngine) -> Result<Self, Error> {
        let mut store = Store::new(&engine.engine, ());
        if engine.fuel {
            store.set_fuel(u64::MAX)?;
        }
        let mut linker = Linker::new(&engine.engine);
        linker.allow_shadowing(true);
        spectest::define_core(&mut linker, &mut store)?;
        Ok(Self {
            store,
            linker,
            last: None,
            named: HashMap::new(),
            names_are_importable: false,
        })
    }

    /// Instantiates a module, runs its start function and makes it the newest instance.
    pub fn instantiate(&mut self, module: &Compiled<Module>, name: Option<&str>) -> Step {
        match self.linker.instantiate(&mut self.store, &module.item) {
            Ok(instance) => {
                self.last = Some(instance);
                if let Some(name) = name {
                    self.named.insert(name.to_string(), instance);
                    if self.names_are_importable {
                        self.register(name, None)?;
                    }
                }
                Ok(())
            }
            Err(error) => Err(match &module.needs {
                Some(needs) => Stop::Skip(needs.clone()),
                None => Stop::Fail(format!("doesn't instantiate: {error}")),
            }),
        }
    }

    /// Makes an instance importable by later modules.
    pub fn register(&mut self, name: &str, module: Option<Id>) -> Step {
        let instance = self.instance(module)?;
        self.linker
            .instance(&self.store, name, instance)
            .map(drop)
            .map_err(|error| Stop::Fail(format!("can't register as {name}: {error}")))
    }

    /// Calls a function; a trap is a failure.
    pub fn invoke(&mut self, invoke: &WastInvoke<'_>) -> Step {
        self.call(invoke)?
            .map(drop)
            .map_err(|error| Stop::Fail(error.to_string()))
    }

    /// Calls a function and compares its results.
    pub fn assert_return(&mut self, invoke: &WastInvoke<'_>, expected: &[WastRet<'_>]) -> Step {
        let results = self
            .call(invoke)?
            .map_err(|error| Stop::Fail(error.to_string()))?;
        self.compare(&results, expected)
    }

    /// Compares an exported global.
    pub fn assert_global(
        &mut self,
        module: Option<Id>,
        name: &str,
        expected: &[WastRet<'_>],
    ) -> Step {
        let instance = self.instance(module)?;
        let Some(Extern::Global(global)) = instance.get_export(&self.store, name) else {
            return Err(Stop::Fail(format!("no global is exported as {name:?}")));
        };
        let value = global.get(&self.store);
        self.compare(&[value], expected)
    }

    /// Calls a function that should trap.
    pub fn assert_trap(&mut self, invoke: &WastInvoke<'_>, message: &str) -> Step {
        let result = self.call(invoke)?;
        judge_trap(result, message)
    }

    /// Calls a function that should exhaust the stack.
    pub fn assert_exhaustion(&mut self, invoke: &WastInvoke<'_>, message: &str) -> Step {
        let result = self.call(invoke)?;
        judge_exhaustion(result, message)
    }

    /// Calls a function that should end with an exception, and looks at what it carries.
    pub fn assert_exception(&mut self, invoke: &WastInvoke<'_>) -> Step {
        let error = match self.call(invoke)? {
            Ok(_) => return Err(Stop::fail("succeeded, but should throw")),
            Err(error) => error,
        };
        if error.kind() != ErrorKind::Exception {
            return Err(Stop::Fail(format!("stopped as `{error}`, not thrown")));
        }
        let Some(exception) = self.store.take_pending_exception() else {
            return Err(Stop::fail("thrown, but no exception is to be had"));
        };
        let looked_at = exception.tag(&self.store).and_then(|tag| {
            let fields = exception.fields(&self.store)?;
            Ok(fields.len() == tag.ty(&self.store).params().len())
        });
        match looked_at {
            Ok(true) => Ok(()),
            _ => Err(Stop::Fail(format!("{exception:?} is not as its tag says"))),
        }
    }

    /// Instantiates a module whose segments or start function should trap.
    pub fn assert_instantiation_traps(&mut self, module: &Compiled<Module>, message: &str) -> Step {
        judge_trap(
            self.linker.instantiate(&mut self.store, &module.item),
            message,
        )
    }

    /// Instantiates a module whose imports should not match.
    pub fn assert_unlinkable(&mut self, module: &Compiled<Module>, message: &str) -> Step {
        match self.linker.instantiate(&mut self.store, &module.item) {
            Ok(_) => Err(Stop::Fail(format!("linked, but should not: {message}"))),
            Err(error)
                if error.kind() == ErrorKind::Link && error.to_string().contains(message) =>
            {
                Ok(())
            }
            Err(error) => Err(Stop::Fail(format!(
                "refused as `{error}`, expected `{message}`"
            ))),
        }
    }

    fn instance(&self, name: Option<Id>) -> Step<Instance> {
        match name {
            Some(id) => self.named.get(id.name()).copied(),
            None => self.last,
        }
        .ok_or_else(|| Stop::fail("no such core instance"))
    }

    fn call(&mut self, invoke: &WastInvoke<'_>) -> Step<Result<Vec<Val>, Error>> {
        let instance = self.instance(invoke.module)?;
        let Some(func) = instance.get_func(&self.store, invoke.name) else {
            return Err(Stop::Fail(format!(
                "no function is exported as {:?}",
                invoke.name
            )));
        };
        let mut arguments = Vec::new();
        for arg in &invoke.args {
            let WastArg::Core(arg) = arg else {
                return Err(Stop::fail(
                    "a component value as an argument of a core function",
                ));
            };
            arguments.push(core_argument(arg).map_err(Stop::Skip)?);
        }
        Ok(self.call_func(func, &arguments))
    }

    fn call_func(&mut self, func: Func, arguments: &[Val]) -> Result<Vec<Val>, Error> {
        let count = func.ty(&self.store).results().len();
        let mut results = vec![Val::I32(0); count];
        func.call(&mut self.store, arguments, &mut results)?;
        Ok(results)
    }

    fn compare(&self, actual: &[Val], expected: &[WastRet<'_>]) -> Step {
        let same = actual.len() == expected.len()
            && actual
                .iter()
                .zip(expected)
                .all(|(actual, expected)| match expected {
                    WastRet::Core(expected) => core_matches(actual, expected),
                    _ => false,
                });
        if same {
            return Ok(());
        }
        Err(Stop::Fail(format!(
            "returned {}, expected {expected:?}",
            show_core(actual)
        )))
    }
}
