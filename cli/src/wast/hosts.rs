//! The host's side of component scripts: the items that wasmtime's own suite imports.

use cellule::component::{Linker, Resource, ResourceType};
use cellule::{Engine, Error, Module, StoreContextMut};

/// What the host's items remember.
#[derive(Default)]
pub struct HostState {
    /// How many resources of the first type were dropped, and the last one's representation.
    drops: u32,
    last_drop: Option<u32>,
}

/// The host's resource types.
struct First;
struct Second;

type Context<'a> = StoreContextMut<'a, HostState>;

/// Defines the items, but for those that need concurrency.
pub fn define(linker: &mut Linker<HostState>, engine: &Engine) -> Result<(), Error> {
    let mut root = linker.root();
    root.func_wrap("host-echo-u32", |_: Context<'_>, (x,): (u32,)| Ok((x,)))?;
    root.func_wrap("host-return-two", |_: Context<'_>, (): ()| Ok((2u32,)))?;
    let mut host = linker.instance("host")?;
    host.func_wrap("return-three", |_: Context<'_>, (): ()| Ok((3u32,)))?;
    host.func_wrap("return-hi", |_: Context<'_>, (): ()| Ok(("hi",)))?;
    host.instance("nested")?
        .func_wrap("return-four", |_: Context<'_>, (): ()| Ok((4u32,)))?;
    let module = r#"(module
        (global (export "g") i32 i32.const 100)
        (func (export "f") (result i32) i32.const 101))"#;
    let module = wat::parse_str(module).map_err(|error| Error::msg(error.to_string()))?;
    host.module("simple-module", &Module::new(engine, module)?)?;
    host.resource(
        "resource1",
        ResourceType::host::<First>(),
        |mut store, rep| {
            let state: &mut HostState = store.data_mut();
            state.drops += 1;
            state.last_drop = Some(rep);
            Ok(())
        },
    )?;
    host.resource("resource2", ResourceType::host::<Second>(), |_, _| Ok(()))?;
    methods(linker)
}

fn methods(linker: &mut Linker<HostState>) -> Result<(), Error> {
    let mut host = linker.instance("host")?;
    host.resource(
        "resource1-again",
        ResourceType::host::<First>(),
        |mut store, rep| {
            let state: &mut HostState = store.data_mut();
            state.drops += 1;
            state.last_drop = Some(rep);
            Ok(())
        },
    )?;
    host.func_wrap(
        "[constructor]resource1",
        |_: Context<'_>, (rep,): (u32,)| Ok((Resource::<First>::new_own(rep),)),
    )?;
    host.func_wrap(
        "[static]resource1.assert",
        |_: Context<'_>, (resource, rep): (Resource<First>, u32)| expect(resource.rep(), rep),
    )?;
    host.func_wrap(
        "[static]resource1.last-drop",
        |store: Context<'_>, (): ()| {
            let last = store.data().last_drop;
            Ok((last.ok_or_else(|| Error::msg("nothing was dropped"))?,))
        },
    )?;
    host.func_wrap("[static]resource1.drops", |store: Context<'_>, (): ()| {
        Ok((store.data().drops,))
    })?;
    host.func_wrap(
        "[method]resource1.simple",
        |_: Context<'_>, (resource, rep): (Resource<First>, u32)| {
            if resource.owned() {
                return Err(Error::msg("a borrow was expected"));
            }
            expect(resource.rep(), rep)
        },
    )?;
    host.func_wrap(
        "[method]resource1.take-borrow",
        |_: Context<'_>, _: (Resource<First>, Resource<First>)| Ok(()),
    )?;
    host.func_wrap(
        "[method]resource1.take-own",
        |_: Context<'_>, _: (Resource<First>, Resource<First>)| Ok(()),
    )?;
    Ok(())
}

fn expect(found: u32, expected: u32) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    Err(Error::msg(format!(
        "representation {found}, expected {expected}"
    )))
}
