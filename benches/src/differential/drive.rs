//! Runs a case, written once for every engine: this file is compiled for cellule and again for wasmtime,
//! whose interfaces are the same as far as they are used here. `super` says which engine it is.

use super::engine::component::{
    Component, ComponentType, Func, Instance, Lift, Linker, Lower, Resource, ResourceAny,
    ResourceType, Val,
};
use super::engine::{AsContextMut, Engine, Error, Result, Store, StoreContextMut};
use super::{All, Few, Nine, fixed, items, list};
use crate::differential::case::{Case, Loan};
use crate::differential::derived::{
    Choice, Color, Either, Mixed, Only, Parts, Point, Single, Wide,
};
use crate::differential::outcome::Outcome;
use crate::differential::shapes::{Shape, all_shapes};
use crate::differential::value::Value;

/// The host's resource.
struct Res;

/// What the host keeps in the store.
#[derive(Default)]
struct Host {
    log: Vec<String>,
    /// What it has lent.
    lent: Vec<ResourceAny>,
}

type Caller<'a> = StoreContextMut<'a, Host>;

/// Runs a case and says everything that can be seen of it.
pub fn run(engine: &Engine, wasm: &[u8], case: &Case) -> Outcome {
    let mut store = Store::new(engine, Host::default());
    let ended = instantiate(engine, &mut store, wasm, case).and_then(|instance| {
        store.data_mut().log.push("instantiated".to_string());
        calls(&mut store, &instance, case)
    });
    Outcome {
        seen: std::mem::take(&mut store.data_mut().log),
        error: ended.err().map(|error| format!("{error:#}")),
    }
}

fn instantiate(
    engine: &Engine,
    store: &mut Store<Host>,
    wasm: &[u8],
    case: &Case,
) -> Result<Instance> {
    let component = Component::new(engine, wasm)?;
    let mut linker = Linker::<Host>::new(engine);
    let mut root = linker.root();
    root.resource("res", ResourceType::host::<Res>(), |mut store, rep| {
        store.data_mut().log.push(format!("dropped {rep}"));
        Ok(())
    })?;
    let answer = case.answer.clone();
    match case.shape {
        Some(shape) => with_shape(shape, Wrap(&mut linker, answer))?,
        None => root.func_new("h", move |mut store, _, args, results| {
            let mut seen = Vec::new();
            for arg in args {
                seen.push(taken(&mut store, arg)?);
            }
            store.data_mut().log.push(format!("h{seen:?}"));
            if let (Some(place), Some(answer)) = (results.first_mut(), &answer) {
                *place = given(&mut store, answer)?;
            }
            Ok(())
        })?,
    }
    linker.instantiate(store, &component)
}

fn func(store: &mut Store<Host>, instance: &Instance, name: &str) -> Result<Func> {
    let func = instance.get_func(&mut *store, name);
    func.ok_or_else(|| Error::msg(format!("no function `{name}`")))
}

fn calls(store: &mut Store<Host>, instance: &Instance, case: &Case) -> Result<()> {
    match case.shape {
        Some(shape) => with_shape(shape, Call(store, instance, case))?,
        None => call(store, instance, case)?,
    }
    for name in ["dropped", "stat-a", "stat-b"] {
        let func = func(store, instance, name)?;
        let mut results = [Val::Bool(false)];
        func.call(&mut *store, &[], &mut results)?;
        let seen = format!("{name} {results:?}");
        store.data_mut().log.push(seen);
    }
    Ok(())
}

/// The call with dynamic values; then what the host still has is dropped.
fn call(store: &mut Store<Host>, instance: &Instance, case: &Case) -> Result<()> {
    let mut args = Vec::new();
    let mut kept = Vec::new();
    if let Some(loan) = case.loan {
        let make = func(store, instance, "make")?;
        let mut made = [Val::Bool(false)];
        make.call(&mut *store, &[Val::U32(case.seed as u32)], &mut made)?;
        let [made] = made;
        if let (Val::Resource(resource), Loan::Borrow) = (&made, loan) {
            kept.push(*resource);
        }
        args.push(made);
    }
    for arg in &case.args {
        args.push(given(&mut *store, arg)?);
    }
    let run = func(store, instance, "run")?;
    let mut results: Vec<Val> = case.result.iter().map(|_| Val::Bool(false)).collect();
    run.call(&mut *store, &args, &mut results)?;
    for result in &results {
        let seen = taken(&mut *store, result)?;
        store.data_mut().log.push(format!("returned {seen:?}"));
    }
    // The host's own come back to it; the guests' are dropped, for their destructors to run.
    for resource in std::mem::take(&mut store.data_mut().lent) {
        let seen = taken(&mut *store, &Val::Resource(resource))?;
        store.data_mut().log.push(format!("back {seen:?}"));
    }
    kept.into_iter()
        .try_for_each(|resource| resource.resource_drop(&mut *store))
}

/// Something that is done with the Rust type of a shape.
trait WithShape {
    fn with<T>(self) -> Result<()>
    where
        T: Shape + ComponentType + Lift + Lower + Send + Sync + 'static;
}

macro_rules! dispatch {
    ($($at:literal: $rust:ty;)*) => {
        fn with_shape(shape: usize, what: impl WithShape) -> Result<()> {
            match shape {
                $($at => what.with::<$rust>(),)*
                other => Err(Error::msg(format!("there is no shape {other}"))),
            }
        }
    };
}

all_shapes!(dispatch);

/// Defines the host's function.
struct Wrap<'a>(&'a mut Linker<Host>, Option<Value>);

impl WithShape for Wrap<'_> {
    fn with<T>(self) -> Result<()>
    where
        T: Shape + ComponentType + Lift + Lower + Send + Sync + 'static,
    {
        let Wrap(linker, answer) = self;
        let func = move |mut store: Caller<'_>, (arg,): (T,)| {
            store.data_mut().log.push(format!("h[{:?}]", arg.value()));
            Ok((shaped::<T>(answer.as_ref())?,))
        };
        linker.root().func_wrap("h", func)
    }
}

/// Calls the guest.
struct Call<'a>(&'a mut Store<Host>, &'a Instance, &'a Case);

impl WithShape for Call<'_> {
    fn with<T>(self) -> Result<()>
    where
        T: Shape + ComponentType + Lift + Lower + Send + Sync + 'static,
    {
        let Call(store, instance, case) = self;
        let arg = shaped::<T>(case.args.first())?;
        let run = instance.get_typed_func::<(T,), (T,)>(&mut *store, "run")?;
        let (result,) = run.call(&mut *store, (arg,))?;
        let seen = format!("returned {:?}", result.value());
        store.data_mut().log.push(seen);
        Ok(())
    }
}

fn shaped<T: Shape>(value: Option<&Value>) -> Result<T> {
    let shaped = value.and_then(T::of);
    shaped.ok_or_else(|| Error::msg("a value isn't of its shape"))
}

/// A value for the engine.
fn given(mut store: impl AsContextMut<Data = Host>, value: &Value) -> Result<Val> {
    lower(&mut store.as_context_mut(), value)
}

fn lower(store: &mut Caller<'_>, value: &Value) -> Result<Val> {
    let mut all = |values: &[Value]| -> Result<Vec<Val>> {
        values.iter().map(|value| lower(store, value)).collect()
    };
    Ok(match value {
        Value::Bool(x) => Val::Bool(*x),
        Value::S8(x) => Val::S8(*x),
        Value::U8(x) => Val::U8(*x),
        Value::S16(x) => Val::S16(*x),
        Value::U16(x) => Val::U16(*x),
        Value::S32(x) => Val::S32(*x),
        Value::U32(x) => Val::U32(*x),
        Value::S64(x) => Val::S64(*x),
        Value::U64(x) => Val::U64(*x),
        Value::F32(x) => Val::Float32(f32::from_bits(*x)),
        Value::F64(x) => Val::Float64(f64::from_bits(*x)),
        Value::Char(x) => Val::Char(*x),
        Value::String(x) => Val::String(x.clone()),
        Value::List(x) => list(all(x)?),
        Value::Fixed(x) => fixed(all(x)?),
        Value::Tuple(x) => Val::Tuple(all(x)?),
        Value::Map(x) => {
            let entry = |(k, v): &(Value, Value)| Ok((lower(store, k)?, lower(store, v)?));
            Val::Map(x.iter().map(entry).collect::<Result<_>>()?)
        }
        Value::Record(x) => {
            let field = |(name, v): &(String, Value)| Ok((name.clone(), lower(store, v)?));
            Val::Record(x.iter().map(field).collect::<Result<_>>()?)
        }
        Value::Variant(name, x) => Val::Variant(name.clone(), boxed(store, x)?),
        Value::Enum(name) => Val::Enum(name.clone()),
        Value::Option(x) => Val::Option(boxed(store, x)?),
        Value::Result(Ok(x)) => Val::Result(Ok(boxed(store, x)?)),
        Value::Result(Err(x)) => Val::Result(Err(boxed(store, x)?)),
        Value::Flags(x) => Val::Flags(x.clone()),
        Value::Own(rep) | Value::Borrow(rep) => {
            let resource = Resource::<Res>::new_own(*rep);
            let resource = ResourceAny::try_from_resource(resource, &mut *store)?;
            if let Value::Borrow(_) = value {
                // It is the host's as long as it is lent.
                store.data_mut().lent.push(resource);
            }
            Val::Resource(resource)
        }
    })
}

fn boxed(store: &mut Caller<'_>, value: &Option<Box<Value>>) -> Result<Option<Box<Val>>> {
    let value = value
        .as_ref()
        .map(|value| lower(store, value).map(Box::new));
    value.transpose()
}

/// A value of the engine; resources in it are taken.
fn taken(mut store: impl AsContextMut<Data = Host>, value: &Val) -> Result<Value> {
    lift(&mut store.as_context_mut(), value)
}

fn lift(store: &mut Caller<'_>, value: &Val) -> Result<Value> {
    let mut all = |values: Vec<Val>| -> Result<Vec<Value>> {
        values.iter().map(|value| lift(store, value)).collect()
    };
    Ok(match value {
        Val::Bool(x) => Value::Bool(*x),
        Val::S8(x) => Value::S8(*x),
        Val::U8(x) => Value::U8(*x),
        Val::S16(x) => Value::S16(*x),
        Val::U16(x) => Value::U16(*x),
        Val::S32(x) => Value::S32(*x),
        Val::U32(x) => Value::U32(*x),
        Val::S64(x) => Value::S64(*x),
        Val::U64(x) => Value::U64(*x),
        Val::Float32(x) => Value::f32(*x),
        Val::Float64(x) => Value::f64(*x),
        Val::Char(x) => Value::Char(*x),
        Val::String(x) => Value::String(x.clone()),
        Val::List(x) => Value::List(all(items(x))?),
        Val::FixedLengthList(x) => Value::Fixed(all(items(x))?),
        Val::Tuple(x) => Value::Tuple(all(x.clone())?),
        Val::Map(x) => {
            let entry = |(k, v): &(Val, Val)| Ok((lift(store, k)?, lift(store, v)?));
            Value::Map(x.iter().map(entry).collect::<Result<_>>()?)
        }
        Val::Record(x) => {
            let field = |(name, v): &(String, Val)| Ok((name.clone(), lift(store, v)?));
            Value::Record(x.iter().map(field).collect::<Result<_>>()?)
        }
        Val::Variant(name, x) => Value::Variant(name.clone(), unboxed(store, x)?),
        Val::Enum(name) => Value::Enum(name.clone()),
        Val::Option(x) => Value::Option(unboxed(store, x)?),
        Val::Result(Ok(x)) => Value::Result(Ok(unboxed(store, x)?)),
        Val::Result(Err(x)) => Value::Result(Err(unboxed(store, x)?)),
        Val::Flags(x) => Value::Flags(x.clone()),
        Val::Resource(resource) => {
            let resource: Resource<Res> = resource.try_into_resource(store)?;
            match resource.owned() {
                true => Value::Own(resource.rep()),
                false => Value::Borrow(resource.rep()),
            }
        }
        #[allow(unreachable_patterns)]
        other => return Err(Error::msg(format!("a value of no type here: {other:?}"))),
    })
}

fn unboxed(store: &mut Caller<'_>, value: &Option<Box<Val>>) -> Result<Option<Box<Value>>> {
    let value = value.as_ref().map(|value| lift(store, value).map(Box::new));
    value.transpose()
}
