//! However often a guest is called, or instantiated and dropped, the heap and the native stack stay as they are.

use cellule::component::{Component, Instance, Linker, Resource, ResourceAny, ResourceType, Val};
use cellule::{Config, Engine, Store};
use cellule_tests::heap::{Counting, held};
use std::hint::black_box;

#[global_allocator]
static HEAP: Counting = Counting;

const CALLS: u32 = 100_000;
const CYCLES: u32 = 10_000;
/// Until what is kept for later calls has been made.
const WARM: u32 = 100;

/// A component that is called with a string and a list, asks the host, calls another component, makes a resource of its
/// own and drops it, drops one of the host's, and traps if it is told to.
const GUEST: &str = r#"(component
  (import "res" (type $res (sub resource)))
  (import "host" (func $host (param "text" string) (result u32)))
  (component $inner
    (core module $m
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
      (func (export "echo") (param $place i32) (param $length i32) (result i32)
        (i32.store (i32.const 16) (local.get $place))
        (i32.store (i32.const 20) (local.get $length))
        (i32.const 16)))
    (core instance $i (instantiate $m))
    (func (export "echo") (param "text" string) (result string)
      (canon lift (core func $i "echo") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (instance $inner (instantiate $inner))
  (core module $memory
    (memory (export "memory") 1)
    (global $heap (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
      (local $place i32)
      (local.set $place (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
      (global.set $heap (i32.add (local.get $place) (local.get $size)))
      (local.get $place))
    (func (export "free") (param i32) (global.set $heap (i32.const 1024))))
  (core instance $memory (instantiate $memory))
  (core module $dtor
    (global $dropped (export "dropped") (mut i32) (i32.const 0))
    (func (export "dtor") (param i32) (global.set $dropped (i32.add (global.get $dropped) (i32.const 1)))))
  (core instance $dtor (instantiate $dtor))
  (type $own (resource (rep i32) (dtor (core func $dtor "dtor"))))
  (core func $new (canon resource.new $own))
  (core func $drop (canon resource.drop $own))
  (core func $drop-res (canon resource.drop $res))
  (core func $host (canon lower (func $host) (memory (core memory $memory "memory"))))
  (core func $echo (canon lower (func $inner "echo") (memory (core memory $memory "memory"))
    (realloc (core func $memory "realloc"))))
  (core module $m
    (import "m" "memory" (memory 1))
    (import "m" "host" (func $host (param i32 i32) (result i32)))
    (import "m" "echo" (func $echo (param i32 i32 i32)))
    (import "m" "new" (func $new (param i32) (result i32)))
    (import "m" "drop" (func $drop (param i32)))
    (import "m" "drop-res" (func $drop-res (param i32)))
    (func (export "run") (param $text i32) (param $length i32) (param $list i32) (param $count i32)
        (param $res i32) (result i32)
      (if (i32.eqz (local.get $count)) (then unreachable))
      (call $echo (local.get $text) (local.get $length) (i32.const 32))
      (drop (call $host (i32.load (i32.const 32)) (i32.load (i32.const 36))))
      (call $drop (call $new (i32.const 7)))
      (call $drop-res (local.get $res))
      (i32.store (i32.const 48) (local.get $list))
      (i32.store (i32.const 52) (local.get $count))
      (i32.const 48))
    (func (export "make") (result i32) (call $new (i32.const 8))))
  (core instance $i (instantiate $m (with "m" (instance
    (export "memory" (memory $memory "memory")) (export "host" (func $host)) (export "echo" (func $echo))
    (export "new" (func $new)) (export "drop" (func $drop)) (export "drop-res" (func $drop-res))))))
  (export $out "own" (type $own))
  (func (export "run") (param "text" string) (param "list" (list (tuple u32 string))) (param "res" (own $res))
      (result (list (tuple u32 string)))
    (canon lift (core func $i "run") (memory (core memory $memory "memory"))
      (realloc (core func $memory "realloc")) (post-return (core func $memory "free"))))
  (func (export "make") (result (own $out)) (canon lift (core func $i "make"))))"#;

/// The resource of the host's.
struct Res;

/// What the host sees.
#[derive(Default)]
struct Host {
    dropped: u32,
    /// Where a native frame of the host's function lay, as an address.
    frame: usize,
}

type Pairs<'a> = &'a [(u32, &'a str)];

fn linker(engine: &Engine) -> Linker<Host> {
    let mut linker = Linker::<Host>::new(engine);
    let mut root = linker.root();
    let res = ResourceType::host::<Res>();
    root.resource("res", res, |mut store, _| {
        store.data_mut().dropped += 1;
        Ok(())
    })
    .unwrap();
    root.func_wrap("host", |mut store, (text,): (String,)| {
        store.data_mut().frame = (&raw const text).addr();
        Ok((text.len() as u32,))
    })
    .unwrap();
    linker
}

/// A call of everything, typed and with dynamic values.
fn call(store: &mut Store<Host>, instance: &Instance) {
    let pairs: Pairs = &[(1, "one"), (2, "two")];
    let run = instance
        .get_typed_func::<(&str, Pairs, Resource<Res>), (Vec<(u32, String)>,)>(&mut *store, "run")
        .unwrap();
    let res = Resource::new_own(1);
    let (back,) = run.call(&mut *store, ("a text", pairs, res)).unwrap();
    assert_eq!(back, [(1, "one".to_string()), (2, "two".to_string())]);

    let run = instance.get_func(&mut *store, "run").unwrap();
    let res = ResourceAny::try_from_resource(Resource::<Res>::new_own(2), &mut *store).unwrap();
    let pair = Val::Tuple(vec![Val::U32(3), Val::String("three".into())]);
    let args = [
        Val::String("ä".into()),
        Val::List([pair].into_iter().collect()),
        Val::Resource(res),
    ];
    let mut results = [Val::Bool(false)];
    run.call(&mut *store, &args, &mut results).unwrap();
    assert_eq!(results[0], args[1]);

    let make = instance.get_typed_func::<(), (ResourceAny,)>(&mut *store, "make");
    let (own,) = make.unwrap().call(&mut *store, ()).unwrap();
    own.resource_drop(&mut *store).unwrap();
}

fn engines() -> [Engine; 2] {
    [false, true].map(|fuel| {
        let mut config = Config::new();
        config.consume_fuel(fuel);
        Engine::new(&config).unwrap()
    })
}

fn store(engine: &Engine) -> Store<Host> {
    let mut store = Store::new(engine, Host::default());
    // Without fuel there is none to set.
    let _ = store.set_fuel(u64::MAX >> 1);
    store
}

#[test]
fn heap_and_stack_stay_flat_over_many_calls() {
    let wasm = wat::parse_str(GUEST).unwrap();
    for engine in engines() {
        let component = Component::new(&engine, &wasm).unwrap();
        let mut store = store(&engine);
        let instance = linker(&engine).instantiate(&mut store, &component).unwrap();
        (0..WARM).for_each(|_| call(&mut store, &instance));
        let (heap, frame) = (held(), store.data().frame);
        // Each is two calls of the guest that call on, and one that makes a resource.
        for _ in 0..CALLS / 2 {
            call(&mut store, &instance);
        }
        assert_eq!(held(), heap);
        assert_eq!(store.data().frame, frame);
        assert_eq!(store.data().dropped, 2 * (WARM + CALLS / 2));
    }
}

#[test]
fn the_heap_stays_flat_over_many_instances() {
    let wasm = wat::parse_str(GUEST).unwrap();
    for engine in engines() {
        let component = Component::new(&engine, &wasm).unwrap();
        let pre = linker(&engine).instantiate_pre(&component).unwrap();
        let cycle = |at: u32| {
            let mut store = store(&engine);
            let instance = pre.instantiate(&mut store).unwrap();
            call(&mut store, &instance);
            if at.is_multiple_of(4) {
                let run = instance
                    .get_typed_func::<(&str, Pairs, Resource<Res>), (Vec<(u32, String)>,)>(
                        &mut store, "run",
                    );
                // With no pairs it traps, in the middle of what it was given.
                let args = ("a text", &[] as Pairs, Resource::new_own(3));
                run.unwrap().call(&mut store, args).unwrap_err();
            }
        };
        (0..WARM).for_each(cycle);
        let heap = black_box(held());
        (0..CYCLES).for_each(cycle);
        assert_eq!(held(), heap);
    }
}

#[test]
fn the_heap_is_as_before_when_a_component_and_its_engine_are_gone() {
    let wasm = wat::parse_str(GUEST).unwrap();
    let once = || {
        for engine in engines() {
            let component = Component::new(&engine, &wasm).unwrap();
            let mut store = store(&engine);
            let instance = linker(&engine).instantiate(&mut store, &component).unwrap();
            call(&mut store, &instance);
        }
    };
    once();
    let heap = held();
    (0..20).for_each(|_| once());
    assert_eq!(held(), heap);
}
