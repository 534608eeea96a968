//! What a limiter allows and what it doesn't, and the store's limits on everything together.

use cellule::{
    Config, Engine, ErrorKind, Instance, Limits, Memory, MemoryType, Module, ResourceLimiter,
    Result, Store, StoreLimits, StoreLimitsBuilder, Table, TableType, Val, ValType,
};

const GUEST: &str = r#"(module (memory 1 100) (table 1 100 funcref)
    (func (export "memory") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "table") (param i32) (result i32) (table.grow (ref.null func) (local.get 0))))"#;

fn guest<T>(store: &mut Store<T>) -> Result<Instance> {
    let module = Module::new(store.engine(), wat::parse_str(GUEST).unwrap())?;
    Instance::new(store, &module, &[])
}

fn grow<T>(store: &mut Store<T>, instance: &Instance, what: &str, by: i32) -> Result<i32> {
    let func = instance.get_typed_func::<i32, i32>(&*store, what)?;
    func.call(store, by)
}

fn limited(limits: StoreLimits) -> Store<StoreLimits> {
    let mut store = Store::new(&Engine::default(), limits);
    store.limiter(|limits| limits);
    store
}

#[test]
fn growth_beyond_the_limiter_answers_minus_one() {
    let limits = StoreLimitsBuilder::new()
        .memory_size(3 * 65_536)
        .table_elements(5)
        .build();
    let mut store = limited(limits);
    let instance = guest(&mut store).unwrap();
    assert_eq!(grow(&mut store, &instance, "memory", 2).unwrap(), 1);
    assert_eq!(grow(&mut store, &instance, "memory", 1).unwrap(), -1);
    assert_eq!(grow(&mut store, &instance, "memory", 0).unwrap(), 3);
    assert_eq!(grow(&mut store, &instance, "table", 4).unwrap(), 1);
    assert_eq!(grow(&mut store, &instance, "table", 1).unwrap(), -1);
    assert_eq!(grow(&mut store, &instance, "table", -1).unwrap(), -1);
    let ty = MemoryType::new(4, None);
    let error = Memory::new(&mut store, ty).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    let ty = TableType::new(ValType::FuncRef, 5, None);
    let table = Table::new(&mut store, ty, Val::FuncRef(None)).unwrap();
    assert!(table.grow(&mut store, 1, Val::FuncRef(None)).is_err());
}

#[test]
fn growth_beyond_the_limiter_can_stop_the_guest() {
    let limits = StoreLimitsBuilder::new()
        .memory_size(3 * 65_536)
        .trap_on_grow_failure(true)
        .build();
    let mut store = limited(limits);
    let instance = guest(&mut store).unwrap();
    let error = grow(&mut store, &instance, "memory", 3).unwrap_err();
    assert!(error.to_string().contains("forcing trap"), "{error}");
    assert_eq!(error.frames().len(), 1);
    assert_eq!(grow(&mut store, &instance, "memory", 2).unwrap(), 1);
}

#[test]
fn the_numbers_of_instances_memories_and_tables_are_limited() {
    let builder = StoreLimitsBuilder::new;
    for (limits, what) in [
        (builder().instances(2), "instances"),
        (builder().memories(2), "memories"),
        (builder().tables(2), "tables"),
    ] {
        let mut store = limited(limits.build());
        guest(&mut store).unwrap();
        guest(&mut store).unwrap();
        let error = guest(&mut store).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[derive(Default)]
struct Watch {
    asked: Vec<(usize, usize, Option<usize>)>,
    failed: usize,
}

impl ResourceLimiter for Watch {
    fn memory_growing(&mut self, from: usize, to: usize, most: Option<usize>) -> Result<bool> {
        self.asked.push((from, to, most));
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _: cellule::Error) -> Result<()> {
        self.failed += 1;
        Ok(())
    }

    fn table_growing(&mut self, from: usize, to: usize, most: Option<usize>) -> Result<bool> {
        self.asked.push((from, to, most));
        Ok(true)
    }
}

#[test]
fn a_limiter_is_told_sizes_and_failures() {
    let mut store = Store::new(&Engine::default(), Watch::default());
    store.limiter(|watch| watch);
    let instance = guest(&mut store).unwrap();
    const PAGE: usize = 65_536;
    assert_eq!(grow(&mut store, &instance, "memory", 2).unwrap(), 1);
    assert_eq!(grow(&mut store, &instance, "table", 9).unwrap(), 1);
    assert_eq!(grow(&mut store, &instance, "memory", 98).unwrap(), -1);
    let most = Some(100 * PAGE);
    let expected = [
        (0, PAGE, most),
        (0, 1, Some(100)),
        (PAGE, 3 * PAGE, most),
        (1, 10, Some(100)),
        (3 * PAGE, 101 * PAGE, most),
    ];
    assert_eq!(store.data().asked, expected);
    assert_eq!(store.data().failed, 1);
}

#[test]
fn all_memories_and_tables_of_a_store_are_bounded_together() {
    let mut limits = Limits::server();
    limits.total_memory_bytes = 10 * 65_536;
    limits.total_table_elements = 10;
    let engine = Engine::new(Config::new().limits(limits)).unwrap();
    let mut store = Store::new(&engine, ());
    let one = guest(&mut store).unwrap();
    let two = guest(&mut store).unwrap();
    for what in ["memory", "table"] {
        assert_eq!(grow(&mut store, &one, what, 7).unwrap(), 1);
        assert_eq!(grow(&mut store, &two, what, 2).unwrap(), -1);
        assert_eq!(grow(&mut store, &two, what, 1).unwrap(), 1);
        assert_eq!(grow(&mut store, &one, what, 1).unwrap(), -1);
    }
    let memories = "(memory 2)".repeat(100);
    let wasm = wat::parse_str(format!("(module {memories})")).unwrap();
    let module = Module::new(&engine, wasm).unwrap();
    let error = Instance::new(&mut Store::new(&engine, ()), &module, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
}
