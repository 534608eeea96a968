//! Functions of the host that components import: closures over Rust types or over dynamic values.

use super::abi::lift::LiftContext;
use super::abi::lower::LowerContext;
use super::abi::{aligned, pointer};
use super::func::typecheck;
use super::typed::{ComponentNamedList, InstanceType, InterfaceType, Lift, Lower};
use super::types;
use super::val::{Val, check, lift_flat, load, lower_flat, store as store_val};
use crate::error::{Error, ErrorKind, Result};
use crate::fallible::{Grow, Shared, boxed, collect, try_collect};
use crate::machine::Thread;
use crate::tables::{FieldRow, FuncTypeId, TypeId};
use crate::wasm::{
    ImportCall, NativeClosure, Store, StoreContextMut, async_closure, host_future, sync_closure,
};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::Future;

/// Whether a host function fits an import's type.
type Check = dyn Fn(&InstanceType<'_>, FuncTypeId) -> Result<()> + Send + Sync;

/// A function of the host.
pub(crate) struct HostFunc<T: 'static> {
    pub check: Shared<Box<Check>>,
    pub call: NativeClosure<T>,
}

impl<T: 'static> Clone for HostFunc<T> {
    fn clone(&self) -> Self {
        HostFunc {
            check: self.check.clone(),
            call: self.call.clone(),
        }
    }
}

// Both ways have a context of their own, so that scalars, which make no use of one, cost none.
impl ImportCall {
    /// Lifts the parameters.
    #[inline(always)]
    fn lift<T: 'static, P>(
        &self,
        store: &mut Store<T>,
        thread: &Thread,
        flat: impl FnOnce(&mut LiftContext<'_>, &[u64]) -> Result<P>,
        memory: impl FnOnce(&mut LiftContext<'_>, &[u8]) -> Result<P>,
    ) -> Result<P> {
        let slots = &thread.stack[self.slots.given()];
        if self.params_in_memory {
            return self.lift_area(store, slots[0], memory);
        }
        let options = store.inner.bound_options(self.tree, self.caller);
        let id = store.id;
        let mut cx = LiftContext::new(&mut store.inner, id, self.tree, options);
        let lifted = flat(&mut cx, slots);
        let cost = cx.cost;
        store.inner.spend(cost);
        lifted
    }

    /// As [`lift`](Self::lift), where a slot has the address of the parameters.
    #[inline(never)]
    fn lift_area<T: 'static, P>(
        &self,
        store: &mut Store<T>,
        address: u64,
        memory: impl FnOnce(&mut LiftContext<'_>, &[u8]) -> Result<P>,
    ) -> Result<P> {
        let options = store.inner.bound_options(self.tree, self.caller);
        let id = store.id;
        let mut cx = LiftContext::new(&mut store.inner, id, self.tree, options);
        let bytes = cx.area(address, cx.tables.ty(self.params))?;
        let lifted = memory(&mut cx, bytes);
        let cost = cx.cost;
        store.inner.spend(cost);
        lifted
    }

    /// Lowers the result: into the slot of the first argument, or to the address that the last one is.
    #[inline(always)]
    fn lower<T: 'static>(
        &self,
        store: &mut Store<T>,
        thread: &mut Thread,
        flat: impl FnOnce(&mut LowerContext<'_, T>, &mut [u64]) -> Result<()>,
        memory: impl FnOnce(&mut LowerContext<'_, T>, usize) -> Result<()>,
    ) -> Result<()> {
        store.inner.spend(1);
        if self.result_in_memory {
            let address = thread.stack[self.slots.given().end - 1];
            return self.lower_area(store, address, memory);
        }
        let options = store.inner.bound_options(self.tree, self.caller);
        let mut cx = LowerContext::new(store, self.tree, options);
        flat(&mut cx, &mut thread.stack[self.slots.returns()])
    }

    /// As [`lower`](Self::lower), where a slot has the address for the result.
    #[inline(never)]
    fn lower_area<T: 'static>(
        &self,
        store: &mut Store<T>,
        address: u64,
        memory: impl FnOnce(&mut LowerContext<'_, T>, usize) -> Result<()>,
    ) -> Result<()> {
        let options = store.inner.bound_options(self.tree, self.caller);
        let mut cx = LowerContext::new(store, self.tree, options);
        let row = cx.row(self.result);
        let ptr = pointer(address, options.wide);
        if !aligned(ptr, row.align.into()) {
            return Err(Error::of(ErrorKind::Trap, "pointer not aligned"));
        }
        if super::abi::range(cx.memory(), ptr, row.size.into()).is_none() {
            return Err(Error::of(
                ErrorKind::Trap,
                "pointer out of bounds of memory",
            ));
        }
        memory(&mut cx, ptr as usize)
    }
}

impl<T: 'static> HostFunc<T> {
    fn new(
        check: impl Fn(&InstanceType<'_>, FuncTypeId) -> Result<()> + Send + Sync + 'static,
        call: NativeClosure<T>,
    ) -> Result<HostFunc<T>> {
        let check: Box<Check> = boxed(check)?;
        let check = Shared::new(check)?;
        Ok(HostFunc { check, call })
    }
}

/// A closure over Rust types.
pub(crate) fn wrap<T: 'static, Params, Return, F>(closure: F) -> Result<HostFunc<T>>
where
    Params: ComponentNamedList + Lift + 'static,
    Return: ComponentNamedList + Lower + 'static,
    F: Fn(StoreContextMut<'_, T>, Params) -> Result<Return> + Send + Sync + 'static,
{
    let call = move |store: &mut Store<T>, thread: &mut Thread, call: &ImportCall| {
        let params = call.typed_params(store, thread)?;
        let result = closure(StoreContextMut(store), params)?;
        call.typed_result(store, thread, &result)
    };
    HostFunc::new(typecheck::<Params, Return>, sync_closure(call)?)
}

/// An asynchronous closure over Rust types.
pub(crate) fn wrap_async<T: Send + 'static, Params, Return, F>(closure: F) -> Result<HostFunc<T>>
where
    Params: ComponentNamedList + Lift + 'static,
    Return: ComponentNamedList + Lower + 'static,
    F: for<'a> Fn(
            StoreContextMut<'a, T>,
            Params,
        ) -> Box<dyn Future<Output = Result<Return>> + Send + 'a>
        + Send
        + Sync
        + 'static,
{
    let closure = Shared::new(closure)?;
    let call = async_closure(move |store, thread, call| {
        let closure = closure.clone();
        host_future(async move {
            let result = {
                let params = call.typed_params(store, thread)?;
                Box::into_pin(closure(StoreContextMut(&mut *store), params))
            };
            let result = result.await?;
            call.typed_result(store, thread, &result)
        })
    });
    HostFunc::new(typecheck::<Params, Return>, call?)
}

/// A closure over dynamic values.
pub(crate) fn dynamic<T: 'static>(
    closure: impl Fn(StoreContextMut<'_, T>, types::ComponentFunc, &[Val], &mut [Val]) -> Result<()>
    + Send
    + Sync
    + 'static,
) -> Result<HostFunc<T>> {
    let call = move |store: &mut Store<T>, thread: &mut Thread, call: &ImportCall| {
        let scope = super::func::scope(store, call.tree);
        let params = call.dynamic_params(store, thread, &scope)?;
        let mut results = call.result_places()?;
        let ty = types::ComponentFunc::new(&scope, call.ty);
        closure(StoreContextMut(store), ty, &params, &mut results)?;
        call.dynamic_result(store, thread, &scope, &results)
    };
    HostFunc::new(|_, _| Ok(()), sync_closure(call)?)
}

/// An asynchronous closure over dynamic values.
pub(crate) fn dynamic_async<T: Send + 'static, F>(closure: F) -> Result<HostFunc<T>>
where
    F: for<'a> Fn(
            StoreContextMut<'a, T>,
            types::ComponentFunc,
            &'a [Val],
            &'a mut [Val],
        ) -> Box<dyn Future<Output = Result<()>> + Send + 'a>
        + Send
        + Sync
        + 'static,
{
    let closure = Shared::new(closure)?;
    let call = async_closure(move |store, thread, call| {
        let closure = closure.clone();
        host_future(async move {
            let scope = super::func::scope(store, call.tree);
            let params = call.dynamic_params(store, thread, &scope)?;
            let mut results = call.result_places()?;
            let ty = types::ComponentFunc::new(&scope, call.ty);
            Box::into_pin(closure(
                StoreContextMut(&mut *store),
                ty,
                &params,
                &mut results,
            ))
            .await?;
            call.dynamic_result(store, thread, &scope, &results)
        })
    });
    HostFunc::new(|_, _| Ok(()), call?)
}

impl ImportCall {
    fn typed_params<T: 'static, Params: Lift>(
        &self,
        store: &mut Store<T>,
        thread: &Thread,
    ) -> Result<Params> {
        let ty = InterfaceType(self.params);
        self.lift(
            store,
            thread,
            |cx, slots| Params::linear_lift_from_flat(cx, ty, slots),
            |cx, bytes| Params::linear_lift_from_memory(cx, ty, bytes),
        )
    }

    fn typed_result<T: 'static, Return: Lower>(
        &self,
        store: &mut Store<T>,
        thread: &mut Thread,
        result: &Return,
    ) -> Result<()> {
        let ty = InterfaceType::single(self.result);
        self.lower(
            store,
            thread,
            |cx, slots| result.linear_lower_to_flat(cx, ty, slots),
            |cx, at| result.linear_lower_to_memory(cx, ty, at),
        )
    }

    fn dynamic_params<T: 'static>(
        &self,
        store: &mut Store<T>,
        thread: &Thread,
        scope: &types::Scope,
    ) -> Result<Vec<Val>> {
        let params = scope.tables.ty(self.params);
        let fields = scope.tables.fields(params.span());
        self.lift(
            store,
            thread,
            |cx, slots| {
                let mut at = 0;
                let mut params = Vec::new();
                for field in fields {
                    params.try_push(lift_flat(cx, field.ty, &slots[at..])?)?;
                    at += usize::from(cx.tables.ty(field.ty).flat_count);
                }
                Ok(params)
            },
            |cx, bytes| {
                let param = |field: &FieldRow| load(cx, field.ty, &bytes[field.offset as usize..]);
                try_collect(fields.iter().map(param))
            },
        )
    }

    /// Places for the results of a dynamic closure.
    fn result_places(&self) -> Result<Vec<Val>> {
        let result = self.result.some();
        Ok(collect(result.map(|_| Val::Bool(false)))?)
    }

    fn dynamic_result<T: 'static>(
        &self,
        store: &mut Store<T>,
        thread: &mut Thread,
        scope: &types::Scope,
        results: &[Val],
    ) -> Result<()> {
        check_result(results, scope, scope.tables.func_type(self.ty).result)?;
        let result = self.result;
        self.lower(
            store,
            thread,
            |cx, slots| match results.first() {
                Some(value) => lower_flat(value, cx, result, slots),
                None => Ok(()),
            },
            |cx, at| match results.first() {
                Some(value) => store_val(value, cx, result, at),
                None => Ok(()),
            },
        )
    }
}

fn check_result(results: &[Val], scope: &types::Scope, ty: TypeId) -> Result<()> {
    let (Some(value), Some(ty)) = (results.first(), ty.some()) else {
        return Ok(());
    };
    let told = |error: &Error| {
        let why = format_args!("result of a host function: {error}");
        Error::of(ErrorKind::Type, why)
    };
    check(scope, value, ty).map_err(|error| error.told_in(told))
}
