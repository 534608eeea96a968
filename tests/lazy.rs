//! Function bodies that are validated when they are first entered.

use cellule::component::{Component, Linker};
use cellule::{Config, Engine, ErrorKind, Instance, Module, Result, Store};

/// Two functions, of which the second leaves a value of another type than it says.
const HALF_BAD: &str = r#"(module
    (import "" "f" (func))
    (func (export "good") (result i32) (i32.const 1))
    (func (export "bad") (result i32) (i64.const 1)))"#;

fn engine(set: impl FnOnce(&mut Config) -> &mut Config) -> Engine {
    let mut config = Config::new();
    set(&mut config);
    Engine::new(&config).unwrap()
}

fn bytes(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("well-formed text")
}

fn call<T>(store: &mut Store<T>, instance: &Instance, name: &str) -> Result<i32> {
    let func = instance.get_typed_func::<(), i32>(&*store, name)?;
    func.call(store, ())
}

#[test]
fn an_invalid_body_is_an_error_when_it_is_entered_and_not_before() {
    let wasm = bytes(HALF_BAD);
    let when_made = Module::new(&Engine::default(), &wasm).unwrap_err();
    let lazy = engine(|config| config.lazy_validation(true));
    let module = Module::new(&lazy, &wasm).unwrap();
    let mut store = Store::new(&lazy, ());
    let import = cellule::Func::wrap(&mut store, || ());
    let instance = Instance::new(&mut store, &module, &[import.into()]).unwrap();
    assert_eq!(call(&mut store, &instance, "good").unwrap(), 1);
    for _ in 0..2 {
        let error = call(&mut store, &instance, "bad").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert_eq!(error.offset(), when_made.offset());
        assert_eq!(error.to_string(), when_made.to_string());
    }
    assert_eq!(call(&mut store, &instance, "good").unwrap(), 1);
    assert!(module.disassemble(2).is_err());
}

#[test]
fn eager_translation_validates_all_bodies() {
    let both = engine(|config| config.lazy_validation(true).eager_translation(true));
    let error = Module::new(&both, bytes(HALF_BAD)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[test]
fn everything_but_bodies_is_validated_when_a_module_is_made() {
    let lazy = engine(|config| config.lazy_validation(true));
    let bad = bytes(r#"(module (func $f) (global i32 (i64.const 1)))"#);
    let error = Module::new(&lazy, bad).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[test]
fn lazily_validated_code_takes_the_same_fuel() {
    let text = r#"(module (func $g (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
        (func (export "run") (result i32) (local $i i32)
            (loop $again
                (br_if $again (i32.lt_s (local.tee $i (call $g (local.get $i))) (i32.const 9))))
            (local.get $i)))"#;
    let taken = |lazy: bool| {
        let engine = engine(|config| config.consume_fuel(true).lazy_validation(lazy));
        let module = Module::new(&engine, bytes(text)).unwrap();
        let mut store = Store::new(&engine, ());
        store.set_fuel(1000).unwrap();
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        assert_eq!(call(&mut store, &instance, "run").unwrap(), 9);
        store.get_fuel().unwrap()
    };
    assert_eq!(taken(true), taken(false));
}

#[test]
fn modules_in_components_are_validated_lazily_too() {
    let text = r#"(component
        (core module $m
            (func (export "good") (result i32) (i32.const 1))
            (func (export "bad") (result i32) (i64.const 1)))
        (core instance $i (instantiate $m))
        (func (export "good") (result u32) (canon lift (core func $i "good")))
        (func (export "bad") (result u32) (canon lift (core func $i "bad"))))"#;
    let lazy = engine(|config| config.lazy_validation(true));
    let component = Component::new(&lazy, bytes(text)).unwrap();
    let mut store = Store::new(&lazy, ());
    let linker = Linker::new(&lazy);
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let good = instance
        .get_typed_func::<(), (u32,)>(&mut store, "good")
        .unwrap();
    assert_eq!(good.call(&mut store, ()).unwrap(), (1,));
    let bad = instance
        .get_typed_func::<(), (u32,)>(&mut store, "bad")
        .unwrap();
    let error = bad.call(&mut store, ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}
