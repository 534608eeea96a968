//! cellule, as `drive` sees it.

pub use cellule as engine;

use self::drive::Host;
use crate::outcome::{Ended, Loaded};
use crate::random::Random;
use crate::value::{Kind, Value};
use cellule::{
    AsContextMut, Config, Engine, Error, ErrorKind, ExternRef, Func, FuncType, Global, GlobalType,
    HeapType, Result, ResumableCall, Store, Table, TableType, Tag, ThrownException, Trap, V128,
    Val, ValType,
};
use std::fmt;

#[path = "drive.rs"]
mod drive;

pub use drive::run;

/// The message of a host function that fails.
pub const HOST: &str = "the host fails";
/// Fuel that doesn't run out.
const PLENTY: u64 = 1 << 50;

/// How cellule runs a case: in any of these ways it comes to the same.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The dispatcher that is a loop, instead of sibling calls.
    pub looping: bool,
    /// The tier without accumulators and fused instructions.
    pub base: bool,
    /// Everything is translated beforehand.
    pub eager: bool,
    /// Bodies are validated when they are entered.
    pub lazy_validation: bool,
    /// Fuel is consumed.
    pub fuel: bool,
    /// So much at a time, and the call goes on after each.
    pub slices: Option<u64>,
}

impl Options {
    /// Some of them by a seed.
    pub fn random(seed: u64) -> Options {
        let mut random = Random::new(seed, 0x0_0b5);
        let slices = random.one_in(4).then(|| 1 + random.below(200));
        Options {
            looping: random.one_in(3),
            base: random.one_in(3),
            eager: random.one_in(2),
            lazy_validation: random.one_in(8),
            fuel: slices.is_some() || random.one_in(3),
            slices,
        }
    }

    /// An engine that does.
    ///
    /// # Errors
    /// None that a module could make.
    pub fn engine(&self) -> Result<Engine> {
        let mut config = Config::new();
        config
            .count_instructions(self.looping)
            .fast_tier(!self.base)
            .eager_translation(self.eager)
            .lazy_validation(self.lazy_validation && !self.eager)
            .consume_fuel(self.fuel);
        Engine::new(&config)
    }
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} dispatch, {} tier, {} translation, {} validation, fuel {}",
            if self.looping { "loop" } else { "tail" },
            if self.base { "base" } else { "fast" },
            if self.eager { "eager" } else { "lazy" },
            if self.lazy_validation {
                "lazy"
            } else {
                "eager"
            },
            match self.slices {
                Some(slice) => format!("in slices of {slice}"),
                None if self.fuel => "on".to_string(),
                None => "off".to_string(),
            }
        )
    }
}

fn prepare(store: &mut Store<Host>, options: &Options) {
    if options.fuel {
        store.set_fuel(PLENTY).expect("fuel is on");
    }
}

/// Calls a function; in slices of fuel, if the options say so.
fn call(
    store: &mut Store<Host>,
    options: &Options,
    func: &Func,
    args: &[Val],
    results: &mut [Val],
) -> Result<()> {
    let Some(slice) = options.slices else {
        return func.call(&mut *store, args, results);
    };
    store.set_fuel(slice)?;
    let mut state = func.call_resumable(&mut *store, args, results)?;
    loop {
        state = match state {
            ResumableCall::Finished => return store.set_fuel(PLENTY),
            ResumableCall::HostTrap(failed) => {
                store.set_fuel(PLENTY)?;
                return Err(failed.into_host_error());
            }
            ResumableCall::OutOfFuel(stopped) => {
                store.add_fuel(stopped.required_fuel().max(slice))?;
                stopped.resume(&mut *store, results)?
            }
        };
    }
}

fn kinds(types: &[ValType]) -> Vec<Kind> {
    types.iter().map(|ty| kind_of(*ty)).collect()
}

fn params(ty: &FuncType) -> Vec<Kind> {
    kinds(ty.params())
}

fn results(ty: &FuncType) -> Vec<Kind> {
    kinds(ty.results())
}

fn kind(ty: &GlobalType) -> Kind {
    kind_of(ty.content)
}

fn kind_of_elements(ty: &TableType) -> Kind {
    kind_of(ty.element)
}

fn kind_of(ty: ValType) -> Kind {
    match ty {
        ValType::I32 => Kind::I32,
        ValType::I64 => Kind::I64,
        ValType::F32 => Kind::F32,
        ValType::F64 => Kind::F64,
        ValType::V128 => Kind::V128,
        ref_type => match ref_type.as_reference() {
            Some((true, HeapType::Extern)) => Kind::Extern,
            Some((true, HeapType::Exn)) => Kind::Exn,
            Some((true, _)) => Kind::Func,
            _ => Kind::NotNull,
        },
    }
}

fn given(_: impl AsContextMut, value: Value) -> Option<Val> {
    Some(match value {
        Value::I32(x) => Val::I32(x as i32),
        Value::I64(x) => Val::I64(x as i64),
        Value::F32(x) => Val::F32(x),
        Value::F64(x) => Val::F64(x),
        Value::V128(x) => Val::V128(V128::from(x)),
        Value::Extern(x) => Val::ExternRef(ExternRef::new(x)),
        Value::Null(Kind::Func) => Val::FuncRef(None),
        Value::Null(Kind::Extern) => Val::ExternRef(None),
        Value::Null(Kind::Exn) => Val::ExnRef(None),
        _ => return None,
    })
}

fn seen(_: impl AsContextMut, value: &Val) -> Value {
    match value {
        Val::I32(x) => Value::I32(*x as u32),
        Val::I64(x) => Value::I64(*x as u64),
        Val::F32(x) => Value::F32(*x),
        Val::F64(x) => Value::F64(*x),
        Val::V128(x) => Value::V128(x.as_u128()),
        Val::FuncRef(None) => Value::Null(Kind::Func),
        Val::FuncRef(Some(_)) => Value::Func,
        Val::ExternRef(None) => Value::Null(Kind::Extern),
        Val::ExternRef(Some(x)) => Value::Extern(x.number()),
        Val::ExnRef(None) => Value::Null(Kind::Exn),
        Val::ExnRef(Some(_)) => Value::Exn,
    }
}

fn new_global(store: &mut Store<Host>, ty: GlobalType, value: Val) -> Result<Global> {
    Global::new(&mut *store, ty, value)
}

fn new_table(store: &mut Store<Host>, ty: TableType, value: Val) -> Result<Table> {
    Table::new(&mut *store, ty, value)
}

fn new_tag(store: &mut Store<Host>, ty: FuncType) -> Result<Tag> {
    Tag::new(&mut *store, ty)
}

fn element(mut store: impl AsContextMut, table: &Table, at: u64) -> Option<Value> {
    let value = table.get(store.as_context_mut(), at)?;
    Some(seen(store, &value))
}

/// What the exception carries that a call has ended with.
fn thrown(store: &mut Store<Host>) -> Vec<Value> {
    let exception = store.take_pending_exception();
    let fields = exception.map(|it| it.fields(&*store).expect("it is there"));
    let fields = fields.unwrap_or_default();
    fields
        .iter()
        .map(|value| seen(&mut *store, value))
        .collect()
}

fn loaded(error: &Error) -> Loaded {
    match error.kind() {
        ErrorKind::Malformed | ErrorKind::Invalid => Loaded::Invalid(format!("{error:#}")),
        _ => Loaded::Unsupported(format!("{error:#}")),
    }
}

fn ended(error: &Error) -> Ended {
    match error.trap() {
        Some(Trap::UnreachableCodeReached) => Ended::Unreachable,
        Some(Trap::MemoryOutOfBounds) => Ended::MemoryOutOfBounds,
        Some(Trap::TableOutOfBounds | Trap::UndefinedElement) => Ended::TableOutOfBounds,
        Some(Trap::IndirectCallToNull) => Ended::IndirectCallToNull,
        Some(Trap::BadSignature) => Ended::BadSignature,
        Some(Trap::IntegerOverflow) => Ended::IntegerOverflow,
        Some(Trap::IntegerDivisionByZero) => Ended::IntegerDivisionByZero,
        Some(Trap::BadConversionToInteger) => Ended::BadConversionToInteger,
        Some(Trap::NullException | Trap::NullFunction | Trap::NullReference) => Ended::Null,
        Some(Trap::UnalignedAtomic) => Ended::UnalignedAtomic,
        Some(Trap::AtomicWait) => Ended::AtomicWait,
        Some(Trap::StackOverflow | Trap::TooManyExceptions) => Ended::Limit,
        Some(trap) => panic!("no module of its own ends in {trap:?}"),
        None if error.is::<ThrownException>() => Ended::Thrown,
        None if error.root_cause().to_string() == HOST => Ended::Host,
        None if error.kind() == ErrorKind::Invalid => panic!("{error:#}"),
        None => Ended::Refused,
    }
}
