//! The switches of [`Config`]: what they take away, and what they can't bring yet.

use cellule::component::Component;
use cellule::{Config, Engine, ErrorKind, Linker, Module, Store, Trap};

fn engine(set: impl FnOnce(&mut Config)) -> Engine {
    let mut config = Config::new();
    set(&mut config);
    Engine::new(&config).unwrap()
}

#[test]
fn what_is_switched_on_and_not_supported_is_named_when_an_engine_is_made() {
    let error = Engine::new(Config::new().wasm_gc(true)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("gc"), "{error}");
}

#[test]
fn switching_something_unsupported_off_again_changes_nothing() {
    let engine = engine(|config| {
        config.wasm_gc(true).wasm_gc(false);
    });
    assert!(Module::new(&engine, wat::parse_str("(module)").unwrap()).is_ok());
}

#[test]
fn vectors_and_their_relaxed_operators_can_be_switched_off() {
    let plain = wat::parse_str("(module (func (result v128) (v128.const i64x2 1 2)))").unwrap();
    let relaxed = wat::parse_str(
        "(module (func (param v128) (result v128)
            (i8x16.relaxed_swizzle (local.get 0) (local.get 0))))",
    )
    .unwrap();
    let accepts = |simd, on_relaxed| {
        let engine = engine(|config| {
            config.wasm_simd(simd).wasm_relaxed_simd(on_relaxed);
        });
        [&plain, &relaxed].map(|wasm| Module::new(&engine, wasm).is_ok())
    };
    assert_eq!(accepts(true, true), [true, true]);
    assert_eq!(accepts(true, false), [true, false]);
    assert_eq!(accepts(false, true), [false, false]);
}

#[test]
fn what_is_switched_off_is_refused() {
    let wasm = wat::parse_str("(module (func return_call 0))").unwrap();
    assert!(Module::new(&Engine::default(), &wasm).is_ok());
    let without = engine(|config| {
        config.wasm_tail_call(false);
    });
    let error = Module::new(&without, &wasm).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.offset().is_some());
    let without = engine(|config| {
        config.wasm_component_model(false);
    });
    let wasm = wat::parse_str("(component)").unwrap();
    let error = Component::new(&without, &wasm).unwrap_err();
    assert!(error.to_string().contains("switches off"), "{error}");
}

#[test]
fn the_stack_of_calls_is_bounded_by_the_configuration() {
    let text = r#"(module (func $f (export "f") (param i32) (result i32)
        (if (result i32) (local.get 0)
            (then (i32.add (i32.const 1) (call $f (i32.sub (local.get 0) (i32.const 1)))))
            (else (i32.const 0)))))"#;
    let wasm = wat::parse_str(text).unwrap();
    let deep = |bytes: usize| {
        let mut config = Config::new();
        config.async_support(true).max_wasm_stack(bytes);
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, &wasm).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate(&mut store, &module);
        let f = instance.unwrap().get_typed_func::<i32, i32>(&store, "f");
        f.unwrap().call(&mut store, 1000)
    };
    assert_eq!(deep(1 << 20).unwrap(), 1000);
    assert_eq!(deep(1 << 12).unwrap_err().trap(), Some(Trap::StackOverflow));
}
