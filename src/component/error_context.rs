//! Error contexts: the host's form of them, and the built-ins that make and read them.
//!
//! An error context is a message for whoever looks for what went wrong; nothing can be told from it
//! but the message. So the host's is the message itself, and passing it to a guest makes a new one.

use super::abi::lift::LiftContext;
use super::abi::lower::LowerContext;
use super::abi::{aligned, pair_size, pointer, range};
use super::typed::{ComponentType, InstanceType, InterfaceType};
use crate::error::{Error, ErrorKind, Result, Trap};
use crate::fallible::{self, Shared};
use crate::store::StoreInner;
use crate::store::components::{BoundTrampoline, NONE};
use crate::tables::TypeKind;
use crate::wasm::Store;
use alloc::string::String;
use core::fmt;

/// A message about an error, as guests pass it around: a value of the type `error-context`.
///
/// Guests can't depend on the message: an engine may drop or change it. This one keeps it as long as
/// the limit of all memories allows that.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ErrorContext(Shared<String>);

impl ErrorContext {
    /// One with a message.
    ///
    /// # Panics
    /// If the host has no memory for it.
    pub fn new(message: impl Into<String>) -> ErrorContext {
        ErrorContext(Shared::new(message.into()).expect("memory for an error context"))
    }

    /// Its message.
    pub fn debug_message(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ErrorContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ErrorContext").field(&&*self.0).finish()
    }
}

impl fmt::Display for ErrorContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ComponentType for ErrorContext {
    const SIZE32: usize = 4;
    const ALIGN32: u32 = 4;
    const SIZE64: usize = 4;
    const ALIGN64: u32 = 4;
    const FLAT_COUNT: usize = 1;

    fn typecheck(ty: InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        let expected = TypeKind::ErrorContext;
        types.expect(ty, expected, "ErrorContext").map(drop)
    }
}

impl LiftContext<'_> {
    /// An error context as the host holds it; the guest keeps its handle.
    pub(crate) fn error_context(&mut self, index: u32) -> Result<ErrorContext> {
        let message = self.error_message(index)?;
        Ok(ErrorContext(Shared::new(fallible::text(message)?)?))
    }
}

impl<T: 'static> LowerContext<'_, T> {
    /// A handle to a new error context in the guest's table.
    pub(crate) fn error_context(&mut self, context: &ErrorContext) -> Result<u32> {
        self.spend(1);
        let instance = self.instance() as usize;
        let inner = &mut self.store.inner;
        let id = inner.new_error_context(fallible::text(&context.0)?)?;
        let full = || Error::of(ErrorKind::Limit, "no room for another error context");
        let id = id.ok_or_else(full)?;
        hand(inner, instance, id)
    }
}

/// A handle to a new error context.
fn hand(inner: &mut StoreInner, instance: usize, id: u32) -> Result<u32> {
    let handle = inner.handles[instance].insert_error_context(id);
    if handle.is_err() {
        inner.release_error_context(id);
    }
    Ok(handle?)
}

/// `error-context.new`: lifts the message. It may be dropped, and is where there is no room for it.
pub(super) fn new<T: 'static>(
    store: &mut Store<T>,
    tree: u32,
    bound: &BoundTrampoline,
    arguments: [u64; 2],
) -> Result<u32> {
    let options = store.inner.trees[tree as usize].options[bound.caller as usize];
    let id = store.id;
    let mut cx = LiftContext::new(&mut store.inner, id, tree, options);
    let (ptr, tagged) = cx.pair(&arguments);
    let message = cx.string(ptr, tagged)?;
    let cost = cx.cost;
    let inner = &mut store.inner;
    inner.spend(cost);
    let id = match inner.new_error_context(message)? {
        Some(id) => Some(id),
        None => inner.new_error_context(String::new())?,
    };
    let full = || Error::of(ErrorKind::Limit, "no room for another error context");
    let id = id.ok_or_else(full)?;
    hand(inner, bound.instance as usize, id)
}

/// `error-context.debug-message`: stores the message in the guest, and where it is at `ptr`.
pub(super) fn debug_message<T: 'static>(
    store: &mut Store<T>,
    tree: u32,
    bound: &BoundTrampoline,
    [index, ptr]: [u64; 2],
) -> Result<()> {
    let inner = &mut store.inner;
    let id = inner.handles[bound.instance as usize].error_context(index as u32)?;
    let message = fallible::text(inner.error_contexts.message(id))?;
    let options = inner.trees[tree as usize].options[bound.caller as usize];
    if options.memory == NONE {
        return Err(Trap::UnreachableCodeReached.into());
    }
    let memory = &inner.memories[options.memory as usize].bytes;
    let (ptr, size) = (pointer(ptr, options.wide), pair_size(options.wide));
    if !aligned(ptr, size / 2) || range(memory, ptr, size.into()).is_none() {
        let why = "invalid debug message pointer";
        return Err(Error::of(ErrorKind::Trap, why));
    }
    let mut cx = LowerContext::new(store, tree, options);
    let pair = cx.string(&message)?;
    cx.set_pair(ptr as usize, pair);
    Ok(())
}
