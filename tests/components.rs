//! Components of real toolchains, linked, instantiated and called through the public API.

use cellule::component::{Component, Linker, Val};
use cellule::{Engine, Store, StoreContextMut};
use cellule_tests::shared_guest;

#[test]
fn a_rust_guest_takes_and_returns_a_string() {
    let Some(wasm) = shared_guest("rust-text.wasm") else {
        return;
    };
    let engine = Engine::default();
    let component = Component::new(&engine, wasm).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine)
        .instantiate(&mut store, &component)
        .unwrap();
    let run = instance
        .get_typed_func::<(&str,), (String,)>(&mut store, "run")
        .unwrap();
    let (text,) = run.call(&mut store, ("wörld",)).unwrap();
    assert_eq!(text, "hello wörld from rust (5 chars)");
    let run = instance.get_func(&mut store, "run").unwrap();
    let mut results = [Val::Bool(false)];
    run.call(&mut store, &[Val::String("a".into())], &mut results)
        .unwrap();
    assert_eq!(
        results[0],
        Val::String("hello a from rust (1 chars)".into())
    );
}

#[test]
fn a_rust_guest_uses_every_kind_of_value() {
    let Some(wasm) = shared_guest("rust-app.wasm") else {
        return;
    };
    let engine = Engine::default();
    let component = Component::new(&engine, wasm).unwrap();
    let mut store = Store::new(&engine, Vec::new());
    let mut linker = Linker::<Vec<String>>::new(&engine);
    linker
        .root()
        .func_wrap(
            "log",
            |mut store: StoreContextMut<'_, Vec<String>>, (text,): (String,)| {
                store.data_mut().push(text);
                Ok(())
            },
        )
        .unwrap();
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let run = instance
        .get_typed_func::<(String,), (String,)>(&mut store, "run")
        .unwrap();
    assert_eq!(run.call(&mut store, ("abc".into(),)).unwrap().0, "cba");
    assert_eq!(store.data(), &["run(abc)"]);
    let shapes = instance
        .get_export_index(&mut store, None, "demo:app/shapes@0.1.0")
        .unwrap();
    let area = instance
        .get_export_index(&mut store, Some(&shapes), "area")
        .unwrap();
    let area = instance.get_func(&mut store, &area).unwrap();
    let mut results = [Val::Bool(false)];
    area.call(
        &mut store,
        &[Val::Variant(
            "circle".into(),
            Some(Box::new(Val::Float64(2.0))),
        )],
        &mut results,
    )
    .unwrap();
    assert_eq!(
        results[0],
        Val::Result(Ok(Some(Box::new(Val::Float64(12.566370614359172)))))
    );
}
