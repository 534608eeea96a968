//! [`WasmStr`] and [`WasmList`]: strings and lists that stay in the guest's memory until they are asked
//! for.
//!
//! They are numbers: a place and a range in it, checked when they are lifted. The guest may have changed
//! its memory when it is read, so what is in the range is decoded and checked each time.

use super::containers::{element, list_cost};
use super::pairs::{pair, pair_lift, pair_type};
use super::*;
use crate::component::abi::lift::Place;
use crate::component::abi::range;
use crate::component::abi::strings::{self, Form};
use crate::wasm::{AsContextMut, StoreContext, StoreContextMut};
use alloc::borrow::Cow;
use core::fmt;
use core::marker::PhantomData;

/// A string in a guest's memory, in place of a `String` that it would be copied into.
///
/// It is lifted only: what the host passes to guests is a `&str`.
///
/// ```
/// use cellule::component::{Component, Linker, WasmStr};
/// use cellule::{Engine, Store, StoreContextMut};
///
/// # fn main() -> cellule::Result<()> {
/// let engine = Engine::default();
/// let component = Component::new(&engine, wat::parse_str(
///     r#"(component
///         (core module $m
///             (memory (export "memory") 1)
///             (data (i32.const 8) "hello")
///             (data (i32.const 16) "\08\00\00\00\05\00\00\00")
///             (func (export "greeting") (result i32) (i32.const 16)))
///         (core instance $i (instantiate $m))
///         (func (export "greeting") (result string)
///             (canon lift (core func $i "greeting") (memory (core memory $i "memory")))))"#,
/// ).expect("valid text"))?;
/// let mut store = Store::new(&engine, ());
/// let instance = Linker::new(&engine).instantiate(&mut store, &component)?;
/// let greeting = instance.get_typed_func::<(), (WasmStr,)>(&mut store, "greeting")?;
/// let (text,) = greeting.call(&mut store, ())?;
/// assert_eq!(text.to_str(&store)?, "hello");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct WasmStr {
    place: Place,
    form: Form,
    ptr: u64,
    bytes: u32,
}

impl WasmStr {
    fn new(cx: &mut LiftContext<'_>, (ptr, tagged): (u64, u64)) -> Result<WasmStr> {
        let (form, bytes) = cx.text(ptr, tagged)?;
        Ok(WasmStr {
            place: cx.place(),
            form,
            ptr,
            bytes: bytes.len() as u32,
        })
    }

    /// The string: borrowed from the guest's memory where it is UTF-8 there, else decoded.
    ///
    /// # Errors
    /// If what is there isn't a string of the guest's encoding, or the store is another one.
    pub fn to_str<'a, T: 'static>(
        &self,
        store: impl Into<StoreContext<'a, T>>,
    ) -> Result<Cow<'a, str>> {
        let memory = self.place.memory(store.into().0)?;
        let bytes = range(memory, self.ptr, self.bytes.into()).ok_or_else(gone)?;
        strings::decode(self.form, bytes)
    }
}

/// A memory never becomes smaller, so this doesn't happen.
fn gone() -> Error {
    let why = "the string or list is outside of the memory";
    Error::of(ErrorKind::Trap, why)
}

impl fmt::Debug for WasmStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WasmStr({:#x}, {} bytes)", self.ptr, self.bytes)
    }
}

pair_type!([] WasmStr, false, |ty, types| str::typecheck(ty, types));
pair_lift!([] WasmStr, |cx, _ty, pair| WasmStr::new(cx, pair));

/// A list in a guest's memory, in place of a `Vec` that it would be copied into.
///
/// Its elements are lifted when they are asked for, each time. It is lifted only: what the host passes
/// to guests is a slice.
///
/// ```
/// use cellule::component::{Component, Linker, WasmList};
/// use cellule::{Engine, Store, StoreContextMut};
///
/// # fn main() -> cellule::Result<()> {
/// let engine = Engine::default();
/// let component = Component::new(&engine, wat::parse_str(
///     r#"(component
///         (import "sum" (func $sum (param "of" (list u32)) (result u64)))
///         (core module $libc (memory (export "memory") 1))
///         (core instance $libc (instantiate $libc))
///         (core func $sum (canon lower (func $sum) (memory (core memory $libc "memory"))))
///         (core module $m
///             (import "" "memory" (memory 1))
///             (import "" "sum" (func $sum (param i32 i32) (result i64)))
///             (data (i32.const 16) "\07\00\00\00\08\00\00\00\09\00\00\00")
///             (func (export "run") (result i64) (call $sum (i32.const 16) (i32.const 3))))
///         (core instance $i (instantiate $m (with "" (instance
///             (export "memory" (memory $libc "memory"))
///             (export "sum" (func $sum))))))
///         (func (export "run") (result u64) (canon lift (core func $i "run"))))"#,
/// ).expect("valid text"))?;
/// let mut linker = Linker::<()>::new(&engine);
/// linker.root().func_wrap("sum", |mut store: StoreContextMut<'_, ()>, (of,): (WasmList<u32>,)| {
///     assert_eq!(of.len(), 3);
///     let mut sum = 0;
///     for number in of.iter(&mut store)? {
///         sum += u64::from(number?);
///     }
///     // The same without lifting: the bytes as they are in memory.
///     let bytes = of.as_le_slice(&store);
///     assert_eq!(sum, bytes.iter().map(|number| u64::from(u32::from_le_bytes(*number))).sum());
///     Ok((sum,))
/// })?;
/// let mut store = Store::new(&engine, ());
/// let instance = linker.instantiate(&mut store, &component)?;
/// let run = instance.get_typed_func::<(), (u64,)>(&mut store, "run")?;
/// assert_eq!(run.call(&mut store, ())?, (24,));
/// # Ok(())
/// # }
/// ```
pub struct WasmList<A> {
    place: Place,
    element: InterfaceType,
    /// Whether its elements' handles are borrows, which belong to a call.
    borrows: bool,
    ptr: u64,
    len: u32,
    marker: PhantomData<fn() -> A>,
}

impl<A: Lift> WasmList<A> {
    fn new(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        (ptr, len): (u64, u64),
    ) -> Result<WasmList<A>> {
        let wide = cx.wide();
        cx.list(ptr, len, size::<A>(wide) as u32, align::<A>(wide))?;
        cx.cost += list_cost::<A>(len as usize, wide);
        let len = u32::try_from(len).map_err(|_| gone())?;
        let element = element(cx.tables, ty, A::HAS_HANDLES);
        let borrows = A::HAS_HANDLES && cx.tables.ty(element.0).has(TypeRow::HAS_BORROW);
        Ok(WasmList {
            place: cx.place(),
            element,
            borrows,
            ptr,
            len,
            marker: PhantomData,
        })
    }

    /// How many elements it has.
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether it has no element.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Lifts an element; `None` beyond the last one. An owned handle among what is lifted leaves the
    /// guest's table, so it is there once.
    ///
    /// # Errors
    /// If it is no value of its type, if borrows are in it and the call that the list was passed to is
    /// over, or if the store is another one.
    pub fn get(&self, mut store: impl AsContextMut, index: usize) -> Option<Result<A>> {
        if index >= self.len() {
            return None;
        }
        let StoreContextMut(store) = store.as_context_mut();
        Some(self.lift(store, index))
    }

    fn lift<T: 'static>(&self, store: &mut crate::Store<T>, index: usize) -> Result<A> {
        let mut cx = self.place.context(store)?;
        if self.borrows && !cx.may_borrow() {
            let why = "the call that the list's borrows were passed to is over";
            return Err(Error::of(ErrorKind::Type, why));
        }
        let size = size::<A>(cx.wide()) as u64;
        let start = self.ptr + index as u64 * size;
        let bytes = range(cx.memory, start, size).ok_or_else(gone)?;
        let value = A::linear_lift_from_memory(&mut cx, self.element, bytes);
        let cost = cx.cost;
        store.inner.spend(cost);
        value
    }

    /// Lifts its elements one by one; see [`WasmList::get`].
    ///
    /// # Errors
    /// If the store is another one.
    pub fn iter<'a, T: 'static>(
        &'a self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> Result<impl ExactSizeIterator<Item = Result<A>> + 'a> {
        let StoreContextMut(store) = store.into();
        self.place.memory(store)?;
        Ok((0..self.len()).map(move |index| self.lift(store, index)))
    }
}

impl<A> fmt::Debug for WasmList<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WasmList({:#x}, {} elements)", self.ptr, self.len)
    }
}

pair_type!([A: ComponentType] WasmList<A>, A::HAS_HANDLES, |ty, types| {
    <[A]>::typecheck(ty, types)
});
pair_lift!([A: Lift] WasmList<A>, |cx, ty, pair| WasmList::new(cx, ty, pair));

impl<A> WasmList<A> {
    /// # Panics
    /// If the store is another one.
    fn bytes<'a, T: 'static>(
        &self,
        StoreContext(store): StoreContext<'a, T>,
        size: u64,
    ) -> &'a [u8] {
        let memory = self.place.memory(store);
        let bytes = memory.map(|memory| range(memory, self.ptr, u64::from(self.len) * size));
        match bytes {
            Ok(Some(bytes)) => bytes,
            Ok(None) => &[],
            Err(error) => panic!("{error}"),
        }
    }
}

impl WasmList<u8> {
    /// Its bytes, in the guest's memory.
    ///
    /// # Panics
    /// If the store is another one.
    pub fn as_le_slice<'a, T: 'static>(&self, store: impl Into<StoreContext<'a, T>>) -> &'a [u8] {
        self.bytes(store.into(), 1)
    }
}

macro_rules! slices {
    ($($ty:ty)*) => {
        $(
            impl WasmList<$ty> {
                /// Its numbers in the guest's memory, each as its bytes, the lowest first: what
                /// `from_le_bytes` takes.
                ///
                /// # Panics
                /// If the store is another one.
                pub fn as_le_slice<'a, T: 'static>(
                    &self,
                    store: impl Into<StoreContext<'a, T>>,
                ) -> &'a [[u8; size_of::<$ty>()]] {
                    self.bytes(store.into(), size_of::<$ty>() as u64).as_chunks().0
                }
            }
        )*
    };
}

slices!(i8 u16 i16 u32 i32 u64 i64);
