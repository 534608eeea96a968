//! Exceptions across instances, through host functions, beside fuel and limits, and what is left of them.

use cellule::{
    Caller, Config, Engine, Error, ErrorKind, ExnRef, Extern, Func, FuncType, Global, GlobalType,
    Instance, Limits, Linker, Module, ResumableCall, Store, Tag, ThrownException, Trap, Val,
    ValType,
};

type Result<T> = cellule::Result<T>;

fn instance(store: &mut Store<()>, imports: &[Extern], text: &str) -> Instance {
    let wasm = wat::parse_str(text).expect("well-formed text");
    let module = Module::new(store.engine(), wasm).expect("a valid module");
    Instance::new(store, &module, imports).expect("instantiates")
}

fn call(store: &mut Store<()>, instance: Instance, name: &str, arg: i32) -> Result<i32> {
    let func = instance.get_typed_func::<i32, i32>(&*store, name)?;
    func.call(store, arg)
}

fn plain() -> Store<()> {
    Store::new(&Engine::default(), ())
}

/// Throws its argument with an exported tag.
const THROWER: &str = r#"(module
    (tag (export "tag") (param i32))
    (func (export "throw") (param i32) (result i32) (throw 0 (local.get 0))))"#;

/// Catches what `f` throws with the tag, and answers it plus 1.
const CATCHER: &str = r#"(module
    (import "" "tag" (tag $t (param i32)))
    (import "" "f" (func $f (param i32) (result i32)))
    (func (export "run") (param i32) (result i32)
      (block $h (result i32)
        (return (try_table (result i32) (catch $t $h) (call $f (local.get 0)))))
      (i32.add (i32.const 1))))"#;

#[test]
fn the_host_sees_what_no_guest_has_caught() {
    let mut store = plain();
    let thrower = instance(&mut store, &[], THROWER);
    let error = call(&mut store, thrower, "throw", 42).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exception);
    assert!(error.is::<ThrownException>());
    assert_eq!(error.to_string(), "uncaught exception");
    assert_eq!(error.frames().len(), 1);
    assert!(store.has_pending_exception());
    let exception = store.take_pending_exception().expect("it is pending");
    assert!(!store.has_pending_exception());
    let tag = thrower.get_tag(&store, "tag").expect("exported");
    assert_eq!(exception.tag(&store).unwrap(), tag);
    assert_eq!(exception.field(&store, 0).unwrap(), Val::I32(42));
    assert!(exception.field(&store, 1).is_err());
}

#[test]
fn an_exception_is_caught_in_another_instance_and_by_its_own_tag_only() {
    let mut store = plain();
    let thrower = instance(&mut store, &[], THROWER);
    let other = instance(&mut store, &[], THROWER);
    let item = |store: &Store<()>, of: Instance, name: &str| of.get_export(store, name).unwrap();
    let imports = [item(&store, thrower, "tag"), item(&store, thrower, "throw")];
    let catcher = instance(&mut store, &imports, CATCHER);
    assert_eq!(call(&mut store, catcher, "run", 41).unwrap(), 42);
    let imports = [item(&store, other, "tag"), item(&store, thrower, "throw")];
    let mistaken = instance(&mut store, &imports, CATCHER);
    let error = call(&mut store, mistaken, "run", 41).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exception);
    assert_eq!(error.frames().len(), 2, "{error:?}");
}

/// A catcher around a host function around a thrower.
fn sandwich(
    store: &mut Store<()>,
    host: impl Fn(Caller<'_, ()>, Func, i32) -> Result<i32> + Send + Sync + 'static,
) -> (Instance, Tag) {
    let thrower = instance(store, &[], THROWER);
    let throw = thrower.get_func(&*store, "throw").unwrap();
    let tag = thrower.get_tag(&*store, "tag").unwrap();
    let between = Func::wrap(&mut *store, move |caller: Caller<'_, ()>, arg: i32| {
        host(caller, throw, arg)
    });
    let imports = [Extern::Tag(tag), Extern::Func(between)];
    (instance(store, &imports, CATCHER), tag)
}

#[test]
fn a_host_function_lets_an_exception_pass() {
    let mut store = plain();
    let (catcher, _) = sandwich(&mut store, |mut caller, throw, arg| {
        throw.typed::<i32, i32>(&caller)?.call(&mut caller, arg * 2)
    });
    assert_eq!(call(&mut store, catcher, "run", 20).unwrap(), 41);
    assert!(!store.has_pending_exception());
}

#[test]
fn a_host_function_handles_an_exception() {
    let mut store = plain();
    let (catcher, _) = sandwich(&mut store, |mut caller, throw, arg| {
        let typed = throw.typed::<i32, i32>(&caller)?;
        let error = typed.call(&mut caller, arg).unwrap_err();
        assert!(error.is::<ThrownException>());
        let exception = caller.take_pending_exception().expect("pending");
        match exception.field(&caller, 0)? {
            Val::I32(value) => Ok(value + 100),
            other => Err(Error::msg(format!("{other:?}"))),
        }
    });
    assert_eq!(call(&mut store, catcher, "run", 5).unwrap(), 105);
}

#[test]
fn a_host_function_throws_an_exception_of_its_own() {
    let mut store = plain();
    let ty = FuncType::new([ValType::I32], []);
    let tag = Tag::new(&mut store, ty).unwrap();
    let host = Func::wrap(&mut store, move |mut caller: Caller<'_, ()>, arg: i32| {
        let exception = ExnRef::new(&mut caller, &tag, &[Val::I32(arg + 7)])?;
        caller.throw::<i32>(exception)
    });
    let imports = [Extern::Tag(tag), Extern::Func(host)];
    let catcher = instance(&mut store, &imports, CATCHER);
    assert_eq!(call(&mut store, catcher, "run", 1).unwrap(), 9);
    // Called by nobody, it is the host's own error.
    let error = host.typed::<i32, i32>(&store).unwrap();
    let error = error.call(&mut store, 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exception);
    let fields = [Val::I64(1)];
    assert!(ExnRef::new(&mut store, &tag, &fields).is_err());
    assert!(Tag::new(&mut store, FuncType::new([], [ValType::I32])).is_err());
}

#[test]
fn other_errors_of_host_functions_are_not_caught() {
    let mut store = plain();
    let (catcher, _) = sandwich(&mut store, |_, _, _| Err(Error::msg("no exception")));
    let error = call(&mut store, catcher, "run", 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Host);
}

#[test]
fn a_tail_call_gives_up_its_handlers() {
    let mut store = plain();
    let text = r#"(module
        (tag $t (param i32))
        (func $throw (param i32) (result i32) (throw $t (local.get 0)))
        (func $tail (param i32) (result i32)
          (block $h (result i32)
            (try_table (catch $t $h) (return_call $throw (local.get 0)))
            (unreachable)))
        (func (export "run") (param i32) (result i32)
          (block $h (result i32)
            (return (try_table (result i32) (catch $t $h) (call $tail (local.get 0)))))
          (i32.add (i32.const 1000))))"#;
    let tail = instance(&mut store, &[], text);
    assert_eq!(call(&mut store, tail, "run", 1).unwrap(), 1001);
}

/// Recurses as deep as the argument says, then throws.
const DEEP: &str = r#"(module
    (tag $t (param i64 f64))
    (func $down (param i32) (result i32)
      (if (i32.eqz (local.get 0))
        (then (throw $t (i64.const 7) (f64.const 35))))
      (i32.add (call $down (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
    (func (export "run") (param i32) (result i32)
      (block $h (result i64 f64)
        (return (try_table (result i32) (catch $t $h) (call $down (local.get 0)))))
      (local.set 0 (i32.trunc_f64_s))
      (i32.add (i32.wrap_i64) (local.get 0))))"#;

#[test]
fn unwinding_many_frames_takes_no_native_stack() {
    let run = || {
        let mut store = plain();
        let deep = instance(&mut store, &[], DEEP);
        call(&mut store, deep, "run", 60_000)
    };
    let thread = std::thread::Builder::new().stack_size(512 << 10);
    let result = thread.spawn(run).unwrap().join().unwrap();
    assert_eq!(result.unwrap(), 42);
}

/// Catches by reference as often as the argument says; each exception carries another number.
const GARBAGE: &str = r#"(module
    (tag $t (param i32))
    (global $kept (export "kept") (mut exnref) (ref.null exn))
    (table $all (export "all") 4 exnref)
    (func $caught (param i32) (result exnref) (local $e exnref)
      (block $h (result i32 exnref)
        (try_table (catch_ref $t $h) (throw $t (local.get 0)))
        (unreachable))
      (local.set $e) (drop) (local.get $e))
    (func (export "run") (param $n i32) (result i32) (local $first exnref)
      (local.set $first (call $caught (i32.const -1)))
      (global.set $kept (call $caught (i32.const -2)))
      (table.set $all (i32.const 3) (call $caught (i32.const -3)))
      (loop $again
        (drop (call $caught (local.get $n)))
        (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (block $h (result i32)
        (try_table (catch $t $h) (throw_ref (local.get $first)))
        (unreachable)))
    (func (export "keep") (param $n i32) (result i32)
      (if (local.get $n)
        (then (drop (call $held (local.get $n) (call $caught (local.get $n))))))
      (local.get $n))
    (func $held (param $n i32) (param $e exnref) (result i32)
      (if (i32.eqz (local.get $n)) (then (return (i32.const 0))))
      (call $held (i32.sub (local.get $n) (i32.const 1)) (call $caught (local.get $n)))))"#;

fn limited(bytes: usize) -> Store<()> {
    let mut store = plain();
    let limits = Limits {
        exception_bytes: bytes,
        ..Limits::default()
    };
    store.set_limits(limits);
    store
}

#[test]
fn what_nothing_refers_to_is_freed_and_the_rest_is_kept() {
    let mut store = limited(16 << 10);
    let garbage = instance(&mut store, &[], GARBAGE);
    assert_eq!(call(&mut store, garbage, "run", 100_000).unwrap(), -1);
    let kept = garbage.get_global(&store, "kept").unwrap();
    let Val::ExnRef(Some(kept)) = kept.get(&store) else {
        panic!("an exception");
    };
    assert_eq!(kept.field(&store, 0).unwrap(), Val::I32(-2));
    let all = garbage.get_table(&store, "all").unwrap();
    let Some(Val::ExnRef(Some(element))) = all.get(&store, 3) else {
        panic!("an exception");
    };
    assert_eq!(element.field(&store, 0).unwrap(), Val::I32(-3));
    assert_eq!(all.get(&store, 0), Some(Val::ExnRef(None)));
}

#[test]
fn exceptions_that_are_all_needed_are_limited() {
    let mut store = limited(16 << 10);
    let garbage = instance(&mut store, &[], GARBAGE);
    assert_eq!(call(&mut store, garbage, "keep", 50).unwrap(), 50);
    let error = call(&mut store, garbage, "keep", 5_000).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::TooManyExceptions));
    assert_eq!(call(&mut store, garbage, "keep", 50).unwrap(), 50);
}

#[test]
fn the_host_notices_that_an_exception_is_gone_and_keeps_one_in_a_global() {
    let mut store = limited(16 << 10);
    let tag = Tag::new(&mut store, FuncType::new([ValType::I32], [])).unwrap();
    let lost = ExnRef::new(&mut store, &tag, &[Val::I32(1)]).unwrap();
    let kept = ExnRef::new(&mut store, &tag, &[Val::I32(2)]).unwrap();
    let ty = GlobalType {
        content: ValType::ExnRef,
        mutable: false,
    };
    Global::new(&mut store, ty, Val::ExnRef(Some(kept))).unwrap();
    let garbage = instance(&mut store, &[], GARBAGE);
    call(&mut store, garbage, "run", 1_000).unwrap();
    assert_eq!(kept.field(&store, 0).unwrap(), Val::I32(2));
    assert_eq!(lost.field(&store, 0).unwrap_err().kind(), ErrorKind::Type);
    assert!(store.throw::<()>(lost).is_err());
}

#[test]
fn outer_calls_and_suspended_ones_keep_their_exceptions() {
    let text = r#"(module
        (import "" "host" (func $host))
        (tag $t (param i32))
        (func (export "run") (param i32) (result i32) (local $e exnref)
          (block $h (result i32 exnref)
            (try_table (catch_ref $t $h) (throw $t (local.get 0)))
            (unreachable))
          (local.set $e) (drop)
          (call $host)
          (block $h (result i32)
            (try_table (catch $t $h) (throw_ref (local.get $e)))
            (unreachable))))"#;
    let mut store = limited(16 << 10);
    let garbage = instance(&mut store, &[], GARBAGE);
    let host = Func::wrap(&mut store, move |mut caller: Caller<'_, ()>| {
        let run = garbage.get_typed_func::<i32, i32>(&caller, "run")?;
        assert_eq!(run.call(&mut caller, 1_000)?, -1);
        Ok(())
    });
    let outer = instance(&mut store, &[Extern::Func(host)], text);
    assert_eq!(call(&mut store, outer, "run", 77).unwrap(), 77);

    let failing = Func::wrap(&mut store, || -> Result<()> { Err(Error::msg("later")) });
    let suspended = instance(&mut store, &[Extern::Func(failing)], text);
    let run = suspended.get_func(&store, "run").unwrap();
    let mut results = [Val::I32(0)];
    let called = run.call_resumable(&mut store, &[Val::I32(78)], &mut results);
    let ResumableCall::HostTrap(call_) = called.unwrap() else {
        panic!("it waits for the host");
    };
    assert_eq!(call(&mut store, garbage, "run", 1_000).unwrap(), -1);
    assert!(matches!(
        call_.resume(&mut store, &[], &mut results).unwrap(),
        ResumableCall::Finished
    ));
    assert_eq!(results, [Val::I32(78)]);
}

#[test]
fn a_loop_around_a_handler_uses_fuel_and_can_be_resumed() {
    let text = r#"(module
        (tag $t)
        (func (export "run") (param $n i32) (result i32) (local $count i32)
          (block $done
            (loop $again
              (br_if $done (i32.eqz (local.get $n)))
              (local.set $n (i32.sub (local.get $n) (i32.const 1)))
              (local.set $count (i32.add (local.get $count) (i32.const 1)))
              (try_table (catch $t $again) (throw $t))))
          (local.get $count))
        (func (export "forever")
          (loop $again (try_table (catch_all $again) (throw $t)))))"#;
    let mut fuels = Vec::new();
    for fast in [false, true] {
        let mut config = Config::new();
        config.consume_fuel(true).fast_tier(fast);
        let mut store = Store::new(&Engine::new(&config).unwrap(), ());
        let looping = instance(&mut store, &[], text);
        store.set_fuel(10_000).unwrap();
        let forever = looping.get_typed_func::<(), ()>(&store, "forever").unwrap();
        let error = forever.call(&mut store, ()).unwrap_err();
        assert_eq!(error.trap(), Some(Trap::OutOfFuel));
        store.set_fuel(1_000_000).unwrap();
        assert_eq!(call(&mut store, looping, "run", 1_000).unwrap(), 1_000);
        fuels.push(store.get_fuel().unwrap());
        store.set_fuel(10).unwrap();
        let run = looping.get_func(&store, "run").unwrap();
        let mut results = [Val::I32(0)];
        let mut called = run
            .call_resumable(&mut store, &[Val::I32(1_000)], &mut results)
            .unwrap();
        let mut stops = 0;
        while let ResumableCall::OutOfFuel(call) = called {
            stops += 1;
            store.add_fuel(call.required_fuel().max(10)).unwrap();
            called = call.resume(&mut store, &mut results).unwrap();
        }
        assert!(stops > 100, "{stops}");
        assert_eq!(results, [Val::I32(1_000)]);
    }
    assert_eq!(fuels[0], fuels[1], "the tiers use the same");
    assert!(fuels[0] <= 1_000_000 - 5_000, "{fuels:?}");
}

#[test]
fn calls_of_the_function_itself_are_what_handlers_may_return_from() {
    let mut store = plain();
    let text = r#"(module
        (tag $t (param i32 i64))
        (func $pair (param i32) (result i32 i64)
          (try_table (catch $t 0) (throw $t (local.get 0) (i64.const 5)))
          (unreachable))
        (func (export "run") (param i32) (result i32)
          (call $pair (local.get 0))
          (i32.wrap_i64) (i32.add)))"#;
    let returning = instance(&mut store, &[], text);
    assert_eq!(call(&mut store, returning, "run", 37).unwrap(), 42);
}

#[test]
fn a_reference_to_no_exception_can_not_be_thrown() {
    let mut store = plain();
    let text = r#"(module (func (export "run") (param i32) (result i32)
        (throw_ref (ref.null exn))))"#;
    let null = instance(&mut store, &[], text);
    let error = call(&mut store, null, "run", 1).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::NullException));
    let linker = Linker::<()>::new(store.engine());
    let wasm = wat::parse_str(r#"(module (import "" "t" (tag (param i32))))"#).unwrap();
    let module = Module::new(store.engine(), wasm).unwrap();
    let error = linker.instantiate(&mut store, &module).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Link);
    let other = Tag::new(&mut store, FuncType::new([ValType::I64], [])).unwrap();
    let error = Instance::new(&mut store, &module, &[Extern::Tag(other)]).unwrap_err();
    assert!(
        error.to_string().contains("incompatible import type"),
        "{error}"
    );
}
