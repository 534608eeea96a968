//! Functions of instances, called by the host: dynamically and typed.

use super::abi::lift::LiftContext;
use super::abi::lower::LowerContext;
use super::call::{Call, Entered, enter};
use super::typed::{ComponentNamedList, InstanceType, InterfaceType, Lift, Lower};
use super::types::{self, Scope};
use super::val::{Val, check, lift_flat, load, lower_flat, store as store_val};
use crate::error::{Error, ErrorKind, Result};
use crate::fallible::collect;
use crate::store::components::{BoundOptions, NONE};
use crate::tables::{FuncTypeId, MAX_FLAT_PARAMS, TypeId, TypeRow};
use crate::wasm::{AsContext, AsContextMut, Store, StoreContext, StoreContextMut};
use core::marker::PhantomData;

/// A function of an instance.
///
/// ```
/// use cellule::component::{Component, Linker, Val};
/// use cellule::{Engine, Store};
///
/// # fn main() -> cellule::Result<()> {
/// let engine = Engine::default();
/// let component = Component::new(&engine, wat::parse_str(
///     r#"(component
///         (core module $m (func (export "add") (param i32 i32) (result i32)
///             (i32.add (local.get 0) (local.get 1))))
///         (core instance $i (instantiate $m))
///         (func (export "add") (param "a" u32) (param "b" u32) (result u32)
///             (canon lift (core func $i "add"))))"#,
/// ).expect("valid text"))?;
/// let mut store = Store::new(&engine, ());
/// let instance = Linker::new(&engine).instantiate(&mut store, &component)?;
/// let add = instance.get_func(&mut store, "add").expect("a function");
/// assert_eq!(add.ty(&store).params().len(), 2);
/// let mut results = [Val::Bool(false)];
/// add.call(&mut store, &[Val::U32(1), Val::U32(2)], &mut results)?;
/// assert_eq!(results, [Val::U32(3)]);
/// // Values of other types are refused before the guest runs.
/// assert!(add.call(&mut store, &[Val::U32(1), Val::U8(2)], &mut results).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Func {
    pub(crate) store: u32,
    pub(crate) tree: u32,
    /// The lifted core function.
    pub(crate) entity: u32,
    /// A row of the tree's options.
    pub(crate) options: u32,
    pub(crate) ty: FuncTypeId,
}

/// How a function's values are passed: types in the layout of its memory.
#[derive(Clone, Copy, Debug)]
struct Shape {
    params: TypeId,
    params_row: TypeRow,
    result: TypeId,
    /// Slots of parameters; they are one address if `params_in_memory`.
    slots: usize,
    params_in_memory: bool,
    result_in_memory: bool,
    lends: bool,
}

impl Func {
    /// The function's type.
    ///
    /// # Panics
    /// If it is of another store.
    pub fn ty(&self, store: impl AsContext) -> types::ComponentFunc {
        let StoreContext(store) = store.as_context();
        assert_eq!(store.id, self.store, "a function of another store");
        types::ComponentFunc::new(&scope(store, self.tree), self.ty)
    }

    fn check_store<T: 'static>(&self, store: &Store<T>) -> Result<()> {
        if store.id == self.store {
            return Ok(());
        }
        let why = "the function is of another store";
        Err(Error::of(ErrorKind::Type, why))
    }

    fn shape<T: 'static>(&self, store: &Store<T>) -> Shape {
        let tables = &store.inner.trees[self.tree as usize].tables;
        let row = tables.func_type(self.ty);
        let wide = self.bound(store).wide;
        let params = tables.passed(row.params, wide);
        let params_row = tables.ty(params);
        let params_in_memory = params_row.flat_count == TypeRow::IN_MEMORY;
        Shape {
            params,
            params_row,
            result: tables.passed(row.result, wide),
            slots: if params_in_memory {
                1
            } else {
                params_row.flat_count.into()
            },
            params_in_memory,
            result_in_memory: tables.result_in_memory(self.ty),
            lends: params_row.has(TypeRow::HAS_BORROW),
        }
    }

    fn bound<T: 'static>(&self, store: &Store<T>) -> BoundOptions {
        store.inner.trees[self.tree as usize].options[self.options as usize]
    }

    /// Checks that it may be called, and begins to lower parameters.
    fn begin<T: 'static>(&self, store: &mut Store<T>, lends: bool) -> Result<Entered> {
        self.check_store(store)?;
        if self.entity == NONE {
            let why = "a function whose instance was never made";
            return Err(Error::of(ErrorKind::Link, why));
        }
        enter(store, self.tree, lends)
    }

    /// Lowers parameters and begins the call.
    fn start<T: 'static>(
        &self,
        store: &mut Store<T>,
        shape: &Shape,
        flat: impl FnOnce(&mut LowerContext<'_, T>, &mut [u64]) -> Result<()>,
        memory: impl FnOnce(&mut LowerContext<'_, T>, usize) -> Result<()>,
    ) -> Result<Call> {
        let entered = self.begin(store, shape.lends)?;
        // One more than parameters take, for the address of the result of a host's function.
        let mut slots = [0; MAX_FLAT_PARAMS + 1];
        let mut count = shape.slots;
        let options = self.bound(store);
        let to_host = options.instance == store.inner.trees[self.tree as usize].relay.instance;
        let mut cx = LowerContext::new(store, self.tree, options);
        cx.spend(1);
        let lowered = if shape.params_in_memory {
            let row = shape.params_row;
            cx.allocate(row.align.into(), row.size).and_then(|area| {
                slots[0] = area as u64;
                memory(&mut cx, area)
            })
        } else {
            flat(&mut cx, &mut slots[..shape.slots])
        };
        let out = lowered.and_then(|()| {
            if !to_host || !shape.result_in_memory {
                return Ok(None);
            }
            let row = cx.row(shape.result);
            let out = cx.allocate(row.align.into(), row.size)?;
            slots[count] = out as u64;
            count += 1;
            Ok(Some(out))
        });
        let given = cx.given;
        let out = match out {
            Ok(out) => out,
            Err(error) => return Err(entered.cancel(&mut store.inner, error, given)),
        };
        let slots = &slots[..count];
        let mut call = Call::start(store, self.tree, self.entity, slots, Some(entered))?;
        call.returns_at(out);
        Ok(call)
    }

    /// Lifts the result of a call that is done, and begins its `post-return`; whether there is one.
    fn lifted<T: 'static, R>(
        &self,
        store: &mut Store<T>,
        call: &mut Call,
        shape: &Shape,
        flat: impl FnOnce(&mut LiftContext<'_>, u64) -> Result<R>,
        memory: impl FnOnce(&mut LiftContext<'_>, &[u8]) -> Result<R>,
    ) -> Result<(R, bool)> {
        let options = self.bound(store);
        let result = call.result();
        let id = store.id;
        let mut cx = LiftContext::new(&mut store.inner, id, self.tree, options);
        let lifted = if shape.result_in_memory {
            let row = cx.tables.ty(shape.result);
            cx.area(result, row)
                .and_then(|bytes| memory(&mut cx, bytes))
        } else {
            flat(&mut cx, result)
        };
        let cost = cx.cost;
        store.inner.spend(cost);
        match lifted {
            Ok(value) => {
                let has_result = shape.result.some().is_some();
                let cleaning = call.post_return(store, options, has_result)?;
                Ok((value, cleaning))
            }
            Err(error) => Err(call.fail(store, error)),
        }
    }

    /// Calls it with dynamic values, and writes the result to `results`.
    ///
    /// # Errors
    /// Values that aren't of its types, or what ended the call: then nothing can enter the instance,
    /// and those it was instantiated with, any more.
    pub fn call(
        &self,
        mut store: impl AsContextMut,
        params: &[Val],
        results: &mut [Val],
    ) -> Result<()> {
        let StoreContextMut(store) = store.as_context_mut();
        let shape = self.checked(store, params, results)?;
        let mut call = self.start_dynamic(store, &shape, params)?;
        call.complete(store)?;
        if self.end_dynamic(store, &mut call, &shape, results)? {
            call.complete(store)?;
        }
        let options = self.bound(store);
        call.close(store, options);
        Ok(())
    }

    /// As [`Func::call`]; where fuel runs out and there is more in reserve, it yields to the executor:
    /// see [`Store::fuel_async_yield_interval`].
    ///
    /// # Errors
    /// As [`Func::call`]. Dropping the future in the middle ends the instance as a trap does.
    pub async fn call_async(
        &self,
        mut store: impl AsContextMut,
        params: &[Val],
        results: &mut [Val],
    ) -> Result<()> {
        let StoreContextMut(store) = store.as_context_mut();
        let shape = self.checked(store, params, results)?;
        let mut call = self.start_dynamic(store, &shape, params)?;
        call.complete_async(store).await?;
        if self.end_dynamic(store, &mut call, &shape, results)? {
            call.complete_async(store).await?;
        }
        let options = self.bound(store);
        call.close(store, options);
        Ok(())
    }

    /// Does nothing: cleaning up after a call is part of it. For code written against wasmtime.
    ///
    /// # Errors
    /// None.
    pub fn post_return(&self, _store: impl AsContextMut) -> Result<()> {
        Ok(())
    }

    /// Does nothing, as [`Func::post_return`].
    ///
    /// # Errors
    /// None.
    pub async fn post_return_async(&self, _store: impl AsContextMut) -> Result<()> {
        Ok(())
    }

    fn checked<T: 'static>(
        &self,
        store: &Store<T>,
        params: &[Val],
        results: &[Val],
    ) -> Result<Shape> {
        self.check_store(store)?;
        let scope = scope(store, self.tree);
        let fields = scope.tables.params(self.ty);
        if fields.len() != params.len() {
            let why = format_args!(
                "expected {} argument(s), got {}",
                fields.len(),
                params.len()
            );
            return Err(Error::of(ErrorKind::Type, why));
        }
        for (value, field) in params.iter().zip(fields) {
            let told = |error: &Error| {
                let why = format_args!("parameter `{}`: {error}", scope.tables.name(field.name));
                Error::of(ErrorKind::Type, why)
            };
            check(&scope, value, field.ty).map_err(|error| error.told_in(told))?;
        }
        let shape = self.shape(store);
        let expected = usize::from(shape.result.some().is_some());
        if results.len() != expected {
            let why = format_args!("expected {expected} result(s), got {}", results.len());
            return Err(Error::of(ErrorKind::Type, why));
        }
        Ok(shape)
    }

    fn start_dynamic<T: 'static>(
        &self,
        store: &mut Store<T>,
        shape: &Shape,
        params: &[Val],
    ) -> Result<Call> {
        let tables = store.inner.trees[self.tree as usize].tables.clone();
        let fields = tables.fields(shape.params_row.span());
        self.start(
            store,
            shape,
            |cx, slots| {
                let mut at = 0;
                for (value, field) in params.iter().zip(fields) {
                    let count = usize::from(cx.row(field.ty).flat_count);
                    lower_flat(value, cx, field.ty, &mut slots[at..at + count])?;
                    at += count;
                }
                Ok(())
            },
            |cx, area| {
                let mut fields = params.iter().zip(fields);
                fields.try_for_each(|(value, field)| {
                    store_val(value, cx, field.ty, area + field.offset as usize)
                })
            },
        )
    }

    fn end_dynamic<T: 'static>(
        &self,
        store: &mut Store<T>,
        call: &mut Call,
        shape: &Shape,
        results: &mut [Val],
    ) -> Result<bool> {
        let ty = shape.result;
        let (value, cleaning) = self.lifted(
            store,
            call,
            shape,
            |cx, slot| match ty.some() {
                Some(ty) => lift_flat(cx, ty, &[slot]).map(Some),
                None => Ok(None),
            },
            |cx, bytes| load(cx, ty, bytes).map(Some),
        )?;
        if let (Some(place), Some(value)) = (results.first_mut(), value) {
            *place = value;
        }
        Ok(cleaning)
    }

    /// The typed function, if the Rust types are its types: parameters and result as tuples.
    ///
    /// # Errors
    /// If they aren't; it says which.
    pub fn typed<Params, Return>(&self, store: impl AsContext) -> Result<TypedFunc<Params, Return>>
    where
        Params: ComponentNamedList + Lower,
        Return: ComponentNamedList + Lift,
    {
        let StoreContext(store) = store.as_context();
        self.check_store(store)?;
        let scope = scope(store, self.tree);
        let resources = scope.resources.as_deref();
        let types = InstanceType {
            tables: &scope.tables,
            resources: resources.map_or(&[], |bound| bound),
        };
        typecheck::<Params, Return>(&types, self.ty)?;
        Ok(TypedFunc {
            func: *self,
            shape: self.shape(store),
            marker: PhantomData,
        })
    }
}

/// An error unless Rust types are a function's types.
pub(crate) fn typecheck<Params: ComponentNamedList, Return: ComponentNamedList>(
    types: &InstanceType<'_>,
    ty: FuncTypeId,
) -> Result<()> {
    let fields = types.tables.params(ty).iter();
    let params = collect(fields.map(|field| InterfaceType(field.ty)))?;
    let about = |what: &str, error: Error| {
        error.told_in(|error| {
            let why = format_args!("type mismatch with {what}: {error:#}");
            Error::of(ErrorKind::Type, why)
        })
    };
    Params::typecheck_fields(&params, types).map_err(|error| about("parameters", error))?;
    let result = types.tables.func_type(ty).result.some();
    let results = result.map(InterfaceType);
    Return::typecheck_fields(results.as_slice(), types).map_err(|error| about("results", error))
}

/// The types of a tree, with what its resource types are bound to.
pub(crate) fn scope<T: 'static>(store: &Store<T>, tree: u32) -> Scope {
    let tree = &store.inner.trees[tree as usize];
    Scope {
        tables: tree.tables.clone(),
        resources: tree.resource_types.clone(),
    }
}

/// A function of an instance, with Rust types for its parameters and its result.
///
/// ```
/// use cellule::component::{Component, Linker, TypedFunc};
/// use cellule::{Engine, Store};
///
/// # fn main() -> cellule::Result<()> {
/// let engine = Engine::default();
/// let component = Component::new(&engine, wat::parse_str(
///     r#"(component
///         (core module $m (func (export "add") (param i32 i32) (result i32)
///             (i32.add (local.get 0) (local.get 1))))
///         (core instance $i (instantiate $m))
///         (func (export "add") (param "a" u32) (param "b" u32) (result u32)
///             (canon lift (core func $i "add"))))"#,
/// ).expect("valid text"))?;
/// let mut store = Store::new(&engine, ());
/// let instance = Linker::new(&engine).instantiate(&mut store, &component)?;
/// let add: TypedFunc<(u32, u32), (u32,)> = instance.get_typed_func(&mut store, "add")?;
/// assert_eq!(add.call(&mut store, (1, 2))?, (3,));
/// // Other types are an error when it is bound, not when it is called.
/// let error = add.func().typed::<(u32, String), (u32,)>(&store).unwrap_err();
/// assert!(error.to_string().contains("type mismatch with parameters"));
/// # Ok(())
/// # }
/// ```
pub struct TypedFunc<Params, Return> {
    func: Func,
    shape: Shape,
    marker: PhantomData<fn(Params) -> Return>,
}

impl<Params, Return> Clone for TypedFunc<Params, Return> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Params, Return> Copy for TypedFunc<Params, Return> {}

impl<Params, Return> core::fmt::Debug for TypedFunc<Params, Return> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("TypedFunc").field(&self.func).finish()
    }
}

impl<Params, Return> TypedFunc<Params, Return> {
    /// The same function for parameters of other Rust types, unchecked.
    pub(crate) fn with_params<Others>(&self) -> TypedFunc<Others, Return> {
        TypedFunc {
            func: self.func,
            shape: self.shape,
            marker: PhantomData,
        }
    }
}

impl<Params, Return> TypedFunc<Params, Return>
where
    Params: ComponentNamedList + Lower,
    Return: ComponentNamedList + Lift,
{
    /// The untyped function.
    pub fn func(&self) -> &Func {
        &self.func
    }

    /// Calls it.
    ///
    /// # Errors
    /// What ended the call: then nothing can enter the instance, and those it was instantiated with,
    /// any more.
    pub fn call(&self, mut store: impl AsContextMut, params: Params) -> Result<Return> {
        let StoreContextMut(store) = store.as_context_mut();
        let mut call = self.start(store, &params)?;
        call.complete(store)?;
        let (value, cleaning) = self.end(store, &mut call)?;
        if cleaning {
            call.complete(store)?;
        }
        let options = self.func.bound(store);
        call.close(store, options);
        Ok(value)
    }

    /// As [`TypedFunc::call`]; where fuel runs out and there is more in reserve, it yields to the
    /// executor: see [`Store::fuel_async_yield_interval`].
    ///
    /// # Errors
    /// As [`TypedFunc::call`]. Dropping the future in the middle ends the instance as a trap does.
    pub async fn call_async(&self, mut store: impl AsContextMut, params: Params) -> Result<Return> {
        let StoreContextMut(store) = store.as_context_mut();
        let mut call = self.start(store, &params)?;
        call.complete_async(store).await?;
        let (value, cleaning) = self.end(store, &mut call)?;
        if cleaning {
            call.complete_async(store).await?;
        }
        let options = self.func.bound(store);
        call.close(store, options);
        Ok(value)
    }

    /// Does nothing: cleaning up after a call is part of it. For code written against wasmtime.
    ///
    /// # Errors
    /// None.
    pub fn post_return(&self, _store: impl AsContextMut) -> Result<()> {
        Ok(())
    }

    /// Does nothing, as [`TypedFunc::post_return`].
    ///
    /// # Errors
    /// None.
    pub async fn post_return_async(&self, _store: impl AsContextMut) -> Result<()> {
        Ok(())
    }

    fn start<T: 'static>(&self, store: &mut Store<T>, params: &Params) -> Result<Call> {
        let ty = InterfaceType(self.shape.params);
        self.func.start(
            store,
            &self.shape,
            |cx, slots| params.linear_lower_to_flat(cx, ty, slots),
            |cx, area| params.linear_lower_to_memory(cx, ty, area),
        )
    }

    fn end<T: 'static>(&self, store: &mut Store<T>, call: &mut Call) -> Result<(Return, bool)> {
        let ty = InterfaceType::single(self.shape.result);
        self.func.lifted(
            store,
            call,
            &self.shape,
            |cx, slot| Return::linear_lift_from_flat(cx, ty, &[slot]),
            |cx, bytes| Return::linear_lift_from_memory(cx, ty, bytes),
        )
    }
}
