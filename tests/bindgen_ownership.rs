//! The option `ownership` of `bindgen!`: types that are passed to guests borrow what is in them.

use cellule::component::{Component, Linker, bindgen};
use cellule::{Engine, Store};
use cellule_tests::guests::own_guest;

const GUESTS: [&str; 2] = ["rust-depot.wasm", "c-depot.wasm"];

/// A guest whose imports trap: what is called here needs none of them.
fn load(name: &str) -> (Store<()>, Component, Linker<()>) {
    let engine = Engine::default();
    let component = Component::new(&engine, own_guest(name)).unwrap();
    let mut linker = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&component).unwrap();
    (Store::new(&engine, ()), component, linker)
}

/// A parcel goes to guests and comes from them, so it is there twice; a query only goes.
mod twice {
    use super::*;

    mod bindings {
        ::cellule::component::bindgen!({
            path: "guests/wit/depot.wit",
            world: "guest",
            ownership: Borrowing { duplicate_if_necessary: true },
            additional_derives: [PartialEq],
        });
    }
    use bindings::cellule::depot::types::{Handling, Place, Size};
    use bindings::exports::cellule::depot::depot::{Failure, ParcelParam, ParcelResult, Query};

    #[test]
    fn what_is_passed_borrows_and_what_is_returned_owns() {
        for name in GUESTS {
            let (mut store, component, linker) = load(name);
            let guest = bindings::Guest::instantiate(&mut store, &component, &linker).unwrap();
            let depot = guest.cellule_depot_depot();
            let stores = depot.store();
            let all = stores.call_constructor(&mut store, 5).unwrap();
            let note = String::from("this side up");
            let notes = [&*note, "frail"];
            let parcel = ParcelParam {
                id: 7,
                weight: 2.5,
                size: Size::Medium,
                handling: Handling::COLD,
                place: Some(Place {
                    row: 1,
                    shelf: 2,
                    zone: 'z',
                }),
                notes: &notes,
            };
            // It is copied: there are only references in it.
            let again = stores.call_put(&mut store, all, parcel).unwrap();
            assert_eq!(again, Ok(()), "{name}");
            let again = stores.call_put(&mut store, all, parcel).unwrap();
            assert!(matches!(again, Err(Failure::Refused(_))), "{name}");
            let groups: [&[u64]; 2] = [&[1, 2], &[7]];
            let found = stores.call_find(&mut store, all, Query::AnyOf(&groups));
            let found: Vec<ParcelResult> = found.unwrap();
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].notes, ["this side up", "frail"]);
            let rows: [&[f64]; 2] = [&[1.0, 2.0], &[3.0, 4.0]];
            let turned = depot.call_transpose(&mut store, &rows).unwrap();
            assert_eq!(turned, [[1.0, 3.0], [2.0, 4.0]]);
        }
    }
}

/// Without duplicates a parcel owns what is in it, and is passed by reference.
mod once {
    use super::*;

    mod bindings {
        ::cellule::component::bindgen!({
            path: "guests/wit/depot.wit",
            world: "guest",
            ownership: Borrowing { duplicate_if_necessary: false },
            additional_derives: [PartialEq],
        });
    }
    use bindings::cellule::depot::types::{Handling, Size};
    use bindings::exports::cellule::depot::depot::{Parcel, Query};

    #[test]
    fn what_is_passed_and_returned_owns() {
        for name in GUESTS {
            let (mut store, component, linker) = load(name);
            let guest = bindings::Guest::instantiate(&mut store, &component, &linker).unwrap();
            let stores = guest.cellule_depot_depot().store();
            let all = stores.call_constructor(&mut store, 5).unwrap();
            let parcel = Parcel {
                id: 7,
                weight: 2.5,
                size: Size::Small,
                handling: Handling::empty(),
                place: None,
                notes: vec!["frail".into()],
            };
            let put = stores.call_put(&mut store, all, &parcel).unwrap();
            assert_eq!(put, Ok(()));
            let groups: [&[u64]; 1] = [&[7]];
            let found = stores.call_find(&mut store, all, Query::AnyOf(&groups));
            let found: Vec<Parcel> = found.unwrap();
            assert_eq!(found[0].notes, parcel.notes);
        }
    }
}

/// Aliases, options, maps and variants that borrow, in an interface and in a world.
mod shapes {
    use super::*;

    bindgen!({
        inline: r#"
            package a:shapes;
            interface words {
                type word = string;
                record entry { word: word, also: option<list<word>> }
                variant step { rest, go(entry), many(list<entry>) }
                count: func(steps: list<step>, last: word) -> u32;
                unused: func() -> result<_, word>;
            }
            world shapes {
                export words;
                export total: func(counts: map<string, list<u32>>, pair: tuple<string, list<string>>) -> u32;
            }
        "#,
        ownership: Borrowing { duplicate_if_necessary: true },
    });
    use self::exports::a::shapes::words::{Entry, Step};
    use std::collections::BTreeMap;

    /// `count` returns the length of the list, `total` the number of entries and of strings.
    const GUEST: &str = r#"(component
        (core module $m
            (memory (export "memory") 1)
            (global $next (mut i32) (i32.const 1024))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                (global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
                (global.get $next)
                (global.set $next (i32.add (global.get $next) (local.get 3))))
            (func (export "count") (param i32 i32 i32 i32) (result i32)
                ;; The length of the word of the second step, which is a `go`, and of the last word.
                (i32.add (i32.mul (local.get 1) (i32.const 100))
                    (i32.add (local.get 3)
                        (i32.mul (i32.const 10)
                            (i32.load offset=32 (local.get 0))))))
            (func (export "unused") (result i32) unreachable)
            (func (export "total") (param i32 i32 i32 i32 i32 i32) (result i32)
                (i32.add (i32.mul (local.get 1) (i32.const 100))
                    (i32.add (i32.mul (local.get 3) (i32.const 10)) (local.get 5)))))
        (core instance $m (instantiate $m))
        (type $entry' (record (field "word" string) (field "also" (option (list string)))))
        (type $step' (variant (case "rest") (case "go" $entry') (case "many" (list $entry'))))
        (func $count' (param "steps" (list $step')) (param "last" string) (result u32)
            (canon lift (core func $m "count")
                (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
        (func $unused' (result (result (error string)))
            (canon lift (core func $m "unused")
                (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
        (component $words
            (type $string string)
            (import "word" (type $word (eq $string)))
            (type $entry' (record (field "word" $word) (field "also" (option (list $word)))))
            (import "entry" (type $entry (eq $entry')))
            (type $step' (variant (case "rest") (case "go" $entry) (case "many" (list $entry))))
            (import "step" (type $step (eq $step')))
            (import "count" (func $count
                (param "steps" (list $step)) (param "last" $word) (result u32)))
            (import "unused" (func $unused (result (result (error $word)))))
            (export $word' "word" (type $word))
            (type $entry2 (record
                (field "word" $word') (field "also" (option (list $word')))))
            (export $entry'' "entry" (type $entry2))
            (type $step2 (variant
                (case "rest") (case "go" $entry'') (case "many" (list $entry''))))
            (export $step'' "step" (type $step2))
            (export "count" (func $count)
                (func (param "steps" (list $step'')) (param "last" $word') (result u32)))
            (export "unused" (func $unused) (func (result (result (error $word'))))))
        (type $word' string)
        (instance $out (instantiate $words
            (with "word" (type $word')) (with "entry" (type $entry')) (with "step" (type $step'))
            (with "count" (func $count')) (with "unused" (func $unused'))))
        (export "a:shapes/words" (instance $out))
        (type $counts (map string (list u32)))
        (func (export "total")
            (param "counts" $counts) (param "pair" (tuple string (list string))) (result u32)
            (canon lift (core func $m "total")
                (memory (core memory $m "memory")) (realloc (core func $m "realloc")))))"#;

    #[test]
    fn aliases_variants_and_maps_borrow_too() {
        let engine = Engine::default();
        let wasm = wat::parse_str(GUEST).expect("valid text");
        let component = Component::new(&engine, wasm).unwrap();
        let mut store = Store::new(&engine, ());
        let linker = Linker::new(&engine);
        let shapes = Shapes::instantiate(&mut store, &component, &linker).unwrap();
        let word = String::from("three");
        let also = ["x", &*word];
        let entry = Entry {
            word: &word,
            also: Some(&also),
        };
        let steps = [Step::Rest, Step::Go(entry), Step::Many(&[entry, entry])];
        let words = shapes.a_shapes_words();
        let count = words.call_count(&mut store, &steps, "at last").unwrap();
        assert_eq!(count, 300 + 50 + 7);
        let (one, two) = ([1u32], [2u32, 3]);
        let counts = BTreeMap::from([("a", &one[..]), ("b", &two[..])]);
        let pair = ("four", &["a", "b", "c"][..]);
        let total = shapes.call_total(&mut store, &counts, pair).unwrap();
        assert_eq!(total, 200 + 40 + 3);
    }
}
