//! A guest calls another one, which calls the first one again with the handles that it was given.

use super::{call, is_locked, is_trap, pair};
use cellule::component::Val;

/// The first one defines a resource and calls the other one with a handle: to lend (`lend`) or to give (`give`).
/// The other one passes it on. When the first one is entered again it does what `back` says, of which the first
/// parameter is what it got: a representation where it is lent, since the resource is its own, else an index.
fn cycle(lend: &str, give: &str, borrowed: &str, owned: &str) -> String {
    format!(
        r#"(component
        (core module $d (global $dropped (mut i32) (i32.const 0))
            (func (export "dtor") (param i32)
                (global.set $dropped (i32.add (global.get $dropped) (local.get 0))))
            (func (export "dropped") (result i32) (global.get $dropped)))
        (core instance $d (instantiate $d))
        (type $r' (resource (rep i32) (dtor (core func $d "dtor"))))
        (export $r "r" (type $r'))
        (core func $new (canon resource.new $r'))
        (core func $rep (canon resource.rep $r'))
        (core func $drop (canon resource.drop $r'))
        (core module $table (table (export "t") 2 2 funcref)
            (type $f (func (param i32) (result i32)))
            (func (export "borrowed") (type $f) (call_indirect (type $f) (local.get 0) (i32.const 0)))
            (func (export "owned") (type $f) (call_indirect (type $f) (local.get 0) (i32.const 1))))
        (core instance $table (instantiate $table))
        (func $borrowed (param "r" (borrow $r)) (result u32)
            (canon lift (core func $table "borrowed")))
        (func $owned (param "r" (own $r)) (result u32) (canon lift (core func $table "owned")))
        (component $other
            (import "r" (type $r (sub resource)))
            (import "borrowed" (func $borrowed (param "r" (borrow $r)) (result u32)))
            (import "owned" (func $owned (param "r" (own $r)) (result u32)))
            (core func $borrowed (canon lower (func $borrowed)))
            (core func $owned (canon lower (func $owned)))
            (core func $drop (canon resource.drop $r))
            (core module $m
                (import "" "borrowed" (func $borrowed (param i32) (result i32)))
                (import "" "owned" (func $owned (param i32) (result i32)))
                (import "" "drop" (func $drop (param i32)))
                (func (export "lend") (param i32) (result i32) {lend})
                (func (export "give") (param i32) (result i32) {give}))
            (core instance $m (instantiate $m (with "" (instance
                (export "borrowed" (func $borrowed)) (export "owned" (func $owned))
                (export "drop" (func $drop))))))
            (func (export "lend") (param "r" (borrow $r)) (result u32)
                (canon lift (core func $m "lend")))
            (func (export "give") (param "r" (own $r)) (result u32)
                (canon lift (core func $m "give"))))
        (instance $other (instantiate $other (with "r" (type $r))
            (with "borrowed" (func $borrowed)) (with "owned" (func $owned))))
        (core func $lend (canon lower (func $other "lend")))
        (core func $give (canon lower (func $other "give")))
        (core module $m
            (import "" "new" (func $new (param i32) (result i32)))
            (import "" "rep" (func $rep (param i32) (result i32)))
            (import "" "drop" (func $drop (param i32)))
            (import "" "lend" (func $lend (param i32) (result i32)))
            (import "" "give" (func $give (param i32) (result i32)))
            (import "" "t" (table 2 funcref))
            (global $handle (mut i32) (i32.const 0))
            (func $borrowed (param i32) (result i32) {borrowed})
            (func $owned (param i32) (result i32) {owned})
            (elem (i32.const 0) func $borrowed $owned)
            (func (export "lend") (param i32) (result i32)
                (global.set $handle (call $new (local.get 0)))
                (call $lend (global.get $handle))
                (call $drop (global.get $handle)))
            (func (export "give") (param i32) (result i32)
                (global.set $handle (call $new (local.get 0)))
                (call $give (global.get $handle))))
        (core instance $m (instantiate $m (with "" (instance
            (export "new" (func $new)) (export "rep" (func $rep)) (export "drop" (func $drop))
            (export "lend" (func $lend)) (export "give" (func $give))
            (export "t" (table $table "t"))))))
        (func (export "lend") (param "rep" u32) (result u32) (canon lift (core func $m "lend")))
        (func (export "give") (param "rep" u32) (result u32) (canon lift (core func $m "give")))
        (func (export "dropped") (result u32) (canon lift (core func $d "dropped"))))"#
    )
}

/// The other one lends on, and drops what it was lent.
const LEND: &str = "(call $borrowed (local.get 0)) (call $drop (local.get 0))";
const GIVE: &str = "(call $owned (local.get 0))";
const SEE: &str = "(local.get 0)";

fn succeeds(text: &str, name: &str, result: u32, sum: u32) {
    let (mut store, one, two) = pair(text);
    let before = store.held();
    for instance in [one, two] {
        for round in 1..4 {
            let got = call(&mut store, &instance, name, &[Val::U32(9)]).unwrap();
            assert_eq!(got, Some(Val::U32(result)));
            let dropped = call(&mut store, &instance, "dropped", &[]).unwrap();
            assert_eq!(dropped, Some(Val::U32(sum * round)));
        }
    }
    assert_eq!(store.held(), before);
}

fn fails(text: &str, name: &str, words: &str) {
    let (mut store, one, two) = pair(text);
    is_trap(
        &call(&mut store, &one, name, &[Val::U32(9)]).unwrap_err(),
        words,
    );
    is_locked(&mut store, &one, "dropped", &[]);
    let held = store.held();
    assert_eq!((held.scopes, held.loans), (0, 0), "{words}");
    let dropped = call(&mut store, &two, "dropped", &[]).unwrap();
    assert_eq!(dropped, Some(Val::U32(0)));
}

#[test]
fn handles_come_back_to_the_guest_that_passed_them_while_it_runs() {
    succeeds(&cycle(LEND, GIVE, SEE, SEE), "lend", 9, 9);
    // Given away and given back: it is the first free index again.
    let owned = "(call $rep (local.get 0)) (call $drop (local.get 0))";
    succeeds(&cycle(LEND, GIVE, SEE, owned), "give", 9, 9);
    let owned = "(local.get 0) (call $drop (local.get 0))";
    succeeds(&cycle(LEND, GIVE, SEE, owned), "give", 1, 9);
    // The representation of its own handle stays to be had while that is lent.
    let borrowed = "(call $rep (global.get $handle))";
    succeeds(&cycle(LEND, GIVE, borrowed, SEE), "lend", 9, 9);
    // It makes and drops others.
    let borrowed = "(call $drop (call $new (i32.const 1))) (local.get 0)";
    succeeds(&cycle(LEND, GIVE, borrowed, SEE), "lend", 9, 10);
}

#[test]
fn what_is_lent_stays_lent_when_its_owner_is_entered_again() {
    let words = "cannot remove owned resource while borrowed";
    let borrowed = "(call $drop (global.get $handle)) (i32.const 0)";
    fails(&cycle(LEND, GIVE, borrowed, SEE), "lend", words);
    let borrowed = "(call $give (global.get $handle))";
    fails(&cycle(LEND, GIVE, borrowed, SEE), "lend", words);
}

#[test]
fn what_was_given_away_is_unknown_when_its_owner_is_entered_again() {
    // The index is the new handle's: what is behind it was given away before.
    let owned = "(call $drop (local.get 0)) (call $rep (global.get $handle))";
    fails(
        &cycle(LEND, GIVE, SEE, owned),
        "give",
        "unknown handle index 1",
    );
    let give = "(drop (call $owned (local.get 0))) (call $owned (local.get 0))";
    let owned = "(call $drop (local.get 0)) (i32.const 0)";
    fails(
        &cycle(LEND, give, SEE, owned),
        "give",
        "unknown handle index 1",
    );
}

#[test]
fn the_other_guest_may_keep_and_give_away_as_little_as_without_the_cycle() {
    let words = "borrow handles still remain at the end of the call";
    let kept = "(call $borrowed (local.get 0))";
    fails(&cycle(kept, GIVE, SEE, SEE), "lend", words);
    let given = "(call $owned (local.get 0))";
    let words = "cannot lift own resource from a borrow";
    fails(&cycle(given, GIVE, SEE, SEE), "lend", words);
    let dropped = "(call $drop (local.get 0)) (call $borrowed (local.get 0))";
    fails(
        &cycle(dropped, GIVE, SEE, SEE),
        "lend",
        "unknown handle index 1",
    );
}
