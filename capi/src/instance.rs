//! Instances, their functions, and calls of them.

use crate::boundary::{Place, Result, elements, given, guarded, named, null, quiet};
use crate::error::{Failure, FailureKind};
use crate::store::{Data, StoreHandle};
use crate::value::Value;
use cellule::StoreContextMut;
use cellule::component::{Func, Instance, Val};
use std::ffi::c_char;
use std::mem::MaybeUninit;

/// An instance of a component, in a store. Opaque; the handle is yours to delete, the instance lives as
/// long as its store.
pub struct InstanceHandle {
    instance: Instance,
    store: u64,
}

/// A function of an instance. Opaque; yours to delete.
pub struct FuncHandle {
    func: Func,
    store: u64,
}

impl InstanceHandle {
    pub(crate) fn new(instance: Instance, store: u64) -> InstanceHandle {
        InstanceHandle { instance, store }
    }
}

/// An error unless a handle is of a store.
fn check(serial: u64, store: &StoreContextMut<'_, Data>, what: &str) -> Result<()> {
    if serial == store.data().serial {
        return Ok(());
    }
    let why = format!("the {what} is of another store");
    Err(Failure::new(FailureKind::Type, why))
}

/// Deletes the handle of an instance. `NULL` is fine.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_instance_delete(instance: Option<Box<InstanceHandle>>) {
    quiet((), || drop(instance));
}

/// An exported function: `add` of `my:guest/math@1.0.0`, whose compatible versions are found as well; `interface`
/// is `NULL` for what a component exports itself. A method's name is `[method]book.append`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cellule_instance_func(
    instance: Option<&InstanceHandle>,
    store: Option<&StoreHandle>,
    interface: *const c_char,
    name: *const c_char,
    out: Option<&mut MaybeUninit<Option<Box<FuncHandle>>>>,
) -> Option<Box<Failure>> {
    guarded(|| {
        let out = Place::new(out)?;
        let handle = given(instance, "instance")?;
        let within = match interface.is_null() {
            true => None,
            // SAFETY: the caller gives text that ends.
            false => Some(unsafe { named(interface, "interface") }?),
        };
        // SAFETY: the caller gives text that ends, or null.
        let name = unsafe { named(name, "name") }?;
        given(store, "store")?.enter(|mut store| {
            check(handle.store, &store, "instance")?;
            let func = find(handle.instance, &mut store, within, name)?;
            let store = handle.store;
            out.put(FuncHandle { func, store });
            Ok(())
        })
    })
}

fn find(
    instance: Instance,
    store: &mut StoreContextMut<'_, Data>,
    within: Option<&str>,
    name: &str,
) -> Result<Func> {
    let none = |what: &str, name: &str| {
        let why = format!("there is no exported {what} `{name}`");
        Failure::new(FailureKind::Type, why)
    };
    let within = match within {
        Some(interface) => {
            let index = instance.get_export_index(&mut *store, None, interface);
            Some(index.ok_or_else(|| none("interface", interface))?)
        }
        None => None,
    };
    let index = instance.get_export_index(&mut *store, within.as_ref(), name);
    let func = index.and_then(|index| instance.get_func(&mut *store, index));
    func.ok_or_else(|| none("function", name))
}

/// Deletes the handle of a function. `NULL` is fine.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_func_delete(func: Option<Box<FuncHandle>>) {
    quiet((), || drop(func));
}

/// How many parameters a function has, and whether it has a result; either may be `NULL`.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_func_shape(
    func: Option<&FuncHandle>,
    store: Option<&StoreHandle>,
    params: Option<&mut MaybeUninit<usize>>,
    has_result: Option<&mut MaybeUninit<bool>>,
) -> Option<Box<Failure>> {
    guarded(|| {
        let handle = given(func, "func")?;
        given(store, "store")?.enter(|store| {
            check(handle.store, &store, "function")?;
            let ty = handle.func.ty(&store);
            if let Some(params) = params {
                params.write(ty.params().len());
            }
            if let Some(has_result) = has_result {
                has_result.write(ty.results().len() > 0);
            }
            Ok(())
        })
    })
}

/// Calls a function. The arguments stay yours, but a resource that one of them owns is passed on: that value is of
/// no more use. The result goes to `*result`, yours to delete; it is `NULL` where the type has none, and
/// after an error. `result` itself may be `NULL` only if the type has none.
///
/// After a trap the instance, and those it was instantiated with, can't be entered any more; others in the
/// store can.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cellule_func_call(
    func: Option<&FuncHandle>,
    store: Option<&StoreHandle>,
    args: *const *const Value,
    args_len: usize,
    result: Option<&mut MaybeUninit<Option<Box<Value>>>>,
) -> Option<Box<Failure>> {
    guarded(|| {
        let place = result.map(|result| Place::new(Some(result))).transpose()?;
        let handle = given(func, "func")?;
        // SAFETY: the caller says that so many arguments are there.
        let args = unsafe { elements(args, args_len) }.ok_or_else(|| null("args"))?;
        // SAFETY: the caller gives values, or null.
        let params = unsafe { values(args) }?;
        given(store, "store")?.enter(|mut store| {
            check(handle.store, &store, "function")?;
            let mut results: Vec<Val> = handle
                .func
                .ty(&store)
                .results()
                .map(|_| Val::Bool(false))
                .collect();
            if !results.is_empty() && place.is_none() {
                return Err(null("result"));
            }
            handle.func.call(&mut store, &params, &mut results)?;
            if let (Some(place), Some(value)) = (place, results.pop()) {
                place.put(Value(value));
            }
            Ok(())
        })
    })
}

/// Copies of the arguments, as the library takes them.
///
/// # Safety
/// Each pointer is null or a value's.
unsafe fn values(args: &[*const Value]) -> Result<Vec<Val>> {
    let value = |(at, arg): (usize, &*const Value)| {
        // SAFETY: the caller says that it is a value.
        let value = unsafe { arg.as_ref() };
        let value = value.ok_or_else(|| null(&format!("args[{at}]")))?;
        Ok(value.0.clone())
    };
    args.iter().enumerate().map(value).collect()
}
