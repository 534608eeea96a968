//! Linkers: what components can import, by WIT interface and name.

use crate::boundary::{Place, Result, given, guarded, name, named, quiet};
use crate::callback::{Callback, Destructor, Env, Finalizer};
use crate::component::{ComponentHandle, component};
use crate::engine::{EngineHandle, engine};
use crate::error::{Failure, FailureKind};
use crate::instance::InstanceHandle;
use crate::store::{Data, StoreHandle};
use cellule::component::{Linker, LinkerInstance, ResourceType};
use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

/// What components can import. Opaque; yours to delete, also before what was instantiated with it. Several
/// threads may instantiate with one at once, as long as none of them defines anything in it.
pub struct LinkerHandle(Linker<Data>);

/// A linker without definitions.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_linker_new(
    engine: Option<&EngineHandle>,
    out: Option<&mut MaybeUninit<Option<Box<LinkerHandle>>>>,
) -> Option<Box<Failure>> {
    guarded(|| {
        let out = Place::new(out)?;
        out.put(LinkerHandle(Linker::new(self::engine(engine)?)));
        Ok(())
    })
}

/// Deletes a linker. `NULL` is fine.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_linker_delete(linker: Option<Box<LinkerHandle>>) {
    quiet((), || drop(linker));
}

/// Where a definition goes.
///
/// # Safety
/// The name is null or text that ends.
unsafe fn place<'a>(
    linker: Option<&'a mut LinkerHandle>,
    interface: *const c_char,
) -> Result<LinkerInstance<'a, Data>> {
    let linker = &mut given(linker, "linker")?.0;
    if interface.is_null() {
        return Ok(linker.root());
    }
    // SAFETY: the caller promises the same.
    let interface = unsafe { name(interface) };
    let why = "`interface` isn't UTF-8".to_owned();
    let interface = interface.ok_or_else(|| Failure::new(FailureKind::Type, why))?;
    Ok(linker.instance(interface)?)
}

/// Defines a function: `now` of `wasi:clocks/monotonic-clock@0.2.6`; `interface` is `NULL` for what a
/// component imports itself. A method's name is `[method]book.append`, a constructor's
/// `[constructor]book`. What the callback returns is checked against the type that the component
/// declares.
///
/// `env` is what the callback is given. `finalizer` (or `NULL`) is called with it once, when nothing can
/// call the callback any more: after the linker and all stores that have instances of it are deleted, or
/// at once if this fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cellule_linker_func(
    linker: Option<&mut LinkerHandle>,
    interface: *const c_char,
    name: *const c_char,
    callback: Callback,
    env: *mut c_void,
    finalizer: Finalizer,
) -> Option<Box<Failure>> {
    guarded(|| {
        let env = Env::new(env, finalizer);
        // SAFETY: the caller gives text that ends, or null.
        let mut place = unsafe { place(linker, interface) }?;
        // SAFETY: as above.
        let name = unsafe { named(name, "name") }?;
        given(callback, "callback")?;
        Ok(place.func_new(name, move |store, _, params, results| {
            env.call(callback, store, params, results)
        })?)
    })
}

/// Defines a resource type of the host's. `type` is a number of your choice that tells it from others, which
/// `cellule_resource_new` takes. `destructor` (or `NULL`) runs when a guest drops the handle that owns such
/// a resource; `env` and `finalizer` are as for `cellule_linker_func`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cellule_linker_resource(
    linker: Option<&mut LinkerHandle>,
    interface: *const c_char,
    name: *const c_char,
    r#type: u32,
    destructor: Destructor,
    env: *mut c_void,
    finalizer: Finalizer,
) -> Option<Box<Failure>> {
    guarded(|| {
        let env = Env::new(env, finalizer);
        // SAFETY: the caller gives text that ends, or null.
        let mut place = unsafe { place(linker, interface) }?;
        // SAFETY: as above.
        let name = unsafe { named(name, "name") }?;
        let ty = ResourceType::host_dynamic(r#type);
        Ok(place.resource(name, ty, move |store, rep| {
            env.destroy(destructor, store, rep)
        })?)
    })
}

/// Defines each function that a component imports and nothing serves as one that traps, and each resource as
/// one of its own.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_linker_define_unknown_imports_as_traps(
    linker: Option<&mut LinkerHandle>,
    component: Option<&ComponentHandle>,
) -> Option<Box<Failure>> {
    guarded(|| {
        let linker = &mut given(linker, "linker")?.0;
        Ok(linker.define_unknown_imports_as_traps(self::component(component)?)?)
    })
}

/// Instantiates a component in a store: runs its start functions. All imports that are missing or don't
/// fit are one error, of the kind `CELLULE_ERROR_KIND_LINK`.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_linker_instantiate(
    linker: Option<&LinkerHandle>,
    store: Option<&StoreHandle>,
    component: Option<&ComponentHandle>,
    out: Option<&mut MaybeUninit<Option<Box<InstanceHandle>>>>,
) -> Option<Box<Failure>> {
    guarded(|| {
        let out = Place::new(out)?;
        let (linker, store) = (given(linker, "linker")?, given(store, "store")?);
        let component = self::component(component)?;
        // What is bound doesn't need the linker: a callback may define more while a start function runs.
        let bound = linker.0.instantiate_pre(component)?;
        store.enter(|mut store| {
            let instance = bound.instantiate(&mut store)?;
            out.put(InstanceHandle::new(instance, store.data().serial));
            Ok(())
        })
    })
}
