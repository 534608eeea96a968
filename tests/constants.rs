//! Constants that one instruction writes to two slots arrive as those that two write, and no label parts them.

use cellule::{Config, Engine, Instance, Module, Store};

/// `halves`: short constants of each kind beside each other and beside one that is too wide.
/// `order`: the higher slot is written first. `parted`: a label stands between two of them.
/// `carried`: a branch carries two, and two others where it isn't taken.
const TEXT: &str = r#"(module
    (func $mix (param i32 i64 i64 f32 f64 i64) (result i64)
        (i64.add
            (i64.add (i64.mul (i64.extend_i32_s (local.get 0)) (i64.const 3)) (i64.mul (local.get 1) (i64.const 5)))
            (i64.add
                (i64.add (i64.mul (local.get 2) (i64.const 7)) (i64.extend_i32_s (i32.reinterpret_f32 (local.get 3))))
                (i64.add (i64.reinterpret_f64 (local.get 4)) (i64.mul (local.get 5) (i64.const 11))))))
    (func (export "halves") (param i32) (result i64)
        (call $mix (i32.const -32768) (i64.const 32767) (i64.const 32768) (f32.const 0) (f64.const 0) (i64.const -1)))
    (func (export "order") (param i32) (result i64) (local $a i64) (local $b i64)
        (local.set $b (i64.const -2))
        (local.set $a (i64.const 100))
        (i64.sub (local.get $a) (local.get $b)))
    (func (export "parted") (param i32) (result i64) (local $a i64) (local $b i64)
        (if (local.get 0) (then (local.set $a (i64.const 40))))
        (local.set $b (i64.const 2))
        (i64.sub (local.get $a) (local.get $b)))
    (func (export "carried") (param i32) (result i64)
        (block (result i64 i64)
            (i64.const 9) (i64.const 4)
            (br_if 0 (local.get 0))
            drop drop
            (i64.const -9) (i64.const 5))
        i64.sub))"#;

#[test]
fn constants_in_neighbouring_slots_are_what_they_are_alone() {
    let wasm = wat::parse_str(TEXT).expect("well-formed text");
    for (fast, fuel) in [(false, false), (true, false), (true, true)] {
        let mut config = Config::new();
        config.fast_tier(fast).consume_fuel(fuel);
        let engine = Engine::new(&config).expect("supported");
        let module = Module::new(&engine, &wasm).expect("valid");
        let mut store = Store::new(&engine, ());
        if fuel {
            store.set_fuel(10_000).expect("fuel is on");
        }
        let instance = Instance::new(&mut store, &module, &[]).expect("no imports");
        let halves = -32_768 * 3 + 32_767 * 5 + 32_768 * 7 - 11;
        for (name, otherwise, taken) in [
            ("halves", halves, halves),
            ("order", 102, 102),
            ("parted", -2, 38),
            ("carried", -14, 5),
        ] {
            let run = instance
                .get_typed_func::<i32, i64>(&mut store, name)
                .expect("exported");
            let results = [0, 1].map(|which| run.call(&mut store, which).expect("no trap"));
            assert_eq!(
                results,
                [otherwise, taken],
                "{name}, fast {fast}, fuel {fuel}"
            );
        }
    }
}
