//! Resources of hosts: with types that are made when the host runs, and in a [`ResourceTable`].

use cellule::component::{
    Component, Instance, Linker, Resource, ResourceAny, ResourceDynamic, ResourceTable,
    ResourceTableError, ResourceType,
};
use cellule::{Engine, ErrorKind, Result, Store, StoreContextMut};

/// A guest that passes things of two types on.
const TWO_TYPES: &str = r#"(component
    (import "red" (type $red (sub resource)))
    (import "blue" (type $blue (sub resource)))
    (core module $m
        (func (export "own") (param i32) (result i32) (local.get 0)))
    (core instance $m (instantiate $m))
    (func (export "red") (param "it" (own $red)) (result (own $red))
        (canon lift (core func $m "own")))
    (func (export "blue") (param "it" (own $blue)) (result (own $blue))
        (canon lift (core func $m "own"))))"#;

const RED: u32 = 1;
const BLUE: u32 = 2;

fn two_types() -> (Store<Vec<u32>>, Instance) {
    let engine = Engine::default();
    let component = Component::new(&engine, wat::parse_str(TWO_TYPES).unwrap()).unwrap();
    let mut linker = Linker::<Vec<u32>>::new(&engine);
    let mut root = linker.root();
    for (name, ty) in [("red", RED), ("blue", BLUE)] {
        let drop = move |mut store: StoreContextMut<'_, Vec<u32>>, rep| {
            store.data_mut().push(ty * 100 + rep);
            Ok(())
        };
        root.resource(name, ResourceType::host_dynamic(ty), drop)
            .unwrap();
    }
    let mut store = Store::new(&engine, Vec::new());
    let instance = linker.instantiate(&mut store, &component).unwrap();
    (store, instance)
}

#[test]
fn types_that_are_made_when_the_host_runs_are_told_apart() {
    let (mut store, instance) = two_types();
    let red = instance.get_typed_func::<(ResourceDynamic,), (ResourceDynamic,)>(&mut store, "red");
    let red = red.unwrap();
    let (back,) = red
        .call(&mut store, (ResourceDynamic::new_own(5, RED),))
        .unwrap();
    assert_eq!((back.rep(), back.ty(), back.owned()), (5, RED, true));
    let error = red
        .call(&mut store, (ResourceDynamic::new_own(5, BLUE),))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type);
    let lent = red.call(&mut store, (ResourceDynamic::new_borrow(5, RED),));
    assert!(lent.is_err());
    // A type that a Rust type stands for is another one.
    let typed = instance.get_typed_func::<(Resource<u32>,), (ResourceAny,)>(&mut store, "red");
    assert!(typed.is_err());
    assert_ne!(ResourceType::host_dynamic(1), ResourceType::host_dynamic(2));
    assert_ne!(ResourceType::host_dynamic(1), ResourceType::host::<u32>());
}

#[test]
fn a_resource_of_such_a_type_is_held_as_any_and_back() {
    let (mut store, instance) = two_types();
    let func = instance.get_typed_func::<(ResourceAny,), (ResourceAny,)>(&mut store, "blue");
    let blue = func.unwrap();
    let any = ResourceDynamic::new_own(6, BLUE).try_into_resource_any(&mut store);
    let any = any.unwrap();
    assert_eq!(any.ty(), ResourceType::host_dynamic(BLUE));
    let (any,) = blue.call(&mut store, (any,)).unwrap();
    assert!(any.try_into_resource::<u32>(&mut store).is_err());
    let back = ResourceDynamic::try_from_resource_any(any, &mut store).unwrap();
    assert_eq!((back.rep(), back.ty(), back.owned()), (6, BLUE, true));
    // It has left the host's table, so that it can't be had twice.
    assert!(any.try_into_resource_dynamic(&mut store).is_err());
    let unknown = ResourceDynamic::new_own(6, 3).try_into_resource_any(&mut store);
    assert!(unknown.is_err());
    let again = back.try_into_resource_any(&mut store).unwrap();
    again.resource_drop(&mut store).unwrap();
    assert_eq!(store.data()[..], [206]);
}

/// A guest that makes a tree of the host's files and drops them, parents last or first.
const FILES: &str = r#"(component
    (import "files" (instance $files
        (export "file" (type $file (sub resource)))
        (export "open" (func (param "name" string) (result (own $file))))
        (export "child" (func (param "of" (borrow $file)) (param "name" string)
            (result (own $file))))
        (export "names" (func (param "of" (borrow $file)) (result string)))))
    (alias export $files "file" (type $file))
    (core module $libc
        (memory (export "memory") 1)
        (data (i32.const 8) "root") (data (i32.const 16) "a") (data (i32.const 24) "b")
        (global $top (mut i32) (i32.const 256))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (global.get $top)
            (global.set $top (i32.add (global.get $top) (i32.const 64)))))
    (core instance $libc (instantiate $libc))
    (core func $open (canon lower (func $files "open") (memory (core memory $libc "memory"))))
    (core func $child (canon lower (func $files "child") (memory (core memory $libc "memory"))))
    (core func $names (canon lower (func $files "names")
        (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
    (core func $drop (canon resource.drop $file))
    (core module $m
        (import "" "open" (func $open (param i32 i32) (result i32)))
        (import "" "child" (func $child (param i32 i32 i32) (result i32)))
        (import "" "names" (func $names (param i32 i32)))
        (import "" "drop" (func $drop (param i32)))
        (func (export "run") (param $parent-first i32) (result i32)
            (local $root i32) (local $a i32) (local $b i32)
            (local.set $root (call $open (i32.const 8) (i32.const 4)))
            (local.set $a (call $child (local.get $root) (i32.const 16) (i32.const 1)))
            (local.set $b (call $child (local.get $root) (i32.const 24) (i32.const 1)))
            (call $names (local.get $root) (i32.const 128))
            (if (local.get $parent-first) (then (call $drop (local.get $root))))
            (call $drop (local.get $a))
            (call $drop (local.get $b))
            (call $drop (local.get $root))
            (i32.const 128)))
    (core instance $m (instantiate $m (with "" (instance
        (export "open" (func $open)) (export "child" (func $child))
        (export "names" (func $names)) (export "drop" (func $drop))))))
    (func (export "run") (param "parent-first" bool) (result string)
        (canon lift (core func $m "run") (memory (core memory $libc "memory")))))"#;

struct File {
    name: String,
}

#[derive(Default)]
struct Host {
    table: ResourceTable,
    dropped: Vec<String>,
}

fn files(engine: &Engine) -> Result<Linker<Host>> {
    let mut linker = Linker::<Host>::new(engine);
    let mut files = linker.instance("files")?;
    let ty = ResourceType::host::<File>();
    files.resource("file", ty, |mut store: StoreContextMut<'_, Host>, rep| {
        let host = store.data_mut();
        let file = host.table.delete(Resource::<File>::new_own(rep))?;
        host.dropped.push(file.name);
        Ok(())
    })?;
    files.func_wrap(
        "open",
        |mut store: StoreContextMut<'_, Host>, (name,): (String,)| {
            Ok((store.data_mut().table.push(File { name })?,))
        },
    )?;
    files.func_wrap(
        "child",
        |mut store: StoreContextMut<'_, Host>, (of, name): (Resource<File>, String)| {
            Ok((store.data_mut().table.push_child(File { name }, &of)?,))
        },
    )?;
    files.func_wrap(
        "names",
        |store: StoreContextMut<'_, Host>, (of,): (Resource<File>,)| {
            let table = &store.data().table;
            let mut names = table.get(&of)?.name.clone();
            for child in table.iter_children(&of)? {
                let child = child.downcast_ref::<File>().expect("a file");
                names += ",";
                names += &child.name;
            }
            Ok((names,))
        },
    )?;
    Ok(linker)
}

/// Has the guest make its files and drop them.
fn run(parent_first: bool) -> (Store<Host>, Result<String>) {
    let engine = Engine::default();
    let component = Component::new(&engine, wat::parse_str(FILES).unwrap()).unwrap();
    let mut store = Store::new(&engine, Host::default());
    let linker = files(&engine).unwrap();
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let run = instance.get_typed_func::<(bool,), (String,)>(&mut store, "run");
    let result = run.unwrap().call(&mut store, (parent_first,));
    (store, result.map(|(names,)| names))
}

#[test]
fn a_guest_makes_children_in_the_hosts_table_and_drops_them_before_their_parent() {
    let (store, names) = run(false);
    assert_eq!(names.unwrap(), "root,a,b");
    assert_eq!(store.data().dropped, ["a", "b", "root"]);
    assert!(store.data().table.is_empty());
}

#[test]
fn a_guest_that_drops_a_parent_before_its_children_is_ended_and_they_stay() {
    let (mut store, names) = run(true);
    let error = names.unwrap_err();
    assert_eq!(
        error.downcast_ref::<ResourceTableError>(),
        Some(&ResourceTableError::HasChildren)
    );
    let Host { table, dropped } = store.data_mut();
    assert!(dropped.is_empty());
    let mut names: Vec<_> = table
        .iter_mut()
        .map(|any| any.downcast_mut::<File>().expect("a file").name.clone())
        .collect();
    names.sort();
    assert_eq!(names, ["a", "b", "root"]);
}

#[test]
fn a_child_can_be_given_to_a_parent_and_taken_from_it() {
    let mut table = ResourceTable::with_capacity(4);
    let parent = table.push("parent").unwrap();
    let child = table.push(7u32).unwrap();
    let (parent_rep, child_rep) = (parent.rep(), child.rep());
    let parent_again = || Resource::<&str>::new_own(parent_rep);
    let child_again = || Resource::<u32>::new_own(child_rep);
    table.add_child(child, parent).unwrap();
    assert_eq!(table.iter_children(&parent_again()).unwrap().count(), 1);
    assert_eq!(
        table.delete(parent_again()).unwrap_err(),
        ResourceTableError::HasChildren
    );
    table.remove_child(child_again(), parent_again()).unwrap();
    assert_eq!(table.iter_children(&parent_again()).unwrap().count(), 0);
    assert_eq!(table.delete(parent_again()), Ok("parent"));
    assert_eq!(table.delete(child_again()), Ok(7));
    assert_eq!(
        table.remove_child(child_again(), parent_again()),
        Err(ResourceTableError::NotPresent)
    );
}

#[test]
fn entries_are_found_by_the_keys_of_a_map() {
    let mut table = ResourceTable::new();
    let first = table.push(1u32).unwrap();
    let second = table.push(2u32).unwrap();
    let third = table.push(3u32).unwrap();
    let gone = third.rep();
    table.delete(third).unwrap();
    let keys = [
        (gone, "gone"),
        (second.rep(), "second"),
        (first.rep(), "first"),
        (99, "never"),
    ];
    let mut seen = Vec::new();
    for (entry, name) in table.iter_entries(keys.into_iter().collect()) {
        let number = entry.map(|any| {
            let number = any.downcast_mut::<u32>().expect("a number");
            *number *= 10;
            *number
        });
        seen.push((number, name));
    }
    let missing = Err(ResourceTableError::NotPresent);
    assert_eq!(
        seen,
        [
            (Ok(10), "first"),
            (Ok(20), "second"),
            (missing, "gone"),
            (missing, "never")
        ]
    );
    assert_eq!(table.get(&second), Ok(&20));
}
