//! Functions: calling them, and closures as functions.

use super::context::{AsContext, AsContextMut, Caller};
use super::exec;
use super::resumable::{self, ResumableCall};
use super::store::{HostClosure, Store, host_closure};
use super::typed::{TypedFunc, WasmParams, WasmResults, WasmTy};
use super::val::{Refs, Val, with_slots, with_values};
use crate::code::module::{FuncType, ValType};
use crate::error::{Error, ErrorKind, OutOfMemory, Result};
use crate::store::StoreInner;

/// A function of a store.
///
/// # Panics
/// Every method panics if the function, or a reference among the arguments, is another store's.
///
/// ```
/// use cellule::{Engine, Func, Store, Val};
///
/// # fn main() -> cellule::Result<()> {
/// let mut store = Store::new(&Engine::default(), ());
/// let add = Func::wrap(&mut store, |a: i32, b: i32| a + b);
/// let mut results = [Val::I32(0)];
/// add.call(&mut store, &[Val::I32(1), Val::I32(2)], &mut results)?;
/// assert_eq!(results, [Val::I32(3)]);
/// assert_eq!(add.ty(&store).params().len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Func {
    pub(crate) store: u32,
    pub(crate) entity: u32,
}

/// What [`Func::new`] and [`Func::wrap`] want.
pub(super) const NO_ROOM: &str = "memory for a function of the host";

impl Func {
    /// A closure as a function: it reads its arguments and writes its results.
    ///
    /// # Panics
    /// If the host has no memory for it. [`Linker::func_new`](crate::Linker::func_new) gives an error.
    pub fn new<T: 'static>(
        mut store: impl AsContextMut<Data = T>,
        ty: FuncType,
        closure: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Func {
        let wrapped = dynamic(ty.clone(), closure);
        let store = store.as_context_mut().0;
        let made = wrapped.and_then(|closure| store.add_host(&ty, closure));
        made.expect(NO_ROOM)
    }

    /// A typed closure as a function.
    ///
    /// # Panics
    /// If the host has no memory for it. [`Linker::func_wrap`](crate::Linker::func_wrap) gives an error.
    pub fn wrap<T: 'static, M>(
        mut store: impl AsContextMut<Data = T>,
        closure: impl IntoHostFunc<T, M>,
    ) -> Func {
        let store = store.as_context_mut().0;
        let made = closure.into_host_func();
        let made = made.and_then(|(ty, closure)| store.add_host(&ty, closure));
        made.expect(NO_ROOM)
    }

    /// Its type.
    pub fn ty(&self, store: impl AsContext) -> FuncType {
        let store = store.as_context().0;
        let at = store.own(self.store, self.entity);
        store.engine.func_type(store.inner.funcs[at].ty)
    }

    /// Calls it.
    ///
    /// # Errors
    /// Arguments or results that don't fit its type, or what stopped it.
    pub fn call(
        &self,
        mut store: impl AsContextMut,
        args: &[Val],
        results: &mut [Val],
    ) -> Result<()> {
        let store = store.as_context_mut().0;
        let ty = self.checked(store, args, results)?;
        with_slots(ty.param_slots(), |slots| {
            lower_all(&mut store.refs(), args, slots)?;
            exec::call(store, self.entity, slots, |store, slots| {
                lift_all(&store.refs(), ty.results(), slots, results);
            })
        })
    }

    /// Calls it so that it can go on later where it ran out of fuel or a host function failed.
    ///
    /// # Errors
    /// Arguments or results that don't fit its type, or a trap.
    pub fn call_resumable(
        &self,
        mut store: impl AsContextMut,
        args: &[Val],
        results: &mut [Val],
    ) -> Result<ResumableCall> {
        let store = store.as_context_mut().0;
        let ty = self.checked(store, args, results)?;
        with_slots(ty.param_slots(), |slots| {
            lower_all(&mut store.refs(), args, slots)?;
            resumable::start_untyped(store, self.entity, slots, results)
        })
    }

    /// The function with its type known to the compiler.
    ///
    /// # Errors
    /// If its type is another.
    pub fn typed<P: WasmParams, R: WasmResults>(
        &self,
        store: impl AsContext,
    ) -> Result<TypedFunc<P, R>> {
        let ty = self.ty(store);
        if ty.params() != P::TYPES || ty.results() != R::TYPES {
            let given = FuncType::try_new(P::TYPES.iter().copied(), R::TYPES.iter().copied())?;
            let why = format_args!("the function is of type {ty}, not {given}");
            return Err(Error::of(ErrorKind::Type, why));
        }
        Ok(TypedFunc::new(*self))
    }

    fn checked<T>(&self, store: &Store<T>, args: &[Val], results: &[Val]) -> Result<FuncType> {
        let ty = self.ty(store);
        check(&store.inner, ty.params(), args, "argument")?;
        check_room(&ty, results)?;
        Ok(ty)
    }
}

pub(super) fn check_room(ty: &FuncType, results: &[Val]) -> Result<()> {
    if ty.results().len() == results.len() {
        return Ok(());
    }
    let why = format_args!(
        "{} results expected, the function has {}",
        results.len(),
        ty.results().len()
    );
    Err(Error::of(ErrorKind::Type, why))
}

pub(super) fn check(
    inner: &StoreInner,
    types: &[ValType],
    values: &[Val],
    what: &str,
) -> Result<()> {
    if types.len() != values.len() {
        let why = format_args!("{} {what}s given, {} expected", values.len(), types.len());
        return Err(Error::of(ErrorKind::Type, why));
    }
    for (at, (ty, value)) in types.iter().zip(values).enumerate() {
        if !value.fits(inner, *ty) {
            let why = format_args!("{what} {at} is of type {}, expected {ty}", value.ty());
            return Err(Error::of(ErrorKind::Type, why));
        }
    }
    Ok(())
}

pub(super) fn lower_all(
    refs: &mut Refs,
    values: &[Val],
    slots: &mut [u64],
) -> Result<(), OutOfMemory> {
    let mut slots = slots.iter_mut();
    for value in values {
        if let Some(slot) = slots.next() {
            *slot = refs.lower(value);
        }
        if let Val::V128(vector) = value
            && let Some(slot) = slots.next()
        {
            *slot = vector.halves()[1];
        }
    }
    refs.lowered()
}

pub(super) fn lift_all(refs: &Refs, types: &[ValType], slots: &[u64], values: &mut [Val]) {
    let mut at = 0;
    for (value, ty) in values.iter_mut().zip(types) {
        *value = refs.lift(*ty, slots.get(at..).unwrap_or_default());
        at += ty.slots();
    }
}

/// Wraps a closure over values as one over slots.
pub(crate) fn dynamic<T: 'static>(
    ty: FuncType,
    closure: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
) -> Result<HostClosure<T>, OutOfMemory> {
    host_closure(move |store, instance, slots| {
        let (params, results) = (ty.params(), ty.results());
        with_values(params.len() + results.len(), |values| {
            let (given, returned) = values.split_at_mut(params.len());
            lift_all(&store.refs(), params, slots, given);
            for (value, ty) in returned.iter_mut().zip(results) {
                *value = Val::default_of(*ty);
            }
            closure(Caller { store, instance }, given, returned)?;
            check(&store.inner, results, returned, "result")?;
            Ok(lower_all(&mut store.refs(), returned, slots)?)
        })
    })
}

/// What a typed closure may return: [`WasmResults`], or a [`Result`] of them.
pub trait WasmRet {
    /// The results' types.
    #[doc(hidden)]
    const TYPES: &'static [ValType];
    /// Writes the results.
    #[doc(hidden)]
    fn store(self, slots: &mut [u64], refs: &mut Refs) -> Result<()>;
}

impl<R: WasmResults> WasmRet for R {
    const TYPES: &'static [ValType] = <R as WasmParams>::TYPES;
    fn store(self, slots: &mut [u64], refs: &mut Refs) -> Result<()> {
        self.write(slots, refs);
        Ok(refs.lowered()?)
    }
}

impl<R: WasmResults> WasmRet for Result<R> {
    const TYPES: &'static [ValType] = <R as WasmParams>::TYPES;
    fn store(self, slots: &mut [u64], refs: &mut Refs) -> Result<()> {
        self?.write(slots, refs);
        Ok(refs.lowered()?)
    }
}

/// Closures over [`WasmTy`]s that can be functions, with a [`Caller`] in front or without.
pub trait IntoHostFunc<T: 'static, M> {
    /// The type, and the closure over slots.
    #[doc(hidden)]
    #[allow(private_interfaces)]
    fn into_host_func(self) -> Result<(FuncType, HostClosure<T>), OutOfMemory>;
}

macro_rules! into_host_func {
    ($($arg:ident)*) => {
        #[allow(non_snake_case, unused_mut, unused_variables)]
        impl<T: 'static, R: WasmRet, F, $($arg: WasmTy),*> IntoHostFunc<T, (R, $($arg,)*)> for F
        where F: Fn($($arg),*) -> R + Send + Sync + 'static {
            #[allow(private_interfaces)]
            fn into_host_func(self) -> Result<(FuncType, HostClosure<T>), OutOfMemory> {
                let ty = FuncType::try_new([$($arg::TYPE),*], R::TYPES.iter().copied())?;
                Ok((ty, host_closure(move |store, _, slots| {
                    let mut refs = store.refs();
                    let mut given = slots.iter().copied();
                    $(let $arg = $arg::take(&mut given, &refs);)*
                    self($($arg),*).store(slots, &mut refs)
                })?))
            }
        }
        #[allow(non_snake_case, unused_mut, unused_variables)]
        impl<T: 'static, R: WasmRet, F, $($arg: WasmTy),*> IntoHostFunc<T, (Caller<'static, T>, R, $($arg,)*)> for F
        where F: Fn(Caller<'_, T>, $($arg),*) -> R + Send + Sync + 'static {
            #[allow(private_interfaces)]
            fn into_host_func(self) -> Result<(FuncType, HostClosure<T>), OutOfMemory> {
                let ty = FuncType::try_new([$($arg::TYPE),*], R::TYPES.iter().copied())?;
                Ok((ty, host_closure(move |store, instance, slots| {
                    let refs = store.refs();
                    let mut given = slots.iter().copied();
                    $(let $arg = $arg::take(&mut given, &refs);)*
                    let returned = self(Caller { store, instance }, $($arg),*);
                    returned.store(slots, &mut store.refs())
                })?))
            }
        }
    };
}

into_host_func!();
into_host_func!(A);
into_host_func!(A B);
into_host_func!(A B C);
into_host_func!(A B C D);
into_host_func!(A B C D E);
into_host_func!(A B C D E G);
into_host_func!(A B C D E G H);
into_host_func!(A B C D E G H I);
into_host_func!(A B C D E G H I J);
into_host_func!(A B C D E G H I J K);
into_host_func!(A B C D E G H I J K L);
into_host_func!(A B C D E G H I J K L N);
