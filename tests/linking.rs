//! Imports against a linker's definitions: versions, shadowing, what is missing and what doesn't fit.

use cellule::component::types::{ComponentItem, Type};
use cellule::component::{Component, Instance, Linker, Resource, ResourceType};
use cellule::{Engine, Error, ErrorKind, Module, Store, StoreContextMut};

fn load(engine: &Engine, text: &str) -> Component {
    let wasm = wat::parse_str(text).expect("well-formed text");
    Component::new(engine, wasm).expect("a valid component")
}

/// Imports `f` from an instance and calls it in `run`.
fn imports_from(instance: &str) -> String {
    format!(
        r#"(component
        (import "{instance}" (instance $i (export "f" (func (result u32)))))
        (core func $f (canon lower (func $i "f")))
        (core module $m (import "" "f" (func $f (result i32)))
            (func (export "run") (result i32) (call $f)))
        (core instance $m (instantiate $m (with "" (instance (export "f" (func $f))))))
        (func (export "run") (result u32) (canon lift (core func $m "run"))))"#
    )
}

fn number(linker: &mut Linker<()>, instance: &str, number: u32) -> Result<(), Error> {
    let serve = move |_: StoreContextMut<'_, ()>, (): ()| Ok((number,));
    linker.instance(instance)?.func_wrap("f", serve)
}

fn run(linker: &Linker<()>, component: &Component) -> Result<u32, Error> {
    let mut store = Store::new(linker.engine(), ());
    let instance = linker.instantiate(&mut store, component)?;
    let run = instance.get_typed_func::<(), (u32,)>(&mut store, "run")?;
    Ok(run.call(&mut store, ())?.0)
}

fn refused(linker: &Linker<()>, component: &Component) -> String {
    match linker.instantiate_pre(component) {
        Ok(_) => panic!("everything is defined"),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Link, "{error:#}");
            format!("{error:#}")
        }
    }
}

#[test]
fn an_import_is_served_by_a_compatible_version() {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    number(&mut linker, "a:b/c@0.2.12", 12).unwrap();
    let served = |linker: &Linker<()>, version: &str| {
        let component = load(&engine, &imports_from(&format!("a:b/c@{version}")));
        run(linker, &component)
    };
    assert_eq!(served(&linker, "0.2.6").unwrap(), 12);
    assert_eq!(served(&linker, "0.2.20").unwrap(), 12);
    for version in ["0.3.0", "1.2.12", "0.2.6-rc.1"] {
        let error = served(&linker, version).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Link);
        assert!(
            error.to_string().contains(&format!("a:b/c@{version}#f")),
            "{error}"
        );
    }
    // The very version wins over a higher one, which wins over a lower one.
    number(&mut linker, "a:b/c@0.2.6", 6).unwrap();
    assert_eq!(served(&linker, "0.2.6").unwrap(), 6);
    assert_eq!(served(&linker, "0.2.7").unwrap(), 12);
}

#[test]
fn a_canonical_version_is_served_by_any_that_is_compatible() {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    number(&mut linker, "a:b/c@1.4.2", 42).unwrap();
    number(&mut linker, "a:b/d@0.3", 3).unwrap();
    let component = |name: &str, suffix: &str| {
        let text = imports_from(name);
        let versioned = format!("\"{name}\" (version-suffix \"{suffix}\")");
        load(
            &engine,
            &text.replacen(&format!("\"{name}\""), &versioned, 1),
        )
    };
    assert_eq!(run(&linker, &component("a:b/c@1", ".2.0")).unwrap(), 42);
    let later = load(&engine, &imports_from("a:b/d@0.3.9"));
    assert_eq!(run(&linker, &later).unwrap(), 3);
    assert!(run(&linker, &component("a:b/c@2", ".0.0")).is_err());
    assert!(run(&linker, &component("a:b/d@0.2", ".1")).is_err());
}

#[test]
fn names_in_several_namespaces_are_linked() {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    let name = "a:b-c:d/e/f@1.0.0";
    number(&mut linker, name, 5).unwrap();
    let component = load(&engine, &imports_from(name));
    assert_eq!(run(&linker, &component).unwrap(), 5);
}

#[test]
fn an_export_is_found_by_a_compatible_version() {
    let engine = Engine::default();
    let component = load(
        &engine,
        r#"(component
            (core module $m (func (export "f") (result i32) (i32.const 5)))
            (core instance $i (instantiate $m))
            (func $f (result u32) (canon lift (core func $i "f")))
            (instance $e (export "f" (func $f)))
            (export "a:b/c@0.2.12" (instance $e)))"#,
    );
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine)
        .instantiate(&mut store, &component)
        .unwrap();
    let mut call = |version: &str| -> Option<u32> {
        let outer = instance.get_export_index(&mut store, None, version)?;
        let f = instance.get_export_index(&mut store, Some(&outer), "f")?;
        let f = instance.get_typed_func::<(), (u32,)>(&mut store, &f).ok()?;
        Some(f.call(&mut store, ()).ok()?.0)
    };
    assert_eq!(call("a:b/c@0.2.12"), Some(5));
    assert_eq!(call("a:b/c@0.2.6"), Some(5));
    assert_eq!(call("a:b/c@0.3.6"), None);
    assert_eq!(call("a:b/c"), None);
}

#[test]
fn a_second_definition_is_an_error_unless_it_may_shadow() {
    let engine = Engine::default();
    let component = load(&engine, &imports_from("i"));
    let mut linker = Linker::new(&engine);
    number(&mut linker, "i", 1).unwrap();
    let error = number(&mut linker, "i", 2).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Link);
    assert!(error.to_string().contains('f'), "{error}");
    assert_eq!(run(&linker, &component).unwrap(), 1);
    // What was bound before doesn't change with the linker.
    let bound = linker.instantiate_pre(&component).unwrap();
    let copy = linker.clone();
    linker.allow_shadowing(true);
    number(&mut linker, "i", 3).unwrap();
    assert_eq!(run(&linker, &component).unwrap(), 3);
    assert_eq!(run(&copy, &component).unwrap(), 1);
    let mut store = Store::new(&engine, ());
    let instance = bound.instantiate(&mut store).unwrap();
    let run = instance
        .get_typed_func::<(), (u32,)>(&mut store, "run")
        .unwrap();
    assert_eq!(run.call(&mut store, ()).unwrap(), (1,));
}

#[test]
fn everything_that_is_missing_is_told_in_one_error() {
    let engine = Engine::default();
    let component = load(
        &engine,
        r#"(component
            (import "unused" (func))
            (import "i" (instance (export "f" (func)) (export "r" (type (sub resource)))
                (export "inner" (instance (export "deep" (func (param "x" string)))))))
            (import "m" (core module (export "f" (func))))
            (import "t" (type (sub resource))))"#,
    );
    let text = refused(&Linker::new(&engine), &component);
    for name in ["`unused`", "`i#f`", "`i#r`", "`i#inner#deep`", "`m`", "`t`"] {
        assert!(text.contains(name), "{name} isn't in: {text}");
    }
}

#[test]
fn what_is_defined_otherwise_is_named_with_its_types() {
    let engine = Engine::default();
    let component = load(&engine, &imports_from("i"));
    let mut linker = Linker::<()>::new(&engine);
    linker
        .instance("i")
        .unwrap()
        .func_wrap("f", |_: StoreContextMut<'_, ()>, (_,): (String,)| Ok(()))
        .unwrap();
    let text = refused(&linker, &component);
    assert!(
        text.contains("`i#f`") && text.contains("parameters"),
        "{text}"
    );
    let mut linker = Linker::<()>::new(&engine);
    linker
        .instance("i")
        .unwrap()
        .func_wrap("f", |_: StoreContextMut<'_, ()>, (): ()| Ok((1u64,)))
        .unwrap();
    let text = refused(&linker, &component);
    assert!(text.contains("u64") && text.contains("u32"), "{text}");
    // A resource where a function is imported, and a function where an instance is.
    let mut linker = Linker::<()>::new(&engine);
    let ty = ResourceType::host::<u8>();
    let mut instance = linker.instance("i").unwrap();
    instance.resource("f", ty, |_, _| Ok(())).unwrap();
    let text = refused(&linker, &component);
    assert!(text.contains("expected function found resource"), "{text}");
    let mut linker = Linker::<()>::new(&engine);
    linker
        .root()
        .func_wrap("i", |_: StoreContextMut<'_, ()>, (): ()| Ok(()))
        .unwrap();
    let text = refused(&linker, &component);
    assert!(text.contains("expected instance found func"), "{text}");
    assert!(linker.instance("i").is_err());
}

#[test]
fn an_instance_of_types_alone_needs_no_definition() {
    let engine = Engine::default();
    let component = load(
        &engine,
        r#"(component
            (import "a:b/types@1.0.0" (instance $t
                (type $p (record (field "x" u32) (field "y" u32)))
                (export "point" (type (eq $p)))))
            (alias export $t "point" (type $point))
            (core module $m (memory (export "memory") 1)
                (func (export "run") (result i32) (i32.const 42)))
            (core instance $i (instantiate $m))
            (func (export "run") (result u32) (canon lift (core func $i "run"))))"#,
    );
    assert_eq!(run(&Linker::new(&engine), &component).unwrap(), 42);
    let ty = component.component_type();
    assert!(matches!(
        ty.get_import(&engine, "a:b/types@1.0.0")
            .map(|found| found.ty),
        Some(ComponentItem::ComponentInstance(_))
    ));
}

/// Instantiates an imported core module twice, with a memory of its own each time.
const IMPORTS_MODULE: &str = r#"(component
    (import "m" (core module $m
        (import "env" "memory" (memory 1))
        (export "bump" (func (result i32)))))
    (core module $libc (memory (export "memory") 1 2))
    (core instance $libc1 (instantiate $libc))
    (core instance $libc2 (instantiate $libc))
    (core instance $a (instantiate $m (with "env" (instance $libc1))))
    (core instance $b (instantiate $m (with "env" (instance $libc2))))
    (func (export "a") (result u32) (canon lift (core func $a "bump")))
    (func (export "run") (result u32) (canon lift (core func $b "bump")))
    (export "again" (core module $m)))"#;

#[test]
fn an_imported_core_module_is_instantiated() {
    let engine = Engine::default();
    let component = load(&engine, IMPORTS_MODULE);
    let wasm = wat::parse_str(
        r#"(module (memory (import "env" "memory") 1)
            (func (export "other"))
            (func (export "bump") (result i32)
                (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
                (i32.load (i32.const 0))))"#,
    );
    let module = Module::new(&engine, wasm.unwrap()).unwrap();
    let mut linker = Linker::new(&engine);
    linker.root().module("m", &module).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let mut bump = |name: &str| {
        let bump = instance.get_typed_func::<(), (u32,)>(&mut store, name);
        bump.unwrap().call(&mut store, ()).unwrap().0
    };
    assert_eq!([bump("a"), bump("a"), bump("run"), bump("a")], [1, 2, 1, 3]);
    let again = instance.get_module(&mut store, "again").unwrap();
    assert!(again.exports().any(|export| export.name() == "other"));
}

#[test]
fn a_core_module_of_another_type_is_refused() {
    let engine = Engine::default();
    let component = load(&engine, IMPORTS_MODULE);
    let modules = [
        (r#"(module)"#, "`bump` not defined"),
        (
            r#"(module (func (export "bump") (result i64) (i64.const 0)))"#,
            "wrong type",
        ),
        (
            r#"(module (global (export "bump") i32 (i32.const 0)))"#,
            "wrong type",
        ),
        (
            r#"(module (import "env" "more" (func)) (func (export "bump") (result i32) (i32.const 0)))"#,
            "`env::more` not defined",
        ),
        (
            r#"(module (import "env" "memory" (memory 2)) (func (export "bump") (result i32) (i32.const 0)))"#,
            "`env::memory` has the wrong type",
        ),
    ];
    for (text, why) in modules {
        let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        let mut linker = Linker::<()>::new(&engine);
        linker.root().module("m", &module).unwrap();
        let error = refused(&linker, &component);
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn engines_are_not_mixed() {
    let (one, two) = (Engine::default(), Engine::default());
    let component = load(&one, "(component)");
    let kind = |result: Result<Instance, Error>| result.unwrap_err().kind();
    let foreign = Linker::new(&two).instantiate(&mut Store::new(&two, ()), &component);
    assert_eq!(kind(foreign), ErrorKind::Type);
    let linker = Linker::new(&one);
    let foreign = linker.instantiate(&mut Store::new(&two, ()), &component);
    assert_eq!(kind(foreign), ErrorKind::Type);
    assert!(
        linker
            .instantiate(&mut Store::new(&one, ()), &component)
            .is_ok()
    );
}

/// Makes a host's resource, and drops it.
const MAKES_AND_DROPS: &str = r#"(component
    (import "i" (instance $i (export "r" (type $r (sub resource)))
        (export "make" (func (result (own $r))))))
    (alias export $i "r" (type $r))
    (core func $make (canon lower (func $i "make")))
    (core func $drop (canon resource.drop $r))
    (core module $m (import "" "make" (func $make (result i32)))
        (import "" "drop" (func $drop (param i32)))
        (func (export "run") (call $drop (call $make))))
    (core instance $m (instantiate $m (with "" (instance
        (export "make" (func $make)) (export "drop" (func $drop))))))
    (func (export "run") (canon lift (core func $m "run"))))"#;

#[test]
fn each_instance_drops_a_hosts_resource_as_its_own_linker_says() {
    struct Thing;
    let engine = Engine::default();
    let component = load(&engine, MAKES_AND_DROPS);
    let linker = |name: &'static str| {
        let mut linker = Linker::<Vec<String>>::new(&engine);
        let mut instance = linker.instance("i").unwrap();
        let ty = ResourceType::host::<Thing>();
        let dropped = move |mut store: StoreContextMut<'_, Vec<String>>, rep| {
            store.data_mut().push(format!("{name} drops {rep}"));
            Ok(())
        };
        instance.resource("r", ty, dropped).unwrap();
        let make =
            |_: StoreContextMut<'_, Vec<String>>, (): ()| Ok((Resource::<Thing>::new_own(4),));
        instance.func_wrap("make", make).unwrap();
        linker
    };
    let mut store = Store::new(&engine, Vec::new());
    let first = linker("first").instantiate(&mut store, &component).unwrap();
    let second = linker("second")
        .instantiate(&mut store, &component)
        .unwrap();
    for instance in [first, second, first] {
        let run = instance
            .get_typed_func::<(), ()>(&mut store, "run")
            .unwrap();
        run.call(&mut store, ()).unwrap();
    }
    let expected = ["first drops 4", "second drops 4", "first drops 4"];
    assert_eq!(store.data(), &expected);
}

/// Opens files of the host's, and has a resource type of its own.
const OPENS: &str = r#"(component
    (import "a:b/files" (instance $files
        (export "file" (type $file (sub resource)))
        (export "open" (func (param "name" u32) (result (own $file))))))
    (alias export $files "file" (type $file))
    (type $own' (resource (rep i32)))
    (export $own "own" (type $own'))
    (core func $open (canon lower (func $files "open")))
    (core module $m (import "" "open" (func $open (param i32) (result i32)))
        (func (export "run") (param i32) (result i32) (call $open (local.get 0))))
    (core instance $m (instantiate $m (with "" (instance (export "open" (func $open))))))
    (func (export "run") (param "name" u32) (result (own $file))
        (canon lift (core func $m "run"))))"#;

struct File;

fn opens(engine: &Engine) -> Linker<()> {
    let mut linker = Linker::new(engine);
    let mut files = linker.instance("a:b/files").unwrap();
    files
        .resource("file", ResourceType::host::<File>(), |_, _| Ok(()))
        .unwrap();
    let open = |_: StoreContextMut<'_, ()>, (name,): (u32,)| Ok((Resource::<File>::new_own(name),));
    files.func_wrap("open", open).unwrap();
    linker
}

#[test]
fn a_substituted_type_has_the_resource_types_that_the_linker_defines() {
    let engine = Engine::default();
    let component = load(&engine, OPENS);
    let file = ResourceType::host::<File>();
    let linker = opens(&engine);
    let ty = linker.substituted_component_type(&component).unwrap();
    let Some(ComponentItem::ComponentInstance(files)) =
        ty.get_import(&engine, "a:b/files").map(|found| found.ty)
    else {
        panic!("an instance is imported");
    };
    let found = files.get_export(&engine, "file").map(|found| found.ty);
    assert!(matches!(found, Some(ComponentItem::Resource(ty)) if ty == file));
    let Some(ComponentItem::ComponentFunc(run)) =
        ty.get_export(&engine, "run").map(|found| found.ty)
    else {
        panic!("a function is exported");
    };
    assert!(run.results().eq([Type::Own(file)]));
    // Without the linker it is a type of its own, as the component's own one is with it.
    let plain = component.component_type();
    let Some(ComponentItem::ComponentFunc(run)) =
        plain.get_export(&engine, "run").map(|found| found.ty)
    else {
        panic!("a function is exported");
    };
    assert!(!run.results().eq([Type::Own(file)]));
    let own = ty.get_export(&engine, "own").map(|found| found.ty);
    assert!(matches!(own, Some(ComponentItem::Resource(ty)) if ty != file));
    let error = Linker::<()>::new(&engine).substituted_component_type(&component);
    assert!(error.unwrap_err().to_string().contains("a:b/files"));
}

#[test]
fn rust_types_are_checked_before_anything_is_instantiated() {
    let engine = Engine::default();
    let component = load(&engine, OPENS);
    let linker = opens(&engine);
    let pre = linker.instantiate_pre(&component).unwrap();
    let (item, _) = component.get_export(None, "run").unwrap();
    let ComponentItem::ComponentFunc(run) = item else {
        panic!("a function is exported");
    };
    type Params = (u32,);
    run.typecheck::<Params, (Resource<File>,)>(&pre.instance_type())
        .unwrap();
    assert!(
        run.typecheck::<Params, (Resource<u8>,)>(&pre.instance_type())
            .is_err()
    );
    assert!(
        run.typecheck::<(u64,), (Resource<File>,)>(&pre.instance_type())
            .is_err()
    );
    // Of the component alone it isn't known what the resource type is.
    let ty = component.component_type();
    assert!(
        run.typecheck::<Params, (Resource<File>,)>(&ty.instance_type())
            .is_err()
    );
    let other = load(&engine, OPENS);
    let other = other.component_type();
    let error = run
        .typecheck::<Params, (Resource<File>,)>(&other.instance_type())
        .unwrap_err();
    assert!(error.to_string().contains("another component"), "{error}");
}

#[test]
fn an_import_is_told_with_what_it_implements_and_stands_for() {
    let engine = Engine::default();
    let component = load(
        &engine,
        r#"(component
            (import "fast" (implements "a:b/store@1.2.0") (instance (export "f" (func))))
            (import "plain" (func)))"#,
    );
    let ty = component.component_type();
    let fast = ty.get_import(&engine, "fast").unwrap();
    assert_eq!(fast.implements, Some("a:b/store@1.2.0"));
    for (name, implements) in [
        ("a:b/store@1.2.0", true),
        ("a:b/store@1.0.0", true),
        ("a:b/store@2.0.0", false),
        ("a:b/other@1.2.0", false),
        ("a:b/store", false),
    ] {
        assert_eq!(fast.is_implements(name), implements, "{name}");
    }
    let plain = ty.get_import(&engine, "plain").unwrap();
    assert_eq!((plain.implements, plain.external_id), (None, None));
    assert!(!plain.is_implements("plain"));
}

#[test]
fn what_instantiating_needs_is_known_unless_modules_are_imported() {
    let engine = Engine::default();
    let twice = load(
        &engine,
        r#"(component
            (core module $m (memory 2) (table 3 funcref) (table 5 funcref))
            (core instance (instantiate $m)) (core instance (instantiate $m)))"#,
    );
    let needed = twice.resources_required().unwrap();
    assert_eq!((needed.num_memories, needed.num_tables), (2, 4));
    assert_eq!(needed.max_initial_memory_size, Some(2));
    assert_eq!(needed.max_initial_table_size, Some(5));
    let imports = load(
        &engine,
        r#"(component (import "m" (core module $m)) (core instance (instantiate $m)))"#,
    );
    assert_eq!(imports.resources_required(), None);
}
