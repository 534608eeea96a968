//! Host functions and destructors that C defines: a function, a pointer that it is given, and what ends that.

use crate::error::Failure;
use crate::store::{Data, StoreHandle};
use crate::value::Value;
use cellule::component::Val;
use cellule::{Error, ErrorKind, StoreContextMut};
use std::ffi::c_void;
use std::ptr::null_mut;

/// A host function: what a guest calls. `args` are lent for the call, so is `store`, the only way into the store
/// while the callback runs. The result goes to `*result`, which is `NULL` at first and stays so
/// where the type has none; it is cellule's from then on, and so is the error that is returned, which ends the
/// guest's call. `NULL` says that it went well. Nothing may be thrown through it.
pub type Callback = Option<
    unsafe extern "C" fn(
        env: *mut c_void,
        store: *mut StoreHandle,
        args: *const *const Value,
        args_len: usize,
        result: *mut *mut Value,
    ) -> *mut Failure,
>;

/// What runs when a guest drops a resource of the host's: it is given the number that stands for the resource.
/// `store` is lent for the call; the error that is returned ends the guest's call.
pub type Destructor = Option<
    unsafe extern "C" fn(env: *mut c_void, store: *mut StoreHandle, rep: u32) -> *mut Failure,
>;

/// What runs once, when nothing can call a callback any more.
pub type Finalizer = Option<unsafe extern "C" fn(env: *mut c_void)>;

/// C's pointer, which goes with a callback.
pub struct Env {
    pointer: *mut c_void,
    finalizer: Finalizer,
}

// SAFETY: cellule only passes the pointer on; the header asks that callbacks can be called, and ended, on each
// thread that uses a store or linker which has them.
unsafe impl Send for Env {}
// SAFETY: as above.
unsafe impl Sync for Env {}

impl Drop for Env {
    fn drop(&mut self) {
        if let Some(finalizer) = self.finalizer {
            // SAFETY: it was given together with the pointer, and this is the only call of it.
            unsafe { finalizer(self.pointer) }
        }
    }
}

impl Env {
    /// A pointer, and what ends it.
    pub fn new(pointer: *mut c_void, finalizer: Finalizer) -> Env {
        Env { pointer, finalizer }
    }

    /// Calls a host function.
    pub fn call(
        &self,
        callback: Callback,
        store: StoreContextMut<'_, Data>,
        params: &[Val],
        results: &mut [Val],
    ) -> cellule::Result<()> {
        let Some(callback) = callback else {
            return Err(told("the callback is NULL"));
        };
        let args: Vec<*const Value> = params.iter().map(|param| Value::lent(param) as _).collect();
        let mut result = null_mut();
        let failure = StoreHandle::lend(store, |store| {
            let store = std::ptr::from_ref(store).cast_mut();
            // SAFETY: the pointers are valid during the call, as `Callback` says; the function is C's and keeps
            // to it.
            unsafe { callback(self.pointer, store, args.as_ptr(), args.len(), &mut result) }
        });
        // SAFETY: what a callback puts there it has from cellule, and gives up.
        let result = (!result.is_null()).then(|| unsafe { Box::from_raw(result) });
        // SAFETY: as above.
        unsafe { ended(failure) }?;
        match (results.first_mut(), result) {
            (Some(place), Some(result)) => {
                *place = result.0;
                Ok(())
            }
            (None, None) => Ok(()),
            (Some(_), None) => Err(told("the callback gave no result")),
            (None, Some(_)) => Err(told("the callback gave a result, and the type has none")),
        }
    }

    /// Calls a destructor.
    pub fn destroy(
        &self,
        destructor: Destructor,
        store: StoreContextMut<'_, Data>,
        rep: u32,
    ) -> cellule::Result<()> {
        let Some(destructor) = destructor else {
            return Ok(());
        };
        let failure = StoreHandle::lend(store, |store| {
            let store = std::ptr::from_ref(store).cast_mut();
            // SAFETY: the pointers are valid during the call, as `Destructor` says.
            unsafe { destructor(self.pointer, store, rep) }
        });
        // SAFETY: what a callback returns it has from cellule, and gives up.
        unsafe { ended(failure) }
    }
}

fn told(why: &str) -> Error {
    Error::of(ErrorKind::Type, why)
}

/// How a callback ended.
///
/// # Safety
/// The pointer is null, or a box's that its owner gives up.
unsafe fn ended(failure: *mut Failure) -> cellule::Result<()> {
    if failure.is_null() {
        return Ok(());
    }
    // SAFETY: the caller says that it was a box.
    Err(unsafe { Box::from_raw(failure) }.into_error())
}
