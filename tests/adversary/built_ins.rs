//! Canonical built-ins that stand where nobody expects them, called by the host straight away: passed through
//! core modules, lifted again, of nested components; and destructors that run inside destructors.

use super::{call, is_locked, is_trap, load, pair};
use cellule::component::{Instance, Linker, ResourceAny, Val};
use cellule::{Engine, Result, Store, StoreContextMut, Trap};
use cellule_tests::guests::drive;

/// `resource.new`, `resource.rep` and `resource.drop` go through two core modules, which only export again what
/// they import, and a table.
const PASSED_ON: &str = r#"(component
    (component $c
        (core module $d (global $dropped (mut i32) (i32.const 0))
            (func (export "dtor") (param i32)
                (global.set $dropped (i32.add (global.get $dropped) (local.get 0))))
            (func (export "dropped") (result i32) (global.get $dropped)))
        (core instance $d (instantiate $d))
        (type $r (resource (rep i32) (dtor (core func $d "dtor"))))
        (core func $new (canon resource.new $r))
        (core func $rep (canon resource.rep $r))
        (core func $drop (canon resource.drop $r))
        (core module $again
            (import "" "new" (func $new (param i32) (result i32)))
            (import "" "rep" (func $rep (param i32) (result i32)))
            (import "" "drop" (func $drop (param i32)))
            (export "new" (func $new)) (export "rep" (func $rep)) (export "drop" (func $drop))
            (table (export "t") 3 3 funcref)
            (elem (i32.const 0) func $new $rep $drop))
        (core instance $one (instantiate $again (with "" (instance
            (export "new" (func $new)) (export "rep" (func $rep)) (export "drop" (func $drop))))))
        (core instance $two (instantiate $again (with "" (instance
            (export "new" (func $one "new")) (export "rep" (func $one "rep"))
            (export "drop" (func $one "drop"))))))
        (core module $m (import "" "t" (table 3 funcref))
            (type $f (func (param i32) (result i32)))
            (type $g (func (param i32)))
            (func (export "new") (param i32) (result i32)
                (return_call_indirect (type $f) (local.get 0) (i32.const 0)))
            (func (export "rep") (param i32) (result i32)
                (call_indirect (type $f) (local.get 0) (i32.const 1)))
            (func (export "drop") (param i32)
                (return_call_indirect (type $g) (local.get 0) (i32.const 2))))
        (core instance $m (instantiate $m (with "" (instance $two))))
        (func (export "new-a") (param "x" u32) (result u32) (canon lift (core func $two "new")))
        (func (export "rep-a") (param "x" u32) (result u32) (canon lift (core func $two "rep")))
        (func (export "drop-a") (param "x" u32) (canon lift (core func $two "drop")))
        (func (export "new-b") (param "x" u32) (result u32) (canon lift (core func $m "new")))
        (func (export "rep-b") (param "x" u32) (result u32) (canon lift (core func $m "rep")))
        (func (export "drop-b") (param "x" u32) (canon lift (core func $m "drop")))
        (func (export "dropped") (result u32) (canon lift (core func $d "dropped"))))
    (instance $c (instantiate $c))
    (core func $new (canon lower (func $c "new-a")))
    (core func $drop (canon lower (func $c "drop-b")))
    (core func $rep (canon lower (func $c "rep-a")))
    (func (export "new-c") (param "x" u32) (result u32) (canon lift (core func $new)))
    (func (export "rep-c") (param "x" u32) (result u32) (canon lift (core func $rep)))
    (func (export "drop-c") (param "x" u32) (canon lift (core func $drop)))
    (export "new-a" (func $c "new-a")) (export "rep-a" (func $c "rep-a"))
    (export "drop-a" (func $c "drop-a")) (export "new-b" (func $c "new-b"))
    (export "rep-b" (func $c "rep-b")) (export "drop-b" (func $c "drop-b"))
    (export "dropped" (func $c "dropped")))"#;

fn number(store: &mut Store<()>, instance: &Instance, name: &str, x: u32) -> Result<u32> {
    match call(store, instance, name, &[Val::U32(x)])? {
        Some(Val::U32(x)) => Ok(x),
        None => Ok(0),
        other => panic!("{other:?}"),
    }
}

#[test]
fn built_ins_that_core_modules_pass_on_are_the_hosts_to_call() {
    let (mut store, one, two) = pair(PASSED_ON);
    let before = store.held();
    let mut sum = 0;
    for new in ["new-a", "new-b", "new-c"] {
        for rep in ["rep-a", "rep-b", "rep-c"] {
            for drop in ["drop-a", "drop-b", "drop-c"] {
                let index = number(&mut store, &one, new, 5).unwrap();
                assert_eq!(index, 1, "{new} {rep} {drop}");
                assert_eq!(store.held().handles, before.handles + 1);
                assert_eq!(number(&mut store, &one, rep, index).unwrap(), 5);
                number(&mut store, &one, drop, index).unwrap();
                sum += 5;
                let dropped = call(&mut store, &one, "dropped", &[]).unwrap();
                assert_eq!(dropped, Some(Val::U32(sum)), "{new} {rep} {drop}");
            }
        }
    }
    assert_eq!(store.held(), before);
    for name in ["rep-a", "rep-b", "rep-c", "drop-a", "drop-b", "drop-c"] {
        for index in [0, 1, 1 << 28, u32::MAX] {
            let (mut store, one, _) = pair(PASSED_ON);
            let error = number(&mut store, &one, name, index).unwrap_err();
            is_trap(&error, &format!("unknown handle index {index}"));
            is_locked(&mut store, &one, "dropped", &[]);
        }
    }
    assert_eq!(number(&mut store, &two, "new-c", 5).unwrap(), 1);
}

/// Functions of the host, lowered and lifted again with nothing between.
const LIFTED_AGAIN: &str = r#"(component
    (import "typed" (func $typed (param "x" string) (result string)))
    (import "dynamic" (func $dynamic (param "x" string) (result string)))
    (import "later" (func $later (param "x" u32) (result u32)))
    (core module $libc (memory (export "memory") 1)
        (global $next (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (global.get $next)
            (global.set $next (i32.add (global.get $next) (i32.const 64)))))
    (core instance $libc (instantiate $libc))
    (core func $typed (canon lower (func $typed) (memory (core memory $libc "memory"))
        (realloc (core func $libc "realloc"))))
    (core func $dynamic (canon lower (func $dynamic) (memory (core memory $libc "memory"))
        (realloc (core func $libc "realloc"))))
    (core func $later (canon lower (func $later)))
    (core module $m
        (import "" "f" (func $f (param i32 i32 i32)))
        (func (export "f") (param i32 i32) (result i32)
            (call $f (local.get 0) (local.get 1) (i32.const 16)) (i32.const 16)))
    (core instance $typed (instantiate $m (with "" (instance (export "f" (func $typed))))))
    (core instance $dynamic (instantiate $m (with "" (instance (export "f" (func $dynamic))))))
    (func (export "typed") (param "x" string) (result string) (canon lift
        (core func $typed "f") (memory (core memory $libc "memory"))
        (realloc (core func $libc "realloc"))))
    (func (export "dynamic") (param "x" string) (result string) (canon lift
        (core func $dynamic "f") (memory (core memory $libc "memory"))
        (realloc (core func $libc "realloc"))))
    (func (export "later") (param "x" u32) (result u32) (canon lift (core func $later))))"#;

#[test]
fn a_hosts_functions_lifted_again_are_called_by_the_host_itself() {
    let engine = Engine::default();
    let mut linker = Linker::<()>::new(&engine);
    let mut root = linker.root();
    let typed = |_: StoreContextMut<'_, ()>, (x,): (String,)| Ok((x + "!",));
    root.func_wrap("typed", typed).unwrap();
    let dynamic = |_: StoreContextMut<'_, ()>, _, params: &[Val], results: &mut [Val]| {
        results[0] = params[0].clone();
        Ok(())
    };
    root.func_new("dynamic", dynamic).unwrap();
    let defined = root.func_wrap_async("later", |_, (x,): (u32,)| {
        Box::new(async move { Ok((x + 1,)) })
    });
    defined.unwrap();
    let mut store = Store::new(&engine, ());
    let (instance, _) = drive(linker.instantiate_async(&mut store, &load(&engine, LIFTED_AGAIN)));
    let instance = instance.unwrap();
    let text = |text: &str| Val::String(text.to_string());
    for _ in 0..3 {
        let said = call(&mut store, &instance, "typed", &[text("aé")]).unwrap();
        assert_eq!(said, Some(text("aé!")));
        let said = call(&mut store, &instance, "dynamic", &[text("aé")]).unwrap();
        assert_eq!(said, Some(text("aé")));
        let later = instance.get_typed_func::<(u32,), (u32,)>(&mut store, "later");
        let (result, _) = drive(later.unwrap().call_async(&mut store, (5,)));
        assert_eq!(result.unwrap(), (6,));
    }
}

/// Three components with a resource type each. The destructor of the first drops a handle of the second's, whose
/// destructor drops one of the third's. That one traps for 13.
const NESTED_DROPS: &str = r#"(component
    (component $last
        (core module $d (global $dropped (mut i32) (i32.const 0))
            (func (export "dtor") (param i32)
                (if (i32.eq (local.get 0) (i32.const 13)) (then unreachable))
                (global.set $dropped (i32.add (global.get $dropped) (local.get 0))))
            (func (export "dropped") (result i32) (global.get $dropped)))
        (core instance $d (instantiate $d))
        (type $r' (resource (rep i32) (dtor (core func $d "dtor"))))
        (export $r "r" (type $r'))
        (core func $new (canon resource.new $r'))
        (func (export "make") (param "rep" u32) (result (own $r)) (canon lift (core func $new)))
        (func (export "dropped") (result u32) (canon lift (core func $d "dropped"))))
    (component $outer
        (import "inner" (instance $inner (export "r" (type $i (sub resource)))
            (export "make" (func (param "rep" u32) (result (own $i))))))
        (alias export $inner "r" (type $i))
        (core func $make-inner (canon lower (func $inner "make")))
        (core func $drop-inner (canon resource.drop $i))
        ;; The representation is a handle of the inner one's.
        (core module $d (import "" "drop" (func $drop (param i32)))
            (func (export "dtor") (param i32) (call $drop (local.get 0))))
        (core instance $d (instantiate $d (with "" (instance
            (export "drop" (func $drop-inner))))))
        (type $r' (resource (rep i32) (dtor (core func $d "dtor"))))
        (export $r "r" (type $r'))
        (core func $new (canon resource.new $r'))
        (core func $drop (canon resource.drop $r'))
        (core module $m
            (import "" "new" (func $new (param i32) (result i32)))
            (import "" "drop" (func $drop (param i32)))
            (import "" "make" (func $make (param i32) (result i32)))
            (func (export "make") (param i32) (result i32) (call $new (call $make (local.get 0))))
            (func (export "drop") (param i32) (call $drop (local.get 0))))
        (core instance $m (instantiate $m (with "" (instance (export "new" (func $new))
            (export "make" (func $make-inner)) (export "drop" (func $drop))))))
        (func (export "make") (param "rep" u32) (result (own $r))
            (canon lift (core func $m "make")))
        (func (export "drop") (param "r" (own $r)) (canon lift (core func $m "drop"))))
    (instance $c (instantiate $last))
    (instance $b (instantiate $outer (with "inner" (instance $c))))
    (instance $a (instantiate $outer (with "inner" (instance $b))))
    (alias export $a "r" (type $ra'))
    (export $ra "r" (type $ra'))
    (export "make" (func $a "make") (func (param "rep" u32) (result (own $ra))))
    (export "drop" (func $a "drop") (func (param "r" (own $ra))))
    (export "dropped" (func $c "dropped")))"#;

fn made(store: &mut Store<()>, instance: &Instance, rep: u32) -> ResourceAny {
    match call(store, instance, "make", &[Val::U32(rep)]).unwrap() {
        Some(Val::Resource(resource)) => resource,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_destructor_that_traps_inside_other_destructors_ends_its_instance() {
    for by_guest in [false, true] {
        let (mut store, one, two) = pair(NESTED_DROPS);
        let end = |store: &mut Store<()>, instance: &Instance, handle: ResourceAny| {
            if by_guest {
                call(store, instance, "drop", &[Val::Resource(handle)]).map(drop)
            } else {
                handle.resource_drop(store)
            }
        };
        let before = store.held();
        for rep in [3, 4] {
            let handle = made(&mut store, &one, rep);
            assert_eq!(store.held().handles, before.handles + 2);
            assert_eq!(store.held().host_handles, before.host_handles + 1);
            end(&mut store, &one, handle).unwrap();
            assert_eq!(store.held(), before);
        }
        let dropped = call(&mut store, &one, "dropped", &[]).unwrap();
        assert_eq!(dropped, Some(Val::U32(7)));
        let other = made(&mut store, &one, 5);
        let handle = made(&mut store, &one, 13);
        let error = end(&mut store, &one, handle).unwrap_err();
        assert_eq!(
            error.trap(),
            Some(Trap::UnreachableCodeReached),
            "{error:#}"
        );
        assert!(error.frames().len() >= 3, "{error:#}");
        is_locked(&mut store, &one, "dropped", &[]);
        // What the host still holds of it can't be dropped any more, and isn't held either.
        let error = other.resource_drop(&mut store).unwrap_err();
        assert_eq!(error.trap(), Some(Trap::CannotEnterComponent), "{error:#}");
        assert_eq!(store.held().host_handles, before.host_handles);
        let handle = made(&mut store, &two, 6);
        end(&mut store, &two, handle).unwrap();
        let dropped = call(&mut store, &two, "dropped", &[]).unwrap();
        assert_eq!(dropped, Some(Val::U32(6)));
    }
}
