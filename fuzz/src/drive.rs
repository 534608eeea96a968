//! Runs a module, written once for every engine: this file is compiled for cellule and again for wasmtime,
//! whose interfaces are the same as far as they are used here. `super` says which engine it is, and how it
//! makes and shows what they have in different ways.

use super::engine::{
    AsContextMut, Caller, Engine, Error, Extern, ExternType, Func, Instance, Module, Result, Store,
    StoreLimits, StoreLimitsBuilder, Val,
};
use super::{
    Options, call, element, ended, given, kind, kind_of_elements, loaded, new_global, new_table,
    new_tag, params, prepare, results, seen, thrown,
};
use crate::outcome::{Ended, Loaded, Outcome};
use crate::random::{Random, hash};
use crate::value::{Kind, Value, list};

/// Bytes of one memory. What asks for more is refused by both.
const MEMORY: usize = 3 << 20;
/// Elements of one table.
const TABLE: usize = 3_000;
/// Calls of a case.
const CALLS: u64 = 20;
/// Instances of a case: one more where what a module has left to run was used up.
const INSTANCES: u64 = 4;
/// Lines of a log, beyond which calls of the host aren't written down any more.
const LINES: usize = 400;

/// What the host keeps in the store.
pub struct Host {
    limits: StoreLimits,
    random: Random,
    log: Vec<String>,
}

/// Instantiates the module and calls what it exports, with arguments that depend on the seed.
pub fn run(engine: &Engine, options: &Options, wasm: &[u8], seed: u64) -> Outcome {
    let module = match Module::new(engine, wasm) {
        Ok(module) => module,
        Err(error) => return Outcome::not(loaded(&error)),
    };
    let mut outcome = Outcome::not(Loaded::Yes);
    let functions: Vec<String> = module
        .exports()
        .filter(|export| matches!(export.ty(), ExternType::Func(_)))
        .map(|export| export.name().to_string())
        .collect();
    let mut left = functions.iter().cycle().take(2 * functions.len());
    for number in 0..INSTANCES {
        let host = Host {
            limits: StoreLimitsBuilder::new()
                .memory_size(MEMORY)
                .table_elements(TABLE)
                .build(),
            random: Random::new(seed, number),
            log: Vec::new(),
        };
        let mut store = Store::new(engine, host);
        store.limiter(|host| &mut host.limits);
        let more = instance(&mut store, options, &module, &mut left, &mut outcome);
        outcome.seen.append(&mut store.data_mut().log);
        if outcome.limited || !more {
            break;
        }
    }
    outcome
}

/// One instance; whether another one makes sense.
fn instance<'a>(
    store: &mut Store<Host>,
    options: &Options,
    module: &Module,
    left: &mut impl Iterator<Item = &'a String>,
    outcome: &mut Outcome,
) -> bool {
    prepare(store, options);
    let mut watched = Vec::new();
    let made = imports(store, module).and_then(|imports| {
        watched.extend(imports.iter().cloned());
        Instance::new(&mut *store, module, &imports)
    });
    let mut more = false;
    match made {
        Ok(instance) => {
            let exports: Vec<Extern> = instance
                .exports(&mut *store)
                .map(|it| it.into_extern())
                .collect();
            watched.extend(exports);
            more = calls(store, options, &instance, left, outcome);
        }
        Err(error) => failed(store, "instantiate", &error, outcome),
    }
    if !outcome.limited {
        state(store, &watched);
    }
    more
}

fn note(store: &mut Store<Host>, line: String) {
    store.data_mut().log.push(line);
}

fn failed(store: &mut Store<Host>, what: &str, error: &Error, outcome: &mut Outcome) {
    let ended = ended(error);
    let carried = match ended {
        Ended::Thrown => list(&thrown(store)),
        Ended::Limit => {
            outcome.limited = true;
            return;
        }
        _ => String::new(),
    };
    note(store, format!("{what}: {ended:?} {carried}"));
}

fn calls<'a>(
    store: &mut Store<Host>,
    options: &Options,
    instance: &Instance,
    left: &mut impl Iterator<Item = &'a String>,
    outcome: &mut Outcome,
) -> bool {
    for name in left {
        if outcome.calls == CALLS {
            return false;
        }
        let Some(func) = instance.get_func(&mut *store, name) else {
            continue;
        };
        let ty = func.ty(&*store);
        let (params, results) = (params(&ty), results(&ty));
        let random = &mut store.data_mut().random;
        let Some(args) = values(random, &params) else {
            continue;
        };
        let given: Option<Vec<Val>> = args.iter().map(|arg| given(&mut *store, *arg)).collect();
        let Some(given) = given else {
            continue;
        };
        let mut places = vec![Val::I32(0); results.len()];
        let what = format!("{name}({})", list(&args));
        outcome.calls += 1;
        match call(store, options, &func, &given, &mut places) {
            Ok(()) => {
                outcome.returned += 1;
                let values: Vec<Value> = places
                    .iter()
                    .map(|value| seen(&mut *store, value))
                    .collect();
                note(store, format!("{what} -> {}", list(&values)));
            }
            Err(error) => {
                failed(store, &what, &error, outcome);
                // Perhaps it has no more to run with.
                if outcome.limited || ended(&error) == Ended::Unreachable {
                    return !outcome.limited;
                }
            }
        }
    }
    false
}

fn values(random: &mut Random, kinds: &[Kind]) -> Option<Vec<Value>> {
    kinds
        .iter()
        .map(|kind| Value::random(random, *kind))
        .collect()
}

/// What a module imports.
fn imports(store: &mut Store<Host>, module: &Module) -> Result<Vec<Extern>> {
    let mut all = Vec::new();
    let types: Vec<ExternType> = module.imports().map(|import| import.ty()).collect();
    for (number, ty) in types.into_iter().enumerate() {
        all.push(match ty {
            ExternType::Func(ty) => {
                let kinds = results(&ty);
                let answer =
                    move |mut caller: Caller<'_, Host>, args: &[Val], places: &mut [Val]| {
                        answer(&mut caller, number, args, &kinds, places)
                    };
                Func::new(&mut *store, ty, answer).into()
            }
            ExternType::Global(ty) => {
                let kind = kind(&ty);
                let value = Value::random(&mut store.data_mut().random, kind);
                let value = value.and_then(|value| given(&mut *store, value));
                let value = value.ok_or_else(|| Error::msg("no value"))?;
                new_global(store, ty, value)?.into()
            }
            ExternType::Table(ty) => {
                let kind = kind_of_elements(&ty);
                let value = Value::random(&mut store.data_mut().random, kind);
                let value = value.and_then(|value| given(&mut *store, value));
                let value = value.ok_or_else(|| Error::msg("no element"))?;
                new_table(store, ty, value)?.into()
            }
            ExternType::Memory(ty) => super::engine::Memory::new(&mut *store, ty)?.into(),
            ExternType::Tag(ty) => new_tag(store, ty)?.into(),
            #[allow(unreachable_patterns)]
            _ => return Err(Error::msg("an import of no type here")),
        });
    }
    Ok(all)
}

/// A host function: what it answers depends on its number, its arguments and what was asked before.
fn answer(
    caller: &mut Caller<'_, Host>,
    number: usize,
    args: &[Val],
    kinds: &[Kind],
    places: &mut [Val],
) -> Result<()> {
    let args: Vec<Value> = args.iter().map(|arg| seen(&mut *caller, arg)).collect();
    let line = format!("host {number}({})", list(&args));
    let host = caller.data_mut();
    let mut random = Random::new(hash(line.as_bytes()), host.random.word());
    if host.log.len() < LINES {
        host.log.push(line);
    }
    if random.one_in(24) {
        return Err(Error::msg(super::HOST));
    }
    let answers = values(&mut random, kinds);
    let answers = answers.ok_or_else(|| Error::msg(super::HOST))?;
    for (place, answer) in places.iter_mut().zip(answers) {
        *place = given(&mut *caller, answer).ok_or_else(|| Error::msg(super::HOST))?;
    }
    Ok(())
}

/// Everything that is in globals, memories and tables.
fn state(store: &mut Store<Host>, watched: &[Extern]) {
    for (number, it) in watched.iter().enumerate() {
        let what = match it {
            Extern::Global(global) => {
                let value = global.get(&mut *store);
                format!("global {number} {}", seen(&mut *store, &value))
            }
            Extern::Memory(memory) => {
                let (pages, bytes) = (memory.size(&*store), memory.data(&*store));
                format!("memory {number} {pages} {:x}", hash(bytes))
            }
            Extern::Table(table) => {
                let size = table.size(&*store);
                let elements: Vec<Value> = (0..size)
                    .filter_map(|at| element(store.as_context_mut(), table, at))
                    .collect();
                format!(
                    "table {number} {size} {:x}",
                    hash(list(&elements).as_bytes())
                )
            }
            _ => continue,
        };
        note(store, what);
    }
}
