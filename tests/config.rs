//! The switches of [`Config`]: what they take away, and what they can't bring yet.

use cellule::component::Component;
use cellule::{Config, Engine, ErrorKind, Module};

fn engine(set: impl FnOnce(&mut Config)) -> Engine {
    let mut config = Config::new();
    set(&mut config);
    Engine::new(&config).unwrap()
}

#[test]
fn what_is_switched_on_and_not_supported_is_named_when_an_engine_is_made() {
    let error = Engine::new(Config::new().wasm_simd(true)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("simd"), "{error}");
}

#[test]
fn switching_something_unsupported_off_again_changes_nothing() {
    let engine = engine(|config| {
        config.wasm_gc(true).wasm_gc(false);
    });
    assert!(Module::new(&engine, wat::parse_str("(module)").unwrap()).is_ok());
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
