//! Values in accumulators survive what is computed while they wait.

use cellule::{Config, Engine, Instance, Module, Store};

/// A comparison waits in the accumulator of integers, with a constant that no field holds, while an integer is
/// computed that becomes a float's local.
const TEXT: &str = r#"(module
    (func (export "run") (param i32 i64 f64) (result i32)
        (local $kept f64) (local $sum f64)
        (i32.lt_u (i32.trunc_f64_s (local.get 2)) (i32.const -524289))
        (f64.reinterpret_i64 (i64.and (i64.extend_i32_s (local.get 0)) (i64.popcnt (local.get 1))))
        (local.tee $kept)
        (local.set $sum (f64.abs))
        (i32.add (i32.mul (i32.wrap_i64 (i64.reinterpret_f64 (local.get $kept))) (i32.const 10)))))"#;

#[test]
fn an_integer_waits_while_another_one_becomes_a_floats_local() {
    let wasm = wat::parse_str(TEXT).expect("well-formed text");
    for fast in [false, true] {
        let engine = Engine::new(Config::new().fast_tier(fast)).expect("supported");
        let module = Module::new(&engine, &wasm).expect("valid");
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).expect("no imports");
        let run = instance
            .get_typed_func::<(i32, i64, f64), i32>(&mut store, "run")
            .expect("exported");
        let results = [(7, 0b1011, 0.5), (6, 0b1011, -1.0), (4, 0xff, 3.0)]
            .map(|args| run.call(&mut store, args).expect("no trap"));
        assert_eq!(results, [31, 20, 1], "fast {fast}");
    }
}
