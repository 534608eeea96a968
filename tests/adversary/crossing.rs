//! Handles that aren't the guest's to use where they cross from one component into another, and destructors
//! that trap inside other destructors.

use super::{call, is_locked, is_trap, pair};
use cellule::Store;
use cellule::component::Val;

/// Two providers of resources, and a user in the middle that may do anything with their handles; `{}` is what.
/// `use` is called with a number that isn't used for anything else.
///
/// Providers' destructors add up representations, and one of them traps for 13. `take` and `look` return what
/// they get: an index or a representation.
fn user(body: &str) -> String {
    format!(
        r#"(component
        (component $provider
            (core module $d (global $dropped (mut i32) (i32.const 0))
                (func (export "dtor") (param i32)
                    (if (i32.eq (local.get 0) (i32.const 13)) (then unreachable))
                    (global.set $dropped (i32.add (global.get $dropped) (local.get 0))))
                (func (export "dropped") (result i32) (global.get $dropped)))
            (core instance $d (instantiate $d))
            (type $r' (resource (rep i32) (dtor (core func $d "dtor"))))
            (export $r "r" (type $r'))
            (core func $new (canon resource.new $r'))
            (core func $drop (canon resource.drop $r'))
            (core module $m (import "" "drop" (func $drop (param i32)))
                (func (export "look") (param i32) (result i32) (local.get 0))
                (func (export "same") (param i32) (result i32) (local.get 0))
                (func (export "drop") (param i32) (call $drop (local.get 0))))
            (core instance $m (instantiate $m (with "" (instance (export "drop" (func $drop))))))
            (func (export "make") (param "rep" u32) (result (own $r))
                (canon lift (core func $new)))
            (func (export "look") (param "r" (borrow $r)) (result u32)
                (canon lift (core func $m "look")))
            (func (export "take") (param "r" (own $r)) (result u32)
                (canon lift (core func $m "same")))
            (func (export "drop") (param "r" (own $r)) (canon lift (core func $m "drop")))
            ;; An index of its own table, whatever it is.
            (func (export "forge") (param "index" u32) (result (own $r))
                (canon lift (core func $m "same")))
            (func (export "dropped") (result u32) (canon lift (core func $d "dropped"))))
        (instance $a (instantiate $provider))
        (instance $b (instantiate $provider))
        (alias export $a "r" (type $ra))
        (component $borrower
            (import "r" (type $r (sub resource)))
            (import "take" (func $take (param "r" (own $r)) (result u32)))
            (core func $take (canon lower (func $take)))
            (core func $drop (canon resource.drop $r))
            (core module $m
                (import "" "take" (func $take (param i32) (result i32)))
                (import "" "drop" (func $drop (param i32)))
                (global $kept (mut i32) (i32.const 0))
                (func (export "keep") (param i32) (global.set $kept (local.get 0)))
                (func (export "fine") (param i32) (call $drop (local.get 0)))
                (func (export "own") (param i32) (result i32) (local.get 0))
                (func (export "give") (param i32) (drop (call $take (local.get 0)))))
            (core instance $m (instantiate $m (with "" (instance
                (export "take" (func $take)) (export "drop" (func $drop))))))
            (func (export "keep") (param "r" (borrow $r)) (canon lift (core func $m "keep")))
            (func (export "fine") (param "r" (borrow $r)) (canon lift (core func $m "fine")))
            (func (export "own") (param "r" (borrow $r)) (result (own $r))
                (canon lift (core func $m "own")))
            (func (export "give") (param "r" (borrow $r)) (canon lift (core func $m "give"))))
        (instance $w (instantiate $borrower
            (with "r" (type $ra)) (with "take" (func $a "take"))))
        (core func $make (canon lower (func $a "make")))
        (core func $look (canon lower (func $a "look")))
        (core func $take (canon lower (func $a "take")))
        (core func $forge (canon lower (func $a "forge")))
        (core func $look-b (canon lower (func $b "look")))
        (core func $take-b (canon lower (func $b "take")))
        (core func $make-b (canon lower (func $b "make")))
        (core func $keep (canon lower (func $w "keep")))
        (core func $fine (canon lower (func $w "fine")))
        (core func $own (canon lower (func $w "own")))
        (core func $give (canon lower (func $w "give")))
        (core func $drop (canon resource.drop $ra))
        (core module $m
            (import "" "make" (func $make (param i32) (result i32)))
            (import "" "look" (func $look (param i32) (result i32)))
            (import "" "take" (func $take (param i32) (result i32)))
            (import "" "forge" (func $forge (param i32) (result i32)))
            (import "" "make-b" (func $make-b (param i32) (result i32)))
            (import "" "look-b" (func $look-b (param i32) (result i32)))
            (import "" "take-b" (func $take-b (param i32) (result i32)))
            (import "" "keep" (func $keep (param i32)))
            (import "" "fine" (func $fine (param i32)))
            (import "" "own" (func $own (param i32) (result i32)))
            (import "" "give" (func $give (param i32)))
            (import "" "drop" (func $drop (param i32)))
            (func (export "use") (result i32) (local $h i32)
                (local.set $h (call $make (i32.const 9)))
                {body}))
        (core instance $m (instantiate $m (with "" (instance
            (export "make" (func $make)) (export "look" (func $look))
            (export "take" (func $take)) (export "forge" (func $forge))
            (export "make-b" (func $make-b)) (export "look-b" (func $look-b))
            (export "take-b" (func $take-b)) (export "keep" (func $keep))
            (export "fine" (func $fine)) (export "own" (func $own)) (export "give" (func $give))
            (export "drop" (func $drop))))))
        (func (export "use") (result u32) (canon lift (core func $m "use")))
        (func (export "dropped") (result u32) (canon lift (core func $dropped)))
        (core func $dropped (canon lower (func $a "dropped"))))"#
    )
    .replace(
        r#"(func (export "dropped") (result u32) (canon lift (core func $dropped)))
        (core func $dropped (canon lower (func $a "dropped"))))"#,
        r#"(core func $dropped (canon lower (func $a "dropped")))
        (func (export "dropped") (result u32) (canon lift (core func $dropped))))"#,
    )
}

fn dropped(store: &mut Store<()>, instance: &cellule::component::Instance) -> Option<Val> {
    call(store, instance, "dropped", &[]).unwrap()
}

/// What it returns, and the sum of what was dropped, in both of two instances.
fn succeeds(body: &str, result: u32, sum: u32) {
    let (mut store, one, two) = pair(&user(body));
    for instance in [one, two] {
        let used = call(&mut store, &instance, "use", &[]).unwrap();
        assert_eq!(used, Some(Val::U32(result)), "{body}");
        assert_eq!(
            dropped(&mut store, &instance),
            Some(Val::U32(sum)),
            "{body}"
        );
    }
    let held = store.held();
    assert_eq!((held.scopes, held.loans), (0, 0), "{body}");
}

fn fails(body: &str, words: &str) {
    let (mut store, one, two) = pair(&user(body));
    let error = call(&mut store, &one, "use", &[]).unwrap_err();
    is_trap(&error, words);
    is_locked(&mut store, &one, "dropped", &[]);
    assert_eq!(dropped(&mut store, &two), Some(Val::U32(0)), "{body}");
    let held = store.held();
    assert_eq!((held.scopes, held.loans), (0, 0), "{body}");
}

#[test]
fn handles_cross_from_one_component_into_another_and_back() {
    succeeds(
        "(call $look (local.get $h)) (call $drop (local.get $h))",
        9,
        9,
    );
    // The provider's table is empty: it gets index 1.
    succeeds("(call $take (local.get $h))", 1, 0);
    succeeds(
        "(call $look (call $forge (call $take (local.get $h))))",
        9,
        0,
    );
    succeeds(
        "(call $fine (local.get $h)) (call $look (local.get $h))",
        9,
        0,
    );
    // Lending leaves the index free that it took: an own handle gets it next.
    let twice = "(call $fine (local.get $h)) (call $fine (local.get $h))";
    succeeds(&format!("{twice} (call $make (i32.const 1))"), 2, 0);
}

#[test]
fn an_index_that_is_no_handle_is_unknown_wherever_it_crosses() {
    for name in ["look", "take", "keep", "fine", "own", "give"] {
        let drop = if ["look", "take", "own"].contains(&name) {
            "(drop"
        } else {
            "(block"
        };
        for index in ["0", "2", "0x10000000", "-1"] {
            let words = match index {
                "0x10000000" => "unknown handle index 268435456",
                "-1" => "unknown handle index 4294967295",
                index => &format!("unknown handle index {index}"),
            };
            let body = format!("{drop} (call ${name} (i32.const {index}))) (i32.const 0)");
            fails(&body, words);
        }
        // One that was dropped, and one that was given away.
        for gone in [
            "(call $drop (local.get $h))",
            "(drop (call $take (local.get $h)))",
        ] {
            let body = format!("{gone} {drop} (call ${name} (local.get $h))) (i32.const 0)");
            fails(&body, "unknown handle index 1");
        }
    }
    // As a result: indexes of the provider's table.
    for index in ["0", "1", "-1"] {
        let words = "unknown handle index";
        fails(&format!("(call $forge (i32.const {index}))"), words);
    }
}

#[test]
fn a_handle_of_another_components_type_is_refused_wherever_it_crosses() {
    let words = "used with the wrong type, expected guest-defined resource \
                 but found a different guest-defined resource";
    for name in ["look-b", "take-b"] {
        fails(&format!("(call ${name} (local.get $h))"), words);
    }
    for name in ["look", "take"] {
        fails(
            &format!("(call ${name} (call $make-b (i32.const 3)))"),
            words,
        );
    }
    let body = "(call $drop (call $make-b (i32.const 3))) (i32.const 0)";
    fails(body, words);
}

#[test]
fn a_borrow_kept_past_an_adapters_call_is_a_trap() {
    let words = "borrow handles still remain at the end of the call";
    fails("(call $keep (local.get $h)) (i32.const 0)", words);
}

#[test]
fn a_borrow_can_be_neither_returned_nor_given_away_as_own() {
    let words = "cannot lift own resource from a borrow";
    // A result is lifted before it is seen that the borrow remains.
    fails("(call $own (local.get $h))", words);
    fails("(call $give (local.get $h)) (i32.const 0)", words);
}
