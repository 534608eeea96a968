//! Guests that are entered again while a call of theirs runs: by a host function, and by another guest. The
//! specification allows both, with handles as well, and what is lent stays lent until its call is over.

use super::{call, is_locked, is_trap, load};
use cellule::component::{
    Instance, Linker, LinkerInstance, Resource, ResourceAny, ResourceType, Val,
};
use cellule::{Engine, Error, ErrorKind, Result, Store, StoreContextMut, Trap};
use cellule_tests::guests::drive;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

struct Thing;

/// What the host keeps.
#[derive(Default)]
struct State {
    /// Whom host functions call, and a guest's resource.
    instance: Option<Instance>,
    other: Option<Instance>,
    kept: Option<ResourceAny>,
    borrowed: Option<ResourceAny>,
    /// Representations of things that were dropped.
    dropped: Vec<u32>,
    /// Whether dropping one makes the guest trap, which the host passes over.
    traps: bool,
    /// Errors that host functions went on after.
    swallowed: Vec<Error>,
}

type Cx<'a> = StoreContextMut<'a, State>;

/// A guest with a resource type of its own, and one of the host's, that calls the host for what to do.
const GUEST: &str = r#"(component
    (import "thing" (type $t (sub resource)))
    (import "visit" (func $visit (param "t" (borrow $t)) (param "what" u32) (result u32)))
    (import "ask" (func $ask (param "what" u32) (result u32)))
    (core module $d (global $dropped (mut i32) (i32.const 0))
        (func (export "dtor") (param i32)
            (global.set $dropped (i32.add (global.get $dropped) (local.get 0))))
        (func (export "dropped") (result i32) (global.get $dropped)))
    (core instance $d (instantiate $d))
    (type $r' (resource (rep i32) (dtor (core func $d "dtor"))))
    (export $r "r" (type $r'))
    (core func $new (canon resource.new $r'))
    (core func $drop (canon resource.drop $r'))
    (core func $drop-t (canon resource.drop $t))
    (core func $visit (canon lower (func $visit)))
    (core func $ask (canon lower (func $ask)))
    (core module $m
        (import "" "new" (func $new (param i32) (result i32)))
        (import "" "drop" (func $drop (param i32)))
        (import "" "drop-t" (func $drop-t (param i32)))
        (import "" "visit" (func $visit (param i32 i32) (result i32)))
        (import "" "ask" (func $ask (param i32) (result i32)))
        (global $own (mut i32) (i32.const 0))
        (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
        (func (export "give") (param i32) (global.set $own (local.get 0)))
        (func (export "back") (result i32) (global.get $own))
        (func (export "visit") (param i32) (result i32)
            (call $visit (global.get $own) (local.get 0)))
        ;; Lends on what it was lent.
        (func (export "pass") (param i32 i32) (result i32)
            (global.set $own (local.get 0))
            (call $visit (local.get 0) (local.get 1))
            (call $drop-t (local.get 0)))
        (func (export "ask") (param i32) (result i32) (call $ask (local.get 0)))
        (func (export "lend") (param i32 i32) (result i32) (call $ask (local.get 1)))
        (func (export "look") (param i32) (result i32) (local.get 0))
        (func (export "see") (param i32) (result i32) (call $drop-t (local.get 0)) (local.get 0))
        (func (export "keep") (param i32) (result i32) (local.get 0))
        (func (export "drop-own") (call $drop-t (global.get $own)))
        (func (export "take") (param i32) (result i32) (call $drop (local.get 0)) (i32.const 1))
        (func (export "trap") unreachable))
    (core instance $m (instantiate $m (with "" (instance
        (export "new" (func $new)) (export "drop" (func $drop)) (export "drop-t" (func $drop-t))
        (export "visit" (func $visit)) (export "ask" (func $ask))))))
    (func (export "make") (param "rep" u32) (result (own $r)) (canon lift (core func $m "make")))
    (func (export "give") (param "t" (own $t)) (canon lift (core func $m "give")))
    (func (export "back") (result (own $t)) (canon lift (core func $m "back")))
    (func (export "visit") (param "what" u32) (result u32) (canon lift (core func $m "visit")))
    (func (export "pass") (param "t" (borrow $t)) (param "what" u32) (result u32)
        (canon lift (core func $m "pass")))
    (func (export "ask") (param "what" u32) (result u32) (canon lift (core func $m "ask")))
    (func (export "lend") (param "r" (borrow $r)) (param "what" u32) (result u32)
        (canon lift (core func $m "lend")))
    (func (export "look") (param "r" (borrow $r)) (result u32) (canon lift (core func $m "look")))
    (func (export "see") (param "t" (borrow $t)) (result u32) (canon lift (core func $m "see")))
    (func (export "keep") (param "t" (borrow $t)) (result u32) (canon lift (core func $m "keep")))
    (func (export "drop-own") (canon lift (core func $m "drop-own")))
    (func (export "take") (param "r" (own $r)) (result u32) (canon lift (core func $m "take")))
    (func (export "dropped") (result u32) (canon lift (core func $d "dropped")))
    (func (export "trap") (canon lift (core func $m "trap"))))"#;

/// As [`super::call`], from inside a host function.
fn enter(
    store: &mut Cx<'_>,
    instance: Instance,
    name: &str,
    params: &[Val],
) -> Result<Option<Val>> {
    let func = instance.get_func(&mut *store, name).expect("a function");
    let mut results = vec![Val::Bool(false); func.ty(&*store).results().len()];
    func.call(store, params, &mut results)?;
    Ok(results.pop())
}

fn number(value: Option<Val>) -> u32 {
    match value {
        Some(Val::U32(x)) => x,
        other => panic!("{other:?}"),
    }
}

fn resource(value: Option<Val>) -> ResourceAny {
    match value {
        Some(Val::Resource(x)) => x,
        other => panic!("{other:?}"),
    }
}

/// What the host does when it is lent a thing.
fn visit(mut store: Cx<'_>, thing: ResourceAny, what: u32) -> Result<u32> {
    assert!(!thing.owned());
    let guest = store.data().instance.expect("set before");
    let lent = [Val::Resource(thing)];
    match what {
        // Lends it back: an index of the guest's own table, as a borrow.
        0 => Ok(number(enter(&mut store, guest, "see", &lent)?)),
        1 => enter(&mut store, guest, "drop-own", &[]).map(|_| 0),
        2 => enter(&mut store, guest, "back", &[]).map(|_| 0),
        // As deep as `what` says, each with a borrow of its own.
        10.. => {
            let below = [Val::U32(if what == 10 { 0 } else { what - 1 })];
            let below = number(enter(&mut store, guest, "visit", &below)?);
            Ok(below + number(enter(&mut store, guest, "see", &lent)?))
        }
        3 => enter(&mut store, guest, "keep", &lent).map(|_| 0),
        // Goes on after the guest has trapped.
        4 => {
            let error = enter(&mut store, guest, "drop-own", &[]).unwrap_err();
            store.data_mut().swallowed.push(error);
            Ok(0)
        }
        // Keeps what was only lent.
        5 => {
            store.data_mut().borrowed = Some(thing);
            Ok(5)
        }
        // Traps in another instance, through a call that lends.
        6 => {
            let other = store.data().other.expect("set before");
            let error = enter(&mut store, other, "keep", &lent).unwrap_err();
            store.data_mut().swallowed.push(error);
            Ok(6)
        }
        _ => unreachable!("{what}"),
    }
}

/// What the host does with a resource of the guest's that it owns.
fn ask(mut store: Cx<'_>, what: u32) -> Result<u32> {
    let guest = store.data().instance.expect("set before");
    let kept = store.data().kept.map(Val::Resource);
    let kept = kept.as_slice();
    match what {
        0 => Ok(number(enter(&mut store, guest, "look", kept)?)),
        1 => {
            let taken = number(enter(&mut store, guest, "take", kept)?);
            let again = enter(&mut store, guest, "look", kept).unwrap_err();
            assert_eq!(again.kind(), ErrorKind::Type, "{again:#}");
            Ok(taken)
        }
        2 => {
            let made = enter(&mut store, guest, "make", &[Val::U32(77)])?;
            let made = resource(made);
            let seen = enter(&mut store, guest, "look", &[Val::Resource(made)])?;
            made.resource_drop(&mut store)?;
            Ok(number(seen))
        }
        // What the host has lent can't be dropped or given away before it is back.
        3 => {
            let [Val::Resource(lent)] = kept else {
                panic!("nothing kept")
            };
            let dropped = lent.resource_drop(&mut store).unwrap_err();
            let given = enter(&mut store, guest, "take", kept).unwrap_err();
            for error in [dropped, given] {
                let text = format!("{error:#}");
                assert_eq!(error.kind(), ErrorKind::Type, "{text}");
                assert!(
                    text.contains("cannot remove owned resource while borrowed"),
                    "{text}"
                );
            }
            Ok(number(enter(&mut store, guest, "look", kept)?))
        }
        _ => unreachable!("{what}"),
    }
}

fn define(root: &mut LinkerInstance<'_, State>) -> Result<()> {
    root.resource("thing", ResourceType::host::<Thing>(), |mut store, rep| {
        store.data_mut().dropped.push(rep);
        if store.data().traps {
            let guest = store.data().instance.expect("set before");
            let error = enter(&mut store, guest, "trap", &[]).unwrap_err();
            store.data_mut().swallowed.push(error);
        }
        Ok(())
    })?;
    root.func_new("visit", |store, _, params, results| {
        let [Val::Resource(thing), Val::U32(what)] = params else {
            panic!("{params:?}")
        };
        results[0] = Val::U32(visit(store, *thing, *what)?);
        Ok(())
    })?;
    root.func_wrap("ask", |store: Cx<'_>, (what,): (u32,)| {
        Ok((ask(store, what)?,))
    })
}

/// Two guests; the first one has a thing whose representation is 40, the host a resource of its with 30.
fn guests() -> (Store<State>, Instance, Instance) {
    let engine = Engine::default();
    let component = load(&engine, GUEST);
    let mut linker = Linker::<State>::new(&engine);
    define(&mut linker.root()).unwrap();
    let mut store = Store::new(&engine, State::default());
    let one = linker.instantiate(&mut store, &component).unwrap();
    let two = linker.instantiate(&mut store, &component).unwrap();
    store.data_mut().instance = Some(one);
    store.data_mut().other = Some(two);
    let thing = ResourceAny::try_from_resource(Resource::<Thing>::new_own(40), &mut store);
    let thing = [Val::Resource(thing.unwrap())];
    call(&mut store, &one, "give", &thing).unwrap();
    let made = call(&mut store, &one, "make", &[Val::U32(30)]).unwrap();
    store.data_mut().kept = Some(resource(made));
    (store, one, two)
}

fn visited(store: &mut Store<State>, instance: &Instance, what: u32) -> Result<u32> {
    call(store, instance, "visit", &[Val::U32(what)]).map(number)
}

fn asked(store: &mut Store<State>, instance: &Instance, what: u32) -> Result<u32> {
    call(store, instance, "ask", &[Val::U32(what)]).map(number)
}

#[test]
fn a_host_lends_a_guest_what_the_guest_has_lent_it() {
    let (mut store, one, two) = guests();
    let before = store.held();
    for _ in 0..3 {
        // The own handle has index 1, the borrow of it the next.
        assert_eq!(visited(&mut store, &one, 0).unwrap(), 2);
    }
    // Twelve visits deep the innermost one sees its borrow as index 2 as well: all before are on the host.
    assert_eq!(visited(&mut store, &one, 20).unwrap(), 2 * 12);
    assert_eq!(store.held(), before);
    // What was lent is back: it can be given away.
    let thing = resource(call(&mut store, &one, "back", &[]).unwrap());
    assert!(store.data().dropped.is_empty());
    thing.resource_drop(&mut store).unwrap();
    assert_eq!(store.data().dropped, [40]);
    assert_eq!(asked(&mut store, &two, 0).unwrap(), 30);
}

#[test]
fn what_a_guest_has_lent_it_can_neither_drop_nor_give_away_when_it_is_entered_again() {
    for what in [1, 2, 4] {
        let (mut store, one, two) = guests();
        let error = visited(&mut store, &one, what).unwrap_err();
        if what == 4 {
            assert_eq!(error.trap(), Some(Trap::CannotEnterComponent), "{error:#}");
            let swallowed = &store.data().swallowed[0];
            is_trap(swallowed, "cannot remove owned resource while borrowed");
        } else {
            is_trap(&error, "cannot remove owned resource while borrowed");
        }
        is_locked(&mut store, &one, "dropped", &[]);
        assert!(store.data().dropped.is_empty());
        let held = store.held();
        assert_eq!((held.scopes, held.loans), (0, 0), "{what}: {held:?}");
        assert_eq!(number(call(&mut store, &two, "dropped", &[]).unwrap()), 0);
    }
}

#[test]
fn a_borrow_kept_in_a_nested_call_is_a_trap() {
    let (mut store, one, _) = guests();
    let error = visited(&mut store, &one, 3).unwrap_err();
    is_trap(&error, "borrow handles still remain at the end of the call");
    is_locked(&mut store, &one, "dropped", &[]);
    let held = store.held();
    assert_eq!((held.scopes, held.loans), (0, 0), "{held:?}");
}

#[test]
fn a_borrow_that_a_host_function_keeps_is_worth_nothing_afterwards() {
    let (mut store, one, _) = guests();
    assert_eq!(visited(&mut store, &one, 5).unwrap(), 5);
    let kept = store.data().borrowed.unwrap();
    for name in ["see", "give"] {
        let error = call(&mut store, &one, name, &[Val::Resource(kept)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Type, "{error:#}");
    }
    let error = kept.resource_drop(&mut store).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type, "{error:#}");
    assert_eq!(visited(&mut store, &one, 0).unwrap(), 2);
}

#[test]
fn a_trap_swallowed_in_a_call_that_lends_leaves_what_is_lent_around_it_as_it_was() {
    let (mut store, one, two) = guests();
    let before = store.held();
    assert_eq!(visited(&mut store, &one, 6).unwrap(), 6);
    is_trap(&store.data().swallowed[0], "borrow handles still remain");
    is_locked(&mut store, &two, "dropped", &[]);
    // The other one's table keeps the borrow that the trap left in it; nothing else is kept.
    let after = store.held();
    assert_eq!(after.handles, before.handles + 1);
    assert_eq!(
        (after.scopes, after.loans, after.host_handles),
        (0, 0, before.host_handles)
    );
    let thing = resource(call(&mut store, &one, "back", &[]).unwrap());
    thing.resource_drop(&mut store).unwrap();
    assert_eq!(store.data().dropped, [40]);
}

#[test]
fn a_host_lends_gives_and_makes_resources_of_a_guest_that_runs() {
    let (mut store, one, two) = guests();
    let before = store.held();
    for guest in [one, two] {
        assert_eq!(asked(&mut store, &guest, 0).unwrap(), 30);
        assert_eq!(asked(&mut store, &guest, 2).unwrap(), 77);
    }
    let kept = store.data().kept.unwrap();
    let lend = [Val::Resource(kept), Val::U32(3)];
    assert_eq!(number(call(&mut store, &one, "lend", &lend).unwrap()), 30);
    assert_eq!(store.held(), before);
    assert_eq!(
        number(call(&mut store, &one, "dropped", &[]).unwrap()),
        2 * 77
    );
    assert_eq!(asked(&mut store, &one, 1).unwrap(), 1);
    assert_eq!(
        number(call(&mut store, &one, "dropped", &[]).unwrap()),
        2 * 77 + 30
    );
    assert_eq!(store.held().host_handles, before.host_handles - 1);
}

/// Takes two things.
const TWO: &str = r#"(component
    (import "thing" (type $t (sub resource)))
    (core module $m (func (export "take") (param i32 i32)))
    (core instance $m (instantiate $m))
    (func (export "take") (param "a" (own $t)) (param "b" (own $t))
        (canon lift (core func $m "take"))))"#;

#[test]
fn a_call_that_fails_after_a_resource_was_given_ends_the_instance() {
    let engine = Engine::default();
    let component = load(&engine, TWO);
    let mut linker = Linker::<State>::new(&engine);
    define(&mut linker.root()).unwrap();
    let mut store = Store::new(&engine, State::default());
    let one = linker.instantiate(&mut store, &component).unwrap();
    let two = linker.instantiate(&mut store, &component).unwrap();
    let mut thing = |rep| {
        let thing = Resource::<Thing>::new_own(rep);
        Val::Resource(ResourceAny::try_from_resource(thing, &mut store).unwrap())
    };
    let [a, b, c] = [1, 2, 3].map(&mut thing);
    // Twice the same: the second one is gone already.
    let error = call(&mut store, &one, "take", &[a.clone(), a]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type, "{error:#}");
    is_locked(&mut store, &one, "take", &[b.clone(), c.clone()]);
    assert_eq!(store.held().host_handles, 2);
    assert_eq!(call(&mut store, &two, "take", &[b, c]).unwrap(), None);
    assert_eq!(store.held().host_handles, 0);
}

#[test]
fn a_trap_that_a_hosts_destructor_swallows_ends_the_instance_that_runs() {
    let (mut store, one, two) = guests();
    store.data_mut().traps = true;
    let error = call(&mut store, &one, "drop-own", &[]).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::CannotEnterComponent), "{error:#}");
    assert_eq!(store.data().dropped, [40]);
    let swallowed = store.data().swallowed[0].trap();
    assert_eq!(swallowed, Some(Trap::UnreachableCodeReached));
    assert_eq!(number(call(&mut store, &two, "dropped", &[]).unwrap()), 0);
}

#[test]
fn a_borrow_of_a_call_that_was_dropped_in_the_middle_is_worth_nothing_afterwards() {
    let engine = Engine::default();
    let component = load(&engine, GUEST);
    let mut linker = Linker::<State>::new(&engine);
    linker.allow_shadowing(true);
    define(&mut linker.root()).unwrap();
    let mut root = linker.root();
    let defined = root.func_new_async("visit", |mut store, _, params, _| {
        store.data_mut().borrowed = Some(resource(params.first().cloned()));
        Box::new(std::future::pending())
    });
    defined.unwrap();
    let mut store = Store::new(&engine, State::default());
    let (one, _) = drive(linker.instantiate_async(&mut store, &component));
    let (two, _) = drive(linker.instantiate_async(&mut store, &component));
    let (one, two) = (one.unwrap(), two.unwrap());
    let thing = ResourceAny::try_from_resource(Resource::<Thing>::new_own(40), &mut store);
    let thing = [Val::Resource(thing.unwrap())];
    call(&mut store, &one, "give", &thing).unwrap();
    let visit = one
        .get_typed_func::<(u32,), (u32,)>(&mut store, "visit")
        .unwrap();
    {
        let mut context = Context::from_waker(Waker::noop());
        let mut visiting = pin!(visit.call_async(&mut store, (0,)));
        assert!(visiting.as_mut().poll(&mut context).is_pending());
    }
    let lent = [Val::Resource(store.data().borrowed.expect("it was lent"))];
    let error = call(&mut store, &two, "see", &lent).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type, "{error:#}");
    is_locked(&mut store, &one, "dropped", &[]);
    let held = store.held();
    assert_eq!((held.scopes, held.loans, held.host_handles), (0, 0, 0));
}

#[test]
fn a_borrow_that_is_lent_on_can_not_be_dropped_when_the_guest_is_entered_again() {
    for (what, words) in [
        (1, "cannot remove borrow while it is lent on"),
        (2, "cannot lift own resource from a borrow"),
    ] {
        let (mut store, one, two) = guests();
        let thing = ResourceAny::try_from_resource(Resource::<Thing>::new_own(50), &mut store);
        let lent = Val::Resource(thing.unwrap());
        // What it may do: lend on and drop it afterwards.
        let before = store.held();
        let pass = [lent.clone(), Val::U32(0)];
        assert_eq!(number(call(&mut store, &one, "pass", &pass).unwrap()), 3);
        assert_eq!(store.held(), before);
        let pass = [lent, Val::U32(what)];
        is_trap(&call(&mut store, &one, "pass", &pass).unwrap_err(), words);
        is_locked(&mut store, &one, "dropped", &[]);
        let held = store.held();
        assert_eq!((held.scopes, held.loans), (0, 0), "{held:?}");
        assert_eq!(number(call(&mut store, &two, "dropped", &[]).unwrap()), 0);
    }
}
