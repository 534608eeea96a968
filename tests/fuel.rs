//! Fuel as `docs/fuel.md` has it: amounts worked out by hand from the tariff, equal on both tiers.

use cellule::{Config, Engine, ErrorKind, Linker, Module, Store, Trap, Val};

/// The fuel that calling `run` takes on one tier.
fn taken(text: &str, args: &[Val], fast: bool) -> u64 {
    let mut config = Config::new();
    config.consume_fuel(true).fast_tier(fast);
    let engine = Engine::new(&config).unwrap();
    let wasm = wat::parse_str(text).expect("well-formed text");
    let module = Module::new(&engine, wasm).expect("a valid module");
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine)
        .instantiate(&mut store, &module)
        .expect("no imports");
    let run = instance.get_func(&store, "run").expect("an export `run`");
    let mut results: Vec<Val> = run
        .ty(&store)
        .results()
        .iter()
        .map(|ty| Val::default_of(*ty))
        .collect();
    store.set_fuel(1_000_000).expect("fuel is on");
    run.call(&mut store, args, &mut results).expect("no trap");
    1_000_000 - store.get_fuel().expect("fuel is on")
}

fn takes(text: &str, args: &[Val], expected: u64) {
    for fast in [false, true] {
        assert_eq!(taken(text, args, fast), expected, "fast tier: {fast}");
    }
}

#[test]
fn a_call_takes_the_callees_whole_body() {
    // Eight operators that cost, and 177 calls to compute the tenth number.
    let fib = include_str!("../examples/fib.wat").replace("\"fib\"", "\"run\"");
    takes(&fib, &[Val::I32(10)], 177 * 8);
}

#[test]
fn a_back_edge_takes_the_loops_operators() {
    let count = r#"(module (func (export "run") (param $n i32) (local $i i32)
        (loop $again
            (br_if $again (i32.lt_s
                (local.tee $i (i32.add (local.get $i) (i32.const 1)))
                (local.get $n))))))"#;
    // The body has three operators that cost, and 99 of 100 rounds branch back over all of them.
    takes(count, &[Val::I32(100)], 3 + 99 * 3);
}

#[test]
fn a_long_skip_forwards_gives_back_what_it_skips_and_a_short_one_does_not() {
    let skip = |operators: usize| {
        let rest = "(drop (i32.clz (local.get 0)))".repeat(operators);
        format!(
            r#"(module (func (export "run") (param i32)
                (block $out (block $in (br_table $out $in (local.get 0))) {rest})))"#
        )
    };
    takes(&skip(64), &[Val::I32(0)], 1);
    takes(&skip(63), &[Val::I32(0)], 1 + 63);
    takes(&skip(64), &[Val::I32(1)], 1 + 64);
}

#[test]
fn bulk_operations_take_fuel_by_size() {
    let fill = r#"(module (memory 1) (func (export "run") (param i32)
        (memory.fill (i32.const 0) (i32.const 1) (local.get 0))))"#;
    takes(fill, &[Val::I32(80)], 1 + 10);
    takes(fill, &[Val::I32(7)], 1);
}

#[test]
fn running_out_is_a_trap_and_leaves_nothing() {
    for fast in [false, true] {
        let mut config = Config::new();
        config.consume_fuel(true).fast_tier(fast);
        let engine = Engine::new(&config).unwrap();
        let endless = r#"(module (func (export "run") (loop $again (br $again))))"#;
        let wasm = wat::parse_str(endless).expect("well-formed text");
        let module = Module::new(&engine, wasm).expect("a valid module");
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine)
            .instantiate(&mut store, &module)
            .expect("no imports");
        let run = instance.get_func(&store, "run").expect("an export `run`");
        store.set_fuel(1_000).expect("fuel is on");
        let error = run.call(&mut store, &[], &mut []).expect_err("no end");
        assert_eq!(error.kind(), ErrorKind::Trap);
        assert_eq!(error.trap(), Some(Trap::OutOfFuel));
        assert_eq!(store.get_fuel().expect("fuel is on"), 0);
    }
}
