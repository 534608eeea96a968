//! What a store holds after instantiations that ended early: nothing of them.

use super::*;
use crate::store::later::LATER;
use crate::wasm::{Config, StoreContextMut};
use alloc::boxed::Box;
use alloc::format;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

/// A resource type, a trampoline and a module whose start function makes an error context, asks the
/// host whether it may, and then takes a while.
const STARTS: &str = r#"(component
    (import "ready" (func $ready (result bool)))
    (core func $ready (canon lower (func $ready)))
    (core module $libc (memory (export "memory") 1))
    (core instance $libc (instantiate $libc))
    (core func $context (canon error-context.new (memory (core memory $libc "memory"))))
    (core module $m (import "" "ready" (func $ready (result i32)))
        (import "" "context" (func $context (param i32 i32) (result i32)))
        (memory 1) (table 1 funcref) (global (mut i32) (i32.const 0))
        (func $start (local $i i32)
            (drop (call $context (i32.const 0) (i32.const 9)))
            (if (i32.eqz (call $ready)) (then unreachable))
            (loop $again (br_if $again (i32.lt_u
                (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 9)))))
        (start $start))
    (type $r (resource (rep i32)))
    (component $c)
    (instance (instantiate $c))
    (core instance (instantiate $m (with "" (instance
        (export "ready" (func $ready)) (export "context" (func $context)))))))"#;

fn starts(engine: &Engine) -> InstancePre<bool> {
    let mut linker = crate::component::Linker::<bool>::new(engine);
    let ready = |store: StoreContextMut<'_, bool>, (): ()| Ok((*store.data(),));
    linker.root().func_wrap("ready", ready).unwrap();
    let component = Component::new(engine, wat::parse_str(STARTS).unwrap()).unwrap();
    linker.instantiate_pre(&component).unwrap()
}

/// Lengths of what an instantiation adds to.
fn lengths(store: &Store<bool>) -> [usize; 15] {
    let inner = &store.inner;
    [
        inner.instances.len(),
        inner.funcs.len(),
        inner.memories.len(),
        inner.tables.len(),
        inner.globals.len(),
        inner.global_types.len(),
        inner.trees.len(),
        inner.components.len(),
        inner.handles.len(),
        inner.arenas.len(),
        inner.guest_resources.len(),
        store.origins.len(),
        store.component_hosts.len(),
        inner.memory_total,
        inner.table_total,
    ]
}

#[test]
fn nothing_remains_of_an_instantiation_that_traps() {
    let engine = Engine::default();
    let pre = starts(&engine);
    let mut store = Store::new(&engine, true);
    pre.instantiate(&mut store).unwrap();
    let before = lengths(&store);
    *store.data_mut() = false;
    for _ in 0..3 {
        assert!(pre.instantiate(&mut store).is_err());
        assert_eq!(lengths(&store), before);
    }
    *store.data_mut() = true;
    pre.instantiate(&mut store).unwrap();
    let grown = lengths(&store);
    assert!(grown.iter().zip(before).all(|(now, before)| *now > before));
}

#[test]
fn nothing_remains_of_an_instantiation_whose_future_is_dropped_or_starved() {
    let engine = Engine::new(Config::new().consume_fuel(true)).unwrap();
    let pre = starts(&engine);
    let mut store = Store::new(&engine, true);
    let before = lengths(&store);
    let poll = |store: &mut Store<bool>, polls: u32| {
        let mut making: Pin<Box<dyn Future<Output = _>>> = Box::pin(pre.instantiate_async(store));
        let mut context = Context::from_waker(Waker::noop());
        for _ in 1..polls {
            assert!(making.as_mut().poll(&mut context).is_pending());
        }
        making.as_mut().poll(&mut context)
    };
    for polls in [1, 2, 3] {
        store.set_fuel(1_000).unwrap();
        store.fuel_async_yield_interval(Some(1)).unwrap();
        assert!(poll(&mut store, polls).is_pending());
        assert_eq!(lengths(&store), before);
    }
    store.fuel_async_yield_interval(None).unwrap();
    store.set_fuel(2).unwrap();
    let Poll::Ready(Err(error)) = poll(&mut store, 1) else {
        panic!("it is starved");
    };
    assert_eq!(error.trap(), Some(Trap::OutOfFuel));
    assert_eq!(lengths(&store), before);
    store.set_fuel(1_000).unwrap();
    assert!(pre.instantiate(&mut store).is_ok());
}

#[test]
fn memories_come_when_something_enters_with_the_segments_that_were_checked_before() {
    let engine = Engine::default();
    let source = |at: u32| {
        format!(
            r#"(component
            (core module $m
                (memory 2) (data (i32.const {at}) "\07\09")
                (func (export "sum") (result i32) (i32.add
                    (i32.load8_u (i32.const 131070)) (i32.load8_u (i32.const 131071)))))
            (core instance $i (instantiate $m))
            (func (export "sum") (result u32) (canon lift (core func $i "sum"))))"#
        )
    };
    let linker = crate::component::Linker::<()>::new(&engine);
    let component = |at| Component::new(&engine, wat::parse_str(source(at)).unwrap()).unwrap();

    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &component(131_070)).unwrap();
    let made = |store: &Store<()>| store.inner.memories[0].bytes.len();
    assert_eq!(made(&store), if LATER { 0 } else { 131_072 });
    assert_eq!(store.inner.memory_total, 131_072);
    let sum = instance
        .get_typed_func::<(), (u32,)>(&mut store, "sum")
        .unwrap();
    assert_eq!(sum.call(&mut store, ()).unwrap(), (16,));
    assert_eq!(made(&store), 131_072);
    assert_eq!(store.inner.memory_total, 131_072);

    let error = linker
        .instantiate(&mut store, &component(131_071))
        .unwrap_err();
    assert_eq!(error.trap(), Some(Trap::MemoryOutOfBounds));
    assert_eq!(store.inner.memory_total, 131_072);
}
