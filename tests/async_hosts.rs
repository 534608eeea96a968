//! Host functions that wait: awaited by asynchronous calls, on any executor and without fibers.

use cellule::component::{
    Component, InstancePre, Linker, Resource, ResourceAny, ResourceType, TypedFunc, Val,
};
use cellule::{Config, Engine, Result, Store, StoreContextMut};
use cellule_tests::waiting::{Pending, block_on};
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Waker};

/// A guest that adds what two calls of the host give, and one whose start function calls it.
const GUEST: &str = r#"(component
    (import "slow" (func $slow (param "x" u32) (result u32)))
    (core func $slow' (canon lower (func $slow)))
    (core module $m
        (import "" "slow" (func $slow (param i32) (result i32)))
        (global $started (mut i32) (i32.const 0))
        (func $start (global.set $started (call $slow (i32.const 100))))
        (start $start)
        (func (export "run") (param i32) (result i32)
            (i32.add
                (global.get $started)
                (i32.add (call $slow (local.get 0)) (call $slow (i32.const 1))))))
    (core instance $i (instantiate $m (with "" (instance (export "slow" (func $slow'))))))
    (func (export "run") (param "x" u32) (result u32) (canon lift (core func $i "run"))))"#;

/// The guest, linked with a host that is pending `times` and gives its argument and how often it was
/// called.
fn pre(engine: &Engine, times: u32) -> InstancePre<u32> {
    let component = Component::new(engine, wat::parse_str(GUEST).unwrap()).unwrap();
    let mut linker = Linker::<u32>::new(engine);
    linker
        .root()
        .func_wrap_async(
            "slow",
            move |mut store: StoreContextMut<'_, u32>, (x,): (u32,)| {
                Box::new(async move {
                    Pending(times).await;
                    *store.data_mut() += 1;
                    Ok((x,))
                })
            },
        )
        .unwrap();
    linker.instantiate_pre(&component).unwrap()
}

type Run = TypedFunc<(u32,), (u32,)>;

async fn start(store: &mut Store<u32>, pre: &InstancePre<u32>) -> Run {
    let instance = pre.instantiate_async(&mut *store).await.unwrap();
    instance.get_typed_func(&mut *store, "run").unwrap()
}

#[test]
fn a_host_future_that_is_pending_twice_is_awaited_wherever_it_is_called() {
    let engine = Engine::default();
    let pre = pre(&engine, 2);
    let mut store = Store::new(&engine, 0);
    let (run, pending) = block_on(start(&mut store, &pre));
    assert_eq!((pending, *store.data()), (2, 1));
    let (result, pending) = block_on(run.call_async(&mut store, (10,)));
    assert_eq!(result.unwrap(), (111,));
    assert_eq!((pending, *store.data()), (4, 3));
}

#[test]
fn a_dynamic_host_future_is_awaited_too() {
    let engine = Engine::default();
    let component = Component::new(&engine, wat::parse_str(GUEST).unwrap()).unwrap();
    let mut linker = Linker::<()>::new(&engine);
    linker
        .root()
        .func_new_async("slow", |_, ty, args, results| {
            assert_eq!(ty.params().len(), 1);
            Box::new(async move {
                Pending(1).await;
                results[0] = args[0].clone();
                Ok(())
            })
        })
        .unwrap();
    let mut store = Store::new(&engine, ());
    let (instance, _) = block_on(linker.instantiate_async(&mut store, &component));
    let run = instance.unwrap().get_func(&mut store, "run").unwrap();
    let mut results = [Val::Bool(false)];
    let (result, pending) = block_on(run.call_async(&mut store, &[Val::U32(5)], &mut results));
    result.unwrap();
    assert_eq!((&results[0], pending), (&Val::U32(106), 2));
}

#[test]
fn a_call_that_cant_wait_takes_futures_that_are_done_and_refuses_others() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, 0);
    let instance = pre(&engine, 0).instantiate(&mut store).unwrap();
    let run: Run = instance.get_typed_func(&mut store, "run").unwrap();
    assert_eq!(run.call(&mut store, (1,)).unwrap(), (102,));
    let error = pre(&engine, 1).instantiate(&mut store).unwrap_err();
    assert!(
        error.to_string().contains("called asynchronously"),
        "{error}"
    );
    assert_eq!(
        run.call(&mut store, (2,)).unwrap(),
        (103,),
        "another tree lives on"
    );
}

#[test]
fn a_call_whose_future_is_dropped_ends_its_instance_and_no_other() {
    let engine = Engine::default();
    let pre = pre(&engine, 1);
    let mut store = Store::new(&engine, 0);
    let (run, _) = block_on(start(&mut store, &pre));
    let (other, _) = block_on(start(&mut store, &pre));
    {
        let mut call = pin!(run.call_async(&mut store, (1,)));
        let mut context = Context::from_waker(Waker::noop());
        assert!(call.as_mut().poll(&mut context).is_pending());
    }
    let (result, _) = block_on(run.call_async(&mut store, (1,)));
    let error = result.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("cannot enter component instance"),
        "{error}"
    );
    let (result, _) = block_on(other.call_async(&mut store, (1,)));
    assert_eq!(result.unwrap(), (102,));
}

#[test]
fn slices_of_fuel_and_host_futures_yield_in_one_call() {
    let mut config = Config::new();
    config.consume_fuel(true);
    let engine = Engine::new(&config).unwrap();
    let pre = pre(&engine, 1);
    let mut store = Store::new(&engine, 0);
    store.set_fuel(1_000_000).unwrap();
    store.fuel_async_yield_interval(Some(1)).unwrap();
    let (run, _) = block_on(start(&mut store, &pre));
    let (result, pending) = block_on(run.call_async(&mut store, (7,)));
    assert_eq!(result.unwrap(), (108,));
    assert!(pending > 2, "pending {pending} times");
}

#[test]
fn what_threads_share_can_be_shared() {
    fn send<T: Send>(_: &T) {}
    fn shared<T: Send + Sync>(_: &T) {}
    let engine = Engine::default();
    let pre = pre(&engine, 0);
    shared(&engine);
    shared(pre.component());
    shared(&pre);
    let mut store = Store::new(&engine, 0);
    send(&store);
    let instance = pre.instantiate(&mut store).unwrap();
    let run: Run = instance.get_typed_func(&mut store, "run").unwrap();
    let call: Pin<Box<dyn Future<Output = Result<(u32,)>> + Send + '_>> =
        Box::pin(run.call_async(&mut store, (1,)));
    assert_eq!(block_on(call).0.unwrap(), (102,));
}

/// A guest that is given a thing of the host's and drops it, or passes it on.
const KEEPER: &str = r#"(component
    (import "thing" (type $thing (sub resource)))
    (core func $drop (canon resource.drop $thing))
    (core module $m
        (import "" "drop" (func $drop (param i32)))
        (func (export "drop") (param i32) (call $drop (local.get 0)))
        (func (export "back") (param i32) (result i32) (local.get 0)))
    (core instance $m (instantiate $m (with "" (instance (export "drop" (func $drop))))))
    (func (export "drop") (param "thing" (own $thing)) (canon lift (core func $m "drop")))
    (func (export "back") (param "thing" (own $thing)) (result (own $thing))
        (canon lift (core func $m "back"))))"#;

struct Thing;

/// The keeper, linked with a destructor that is pending `times`; the store's data is what it was told.
fn keeper(times: u32) -> (Store<Vec<u32>>, InstancePre<Vec<u32>>) {
    let engine = Engine::default();
    let component = Component::new(&engine, wat::parse_str(KEEPER).unwrap()).unwrap();
    let mut linker = Linker::<Vec<u32>>::new(&engine);
    let ty = ResourceType::host::<Thing>();
    let mut root = linker.root();
    root.resource_async("thing", ty, move |mut store, rep| {
        Box::new(async move {
            Pending(times).await;
            store.data_mut().push(rep);
            Ok(())
        })
    })
    .unwrap();
    let pre = linker.instantiate_pre(&component).unwrap();
    (Store::new(&engine, Vec::new()), pre)
}

#[test]
fn a_destructor_that_is_pending_twice_is_awaited() {
    let (mut store, pre) = keeper(2);
    let instance = pre.instantiate(&mut store).unwrap();
    let drop: TypedFunc<(Resource<Thing>,), ()> =
        instance.get_typed_func(&mut store, "drop").unwrap();
    let (result, pending) = block_on(drop.call_async(&mut store, (Resource::new_own(7),)));
    result.unwrap();
    assert_eq!((pending, &store.data()[..]), (2, &[7][..]));
    let back: TypedFunc<(Resource<Thing>,), (ResourceAny,)> =
        instance.get_typed_func(&mut store, "back").unwrap();
    let (thing,) = back.call(&mut store, (Resource::new_own(8),)).unwrap();
    let (result, pending) = block_on(thing.resource_drop_async(&mut store));
    result.unwrap();
    assert_eq!((pending, &store.data()[..]), (2, &[7, 8][..]));
}

#[test]
fn a_call_that_cant_wait_takes_destructors_that_are_done_and_refuses_others() {
    for (times, works) in [(0, true), (1, false)] {
        let (mut store, pre) = keeper(times);
        let instance = pre.instantiate(&mut store).unwrap();
        let back: TypedFunc<(Resource<Thing>,), (ResourceAny,)> =
            instance.get_typed_func(&mut store, "back").unwrap();
        let (thing,) = back.call(&mut store, (Resource::new_own(8),)).unwrap();
        assert_eq!(thing.resource_drop(&mut store).is_ok(), works);
        let drop: TypedFunc<(Resource<Thing>,), ()> =
            instance.get_typed_func(&mut store, "drop").unwrap();
        let result = drop.call(&mut store, (Resource::new_own(7),));
        match result {
            Ok(()) => assert!(works),
            Err(error) => {
                assert!(!works);
                assert!(
                    error.to_string().contains("called asynchronously"),
                    "{error}"
                );
            }
        }
        assert_eq!(store.data().len(), if works { 2 } else { 0 });
    }
}
