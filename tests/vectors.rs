//! Vectors wherever values go: through calls of every kind, the host, blocks, globals, exceptions and
//! memories, beside scalars, on both tiers, with fuel and without.

use cellule::component::{Component, Linker};
use cellule::{
    Caller, Config, Engine, Error, ExnRef, Extern, Func, FuncType, Global, GlobalType, Instance,
    Module, Mutability, ResumableCall, Store, Tag, V128, Val, ValType,
};

/// Runs `test` on engines that differ in nothing that a program can see.
fn on_each(test: impl Fn(Store<Vec<V128>>)) {
    for (fast, fuel, lazy) in [
        (false, false, false),
        (true, false, false),
        (false, true, true),
        (true, true, true),
    ] {
        let mut config = Config::new();
        config.fast_tier(fast).consume_fuel(fuel);
        config.lazy_validation(lazy);
        let engine = Engine::new(&config).unwrap();
        let mut store = Store::new(&engine, Vec::new());
        if fuel {
            store.set_fuel(1_000_000).unwrap();
        }
        test(store);
    }
}

fn instance<T>(store: &mut Store<T>, imports: &[Extern], text: &str) -> Instance {
    let wasm = wat::parse_str(text).expect("well-formed text");
    let module = Module::new(store.engine(), wasm).expect("a valid module");
    Instance::new(store, &module, imports).expect("instantiates")
}

/// A vector whose halves and lanes all differ.
fn vector(seed: u64) -> V128 {
    let high = u128::from(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    V128::from(high << 64 | u128::from(seed))
}

fn call<T>(store: &mut Store<T>, instance: Instance, name: &str, args: &[Val]) -> Vec<Val> {
    let func = instance.get_func(&*store, name).expect("it is exported");
    let mut results = vec![Val::I32(0); func.ty(&*store).results().len()];
    func.call(store, args, &mut results).expect("no trap");
    results
}

#[test]
fn the_host_calls_with_vectors_among_scalars_and_is_called_so() {
    on_each(|mut store| {
        let seen = Func::wrap(
            &mut store,
            |mut caller: Caller<'_, Vec<V128>>, x: i32, a: V128, y: f64, b: V128| {
                caller.data_mut().extend([a, b]);
                (b, i64::from(x) + y as i64, a)
            },
        );
        let ty = FuncType::new([ValType::V128, ValType::I32], [ValType::I32, ValType::V128]);
        let twice = Func::new(&mut store, ty, |_, given, results| {
            let vector = given[0].unwrap_v128().as_u128();
            results[0] = Val::I32(given[1].unwrap_i32() * 2);
            results[1] = Val::V128(V128::from(vector.rotate_left(32)));
            Ok(())
        });
        let text = r#"(module
            (import "" "seen" (func $seen (param i32 v128 f64 v128) (result v128 i64 v128)))
            (import "" "twice" (func $twice (param v128 i32) (result i32 v128)))
            (func (export "seen") (param i32 v128 f64 v128) (result v128 i64 v128)
                (call $seen (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
            (func (export "twice") (param v128 i32) (result v128)
                (local v128)
                (call $twice (local.get 0) (local.get 1))
                (local.set 2)
                (i32x4.splat)
                (v128.xor (local.get 2)))
            (func (export "tail") (param v128 i32) (result i32 v128)
                (return_call $twice (local.get 0) (local.get 1))))"#;
        let guest = instance(&mut store, &[seen.into(), twice.into()], text);
        let (a, b) = (vector(7), vector(9));
        let typed = guest
            .get_typed_func::<(i32, V128, f64, V128), (V128, i64, V128)>(&store, "seen")
            .unwrap();
        assert_eq!(typed.call(&mut store, (40, a, 2.0, b)).unwrap(), (b, 42, a));
        assert_eq!(store.data(), &[a, b]);
        let args = [Val::V128(a), Val::I32(21)];
        let rotated = a.as_u128().rotate_left(32);
        let splat = u128::from(42u32) * 0x0000_0001_0000_0001_0000_0001_0000_0001;
        assert_eq!(
            call(&mut store, guest, "twice", &args),
            [Val::V128(V128::from(rotated ^ splat))]
        );
        assert_eq!(
            call(&mut store, guest, "tail", &args),
            [Val::I32(42), Val::V128(V128::from(rotated))]
        );
        let alone = guest.get_typed_func::<V128, V128>(&store, "twice");
        assert!(alone.is_err(), "another type");
    });
}

#[test]
fn globals_of_vectors_have_cells_of_their_own() {
    on_each(|mut store| {
        let ty = |content| GlobalType::new(content, Mutability::Var);
        let before = Global::new(&mut store, ty(ValType::I64), Val::I64(-1)).unwrap();
        let shared = Global::new(&mut store, ty(ValType::V128), Val::V128(vector(1))).unwrap();
        let after = Global::new(&mut store, ty(ValType::I64), Val::I64(-2)).unwrap();
        let fixed = GlobalType::new(ValType::V128, Mutability::Const);
        let fixed = Global::new(&mut store, fixed, Val::V128(vector(2))).unwrap();
        assert!(shared.set(&mut store, Val::I64(0)).is_err());
        assert!(before.set(&mut store, Val::V128(vector(3))).is_err());
        let text = r#"(module
            (import "" "shared" (global $shared (mut v128)))
            (import "" "fixed" (global $fixed v128))
            (global $number (mut i64) (i64.const 5))
            (global $own (export "own") (mut v128) (v128.const i64x2 10 11))
            (global $copy (export "copy") v128 (global.get $fixed))
            (global $last (mut i32) (i32.const 6))
            (func (export "swap")
                (global.get $own)
                (global.set $own (global.get $shared))
                (global.set $shared))
            (func (export "scalars") (result i64 i32) (global.get $number) (global.get $last))
            (func (export "sum") (result v128)
                (i64x2.add (global.get $copy) (global.get $own))))"#;
        let guest = instance(&mut store, &[shared.into(), fixed.into()], text);
        let own = guest.get_global(&store, "own").unwrap();
        assert_eq!(own.get(&store), Val::V128(V128::from(11 << 64 | 10)));
        call(&mut store, guest, "swap", &[]);
        assert_eq!(own.get(&store), Val::V128(vector(1)));
        assert_eq!(shared.get(&store), Val::V128(V128::from(11 << 64 | 10)));
        own.set(&mut store, Val::V128(V128::from(3 << 64 | 1)))
            .unwrap();
        let copy = guest.get_global(&store, "copy").unwrap().get(&store);
        assert_eq!(copy, Val::V128(vector(2)));
        let half = |v: V128, at: u32| (v.as_u128() >> (64 * at)) as u64;
        let sum = [0, 1].map(|at| half(vector(2), at).wrapping_add(1 + 2 * u64::from(at)));
        assert_eq!(
            call(&mut store, guest, "sum", &[]),
            [Val::V128(V128::from(
                u128::from(sum[0]) | u128::from(sum[1]) << 64
            ))]
        );
        assert_eq!(
            call(&mut store, guest, "scalars", &[]),
            [Val::I64(5), Val::I32(6)]
        );
        assert_eq!(
            [before.get(&store), after.get(&store)],
            [Val::I64(-1), Val::I64(-2)]
        );
    });
}

#[test]
fn labels_carry_vectors_beside_scalars() {
    on_each(|mut store| {
        let text = r#"(module
            ;; The vectors change places in each round; the count goes down.
            (func (export "rounds") (param i32 v128 v128) (result v128 v128)
                (local.get 1) (local.get 2) (local.get 0)
                (loop $again (param v128 v128 i32) (result v128 v128)
                    (local.set 0) (local.set 1) (local.set 2)
                    (local.get 1) (local.get 2)
                    (i32.sub (local.get 0) (i32.const 1))
                    (local.tee 0)
                    (br_if $again (local.get 0))
                    (drop)))
            (func (export "choose") (param i32) (result v128 i32)
                (block $two (result v128 i32)
                    (block $one (result v128)
                        (v128.const i64x2 1 2)
                        (block $zero (param v128) (result v128 i32)
                            (i32.const 7)
                            (local.get 0)
                            (if (param v128 i32) (result v128 i32)
                                (then (br_if 1 (i32.eq (local.get 0) (i32.const 3))) (br $two))
                                (else (drop) (br $one))))
                        (i32.const 1) (i32.add)
                        (br $two))
                    (i32.const 100)))
            (func (export "table") (param i32 v128) (result v128)
                (block $a (result v128) (block $b (result v128) (block $c (result v128)
                    (i32x4.splat (local.get 0))
                    (local.get 1)
                    (br_table $a $b $c (local.get 0)))
                    (return (v128.not)))
                    (return (i32x4.neg)))
                )
            ;; An old value of a local stays what it was on the stack.
            (func (export "kept") (param v128 v128) (result v128 v128)
                (local.get 0) (local.get 1)
                (local.set 0 (v128.const i64x2 0 0))
                (local.set 1 (i64x2.add (local.get 0) (local.get 1)))
                (drop)
                (local.get 1))
            (func (export "select") (param v128 v128 i32) (result v128)
                (select (result v128)
                    (select (local.get 0) (local.get 1) (local.get 2))
                    (v128.const i64x2 5 6)
                    (i32.lt_s (local.get 2) (i32.const 2)))))"#;
        let guest = instance(&mut store, &[], text);
        let (a, b) = (Val::V128(vector(3)), Val::V128(vector(4)));
        let mut run = |name: &str, args: &[Val]| call(&mut store, guest, name, args);
        assert_eq!(run("rounds", &[Val::I32(5), a, b]), [b, a]);
        assert_eq!(run("rounds", &[Val::I32(6), a, b]), [a, b]);
        let constant = Val::V128(V128::from(2 << 64 | 1));
        assert_eq!(run("choose", &[Val::I32(0)]), [constant, Val::I32(100)]);
        assert_eq!(run("choose", &[Val::I32(1)]), [constant, Val::I32(7)]);
        assert_eq!(run("choose", &[Val::I32(3)]), [constant, Val::I32(8)]);
        assert_eq!(run("table", &[Val::I32(0), a]), [a]);
        let not = !vector(3).as_u128();
        assert_eq!(
            run("table", &[Val::I32(9), a]),
            [Val::V128(V128::from(not))]
        );
        assert_eq!(run("kept", &[a, b]), [a, b]);
        let other = Val::V128(V128::from(6 << 64 | 5));
        for (by, chosen) in [(0, b), (1, a), (2, other)] {
            assert_eq!(run("select", &[a, b, Val::I32(by)]), [chosen]);
        }
    });
}

/// Halves of `f(a, n, b) = (b, n, a)`, called in every way that there is.
const CALLS: &str = r#"(module
    (type $f (func (param v128 i32 v128) (result v128 i32 v128)))
    (import "" "f" (func $far (type $f)))
    (table funcref (elem $near $far))
    (elem declare func $near)
    (func $near (type $f) (local.get 2) (local.get 1) (local.get 0))
    (func (export "direct") (type $f)
        (call $near (local.get 0) (local.get 1) (local.get 2)))
    (func (export "far") (type $f)
        (call $far (local.get 0) (local.get 1) (local.get 2)))
    (func (export "indirect") (type $f)
        (call_indirect (type $f) (local.get 0) (local.get 1) (local.get 2) (i32.and (local.get 1) (i32.const 1))))
    (func (export "by reference") (type $f)
        (call_ref $f (local.get 0) (local.get 1) (local.get 2) (ref.func $near)))
    (func (export "tail") (type $f)
        (return_call $near (local.get 0) (local.get 1) (local.get 2)))
    (func (export "far tail") (type $f)
        (return_call $far (local.get 0) (local.get 1) (local.get 2)))
    (func (export "indirect tail") (type $f)
        (return_call_indirect (type $f) (local.get 0) (local.get 1) (local.get 2) (i32.const 1)))
    (func (export "twice") (type $f)
        (call $near (call $far (local.get 0) (local.get 1) (local.get 2)))))"#;

#[test]
fn every_kind_of_call_takes_and_returns_vectors() {
    on_each(|mut store| {
        let other = r#"(module (func (export "f") (param v128 i32 v128) (result v128 i32 v128)
            (local.get 2) (local.get 1) (local.get 0)))"#;
        let other = instance(&mut store, &[], other);
        let far = other.get_func(&store, "f").unwrap();
        let guest = instance(&mut store, &[far.into()], CALLS);
        let (a, b) = (Val::V128(vector(5)), Val::V128(vector(6)));
        let names = [
            "direct",
            "far",
            "indirect",
            "by reference",
            "tail",
            "far tail",
            "indirect tail",
        ];
        for number in [2, 3] {
            let n = Val::I32(number);
            for name in names {
                assert_eq!(
                    call(&mut store, guest, name, &[a, n, b]),
                    [b, n, a],
                    "{name}"
                );
            }
            assert_eq!(call(&mut store, guest, "twice", &[a, n, b]), [a, n, b]);
        }
    });
}

#[test]
fn exceptions_carry_vectors() {
    on_each(|mut store| {
        let types = [ValType::I32, ValType::V128, ValType::I64];
        let tag = Tag::new(&mut store, FuncType::new(types, [])).unwrap();
        let thrower = Func::wrap(
            &mut store,
            move |mut caller: Caller<'_, Vec<V128>>, x: V128| {
                let fields = [Val::I32(1), Val::V128(x), Val::I64(2)];
                let exception = ExnRef::new(&mut caller, &tag, &fields)?;
                caller.throw::<()>(exception)
            },
        );
        let text = r#"(module
            (import "" "tag" (tag $t (param i32 v128 i64)))
            (import "" "throw" (func $throw (param v128)))
            (func (export "own") (param v128) (throw $t (i32.const 3) (local.get 0) (i64.const 4)))
            (func $own (param v128) (throw $t (i32.const 5) (local.get 0) (i64.const 6)))
            (func (export "caught") (param v128 i32) (result i32 v128 i64)
                (block $h (result i32 v128 i64)
                    (try_table (catch $t $h)
                        (if (local.get 1)
                            (then (call $throw (local.get 0)))
                            (else (call $own (local.get 0)))))
                    (unreachable)))
            (func (export "again") (param v128) (result v128)
                (local exnref)
                (block $outer (result i32 v128 i64)
                    (block $h (result i32 v128 i64 exnref)
                        (try_table (catch_ref $t $h) (call $own (local.get 0)))
                        (unreachable))
                    (local.set 1) (drop) (drop) (drop)
                    (try_table (catch $t $outer) (throw_ref (local.get 1)))
                    (unreachable))
                (drop) (local.set 0) (drop) (local.get 0)))"#;
        let guest = instance(&mut store, &[tag.into(), thrower.into()], text);
        let x = Val::V128(vector(8));
        for (by_host, first, last) in [(1, 1, 2), (0, 5, 6)] {
            assert_eq!(
                call(&mut store, guest, "caught", &[x, Val::I32(by_host)]),
                [Val::I32(first), x, Val::I64(last)]
            );
        }
        assert_eq!(call(&mut store, guest, "again", &[x]), [x]);
        let own = guest.get_typed_func::<V128, ()>(&store, "own").unwrap();
        own.call(&mut store, vector(8)).unwrap_err();
        let exception = store
            .take_pending_exception()
            .expect("nothing has caught it");
        assert_eq!(
            exception.fields(&store).unwrap(),
            [Val::I32(3), x, Val::I64(4)]
        );
    });
}

#[test]
fn a_call_goes_on_with_vectors_in_a_failed_host_functions_stead() {
    on_each(|mut store| {
        let fails = Func::wrap(&mut store, |_: V128| -> cellule::Result<(V128, i32)> {
            Err(Error::msg("not today"))
        });
        let text = r#"(module
            (import "" "f" (func $f (param v128) (result v128 i32)))
            (func (export "run") (param v128) (result v128)
                (call $f (local.get 0))
                (drop)
                (v128.xor (local.get 0))))"#;
        let guest = instance(&mut store, &[fails.into()], text);
        let run = guest.get_func(&store, "run").unwrap();
        let mut results = [Val::I32(0)];
        let args = [Val::V128(vector(1))];
        let call = run.call_resumable(&mut store, &args, &mut results).unwrap();
        let ResumableCall::HostTrap(call) = call else {
            panic!("the host function fails");
        };
        let inputs = [Val::V128(vector(2)), Val::I32(0)];
        let call = call.resume(&mut store, &inputs, &mut results).unwrap();
        assert!(matches!(call, ResumableCall::Finished));
        let expected = vector(1).as_u128() ^ vector(2).as_u128();
        assert_eq!(results, [Val::V128(V128::from(expected))]);
    });
}

#[test]
fn loads_and_stores_reach_every_memory_and_check_every_byte() {
    on_each(|mut store| {
        let text = r#"(module
            (memory $plain 1)
            (memory $long i64 1)
            (memory $bytes 20 (pagesize 1))
            (func (export "plain") (param i32 v128) (result v128)
                (v128.store offset=16 (local.get 0) (local.get 1))
                (v128.load offset=16 (local.get 0)))
            (func (export "long") (param i64 v128) (result v128)
                (v128.store $long offset=65500 (local.get 0) (local.get 1))
                (v128.load $long offset=65500 (local.get 0)))
            (func (export "bytes") (param i32 v128) (result v128)
                (v128.store $bytes (local.get 0) (local.get 1))
                (v128.store32_lane $bytes offset=2 2 (local.get 0) (local.get 1))
                (v128.load16_lane $bytes offset=1 7 (local.get 0) (v128.load $bytes (local.get 0))))
            (func (export "far") (param i32) (result v128)
                (v128.load8x8_u offset=70000 (local.get 0)))
            (func (export "splat") (param i32) (result v128)
                (v128.load64_splat (local.get 0))))"#;
        let guest = instance(&mut store, &[], text);
        let x = vector(0x0123_4567_89ab_cdef);
        let mut run = |name: &str, at: Val, x: Option<V128>| {
            let func = guest.get_func(&store, name).unwrap();
            let args: Vec<Val> = [at].into_iter().chain(x.map(Val::V128)).collect();
            let mut results = [Val::I32(0)];
            let done = func.call(&mut store, &args, &mut results);
            done.map(|()| results[0].unwrap_v128()).ok()
        };
        assert_eq!(run("plain", Val::I32(65_504), Some(x)), Some(x));
        assert_eq!(run("plain", Val::I32(65_505), Some(x)), None);
        assert_eq!(run("plain", Val::I32(-1), Some(x)), None);
        assert_eq!(run("long", Val::I64(20), Some(x)), Some(x));
        assert_eq!(run("long", Val::I64(21), Some(x)), None);
        // Addresses have no sign and don't wrap.
        assert_eq!(run("long", Val::I64(-65_500), Some(x)), None);
        let mut bytes = x.as_u128().to_le_bytes();
        let lane: [u8; 4] = bytes[8..12].try_into().unwrap();
        bytes[2..6].copy_from_slice(&lane);
        let pair: [u8; 2] = bytes[1..3].try_into().unwrap();
        bytes[14..].copy_from_slice(&pair);
        let expected = Some(V128::from(u128::from_le_bytes(bytes)));
        assert_eq!(run("bytes", Val::I32(4), Some(x)), expected);
        assert_eq!(run("bytes", Val::I32(5), Some(x)), None);
        assert_eq!(run("far", Val::I32(0), None), None);
        assert!(run("splat", Val::I32(65_528), None).is_some());
        assert_eq!(run("splat", Val::I32(65_529), None), None);
    });
}

/// The sum of squares of a list of `f32`, four at a time.
const COMPONENT: &str = r#"(component
    (core module $helper
        (func (export "square") (param v128) (result v128)
            (f32x4.mul (local.get 0) (local.get 0))))
    (core module $main
        (import "" "square" (func $square (param v128) (result v128)))
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
        (func (export "sum") (param $at i32) (param $count i32) (result f32)
            (local $sum v128)
            (block $done
                (loop $next
                    (br_if $done (i32.lt_u (local.get $count) (i32.const 4)))
                    (local.set $sum (f32x4.add (local.get $sum)
                        (call $square (v128.load (local.get $at)))))
                    (local.set $at (i32.add (local.get $at) (i32.const 16)))
                    (local.set $count (i32.sub (local.get $count) (i32.const 4)))
                    (br $next)))
            (f32.add
                (f32.add (f32x4.extract_lane 0 (local.get $sum)) (f32x4.extract_lane 1 (local.get $sum)))
                (f32.add (f32x4.extract_lane 2 (local.get $sum)) (f32x4.extract_lane 3 (local.get $sum))))))
    (core instance $helper (instantiate $helper))
    (core instance $main (instantiate $main (with "" (instance $helper))))
    (func (export "sum") (param "list" (list f32)) (result f32)
        (canon lift (core func $main "sum")
            (memory (core memory $main "memory")) (realloc (core func $main "realloc")))))"#;

#[test]
fn components_use_vectors_inside() {
    on_each(|mut store| {
        let wasm = wat::parse_str(COMPONENT).expect("well-formed text");
        let component = Component::new(store.engine(), wasm).expect("a valid component");
        let linker = Linker::new(store.engine());
        let instance = linker.instantiate(&mut store, &component).unwrap();
        let sum = instance
            .get_typed_func::<(Vec<f32>,), (f32,)>(&mut store, "sum")
            .unwrap();
        let list = (1..=8).map(|x| x as f32).collect();
        assert_eq!(sum.call(&mut store, (list,)).unwrap(), (204.0,));
    });
}

#[test]
fn operators_on_vectors_cost_what_others_do_and_constants_nothing() {
    let text = r#"(module (func (export "run") (result i32)
        (i32x4.extract_lane 1
            (i32x4.add (v128.const i32x4 1 2 3 4) (v128.const i32x4 5 6 7 8)))))"#;
    for fast in [false, true] {
        let mut config = Config::new();
        let engine = Engine::new(config.consume_fuel(true).fast_tier(fast)).unwrap();
        let mut store = Store::new(&engine, ());
        store.set_fuel(100).unwrap();
        let guest = instance(&mut store, &[], text);
        assert_eq!(call(&mut store, guest, "run", &[]), [Val::I32(8)]);
        assert_eq!(store.get_fuel().unwrap(), 98);
    }
}

#[test]
fn code_for_vectors_can_be_read() {
    let text = r#"(module (memory 1) (func (param v128 i32) (result v128)
        (local v128)
        (local.set 2 (i32x4.add (local.get 0) (v128.load offset=4 (local.get 1))))
        (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
            (local.get 2) (i8x16.replace_lane 3 (local.get 0) (local.get 1)))))"#;
    let wasm = wat::parse_str(text).unwrap();
    let module = Module::new(&Engine::default(), wasm).unwrap();
    let code = module.disassemble(0).unwrap();
    for line in [
        "v128.load.Ss s7:2 s2 +4",
        // Into the local itself.
        "i32x4.add s3:2 s0:2 s7:2",
        "i8x16.replace_lane s7:2 s0:2 s2 lane 3",
        "i8x16.shuffle s5:2 s3:2 s7:2 #0x0706050403020100 #0x0f0e0d0c0b0a0908",
    ] {
        assert!(code.contains(line), "`{line}` is not in\n{code}");
    }
}
