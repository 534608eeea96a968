//! Functions whose types the compiler knows: calls without checks and without allocation.

use super::context::AsContextMut;
use super::exec;
use super::func::Func;
use super::resumable::{self, TypedResumableCall};
use super::val::{ExternRef, Refs, V128, extern_of, extern_slot, with_slots};
use crate::code::module::{ValType, slots_of};
use crate::error::Result;
use core::fmt;
use core::marker::PhantomData;

/// Rust types that are core values: integers of 32 and 64 bits, floats, vectors, and references.
pub trait WasmTy: Copy + Send + Sync + 'static {
    /// The value type.
    const TYPE: ValType;
    /// From a slot, the first of a vector.
    #[doc(hidden)]
    fn from_slot(slot: u64, refs: &Refs) -> Self;
    /// To a slot, the first of a vector.
    #[doc(hidden)]
    fn into_slot(self, refs: &mut Refs) -> u64;
    /// From the next slots; zeros in place of those that aren't there.
    #[doc(hidden)]
    #[inline(always)]
    fn take(slots: &mut impl Iterator<Item = u64>, refs: &Refs) -> Self {
        Self::from_slot(slots.next().unwrap_or(0), refs)
    }
    /// To the next slots.
    #[doc(hidden)]
    #[inline(always)]
    fn give<'a>(self, slots: &mut impl Iterator<Item = &'a mut u64>, refs: &mut Refs) {
        if let Some(slot) = slots.next() {
            *slot = self.into_slot(refs);
        }
    }
}

macro_rules! wasm_ty {
    ($($ty:ty: $val:ident, $from:expr, $into:expr;)*) => {
        $(impl WasmTy for $ty {
            const TYPE: ValType = ValType::$val;
            fn from_slot(slot: u64, _: &Refs) -> $ty {
                ($from)(slot)
            }
            fn into_slot(self, _: &mut Refs) -> u64 {
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
    Option<ExternRef>: ExternRef, extern_of, extern_slot;
}

impl WasmTy for Option<Func> {
    const TYPE: ValType = ValType::FuncRef;
    fn from_slot(slot: u64, refs: &Refs) -> Option<Func> {
        refs.func_of(slot)
    }
    fn into_slot(self, refs: &mut Refs) -> u64 {
        refs.func_slot(self)
    }
}

impl WasmTy for V128 {
    const TYPE: ValType = ValType::V128;
    fn from_slot(slot: u64, _: &Refs) -> V128 {
        V128::of([slot, 0])
    }
    fn into_slot(self, _: &mut Refs) -> u64 {
        self.halves()[0]
    }
    fn take(slots: &mut impl Iterator<Item = u64>, _: &Refs) -> V128 {
        V128::of([(); 2].map(|()| slots.next().unwrap_or(0)))
    }
    fn give<'a>(self, slots: &mut impl Iterator<Item = &'a mut u64>, _: &mut Refs) {
        for (half, slot) in self.halves().into_iter().zip(slots) {
            *slot = half;
        }
    }
}

/// Parameters: a [`WasmTy`], or a tuple of up to 16.
pub trait WasmParams: Send + Sync + 'static {
    /// Their types.
    #[doc(hidden)]
    const TYPES: &'static [ValType];
    /// How many slots they take.
    #[doc(hidden)]
    const SLOTS: usize = slots_of(Self::TYPES);
    /// Writes them to as many slots.
    #[doc(hidden)]
    fn write(self, slots: &mut [u64], refs: &mut Refs);
}

/// Results: a [`WasmTy`], or a tuple of up to 16.
pub trait WasmResults: WasmParams {
    /// Reads them from as many slots.
    #[doc(hidden)]
    fn read(slots: &[u64], refs: &Refs) -> Self;
}

impl<A: WasmTy> WasmParams for A {
    const TYPES: &'static [ValType] = &[A::TYPE];
    fn write(self, slots: &mut [u64], refs: &mut Refs) {
        self.give(&mut slots.iter_mut(), refs);
    }
}

impl<A: WasmTy> WasmResults for A {
    fn read(slots: &[u64], refs: &Refs) -> A {
        A::take(&mut slots.iter().copied(), refs)
    }
}

macro_rules! tuples {
    ($($name:ident)*) => {
        #[allow(non_snake_case, unused_variables, unused_mut)]
        impl<$($name: WasmTy),*> WasmParams for ($($name,)*) {
            const TYPES: &'static [ValType] = &[$($name::TYPE),*];
            fn write(self, slots: &mut [u64], refs: &mut Refs) {
                let ($($name,)*) = self;
                let mut slots = slots.iter_mut();
                $($name.give(&mut slots, refs);)*
            }
        }
        #[allow(non_snake_case, unused_variables, unused_mut, clippy::unused_unit)]
        impl<$($name: WasmTy),*> WasmResults for ($($name,)*) {
            fn read(slots: &[u64], refs: &Refs) -> Self {
                let mut slots = slots.iter().copied();
                $(let $name = $name::take(&mut slots, refs);)*
                ($($name,)*)
            }
        }
    };
}

tuples!();
tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);
tuples!(A B C D E F G H I);
tuples!(A B C D E F G H I J);
tuples!(A B C D E F G H I J K);
tuples!(A B C D E F G H I J K L);
tuples!(A B C D E F G H I J K L M);
tuples!(A B C D E F G H I J K L M N);
tuples!(A B C D E F G H I J K L M N O);
tuples!(A B C D E F G H I J K L M N O P);

/// A function of a store whose type was checked once; see [`Func::typed`].
///
/// # Panics
/// Every method panics if the function, or a reference among the arguments, is another store's.
///
/// ```
/// use cellule::{Engine, Func, Store, TypedFunc};
///
/// # fn main() -> cellule::Result<()> {
/// let mut store = Store::new(&Engine::default(), ());
/// let swap = Func::wrap(&mut store, |a: i32, b: i64| (b, a));
/// let swap: TypedFunc<(i32, i64), (i64, i32)> = swap.typed(&store)?;
/// assert_eq!(swap.call(&mut store, (1, 2))?, (2, 1));
/// // Other types are an error when it is bound, not when it is called.
/// assert!(swap.func().typed::<(i32, i32), ()>(&store).is_err());
/// # Ok(())
/// # }
/// ```
pub struct TypedFunc<P, R> {
    func: Func,
    types: PhantomData<fn(P) -> R>,
}

impl<P, R> Clone for TypedFunc<P, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P, R> Copy for TypedFunc<P, R> {}

impl<P, R> fmt::Debug for TypedFunc<P, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TypedFunc").field(&self.func).finish()
    }
}

impl<P: WasmParams, R: WasmResults> TypedFunc<P, R> {
    pub(super) fn new(func: Func) -> TypedFunc<P, R> {
        TypedFunc {
            func,
            types: PhantomData,
        }
    }

    /// The function without its type.
    pub fn func(&self) -> Func {
        self.func
    }

    /// Calls it.
    ///
    /// # Errors
    /// What stopped it.
    pub fn call(&self, mut store: impl AsContextMut, params: P) -> Result<R> {
        let store = store.as_context_mut().0;
        store.own(self.func.store, self.func.entity);
        with_slots(P::SLOTS, |slots| {
            let mut refs = store.refs();
            params.write(slots, &mut refs);
            refs.lowered()?;
            exec::call(store, self.func.entity, slots, |store, slots| {
                R::read(slots, &store.refs())
            })
        })
    }

    /// Calls it so that it can go on later where it ran out of fuel or a host function failed.
    ///
    /// # Errors
    /// A trap.
    pub fn call_resumable(
        &self,
        mut store: impl AsContextMut,
        params: P,
    ) -> Result<TypedResumableCall<R>> {
        let store = store.as_context_mut().0;
        store.own(self.func.store, self.func.entity);
        with_slots(P::SLOTS, |slots| {
            let mut refs = store.refs();
            params.write(slots, &mut refs);
            refs.lowered()?;
            resumable::start_typed(store, self.func.entity, slots)
        })
    }
}
