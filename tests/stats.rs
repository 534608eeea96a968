//! Counts of executed instructions, worked out by hand: exact on both tiers, and off unless asked for.

use cellule::code::Tier;
use cellule::{Config, Engine, Linker, Module, Store, Val};

/// A loop of two instructions on either tier, and a bulk operation, which leaves the machine.
const COUNT: &str = r#"(module
    (memory 1)
    (func (export "run") (param $n i32) (result i32) (local $i i32)
        (loop $again
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_s (local.get $i) (local.get $n))))
        (memory.fill (i32.const 0) (i32.const 1) (local.get $i))
        (local.get $i)))"#;

/// Calls `run` with each argument; each instruction that was executed, its tier, and how often.
fn counts(config: &mut Config, args: &[i32]) -> Vec<(String, Tier, u64)> {
    let engine = Engine::new(config).unwrap();
    let wasm = wat::parse_str(COUNT).expect("well-formed text");
    let module = Module::new(&engine, wasm).expect("a valid module");
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine)
        .instantiate(&mut store, &module)
        .expect("no imports");
    let run = instance.get_func(&store, "run").expect("an export `run`");
    for arg in args {
        let mut results = [Val::I32(0)];
        run.call(&mut store, &[Val::I32(*arg)], &mut results)
            .expect("no trap");
        assert_eq!(results, [Val::I32(*arg)]);
    }
    store
        .instruction_counts()
        .map(|(info, count)| (info.name.to_string(), info.tier, count))
        .collect()
}

fn count_of(counts: &[(String, Tier, u64)], name: &str) -> u64 {
    let named = counts.iter().filter(|(counted, _, _)| counted == name);
    named.map(|(_, _, count)| count).sum()
}

#[test]
fn each_execution_is_counted_once() {
    for fast in [false, true] {
        let mut config = Config::new();
        config.count_instructions(true).fast_tier(fast);
        let counts = counts(&mut config, &[100, 20]);
        assert_eq!(count_of(&counts, "i32.add"), 120, "{counts:?}");
        assert_eq!(count_of(&counts, "br.i32.lt_s"), 120, "{counts:?}");
        assert_eq!(count_of(&counts, "memory.fill"), 2, "{counts:?}");
        assert_eq!(count_of(&counts, "halt"), 2, "{counts:?}");
        let in_the_loop = |tier: Tier| {
            let of_tier = counts.iter().filter(|(_, found, _)| *found == tier);
            of_tier.map(|(_, _, count)| count).sum::<u64>() >= 240
        };
        assert_eq!(in_the_loop(Tier::Base), !fast, "{counts:?}");
        assert_eq!(in_the_loop(Tier::Fast), fast, "{counts:?}");
    }
}

#[test]
fn nothing_is_counted_unless_asked_for() {
    assert!(counts(&mut Config::new(), &[100]).is_empty());
}
