//! Exceptions as embedders see them.

use super::context::{AsContext, AsContextMut, Caller, StoreContextMut};
use super::items::Tag;
use super::store::Store;
use super::val::{Refs, Val};
use crate::code::module::ValType;
use crate::error::{Error, ErrorKind, Result, ThrownException};
use crate::fallible::collect;
use crate::store::StoreInner;
use crate::store::exceptions::Thrown;
use alloc::vec::Vec;

/// An exception of a store: a tag, and values of the types that the tag tells.
///
/// It doesn't keep the exception: that lives as long as guests can reach it, and what a host function
/// is given lives until that returns. To keep it longer, or while other guests run, put it into a
/// [`Global`](crate::Global) or [`Table`](crate::Table) of the type `exnref`.
///
/// # Panics
/// Where it is a value that a guest is given, if it is another store's or gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExnRef {
    store: u32,
    reference: u32,
    born: u64,
}

impl ExnRef {
    /// A new exception.
    ///
    /// # Errors
    /// Values that don't fit the tag, or a limit.
    ///
    /// # Panics
    /// If the tag or a reference among the values is another store's.
    pub fn new(mut store: impl AsContextMut, tag: &Tag, fields: &[Val]) -> Result<ExnRef> {
        let ty = tag.ty(&store);
        let store = store.as_context_mut().0;
        super::func::check(&store.inner, ty.params(), fields, "field")?;
        let mut slots = core::mem::take(&mut store.inner.exceptions.flight);
        slots.clear();
        slots.resize(ty.param_slots(), 0);
        super::func::lower_all(&mut store.refs(), fields, &mut slots)?;
        store.inner.exceptions.flight = slots;
        let thrown = Thrown {
            tag: store.own(tag.store, tag.index) as u32,
            arena: 0,
            reference: None,
        };
        let reference = store.inner.exception_ref(thrown, &[])?;
        let made = ExnRef::of(&store.inner, store.id, reference.into());
        made.ok_or_else(gone)
    }

    /// Its tag.
    ///
    /// # Errors
    /// If the exception is gone.
    ///
    /// # Panics
    /// If it is another store's.
    pub fn tag(&self, store: impl AsContext) -> Result<Tag> {
        let store = store.as_context().0;
        let (index, _) = self.find(&store.inner, store.id)?;
        Ok(Tag {
            store: store.id,
            index,
        })
    }

    /// What it carries.
    ///
    /// # Errors
    /// If the exception is gone.
    ///
    /// # Panics
    /// If it is another store's.
    pub fn fields(&self, store: impl AsContext) -> Result<Vec<Val>> {
        let store = store.as_context().0;
        let (tag, slots) = self.find(&store.inner, store.id)?;
        let mut slots = slots;
        let value = |ty: &ValType| {
            let value = store.lift(*ty, slots);
            slots = slots.get(ty.slots()..).unwrap_or_default();
            value
        };
        let params = store.inner.tags[tag as usize].params();
        Ok(collect(params.iter().map(value))?)
    }

    /// One of the values that it carries.
    ///
    /// # Errors
    /// If there is no such value, or the exception is gone.
    ///
    /// # Panics
    /// If it is another store's.
    pub fn field(&self, store: impl AsContext, index: usize) -> Result<Val> {
        let fields = self.fields(store)?;
        let why = || {
            Error::of(
                ErrorKind::Type,
                format_args!("the exception has no field {index}"),
            )
        };
        fields.get(index).copied().ok_or_else(why)
    }

    fn find<'a>(&self, inner: &'a StoreInner, id: u32) -> Result<(u32, &'a [u64])> {
        assert_eq!(self.store, id, "a handle of another store");
        match inner.exceptions.any(self.reference) {
            Some((tag, slots, born)) if born == self.born => Ok((tag, slots)),
            _ => Err(gone()),
        }
    }

    /// What a slot refers to.
    pub(super) fn of(inner: &StoreInner, id: u32, slot: u64) -> Option<ExnRef> {
        let reference = slot as u32;
        let (_, _, born) = inner.exceptions.any(reference)?;
        Some(ExnRef {
            store: id,
            reference,
            born,
        })
    }

    /// The slot that refers to it.
    pub(super) fn slot(&self, refs: &Refs) -> u64 {
        assert!(
            self.find(refs.inner, refs.id).is_ok(),
            "a reference to an exception that is gone"
        );
        self.reference.into()
    }
}

fn gone() -> Error {
    let why = "the exception is gone: nothing that a guest can reach refers to it";
    Error::of(ErrorKind::Type, why)
}

impl<T: 'static> Store<T> {
    /// The error with which a host function throws an exception.
    ///
    /// # Errors
    /// Always: that is the exception, or that it is gone.
    ///
    /// # Panics
    /// If it is another store's.
    pub fn throw<R>(&mut self, exception: ExnRef) -> Result<R> {
        exception.find(&self.inner, self.id)?;
        self.inner.exceptions.uncaught = Some(exception.reference);
        Err(ThrownException.into())
    }

    /// Takes the exception that the last call has ended with, if one that failed with
    /// [`ThrownException`] is the last that did.
    pub fn take_pending_exception(&mut self) -> Option<ExnRef> {
        let uncaught = self.inner.exceptions.uncaught.take()?;
        ExnRef::of(&self.inner, self.id, uncaught.into())
    }

    /// Whether there is an exception to take.
    pub fn has_pending_exception(&self) -> bool {
        self.inner.exceptions.uncaught.is_some()
    }
}

macro_rules! in_contexts {
    ($($context:ident: $store:tt;)*) => {
        $(impl<T: 'static> $context<'_, T> {
            /// See [`Store::throw`].
            ///
            /// # Errors
            /// Always.
            pub fn throw<R>(&mut self, exception: ExnRef) -> Result<R> {
                self.$store.throw(exception)
            }

            /// See [`Store::take_pending_exception`].
            pub fn take_pending_exception(&mut self) -> Option<ExnRef> {
                self.$store.take_pending_exception()
            }

            /// See [`Store::has_pending_exception`].
            pub fn has_pending_exception(&self) -> bool {
                self.$store.has_pending_exception()
            }
        })*
    };
}
in_contexts! {
    StoreContextMut: 0;
    Caller: store;
}
