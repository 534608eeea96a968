//! Walks a script's directives and hands each to the core or the component side.

use super::component::ComponentSide;
use super::core::CoreSide;
use super::engine::{Compiled, Definition, Options, ScriptEngine, Step, Stop, judge_bad_module};
use super::report::{Kind, Outcome, Report, Verdict};
use super::script::{self, Script};
use cellule::Module;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use wast::token::Id;
use wast::{QuoteWat, Wast, WastDirective, WastExecute, WastInvoke, Wat};

/// Runs a script. What keeps it from running at all is a failure in its first line.
pub fn run(script: &Script, options: &Options) -> Report {
    let mut report = Report::new(&script.name);
    if let Err(text) = run_into(script, options, &mut report) {
        let verdict = Verdict::Failed(text);
        report.outcomes.push(Outcome {
            line: 1,
            kind: Kind::Action,
            verdict,
        });
    }
    report
}

fn run_into(script: &Script, options: &Options, report: &mut Report) -> Result<(), String> {
    let features = options
        .features(script.features)
        .map_err(|error| error.to_string())?;
    let engine =
        ScriptEngine::new(features, script.limits(), options).map_err(|error| error.to_string())?;
    let mut runner = Runner::new(engine).map_err(|error| error.to_string())?;
    runner.core.names_are_importable =
        options.names_are_importable || script.text.starts_with(";;!");
    let buffer = script::lex(&script.text).map_err(|error| error.to_string())?;
    let wast = wast::parser::parse::<Wast>(&buffer).map_err(|error| error.to_string())?;
    for directive in wast.directives {
        let line = directive.span().linecol_in(&script.text).0 + 1;
        let kind = kind_of(&directive);
        let step = catch_unwind(AssertUnwindSafe(|| runner.directive(directive, line)));
        let verdict = match step {
            Ok(Ok(())) => Verdict::Passed,
            Ok(Err(Stop::Fail(text))) => Verdict::Failed(text),
            Ok(Err(Stop::Skip(reason))) => Verdict::Skipped(reason),
            Err(panic) => Verdict::Failed(format!("PANIC: {}", panic_text(&*panic))),
        };
        report.outcomes.push(Outcome {
            line,
            kind,
            verdict,
        });
    }
    Ok(())
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "unknown payload",
    }
}

fn kind_of(directive: &WastDirective<'_>) -> Kind {
    match directive {
        WastDirective::AssertReturn { .. } => Kind::Return,
        WastDirective::AssertTrap { .. } => Kind::Trap,
        WastDirective::AssertExhaustion { .. } => Kind::Exhaustion,
        WastDirective::AssertInvalid { .. } | WastDirective::AssertInvalidCustom { .. } => {
            Kind::Invalid
        }
        WastDirective::AssertMalformed { .. } | WastDirective::AssertMalformedCustom { .. } => {
            Kind::Malformed
        }
        WastDirective::AssertUnlinkable { .. } => Kind::Unlinkable,
        WastDirective::AssertException { .. } | WastDirective::AssertSuspension { .. } => {
            Kind::Exception
        }
        _ => Kind::Action,
    }
}

/// What calls and assertions without a name act upon.
#[derive(Clone)]
pub enum Current {
    /// No module or component yet.
    Nothing,
    /// The core side's newest instance.
    Core,
    /// The component side's newest instance.
    Component,
    /// It was skipped for this reason.
    Skipped(String),
    /// It failed in this line.
    Failed(usize),
}

impl Current {
    /// What remains of a module whose instantiation stopped.
    fn after(stop: &Stop, line: usize) -> Self {
        match stop {
            Stop::Skip(reason) => Self::Skipped(reason.clone()),
            Stop::Fail(_) => Self::Failed(line),
        }
    }

    fn stop(&self) -> Stop {
        match self {
            Self::Skipped(reason) => Stop::Skip(reason.clone()),
            Self::Failed(line) => Stop::Fail(format!("what it acts upon failed in line {line}")),
            _ => Stop::fail("there is no instance to act upon"),
        }
    }
}

struct Runner {
    engine: ScriptEngine,
    core: CoreSide,
    component: ComponentSide,
    current: Current,
    definitions: HashMap<String, Result<Definition, Current>>,
    last_definition: Option<Result<Definition, Current>>,
    /// Names whose instance doesn't exist, and why.
    lost: HashMap<String, Current>,
    /// Names of modules to import from that don't exist, and why.
    unregistered: HashMap<String, Current>,
}

impl Runner {
    fn new(engine: ScriptEngine) -> Result<Self, cellule::Error> {
        Ok(Self {
            core: CoreSide::new(&engine)?,
            component: ComponentSide::new(&engine)?,
            engine,
            current: Current::Nothing,
            definitions: HashMap::new(),
            last_definition: None,
            lost: HashMap::new(),
            unregistered: HashMap::new(),
        })
    }

    fn directive(&mut self, directive: WastDirective<'_>, line: usize) -> Step {
        match directive {
            WastDirective::Module(wat) => self.module(wat, line),
            WastDirective::ModuleDefinition(wat) => self.define(wat, line),
            WastDirective::ModuleInstance {
                instance, module, ..
            } => self.instantiate_definition(instance, module, line),
            WastDirective::Register { name, module, .. } => {
                if let Err(stop) = self.check_current(module) {
                    let lost = module.and_then(|id| self.lost.get(id.name()));
                    let lost = lost.unwrap_or(&self.current).clone();
                    self.unregistered.insert(name.to_string(), lost);
                    return Err(stop);
                }
                self.unregistered.remove(name);
                self.core.register(name, module)
            }
            WastDirective::Invoke(invoke) => self.invoke(invoke),
            WastDirective::AssertReturn { exec, results, .. } => self.assert_return(exec, &results),
            WastDirective::AssertTrap { exec, message, .. } => self.assert_trap(exec, message),
            WastDirective::AssertExhaustion { call, message, .. } => {
                self.check_current(call.module)?;
                match self.calls_component(&call) {
                    true => self.component.assert_exhaustion(&call, message),
                    false => self.core.assert_exhaustion(&call, message),
                }
            }
            WastDirective::AssertMalformed {
                mut module,
                message,
                ..
            }
            | WastDirective::AssertInvalid {
                mut module,
                message,
                ..
            } => {
                let result = self.engine.compile(&mut module);
                judge_bad_module(result, self.engine.features, message)
            }
            WastDirective::AssertUnlinkable {
                module, message, ..
            } => self.assert_unlinkable(module, message),
            WastDirective::AssertException { exec, .. } => self.assert_exception(exec),
            WastDirective::AssertSuspension { .. } => Err(Stop::Skip("stack-switching".into())),
            WastDirective::Thread(_) | WastDirective::Wait { .. } => {
                Err(Stop::Skip("threads".into()))
            }
            WastDirective::AssertInvalidCustom { .. }
            | WastDirective::AssertMalformedCustom { .. } => {
                Err(Stop::Skip("custom annotations".into()))
            }
        }
    }

    fn module(&mut self, mut wat: QuoteWat<'_>, line: usize) -> Step {
        let name = wat.name().map(|id| id.name().to_string());
        let compiled = self
            .engine
            .compile(&mut wat)
            .map_err(|refusal| self.engine.judge_refusal(refusal));
        let step = compiled.and_then(|definition| {
            // A module that is instantiated at once can also be instantiated again by its name.
            let step = self.instantiate(&definition, name.as_deref());
            if let Some(name) = &name {
                self.definitions.insert(name.clone(), Ok(definition));
            }
            step
        });
        self.settle(step, name, line)
    }

    fn instantiate(&mut self, definition: &Definition, name: Option<&str>) -> Step {
        if self.engine.definitions_only {
            self.current = Current::Skipped("nothing is instantiated".to_string());
            return Ok(());
        }
        match definition {
            Definition::Module(module) => {
                self.check_imports(module)?;
                self.core.instantiate(module, name)?;
                self.current = Current::Core;
            }
            Definition::Component(component) => {
                self.component.instantiate(&self.engine, component, name)?;
                self.current = Current::Component;
            }
        }
        Ok(())
    }

    /// Notes what later directives find when they ask for the instance of this one.
    fn settle(&mut self, step: Step, name: Option<String>, line: usize) -> Step {
        match &step {
            Ok(()) => {
                if let Some(name) = name {
                    self.lost.remove(&name);
                }
            }
            Err(stop) => {
                self.current = Current::after(stop, line);
                if let Some(name) = name {
                    self.lost.insert(name, self.current.clone());
                }
            }
        }
        step
    }

    fn define(&mut self, mut wat: QuoteWat<'_>, line: usize) -> Step {
        let compiled = self
            .engine
            .compile(&mut wat)
            .map_err(|refusal| self.engine.judge_refusal(refusal));
        let (entry, step) = match compiled {
            Ok(definition) => (Ok(definition), Ok(())),
            Err(stop) => (Err(Current::after(&stop, line)), Err(stop)),
        };
        if let Some(id) = wat.name() {
            self.definitions
                .insert(id.name().to_string(), entry.clone());
        }
        self.last_definition = Some(entry);
        step
    }

    fn instantiate_definition(
        &mut self,
        instance: Option<Id>,
        module: Option<Id>,
        line: usize,
    ) -> Step {
        let entry = match module {
            Some(id) => self.definitions.get(id.name()).cloned(),
            None => self.last_definition.clone(),
        };
        let name = instance.map(|id| id.name().to_string());
        let step = match entry {
            None => Err(Stop::fail("no such definition")),
            Some(Err(lost)) => Err(lost.stop()),
            Some(Ok(definition)) => self.instantiate(&definition, name.as_deref()),
        };
        self.settle(step, name, line)
    }

    /// Stops if the named instance, or the current one, was skipped or failed.
    fn check_current(&self, name: Option<Id>) -> Step {
        let lost = match name {
            Some(id) => self.lost.get(id.name()),
            None => Some(&self.current)
                .filter(|current| !matches!(current, Current::Core | Current::Component)),
        };
        lost.map_or(Ok(()), |lost| Err(lost.stop()))
    }

    /// Stops if a module imports from one that was skipped or failed.
    fn check_imports(&self, module: &Compiled<Module>) -> Step {
        let mut imports = module.item.imports();
        if imports.any(|import| (import.module(), import.name()) == ("spectest", "shared_memory")) {
            return Err(Stop::Skip("shared memories".into()));
        }
        let lost = module.item.imports();
        let mut lost = lost.filter_map(|import| self.unregistered.get(import.module()));
        lost.next().map_or(Ok(()), |lost| Err(lost.stop()))
    }

    fn invoke(&mut self, invoke: WastInvoke<'_>) -> Step {
        self.check_current(invoke.module)?;
        match self.calls_component(&invoke) {
            true => self.component.invoke(&invoke),
            false => self.core.invoke(&invoke),
        }
    }

    /// Whether a call is meant for the newest component instance.
    fn calls_component(&self, invoke: &WastInvoke<'_>) -> bool {
        invoke.module.is_none() && matches!(self.current, Current::Component)
    }

    fn assert_return(&mut self, exec: WastExecute<'_>, results: &[wast::WastRet<'_>]) -> Step {
        match exec {
            WastExecute::Invoke(invoke) => {
                self.check_current(invoke.module)?;
                match self.calls_component(&invoke) {
                    true => self.component.assert_return(&invoke, results),
                    false => self.core.assert_return(&invoke, results),
                }
            }
            WastExecute::Get { module, global, .. } => {
                self.check_current(module)?;
                self.core.assert_global(module, global, results)
            }
            WastExecute::Wat(mut wat) => {
                let definition = self.compile_wat(&mut wat)?;
                self.instantiate(&definition, None)
            }
        }
    }

    fn assert_trap(&mut self, exec: WastExecute<'_>, message: &str) -> Step {
        match exec {
            WastExecute::Invoke(invoke) => {
                self.check_current(invoke.module)?;
                match self.calls_component(&invoke) {
                    true => self.component.assert_trap(&invoke, message),
                    false => self.core.assert_trap(&invoke, message),
                }
            }
            WastExecute::Wat(mut wat) => match self.compile_wat(&mut wat)? {
                Definition::Module(module) => {
                    self.core.assert_instantiation_traps(&module, message)
                }
                Definition::Component(component) => {
                    self.component
                        .assert_instantiation_traps(&self.engine, &component, message)
                }
            },
            WastExecute::Get { .. } => Err(Stop::fail("reading a global can't trap")),
        }
    }

    fn assert_exception(&mut self, exec: WastExecute<'_>) -> Step {
        let WastExecute::Invoke(invoke) = exec else {
            return Err(Stop::fail("only calls can end with an exception"));
        };
        self.check_current(invoke.module)?;
        match self.calls_component(&invoke) {
            true => Err(Stop::fail("no exception leaves a component")),
            false => self.core.assert_exception(&invoke),
        }
    }

    fn assert_unlinkable(&mut self, mut wat: Wat<'_>, message: &str) -> Step {
        match self.compile_wat(&mut wat)? {
            Definition::Module(module) => {
                self.check_imports(&module)?;
                self.core.assert_unlinkable(&module, message)
            }
            Definition::Component(component) => {
                self.component.assert_unlinkable(&component, message)
            }
        }
    }

    fn compile_wat(&self, wat: &mut Wat<'_>) -> Step<Definition> {
        self.engine
            .compile_wat(wat)
            .map_err(|refusal| self.engine.judge_refusal(refusal))
    }
}
