//! Root components that import and export components: given by the embedder, taken from instances,
//! and given again.

use cellule::component::types::ComponentItem;
use cellule::component::{Component, Instance, Linker, ResourceAny};
use cellule::{Engine, ErrorKind, Module, Store, StoreContextMut};

fn load(engine: &Engine, text: &str) -> Component {
    let wasm = wat::parse_str(text).expect("well-formed text");
    Component::new(engine, wasm).expect("a valid component")
}

fn call(store: &mut Store<()>, instance: &Instance, path: &[&str]) -> u32 {
    let (name, instances) = path.split_last().expect("a name");
    let mut at = None;
    for name in instances {
        at = instance.get_export_index(&mut *store, at.as_ref(), name);
        assert!(at.is_some(), "no instance {name}");
    }
    let func = instance.get_export_index(&mut *store, at.as_ref(), name);
    let func = func.unwrap_or_else(|| panic!("no function {name}"));
    let func = instance.get_typed_func::<(), (u32,)>(&mut *store, func);
    func.unwrap().call(store, ()).unwrap().0
}

/// Adds one to what its import gives.
const ONE_MORE: &str = r#"(component
    (import "n" (func $n (result u32)))
    (core func $n (canon lower (func $n)))
    (core module $m
        (import "" "n" (func $n (result i32)))
        (func (export "n") (result i32) (i32.add (call $n) (i32.const 1))))
    (core instance $i (instantiate $m (with "" (instance (export "n" (func $n))))))
    (func (export "n") (result u32) (canon lift (core func $i "n"))))"#;

/// Passes a number through what it is given, twice over.
const CHAIN: &str = r#"(component
    (import "zero" (func $zero (result u32)))
    (import "tools" (instance $tools
        (export "next" (component
            (import "n" (func (result u32)))
            (export "n" (func (result u32)))))))
    (alias export $tools "next" (component $next))
    (component $inner
        (import "c" (component $c
            (import "n" (func (result u32)))
            (export "n" (func (result u32)))))
        (import "n" (func $n (result u32)))
        (instance $i (instantiate $c (with "n" (func $n))))
        (export "n" (func $i "n"))
        (export "next" (component $c)))
    (instance $a (instantiate $next (with "n" (func $zero))))
    (instance $b (instantiate $inner
        (with "c" (component $next)) (with "n" (func $a "n"))))
    (alias export $b "next" (component $again))
    (instance $c (instantiate $again (with "n" (func $b "n"))))
    (export "a" (instance $a))
    (export "b" (instance $b))
    (export "three" (func $c "n"))
    (export "next" (component $again)))"#;

fn chain(engine: &Engine, zero: u32) -> Linker<()> {
    let mut linker = Linker::<()>::new(engine);
    let serve = move |_: StoreContextMut<'_, ()>, (): ()| Ok((zero,));
    linker.root().func_wrap("zero", serve).unwrap();
    let next = load(engine, ONE_MORE);
    let mut tools = linker.instance("tools").unwrap();
    tools.component("next", &next).unwrap();
    linker
}

#[test]
fn an_imported_component_is_instantiated_with_other_arguments_each_time() {
    let engine = Engine::default();
    let linker = chain(&engine, 10);
    let pre = linker.instantiate_pre(&load(&engine, CHAIN)).unwrap();
    let mut store = Store::new(&engine, ());
    for _ in 0..2 {
        let instance = pre.instantiate(&mut store).unwrap();
        assert_eq!(call(&mut store, &instance, &["a", "n"]), 11);
        assert_eq!(call(&mut store, &instance, &["b", "n"]), 12);
        assert_eq!(call(&mut store, &instance, &["three"]), 13);
    }
}

#[test]
fn an_exported_component_is_taken_instantiated_and_given_again() {
    let engine = Engine::default();
    let linker = chain(&engine, 10);
    let mut store = Store::new(&engine, ());
    let component = load(&engine, CHAIN);
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let next = instance.get_component(&mut store, "next").unwrap();
    let names: Vec<String> = {
        let ty = next.component_type();
        ty.imports(&engine).map(|(name, _)| name.into()).collect()
    };
    assert_eq!(names, ["n"]);

    let mut other = Linker::<()>::new(&engine);
    let serve = |_: StoreContextMut<'_, ()>, (): ()| Ok((41u32,));
    other.root().func_wrap("n", serve).unwrap();
    let alone = other.instantiate(&mut store, &next).unwrap();
    assert_eq!(call(&mut store, &alone, &["n"]), 42);

    other.root().func_wrap("zero", serve).unwrap();
    let mut tools = other.instance("tools").unwrap();
    tools.component("next", &next).unwrap();
    let again = other.instantiate(&mut store, &component).unwrap();
    assert_eq!(call(&mut store, &again, &["three"]), 44);
    // What isn't a component isn't given as one.
    for name in ["three", "a", "nothing"] {
        let error = instance.get_component(&mut store, name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Type);
    }
}

#[test]
fn an_exported_component_keeps_what_it_captured() {
    let engine = Engine::default();
    let outer = load(
        &engine,
        r#"(component
            (import "m" (core module $m (export "n" (func (result i32)))))
            (core module $own
                (import "" "n" (func $n (result i32)))
                (func (export "n") (result i32) (i32.mul (call $n) (i32.const 2))))
            (component $doubled
                (import "n" (core module $n (export "n" (func (result i32)))))
                (alias outer 1 $own (core module $own))
                (core instance $n (instantiate $n))
                (core instance $i (instantiate $own (with "" (instance $n))))
                (func (export "n") (result u32) (canon lift (core func $i "n"))))
            (component $outer
                (alias outer 1 $m (core module $m))
                (alias outer 1 $doubled (component $doubled))
                (component $deep
                    (alias outer 1 $m (core module $m))
                    (alias outer 1 $doubled (component $doubled))
                    (instance $i (instantiate $doubled (with "n" (core module $m))))
                    (export "n" (func $i "n")))
                (export "deep" (component $deep)))
            (export "c" (component $outer)))"#,
    );
    let mut linker = Linker::<()>::new(&engine);
    let text = r#"(module (func (export "n") (result i32) (i32.const 21)))"#;
    let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
    linker.root().module("m", &module).unwrap();
    let taken = linker.instantiate_pre(&outer).unwrap();
    let taken = taken.get_component("c").unwrap();
    drop((linker, outer, module));

    let nothing = Linker::<()>::new(&engine);
    let mut store = Store::new(&engine, ());
    let instance = nothing.instantiate(&mut store, &taken).unwrap();
    let deep = instance.get_component(&mut store, "deep").unwrap();
    let instance = nothing.instantiate(&mut store, &deep).unwrap();
    assert_eq!(call(&mut store, &instance, &["n"]), 42);
}

/// Defines a resource with a destructor that counts; makes one, and tells of a string how long it is.
const RESOURCES: &str = r#"(component
        (core module $d
            (global $dropped (mut i32) (i32.const 0))
            (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
            (func (export "dtor") (param i32)
                (global.set $dropped (i32.add (global.get $dropped) (i32.const 1))))
            (func (export "dropped") (result i32) (global.get $dropped))
            (func (export "length") (param i32 i32 i32) (result i32) (local.get 2)))
        (core instance $d (instantiate $d))
        (type $r' (resource (rep i32) (dtor (core func $d "dtor"))))
        (export $r "r" (type $r'))
        (core func $new (canon resource.new $r'))
        (core module $m
            (import "" "new" (func $new (param i32) (result i32)))
            (func (export "make") (result i32) (call $new (i32.const 7))))
        (core instance $m (instantiate $m
            (with "" (instance (export "new" (func $new))))))
        (func (export "make") (result (own $r)) (canon lift (core func $m "make")))
        (func (export "dropped") (result u32) (canon lift (core func $d "dropped")))
        (func (export "length") (param "r" (borrow $r)) (param "s" string) (result u32)
            (canon lift (core func $d "length")
                (memory (core memory $d "memory")) (realloc (core func $d "realloc")))))"#;

const USES_RESOURCES: &str = r#"(component
    (import "lib" (component $lib
        (export "r" (type $r (sub resource)))
        (export "make" (func (result (own $r))))
        (export "length" (func (param "r" (borrow $r)) (param "s" string) (result u32)))
        (export "dropped" (func (result u32)))))
    (instance $a (instantiate $lib))
    (instance $b (instantiate $lib))
    (alias export $a "r" (type $r))
    (core func $make (canon lower (func $a "make")))
    (core func $drop (canon resource.drop $r))
    (core module $mem (memory (export "memory") 1) (data (i32.const 8) "four"))
    (core instance $mem (instantiate $mem))
    (core func $length (canon lower (func $a "length") (memory (core memory $mem "memory"))))
    (core module $m
        (import "" "make" (func $make (result i32)))
        (import "" "drop" (func $drop (param i32)))
        (import "" "length" (func $length (param i32 i32 i32) (result i32)))
        (func (export "run") (result i32) (local $r i32) (local $n i32)
            (local.set $r (call $make))
            (local.set $n (call $length (local.get $r) (i32.const 8) (i32.const 4)))
            (call $drop (local.get $r))
            (local.get $n)))
    (core instance $m (instantiate $m (with "" (instance
        (export "make" (func $make))
        (export "drop" (func $drop))
        (export "length" (func $length))))))
    (func (export "run") (result u32) (canon lift (core func $m "run")))
    (export "a" (instance $a))
    (export "b" (instance $b)))"#;

#[test]
fn a_given_component_defines_resources_anew_in_each_instance() {
    let engine = Engine::default();
    let mut linker = Linker::<()>::new(&engine);
    linker
        .root()
        .component("lib", &load(&engine, RESOURCES))
        .unwrap();
    let user = load(&engine, USES_RESOURCES);
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &user).unwrap();
    assert_eq!(call(&mut store, &instance, &["run"]), 4);
    assert_eq!(call(&mut store, &instance, &["a", "dropped"]), 1);
    assert_eq!(call(&mut store, &instance, &["b", "dropped"]), 0);

    let get = |store: &mut Store<()>, instance_name: &str, name: &str| {
        let at = instance.get_export_index(&mut *store, None, instance_name);
        instance
            .get_export_index(&mut *store, at.as_ref(), name)
            .unwrap()
    };
    let a = get(&mut store, "a", "r");
    let b = get(&mut store, "b", "r");
    let a = instance.get_resource(&mut store, a).unwrap();
    assert_ne!(a, instance.get_resource(&mut store, b).unwrap());
    // The host makes one of the one's and can't lend it to the other.
    let make = get(&mut store, "a", "make");
    let make = instance.get_typed_func::<(), (ResourceAny,)>(&mut store, make);
    let (made,) = make.unwrap().call(&mut store, ()).unwrap();
    assert_eq!(made.ty(), a);
    let length = get(&mut store, "b", "length");
    let length = instance.get_typed_func::<(ResourceAny, &str), (u32,)>(&mut store, length);
    assert!(length.unwrap().call(&mut store, (made, "x")).is_err());
    let length = get(&mut store, "a", "length");
    let length = instance.get_typed_func::<(ResourceAny, &str), (u32,)>(&mut store, length);
    assert_eq!(
        length.unwrap().call(&mut store, (made, "five5")).unwrap(),
        (5,)
    );
    made.resource_drop(&mut store).unwrap();
    assert_eq!(call(&mut store, &instance, &["a", "dropped"]), 2);
}

#[test]
fn what_is_missing_or_of_another_type_is_told() {
    let engine = Engine::default();
    let user = load(&engine, CHAIN);
    let mut linker = Linker::<()>::new(&engine);
    let refused = |linker: &Linker<()>| {
        let error = linker.instantiate_pre(&user).err().expect("a refusal");
        assert_eq!(error.kind(), ErrorKind::Link, "{error:#}");
        format!("{error:#}")
    };
    let text = refused(&linker);
    assert!(text.contains("component imports function `zero`"), "{text}");
    assert!(
        text.contains("component imports component `tools#next`"),
        "{text}"
    );

    let serve = |_: StoreContextMut<'_, ()>, (): ()| Ok((0u32,));
    linker.root().func_wrap("zero", serve).unwrap();
    linker.allow_shadowing(true);
    for wrong in [
        // An import more than it will get, an export less than is needed, another type.
        r#"(component (import "x" (func)) (import "n" (func $n (result u32))) (export "n" (func $n)))"#,
        r#"(component (import "n" (func $n (result u32))))"#,
        r#"(component (import "n" (func $n (result u64))) (export "n" (func $n)))"#,
    ] {
        let wrong = load(&engine, wrong);
        let mut tools = linker.instance("tools").unwrap();
        tools.component("next", &wrong).unwrap();
        let text = refused(&linker);
        assert!(text.contains("`tools#next`"), "{text}");
    }
    let mut tools = linker.instance("tools").unwrap();
    tools.func_wrap("next", serve).unwrap();
    let text = refused(&linker);
    assert!(text.contains("expected component found func"), "{text}");
    // One that needs less and offers more will do.
    let fits = load(
        &engine,
        r#"(component
            (core module $m (func (export "n") (result i32) (i32.const 3)))
            (core instance $i (instantiate $m))
            (func $n (result u32) (canon lift (core func $i "n")))
            (export "n" (func $n))
            (export "more" (func $n)))"#,
    );
    let mut tools = linker.instance("tools").unwrap();
    tools.component("next", &fits).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &user).unwrap();
    assert_eq!(call(&mut store, &instance, &["three"]), 3);
    // Of what it offers only what is declared can be seen.
    let a = instance.get_export_index(&mut store, None, "a");
    assert!(
        instance
            .get_export_index(&mut store, a.as_ref(), "more")
            .is_none()
    );

    let elsewhere = load(&Engine::default(), ONE_MORE);
    let error = linker.root().component("next", &elsewhere).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type);
}

#[test]
fn a_component_can_be_looked_into_before_it_gets_what_it_imports() {
    let engine = Engine::default();
    let user = load(&engine, CHAIN);
    let ty = user.component_type();
    assert!(matches!(
        ty.get_export(&engine, "next").map(|found| found.ty),
        Some(ComponentItem::Component(_))
    ));
    let Some(ComponentItem::ComponentInstance(tools)) =
        ty.get_import(&engine, "tools").map(|found| found.ty)
    else {
        panic!("{ty:?}");
    };
    let Some(ComponentItem::Component(next)) =
        tools.get_export(&engine, "next").map(|found| found.ty)
    else {
        panic!("{tools:?}");
    };
    assert!(matches!(
        next.get_import(&engine, "n").map(|found| found.ty),
        Some(ComponentItem::ComponentFunc(_))
    ));
    // An index that was found then is one of the instance's.
    let (_, b) = user.get_export(None, "b").expect("an instance");
    let (item, n) = user.get_export(Some(&b), "n").expect("a function");
    assert!(matches!(item, ComponentItem::ComponentFunc(_)));
    let mut store = Store::new(&engine, ());
    let instance = chain(&engine, 1).instantiate(&mut store, &user).unwrap();
    let n = instance.get_typed_func::<(), (u32,)>(&mut store, n);
    assert_eq!(n.unwrap().call(&mut store, ()).unwrap(), (3,));
    let foreign = load(&engine, ONE_MORE);
    let (_, foreign) = foreign.get_export(None, "n").expect("a function");
    assert!(instance.get_func(&mut store, foreign).is_none());
}

#[test]
fn what_instantiating_multiplies_is_limited() {
    // Each level is given the one before, and instantiates it twice.
    let mut config = cellule::Config::new();
    config.limits(cellule::Limits {
        component_instances: 100,
        ..Default::default()
    });
    let engine = Engine::new(&config).unwrap();
    let twice = load(
        &engine,
        r#"(component
            (import "c" (component $c))
            (instance (instantiate $c))
            (instance (instantiate $c))
            (component $both
                (alias outer 1 $c (component $c))
                (instance (instantiate $c))
                (instance (instantiate $c)))
            (export "both" (component $both)))"#,
    );
    let mut given = load(&engine, "(component)");
    for level in 0.. {
        let mut linker = Linker::<()>::new(&engine);
        linker.root().component("c", &given).unwrap();
        match linker.instantiate_pre(&twice) {
            Ok(pre) => match pre.get_component("both") {
                Ok(both) => given = both,
                Err(error) => {
                    assert_eq!((error.kind(), level), (ErrorKind::Limit, 5), "{error:#}");
                    break;
                }
            },
            Err(error) => {
                assert_eq!((error.kind(), level), (ErrorKind::Limit, 5), "{error:#}");
                break;
            }
        }
    }
}
