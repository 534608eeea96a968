//! Strings and lists that hosts read in a guest's memory, and the smart pointers that they are lifted to.

use cellule::component::{
    Component, Instance, Lift, Linker, Resource, ResourceType, WasmList, WasmStr,
};
use cellule::{Engine, ErrorKind, Result, Store, StoreContextMut, Trap};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A guest that returns whatever pointer and length it is given, as values of several types.
const GUEST: &str = r#"(component
    (core module $m
        (memory (export "memory") 1)
        (data (i32.const 0) "h\c3\a9llo")
        (data (i32.const 16) "h\00\e9\00")
        (data (i32.const 24) "\ff\fe")
        (data (i32.const 32) "\00\d8")
        (data (i32.const 64) "\01\00\00\00\02\00\00\00\ff\ff\ff\ff")
        (data (i32.const 96) "\01\00\00\00\00\00\00\00\06\00\00\00")
        (data (i32.const 80) "\00\00\00\00\06\00\00\00\18\00\00\00\02\00\00\00")
        (func (export "get") (param i32 i32) (result i32)
            (i32.store (i32.const 1024) (local.get 0))
            (i32.store (i32.const 1028) (local.get 1))
            (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (i32.add (i32.const 2048) (i32.mul (local.get 3) (i32.const 2))))
        (func (export "poke") (param i32 i32) (i32.store8 (local.get 0) (local.get 1))))
    (core instance $m (instantiate $m))
    (alias core export $m "memory" (core memory $memory))
    (alias core export $m "get" (core func $get))
    (func (export "utf8") (param "ptr" u32) (param "len" u32) (result string)
        (canon lift (core func $get) (memory $memory)))
    (func (export "utf16") (param "ptr" u32) (param "len" u32) (result string)
        (canon lift (core func $get) (memory $memory) string-encoding=utf16))
    (func (export "compact") (param "ptr" u32) (param "len" u32) (result string)
        (canon lift (core func $get) (memory $memory) string-encoding=latin1+utf16))
    (func (export "numbers") (param "ptr" u32) (param "len" u32) (result (list u32))
        (canon lift (core func $get) (memory $memory)))
    (func (export "signed") (param "ptr" u32) (param "len" u32) (result (list s16))
        (canon lift (core func $get) (memory $memory)))
    (func (export "bytes") (param "ptr" u32) (param "len" u32) (result (list u8))
        (canon lift (core func $get) (memory $memory)))
    (func (export "strings") (param "ptr" u32) (param "len" u32) (result (list string))
        (canon lift (core func $get) (memory $memory)))
    (func (export "map") (param "ptr" u32) (param "len" u32) (result (map u32 string))
        (canon lift (core func $get) (memory $memory)))
    (func (export "map-again") (param "map" (map u32 string)) (result (map u32 string))
        (canon lift (core func $get) (memory $memory) (realloc (core func $m "realloc"))))
    (func (export "poke") (param "ptr" u32) (param "byte" u32)
        (canon lift (core func $m "poke"))))"#;

fn guest() -> (Store<()>, Instance) {
    let engine = Engine::default();
    let component = Component::new(&engine, wat::parse_str(GUEST).unwrap()).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &component);
    (store, instance.unwrap())
}

/// What the guest returns for a pointer and a length.
fn get<V: Lift + 'static>(
    store: &mut Store<()>,
    instance: &Instance,
    name: &str,
    (ptr, len): (u32, u32),
) -> Result<V> {
    let func = instance.get_typed_func::<(u32, u32), (V,)>(&mut *store, name)?;
    func.call(store, (ptr, len)).map(|(value,)| value)
}

fn poke(store: &mut Store<()>, instance: &Instance, ptr: u32, byte: u32) {
    let func = instance.get_typed_func::<(u32, u32), ()>(&mut *store, "poke");
    func.unwrap().call(store, (ptr, byte)).unwrap();
}

#[test]
fn a_string_is_borrowed_where_it_is_utf8_and_decoded_where_it_isnt() {
    let (mut store, instance) = guest();
    let text: WasmStr = get(&mut store, &instance, "utf8", (0, 6)).unwrap();
    assert!(matches!(text.to_str(&store), Ok(Cow::Borrowed("héllo"))));
    let tagged = 2 | 1 << 31;
    for (encoding, at, expected) in [
        ("utf16", (16, 2), "hé"),
        ("compact", (16, tagged), "hé"),
        ("compact", (18, 1), "é"),
    ] {
        let text: WasmStr = get(&mut store, &instance, encoding, at).unwrap();
        assert_eq!(text.to_str(&store).unwrap(), expected);
    }
}

#[test]
fn a_string_is_checked_when_it_is_read_and_where_it_lies_when_it_is_lifted() {
    let (mut store, instance) = guest();
    let bad: WasmStr = get(&mut store, &instance, "utf8", (24, 2)).unwrap();
    assert_eq!(bad.to_str(&store).unwrap_err().kind(), ErrorKind::Trap);
    let bad: WasmStr = get(&mut store, &instance, "utf16", (32, 1)).unwrap();
    let error = bad.to_str(&store).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::InvalidUtf16));
    // The guest's next write is seen: nothing was copied.
    let text: WasmStr = get(&mut store, &instance, "utf8", (0, 6)).unwrap();
    poke(&mut store, &instance, 0, b'H'.into());
    assert_eq!(text.to_str(&store).unwrap(), "Héllo");
    let outside = get::<WasmStr>(&mut store, &instance, "utf8", (65_530, 7)).unwrap_err();
    assert!(outside.to_string().contains("out of bounds"), "{outside}");
}

#[test]
fn an_odd_pointer_to_utf16_ends_the_call() {
    let (mut store, instance) = guest();
    let error = get::<WasmStr>(&mut store, &instance, "utf16", (1, 1)).unwrap_err();
    assert!(error.to_string().contains("not aligned"), "{error}");
}

#[test]
fn a_list_is_lifted_element_by_element() {
    let (mut store, instance) = guest();
    let list: WasmList<u32> = get(&mut store, &instance, "numbers", (64, 3)).unwrap();
    assert_eq!((list.len(), list.is_empty()), (3, false));
    assert_eq!(list.get(&mut store, 1).unwrap().unwrap(), 2);
    assert!(list.get(&mut store, 3).is_none());
    let iter = list.iter(&mut store).unwrap();
    assert_eq!(iter.len(), 3);
    assert_eq!(iter.collect::<Result<Vec<_>>>().unwrap(), [1, 2, u32::MAX]);
    let strings: WasmList<String> = get(&mut store, &instance, "strings", (80, 2)).unwrap();
    assert_eq!(strings.get(&mut store, 0).unwrap().unwrap(), "héllo");
    assert!(strings.get(&mut store, 1).unwrap().is_err());
    let nested: WasmList<WasmStr> = get(&mut store, &instance, "strings", (80, 2)).unwrap();
    let first = nested.get(&mut store, 0).unwrap().unwrap();
    assert_eq!(first.to_str(&store).unwrap(), "héllo");
    let empty: WasmList<u32> = get(&mut store, &instance, "numbers", (64, 0)).unwrap();
    assert!(empty.is_empty());
    assert_eq!(empty.iter(&mut store).unwrap().count(), 0);
    let outside = get::<WasmList<u32>>(&mut store, &instance, "numbers", (65_532, 2));
    assert!(outside.unwrap_err().to_string().contains("out of bounds"));
}

#[test]
fn a_lists_numbers_are_seen_as_they_are_in_memory() {
    let (mut store, instance) = guest();
    let bytes: WasmList<u8> = get(&mut store, &instance, "bytes", (0, 6)).unwrap();
    assert_eq!(bytes.as_le_slice(&store), "héllo".as_bytes());
    let numbers: WasmList<u32> = get(&mut store, &instance, "numbers", (68, 2)).unwrap();
    assert_eq!(numbers.as_le_slice(&store), [[2, 0, 0, 0], [0xff; 4]]);
    let signed: WasmList<i16> = get(&mut store, &instance, "signed", (72, 2)).unwrap();
    let signed = signed.as_le_slice(&store).iter();
    assert_eq!(
        signed.map(|bytes| i16::from_le_bytes(*bytes)).sum::<i16>(),
        -2
    );
}

#[test]
fn strings_and_lists_are_of_their_store() {
    let (mut store, instance) = guest();
    let text: WasmStr = get(&mut store, &instance, "utf8", (0, 6)).unwrap();
    let list: WasmList<u32> = get(&mut store, &instance, "numbers", (64, 3)).unwrap();
    let (mut other, _) = guest();
    assert_eq!(text.to_str(&other).unwrap_err().kind(), ErrorKind::Type);
    assert_eq!(
        list.get(&mut other, 0).unwrap().unwrap_err().kind(),
        ErrorKind::Type
    );
    assert!(list.iter(&mut other).is_err());
}

#[test]
fn reading_costs_what_lies_behind_the_elements() {
    let engine = Engine::new(cellule::Config::new().consume_fuel(true)).unwrap();
    let component = Component::new(&engine, wat::parse_str(GUEST).unwrap()).unwrap();
    let mut store = Store::new(&engine, ());
    store.set_fuel(1_000_000).unwrap();
    let instance = Linker::new(&engine).instantiate(&mut store, &component);
    let strings = get::<WasmList<String>>(&mut store, &instance.unwrap(), "strings", (80, 1));
    let strings = strings.unwrap();
    let before = store.get_fuel().unwrap();
    strings.get(&mut store, 0).unwrap().unwrap();
    assert!(store.get_fuel().unwrap() < before);
}

#[test]
fn smart_pointers_are_lifted_as_what_they_point_to() {
    let (mut store, instance) = guest();
    let text: Box<str> = get(&mut store, &instance, "utf8", (0, 6)).unwrap();
    assert_eq!(&*text, "héllo");
    let text: Arc<str> = get(&mut store, &instance, "utf8", (0, 6)).unwrap();
    assert_eq!(&*text, "héllo");
    let list: Box<[u32]> = get(&mut store, &instance, "numbers", (64, 2)).unwrap();
    assert_eq!(*list, [1, 2]);
    let list: Arc<[Arc<str>]> = get(&mut store, &instance, "strings", (80, 1)).unwrap();
    assert_eq!(&*list[0], "héllo");
}

/// A guest that lends the host what the host has given it.
const LENDER: &str = r#"(component
    (import "thing" (type $thing (sub resource)))
    (import "make" (func $make (result (own $thing))))
    (import "take" (func $take (param "things" (list (borrow $thing)))))
    (core module $libc (memory (export "memory") 1))
    (core instance $libc (instantiate $libc))
    (core func $make' (canon lower (func $make)))
    (core func $take' (canon lower (func $take) (memory (core memory $libc "memory"))))
    (core func $drop' (canon resource.drop $thing))
    (core module $m
        (import "" "memory" (memory 1))
        (import "" "make" (func $make (result i32)))
        (import "" "take" (func $take (param i32 i32)))
        (import "" "drop" (func $drop (param i32)))
        (func (export "run")
            (i32.store (i32.const 0) (call $make))
            (call $take (i32.const 0) (i32.const 1))
            (call $drop (i32.load (i32.const 0)))))
    (core instance $m (instantiate $m (with "" (instance
        (export "memory" (memory $libc "memory"))
        (export "make" (func $make')) (export "take" (func $take'))
        (export "drop" (func $drop'))))))
    (func (export "run") (canon lift (core func $m "run"))))"#;

struct Thing;

#[test]
fn borrows_in_a_list_end_with_the_call_that_it_was_passed_to() {
    let engine = Engine::default();
    let component = Component::new(&engine, wat::parse_str(LENDER).unwrap()).unwrap();
    type Kept = Option<WasmList<Resource<Thing>>>;
    let mut linker = Linker::<Kept>::new(&engine);
    let mut root = linker.root();
    root.resource("thing", ResourceType::host::<Thing>(), |_, _| Ok(()))
        .unwrap();
    let make = |_: StoreContextMut<'_, Kept>, (): ()| Ok((Resource::<Thing>::new_own(5),));
    root.func_wrap("make", make).unwrap();
    root.func_wrap(
        "take",
        |mut store: StoreContextMut<'_, Kept>, (things,): (WasmList<Resource<Thing>>,)| {
            let thing = things.get(&mut store, 0).expect("an element")?;
            assert_eq!((thing.rep(), thing.owned()), (5, false));
            *store.data_mut() = Some(things);
            Ok(())
        },
    )
    .unwrap();
    let mut store = Store::new(&engine, None);
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let run = instance
        .get_typed_func::<(), ()>(&mut store, "run")
        .unwrap();
    run.call(&mut store, ()).unwrap();
    let kept = store.data_mut().take().expect("the list was kept");
    let error = kept.get(&mut store, 0).unwrap().unwrap_err();
    assert!(error.to_string().contains("is over"), "{error}");
}

#[test]
fn maps_are_lifted_with_and_without_an_order_and_lowered_again() {
    let (mut store, instance) = guest();
    let sorted: BTreeMap<u32, String> = get(&mut store, &instance, "map", (96, 1)).unwrap();
    assert_eq!(sorted[&1], "héllo");
    let hashed: HashMap<u32, Box<str>> = get(&mut store, &instance, "map", (96, 1)).unwrap();
    assert_eq!(&*hashed[&1], "héllo");
    fn again<M: Lift + 'static>(
        store: &mut Store<()>,
        instance: &Instance,
        map: &HashMap<u32, &str>,
    ) -> M {
        type Given<'a> = (&'a HashMap<u32, &'a str>,);
        let func = instance.get_typed_func::<Given<'_>, (M,)>(&mut *store, "map-again");
        func.unwrap().call(store, (map,)).unwrap().0
    }
    let given = HashMap::from([(7, "a"), (5, "bcd")]);
    let back: BTreeMap<u32, String> = again(&mut store, &instance, &given);
    assert_eq!(back, BTreeMap::from([(5, "bcd".into()), (7, "a".into())]));
}
