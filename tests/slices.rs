//! Guests in slices of fuel: the same answers, and to the unit the same fuel, as without a stop.

use cellule::component::Linker;
use cellule::{Config, Engine};
use cellule_tests::guests::{
    Ledger, Pace, Session, app_linker, depot_linker, own_guest, sensor_linker,
};
use cellule_tests::{shared_guest, stories};

/// Tells a story at every pace on both tiers, and compares what it takes.
fn takes_the_same(tell: impl Fn(&Engine, Pace) -> (u64, u64)) {
    let mut expected = None;
    for fast in [false, true] {
        let mut config = Config::new();
        config.consume_fuel(true).fast_tier(fast);
        let engine = Engine::new(&config).unwrap();
        for pace in [
            Pace::Counted,
            Pace::Slices(1),
            Pace::Slices(7),
            Pace::Slices(1000),
        ] {
            let (used, polls) = tell(&engine, pace);
            assert!(used > 0);
            assert_eq!(
                used,
                *expected.get_or_insert(used),
                "{pace:?}, fast: {fast}"
            );
            if pace == Pace::Slices(7) {
                assert!(polls > 20, "it was hardly interrupted: {polls} polls");
            }
        }
    }
}

#[test]
fn a_text_guest_takes_the_same_fuel_at_every_pace() {
    let Some(wasm) = shared_guest("rust-text.wasm") else {
        return;
    };
    takes_the_same(|engine, pace| {
        let mut session = Session::start(&Linker::new(engine), &wasm, (), pace);
        stories::texts(&mut session, "rust");
        (session.fuel_used(), session.polls())
    });
}

#[test]
fn a_javascript_guest_takes_the_same_fuel_at_every_pace() {
    let Some(wasm) = shared_guest("js-qjs-text-sync-stubwasi.wasm") else {
        return;
    };
    takes_the_same(|engine, pace| {
        let mut session = Session::start(&Linker::new(engine), &wasm, (), pace);
        stories::texts(&mut session, "js");
        (session.fuel_used(), session.polls())
    });
}

#[test]
fn an_app_takes_the_same_fuel_at_every_pace() {
    let Some(wasm) = shared_guest("rust-app.wasm") else {
        return;
    };
    takes_the_same(|engine, pace| {
        let mut session = Session::start(&app_linker(engine), &wasm, Vec::new(), pace);
        stories::app(&mut session);
        (session.fuel_used(), session.polls())
    });
}

#[test]
fn a_sensor_takes_the_same_fuel_at_every_pace() {
    let wasm = own_guest("rust-sensor.wasm");
    takes_the_same(|engine, pace| {
        let mut session = Session::start(&sensor_linker(engine), &wasm, Vec::new(), pace);
        stories::sensor(&mut session);
        (session.fuel_used(), session.polls())
    });
}

#[test]
fn depots_take_the_same_fuel_at_every_pace() {
    for language in ["rust", "c"] {
        let wasm = own_guest(&format!("{language}-depot.wasm"));
        takes_the_same(|engine, pace| {
            let linker = depot_linker(engine);
            let mut session = Session::start(&linker, &wasm, Ledger::default(), pace);
            stories::depots(&mut session, language);
            (session.fuel_used(), session.polls())
        });
    }
}
