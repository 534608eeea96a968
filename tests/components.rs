//! Components of real toolchains, linked, instantiated and called through the public API.

use cellule::component::{Component, Linker, ResourceAny};
use cellule::{Engine, ErrorKind, Store};
use cellule_tests::guests::{
    Ledger, Pace, Session, app_linker, depot_linker, own_guest, sensor_linker,
};
use cellule_tests::{shared_guest, stories};

fn app() -> Option<Session<Vec<String>>> {
    let wasm = shared_guest("rust-app.wasm")?;
    let linker = app_linker(&Engine::default());
    Some(Session::start(&linker, &wasm, Vec::new(), Pace::Free))
}

fn depot(language: &str) -> Session<Ledger> {
    let linker = depot_linker(&Engine::default());
    let wasm = own_guest(&format!("{language}-depot.wasm"));
    Session::start(&linker, &wasm, Ledger::default(), Pace::Free)
}

#[test]
fn a_rust_guest_takes_and_returns_a_string() {
    let Some(wasm) = shared_guest("rust-text.wasm") else {
        return;
    };
    let linker = Linker::new(&Engine::default());
    let mut session = Session::start(&linker, &wasm, (), Pace::Free);
    stories::texts(&mut session, "rust");
    assert_eq!(session.polls(), 0);
}

#[test]
fn a_javascript_guest_takes_and_returns_a_string() {
    let Some(wasm) = shared_guest("js-qjs-text-sync-stubwasi.wasm") else {
        return;
    };
    let linker = Linker::new(&Engine::default());
    let mut session = Session::start(&linker, &wasm, (), Pace::Free);
    stories::texts(&mut session, "js");
    assert_eq!(session.polls(), 0);
}

#[test]
fn a_c_guest_that_imports_wasi_works_with_imports_that_trap() {
    let Some(wasm) = shared_guest("c-text.wasm") else {
        return;
    };
    let engine = Engine::default();
    let component = Component::new(&engine, &wasm).unwrap();
    let mut linker = Linker::new(&engine);
    let missing = linker.instantiate_pre(&component).err();
    assert_eq!(missing.map(|error| error.kind()), Some(ErrorKind::Link));
    linker.define_unknown_imports_as_traps(&component).unwrap();
    let mut session = Session::start(&linker, &wasm, (), Pace::Free);
    stories::texts(&mut session, "c");
}

#[test]
fn a_command_that_calls_an_unknown_import_traps_and_names_it() {
    let Some(wasm) = shared_guest("rust-hello-p2.wasm") else {
        return;
    };
    let engine = Engine::default();
    let component = Component::new(&engine, &wasm).unwrap();
    let mut linker = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&component).unwrap();
    let mut session = Session::start(&linker, &wasm, (), Pace::Free);
    let error = session.call("wasi:cli/run@0.2.6#run", &[]).unwrap_err();
    assert!(
        error.to_string().contains("unknown import: `wasi:"),
        "{error}"
    );
}

#[test]
fn a_rust_guest_calls_the_host() {
    let Some(mut session) = app() else { return };
    stories::app_runs(&mut session);
    assert_eq!(session.store.data().len(), 2);
}

#[test]
fn a_rust_guest_uses_every_kind_of_value() {
    let Some(mut session) = app() else { return };
    stories::app_shapes(&mut session);
    assert!(session.store.data().is_empty());
}

#[test]
fn a_guests_resources_are_made_lent_given_and_dropped() {
    let Some(mut session) = app() else { return };
    stories::app_counters(&mut session);
    stories::app_typed_counters(&mut session);
    assert!(session.store.data().is_empty());
}

#[test]
fn a_guests_resource_is_worth_nothing_in_another_store() {
    let (Some(mut first), Some(mut second)) = (app(), app()) else {
        return;
    };
    let constructor = "demo:app/shapes@0.1.0#[constructor]counter";
    let get = "demo:app/shapes@0.1.0#[method]counter.get";
    let made = first.typed::<_, (ResourceAny,)>(constructor, (5u32,));
    let (mine,) = made.unwrap();
    let (_theirs,) = second
        .typed::<_, (ResourceAny,)>(constructor, (6u32,))
        .unwrap();
    let error = second.typed::<_, (u32,)>(get, (mine,)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type);
    assert!(second.drop_resource(mine).is_err());
    assert_eq!(first.typed::<_, (u32,)>(get, (mine,)).unwrap(), (5,));
}

#[test]
fn a_guests_resource_is_worth_nothing_in_another_instance() {
    let Some(mut session) = app() else { return };
    let Some(wasm) = shared_guest("rust-app.wasm") else {
        return;
    };
    let constructor = "demo:app/shapes@0.1.0#[constructor]counter";
    let get = "demo:app/shapes@0.1.0#[method]counter.get";
    let made = session.typed::<_, (ResourceAny,)>(constructor, (5u32,));
    let (mine,) = made.unwrap();
    let engine = session.store.engine().clone();
    let component = Component::new(&engine, &wasm).unwrap();
    let first = session.instance;
    session.instance = app_linker(&engine)
        .instantiate(&mut session.store, &component)
        .unwrap();
    let error = session.typed::<_, (u32,)>(get, (mine,)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type);
    session.instance = first;
    assert_eq!(session.typed::<_, (u32,)>(get, (mine,)).unwrap(), (5,));
    // A destructor belongs to the instance that made the resource, whatever else there is.
    session.drop_resource(mine).unwrap();
}

#[test]
fn a_sensor_reads_and_reports_through_the_host() {
    let linker = sensor_linker(&Engine::default());
    let wasm = own_guest("rust-sensor.wasm");
    let mut session = Session::start(&linker, &wasm, Vec::new(), Pace::Free);
    stories::sensor(&mut session);
    assert_eq!(session.store.data().len(), 4);
}

#[test]
fn depots_write_into_the_hosts_books_and_give_all_of_them_back() {
    for language in ["rust", "c"] {
        let mut session = depot(language);
        stories::depot_audit(&mut session);
        assert_eq!(session.store.data().dropped, 4);
    }
}

#[test]
fn depots_serve_stores_and_run_their_destructors() {
    for language in ["rust", "c"] {
        let mut session = depot(language);
        stories::depot_stores(&mut session);
        stories::depot_handles(&mut session);
        assert_eq!(session.store.data().dropped, 0);
    }
}

#[test]
fn depots_take_and_return_values_of_every_kind() {
    for language in ["rust", "c"] {
        let mut session = depot(language);
        stories::depot_values(&mut session);
        assert!(session.store.data().log.is_empty());
    }
}

#[test]
fn depots_tell_their_language_and_share_a_store() {
    let engine = Engine::default();
    let linker = depot_linker(&engine);
    let mut store = Store::new(&engine, Ledger::default());
    let mut hello = |language: &str| {
        let wasm = own_guest(&format!("{language}-depot.wasm"));
        let component = Component::new(&engine, wasm).unwrap();
        let instance = linker.instantiate(&mut store, &component).unwrap();
        let hello = instance
            .get_typed_func::<(&str,), (String,)>(&mut store, "hello")
            .unwrap();
        hello.call(&mut store, ("ann",)).unwrap().0
    };
    assert_eq!(hello("rust"), "hello ann from rust at 7");
    assert_eq!(hello("c"), "hello ann from c at 7");
    assert_eq!(store.data().log.len(), 2);
}
