//! Labels near a function's end: a branch to one of them returns at once only if nothing lies between it and the end.

use cellule::{Config, Engine, Instance, Module, Store};

/// Functions that count a call in a global between a label that is branched to and one at the function's end, in
/// every way in which the latter comes about.
const TEXT: &str = r#"(module
    (global $n (mut i32) (i32.const 0))
    (func $count (global.set $n (i32.add (global.get $n) (i32.const 1))))
    (func (export "loop") (result i32)
        (call $looping)
        (global.get $n))
    (func $looping
        (block (block (br_if 0 (global.get $n)) (br 1)) (nop))
        (call $count)
        (loop))
    (func (export "try") (result i32)
        (call $trying)
        (global.get $n))
    (func $trying
        (block (block (br_if 0 (global.get $n)) (br 1)) (nop))
        (call $count)
        (try_table))
    (func (export "if") (result i32)
        (call $testing)
        (global.get $n))
    (func $testing
        (block (block (br_if 0 (global.get $n)) (br 1)) (nop))
        (call $count)
        (if (i32.eqz (global.get $n)) (then (call $count))))
    (func (export "value") (param i32) (result i32)
        (block (br_if 0 (local.get 0)) (local.set 0 (i32.const 2)) (br 0))
        (local.set 0 (i32.add (local.get 0) (i32.const 40)))
        (call $count)
        (loop)
        (local.get 0))
    (func (export "end") (param i32) (result i32)
        (block (br_if 0 (local.get 0)) (local.set 0 (i32.const 2)) (br 0))
        (local.get 0)))"#;

#[test]
fn what_follows_a_label_runs_whatever_label_the_function_ends_in() {
    let wasm = wat::parse_str(TEXT).expect("well-formed text");
    for (fast, fuel) in [(false, false), (false, true), (true, false), (true, true)] {
        let engine =
            Engine::new(Config::new().fast_tier(fast).consume_fuel(fuel)).expect("supported");
        let module = Module::new(&engine, &wasm).expect("valid");
        for name in ["loop", "try", "if"] {
            let mut store = Store::new(&engine, ());
            if fuel {
                store.set_fuel(1_000).expect("it is consumed");
            }
            let instance = Instance::new(&mut store, &module, &[]).expect("no imports");
            let run = instance
                .get_typed_func::<(), i32>(&mut store, name)
                .expect("exported");
            let counted: Vec<i32> = (0..3)
                .map(|_| run.call(&mut store, ()).expect("no trap"))
                .collect();
            assert_eq!(counted, [1, 2, 3], "{name}, fast {fast}, fuel {fuel}");
        }
        for (name, plus) in [("value", 40), ("end", 0)] {
            let mut store = Store::new(&engine, ());
            if fuel {
                store.set_fuel(1_000).expect("it is consumed");
            }
            let instance = Instance::new(&mut store, &module, &[]).expect("no imports");
            let run = instance
                .get_typed_func::<i32, i32>(&mut store, name)
                .expect("exported");
            let results = [0, 7].map(|x| run.call(&mut store, x).expect("no trap"));
            assert_eq!(
                results,
                [2 + plus, 7 + plus],
                "{name}, fast {fast}, fuel {fuel}"
            );
        }
    }
}
