//! What is measured, written once for every engine: this file is compiled for cellule and again for
//! wasmtime, whose interfaces are the same as far as they are used here. `super` says which engine it is.

use super::engine::component::{
    Component, Instance, InstancePre, Linker, Resource, ResourceAny, ResourceType, Val,
};
use super::engine::{Engine, Store, StoreContextMut};
use crate::components::rows::{BYTES, Calls, TEXT, TUPLES, What};
use anyhow::{Context, Result, ensure};

/// The host's resource: its representation is its value.
struct Cell;

/// A component that is ready to be called.
struct Guest {
    store: Store<()>,
    instance: Instance,
}

/// Prepares the calls of a row; what they return is checked here, once, and not while time is taken.
pub fn prepare(engine: &Engine, what: What, wasm: &[u8]) -> Result<Calls> {
    let guest = || Guest::new(engine, wasm);
    match what {
        What::AddTyped => add_typed(guest()?),
        What::AddDynamic => add_dynamic(guest()?),
        What::TextTyped => text_typed(guest()?),
        What::BytesTyped(len) => bytes_typed(guest()?, &BYTES[..len]),
        What::BytesDynamic(len) => echo_dynamic(guest()?, "bytes", super::byte_list(&BYTES[..len])),
        What::TuplesTyped => tuples_typed(guest()?),
        What::RecordsDynamic => echo_dynamic(guest()?, "records", records()),
        What::Run(name) => run(guest()?, name),
        What::GuestResource => guest_resource(guest()?),
        What::Instantiate => instantiate(engine, wasm),
        What::Load => load(engine, wasm),
    }
}

fn linker(engine: &Engine) -> Result<Linker<()>> {
    type Caller<'a> = StoreContextMut<'a, ()>;
    let mut linker = Linker::new(engine);
    let mut root = linker.root();
    root.func_wrap("step", |_: Caller<'_>, (x,): (u32,)| Ok((x + 1,)))?;
    root.func_wrap("size", |_: Caller<'_>, (text,): (String,)| {
        Ok((text.len() as u32,))
    })?;
    let mut host = linker.instance("host")?;
    host.resource("cell", ResourceType::host::<Cell>(), |_, _| Ok(()))?;
    host.func_wrap("[constructor]cell", |_: Caller<'_>, (value,): (u32,)| {
        Ok((Resource::<Cell>::new_own(value),))
    })?;
    host.func_wrap(
        "[method]cell.value",
        |_: Caller<'_>, (cell,): (Resource<Cell>,)| Ok((cell.rep(),)),
    )?;
    Ok(linker)
}

impl Guest {
    fn new(engine: &Engine, wasm: &[u8]) -> Result<Guest> {
        let component = Component::new(engine, wasm)?;
        let mut store = Store::new(engine, ());
        let instance = linker(engine)?.instantiate(&mut store, &component)?;
        Ok(Guest { store, instance })
    }
}

fn add_typed(guest: Guest) -> Result<Calls> {
    let Guest {
        mut store,
        instance,
    } = guest;
    let add = instance.get_typed_func::<(u32, u32), (u32,)>(&mut store, "add")?;
    Ok(Box::new(move |n| {
        let mut sum = 0;
        for at in 0..n {
            (sum,) = add.call(&mut store, (sum, at))?;
        }
        Ok(sum.into())
    }))
}

fn add_dynamic(guest: Guest) -> Result<Calls> {
    let Guest {
        mut store,
        instance,
    } = guest;
    let add = instance.get_func(&mut store, "add").context("no `add`")?;
    Ok(Box::new(move |n| {
        let mut results = [Val::U32(0)];
        for at in 0..n {
            let [Val::U32(sum)] = results else {
                anyhow::bail!("`add` returned {results:?}");
            };
            add.call(&mut store, &[Val::U32(sum), Val::U32(at)], &mut results)?;
        }
        match results {
            [Val::U32(sum)] => Ok(sum.into()),
            [other] => anyhow::bail!("`add` returned {other:?}"),
        }
    }))
}

fn text_typed(guest: Guest) -> Result<Calls> {
    let Guest {
        mut store,
        instance,
    } = guest;
    let echo = instance.get_typed_func::<(&str,), (String,)>(&mut store, "text")?;
    ensure!(echo.call(&mut store, (TEXT,))?.0 == TEXT, "another text");
    Ok(Box::new(move |n| {
        let mut sum = 0;
        for _ in 0..n {
            sum += echo.call(&mut store, (TEXT,))?.0.len() as u64;
        }
        Ok(sum)
    }))
}

fn bytes_typed(guest: Guest, bytes: &'static [u8]) -> Result<Calls> {
    let Guest {
        mut store,
        instance,
    } = guest;
    let echo = instance.get_typed_func::<(&[u8],), (Vec<u8>,)>(&mut store, "bytes")?;
    ensure!(echo.call(&mut store, (bytes,))?.0 == bytes, "other bytes");
    Ok(Box::new(move |n| {
        let mut sum = 0;
        for _ in 0..n {
            sum += echo.call(&mut store, (bytes,))?.0.len() as u64;
        }
        Ok(sum)
    }))
}

type Tuple = (i32, i32, String);

fn tuples_typed(guest: Guest) -> Result<Calls> {
    let Guest {
        mut store,
        instance,
    } = guest;
    let echo = instance.get_typed_func::<(&[Tuple],), (Vec<Tuple>,)>(&mut store, "tuples")?;
    let first = echo.call(&mut store, (&TUPLES,))?.0;
    ensure!(first == *TUPLES, "other tuples");
    Ok(Box::new(move |n| {
        let mut sum = 0;
        for _ in 0..n {
            sum += echo.call(&mut store, (&TUPLES,))?.0.len() as u64;
        }
        Ok(sum)
    }))
}

fn records() -> Val {
    let record = |(x, y, name): &Tuple| {
        Val::Record(vec![
            ("x".to_string(), Val::S32(*x)),
            ("y".to_string(), Val::S32(*y)),
            ("name".to_string(), Val::String(name.clone())),
        ])
    };
    super::list(TUPLES.iter().map(record).collect())
}

fn echo_dynamic(guest: Guest, name: &str, value: Val) -> Result<Calls> {
    let Guest {
        mut store,
        instance,
    } = guest;
    let echo = instance.get_func(&mut store, name).context("no function")?;
    let params = [value];
    let mut results = [Val::Bool(false)];
    echo.call(&mut store, &params, &mut results)?;
    ensure!(results == params, "another value");
    Ok(Box::new(move |n| {
        let mut sum = 0;
        for _ in 0..n {
            // The result before is dropped as this one comes, as it is where results are used.
            echo.call(&mut store, &params, &mut results)?;
            match &results {
                [Val::List(list)] => sum += list.len() as u64,
                [other] => anyhow::bail!("a call returned {other:?}"),
            }
        }
        Ok(sum)
    }))
}

/// A guest that does something `n` times by itself.
fn run(guest: Guest, name: &str) -> Result<Calls> {
    let Guest {
        mut store,
        instance,
    } = guest;
    let run = instance.get_typed_func::<(u32,), (u32,)>(&mut store, name)?;
    Ok(Box::new(move |n| Ok(run.call(&mut store, (n,))?.0.into())))
}

/// Makes, uses and drops a resource.
fn guest_resource(guest: Guest) -> Result<Calls> {
    let Guest {
        mut store,
        instance,
    } = guest;
    let make =
        instance.get_typed_func::<(u32,), (ResourceAny,)>(&mut store, "[constructor]thing")?;
    let value =
        instance.get_typed_func::<(ResourceAny,), (u32,)>(&mut store, "[method]thing.value")?;
    let dropped = instance.get_typed_func::<(), (u32,)>(&mut store, "dropped")?;
    Ok(Box::new(move |n| {
        let before = dropped.call(&mut store, ())?.0;
        let mut sum = 0;
        for at in 0..n {
            let (thing,) = make.call(&mut store, (at,))?;
            sum += u64::from(value.call(&mut store, (thing,))?.0);
            thing.resource_drop(&mut store)?;
        }
        let (after,) = dropped.call(&mut store, ())?;
        ensure!(
            after - before == n,
            "destructors ran {} times",
            after - before
        );
        Ok(sum)
    }))
}

/// A store, an instance in it, and the end of both.
fn instantiate(engine: &Engine, wasm: &[u8]) -> Result<Calls> {
    let component = Component::new(engine, wasm)?;
    let mut linker = linker(engine)?;
    linker.define_unknown_imports_as_traps(&component)?;
    let pre: InstancePre<()> = linker.instantiate_pre(&component)?;
    let engine = engine.clone();
    Ok(Box::new(move |n| {
        for _ in 0..n {
            pre.instantiate(&mut Store::new(&engine, ()))?;
        }
        Ok(n.into())
    }))
}

fn load(engine: &Engine, wasm: &[u8]) -> Result<Calls> {
    let (engine, wasm) = (engine.clone(), wasm.to_vec());
    Ok(Box::new(move |n| {
        for _ in 0..n {
            Component::new(&engine, &wasm)?;
        }
        Ok(n.into())
    }))
}
