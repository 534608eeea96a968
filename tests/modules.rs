//! What modules, linkers and engines tell of themselves, used as wasmtime's are.

use cellule::component::Component;
use cellule::{
    Config, Engine, ErrorKind, ExternRef, ExternType, GlobalType, Linker, MemoryType, Module,
    Mutability, Result, Store, Table, TableType, Trap, Val, ValType,
};

const MODULE: &str = r#"(module
    (import "env" "next" (func (param i32) (result i32)))
    (import "env" "memory" (memory 1 4))
    (table 3 7 funcref)
    (global (export "count") (mut i64) (i64.const 5))
    (func (export "run") (param i32) (result i32) (call 0 (local.get 0))))"#;

fn module(engine: &Engine, text: &str) -> Module {
    Module::new(engine, wat::parse_str(text).expect("well-formed text")).expect("a valid module")
}

#[test]
fn imports_and_exports_are_told_with_names_and_types() {
    let engine = Engine::default();
    let module = module(&engine, MODULE);
    let imports: Vec<String> = module
        .imports()
        .map(|import| format!("{}.{}: {}", import.module(), import.name(), import.ty()))
        .collect();
    assert_eq!(
        imports,
        ["env.next: func (i32) -> (i32)", "env.memory: memory 1..4"]
    );
    let mut exports = module.exports();
    assert_eq!(exports.len(), 2);
    let count = exports.next().unwrap();
    assert_eq!(count.name(), "count");
    let ty = GlobalType::new(ValType::I64, Mutability::Var);
    assert_eq!(count.ty(), ExternType::Global(ty));
    assert_eq!(
        (ty.content(), ty.mutability()),
        (&ValType::I64, Mutability::Var)
    );
    let needed = module.resources_required();
    assert_eq!((needed.num_memories, needed.num_tables), (0, 1));
    assert_eq!(needed.max_initial_memory_size, None);
    assert_eq!(needed.max_initial_table_size, Some(3));
    let memory = MemoryType::new(1, Some(4));
    assert_eq!((memory.minimum(), memory.maximum()), (1, Some(4)));
    assert_eq!(memory.page_size(), 65_536);
    let table = TableType::new(ValType::FuncRef, 3, None);
    assert_eq!((table.minimum(), table.maximum()), (3, None));
}

#[test]
fn an_export_is_found_by_its_place_in_the_module_and_in_no_other() {
    let engine = Engine::default();
    let text = r#"(module (global (export "g") i32 (i32.const 7)))"#;
    let one = module(&engine, text);
    let mut store = Store::new(&engine, ());
    let linker = Linker::<()>::new(&engine);
    let instance = linker.instantiate(&mut store, &one).unwrap();
    let place = one.get_export_index("g").unwrap();
    assert!(one.get_export_index("f").is_none());
    let found = instance.get_module_export(&store, &place).unwrap();
    let global = found.into_global().unwrap();
    assert_eq!(global.get(&store).unwrap_i32(), 7);
    let other = module(&engine, text).get_export_index("g").unwrap();
    assert!(instance.get_module_export(&store, &other).is_none());
    assert!(Module::same(&instance.module(&store), &one));
    assert!(!Module::same(&one, &module(&engine, text)));
}

#[test]
fn a_module_is_linked_once_and_instantiated_often() -> Result<()> {
    let engine = Engine::default();
    let module = module(&engine, MODULE);
    let mut linker = Linker::<i32>::new(&engine);
    linker.func_wrap("env", "next", |x: i32| x + 1)?;
    let Err(missing) = linker.instantiate_pre(&module) else {
        panic!("the memory isn't defined");
    };
    assert!(missing.to_string().contains("`env` `memory`"), "{missing}");
    let mut store = Store::new(&engine, 0);
    let memory = cellule::Memory::new(&mut store, MemoryType::new(1, Some(4)))?;
    linker.define("env", "memory", memory)?;
    let pre = linker.instantiate_pre(&module)?;
    assert!(Module::same(pre.module(), &module));
    for _ in 0..2 {
        let instance = pre.clone().instantiate(&mut store)?;
        let run = instance.get_typed_func::<i32, i32>(&store, "run")?;
        assert_eq!(run.call(&mut store, 41)?, 42);
    }
    Ok(())
}

#[test]
fn a_linkers_definitions_are_found_by_import_as_default_and_in_order() -> Result<()> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::<()>::new(&engine);
    linker.func_wrap("env", "next", |x: i32| x + 1)?;
    linker.func_wrap("app", "_start", || 3i32)?;
    linker.func_wrap("lib", "", || 4i32)?;
    let all = linker.iter(&mut store);
    let names: Vec<_> = all.map(|(module, name, _)| (module, name)).collect();
    assert_eq!(names, [("app", "_start"), ("env", "next"), ("lib", "")]);
    let module = module(&engine, MODULE);
    let mut imports = module.imports();
    let next = linker.get_by_import(&mut store, &imports.next().unwrap());
    let next = next.and_then(|found| found.into_func()).unwrap();
    assert_eq!(next.typed::<i32, i32>(&store)?.call(&mut store, 1)?, 2);
    assert!(
        linker
            .get_by_import(&mut store, &imports.next().unwrap())
            .is_none()
    );
    for (name, expected) in [("app", 3), ("lib", 4)] {
        let start = linker.get_default(&mut store, name)?;
        assert_eq!(
            start.typed::<(), i32>(&store)?.call(&mut store, ())?,
            expected
        );
    }
    let nothing = linker.get_default(&mut store, "nowhere")?;
    nothing.call(&mut store, &[], &mut [])
}

#[test]
fn validating_finds_bad_bodies_even_where_loading_is_lazy() {
    let good = wat::parse_str("(module (func (result i32) (i32.const 1)))").unwrap();
    let bad = wat::parse_str("(module (func (result i32) (i64.const 1)))").unwrap();
    for lazy in [false, true] {
        let engine = Engine::new(Config::new().lazy_validation(lazy)).unwrap();
        Module::validate(&engine, &good).unwrap();
        assert!(Module::validate(&engine, &bad).is_err());
    }
}

#[test]
fn bytes_that_are_no_binary_are_malformed_and_not_merely_invalid() {
    let engine = Engine::default();
    for bytes in [&b"no module"[..], b"\0asm\x09\0\0\0"] {
        let error = Module::new(&engine, bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
        let error = Component::new(&engine, bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
    }
}

#[test]
fn binaries_are_read_from_files() {
    let engine = Engine::default();
    let folder = std::env::temp_dir().join(format!("cellule-modules-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("it.wasm");
    std::fs::write(
        &file,
        wat::parse_str("(module (func (export \"f\")))").unwrap(),
    )
    .unwrap();
    assert!(
        Module::from_file(&engine, &file)
            .unwrap()
            .get_export("f")
            .is_some()
    );
    std::fs::write(&file, wat::parse_str("(component)").unwrap()).unwrap();
    assert!(Component::from_file(&engine, &file).is_ok());
    std::fs::remove_dir_all(&folder).unwrap();
    let error = Component::from_file(&engine, &file).unwrap_err();
    assert!(error.to_string().contains("it.wasm"), "{error}");
    assert!(error.downcast_ref::<std::io::Error>().is_some());
}

#[test]
fn a_weak_engine_is_there_as_long_as_the_engine() {
    let engine = Engine::default();
    let weak = engine.weak();
    let again = weak.upgrade().unwrap();
    assert!(Engine::same(&engine, &again));
    drop((engine, again));
    assert!(weak.upgrade().is_none());
}

#[test]
fn a_core_value_is_taken_out_as_what_it_is() {
    assert_eq!(Val::from(7).i32(), Some(7));
    assert_eq!(Val::from(7).i64(), None);
    assert_eq!(Val::from(1.5f32).unwrap_f32(), 1.5);
    assert_eq!(Val::from(2.5f64).f64(), Some(2.5));
    assert_eq!(Val::FuncRef(None).unwrap_funcref(), None);
    assert_eq!(Val::ExternRef(None).externref(), Some(None));
}

#[test]
fn elements_are_copied_between_tables_and_within_one() -> Result<()> {
    let mut store = Store::new(&Engine::default(), ());
    let number = |number| Val::ExternRef(ExternRef::new(number));
    let ty = TableType::new(ValType::ExternRef, 4, None);
    let one = Table::new(&mut store, ty, number(0))?;
    let two = Table::new(&mut store, ty, Val::ExternRef(None))?;
    for at in 0..4 {
        one.set(&mut store, at, number(at as u32 + 1))?;
    }
    Table::copy(&mut store, &two, 1, &one, 2, 2)?;
    // Over itself, as if all were read before anything is written.
    Table::copy(&mut store, &one, 1, &one, 0, 3)?;
    let all = |store: &Store<()>, table: &Table| -> Vec<Option<u32>> {
        let found = (0..4).map(|at| table.get(store, at).expect("an element"));
        found
            .map(|value| value.unwrap_externref().map(|it| it.number()))
            .collect()
    };
    assert_eq!(all(&store, &one), [Some(1), Some(1), Some(2), Some(3)]);
    assert_eq!(all(&store, &two), [None, Some(3), Some(4), None]);
    let beyond = Table::copy(&mut store, &two, 3, &one, 0, 2).unwrap_err();
    assert_eq!(beyond.trap(), Some(Trap::TableOutOfBounds));
    let beyond = Table::copy(&mut store, &two, 0, &one, u64::MAX, 2).unwrap_err();
    assert_eq!(beyond.trap(), Some(Trap::TableOutOfBounds));
    assert_eq!(all(&store, &two), [None, Some(3), Some(4), None]);
    let ty = TableType::new(ValType::FuncRef, 4, None);
    let funcs = Table::new(&mut store, ty, Val::FuncRef(None))?;
    let error = Table::copy(&mut store, &two, 0, &funcs, 0, 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type);
    Ok(())
}
