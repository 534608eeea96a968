//! The embedder's API for core modules, used as wasmtime's and wasmi's are.

use cellule::{
    AsContextMut, Caller, Engine, ErrorKind, Extern, ExternRef, Func, FuncType, Global, GlobalType,
    Instance, Linker, Memory, MemoryType, Module, Result, Store, Table, TableType, Trap, Val,
    ValType,
};

fn module(engine: &Engine, text: &str) -> Module {
    Module::new(engine, wat::parse_str(text).expect("well-formed text")).expect("a valid module")
}

fn instance<T>(store: &mut Store<T>, text: &str) -> Instance {
    let module = module(store.engine(), text);
    Instance::new(store, &module, &[]).expect("no imports")
}

/// Works with a store, a caller, or whatever stands for one.
fn double(mut store: impl AsContextMut<Data = u32>, func: Func) -> Result<i32> {
    *store.as_context_mut().data_mut() += 1;
    assert_eq!(*store.as_context().data(), 1);
    func.typed::<i32, i32>(&store)?.call(&mut store, 21)
}

#[test]
fn typed_functions_take_and_return_single_values_and_tuples() {
    let mut store = Store::new(&Engine::default(), 0);
    let text = r#"(module
        (func (export "swap") (param i32 i64) (result i64 i32) local.get 1 local.get 0)
        (func (export "double") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
        (func (export "nothing"))
        (func (export "floats") (param f32 f64) (result f64)
            (f64.add (f64.promote_f32 (local.get 0)) (local.get 1))))"#;
    let instance = instance(&mut store, text);
    let swap = instance
        .get_typed_func::<(i32, u64), (i64, u32)>(&store, "swap")
        .unwrap();
    assert_eq!(swap.call(&mut store, (-1, 7)).unwrap(), (7, u32::MAX));
    let nothing = instance
        .get_typed_func::<(), ()>(&store, "nothing")
        .unwrap();
    nothing.call(&mut store, ()).unwrap();
    let floats = instance.get_func(&store, "floats").unwrap();
    let floats = floats.typed::<(f32, f64), f64>(&store).unwrap();
    assert_eq!(floats.call(&mut store, (0.5, 2.0)).unwrap(), 2.5);
    let func = instance.get_func(&store, "double").unwrap();
    assert_eq!(double(&mut store, func).unwrap(), 42);
    let wrong = func.typed::<i64, i32>(&store).unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Type);
    assert!(instance.get_typed_func::<(), ()>(&store, "none").is_err());
}

#[test]
fn functions_with_more_slots_than_the_fixed_room_work() {
    let mut store = Store::new(&Engine::default(), ());
    let params = "i64 ".repeat(40);
    let gets: String = (0..40).map(|at| format!("local.get {at} ")).collect();
    let text = format!(
        r#"(module
            (import "" "many" (func $many (param {params}) (result {params})))
            (func (export "many") (param {params}) (result {params}) {gets} call $many))"#
    );
    let module = module(store.engine(), &text);
    let ty = FuncType::new([ValType::I64; 40], [ValType::I64; 40]);
    let many = Func::new(&mut store, ty, |_, args, results| {
        for (arg, result) in args.iter().rev().zip(results) {
            *result = *arg;
        }
        Ok(())
    });
    let instance = Instance::new(&mut store, &module, &[many.into()]).unwrap();
    let many = instance.get_func(&store, "many").unwrap();
    let args: Vec<Val> = (0..40).map(Val::I64).collect();
    let mut results = vec![Val::I32(0); 40];
    many.call(&mut store, &args, &mut results).unwrap();
    assert!(results.iter().rev().eq(&args));
}

#[test]
fn a_host_function_reaches_its_callers_exports_and_the_data() {
    let engine = Engine::default();
    let mut linker = Linker::<Vec<u8>>::new(&engine);
    linker
        .func_wrap(
            "host",
            "take",
            |mut caller: Caller<'_, Vec<u8>>, at: u32, len: u32| {
                let memory = caller.get_export("memory").and_then(Extern::into_memory);
                let memory = memory.ok_or_else(|| cellule::format_err!("no memory"))?;
                let mut bytes = vec![0; len as usize];
                memory.read(&caller, at as usize, &mut bytes)?;
                memory.write(&mut caller, 0, b"taken")?;
                let (all, data) = memory.data_and_store_mut(&mut caller);
                assert_eq!(all.len(), 65_536);
                data.extend(bytes);
                Ok(caller.data().len() as u32)
            },
        )
        .unwrap()
        .func_wrap("host", "pair", |a: i32| (a, i64::from(a) + 1))
        .unwrap();
    let text = r#"(module
        (import "host" "take" (func $take (param i32 i32) (result i32)))
        (import "host" "pair" (func $pair (param i32) (result i32 i64)))
        (memory (export "memory") 1) (data (i32.const 8) "hello")
        (func (export "run") (param i32) (result i32) (call $take (local.get 0) (i32.const 5)))
        (func (export "pair") (result i32 i64) (call $pair (i32.const 1))))"#;
    let module = module(&engine, text);
    let mut store = Store::new(&engine, Vec::new());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let run = instance.get_typed_func::<u32, u32>(&store, "run").unwrap();
    assert_eq!(run.call(&mut store, 8).unwrap(), 5);
    let memory = instance.get_memory(&store, "memory").unwrap();
    assert_eq!(&memory.data(&store)[..5], b"taken");
    let error = run.call(&mut store, 65_535).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::MemoryOutOfBounds));
    assert_eq!(error.frames().len(), 1, "{error:?}");
    let pair = instance.get_typed_func::<(), (i32, i64)>(&store, "pair");
    assert_eq!(pair.unwrap().call(&mut store, ()).unwrap(), (1, 2));
    assert_eq!(store.into_data(), b"hello");
}

#[test]
fn memories_grow_and_are_read_and_written_within_their_bounds() {
    let mut store = Store::new(&Engine::default(), ());
    let ty = MemoryType::new(1, Some(3));
    let memory = Memory::new(&mut store, ty).unwrap();
    assert_eq!(memory.ty(&store), ty);
    assert_eq!(memory.grow(&mut store, 1).unwrap(), 1);
    assert_eq!(
        (memory.size(&store), memory.data_size(&store)),
        (2, 131_072)
    );
    let error = memory.grow(&mut store, 2).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    memory.write(&mut store, 131_070, &[1, 2]).unwrap();
    let error = memory.write(&mut store, 131_071, &[1, 2]).unwrap_err();
    assert!(error.is::<Trap>());
    let mut two = [0; 2];
    memory.read(&store, 131_070, &mut two).unwrap();
    assert_eq!(two, [1, 2]);
    assert!(memory.read(&store, usize::MAX, &mut two).is_err());
    memory.data_mut(&mut store)[0] = 9;
    assert_eq!(memory.data(&store)[0], 9);
}

#[test]
fn tables_and_globals_hold_references_of_their_type_only() {
    let mut store = Store::new(&Engine::default(), ());
    let func = Func::wrap(&mut store, |a: i32| a + 1);
    let ty = TableType::new(ValType::FuncRef, 2, None);
    let table = Table::new(&mut store, ty, Val::FuncRef(None)).unwrap();
    table.set(&mut store, 1, Val::FuncRef(Some(func))).unwrap();
    assert_eq!(table.get(&store, 0), Some(Val::FuncRef(None)));
    assert_eq!(table.get(&store, 1), Some(Val::FuncRef(Some(func))));
    assert_eq!(table.get(&store, 2), None);
    assert_eq!(
        table.grow(&mut store, 2, Val::FuncRef(Some(func))).unwrap(),
        2
    );
    assert_eq!(table.get(&store, 3), Some(Val::FuncRef(Some(func))));
    table.fill(&mut store, 0, Val::FuncRef(None), 4).unwrap();
    assert_eq!(table.get(&store, 3), Some(Val::FuncRef(None)));
    assert!(table.fill(&mut store, 1, Val::FuncRef(None), 4).is_err());
    assert!(table.set(&mut store, 0, Val::ExternRef(None)).is_err());
    let ty = GlobalType {
        content: ValType::ExternRef,
        mutable: true,
    };
    let global = Global::new(&mut store, ty, Val::ExternRef(None)).unwrap();
    let seven = Val::ExternRef(ExternRef::new(7));
    global.set(&mut store, seven).unwrap();
    assert_eq!((global.get(&store), global.ty(&store)), (seven, ty));
    assert!(global.set(&mut store, Val::I32(1)).is_err());
    let fixed = GlobalType {
        content: ValType::I32,
        mutable: false,
    };
    let fixed = Global::new(&mut store, fixed, Val::I32(1)).unwrap();
    assert!(fixed.set(&mut store, Val::I32(2)).is_err());
}

#[test]
fn references_pass_through_typed_functions() {
    let mut store = Store::new(&Engine::default(), ());
    let text = r#"(module
        (func (export "funcs") (param funcref) (result funcref) local.get 0)
        (func (export "externs") (param externref) (result externref) local.get 0))"#;
    let instance = instance(&mut store, text);
    let func = Func::wrap(&mut store, |a: i32| a + 1);
    let funcs = instance
        .get_typed_func::<Option<Func>, Option<Func>>(&store, "funcs")
        .unwrap();
    assert_eq!(funcs.call(&mut store, Some(func)).unwrap(), Some(func));
    assert_eq!(funcs.call(&mut store, None).unwrap(), None);
    let externs = instance
        .get_typed_func::<Option<ExternRef>, Option<ExternRef>>(&store, "externs")
        .unwrap();
    let zero = ExternRef::new(0);
    assert_eq!(externs.call(&mut store, zero).unwrap(), zero);
}

#[test]
fn exports_are_found_by_name_and_in_order() {
    let mut store = Store::new(&Engine::default(), ());
    let text = r#"(module $named
        (memory (export "m") 1) (table (export "t") 2 funcref)
        (global (export "g") i32 (i32.const 3)) (func (export "f")))"#;
    let module = module(store.engine(), text);
    assert_eq!(module.name(), Some("named"));
    assert_eq!(module.get_export("nothing"), None);
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let names: Vec<&str> = instance
        .exports(&store)
        .map(|export| export.name())
        .collect();
    assert_eq!(names, ["m", "t", "g", "f"]);
    for export in instance.exports(&store) {
        let ty = export.into_extern().ty(&store);
        assert_eq!(module.get_export(export.name()), Some(ty));
    }
    assert_eq!(instance.get_table(&store, "t").unwrap().size(&store), 2);
    let global = instance.get_global(&store, "g").unwrap();
    assert_eq!(global.get(&store), Val::I32(3));
    assert!(instance.get_memory(&store, "f").is_none());
}

#[test]
fn a_linker_defines_modules_aliases_and_traps_for_what_is_unknown() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    let library = r#"(module (global $g (mut i32) (i32.const 0))
        (func (export "_initialize") (global.set $g (i32.const 5)))
        (func (export "five") (result i32) (global.get $g)))"#;
    linker
        .module(&mut store, "lib", &module(&engine, library))
        .unwrap()
        .alias("lib", "five", "env", "fünf")
        .unwrap()
        .alias_module("env", "env2")
        .unwrap();
    assert!(linker.alias("lib", "none", "a", "b").is_err());
    assert!(linker.alias("lib", "five", "env", "fünf").is_err());
    let user = r#"(module
        (import "env2" "fünf" (func $five (result i32)))
        (import "other" "gone" (func $gone))
        (func (export "run") (result i32) (call $five))
        (func (export "fail") (call $gone)))"#;
    let user = module(&engine, user);
    let missing = linker.instantiate(&mut store, &user).unwrap_err();
    assert!(missing.to_string().contains("`other` `gone`"), "{missing}");
    linker.define_unknown_imports_as_traps(&user).unwrap();
    let instance = linker.instantiate(&mut store, &user).unwrap();
    let run = instance.get_typed_func::<(), i32>(&store, "run").unwrap();
    assert_eq!(run.call(&mut store, ()).unwrap(), 5);
    let fail = instance.get_typed_func::<(), ()>(&store, "fail").unwrap();
    let error = fail.call(&mut store, ()).unwrap_err();
    assert!(error.to_string().contains("`other` `gone`"), "{error}");
    assert!(linker.get(&mut store, "lib", "five").is_some());
}

#[test]
fn imports_of_another_number_or_type_are_refused() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let user = module(&engine, r#"(module (import "" "f" (func (param i32))))"#);
    let error = Instance::new(&mut store, &user, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Link);
    let func = Func::wrap(&mut store, |_: i64| ());
    let error = Instance::new(&mut store, &user, &[func.into()]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Link);
}

#[test]
#[should_panic(expected = "a handle of another store")]
fn a_function_of_another_store_panics() {
    let engine = Engine::default();
    let (mut one, mut two) = (Store::new(&engine, ()), Store::new(&engine, ()));
    let func = Func::wrap(&mut one, || 1);
    let _ = func.call(&mut two, &[], &mut [Val::I32(0)]);
}

#[test]
#[should_panic(expected = "a handle of another store")]
fn a_reference_of_another_store_panics() {
    let engine = Engine::default();
    let (mut one, mut two) = (Store::new(&engine, ()), Store::new(&engine, ()));
    let func = Func::wrap(&mut one, || 1);
    let ty = GlobalType {
        content: ValType::FuncRef,
        mutable: true,
    };
    let _ = Global::new(&mut two, ty, Val::FuncRef(Some(func)));
}

#[test]
fn a_host_functions_own_error_comes_back_with_context_and_backtrace() {
    let mut store = Store::new(&Engine::default(), ());
    let module = module(
        store.engine(),
        r#"(module (import "" "f" (func $f)) (func $inner call $f) (func (export "run") call $inner))"#,
    );
    let fails = Func::wrap(&mut store, || -> Result<()> {
        let number = "x".parse::<u32>()?;
        cellule::bail!("{number} is no number");
    });
    let instance = Instance::new(&mut store, &module, &[fails.into()]).unwrap();
    let run = instance.get_typed_func::<(), ()>(&store, "run").unwrap();
    let error = run.call(&mut store, ()).unwrap_err().context("running");
    assert!(error.is::<std::num::ParseIntError>());
    let frames: Vec<u32> = error.frames().iter().map(|frame| frame.func).collect();
    assert_eq!(frames, [1, 2]);
    assert!(format!("{error:?}").contains("inner"), "{error:?}");
}

#[test]
fn atomic_operators_work_on_memories_that_are_not_shared() {
    let mut store = Store::new(&Engine::default(), ());
    let text = r#"(module (memory 1)
        (func (export "swap") (param i32 i64 i64) (result i64)
            (i64.atomic.rmw16.cmpxchg_u (local.get 0) (local.get 1) (local.get 2)))
        (func (export "add") (param i32 i32) (result i32)
            (atomic.fence)
            (i32.add (i32.atomic.rmw.add (local.get 0) (local.get 1)) (i32.atomic.load (local.get 0))))
        (func (export "notify") (param i32) (result i32)
            (memory.atomic.notify (local.get 0) (i32.const 1)))
        (func (export "wait") (param i32) (result i32)
            (memory.atomic.wait32 (local.get 0) (i32.const 0) (i64.const 0))))"#;
    let instance = instance(&mut store, text);
    let add = instance
        .get_typed_func::<(i32, i32), i32>(&store, "add")
        .unwrap();
    assert_eq!(add.call(&mut store, (8, 5)).unwrap(), 5);
    assert_eq!(add.call(&mut store, (8, 5)).unwrap(), 15);
    let error = add.call(&mut store, (10, 5)).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::UnalignedAtomic));
    let error = add.call(&mut store, (65_536, 5)).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::MemoryOutOfBounds));
    let swap = instance
        .get_typed_func::<(i32, i64, i64), i64>(&store, "swap")
        .unwrap();
    // What is expected isn't cut to the size of what is there.
    assert_eq!(swap.call(&mut store, (8, 0x1_000a, 1)).unwrap(), 10);
    assert_eq!(swap.call(&mut store, (8, 10, 0x7_ffff)).unwrap(), 10);
    assert_eq!(swap.call(&mut store, (8, 0, 0)).unwrap(), 0xffff);
    let one = |store: &mut Store<()>, name: &str, at: i32| {
        let func = instance.get_typed_func::<i32, i32>(&*store, name)?;
        func.call(store, at)
    };
    assert_eq!(one(&mut store, "notify", 8).unwrap(), 0);
    let error = one(&mut store, "wait", 8).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::AtomicWait));
    let shared = wat::parse_str("(module (memory 1 1 shared))").unwrap();
    let error = Module::new(&Engine::default(), shared).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("shared memories"), "{error}");
}
