//! Batches: signatures, the calls with them, and the comparison of each call's end.

use super::component::{ENCODINGS, Flat, Function, Side, text};
use super::guest::{difference, image};
use super::reference::Reference;
use super::rng::Rng;
use super::types::{Signature, Ty};
use super::values::{from_val, random, to_val};
use cellule::component::{
    Component, Instance, InstancePre, Linker, Resource, ResourceAny, ResourceType, Val,
};
use cellule::{AsContextMut, Config, Engine, Error, Limits, Store, StoreContextMut};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

const SIGNATURES: usize = 4;
/// Cases of a batch.
pub const CASES: usize = 64;

/// The host's resource.
struct Res;

/// What the host's function returns, and what it was called with; which resources were dropped.
struct Host {
    signatures: Arc<[Signature]>,
    result: Option<Value>,
    args: Option<Value>,
    dropped: Vec<u32>,
}

/// Values of the host's.
fn vals(store: impl AsContextMut<Data = Host>, values: &[(&Value, &Ty)]) -> Vec<Val> {
    let store = RefCell::new(store);
    let hold = |rep| {
        let resource = Resource::<Res>::new_own(rep);
        let held = ResourceAny::try_from_resource(resource, &mut *store.borrow_mut());
        held.expect("the resource is imported")
    };
    let values = values.iter();
    values.map(|(value, ty)| to_val(value, ty, &hold)).collect()
}

/// The form in which they travel. What they own is the host's then, which forgets it.
fn forms(store: impl AsContextMut<Data = Host>, vals: &[Val], types: &[Ty]) -> Value {
    let store = RefCell::new(store);
    let rep = |held: &ResourceAny| {
        let resource = held.try_into_resource::<Res>(&mut *store.borrow_mut());
        resource.expect("a resource of the host's").rep()
    };
    let both = vals.iter().zip(types);
    both.map(|(val, ty)| from_val(val, ty, &rep)).collect()
}

/// How often what happened: so that a test can tell that it tried everything.
pub type Counts = BTreeMap<String, usize>;

/// A batch: everything follows from its seed.
pub struct Batch {
    seed: u64,
    sides: [Side; 2],
    functions: Vec<Function>,
    pre: InstancePre<Host>,
    engine: Engine,
    rng: Rng,
    running: Option<(Store<Host>, Instance)>,
}

/// An engine for everything that can be a component's type.
pub fn engine() -> Engine {
    let mut config = Config::new();
    config
        .wasm_component_model_map(true)
        .wasm_component_model_fixed_length_lists(true)
        .limits(Limits {
            // The specification's own.
            string_bytes: (1 << 28) - 1,
            ..Limits::default()
        });
    Engine::new(&config).unwrap()
}

fn linker(engine: &Engine) -> Linker<Host> {
    let mut linker = Linker::new(engine);
    let dtor = |mut store: StoreContextMut<'_, Host>, rep| {
        store.data_mut().dropped.push(rep);
        Ok(())
    };
    let ty = ResourceType::host::<Res>();
    let defined = linker.root().resource("res", ty, dtor);
    defined.expect("a new name");
    for at in 0..SIGNATURES {
        let host =
            move |mut store: StoreContextMut<'_, Host>, _, args: &[Val], results: &mut [Val]| {
                let Signature { params, result, .. } = &store.data().signatures.clone()[at];
                let seen = forms(&mut store, args, params);
                let host = store.data_mut();
                host.args = Some(seen);
                let value = host.result.take().expect("a result was given");
                results.clone_from_slice(&vals(&mut store, &[(&value, result)]));
                Ok(())
            };
        let defined = linker.root().func_new(&format!("h-{at}"), host);
        defined.expect("a new name");
    }
    linker
}

/// What a trap was for, as the reference names it.
fn kind_of(error: &Error) -> &'static str {
    let text = format!("{error:#}").to_lowercase();
    let kinds = [
        ("borrow handles still remain", "borrows"),
        ("owned resource while borrowed", "handle"),
        ("handle index", "handle"),
        ("unreachable", "unreachable"),
        ("aligned", "unaligned"),
        ("out of bounds", "bounds"),
        ("out-of-bounds", "bounds"),
        ("beyond end", "bounds"),
        ("discriminant", "discriminant"),
        ("char", "char"),
        ("utf-8", "encoding"),
        ("utf-16", "encoding"),
    ];
    let found = kinds.iter().find(|(word, _)| text.contains(word));
    found.map_or("of no known kind", |(_, kind)| kind)
}

impl Batch {
    /// Makes the component.
    ///
    /// # Panics
    /// If it is refused: the reference flattens otherwise, or the text is wrong.
    pub fn new(engine: &Engine, reference: &mut Reference, seed: u64) -> Batch {
        let mut rng = Rng::new(seed);
        let mut side = || Side {
            encoding: rng.pick(&ENCODINGS),
            wide: rng.one_in(2),
        };
        let sides = [side(), side()];
        let signatures: Vec<Signature> = (0..SIGNATURES)
            .map(|_| Signature::random(&mut rng))
            .collect();
        let asked: Vec<Value> = signatures.iter().map(Signature::json).collect();
        let answers = reference.ask(&json!({ "signatures": asked }));
        let functions: Vec<Function> = signatures
            .into_iter()
            .zip(&answers)
            .map(|(signature, answer)| Function {
                signature,
                lifted: Flat::of_both(&answer["lifted"]),
                lowered: Flat::of_both(&answer["lowered"]),
            })
            .collect();
        let text = text(&functions, sides);
        let refused = |why: &dyn std::fmt::Display| -> ! {
            for function in &functions {
                eprintln!("{}", function.signature);
            }
            panic!("seed {seed}: the component is refused: {why}")
        };
        let bytes = wat::parse_str(&text).unwrap_or_else(|error| refused(&error));
        let component = Component::new(engine, &bytes).unwrap_or_else(|error| refused(&error));
        let pre = linker(engine).instantiate_pre(&component);
        let pre = pre.unwrap_or_else(|error| refused(&error));
        Batch {
            seed,
            sides,
            functions,
            pre,
            engine: engine.clone(),
            rng,
            running: None,
        }
    }

    /// Makes the cases, has the reference answer them, and compares.
    ///
    /// # Panics
    /// With everything that is needed to repeat it, where anything differs.
    pub fn run(&mut self, reference: &mut Reference, counts: &mut Counts) {
        let cases: Vec<Value> = (0..CASES).map(|_| self.case()).collect();
        let answers = reference.ask(&json!({ "cases": cases }));
        assert_eq!(answers.len(), cases.len());
        for (at, (case, answer)) in cases.iter().zip(&answers).enumerate() {
            assert!(
                answer["error"].is_null(),
                "{}",
                self.place(at, case, answer)
            );
            if let Err(why) = self.compare(case, answer) {
                panic!("{why}\n{}", self.place(at, case, answer));
            }
            self.count(case, answer, counts);
        }
    }

    fn place(&self, at: usize, case: &Value, answer: &Value) -> String {
        let sig = case["sig"].as_u64().unwrap_or(0) as usize;
        let brief = |value: &Value| {
            let text = value.to_string();
            text.chars().take(4000).collect::<String>()
        };
        format!(
            "CELLULE_SEED={} case {at}, sides {:?}: {}\ncase: {}\nreference: {}",
            self.seed,
            self.sides,
            self.functions[sig].signature,
            brief(case),
            brief(answer)
        )
    }

    fn count(&self, case: &Value, answer: &Value, counts: &mut Counts) {
        let way = match (case["caller"].is_null(), case["callee"].is_null()) {
            (true, _) => "host to guest".to_owned(),
            (_, true) => "guest to host".to_owned(),
            _ => {
                let [from, to] = self.sides;
                let widths = format!("{} to {}", from.pointer(), to.pointer());
                *counts.entry(widths).or_default() += 1;
                format!("{} to {}", from.encoding, to.encoding)
            }
        };
        let end = match answer["trap"].as_str() {
            Some(kind) => format!("trap: {kind}"),
            None => "returned".to_owned(),
        };
        *counts.entry(way).or_default() += 1;
        *counts.entry(end).or_default() += 1;
    }

    fn case(&mut self) -> Value {
        let rng = &mut self.rng;
        let sig = rng.below(self.functions.len());
        let signature = &self.functions[sig].signature;
        let (caller, callee) = rng.pick(&[(true, false), (false, true), (true, true)]);
        // Damage in half the cases, and not where a guest's `realloc` misbehaves: one reason for a
        // trap in each, because what the reference does one after the other may be done together.
        let bad_realloc = rng.one_in(8);
        let damaged = !bad_realloc && rng.one_in(2);
        let of_args = damaged && caller && (!callee || rng.one_in(2));
        let of_result = damaged && callee && !of_args;
        let quirk_of_caller = bad_realloc && caller && (!callee || rng.one_in(2));
        let quirk_of_callee = bad_realloc && callee && !quirk_of_caller;
        // One reason for a trap here as well.
        let drops = damaged || bad_realloc || !rng.one_in(16);
        let mut case = json!({ "sig": sig, "shift": rng.below(65536), "drops": drops });
        let args: Vec<Value> = signature.params.iter().map(|ty| random(rng, ty)).collect();
        case["args"] = json!(args);
        case["result"] = random(rng, &signature.result);
        case["damage_args"] = json!(if of_args { damage(rng) } else { Vec::new() });
        case["damage_result"] = json!(if of_result { damage(rng) } else { Vec::new() });
        if of_args && rng.one_in(5) {
            case["args"] = raw(rng);
        }
        if of_result && rng.one_in(5) {
            case["result"] = raw(rng);
        }
        // Between guests the first calls; alone with the host it is the second in either role.
        if caller {
            let side = self.sides[usize::from(!callee)];
            let quirk = quirk_of_caller.then(|| quirk(rng, side));
            case["caller"] = guest(side, quirk);
        }
        if callee {
            let side = self.sides[1];
            let quirk = quirk_of_callee.then(|| quirk(rng, side));
            case["callee"] = guest(side, quirk);
        }
        case
    }

    fn running(&mut self) -> (Store<Host>, Instance) {
        self.running.take().unwrap_or_else(|| {
            let signatures = self.functions.iter().map(|function| &function.signature);
            let host = Host {
                signatures: signatures.cloned().collect(),
                result: None,
                args: None,
                dropped: Vec::new(),
            };
            let mut store = Store::new(&self.engine, host);
            let instance = self.pre.instantiate(&mut store);
            (store, instance.expect("an instance"))
        })
    }

    /// One call, and whether it ended as the reference says.
    fn compare(&mut self, case: &Value, answer: &Value) -> Result<(), String> {
        let sig = case["sig"].as_u64().expect("a signature") as usize;
        let shift = case["shift"].as_u64().expect("a number") as usize;
        let (mut store, instance) = self.running();
        let signature = &self.functions[sig].signature;
        let names = match (case["caller"].is_null(), case["callee"].is_null()) {
            (true, _) => [None, Some("b")],
            (_, true) => [Some("b"), None],
            _ => [Some("a"), Some("b")],
        };
        for (role, name) in ["caller", "callee"].iter().zip(names) {
            if let Some(name) = name {
                let bytes = image(&answer[*role], &case[*role]["quirk"], shift);
                let bytes = [Val::List(bytes.into())];
                let set = called(
                    &mut store,
                    &instance,
                    &format!("{name}-set"),
                    &bytes,
                    &mut [],
                );
                set.expect("memory can be set");
                give(&mut store, &instance, name, &answer[*role]["handles"]);
            }
        }
        let host = store.data_mut();
        host.args = None;
        host.result = names[1].is_none().then(|| case["result"].clone());
        let mut results = [Val::Bool(false)];
        let ended = match names[0] {
            Some(name) => called(
                &mut store,
                &instance,
                &format!("{name}-call-{sig}"),
                &[],
                &mut [],
            ),
            None => {
                let types = signature.params.iter().enumerate();
                let args: Vec<_> = types.map(|(at, ty)| (&case["args"][at], ty)).collect();
                let args = vals(&mut store, &args);
                let name = format!("b-f-{sig}");
                called(&mut store, &instance, &name, &args, &mut results)
            }
        };
        let seen = store.data_mut().args.take();
        same_args(seen, answer, names[1].is_none())?;
        match (ended, answer["trap"].as_str()) {
            (Err(error), Some(kind)) if kind_of(&error) == kind => return Ok(()),
            (Err(error), Some(_)) if names[0] == Some("a") && fused(&error, answer) => {
                return Ok(());
            }
            (Err(error), None) => return Err(format!("trapped: {error:#}")),
            (Err(error), Some(kind)) => return Err(format!("trapped for {error:#}, not {kind}")),
            (Ok(()), Some(kind)) => return Err(format!("no trap: {kind} expected")),
            (Ok(()), None) => {}
        }
        if names[0].is_none() {
            let types = std::slice::from_ref(&signature.result);
            let result = forms(&mut store, &results, types)[0].take();
            if result != answer["lifted_result"] {
                return Err(format!(
                    "the result is {result}, not {}",
                    answer["lifted_result"]
                ));
            }
        }
        for ((role, name), flats) in ["caller", "callee"]
            .iter()
            .zip(names)
            .zip(["got", "received"])
        {
            let Some(name) = name else { continue };
            let mut dump = [Val::Bool(false)];
            let done = called(
                &mut store,
                &instance,
                &format!("{name}-dump"),
                &[],
                &mut dump,
            );
            done.expect("memory can be read");
            let [Val::List(cellule::component::List::U8(dump))] = &dump else {
                return Err(format!("the memory came as {dump:?}"));
            };
            let found = difference(dump, &answer[*role]["after"], &answer[flats], shift);
            if let Some(found) = found {
                return Err(format!("{role}: {found}"));
            }
        }
        let left: Vec<(&str, &Value)> = ["caller", "callee"]
            .iter()
            .zip(names)
            .filter_map(|(role, name)| Some((name?, &answer[*role]["after"]["handles"])))
            .collect();
        same_handles(&mut store, &instance, &left)?;
        // Tables that have held something give out indexes in another order.
        if !signature.handles {
            self.running = Some((store, instance));
        }
        Ok(())
    }
}

/// Whether lowering trapped, by a guest's `realloc` or for the caller's pointer to the result, before
/// the reference had lifted everything.
///
/// The one difference there may be: CanonicalABI.md, "Introduction": "a real implementation should be
/// able to fuse lifting and lowering into a single direct copy", where the definitions lift everything
/// first. Both trap, and after a trap no guest can tell why (Explainer.md: "after a trap, it's no
/// longer possible to observe the internal state of a component instance").
fn fused(error: &Error, answer: &Value) -> bool {
    let kind = kind_of(error);
    let lowering = kind == "unreachable" || answer["out_pointer"] == json!(kind);
    lowering && (answer["lifting"] == json!(true) || answer["trap"] == "borrows")
}

/// The host's function sees what the reference lifted, and is called only where lifting didn't trap.
fn same_args(seen: Option<Value>, answer: &Value, host_called: bool) -> Result<(), String> {
    if !host_called {
        return Ok(());
    }
    let expected = &answer["lifted_args"];
    match seen {
        Some(seen) if seen == *expected => Ok(()),
        None if expected.is_null() => Ok(()),
        seen => Err(format!("the host was called with {seen:?}, not {expected}")),
    }
}

/// A guest gets the handles that it has before the call, in a table that is empty.
fn give(store: &mut Store<Host>, instance: &Instance, guest: &str, reps: &Value) {
    let reps = reps.as_array().expect("representations and messages");
    for (index, rep) in (1..).zip(reps) {
        let (ty, name) = match rep.is_string() {
            true => (Ty::ErrorContext, "give-error"),
            false => (Ty::Own, "give"),
        };
        let handle = vals(&mut *store, &[(rep, &ty)]);
        let mut given = [Val::Bool(false)];
        let name = format!("{guest}-{name}");
        called(store, instance, &name, &handle, &mut given).expect("handles can be given");
        assert_eq!(given, [Val::U32(index)]);
    }
}

/// Drops what guests are left with, which is what the reference says, and nothing else.
fn same_handles(
    store: &mut Store<Host>,
    instance: &Instance,
    left: &[(&str, &Value)],
) -> Result<(), String> {
    let mut dropped = Vec::new();
    let mut errors = 0;
    let held = store.held().handles;
    store.data_mut().dropped.clear();
    for (guest, handles) in left {
        for handle in handles.as_array().expect("handles") {
            let part = |at: usize| handle[at].as_u64().expect("a number") as u32;
            let index = [Val::U32(part(0))];
            if let Some(message) = handle[1].as_str() {
                same_error(store, instance, guest, &index, message)?;
                errors += 1;
                continue;
            }
            let drop = called(store, instance, &format!("{guest}-drop"), &index, &mut []);
            drop.map_err(|error| format!("{guest} has no handle {handle}: {error:#}"))?;
            dropped.push(part(1));
        }
    }
    if held != dropped.len() + errors || store.data().dropped != dropped {
        let found = &store.data().dropped;
        return Err(format!(
            "{held} handles are left, of {found:?}, not {errors} and of {dropped:?}"
        ));
    }
    Ok(())
}

/// Drops an error context that a guest is left with; what it says is what the reference has there.
fn same_error(
    store: &mut Store<Host>,
    instance: &Instance,
    guest: &str,
    index: &[Val],
    message: &str,
) -> Result<(), String> {
    let none = |error: Error| format!("{guest} has no error context {index:?}: {error:#}");
    let mut taken = [Val::Bool(false)];
    let name = format!("{guest}-take-error");
    called(store, instance, &name, index, &mut taken).map_err(none)?;
    match &taken {
        [Val::ErrorContext(context)] if context.debug_message() == message => {}
        other => return Err(format!("{guest} holds {other:?}, not {message:?}")),
    }
    let name = format!("{guest}-drop-error");
    called(store, instance, &name, index, &mut []).map_err(none)
}

fn called(
    store: &mut Store<Host>,
    instance: &Instance,
    name: &str,
    args: &[Val],
    results: &mut [Val],
) -> Result<(), Error> {
    let func = instance.get_func(&mut *store, name);
    func.expect("an exported function")
        .call(store, args, results)
}

/// Changes to make where values were stored, or to core values.
fn damage(rng: &mut Rng) -> Vec<Value> {
    let count = 1 + rng.below(3);
    let change = |_| {
        let place = rng.number() >> 33;
        if rng.one_in(3) {
            return match rng.below(3) {
                0 => json!([
                    "flat",
                    place,
                    "add",
                    rng.pick(&[-1i64, 1, 2, 65536, 1 << 32])
                ]),
                1 => json!(["flat", place, "set", rng.number() >> rng.below(64)]),
                _ => json!(["flat", place, "set", 65536 - rng.below(64)]),
            };
        }
        match rng.below(3) {
            0 => json!(["memory", place, "add", rng.pick(&[-1i64, 1, 128])]),
            1 => json!(["memory", place, "set", rng.pick(&[0u8, 255, 0xd8, 0x80])]),
            _ => json!(["memory", place, "set", rng.below(256)]),
        }
    };
    (0..count).map(change).collect()
}

/// Nothing stored: core values that may or may not point into the memory.
fn raw(rng: &mut Rng) -> Value {
    let value = |_| match rng.below(5) {
        0 => rng.below(8) as u64,
        1 => rng.below(65536) as u64,
        2 => (rng.below(8000) * 8) as u64,
        3 => 65536 - rng.below(32) as u64,
        _ => rng.number() >> rng.below(64),
    };
    let values: Vec<u64> = (0..18).map(value).collect();
    json!({ "raw": values })
}

/// A guest, for the reference.
fn guest(side: Side, quirk: Option<Value>) -> Value {
    json!({ "encoding": side.encoding, "pointer": side.pointer(), "quirk": quirk })
}

/// Which call of `realloc` misbehaves, and what it returns; nothing is a trap.
fn quirk(rng: &mut Rng, side: Side) -> Value {
    let call = rng.pick(&[0, 0, 0, 1, 1, 2, 3, 5]);
    let value = match rng.below(6) {
        0 => None,
        1 if side.wide && rng.one_in(2) => Some(u64::MAX - rng.below(64) as u64),
        // What would lie in the memory if half of it were lost.
        2 if side.wide => Some(1 << 32 | rng.below(65536) as u64),
        1 => Some(u32::MAX.into()),
        2 => Some(65536),
        3 => Some(65536 - rng.below(64) as u64),
        4 => Some(0),
        _ => Some(rng.below(65536) as u64),
    };
    json!([call, value])
}
