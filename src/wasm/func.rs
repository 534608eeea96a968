//! Functions: calling them, and closures as functions.

use super::exec;
use super::store::{Caller, HostClosure, Store};
use super::val::Val;
use crate::code::module::{FuncType, ValType};
use crate::error::{Error, ErrorKind, Result};
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// A function of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Func {
    pub(crate) store: u32,
    pub(crate) entity: u32,
}

impl Func {
    /// A closure as a function: it reads its arguments and writes its results.
    pub fn new<T: 'static>(
        store: &mut Store<T>,
        ty: FuncType,
        closure: impl Fn(&mut Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Func {
        let wrapped = dynamic(ty.clone(), closure);
        store.add_host(&ty, wrapped)
    }

    /// A typed closure as a function.
    pub fn wrap<T: 'static, M>(store: &mut Store<T>, closure: impl IntoHostFunc<T, M>) -> Func {
        let (ty, closure) = closure.into_host_func();
        store.add_host(&ty, closure)
    }

    /// Its type.
    pub fn ty<T: 'static>(&self, store: &Store<T>) -> FuncType {
        let at = store.own(self.store, self.entity);
        store.engine.func_type(store.inner.funcs[at].ty)
    }

    /// Calls it.
    ///
    /// # Errors
    /// Arguments or results that don't fit its type, or what stopped it.
    pub fn call<T: 'static>(
        &self,
        store: &mut Store<T>,
        args: &[Val],
        results: &mut [Val],
    ) -> Result<()> {
        let ty = self.ty(store);
        check(ty.params(), args, "argument")?;
        if ty.results().len() != results.len() {
            let why = format!(
                "{} results expected, the function has {}",
                results.len(),
                ty.results().len()
            );
            return Err(Error::of(ErrorKind::Type, why));
        }
        let slots: Vec<u64> = args.iter().map(|value| store.lower(value)).collect();
        let values = exec::call(store, self.entity, &slots)?;
        for ((result, ty), slot) in results.iter_mut().zip(ty.results()).zip(values) {
            *result = store.lift(*ty, slot);
        }
        Ok(())
    }
}

fn check(types: &[ValType], values: &[Val], what: &str) -> Result<()> {
    if types.len() != values.len() {
        let why = format!("{} {what}s given, {} expected", values.len(), types.len());
        return Err(Error::of(ErrorKind::Type, why));
    }
    for (at, (ty, value)) in types.iter().zip(values).enumerate() {
        if value.ty() != *ty {
            let why = format!("{what} {at} is of type {}, expected {ty}", value.ty());
            return Err(Error::of(ErrorKind::Type, why));
        }
    }
    Ok(())
}

/// Wraps a closure over values as one over slots.
pub(crate) fn dynamic<T: 'static>(
    ty: FuncType,
    closure: impl Fn(&mut Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
) -> HostClosure<T> {
    Arc::new(move |caller, slots| {
        let from = |(ty, slot): (&ValType, &u64)| caller.store.lift(*ty, *slot);
        let args: Vec<Val> = ty.params().iter().zip(slots.iter()).map(from).collect();
        let mut results: Vec<Val> = ty.results().iter().map(|ty| Val::default_of(*ty)).collect();
        closure(caller, &args, &mut results)?;
        check(ty.results(), &results, "result")?;
        for (slot, value) in slots.iter_mut().zip(&results) {
            *slot = caller.store.lower(value);
        }
        Ok(())
    })
}

/// Rust types that are core values.
pub trait WasmTy: Copy + Send + Sync + 'static {
    /// The value type.
    const TYPE: ValType;
    /// From a slot.
    fn from_slot(slot: u64) -> Self;
    /// To a slot.
    fn into_slot(self) -> u64;
}

macro_rules! wasm_ty {
    ($($ty:ty: $val:ident, $from:expr, $into:expr;)*) => {
        $(impl WasmTy for $ty {
            const TYPE: ValType = ValType::$val;
            fn from_slot(slot: u64) -> $ty {
                ($from)(slot)
            }
            fn into_slot(self) -> u64 {
                ($into)(self)
            }
        })*
    };
}

wasm_ty! {
    i32: I32, |slot| slot as i32, |x| u64::from(x as u32);
    u32: I32, |slot| slot as u32, u64::from;
    i64: I64, |slot| slot as i64, |x| x as u64;
    u64: I64, |slot| slot, |x| x;
    f32: F32, |slot| f32::from_bits(slot as u32), |x: f32| u64::from(x.to_bits());
    f64: F64, f64::from_bits, f64::to_bits;
}

/// What a typed closure may return.
pub trait WasmRet {
    /// The result's type, if there is one.
    fn types() -> Option<ValType>;
    /// Writes the result.
    fn store(self, slots: &mut [u64]) -> Result<()>;
}

impl WasmRet for () {
    fn types() -> Option<ValType> {
        None
    }
    fn store(self, _: &mut [u64]) -> Result<()> {
        Ok(())
    }
}

impl<A: WasmTy> WasmRet for A {
    fn types() -> Option<ValType> {
        Some(A::TYPE)
    }
    fn store(self, slots: &mut [u64]) -> Result<()> {
        slots[0] = self.into_slot();
        Ok(())
    }
}

impl<R: WasmRet> WasmRet for Result<R> {
    fn types() -> Option<ValType> {
        R::types()
    }
    fn store(self, slots: &mut [u64]) -> Result<()> {
        self?.store(slots)
    }
}

/// Closures over [`WasmTy`]s that can be functions, with a [`Caller`] in front or without.
pub trait IntoHostFunc<T: 'static, M> {
    /// The type, and the closure over slots.
    #[doc(hidden)]
    #[allow(private_interfaces)]
    fn into_host_func(self) -> (FuncType, HostClosure<T>);
}

macro_rules! into_host_func {
    ($($arg:ident)*) => {
        #[allow(non_snake_case, unused_mut, unused_variables)]
        impl<T: 'static, R: WasmRet, F, $($arg: WasmTy),*> IntoHostFunc<T, (R, $($arg,)*)> for F
        where F: Fn($($arg),*) -> R + Send + Sync + 'static {
            #[allow(private_interfaces)]
            fn into_host_func(self) -> (FuncType, HostClosure<T>) {
                let ty = FuncType::new([$($arg::TYPE),*], R::types());
                (ty, Arc::new(move |_, slots| {
                    let mut given = slots.iter().copied();
                    $(let $arg = $arg::from_slot(given.next().unwrap_or(0));)*
                    self($($arg),*).store(slots)
                }))
            }
        }
        #[allow(non_snake_case, unused_mut, unused_variables)]
        impl<T: 'static, R: WasmRet, F, $($arg: WasmTy),*> IntoHostFunc<T, (Caller<'static, T>, R, $($arg,)*)> for F
        where F: Fn(&mut Caller<'_, T>, $($arg),*) -> R + Send + Sync + 'static {
            #[allow(private_interfaces)]
            fn into_host_func(self) -> (FuncType, HostClosure<T>) {
                let ty = FuncType::new([$($arg::TYPE),*], R::types());
                (ty, Arc::new(move |caller, slots| {
                    let mut given = slots.iter().copied();
                    $(let $arg = $arg::from_slot(given.next().unwrap_or(0));)*
                    self(caller, $($arg),*).store(slots)
                }))
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
