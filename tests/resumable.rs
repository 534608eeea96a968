//! Calls that are resumed come to what calls in one go come to, however thin the slices.

use cellule::{
    Caller, Config, Engine, ErrorKind, Instance, Linker, Module, Result, ResumableCall, Store,
    Trap, TypedResumableCall, Val,
};

const GUEST: &str = r#"(module
    (import "host" "add" (func $add (param i32 i32) (result i32)))
    (memory 2)
    (func $fib (param i32) (result i32)
        (if (result i32) (i32.lt_s (local.get 0) (i32.const 2))
            (then (local.get 0))
            (else (call $add
                (call $fib (i32.sub (local.get 0) (i32.const 1)))
                (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
    (func $bulk (param $n i32) (result i32) (local $i i32) (local $sum i32)
        (loop $again
            (memory.fill (i32.const 100) (local.get $i) (i32.const 3000))
            (memory.copy (i32.const 70000) (i32.const 50) (i32.const 20000))
            (local.set $sum (i32.add (local.get $sum) (i32.load (i32.const 70060))))
            (br_if $again (i32.lt_s
                (local.tee $i (i32.add (local.get $i) (i32.const 1)))
                (local.get $n))))
        (local.get $sum))
    (func (export "run") (param i32) (result i32)
        (i32.xor (call $bulk (local.get 0)) (call $fib (local.get 0)))))"#;

fn guest(fast: bool) -> (Store<u32>, Instance) {
    let mut config = Config::new();
    config.consume_fuel(true).fast_tier(fast);
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, wat::parse_str(GUEST).unwrap()).unwrap();
    let mut linker = Linker::new(&engine);
    let add = |mut caller: Caller<'_, u32>, a: i32, b: i32| -> Result<i32> {
        *caller.data_mut() += 1;
        // Every so often it fails, and whoever resumes has to do its work.
        cellule::ensure!(!caller.data().is_multiple_of(5), "fifth call");
        Ok(a + b)
    };
    linker.func_wrap("host", "add", add).unwrap();
    let mut store = Store::new(&engine, 0);
    let instance = linker.instantiate(&mut store, &module).unwrap();
    (store, instance)
}

fn run(instance: &Instance, store: &Store<u32>) -> cellule::TypedFunc<i32, i32> {
    instance.get_typed_func(store, "run").unwrap()
}

/// Result, fuel and host calls of a run in slices.
fn sliced(slice: u64, fast: bool) -> (i32, u64, u32) {
    let (mut store, instance) = guest(fast);
    store.set_fuel(0).unwrap();
    let mut given = 0;
    let mut call = run(&instance, &store)
        .call_resumable(&mut store, 9)
        .unwrap();
    loop {
        call = match call {
            TypedResumableCall::Finished(result) => {
                let left = store.get_fuel().unwrap();
                return (result, given - left, *store.data());
            }
            TypedResumableCall::OutOfFuel(call) => {
                given += slice;
                store.add_fuel(slice).unwrap();
                call.resume(&mut store).unwrap()
            }
            TypedResumableCall::HostTrap(call) => {
                assert_eq!(call.host_error().to_string(), "fifth call");
                assert_eq!(call.host_func().ty(&store).params().len(), 2);
                call.resume(&mut store, &[Val::I32(1)]).unwrap()
            }
        };
    }
}

#[test]
fn slices_of_any_size_give_the_same_result_for_the_same_fuel() {
    for fast in [false, true] {
        let whole = sliced(1_000_000_000, fast);
        for slice in [1, 7, 1000] {
            assert_eq!(sliced(slice, fast), whole, "slice {slice}, fast {fast}");
        }
    }
}

#[test]
fn the_required_fuel_is_what_gets_a_call_further() {
    let (mut store, instance) = guest(true);
    store.set_fuel(0).unwrap();
    let func = instance.get_func(&store, "run").unwrap();
    let mut results = [Val::I32(0)];
    let mut call = func
        .call_resumable(&mut store, &[Val::I32(3)], &mut results)
        .unwrap();
    let mut steps = 0;
    while let ResumableCall::OutOfFuel(stopped) = call {
        steps += 1;
        assert!(steps < 100, "no progress");
        store.add_fuel(stopped.required_fuel()).unwrap();
        call = stopped.resume(&mut store, &mut results).unwrap();
    }
    assert!(matches!(call, ResumableCall::Finished));
    let mut whole = [Val::I32(0)];
    *store.data_mut() = 0;
    store.set_fuel(1_000_000).unwrap();
    func.call(&mut store, &[Val::I32(3)], &mut whole).unwrap();
    assert_eq!(results, whole);
}

#[test]
fn other_calls_may_run_while_one_is_suspended() {
    let (mut store, instance) = guest(true);
    let run = run(&instance, &store);
    store.set_fuel(100).unwrap();
    let TypedResumableCall::OutOfFuel(first) = run.call_resumable(&mut store, 3).unwrap() else {
        panic!("more than 100");
    };
    store.set_fuel(1_000_000).unwrap();
    let second = run.call(&mut store, 3).unwrap();
    match first.resume(&mut store).unwrap() {
        TypedResumableCall::Finished(result) => assert_eq!(result, second),
        other => panic!("{other:?}"),
    }
}

#[test]
fn results_of_another_type_are_refused_and_traps_are_final() {
    let (mut store, instance) = guest(true);
    let run = run(&instance, &store);
    store.set_fuel(u64::MAX).unwrap();
    let TypedResumableCall::HostTrap(call) = run.call_resumable(&mut store, 9).unwrap() else {
        panic!("the fifth call fails");
    };
    let error = call.resume(&mut store, &[Val::I64(1)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type);
    let endless = wat::parse_str("(module (func $f (export \"f\") call $f))").unwrap();
    let module = Module::new(store.engine(), endless).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let f = instance.get_typed_func::<(), ()>(&store, "f").unwrap();
    let error = f.call_resumable(&mut store, ()).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::StackOverflow));
}

#[test]
#[should_panic(expected = "a call of another store")]
fn a_call_of_another_store_panics() {
    let ((mut one, instance), (mut two, _)) = (guest(true), guest(true));
    one.set_fuel(0).unwrap();
    match run(&instance, &one).call_resumable(&mut one, 1).unwrap() {
        TypedResumableCall::OutOfFuel(call) => drop(call.resume(&mut two)),
        other => panic!("{other:?}"),
    }
}
