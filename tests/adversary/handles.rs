//! Handles that aren't the guest's to use, and what runs around a call: destructors, `post-return`,
//! `realloc`, and the canonical built-ins called by the host itself.

use super::{call, is_locked, is_trap, pair};
use cellule::component::{Component, Instance, Linker, Resource, ResourceAny, ResourceType, Val};
use cellule::{Engine, ErrorKind, Result, Store, StoreContextMut, Trap};

/// A component with the built-ins of its two resource types as functions for the host, which speaks of
/// indexes, and with ways to hold them that aren't allowed.
const BUILT_INS: &str = r#"(component
    (core module $d (global $dropped (mut i32) (i32.const 0))
        (func (export "dtor") (param i32)
            (if (i32.eq (local.get 0) (i32.const 13)) (then unreachable))
            (global.set $dropped (i32.add (global.get $dropped) (local.get 0))))
        (func (export "dropped") (result i32) (global.get $dropped)))
    (core instance $d (instantiate $d))
    (type $r (resource (rep i32) (dtor (core func $d "dtor"))))
    (type $s (resource (rep i32)))
    (export $re "r" (type $r))
    (core func $new (canon resource.new $r))
    (core func $rep (canon resource.rep $r))
    (core func $drop (canon resource.drop $r))
    (core func $new-s (canon resource.new $s))
    (func (export "new") (param "rep" u32) (result u32) (canon lift (core func $new)))
    (func (export "rep") (param "index" u32) (result u32) (canon lift (core func $rep)))
    (func (export "drop") (param "index" u32) (canon lift (core func $drop)))
    (func (export "new-s") (param "rep" u32) (result u32) (canon lift (core func $new-s)))
    (func (export "dropped") (result u32) (canon lift (core func $d "dropped")))
    (core module $m (func (export "same") (param i32) (result i32) (local.get 0))
        (func (export "rep-of") (param i32) (result i32) (local.get 0)))
    (core instance $m (instantiate $m))
    (func (export "give") (param "index" u32) (result (own $re))
        (canon lift (core func $m "same")))
    (func (export "take") (param "own" (own $re)) (result u32) (canon lift (core func $m "same")))
    (func (export "look") (param "borrow" (borrow $re)) (result u32)
        (canon lift (core func $m "rep-of"))))"#;

fn number(store: &mut Store<()>, instance: &Instance, name: &str, x: u32) -> Result<u32> {
    match call(store, instance, name, &[Val::U32(x)])? {
        Some(Val::U32(x)) => Ok(x),
        None => Ok(0),
        other => panic!("{other:?}"),
    }
}

fn dropped(store: &mut Store<()>, instance: &Instance) -> u32 {
    match call(store, instance, "dropped", &[]).unwrap() {
        Some(Val::U32(x)) => x,
        other => panic!("{other:?}"),
    }
}

#[test]
fn built_ins_that_the_host_calls_itself_do_what_they_do_for_guests() {
    let (mut store, one, two) = pair(BUILT_INS);
    for rep in [5, 0, u32::MAX, 5] {
        let index = number(&mut store, &one, "new", rep).unwrap();
        assert_ne!(index, 0);
        assert_eq!(number(&mut store, &one, "rep", index).unwrap(), rep);
        // A freed index is the next one to be given: none is leaked.
        assert_eq!(index, 1);
        number(&mut store, &one, "drop", index).unwrap();
    }
    assert_eq!(dropped(&mut store, &one), 9);
    assert_eq!(dropped(&mut store, &two), 0);
}

#[test]
fn a_handle_that_is_none_is_a_trap_in_each_built_in() {
    // The index 1 is one of another type, made before; none of these is of the type `r`.
    for index in [0, 1, 2, 1 << 28, 1 << 30, u32::MAX] {
        for name in ["rep", "drop", "give"] {
            let (mut store, one, two) = pair(BUILT_INS);
            assert_eq!(number(&mut store, &one, "new-s", 4).unwrap(), 1);
            let error = call(&mut store, &one, name, &[Val::U32(index)]).unwrap_err();
            let words = match index {
                1 => "handle index 1 used with the wrong type".to_string(),
                index => format!("unknown handle index {index}"),
            };
            is_trap(&error, &words);
            is_locked(&mut store, &one, "dropped", &[]);
            assert_eq!(number(&mut store, &two, "new", 6).unwrap(), 1);
            assert_eq!(number(&mut store, &two, "rep", 1).unwrap(), 6);
        }
    }
}

#[test]
fn a_handle_of_another_instances_table_is_unknown() {
    let (mut store, one, two) = pair(BUILT_INS);
    for rep in [3, 4] {
        number(&mut store, &one, "new", rep).unwrap();
    }
    number(&mut store, &two, "new", 5).unwrap();
    let error = number(&mut store, &two, "rep", 2).unwrap_err();
    is_trap(&error, "unknown handle index 2");
    assert_eq!(number(&mut store, &one, "rep", 2).unwrap(), 4);
}

#[test]
fn a_handle_dropped_twice_or_used_afterwards_is_unknown() {
    for name in ["drop", "rep", "give"] {
        let (mut store, one, two) = pair(BUILT_INS);
        let index = number(&mut store, &one, "new", 5).unwrap();
        number(&mut store, &one, "drop", index).unwrap();
        assert_eq!(dropped(&mut store, &one), 5);
        let error = call(&mut store, &one, name, &[Val::U32(index)]).unwrap_err();
        is_trap(&error, "unknown handle index 1");
        is_locked(&mut store, &one, "dropped", &[]);
        assert_eq!(dropped(&mut store, &two), 0);
    }
}

fn given(store: &mut Store<()>, instance: &Instance, rep: u32) -> ResourceAny {
    let index = number(store, instance, "new", rep).unwrap();
    match call(store, instance, "give", &[Val::U32(index)]).unwrap() {
        Some(Val::Resource(resource)) => resource,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_the_host_gave_away_or_dropped_is_refused_without_harm() {
    let (mut store, one, _) = pair(BUILT_INS);
    let first = given(&mut store, &one, 5);
    first.resource_drop(&mut store).unwrap();
    assert_eq!(dropped(&mut store, &one), 5);
    // Stands where the first one stood.
    let second = given(&mut store, &one, 6);
    let error = first.resource_drop(&mut store).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type, "{error:#}");
    for name in ["take", "look"] {
        let error = call(&mut store, &one, name, &[Val::Resource(first)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Type, "{error:#}");
    }
    let index = call(&mut store, &one, "take", &[Val::Resource(second)]).unwrap();
    assert_eq!(index, Some(Val::U32(1)));
    let error = call(&mut store, &one, "take", &[Val::Resource(second)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type, "{error:#}");
    // Only dropped once, by who holds it.
    number(&mut store, &one, "drop", 1).unwrap();
    assert_eq!(dropped(&mut store, &one), 11);
}

#[test]
fn a_destructor_that_traps_ends_its_instance_whoever_drops() {
    for by_host in [false, true] {
        let (mut store, one, two) = pair(BUILT_INS);
        let error = if by_host {
            let handle = given(&mut store, &one, 13);
            let error = handle.resource_drop(&mut store).unwrap_err();
            let again = handle.resource_drop(&mut store).unwrap_err();
            assert_eq!(again.kind(), ErrorKind::Type);
            error
        } else {
            let index = number(&mut store, &one, "new", 13).unwrap();
            number(&mut store, &one, "drop", index).unwrap_err()
        };
        assert_eq!(error.trap(), Some(Trap::UnreachableCodeReached));
        is_locked(&mut store, &one, "dropped", &[]);
        let fine = given(&mut store, &two, 8);
        fine.resource_drop(&mut store).unwrap();
        assert_eq!(dropped(&mut store, &two), 8);
    }
}

struct Thing;

/// A guest that is lent a handle of the host's resource, and does with it what `{}` says.
fn borrower(body: &str) -> String {
    format!(
        r#"(component
        (import "thing" (type $t (sub resource)))
        (import "look" (func $look (param "t" (borrow $t)) (result u32)))
        (core func $drop (canon resource.drop $t))
        (core func $look (canon lower (func $look)))
        (core module $m
            (import "" "drop" (func $drop (param i32)))
            (import "" "look" (func $look (param i32) (result i32)))
            (global $kept (mut i32) (i32.const 0))
            (func (export "run") (param i32) (result i32) {body}))
        (core instance $m (instantiate $m (with "" (instance
            (export "drop" (func $drop)) (export "look" (func $look))))))
        (func (export "run") (param "t" (borrow $t)) (result u32) (canon lift (core func $m "run")))
        (func (export "keep") (param "t" (borrow $t)) (result (own $t))
            (canon lift (core func $m "run"))))"#
    )
}

type Cx<'a> = StoreContextMut<'a, Vec<u32>>;

fn lent(text: &str) -> (Store<Vec<u32>>, Instance, Instance) {
    let engine = Engine::default();
    let wasm = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let component = Component::new(&engine, wasm).unwrap_or_else(|error| panic!("{error:#}"));
    let mut linker = Linker::<Vec<u32>>::new(&engine);
    let mut root = linker.root();
    let drop = |mut store: Cx<'_>, rep| {
        store.data_mut().push(rep);
        Ok(())
    };
    root.resource("thing", ResourceType::host::<Thing>(), drop)
        .unwrap();
    let look = |_: Cx<'_>, (thing,): (Resource<Thing>,)| Ok((thing.rep(),));
    root.func_wrap("look", look).unwrap();
    let mut store = Store::new(&engine, Vec::new());
    let one = linker.instantiate(&mut store, &component).unwrap();
    let two = linker.instantiate(&mut store, &component).unwrap();
    (store, one, two)
}

fn lend(store: &mut Store<Vec<u32>>, instance: &Instance, rep: u32) -> Result<u32> {
    let run = instance.get_typed_func::<(Resource<Thing>,), (u32,)>(&mut *store, "run")?;
    Ok(run.call(store, (Resource::new_borrow(rep),))?.0)
}

fn lending_fails(body: &str, words: &str) {
    let (mut store, one, two) = lent(&borrower(body));
    let error = lend(&mut store, &one, 13).unwrap_err();
    is_trap(&error, words);
    assert_eq!(
        lend(&mut store, &one, 1).unwrap_err().trap(),
        Some(Trap::CannotEnterComponent)
    );
    // The host's resource is only lent: nothing that the guest does to it drops it.
    assert!(store.data().is_empty());
    // And the other instance is there to fail in the same way, its table as it was.
    is_trap(&lend(&mut store, &two, 13).unwrap_err(), words);
}

#[test]
fn a_borrow_that_is_dropped_in_its_call_is_fine() {
    let body = "(call $look (local.get 0)) (call $drop (local.get 0))";
    let (mut store, one, two) = lent(&borrower(body));
    for rep in 0..50 {
        assert_eq!(lend(&mut store, &one, rep).unwrap(), rep);
        assert_eq!(lend(&mut store, &two, rep + 1).unwrap(), rep + 1);
    }
    assert!(store.data().is_empty());
}

#[test]
fn a_borrow_kept_past_its_call_is_a_trap() {
    let words = "borrow handles still remain at the end of the call";
    lending_fails("(local.get 0)", words);
    lending_fails("(call $look (local.get 0))", words);
}

#[test]
fn a_borrow_dropped_twice_or_used_afterwards_is_a_trap() {
    let drop = "(call $drop (local.get 0))";
    lending_fails(
        &format!("{drop} {drop} (i32.const 0)"),
        "unknown handle index 1",
    );
    let look = "(call $look (local.get 0))";
    lending_fails(&format!("{drop} {look}"), "unknown handle index 1");
}

#[test]
fn a_borrow_returned_as_own_is_a_trap() {
    let (mut store, one, two) = lent(&borrower("(local.get 0)"));
    let keep = one.get_typed_func::<(Resource<Thing>,), (Resource<Thing>,)>(&mut store, "keep");
    let keep = keep.unwrap();
    let error = keep
        .call(&mut store, (Resource::new_borrow(5),))
        .map(drop)
        .unwrap_err();
    // It breaks two rules, to keep it and to give it away: results are lifted before the call may end.
    is_trap(&error, "cannot lift own resource from a borrow");
    assert!(store.data().is_empty());
    let keep = two.get_typed_func::<(Resource<Thing>,), (Resource<Thing>,)>(&mut store, "keep");
    assert!(keep.is_ok());
}

/// A guest with that much more code in its `realloc` and `post-return`. `run` returns the length of the string
/// plus the index of a handle that it makes and keeps.
fn leaves(realloc: &str, post: &str) -> String {
    format!(
        r#"(component
        (component $host (core module $m (func (export "f")))
            (core instance $m (instantiate $m))
            (func (export "f") (canon lift (core func $m "f"))))
        (instance $host (instantiate $host))
        (type $r (resource (rep i32)))
        (core func $f (canon lower (func $host "f")))
        (core func $new (canon resource.new $r))
        (core func $rep (canon resource.rep $r))
        (core func $drop (canon resource.drop $r))
        (core module $m
            (import "" "f" (func $f))
            (import "" "new" (func $new (param i32) (result i32)))
            (import "" "rep" (func $rep (param i32) (result i32)))
            (import "" "drop" (func $drop (param i32)))
            (memory (export "memory") 1)
            (global $handle (mut i32) (i32.const 0))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                {realloc} (i32.const 1024))
            (func (export "run") (param i32 i32) (result i32)
                (global.set $handle (call $new (i32.const 9)))
                (i32.add (local.get 1) (global.get $handle)))
            (func (export "post") (param i32) {post}))
        (core instance $m (instantiate $m (with "" (instance (export "f" (func $f))
            (export "new" (func $new)) (export "rep" (func $rep)) (export "drop" (func $drop))))))
        (func (export "run") (param "x" string) (result u32) (canon lift (core func $m "run")
            (memory (core memory $m "memory")) (realloc (core func $m "realloc"))
            (post-return (core func $m "post")))))"#
    )
}

fn run_text(store: &mut Store<()>, instance: &Instance) -> Result<Option<Val>> {
    call(store, instance, "run", &[Val::String("abc".to_string())])
}

#[test]
fn neither_realloc_nor_post_return_may_leave() {
    let calls = [
        "(call $f)",
        "(drop (call $new (i32.const 1)))",
        "(call $drop (global.get $handle))",
    ];
    for call in calls {
        for (realloc, post) in [(call, ""), ("", call)] {
            let (mut store, one, two) = pair(&leaves(realloc, post));
            for instance in [one, two] {
                let error = run_text(&mut store, &instance).unwrap_err();
                assert_eq!(error.trap(), Some(Trap::CannotLeaveComponent), "{error:#}");
                is_locked(&mut store, &instance, "run", &[Val::String(String::new())]);
            }
        }
    }
}

#[test]
fn post_return_may_ask_for_a_representation() {
    let post = "(if (i32.ne (call $rep (global.get $handle)) (i32.const 9)) (then unreachable))";
    let (mut store, one, two) = pair(&leaves("", post));
    for n in 1..5 {
        // Each run keeps a handle more.
        assert_eq!(run_text(&mut store, &one).unwrap(), Some(Val::U32(3 + n)));
        assert_eq!(run_text(&mut store, &two).unwrap(), Some(Val::U32(3 + n)));
    }
}

#[test]
fn a_trap_in_post_return_ends_its_instance() {
    let text = leaves(
        "",
        "(if (i32.eq (local.get 0) (i32.const 5)) (then unreachable))",
    );
    let (mut store, one, two) = pair(&text);
    assert_eq!(run_text(&mut store, &one).unwrap(), Some(Val::U32(4)));
    let error = run_text(&mut store, &one).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::UnreachableCodeReached));
    is_locked(&mut store, &one, "run", &[Val::String(String::new())]);
    assert_eq!(run_text(&mut store, &two).unwrap(), Some(Val::U32(4)));
}
