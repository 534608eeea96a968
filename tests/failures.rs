//! What fails, and what goes on afterwards: start functions, traps, swallowed errors, foreign handles,
//! recursion through the host.

use cellule::component::{Component, Instance, InstancePre, Linker, TypedFunc, Val};
use cellule::{Config, Engine, Error, ErrorKind, Limits, Store, StoreContextMut, Trap};
use cellule_tests::guests::drive;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

fn load(engine: &Engine, text: &str) -> Component {
    let wasm = wat::parse_str(text).expect("well-formed text");
    Component::new(engine, wasm).expect("a valid component")
}

/// What the hosts of these tests keep.
#[derive(Default)]
struct State {
    /// Whether start functions may succeed: how many still do.
    ready: u32,
    /// What a host function instantiates when it is called.
    pre: Option<InstancePre<State>>,
    made: Vec<Instance>,
    /// What a host function calls.
    callee: Option<TypedFunc<(u32,), (u32,)>>,
    swallowed: Vec<Error>,
}

type Cx<'a> = StoreContextMut<'a, State>;

/// Two modules with start functions that ask the host whether they may; then `run` counts up.
const STARTS: &str = r#"(component
    (import "ready" (func $ready (result bool)))
    (core func $ready (canon lower (func $ready)))
    (core module $m (import "" "ready" (func $ready (result i32)))
        (memory (export "memory") 1)
        (global $n (mut i32) (i32.const 0))
        (func $start (if (i32.eqz (call $ready)) (then unreachable)))
        (func (export "run") (param i32) (result i32)
            (global.set $n (i32.add (global.get $n) (local.get 0)))
            (global.get $n))
        (start $start))
    (core instance $a (instantiate $m (with "" (instance (export "ready" (func $ready))))))
    (core instance $b (instantiate $m (with "" (instance (export "ready" (func $ready))))))
    (type $r (resource (rep i32)))
    (func (export "run") (param "x" u32) (result u32) (canon lift (core func $b "run"))))"#;

fn starts(engine: &Engine) -> InstancePre<State> {
    let mut linker = Linker::<State>::new(engine);
    let ready = |mut store: Cx<'_>, (): ()| {
        // Once: what it instantiates asks as well.
        if let Some(pre) = store.data_mut().pre.take() {
            let made = pre.instantiate(&mut store)?;
            store.data_mut().made.push(made);
        }
        let ready = &mut store.data_mut().ready;
        *ready = ready.wrapping_sub(1);
        Ok((*ready != u32::MAX,))
    };
    linker.root().func_wrap("ready", ready).unwrap();
    linker.instantiate_pre(&load(engine, STARTS)).unwrap()
}

fn run(store: &mut Store<State>, instance: &Instance, x: u32) -> Result<u32, Error> {
    let run = instance.get_typed_func::<(u32,), (u32,)>(&mut *store, "run")?;
    Ok(run.call(store, (x,))?.0)
}

#[test]
fn after_a_start_function_that_traps_instantiating_again_works() {
    let engine = Engine::default();
    let pre = starts(&engine);
    let mut store = Store::new(&engine, State::default());
    store.data_mut().ready = 2;
    let before = pre.instantiate(&mut store).unwrap();
    for ready in [0, 1, 0, 1, 1] {
        store.data_mut().ready = ready;
        let error = pre.instantiate(&mut store).unwrap_err();
        assert_eq!(error.trap(), Some(Trap::UnreachableCodeReached));
        assert!(!error.frames().is_empty());
    }
    store.data_mut().ready = 2;
    let after = pre.instantiate(&mut store).unwrap();
    assert_ne!(before, after);
    assert_eq!(run(&mut store, &before, 5).unwrap(), 5);
    assert_eq!(run(&mut store, &after, 7).unwrap(), 7);
    assert_eq!(run(&mut store, &before, 1).unwrap(), 6);
}

#[test]
fn an_instantiation_that_fails_gives_back_what_it_took() {
    let limits = Limits {
        // Of two instances that are made and one that fails, with two memories each at most.
        total_memory_bytes: 6 * 65536,
        ..Limits::server()
    };
    let engine = Engine::new(Config::new().limits(limits)).unwrap();
    let pre = starts(&engine);
    let mut store = Store::new(&engine, State::default());
    store.data_mut().ready = 2;
    let before = pre.instantiate(&mut store).unwrap();
    let held = store.held();
    assert_eq!(held.memory_bytes, 2 * 65536);
    for ready in [0, 1, 0, 1, 1, 1, 0] {
        store.data_mut().ready = ready;
        let error = pre.instantiate(&mut store).unwrap_err();
        assert_eq!(error.trap(), Some(Trap::UnreachableCodeReached));
        assert_eq!(store.held(), held);
    }
    store.data_mut().ready = 2;
    let after = pre.instantiate(&mut store).unwrap();
    assert_eq!(run(&mut store, &before, 5).unwrap(), 5);
    assert_eq!(run(&mut store, &after, 7).unwrap(), 7);
}

#[test]
fn what_a_host_instantiates_during_a_start_function_outlives_its_failure() {
    let engine = Engine::default();
    let (pre, other) = (starts(&engine), starts(&engine));
    // The other one takes two answers; the start function that fails is the first or the second.
    for answers in [2, 3] {
        let mut store = Store::new(&engine, State::default());
        store.data_mut().pre = Some(other.clone());
        store.data_mut().ready = answers;
        assert!(pre.instantiate(&mut store).is_err());
        let made = store.data().made[0];
        assert_eq!(run(&mut store, &made, 5).unwrap(), 5);
        store.data_mut().ready = 2;
        let after = pre.instantiate(&mut store).unwrap();
        assert_ne!(made, after);
        assert_eq!(run(&mut store, &after, 7).unwrap(), 7);
        assert_eq!(run(&mut store, &made, 1).unwrap(), 6);
    }
}

#[test]
fn a_dropped_instantiation_leaves_a_store_that_works() {
    let engine = Engine::new(Config::new().consume_fuel(true)).unwrap();
    let pre = starts(&engine);
    let mut store = Store::new(&engine, State::default());
    store.set_fuel(1_000_000).unwrap();
    store.fuel_async_yield_interval(Some(1)).unwrap();
    let mut context = Context::from_waker(Waker::noop());
    for polls in 1..4 {
        store.data_mut().ready = 2;
        let mut making = pin!(pre.instantiate_async(&mut store));
        for _ in 0..polls {
            assert!(making.as_mut().poll(&mut context).is_pending());
        }
    }
    store.data_mut().ready = 2;
    let (instance, polls) = drive(pre.instantiate_async(&mut store));
    assert!(polls > 4);
    assert_eq!(run(&mut store, &instance.unwrap(), 3).unwrap(), 3);
}

/// `run(x)` returns what the host answers plus one; of 13 it traps.
const CALLS: &str = r#"(component
    (import "host" (func $host (param "x" u32) (result u32)))
    (core func $host (canon lower (func $host)))
    (core module $m (import "" "host" (func $host (param i32) (result i32)))
        (func (export "run") (param i32) (result i32)
            (if (i32.eq (local.get 0) (i32.const 13)) (then unreachable))
            (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
            (i32.add (call $host (i32.sub (local.get 0) (i32.const 1))) (i32.const 1))))
    (core instance $i (instantiate $m (with "" (instance (export "host" (func $host))))))
    (func (export "run") (param "x" u32) (result u32) (canon lift (core func $i "run"))))"#;

fn calls(
    engine: &Engine,
    host: impl Fn(Cx<'_>, u32) -> Result<u32, Error> + Send + Sync + 'static,
) -> InstancePre<State> {
    let mut linker = Linker::<State>::new(engine);
    let host = move |store: Cx<'_>, (x,): (u32,)| Ok((host(store, x)?,));
    linker.root().func_wrap("host", host).unwrap();
    linker.instantiate_pre(&load(engine, CALLS)).unwrap()
}

/// The host calls back what the state says.
fn back(mut store: Cx<'_>, x: u32) -> Result<u32, Error> {
    let callee = store.data().callee.expect("set before");
    Ok(callee.call(&mut store, (x,))?.0)
}

/// The host calls back and answers 100 if that fails.
fn swallow(mut store: Cx<'_>, x: u32) -> Result<u32, Error> {
    let callee = store.data().callee.expect("set before");
    match callee.call(&mut store, (x,)) {
        Ok((x,)) => Ok(x),
        Err(error) => {
            store.data_mut().swallowed.push(error);
            Ok(100)
        }
    }
}

fn typed(store: &mut Store<State>, instance: &Instance) -> TypedFunc<(u32,), (u32,)> {
    instance.get_typed_func(store, "run").unwrap()
}

#[test]
fn a_trap_ends_its_instance_and_no_other() {
    let engine = Engine::default();
    let pre = calls(&engine, |_, x| Ok(x * 2));
    let mut store = Store::new(&engine, State::default());
    let one = pre.instantiate(&mut store).unwrap();
    let two = pre.instantiate(&mut store).unwrap();
    assert_eq!(run(&mut store, &one, 5).unwrap(), 9);
    let error = run(&mut store, &one, 13).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::UnreachableCodeReached));
    for _ in 0..2 {
        let error = run(&mut store, &one, 5).unwrap_err();
        assert_eq!(error.trap(), Some(Trap::CannotEnterComponent));
        assert_eq!(run(&mut store, &two, 5).unwrap(), 9);
    }
    let three = pre.instantiate(&mut store).unwrap();
    assert_eq!(run(&mut store, &three, 5).unwrap(), 9);
}

#[test]
fn a_hosts_error_ends_the_instance_and_comes_back_as_it_was() {
    let engine = Engine::default();
    let pre = calls(&engine, |_, x| Err(Error::msg(format!("no {x}"))));
    let mut store = Store::new(&engine, State::default());
    let instance = pre.instantiate(&mut store).unwrap();
    let error = run(&mut store, &instance, 5).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Host);
    assert!(format!("{error:#}").contains("no 4"), "{error:#}");
    let error = run(&mut store, &instance, 0).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::CannotEnterComponent));
}

#[test]
fn arguments_that_do_not_fit_end_nothing() {
    let engine = Engine::default();
    let pre = calls(&engine, |_, x| Ok(x));
    let mut store = Store::new(&engine, State::default());
    let instance = pre.instantiate(&mut store).unwrap();
    let func = instance.get_func(&mut store, "run").unwrap();
    let mut results = [Val::Bool(false)];
    let wrong: [&[Val]; 3] = [&[], &[Val::Bool(true)], &[Val::U32(1), Val::U32(2)]];
    for params in wrong {
        let error = func.call(&mut store, params, &mut results).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Type);
    }
    let error = func.call(&mut store, &[Val::U32(1)], &mut []).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type);
    func.call(&mut store, &[Val::U32(4)], &mut results).unwrap();
    assert_eq!(results, [Val::U32(4)]);
}

#[test]
fn a_swallowed_trap_of_another_instance_does_not_end_the_one_that_runs() {
    let engine = Engine::default();
    let inner = calls(&engine, |_, x| Ok(x));
    let outer = calls(&engine, swallow);
    let mut store = Store::new(&engine, State::default());
    let inner = inner.instantiate(&mut store).unwrap();
    let outer = outer.instantiate(&mut store).unwrap();
    store.data_mut().callee = Some(typed(&mut store, &inner));
    assert_eq!(run(&mut store, &outer, 8).unwrap(), 8);
    assert_eq!(run(&mut store, &outer, 14).unwrap(), 101);
    // From now on the inner one can't be entered, which the outer one's host swallows as well.
    assert_eq!(run(&mut store, &outer, 8).unwrap(), 101);
    let swallowed: Vec<_> = store.data().swallowed.iter().map(Error::trap).collect();
    let expected = [Trap::UnreachableCodeReached, Trap::CannotEnterComponent].map(Some);
    assert_eq!(swallowed, expected);
}

#[test]
fn a_swallowed_trap_of_the_instance_that_runs_ends_it_nevertheless() {
    let engine = Engine::default();
    let pre = calls(&engine, swallow);
    let mut store = Store::new(&engine, State::default());
    let instance = pre.instantiate(&mut store).unwrap();
    store.data_mut().callee = Some(typed(&mut store, &instance));
    assert_eq!(run(&mut store, &instance, 12).unwrap(), 12);
    let error = run(&mut store, &instance, 14).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::CannotEnterComponent));
    assert_eq!(store.data().swallowed.len(), 1);
    assert!(run(&mut store, &instance, 1).is_err());
}

#[test]
fn recursion_through_the_host_has_a_limit() {
    let limits = |host_recursion| Limits {
        host_recursion,
        ..Limits::server()
    };
    for depth in [1, 5, Limits::server().host_recursion] {
        let engine = Engine::new(Config::new().limits(limits(depth))).unwrap();
        let pre = calls(&engine, back);
        let mut store = Store::new(&engine, State::default());
        let mut fresh = |x| {
            let instance = pre.instantiate(&mut store).unwrap();
            store.data_mut().callee = Some(typed(&mut store, &instance));
            run(&mut store, &instance, x)
        };
        // 13 traps, so it is passed over where the way down leads through it.
        if depth <= 13 {
            assert_eq!(fresh(depth - 1).unwrap(), depth - 1);
            assert_eq!(fresh(depth).unwrap_err().kind(), ErrorKind::Limit);
        }
        assert_eq!(fresh(depth + 13).unwrap_err().kind(), ErrorKind::Limit);
        // The store isn't nested any deeper for that.
        assert_eq!(fresh(0).unwrap(), 0);
    }
}

#[test]
fn functions_of_another_store_are_errors() {
    let engine = Engine::default();
    let pre = calls(&engine, |_, x| Ok(x));
    let mut home = Store::new(&engine, State::default());
    let mut away = Store::new(&engine, State::default());
    let instance = pre.instantiate(&mut home).unwrap();
    let func = instance.get_func(&mut home, "run").unwrap();
    let run = typed(&mut home, &instance);
    let mut results = [Val::Bool(false)];
    let params = [Val::U32(3)];
    // Also where the other store has something at the same place.
    for _ in 0..2 {
        let error = run.call(&mut away, (3,)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Type);
        let error = func.call(&mut away, &params, &mut results).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Type);
        let error = func.typed::<(u32,), (u32,)>(&away).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Type);
        let (result, _) = drive(run.call_async(&mut away, (3,)));
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Type);
        pre.instantiate(&mut away).unwrap();
    }
    assert_eq!(run.call(&mut home, (3,)).unwrap(), (3,));
}

#[test]
fn a_call_that_is_dropped_in_the_middle_ends_its_instance() {
    let engine = Engine::new(Config::new().consume_fuel(true)).unwrap();
    let pre = calls(&engine, |_, x| Ok(x));
    let mut store = Store::new(&engine, State::default());
    store.set_fuel(1_000_000).unwrap();
    store.fuel_async_yield_interval(Some(1)).unwrap();
    let one = pre.instantiate(&mut store).unwrap();
    let two = pre.instantiate(&mut store).unwrap();
    let func = typed(&mut store, &one);
    {
        let mut call = pin!(func.call_async(&mut store, (4,)));
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(call.as_mut().poll(&mut context).map(drop), Poll::Pending);
    }
    let error = run(&mut store, &one, 4).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::CannotEnterComponent));
    assert_eq!(run(&mut store, &two, 4).unwrap(), 4);
}

#[test]
fn a_call_without_fuel_is_a_trap_that_ends_its_instance() {
    let engine = Engine::new(Config::new().consume_fuel(true)).unwrap();
    let pre = calls(&engine, |_, x| Ok(x));
    let mut store = Store::new(&engine, State::default());
    store.set_fuel(1_000).unwrap();
    let one = pre.instantiate(&mut store).unwrap();
    let two = pre.instantiate(&mut store).unwrap();
    store.set_fuel(1).unwrap();
    let error = run(&mut store, &one, 4).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::OutOfFuel));
    store.set_fuel(1_000).unwrap();
    assert!(run(&mut store, &one, 4).is_err());
    assert_eq!(run(&mut store, &two, 4).unwrap(), 4);
}
