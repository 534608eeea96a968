//! wasmtime, as `drive` sees it.

pub use wasmtime as engine;

use self::drive::Host;
use crate::outcome::{Ended, Loaded};
use crate::value::{Kind, Value};
use wasmtime::{
    AsContextMut, Collector, Config, Engine, Error, ExternRef, Func, FuncType, Global, GlobalType,
    HeapType, OptLevel, Ref, Result, Store, Table, TableType, Tag, TagType, ThrownException, Trap,
    V128, Val, ValType,
};

#[path = "drive.rs"]
mod drive;

pub use drive::run;

/// The message of a host function that fails.
pub const HOST: &str = "the host fails";

/// Bytes of native stack; whoever runs a case has several times as many.
const STACK: usize = 8 << 20;

/// It is run in one way only.
pub struct Options;

/// An engine that has what cellule has, compiles fast, and agrees about NaNs.
///
/// # Errors
/// None that a module could make.
pub fn engine() -> Result<Engine> {
    let mut config = Config::new();
    config
        .cranelift_opt_level(OptLevel::None)
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .collector(Collector::Null)
        .wasm_function_references(true)
        .wasm_exceptions(true)
        .wasm_custom_page_sizes(true)
        .wasm_wide_arithmetic(true)
        .wasm_memory64(true)
        .wasm_multi_memory(true)
        .wasm_tail_call(true)
        .wasm_threads(true)
        .wasm_gc(false)
        .async_stack_size(2 * STACK)
        .max_wasm_stack(STACK)
        .memory_reservation(0)
        .memory_reservation_for_growth(0)
        .memory_guard_size(0)
        .memory_init_cow(false)
        .gc_heap_reservation(0)
        .gc_heap_reservation_for_growth(0)
        .gc_heap_guard_size(0)
        .signals_based_traps(false)
        .wasm_backtrace_max_frames(None);
    Engine::new(&config)
}

fn prepare(_: &mut Store<Host>, _: &Options) {}

fn call(
    store: &mut Store<Host>,
    _: &Options,
    func: &Func,
    args: &[Val],
    results: &mut [Val],
) -> Result<()> {
    func.call(&mut *store, args, results)
}

fn params(ty: &FuncType) -> Vec<Kind> {
    ty.params().map(|ty| kind_of(&ty)).collect()
}

fn results(ty: &FuncType) -> Vec<Kind> {
    ty.results().map(|ty| kind_of(&ty)).collect()
}

fn kind(ty: &GlobalType) -> Kind {
    kind_of(ty.content())
}

fn kind_of_elements(ty: &TableType) -> Kind {
    kind_of(&ValType::Ref(ty.element().clone()))
}

fn kind_of(ty: &ValType) -> Kind {
    match ty {
        ValType::I32 => Kind::I32,
        ValType::I64 => Kind::I64,
        ValType::F32 => Kind::F32,
        ValType::F64 => Kind::F64,
        ValType::V128 => Kind::V128,
        ValType::Ref(ty) if !ty.is_nullable() => Kind::NotNull,
        ValType::Ref(ty) => match ty.heap_type() {
            HeapType::Extern => Kind::Extern,
            HeapType::Exn => Kind::Exn,
            _ => Kind::Func,
        },
    }
}

fn given(mut store: impl AsContextMut, value: Value) -> Option<Val> {
    Some(match value {
        Value::I32(x) => Val::I32(x as i32),
        Value::I64(x) => Val::I64(x as i64),
        Value::F32(x) => Val::F32(x),
        Value::F64(x) => Val::F64(x),
        Value::V128(x) => Val::V128(V128::from(x)),
        Value::Extern(x) => Val::ExternRef(Some(ExternRef::new(&mut store, x).ok()?)),
        Value::Null(Kind::Func) => Val::FuncRef(None),
        Value::Null(Kind::Extern) => Val::ExternRef(None),
        Value::Null(Kind::Exn) => Val::ExnRef(None),
        _ => return None,
    })
}

fn seen(mut store: impl AsContextMut, value: &Val) -> Value {
    match value {
        Val::I32(x) => Value::I32(*x as u32),
        Val::I64(x) => Value::I64(*x as u64),
        Val::F32(x) => Value::F32(*x),
        Val::F64(x) => Value::F64(*x),
        Val::V128(x) => Value::V128(x.as_u128()),
        Val::FuncRef(None) => Value::Null(Kind::Func),
        Val::FuncRef(Some(_)) => Value::Func,
        Val::ExternRef(None) => Value::Null(Kind::Extern),
        Val::ExternRef(Some(reference)) => {
            let data = reference.data(store.as_context_mut()).ok().flatten();
            match data.and_then(|data| data.downcast_ref::<u32>()) {
                Some(number) => Value::Extern(*number),
                None => Value::Other,
            }
        }
        Val::ExnRef(None) => Value::Null(Kind::Exn),
        Val::ExnRef(Some(_)) => Value::Exn,
        _ => Value::Other,
    }
}

fn new_global(store: &mut Store<Host>, ty: GlobalType, value: Val) -> Result<Global> {
    Global::new(&mut *store, ty, value)
}

fn new_table(store: &mut Store<Host>, ty: TableType, value: Val) -> Result<Table> {
    let value = value.ref_().ok_or_else(|| Error::msg("no reference"))?;
    Table::new(&mut *store, ty, value)
}

fn new_tag(store: &mut Store<Host>, ty: TagType) -> Result<Tag> {
    Tag::new(&mut *store, &ty)
}

fn element(mut store: impl AsContextMut, table: &Table, at: u64) -> Option<Value> {
    let value = match table.get(store.as_context_mut(), at)? {
        Ref::Func(func) => Val::FuncRef(func),
        Ref::Extern(reference) => Val::ExternRef(reference),
        Ref::Exn(exception) => Val::ExnRef(exception),
        Ref::Any(reference) => Val::AnyRef(reference),
    };
    Some(seen(store, &value))
}

/// What the exception carries that a call has ended with.
fn thrown(store: &mut Store<Host>) -> Vec<Value> {
    let Some(exception) = store.take_pending_exception() else {
        return Vec::new();
    };
    let fields = exception
        .fields(&mut *store)
        .map(Iterator::collect::<Vec<Val>>);
    let fields = fields.expect("it is there");
    fields
        .iter()
        .map(|value| seen(&mut *store, value))
        .collect()
}

fn loaded(error: &Error) -> Loaded {
    let text = format!("{error:#}");
    match text.contains("nsupported") || text.contains("mplementation limit") {
        true => Loaded::Unsupported(text),
        false => Loaded::Invalid(text),
    }
}

fn ended(error: &Error) -> Ended {
    match error.downcast_ref::<Trap>() {
        Some(Trap::UnreachableCodeReached) => Ended::Unreachable,
        Some(Trap::MemoryOutOfBounds) => Ended::MemoryOutOfBounds,
        Some(Trap::TableOutOfBounds) => Ended::TableOutOfBounds,
        Some(Trap::IndirectCallToNull) => Ended::IndirectCallToNull,
        Some(Trap::BadSignature) => Ended::BadSignature,
        Some(Trap::IntegerOverflow) => Ended::IntegerOverflow,
        Some(Trap::IntegerDivisionByZero) => Ended::IntegerDivisionByZero,
        Some(Trap::BadConversionToInteger) => Ended::BadConversionToInteger,
        Some(Trap::NullReference) => Ended::Null,
        Some(Trap::HeapMisaligned) => Ended::UnalignedAtomic,
        Some(Trap::AtomicWaitNonSharedMemory) => Ended::AtomicWait,
        Some(Trap::StackOverflow | Trap::AllocationTooLarge) => Ended::Limit,
        Some(trap) => panic!("no module of its own ends in {trap:?}"),
        None if error.is::<ThrownException>() => Ended::Thrown,
        None if error.root_cause().to_string() == HOST => Ended::Host,
        None if error.is::<wasmtime::GcHeapOutOfMemory<()>>() => Ended::Limit,
        None => Ended::Refused,
    }
}
