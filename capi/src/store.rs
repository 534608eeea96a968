//! Stores, and who has them.
//!
//! C has a pointer to a store while a call runs in it, and a callback is given another: two ways to one store. So a
//! handle says whether it is in use, and what is in use is refused. Then nothing is borrowed twice,
//! neither by a callback that takes the wrong pointer nor by a second thread.

use crate::boundary::{Place, Result, given, guarded, quiet};
use crate::engine::{EngineHandle, engine};
use crate::error::{Failure, FailureKind};
use cellule::{AsContextMut, Store, StoreContextMut};
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::panic::resume_unwind;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// What a store carries for its embedder.
pub struct Data {
    /// Tells stores apart, for the handles of what is in one.
    pub(crate) serial: u64,
    user: *mut c_void,
}

const FREE: u8 = 0;
const IN_USE: u8 = 1;
/// A panic has passed through: nobody knows what holds.
const SPOILT: u8 = 2;

enum Held {
    Owned(Box<Store<Data>>),
    /// A callback's, for as long as the callback runs.
    Lent(*mut StoreContextMut<'static, Data>),
}

/// All that instances have: memories, resources, fuel. Opaque; yours to delete, unless it was lent to a
/// callback.
pub struct StoreHandle {
    state: AtomicU8,
    held: UnsafeCell<Held>,
}

/// Gives the handle back.
struct Turn<'a>(&'a StoreHandle);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let left = if std::thread::panicking() {
            SPOILT
        } else {
            FREE
        };
        self.0.state.store(left, Ordering::Release);
    }
}

impl StoreHandle {
    fn new(held: Held) -> StoreHandle {
        StoreHandle {
            state: AtomicU8::new(FREE),
            held: UnsafeCell::new(held),
        }
    }

    fn turn(&self) -> Result<Turn<'_>> {
        let taken = self
            .state
            .compare_exchange(FREE, IN_USE, Ordering::Acquire, Ordering::Relaxed);
        let why = match taken {
            Ok(_) => return Ok(Turn(self)),
            Err(SPOILT) => "the store can't be used any more: cellule panicked in it",
            Err(_) => "the store is in use: a callback has to use the one that it is given",
        };
        Err(Failure::new(FailureKind::Type, why.into()))
    }

    /// Works in the store.
    pub(crate) fn enter<R>(
        &self,
        work: impl FnOnce(StoreContextMut<'_, Data>) -> Result<R>,
    ) -> Result<R> {
        let _turn = self.turn()?;
        // SAFETY: whoever has the turn is the only one that looks into the cell.
        match unsafe { &mut *self.held.get() } {
            Held::Owned(store) => work(store.as_context_mut()),
            // SAFETY: `lend` keeps what it points to for as long as the callback runs, in which alone
            // the header allows its use; and whoever has the turn is the only one that uses it.
            Held::Lent(context) => work(unsafe { &mut **context }.as_context_mut()),
        }
    }

    /// Lends a store to a callback.
    pub(crate) fn lend<R>(
        mut context: StoreContextMut<'_, Data>,
        work: impl FnOnce(&StoreHandle) -> R,
    ) -> R {
        let context: *mut StoreContextMut<'_, Data> = &mut context;
        let handle = StoreHandle::new(Held::Lent(context.cast()));
        let answer = work(&handle);
        if handle.state.load(Ordering::Acquire) == SPOILT {
            // The callback was told by an error; whoever owns the store has to know as well.
            resume_unwind(Box::new("in a call that a callback made"));
        }
        answer
    }

    fn is_owned(&self) -> bool {
        let Ok(_turn) = self.turn() else {
            return self.state.load(Ordering::Acquire) == SPOILT;
        };
        // SAFETY: whoever has the turn is the only one that looks into the cell.
        matches!(unsafe { &*self.held.get() }, Held::Owned(_))
    }
}

/// A store with a pointer of yours in it, which it doesn't touch.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_store_new(
    engine: Option<&EngineHandle>,
    data: *mut c_void,
    out: Option<&mut MaybeUninit<Option<Box<StoreHandle>>>>,
) -> Option<Box<Failure>> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    guarded(|| {
        let out = Place::new(out)?;
        let serial = NEXT.fetch_add(1, Ordering::Relaxed);
        let data = Data { serial, user: data };
        let store = Store::new(self::engine(engine)?, data);
        out.put(StoreHandle::new(Held::Owned(Box::new(store))));
        Ok(())
    })
}

/// Deletes a store, and with it all that is in it. One that is in use, or that was lent to a callback, stays
/// as it is. `NULL` is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cellule_store_delete(store: *mut StoreHandle) {
    quiet((), || {
        // SAFETY: the caller gives a store's pointer or null.
        let owned = unsafe { store.as_ref() }.is_some_and(StoreHandle::is_owned);
        if owned {
            // SAFETY: what is owned was put into a box by `cellule_store_new`, and the caller gives it up.
            drop(unsafe { Box::from_raw(store) });
        }
    });
}

/// The pointer that `cellule_store_new` was given; `NULL` as well if the store is in use.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_store_data(store: Option<&StoreHandle>) -> *mut c_void {
    quiet(null_mut(), || {
        let data = store.and_then(|store| store.enter(|context| Ok(context.data().user)).ok());
        data.unwrap_or(null_mut())
    })
}

/// Sets how much fuel is left; an error if the engine consumes none.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_store_set_fuel(
    store: Option<&StoreHandle>,
    fuel: u64,
) -> Option<Box<Failure>> {
    guarded(|| given(store, "store")?.enter(|mut context| Ok(context.set_fuel(fuel)?)))
}

/// How much fuel is left; an error if the engine consumes none.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_store_get_fuel(
    store: Option<&StoreHandle>,
    out: Option<&mut MaybeUninit<u64>>,
) -> Option<Box<Failure>> {
    guarded(|| {
        let out = given(out, "out")?;
        out.write(given(store, "store")?.enter(|context| Ok(context.get_fuel()?))?);
        Ok(())
    })
}
