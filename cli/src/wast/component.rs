//! Components: each instance in a fresh store, host items and named instances in one linker.

use super::engine::{Compiled, ScriptEngine, Step, Stop, judge_exhaustion, judge_trap};
use super::hosts::{self, HostState};
use super::values::{argument, matches};
use cellule::component::types::ComponentItem;
use cellule::component::{Component, Instance, Linker, Val};
use cellule::{Error, Store};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use wast::{WastArg, WastInvoke, WastRet};

/// Components' part of a script.
pub struct ComponentSide {
    linker: Linker<HostState>,
    fuel: bool,
    slice: Option<u64>,
    current: Option<Running>,
}

/// The newest instance, with the store of its own.
struct Running {
    store: Store<HostState>,
    instance: Instance,
    needs: Option<String>,
}

impl ComponentSide {
    /// A linker with the host's items.
    pub fn new(engine: &ScriptEngine) -> Result<Self, Error> {
        let mut linker = Linker::new(&engine.engine);
        linker.allow_shadowing(true);
        hosts::define(&mut linker, &engine.engine)?;
        Ok(Self {
            linker,
            fuel: engine.fuel,
            slice: engine.slice,
            current: None,
        })
    }

    /// Instantiates a component in a fresh store; a named one's modules, components and resource types
    /// become importable under that name.
    pub fn instantiate(
        &mut self,
        engine: &ScriptEngine,
        component: &Compiled<Component>,
        name: Option<&str>,
    ) -> Step {
        let mut store = Store::new(&engine.engine, HostState::default());
        let instance = self
            .start(&mut store, &component.item)
            .map_err(|error| match &component.needs {
                Some(needs) => Stop::Skip(needs.clone()),
                None => Stop::Fail(format!("doesn't instantiate: {error:#}")),
            })?;
        if let Some(name) = name {
            self.publish(engine, &mut store, &component.item, &instance, name)
                .map_err(|error| Stop::Fail(format!("can't publish {name}: {error:#}")))?;
        }
        self.current = Some(Running {
            store,
            instance,
            needs: component.needs.clone(),
        });
        Ok(())
    }

    fn start(
        &self,
        store: &mut Store<HostState>,
        component: &Component,
    ) -> Result<Instance, Error> {
        match self.slice {
            None => {
                if self.fuel {
                    store.set_fuel(u64::MAX)?;
                }
                self.linker.instantiate(store, component)
            }
            Some(slice) => {
                slices(store, slice)?;
                drive(self.linker.instantiate_async(store, component))
            }
        }
    }

    fn publish(
        &mut self,
        engine: &ScriptEngine,
        store: &mut Store<HostState>,
        component: &Component,
        instance: &Instance,
        name: &str,
    ) -> Result<(), Error> {
        let mut target = self.linker.instance(name)?;
        for (export, item) in component.component_type().exports(&engine.engine) {
            match item.ty {
                ComponentItem::Module(_) => {
                    if let Some(module) = instance.get_module(&mut *store, export) {
                        target.module(export, &module)?;
                    }
                }
                ComponentItem::Component(_) => {
                    let component = instance.get_component(&mut *store, export)?;
                    target.component(export, &component)?;
                }
                ComponentItem::Resource(_) => {
                    if let Some(resource) = instance.get_resource(&mut *store, export) {
                        target.resource(export, resource, |_, _| Ok(()))?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Calls a function; a trap is a failure.
    pub fn invoke(&mut self, invoke: &WastInvoke<'_>) -> Step {
        let result = self.call(invoke)?;
        self.excuse(
            result
                .map(drop)
                .map_err(|error| Stop::Fail(format!("{error:#}"))),
        )
    }

    /// Calls a function and compares its results.
    pub fn assert_return(&mut self, invoke: &WastInvoke<'_>, expected: &[WastRet<'_>]) -> Step {
        let step = match self.call(invoke)? {
            Ok(results) => compare(&results, expected),
            Err(error) => Err(Stop::Fail(format!("{error:#}"))),
        };
        self.excuse(step)
    }

    /// Calls a function that should trap.
    pub fn assert_trap(&mut self, invoke: &WastInvoke<'_>, message: &str) -> Step {
        let result = self.call(invoke)?;
        self.excuse(judge_trap(result, message))
    }

    /// Calls a function that should exhaust the stack.
    pub fn assert_exhaustion(&mut self, invoke: &WastInvoke<'_>, message: &str) -> Step {
        let result = self.call(invoke)?;
        self.excuse(judge_exhaustion(result, message))
    }

    /// Instantiates a component that should trap.
    pub fn assert_instantiation_traps(
        &mut self,
        engine: &ScriptEngine,
        component: &Compiled<Component>,
        message: &str,
    ) -> Step {
        let mut store = Store::new(&engine.engine, HostState::default());
        let step = judge_trap(self.start(&mut store, &component.item), message);
        excuse(step, &component.needs)
    }

    /// Links a component whose imports should not match.
    pub fn assert_unlinkable(&mut self, component: &Compiled<Component>, message: &str) -> Step {
        let step = match self.linker.instantiate_pre(&component.item) {
            Ok(_) => Err(Stop::Fail(format!("linked, but should not: {message}"))),
            Err(error) if format!("{error:#}").contains(message) => Ok(()),
            Err(error) => Err(Stop::Fail(format!(
                "refused as `{error:#}`, expected `{message}`"
            ))),
        };
        excuse(step, &component.needs)
    }

    fn excuse(&self, step: Step) -> Step {
        excuse(
            step,
            self.current
                .as_ref()
                .map_or(&None, |running| &running.needs),
        )
    }

    fn call(&mut self, invoke: &WastInvoke<'_>) -> Step<Result<Vec<Val>, Error>> {
        if let Some(id) = invoke.module {
            return Err(Stop::Fail(format!(
                "component instance ${} can't be called by name",
                id.name()
            )));
        }
        let running = self
            .current
            .as_mut()
            .ok_or_else(|| Stop::fail("no component instance"))?;
        let store = &mut running.store;
        let Some(func) = running.instance.get_func(&mut *store, invoke.name) else {
            return Err(Stop::Fail(format!(
                "no function is exported as {:?}",
                invoke.name
            )));
        };
        let ty = func.ty(&*store);
        let mut arguments = Vec::new();
        if ty.params().len() != invoke.args.len() {
            return Err(Stop::Fail(format!(
                "{} arguments for {:?}",
                invoke.args.len(),
                invoke.name
            )));
        }
        for (arg, (_, ty)) in invoke.args.iter().zip(ty.params()) {
            let WastArg::Component(arg) = arg else {
                return Err(Stop::fail(
                    "a core value as an argument of a component function",
                ));
            };
            arguments.push(argument(arg, &ty).map_err(Stop::Fail)?);
        }
        let mut results = vec![Val::Bool(false); ty.results().len()];
        let result = match self.slice {
            None => func.call(&mut *store, &arguments, &mut results),
            Some(slice) => slices(store, slice)
                .and_then(|()| drive(func.call_async(&mut *store, &arguments, &mut results))),
        };
        Ok(result.map(|()| results))
    }
}

/// A failure of something that uses features which aren't supported is a skip.
fn excuse(step: Step, needs: &Option<String>) -> Step {
    match (step, needs) {
        (Err(Stop::Fail(_)), Some(needs)) => Err(Stop::Skip(needs.clone())),
        (step, _) => step,
    }
}

fn compare(actual: &[Val], expected: &[WastRet<'_>]) -> Step {
    let same = actual.len() == expected.len()
        && actual
            .iter()
            .zip(expected)
            .all(|(actual, expected)| match expected {
                WastRet::Component(expected) => matches(actual, expected),
                _ => false,
            });
    if same {
        Ok(())
    } else {
        Err(Stop::Fail(format!(
            "returned {actual:?}, expected {expected:?}"
        )))
    }
}

/// Fuel that doesn't end, of which a call gets so much before it yields.
fn slices(store: &mut Store<HostState>, slice: u64) -> Result<(), Error> {
    store.set_fuel(u64::MAX)?;
    store.fuel_async_yield_interval(Some(slice))
}

/// Polls a future until it is done.
fn drive<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
