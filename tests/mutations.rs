//! Damaged components: every truncation, and thousands of changed bytes. Each is an error, or an
//! instance whose functions end or trap; none is a panic.
//!
//! `CELLULE_MUTATIONS` in the environment sets how many bytes are changed.

use cellule::component::types::{ComponentItem, Type};
use cellule::component::{Component, ComponentExportIndex, Instance, Linker, ResourceAny, Val};
use cellule::{Config, Engine, Limits, Store};
use cellule_tests::guests::own_guest;
use cellule_tests::shared_guest;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// Fuel of one call, or of one instantiation.
const FUEL: u64 = 50_000;
/// Where the sequence of changes begins.
const SEED: u64 = 0x5eed_0000_0000_0001;
/// How many bytes are changed, one at a time.
const MUTATIONS: u64 = 20_000;
/// How many of those in code or in sections of components must be valid and run.
const EXECUTED: u64 = 1_000;

/// Numbers that look random and are the same everywhere.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

fn guests() -> Option<Vec<(&'static str, Vec<u8>)>> {
    Some(vec![
        ("rust-text", shared_guest("rust-text.wasm")?),
        ("rust-app", shared_guest("rust-app.wasm")?),
        ("c-depot", own_guest("c-depot.wasm")),
    ])
}

fn engine(fast: bool) -> Engine {
    let limits = Limits {
        memory_bytes: 4 << 20,
        table_elements: 10_000,
        string_bytes: 1 << 16,
        realloc_fuel: FUEL,
        ..Limits::server()
    };
    let mut config = Config::new();
    Engine::new(config.consume_fuel(true).fast_tier(fast).limits(limits)).unwrap()
}

/// A length in LEB128, and how many bytes it takes.
fn leb(bytes: &[u8]) -> (usize, usize) {
    let mut value = 0;
    for (at, byte) in bytes.iter().enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return (value, at + 1);
        }
    }
    panic!("a length without an end");
}

/// Where the sections of a component end, its header first: there it may be cut and is a component.
fn section_ends(wasm: &[u8]) -> Vec<usize> {
    let mut ends = vec![8];
    let mut at = 8;
    while at < wasm.len() {
        let (len, bytes) = leb(&wasm[at + 1..]);
        at += 1 + bytes + len;
        ends.push(at);
    }
    ends
}

/// For each byte, whether it is in the code of a module, or in a section of a component that is
/// neither a module nor custom.
fn interesting(wasm: &[u8]) -> Vec<bool> {
    const CUSTOM: u8 = 0;
    const MODULE: u8 = 1;
    const CODE: u8 = 10;
    const COMPONENT: u8 = 4;
    let mut marks = vec![false; wasm.len()];
    // Places of binaries, nested ones included: begin, end, and whether it is a component.
    let mut open = vec![(0, wasm.len(), true)];
    while let Some((begin, end, component)) = open.pop() {
        let mut at = begin + 8;
        while at < end {
            let id = wasm[at];
            let (len, bytes) = leb(&wasm[at + 1..]);
            let content = at + 1 + bytes;
            at = content + len;
            match (component, id) {
                (_, CUSTOM) => {}
                (true, MODULE) => open.push((content, at, false)),
                (true, COMPONENT) => open.push((content, at, true)),
                (true, _) | (false, CODE) => marks[content..at].fill(true),
                (false, _) => {}
            }
        }
    }
    marks
}

/// A value of a type: numbers as they come, a resource of those that are there.
fn value(ty: &Type, random: &mut SplitMix, resources: &[ResourceAny]) -> Option<Val> {
    let bits = random.next();
    let boxed = |ty: Type, random: &mut SplitMix| Some(Box::new(value(&ty, random, resources)?));
    Some(match ty {
        Type::Bool => Val::Bool(bits & 1 == 1),
        Type::S8 => Val::S8(bits as i8),
        Type::U8 => Val::U8(bits as u8),
        Type::S16 => Val::S16(bits as i16),
        Type::U16 => Val::U16(bits as u16),
        Type::S32 => Val::S32(bits as i32),
        Type::U32 => Val::U32(bits as u32 % 100),
        Type::S64 => Val::S64(bits as i64),
        Type::U64 => Val::U64(bits),
        Type::Float32 => Val::Float32(f32::from_bits(bits as u32)),
        Type::Float64 => Val::Float64(f64::from_bits(bits)),
        Type::Char => Val::Char(char::from_u32(bits as u32 % 0x11_0000).unwrap_or('?')),
        Type::String => Val::String("wörld ".repeat(bits as usize % 4)),
        Type::List(list) => {
            let items = (0..bits % 4).map(|_| value(&list.ty(), random, resources));
            Val::List(items.collect::<Option<Vec<_>>>()?.into())
        }
        Type::Record(record) => {
            let fields = record.fields().map(|field| {
                let value = value(&field.ty, random, resources)?;
                Some((field.name.to_string(), value))
            });
            Val::Record(fields.collect::<Option<_>>()?)
        }
        Type::Tuple(tuple) => {
            let values = tuple.types().map(|ty| value(&ty, random, resources));
            Val::Tuple(values.collect::<Option<_>>()?)
        }
        Type::Variant(variant) => {
            let case = variant.cases().nth(bits as usize % variant.cases().len())?;
            let payload = match case.ty.clone() {
                Some(ty) => Some(boxed(ty, random)?),
                None => None,
            };
            Val::Variant(case.name.into(), payload)
        }
        Type::Enum(names) => Val::Enum(
            names
                .names()
                .nth(bits as usize % names.names().len())?
                .into(),
        ),
        Type::Flags(flags) => Val::Flags(
            flags
                .names()
                .take(bits as usize % 3)
                .map(Into::into)
                .collect(),
        ),
        Type::Option(option) if bits & 1 == 0 => Val::Option(Some(boxed(option.ty(), random)?)),
        Type::Option(_) => Val::Option(None),
        Type::Result(result) => Val::Result(match (bits & 1, result.ok(), result.err()) {
            (0, Some(ty), _) => Ok(Some(boxed(ty, random)?)),
            (0, None, _) => Ok(None),
            (_, _, Some(ty)) => Err(Some(boxed(ty, random)?)),
            (_, _, None) => Err(None),
        }),
        Type::Own(ty) | Type::Borrow(ty) => {
            Val::Resource(*resources.iter().find(|have| have.ty() == *ty)?)
        }
        _ => return None,
    })
}

/// Every exported function, those of exported instances included.
fn functions(component: &Component, engine: &Engine) -> Vec<ComponentExportIndex> {
    let mut found = Vec::new();
    for (name, item) in component.component_type().exports(engine) {
        let Some(index) = component.get_export_index(None, name) else {
            continue;
        };
        match item.ty {
            ComponentItem::ComponentFunc(_) => found.push(index),
            ComponentItem::ComponentInstance(instance) => {
                let inner = instance.exports(engine);
                found.extend(inner.filter_map(|(name, item)| {
                    let index = component.get_export_index(Some(&index), name)?;
                    matches!(item.ty, ComponentItem::ComponentFunc(_)).then_some(index)
                }));
            }
            _ => {}
        }
    }
    found
}

fn instantiate(linker: &Linker<()>, component: &Component) -> Option<(Store<()>, Instance)> {
    let mut store = Store::new(linker.engine(), ());
    store.set_fuel(FUEL).expect("fuel is on");
    let instance = linker.instantiate(&mut store, component).ok()?;
    Some((store, instance))
}

/// Loads what may be anything, and calls all functions of what is a component; whether one ran.
fn exercise(engine: &Engine, wasm: &[u8], random: &mut SplitMix) -> bool {
    let Ok(component) = Component::new(engine, wasm) else {
        return false;
    };
    let mut linker = Linker::new(engine);
    if linker.define_unknown_imports_as_traps(&component).is_err() {
        return false;
    }
    let Some((mut store, mut instance)) = instantiate(&linker, &component) else {
        return false;
    };
    let (mut resources, mut ran) = (Vec::new(), false);
    for index in functions(&component, engine) {
        let Some(func) = instance.get_func(&mut store, index) else {
            continue;
        };
        let ty = func.ty(&store);
        let params = ty.params().map(|(_, ty)| value(&ty, random, &resources));
        let Some(params) = params.collect::<Option<Vec<_>>>() else {
            continue;
        };
        let mut results = vec![Val::Bool(false); ty.results().len()];
        store.set_fuel(FUEL).expect("fuel is on");
        ran = true;
        match func.call(&mut store, &params, &mut results) {
            Ok(()) => resources.extend(results.into_iter().filter_map(|result| match result {
                Val::Resource(resource) => Some(resource),
                _ => None,
            })),
            // A trap has ended the instance: the other functions get a new one.
            Err(_) => match instantiate(&linker, &component) {
                Some(fresh) => {
                    (store, instance) = fresh;
                    resources.clear();
                }
                None => break,
            },
        }
    }
    for resource in resources {
        store.set_fuel(FUEL).expect("fuel is on");
        let _ = resource.resource_drop(&mut store);
    }
    ran
}

/// Runs `one` for each number below `count` on a few threads; the slowest time.
fn each(count: u64, one: impl Fn(&[Engine; 2], u64) + Sync) -> Duration {
    let (next, slowest) = (AtomicU64::new(0), AtomicU64::new(0));
    let work = || {
        let engines = [engine(false), engine(true)];
        loop {
            let number = next.fetch_add(1, Relaxed);
            if number >= count {
                return;
            }
            let begun = Instant::now();
            one(&engines, number);
            slowest.fetch_max(begun.elapsed().as_micros() as u64, Relaxed);
        }
    };
    let threads = thread::available_parallelism().map_or(1, |threads| threads.get().min(4));
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            thread.join().expect("no damaged component panics");
        }
    });
    Duration::from_micros(slowest.into_inner())
}

#[test]
fn every_truncation_is_an_error_or_runs() {
    let Some(guests) = guests() else { return };
    for (name, wasm) in &guests {
        let ends = section_ends(wasm);
        let (whole, errors) = (AtomicU64::new(0), AtomicU64::new(0));
        let slowest = each(wasm.len() as u64, |engines, len| {
            let engine = &engines[len as usize % 2];
            let cut = &wasm[..len as usize];
            let result = catch_unwind(AssertUnwindSafe(|| match Component::new(engine, cut) {
                Ok(_) => {
                    assert!(ends.contains(&(len as usize)), "cut inside a section");
                    whole.fetch_add(1, Relaxed);
                    exercise(engine, cut, &mut SplitMix(len));
                }
                Err(error) => {
                    assert!(error.offset().is_none_or(|at| at <= len), "{error}");
                    errors.fetch_add(1, Relaxed);
                }
            }));
            assert!(result.is_ok(), "{name} cut to {len} bytes panics");
        });
        let (whole, errors) = (whole.into_inner(), errors.into_inner());
        println!("{name}: {errors} truncations are errors, {whole} are whole, slowest {slowest:?}");
        assert_eq!(errors + whole, wasm.len() as u64);
    }
}

#[test]
fn every_changed_byte_is_an_error_or_runs_to_an_end() {
    let Some(guests) = guests() else { return };
    let marks: Vec<_> = guests.iter().map(|(_, wasm)| interesting(wasm)).collect();
    let count = std::env::var("CELLULE_MUTATIONS").map(|count| count.parse().expect("a number"));
    let count = count.unwrap_or(MUTATIONS);
    let (executed, elsewhere) = (AtomicU64::new(0), AtomicU64::new(0));
    let slowest = each(count, |engines, number| {
        let seed = SEED ^ number;
        let mut random = SplitMix(seed);
        let guest = (number % guests.len() as u64) as usize;
        let (name, wasm) = &guests[guest];
        let at = random.below(wasm.len() as u64) as usize;
        let mut changed = wasm.clone();
        changed[at] ^= 1 + random.below(255) as u8;
        let engine = &engines[random.below(2) as usize];
        let ran = catch_unwind(AssertUnwindSafe(|| exercise(engine, &changed, &mut random)));
        let Ok(ran) = ran else {
            let byte = changed[at];
            panic!("{name} with byte {at:#x} changed to {byte:#x} panics (seed {seed:#x})");
        };
        let counter = if marks[guest][at] {
            &executed
        } else {
            &elsewhere
        };
        counter.fetch_add(ran.into(), Relaxed);
    });
    let (executed, elsewhere) = (executed.into_inner(), elsewhere.into_inner());
    println!(
        "{count} changes: {executed} in code and components were valid and ran, {elsewhere} \
        elsewhere, slowest {slowest:?}"
    );
    assert!(executed >= EXECUTED.min(count / 20), "only {executed} ran");
}
